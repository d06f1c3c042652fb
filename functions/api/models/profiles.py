"""Alliances, corporations, characters and systems, and their battles."""

from typing import Annotated, TypedDict

from pydantic import Field

from api.models.common import Named, System, UtcTime, shape

Months = dict[str, int]
"""Battles by month, as `2021-11`."""


class Acquaintance(Named):
    """An alliance, or a corporation without one, that an entity met."""

    killmails: Annotated[int, Field(description="Killmails on which they met.", examples=[31])]


class ShipUse(TypedDict):
    """A ship type as an entity uses it."""

    ship_type: Annotated[Named, Field(description="Which.")]
    kills: Annotated[int, Field(description="Killmails as an attacker with it.", examples=[12])]
    losses: Annotated[int, Field(description="How many were lost.", examples=[4])]


class SystemUse(Named):
    """A solar system that an entity fights in."""

    battles: Annotated[int, Field(description="Battles there.", examples=[17])]


class Recent(TypedDict):
    """What an entity did in its latest battles: up to 200, fewer where these hold more than 2,000 killmails."""

    battles: Annotated[int, Field(description="How many battles these are.", examples=[200])]
    since: Annotated[UtcTime, Field(description="When the first of them began.")]
    until: Annotated[UtcTime, Field(description="When the last of them began.")]
    kills: Annotated[int, Field(description="Others' losses that it was on, pods included.", examples=[420])]
    losses: Annotated[int, Field(description="Its own losses, pods included.", examples=[180])]
    isk_destroyed: Annotated[int, Field(description="Value of `kills`, whole, in whole ISK.")]
    isk_lost: Annotated[int, Field(description="Value of `losses`, in whole ISK.")]
    efficiency: Annotated[
        float | None,
        Field(
            description="`isk_destroyed`, of it and `isk_lost` together; null where both are 0.",
            examples=[0.7],
        ),
    ]
    opponents: Annotated[
        list[Acquaintance],
        Field(
            description="Whom it shot or was shot by, the most first; not those with whom it shared more kills."
        ),
    ]
    friends: Annotated[
        list[Acquaintance],
        Field(
            description="Whom it shared kills with, the most first; only those with whom it did so more often than"
            " the two shot each other."
        ),
    ]
    ships: Annotated[list[ShipUse], Field(description="What it flew and lost, the most first.")]
    systems: Annotated[list[SystemUse], Field(description="Where it fought, the most first.")]


class Profile(Named):
    """An alliance, a corporation or a character, as battles tell of it."""

    battles: Annotated[int, Field(description="Battles that it was in, ever.", examples=[1234])]
    months: Annotated[
        Months,
        Field(description="Of those, by the month they began in; months without are left out."),
    ]
    recent: Annotated[Recent, Field(description="What it did of late.")]


class Visitor(Named):
    """An alliance, a corporation without one or a lone pilot that fights in a system."""

    battles: Annotated[int, Field(description="Battles there.", examples=[17])]


class SystemRecent(TypedDict):
    """The latest battles in a system, up to 200."""

    battles: Annotated[int, Field(description="How many battles these are.", examples=[200])]
    since: Annotated[UtcTime, Field(description="When the first of them began.")]
    until: Annotated[UtcTime, Field(description="When the last of them began.")]
    kills: Annotated[int, Field(description="Their killmails, pods included.", examples=[1420])]
    isk_destroyed: Annotated[int, Field(description="Value of everything lost, in whole ISK.")]
    affiliations: Annotated[list[Visitor], Field(description="Who was in the most of them, at most ten.")]


class SystemProfile(System):
    """A solar system, as battles tell of it."""

    battles: Annotated[int, Field(description="Battles in it, ever.", examples=[1234])]
    months: Annotated[
        Months,
        Field(description="Of those, by the month they began in; months without are left out."),
    ]
    recent: Annotated[SystemRecent | None, Field(description="What happened of late; null without a battle.")]


PROFILE = shape(Profile)
SYSTEM_PROFILE = shape(SystemProfile)
