"""How a battle went."""

from typing import Annotated, TypedDict

from pydantic import Field

from api.models.battles import Victim
from api.models.common import KillmailUrl, Named, UtcTime, shape

_SideId = Annotated[
    int, Field(description="The side, from 1; 0 for third parties and where it is not clear.", examples=[1])
]
_IskLost = Annotated[
    int, Field(description="Value of what was lost, in whole ISK.", examples=[2_100_000_000])
]


class BucketSide(TypedDict):
    """What one side lost in a stretch of time."""

    side_id: _SideId
    killmails: Annotated[int, Field(description="Its losses, pods included.", examples=[3])]
    isk_lost: _IskLost


class Bucket(TypedDict):
    """A stretch of time in which something was lost."""

    since: Annotated[UtcTime, Field(description="Where it begins; it lasts `step_s`.")]
    sides: Annotated[
        list[BucketSide], Field(description="What each side lost, of those that lost something.")
    ]


class Timeline(TypedDict):
    """A battle in stretches of time."""

    step_s: Annotated[int, Field(description="How long each stretch is, in seconds.", examples=[60])]
    buckets: Annotated[
        list[Bucket], Field(description="In order; stretches in which nothing was lost are left out.")
    ]


class ShipComposition(TypedDict):
    """A ship type on one side."""

    ship_type: Annotated[Named, Field(description="Which.")]
    flown: Annotated[int, Field(description="Pilots that were in one.", examples=[12])]
    lost: Annotated[int, Field(description="How many were lost.", examples=[4])]
    isk_lost: _IskLost


class GroupComposition(TypedDict):
    """A group of ship types on one side."""

    group: Annotated[
        Named | None, Field(description="EVE's group of ships; null where the static data knows none.")
    ]
    flown: Annotated[int, Field(description="As of its ships, together.", examples=[12])]
    lost: Annotated[int, Field(description="As of its ships, together.", examples=[4])]
    isk_lost: _IskLost
    ships: Annotated[list[ShipComposition], Field(description="The most flown first.")]


class SideComposition(TypedDict):
    """What one side flew and lost."""

    side_id: _SideId
    groups: Annotated[list[GroupComposition], Field(description="The most flown first.")]


class Composition(TypedDict):
    """What the sides of a battle flew and lost."""

    sides: Annotated[list[SideComposition], Field(description="By number; third parties last.")]


class TopLoss(TypedDict):
    """A dear loss."""

    killmail_id: Annotated[int, Field(description="Its killmail.", examples=[96889120])]
    zkb_url: KillmailUrl
    timestamp: Annotated[UtcTime, Field(description="When it happened.")]
    victim: Annotated[Victim, Field(description="Who lost what.")]
    isk_value: Annotated[int, Field(description="Its value, in whole ISK.", examples=[1_234_567])]
    side_id: _SideId


class TopPilot(TypedDict):
    """A pilot who did much."""

    character: Annotated[Named, Field(description="The pilot.")]
    corporation: Annotated[Named | None, Field(description="The corporation at that time.")]
    alliance: Annotated[Named | None, Field(description="The alliance at that time.")]
    side_id: _SideId
    damage_done: Annotated[int, Field(description="Damage on all killmails together.", examples=[51_234])]
    killmails: Annotated[int, Field(description="Killmails as an attacker.", examples=[9])]
    final_blows: Annotated[int, Field(description="Of those, with the final blow.", examples=[2])]


class Top(TypedDict):
    """What stood out in a battle."""

    losses: Annotated[list[TopLoss], Field(description="The dearest losses.")]
    damage: Annotated[list[TopPilot], Field(description="Who did the most damage.")]
    final_blows: Annotated[list[TopPilot], Field(description="Who had the most final blows.")]


TIMELINE = shape(Timeline)
COMPOSITION = shape(Composition)
TOP = shape(Top)
