"""The reference: what BattleScope keeps of a killmail, and the rules that need one killmail only.

A reference holds ids, time, system, value and who was on it; never fittings, items or positions. A field that
the killmail leaves out is 0 here (EVE gives no entity the id 0).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

CAPSULE_TYPE_IDS = frozenset({670, 33328})
"""Ship types that are pods: the capsule and the genolution capsule."""

NPC_CORPORATION_IDS = range(1_000_000, 2_000_000)
"""Corporations that CCP runs; no player is attacked in their name."""


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

    @property
    def is_player(self) -> bool:
        """Whether a player stands behind it: a character, or a player corporation's structure or drone."""
        return bool(self.character_id) or is_player_corporation(self.corporation_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Killmail:
    """A killmail reference.

    Attributes:
        killmail_time: Unix seconds, UTC.
        attackers: in canonical order (see `canonical_attackers`), so that equal killmails are equal references.
        isk_value: zKillboard's total value in whole ISK, or None where no feed has told it.
        valued_at: Unix seconds of the upload that told the value, 0 where none did. The newest upload wins.
    """

    killmail_id: int
    killmail_hash: str
    killmail_time: int
    solar_system_id: int
    victim: Pilot
    attackers: tuple[Attacker, ...]
    isk_value: int | None = None
    valued_at: int = 0

    @property
    def is_npc_only(self) -> bool:
        """Whether no attacker has a character or a player corporation."""
        return not any(attacker.is_player for attacker in self.attackers)

    @property
    def is_pod(self) -> bool:
        """Whether the loss is a capsule."""
        return self.victim.ship_type_id in CAPSULE_TYPE_IDS

    def parties(self) -> frozenset[int]:
        """Ids that can link this killmail to another: characters and affiliations of victim and attackers.

        Characters, corporations and alliances share one space of ids (ESI resolves a bare id to its name), so a
        party is a bare id. An NPC-only killmail has one party, its victim's character.
        """
        if self.is_npc_only:
            return frozenset({self.victim.character_id}) - {0}
        return parties([self.victim, *self.attackers])


def parties(pilots: Iterable[Pilot | Attacker]) -> frozenset[int]:
    """Characters and affiliations of these pilots, without the absent ones."""
    ids = set()
    for pilot in pilots:
        ids.add(pilot[0])
        ids.add(affiliation_id(pilot[1], pilot[2]))
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
    return tuple(sorted(attackers, key=lambda a: (-a.damage_done, a[:4], not a.final_blow)))
