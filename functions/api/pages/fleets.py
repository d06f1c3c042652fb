"""The sides of a battle as the page shows them: with names, and cut to what a page can hold."""

from collections.abc import Sequence
from typing import NamedTuple

from api.models.fights import GroupComposition, ShipComposition, SideComposition
from api.models.sides import Side, SideAffiliation

AFFILIATIONS_SHOWN = 8
"""Of each side at first sight."""

AFFILIATIONS_MAX = 60
"""Of all sides together, those one click away included; everybody is on a page of their own."""

SHIPS_MAX = 200
"""Ship types of all sides together."""

THIRD_PARTIES = "Third parties"


class Fleet(NamedTuple):
    """A side.

    Attributes:
        name: its leader's, and how many more there are.
        shown: the affiliations with the most pilots.
        folded: those that come next.
        hidden: how many more there are.
        groups: ships by class.
        ships_hidden: how many more ship types there are.
    """

    side: Side
    name: str
    shown: list[SideAffiliation]
    folded: list[SideAffiliation]
    hidden: int
    groups: list[GroupComposition]
    ships_hidden: int


def fleets_of(sides: Sequence[Side], composition: Sequence[SideComposition]) -> list[Fleet]:
    """The sides in their order; each has an equal part of the page."""
    flown = {one["side_id"]: one["groups"] for one in composition}
    parts = max(2, len(sides))
    return [
        _fleet(side, flown.get(side["side_id"], []), AFFILIATIONS_MAX // parts, SHIPS_MAX // parts)
        for side in sides
    ]


def _fleet(side: Side, groups: list[GroupComposition], affiliations_max: int, ships_max: int) -> Fleet:
    affiliations = side["affiliations"][:affiliations_max]
    kept, hidden = _cut(groups, ships_max)
    return Fleet(
        side,
        side_name(side),
        affiliations[:AFFILIATIONS_SHOWN],
        affiliations[AFFILIATIONS_SHOWN:],
        max(0, side["total_affiliations"] - affiliations_max),
        kept,
        hidden,
    )


def names_of(fleets: Sequence[Fleet]) -> dict[int, str]:
    """The sides' names by id, with a name for third parties (0) where none are shown."""
    return {0: THIRD_PARTIES, **{fleet.side["side_id"]: fleet.name for fleet in fleets}}


def side_name(side: Side) -> str:
    """Its leader and how many more: Goonswarm Federation +12."""
    if not side["side_id"]:
        return THIRD_PARTIES
    if not side["affiliations"]:
        return f"Side {side['side_id']}"
    more = side["total_affiliations"] - 1
    return f"{side['affiliations'][0]['name']}{f' +{more}' if more else ''}"


def _cut(groups: list[GroupComposition], room: int) -> tuple[list[GroupComposition], int]:
    """Classes whose ships are `room` together at most, those with the most flown; and how many are left out."""
    kept, hidden = [], 0
    for group in groups:
        ships: list[ShipComposition] = group["ships"][:room]
        if ships:
            kept.append(GroupComposition({**group, "ships": ships}))
        room -= len(ships)
        hidden += len(group["ships"]) - len(ships)
    return kept, hidden
