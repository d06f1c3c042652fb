"""The reference: what BattleScope keeps of a killmail, and the rules that need one killmail only.

A reference holds ids, time, system, value and who was on it; never fittings, items or positions. A field that
the killmail leaves out is 0 here (EVE gives no entity the id 0).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

CAPSULE_TYPE_IDS = frozenset({670, 33328})
"""Ship types that are pods: the capsule and the genolution capsule."""

EVE_LAUNCH_S = 1_052_179_200
"""2003-05-06, in Unix seconds: no ship was lost before."""

YEAR_10000_S = 253_402_300_800
"""In Unix seconds: no moment from then on has a date that programs can hold."""

NPC_CORPORATION_IDS = range(1_000_000, 2_000_000)
"""Corporations that CCP runs; no player is attacked in their name."""
_NOBODY = frozenset((0,))


class Pilot(NamedTuple):
    """A victim, or what a victim and an attacker have in common."""

    character_id: int
    corporation_id: int
    alliance_id: int
    ship_type_id: int

    @property
    def affiliation_id(self) -> int:
        """The alliance, else the player corporation, else 0."""
        return affiliation_id(self.corporation_id, self.alliance_id)


class Attacker(NamedTuple):
    """One attacker; `damage_done` in hit points."""

    character_id: int
    corporation_id: int
    alliance_id: int
    ship_type_id: int
    damage_done: int
    final_blow: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Killmail:
    """A killmail reference.

    Attributes:
        killmail_time: Unix seconds, UTC.
        attackers: in canonical order (see `canonical_attackers`), so that equal killmails are equal references.
        isk_value: in whole ISK: zKillboard's total value, else an estimate; None where there is neither.
        valued_at: Unix seconds of the upload that told the value. The newest upload wins; an estimate, which no
            upload told, has 0 and so loses to all.
        parties: what can link it to another killmail, as `parties` has it.
    """

    killmail_id: int
    killmail_hash: str
    killmail_time: int
    solar_system_id: int
    victim: Pilot
    attackers: tuple[Attacker, ...]
    isk_value: int | None = None
    valued_at: int = 0
    parties: frozenset[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out the parties, once."""
        characters, corporations, alliances, *_ = zip(*self.attackers, strict=True)
        object.__setattr__(self, "parties", parties(self.victim, characters, corporations, alliances))

    @property
    def version(self) -> tuple[int, int]:
        """Orders the uploads of one killmail, of which the newest wins; the body never changes, the value may."""
        return self.valued_at, -1 if self.isk_value is None else self.isk_value

    @property
    def is_pod(self) -> bool:
        """Whether the loss is a capsule."""
        return self.victim.ship_type_id in CAPSULE_TYPE_IDS

    @property
    def is_npc_only(self) -> bool:
        """Whether no attacker has a character or a player corporation."""
        return len(self.parties) <= 1 and not any(  # an NPC-only killmail has one party at most
            attacker.character_id or is_player_corporation(attacker.corporation_id)
            for attacker in self.attackers
        )


def parties(
    victim: Pilot, characters: Sequence[int], corporations: Sequence[int], alliances: Sequence[int]
) -> frozenset[int]:
    """Ids that can link a killmail to another: characters and affiliations of victim and attackers.

    Characters, corporations and alliances share one space of ids (ESI resolves a bare id to its name), so a party
    is a bare id. An NPC-only killmail has one party, its victim's character. The attackers come as columns, one
    entry each, as the database holds them.
    """
    if not any(characters) and not any(map(is_player_corporation, corporations)):
        return frozenset((victim.character_id,)) - _NOBODY
    ids = {
        victim.character_id,
        affiliation_id(victim.corporation_id, victim.alliance_id),
        *characters,
        *alliances,
    }
    if 0 in alliances:
        ids.update(
            corporation
            for corporation, alliance in zip(corporations, alliances, strict=True)
            if not alliance and not 1_000_000 <= corporation < 2_000_000
        )
    ids.discard(0)
    return frozenset(ids)


def is_player_corporation(corporation_id: int) -> bool:
    """Whether this is a corporation, and not one of CCP's."""
    return corporation_id != 0 and corporation_id not in NPC_CORPORATION_IDS


def affiliation_id(corporation_id: int, alliance_id: int) -> int:
    """The alliance, else the player corporation, else 0."""
    if alliance_id:
        return alliance_id
    return corporation_id if is_player_corporation(corporation_id) else 0


def canonical_attackers(attackers: Iterable[Attacker]) -> tuple[Attacker, ...]:
    """The attackers, most damage first, ties by ids: the same for every feed that tells of the killmail."""
    ordered = list(attackers)
    if len(ordered) > 1:
        ordered.sort(key=lambda a: (-a[4], a[:4], not a[5]))
    return tuple(ordered)
