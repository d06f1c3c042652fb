"""What is stored, as the clusterer sees it."""

from typing import NamedTuple
from uuid import UUID

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
    """A battle as it stands."""

    id: UUID
    system_id: int
    component_id: int
    totals: Totals
    revision: int


class Neighbourhood(NamedTuple):
    """What the database knows of arriving killmails, by id, and of those around them, by solar system.

    `component_of` tells each neighbour's component by its killmail id.
    """

    stored: dict[int, StoredKillmail]
    sightings: dict[int, list[Sighting]]
    component_of: dict[int, int]
