"""zKillboard's rule for its related kills page, at the level of affiliations.

The affiliation with the most pilots first, each goes to the team that it has shot, and been shot by, less: every
pilot on every killmail counts the same, whatever the damage. Always two teams.
"""

from collections.abc import Mapping

from bench.sides.measure import Weights


def assign(weights: Weights, pilots: Mapping[int, int]) -> dict[int, int]:
    """Affiliation -> team, 1 or 2."""
    teams: dict[int, int] = {}
    for affiliation in sorted(pilots, key=lambda one: (-pilots[one], one)):
        hate = [0, 0, 0]
        for (shooter, victim), hits in weights.hits.items():
            if shooter == victim:
                continue
            if shooter == affiliation:
                hate[teams.get(victim, 0)] += hits
            elif victim == affiliation:
                hate[teams.get(shooter, 0)] += hits
        teams[affiliation] = 1 if hate[1] <= hate[2] else 2
    return teams
