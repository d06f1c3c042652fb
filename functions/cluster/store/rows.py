"""What is stored, as the clusterer sees it."""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from battlescope.evidence import THIRD_PARTY, Ledger, Placement
from battlescope.killmail import affiliation_id
from cluster.engine.battle import Totals
from cluster.engine.linking import Sighting


class StoredKillmail(NamedTuple):
    """What is known of a killmail that arrived again."""

    killmail_id: int
    killmail_hash: str
    system_id: int
    component_id: int
    isk_value: int | None
    valued_at: int

    @property
    def version(self) -> tuple[int, int]:
        """As `Killmail.version`."""
        return self.valued_at, -1 if self.isk_value is None else self.isk_value


class StoredBattle(NamedTuple):
    """A battle as it stands, and who stands where in it."""

    id: UUID
    system_id: int
    component_id: int
    totals: Totals
    revision: int
    ledger: Ledger
    placements: Mapping[int, Placement]

    @property
    def start_hour(self) -> int:
        """The hours from 1970 to the one in which it began."""
        return self.totals.start_time // 3600

    def side_of(self, character_id: int, corporation_id: int, alliance_id: int) -> int:
        """The side that these flew for, or lost on."""
        affiliation = alliance_id or affiliation_id(corporation_id, 0) or character_id
        place = self.placements.get(affiliation)
        return THIRD_PARTY if place is None else place.side_id


class Neighbourhood(NamedTuple):
    """What the database knows of arriving killmails, by id, and of those around them, by solar system.

    `component_of` tells each neighbour's component by its killmail id.
    """

    stored: dict[int, StoredKillmail]
    sightings: dict[int, list[Sighting]]
    component_of: dict[int, int]
