"""Battles, and what is in them."""

from typing import Annotated, TypedDict
from uuid import UUID

from pydantic import Field

from api.models.common import IskValue, KillmailUrl, Named, Next, System, UtcTime, ValueSource, shape
from api.models.sides import Side
from battlescope.space import SpaceType


class Battle(TypedDict):
    """A battle in a list."""

    id: Annotated[
        UUID,
        Field(
            description="Resolves for ever: after a merge it redirects to the battle that has its first kill."
        ),
    ]
    system: Annotated[System, Field(description="Where it was.")]
    space_type: Annotated[SpaceType, Field(description="The kind of space that was, at that time.")]
    start_time: Annotated[UtcTime, Field(description="Its first killmail.")]
    end_time: Annotated[UtcTime, Field(description="Its last killmail.")]
    total_kills: Annotated[int, Field(description="Its killmails, pods included.", examples=[42])]
    losses: Annotated[
        int, Field(description="As `total_kills`, but a ship and its pod are one loss.", examples=[31])
    ]
    pilots: Annotated[
        int, Field(description="Characters on its killmails, victims and attackers.", examples=[117])
    ]
    total_isk_destroyed: Annotated[
        int, Field(description="Value of everything lost, in whole ISK.", examples=[12_400_000_000])
    ]
    zkill_related_url: Annotated[
        str,
        Field(
            description="zKillboard's page for this place and hour.",
            examples=["https://zkillboard.com/related/30002813/202111281000/"],
        ),
    ]
    revision: Annotated[int, Field(description="Rises with every change.", examples=[3])]
    updated_at: Annotated[UtcTime, Field(description="When it last changed.")]


class Victim(TypedDict):
    """The loss on a killmail."""

    character: Annotated[Named | None, Field(description="The pilot; null for a structure.")]
    corporation: Annotated[Named | None, Field(description="The corporation at that time.")]
    alliance: Annotated[Named | None, Field(description="The alliance at that time.")]
    ship_type: Annotated[Named | None, Field(description="What was lost.")]


class BattleKillmail(TypedDict):
    """A killmail of a battle."""

    killmail_id: Annotated[int, Field(description="Its id.", examples=[96889120])]
    zkb_url: KillmailUrl
    timestamp: Annotated[UtcTime, Field(description="When it happened.")]
    victim: Annotated[Victim, Field(description="Who lost what.")]
    attacker_alliances: Annotated[list[Named], Field(description="The alliances of the attackers.")]
    isk_value: IskValue
    value_source: ValueSource
    side_id: Annotated[
        int, Field(description="The victim's side, from 1; 0 for third parties and where it is not clear.")
    ]


class Participant(TypedDict):
    """A character in one ship in a battle; who flew two ships is there twice."""

    character: Annotated[Named, Field(description="The pilot.")]
    ship_type: Annotated[Named | None, Field(description="The ship; null where the killmails name none.")]
    corporation: Annotated[Named | None, Field(description="The corporation at that time.")]
    alliance: Annotated[Named | None, Field(description="The alliance at that time.")]
    side_id: Annotated[
        int, Field(description="The side, from 1; 0 for third parties and where it is not clear.")
    ]
    is_victim: Annotated[bool, Field(description="Whether this ship was lost.")]


class BattleDetail(Battle):
    """A battle with its sides, killmails and participants."""

    sides: Annotated[
        list[Side],
        Field(
            description="Who fought whom; third parties last. Empty for battles stored before sides were told."
        ),
    ]
    killmails: Annotated[list[BattleKillmail], Field(description="Its first killmails, oldest first.")]
    killmails_next: Annotated[
        str | None,
        Field(
            description="`cursor` for `/battles/{id}/killmails`, where the battle has more killmails; else null."
        ),
    ]
    total_participants: Annotated[
        int, Field(description="Characters with their ships; who flew two ships counts twice.")
    ]
    participants: Annotated[
        list[Participant], Field(description="The first participants, by character and ship.")
    ]
    participants_next: Annotated[
        str | None,
        Field(
            description="`cursor` for `/battles/{id}/participants`, where the battle has more participants; else null."
        ),
    ]


class KillmailReference(TypedDict):
    """What is kept of a killmail, and the battle it belongs to."""

    killmail_id: Annotated[int, Field(description="Its id.", examples=[96889120])]
    killmail_hash: Annotated[
        str, Field(description="With the id, what ESI needs to tell the whole killmail.")
    ]
    zkb_url: KillmailUrl
    timestamp: Annotated[UtcTime, Field(description="When it happened.")]
    system: Annotated[System, Field(description="Where it happened.")]
    victim: Annotated[Victim, Field(description="Who lost what.")]
    isk_value: IskValue
    value_source: ValueSource
    battle_id: Annotated[
        UUID | None, Field(description="The battle it belongs to; null while it belongs to none.")
    ]


class BattleList(TypedDict):
    """A page of battles, in the order asked for."""

    items: Annotated[list[Battle], Field(description="The battles.")]
    next: Next


class KillmailList(TypedDict):
    """A page of a battle's killmails, oldest first."""

    items: Annotated[list[BattleKillmail], Field(description="The killmails.")]
    next: Next


class ParticipantList(TypedDict):
    """A page of a battle's participants, by character and ship."""

    items: Annotated[list[Participant], Field(description="The participants.")]
    next: Next


BATTLE = shape(Battle)
BATTLE_KILLMAIL = shape(BattleKillmail)
PARTICIPANT = shape(Participant)
BATTLE_LIST = shape(BattleList)
BATTLE_DETAIL = shape(BattleDetail)
KILLMAIL_LIST = shape(KillmailList)
PARTICIPANT_LIST = shape(ParticipantList)
KILLMAIL_REFERENCE = shape(KillmailReference)
