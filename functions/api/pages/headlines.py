"""Who fought whom, in one line."""

from collections.abc import Sequence

from api.models.battles import Battle
from api.models.sides import Side
from api.pages import words
from api.queries.leaders import Leader

_NAMED_MAX = 3
"""Sides that a headline names; more of them are counted."""


def headline(names: Sequence[str], battle: Battle) -> str:
    """Goonswarm Federation vs Pandemic Horde in M-OEE8; `names` are those of the leaders of the sides."""
    where = battle["system"]["name"]
    if not names:
        return f"Fight in {where}"
    if len(names) == 1:
        return f"{names[0]} fights in {where}"
    more = len(names) - _NAMED_MAX
    named = [*names[:_NAMED_MAX], *([words.counted(more, "other")] if more > 0 else [])]
    return f"{' vs '.join(named)} in {where}"


def title(names: Sequence[str], battle: Battle) -> str:
    """The headline, and what it cost: ..., 1,204 lost, 340b ISK."""
    worth = battle["total_isk_destroyed"]
    cost = f", {words.isk(worth)} ISK" if worth else ""
    return f"{headline(names, battle)}, {words.number(battle['losses'])} lost{cost}"


def leader_names(leaders: Sequence[Leader]) -> list[str]:
    """Of a battle in a list."""
    return [leader.affiliation["name"] for leader in leaders]


def side_names(sides: Sequence[Side]) -> list[str]:
    """Of a battle in full; third parties lead no side."""
    return [side["affiliations"][0]["name"] for side in sides if side["side_id"] and side["affiliations"]]
