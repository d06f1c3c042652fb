"""A simulated New Eden names those who fight in it, each once, as battles come."""

from battlescope.database import Database
from battlescope_local.new_eden.naming import Naming
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from tests.support.killmails import kill, pilot

LATER_S = 7200


def test_newcomers_are_named_and_nobody_twice(database: Database) -> None:
    # given: a battle of three pilots, two of an alliance
    alliance = 99_000_001
    cluster(
        database,
        [
            kill(1, 0, pilot(1), pilot(2, alliance=alliance)),
            kill(2, 9, pilot(3), pilot(2, alliance=alliance)),
        ],
        Rules(),
    )
    naming = Naming()
    # when / then: pilots, their corporations, the alliance
    assert naming.name_newcomers(database) == 3 + 3 + 1
    assert naming.name_newcomers(database) == 0
    names: dict[int, str] = dict(database.execute("SELECT id, name FROM names").fetchall())
    # and: another battle brings one more pilot
    cluster(
        database,
        [
            kill(3, LATER_S, pilot(1), pilot(4), system=30_000_142),
            kill(4, LATER_S + 9, pilot(3), pilot(4), system=30_000_142),
        ],
        Rules(),
    )
    assert naming.name_newcomers(database) == 2
    later: dict[int, str] = dict(database.execute("SELECT id, name FROM names").fetchall())
    assert later.items() >= names.items()
