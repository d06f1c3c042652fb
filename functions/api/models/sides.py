"""The sides of a battle."""

from typing import Annotated, TypedDict

from pydantic import Field

from api.models.common import Named
from battlescope.evidence import Kind

_Weight = Annotated[float, Field(examples=[12.4])]


class TowardSide(TypedDict):
    """What an affiliation had to do with one side; weights in ordinary kills."""

    side_id: Annotated[int, Field(description="Which side; 0 for third parties.", examples=[2])]
    shot_kills: Annotated[int, Field(description="Killmails of that side's losses that it was on.")]
    shot_isk: Annotated[int, Field(description="What they were worth, in whole ISK.")]
    shot_weight: Annotated[_Weight, Field(description="Their weight, by its share of the damage.")]
    lost_weight: Annotated[
        _Weight, Field(description="The weight of its own losses, by that side's share of the damage.")
    ]
    shared_weight: Annotated[
        _Weight,
        Field(description="The weight of killmails shared with that side, by the smaller share of the two."),
    ]


class Companion(Named):
    """An affiliation that another one shared kills with."""

    shared_kills: Annotated[int, Field(description="Killmails that both were on.", examples=[40])]


class SideAffiliation(Named):
    """An affiliation on a side, and why it is there."""

    kind: Annotated[Kind, Field(description="What the id is the id of.")]
    pilots: Annotated[int, Field(description="Characters that flew in its name.", examples=[31])]
    losses: Annotated[int, Field(description="What it lost; a ship and its pod are one loss.", examples=[12])]
    isk_lost: Annotated[int, Field(description="Value of all it lost, in whole ISK.")]
    confidence: Annotated[float, Field(description="How clear its side is, 0 to 1.", examples=[0.93])]
    evidence: Annotated[
        list[TowardSide], Field(description="What it did to each side, its own and third parties included.")
    ]
    companions: Annotated[
        list[Companion], Field(description="Whom it shared the most kills with, at most three.")
    ]
    why: Annotated[
        str,
        Field(
            description="The evidence in words.",
            examples=[
                "on side 2: shot side 1 on 31 kills worth 12.4b, shared 40 kills with Goonswarm Federation"
            ],
        ),
    ]


class Side(TypedDict):
    """One side of a battle."""

    side_id: Annotated[
        int,
        Field(description="From 1, the most pilots first; 0 for third parties and where it is not clear."),
    ]
    pilots: Annotated[
        int, Field(description="Characters; who flew in two names counts twice.", examples=[117])
    ]
    losses: Annotated[int, Field(description="What it lost; a ship and its pod are one loss.", examples=[31])]
    isk_lost: Annotated[int, Field(description="Value of all it lost, in whole ISK.")]
    isk_destroyed: Annotated[
        int, Field(description="Of what other sides lost, its share of the players' damage, in whole ISK.")
    ]
    efficiency: Annotated[
        float | None,
        Field(
            description="`isk_destroyed`, of it and `isk_lost` together; null where both are 0.",
            examples=[0.83],
        ),
    ]
    total_affiliations: Annotated[int, Field(description="How many affiliations are on it.", examples=[7])]
    affiliations: Annotated[
        list[SideAffiliation],
        Field(description="The affiliations on it, the most pilots first, at most 500."),
    ]
