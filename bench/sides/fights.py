"""One fight, written up: who was on which side, and who shot whom."""

from collections import Counter
from collections.abc import Mapping

from battlescope.assignment import Assignment, assignments_of
from battlescope.evidence import KILL
from battlescope.killmail import Killmail
from bench.sides.measure import affiliation, cohesion, crossing, weigh
from cluster.engine.whole import Battle

LISTED = 7
"""Affiliations to list of each side, the most pilots first."""


def write_up(battle: Battle) -> str:
    """The fight as a Markdown table per side."""
    killmails = battle.killmails
    pilots = battle.ledger.pilots
    sides = battle.sides
    assignments = assignments_of(battle.ledger.evidence, sides.placements)
    losses = Counter(_victim(killmail) for killmail in killmails)
    weights = weigh(killmails)
    fit = (
        f"crossing {crossing(weights, sides.side_ids):.3f}, cohesion {cohesion(weights, sides.side_ids):.3f}"
    )
    lines = [
        f"system {battle.system_id}: {len(killmails)} kills, {sides.count} sides, {fit}",
    ]
    numbers = range(1, sides.count + 1)
    lines += [
        f"side {one} shot side {other}: weight {_shot(assignments, one, other):.1f}"
        for one in numbers
        for other in numbers
    ]
    for side in (*numbers, 0):
        members = sorted(
            (one for one, number in sides.side_ids.items() if number == side),
            key=lambda one: (-pilots.get(one, 0), one),
        )
        if not members:
            continue
        pilots_there, lost_there = (
            sum(pilots.get(one, 0) for one in members),
            sum(losses[one] for one in members),
        )
        lines += [
            "",
            f"side {side}: {len(members)} affiliations, {pilots_there} pilots, {lost_there} killmails lost",
            "",
            "| affiliation | pilots | lost | confidence |"
            + "".join(f" shot side {number}: kills (weight) |" for number in numbers)
            + "".join(f" shared with side {number} |" for number in numbers),
            "|---" * (4 + 2 * sides.count) + "|",
        ]
        for one in members[:LISTED]:
            assignment = assignments[one]
            toward = [assignment.on(number) for number in numbers]
            lines.append(
                f"| {one} | {pilots.get(one, 0)} | {losses[one]} | {assignment.confidence:.2f} |"
                + "".join(f" {there.shot_kills} ({there.shot_weight / KILL:.1f}) |" for there in toward)
                + "".join(f" {there.shared_weight / KILL:.1f} |" for there in toward)
            )
    return "\n".join(lines)


def _shot(assignments: Mapping[int, Assignment], shooters: int, victims: int) -> float:
    """The weight of what one side shot of another, in ordinary kills."""
    return (
        sum(
            assignment.on(victims).shot_weight
            for assignment in assignments.values()
            if assignment.side_id == shooters
        )
        / KILL
    )


def _victim(killmail: Killmail) -> int:
    return affiliation(*killmail.victim[:3])
