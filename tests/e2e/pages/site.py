"""What the tests of the pages look at."""

from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from battlescope.static import load_into
from battlescope_local.new_eden import growing_battle
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from ingest.feeds.simulated import killmail_of
from tests.integration.api.rows import Rows


@dataclass(frozen=True, slots=True)
class Site:
    """Where the pages are, and the database that they show."""

    address: str
    rows: Rows

    def large_battle(self, kills: int) -> UUID:
        """A simulated battle of two sides, with everybody's and everything's name."""
        connection = self.rows.database
        load_into(connection)
        uploads = islice(growing_battle(seed=1, kills=kills), kills)
        killmails = list(map(killmail_of, uploads))
        cluster(connection, killmails, Rules())
        connection.execute("""
            INSERT INTO names (id, category, name)
            SELECT DISTINCT alliance_id, 'alliance', 'Alliance of ' || alliance_id FROM battle_participants WHERE alliance_id > 0
            UNION SELECT DISTINCT corp_id, 'corporation', 'Corporation ' || corp_id FROM battle_participants WHERE corp_id > 0
            UNION SELECT DISTINCT character_id, 'character', 'Pilot ' || character_id FROM battle_participants
        """)
        row = connection.execute("SELECT id FROM battles ORDER BY total_kills DESC LIMIT 1").fetchone()
        assert row is not None
        return UUID(str(row[0]))
