"""Verification: what is sound says so, and every kind of damage is found, told and left as it is."""

from collections.abc import Iterator
from itertools import batched
from pathlib import Path

import pytest

from battlescope.database import Database, LazyConnection
from cluster.clusterer import cluster
from cluster.engine.battle import battle_id
from cluster.engine.rules import Rules
from cluster.maintenance import verifying
from cluster.maintenance.verifying import Difference, verify
from tests.support.budgets import ample
from tests.support.dump import dump
from tests.support.killmails import kill, pilot, real_day
from tests.support.skirmish import BLUE, RED, skirmish

TAMA, JITA = 30_002_813, 30_000_142
FIGHT = battle_id(TAMA, 1)


@pytest.fixture
def connection(db_url: str, database: Database) -> Iterator[LazyConnection]:
    """Over a database with one fight in Tama, and a lone kill and a fight without players in Jita."""
    structure = pilot(9)._replace(character_id=0)
    cluster(
        database,
        [
            *skirmish(),
            kill(11, 0, pilot(5), pilot(6), system=JITA),
            kill(12, 7200, structure, structure, system=JITA),
            kill(13, 7260, structure, structure, system=JITA),
        ],
        Rules(),
    )
    opened = LazyConnection(db_url)
    yield opened
    opened.close()


def test_what_is_sound(connection: LazyConnection) -> None:
    for _ in range(3):  # whatever moment of Jita is looked at
        tally = verify(connection, Rules(), ample)
        assert (tally.differences, tally.is_done) == ([], True)
        assert tally.battles >= 3  # two by their ids, and the one of Tama


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        ("UPDATE battles SET total_isk_destroyed = 5 WHERE first_killmail_id = 1", "battles"),
        ("UPDATE battles SET losses = losses + 1 WHERE first_killmail_id = 1", "battles"),
        ("UPDATE battles SET space_type = 'jspace' WHERE first_killmail_id = 1", "battles"),
        ("UPDATE battle_killmails SET side_id = 3 WHERE killmail_id = 2", "members"),
        ("DELETE FROM battle_killmails WHERE killmail_id = 2", "members"),
        (f"UPDATE battle_participants SET side_id = 3 WHERE alliance_id = {BLUE}", "participants"),
        ("UPDATE battle_participants SET is_victim = NOT is_victim", "participants"),
        ("DELETE FROM battle_sides WHERE side_id = 2", "sides"),
        ("UPDATE battle_sides SET isk_lost = 0 WHERE side_id = 2", "sides"),
        (f"DELETE FROM battle_entities WHERE entity_id = {RED}", "entities"),
    ],
)
def test_damage_to_a_battle_is_found_and_left(
    connection: LazyConnection, database: Database, damage: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    database.execute(damage.encode())
    before = dump(database)
    tally = verify(connection, Rules(), ample)
    found = {(one.battle_id, one.kind) for one in tally.differences}
    assert (FIGHT, kind) in found
    assert {one_kind for _, one_kind in found} == {kind}
    assert dump(database) == before
    told = [
        record.__dict__["difference"]["battle_id"] for record in caplog.records if record.levelname == "ERROR"
    ]
    assert told == [FIGHT]


def test_a_battle_that_is_missing_is_found_by_its_system(
    connection: LazyConnection, database: Database
) -> None:
    database.execute("DELETE FROM battles WHERE id = %s", (FIGHT,))
    database.execute("DELETE FROM battle_entities WHERE first_killmail_id = 1")
    for table in ("battle_killmails", "battle_participants", "battle_sides"):
        database.execute(f"DELETE FROM {table} WHERE battle_id = %s", (FIGHT,))
    tally = verify(connection, Rules(), ample)
    assert {one.battle_id for one in tally.differences} == {FIGHT}
    assert tally.different == 1


def test_a_killmail_in_the_wrong_component_is_found(connection: LazyConnection, database: Database) -> None:
    database.execute("UPDATE killmails SET component_id = 3 WHERE killmail_id = 3")
    tally = verify(connection, Rules(), ample)
    assert (
        Difference(TAMA, None, "components", ("1: [1, 2, 3]",), ("1: [1, 2]", "3: [3]")) in tally.differences
    )


def test_it_goes_round_all_battles_and_systems(
    connection: LazyConnection, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    monkeypatch.setattr(verifying, "BATTLES_PER_RUN", 1)
    monkeypatch.setattr(verifying, "SYSTEMS_PER_RUN", 1)
    database.execute("UPDATE battles SET losses = 9")
    found = [{one.battle_id for one in verify(connection, Rules(), ample).differences} for _ in range(6)]
    assert set().union(*found[:3]) == {FIGHT, battle_id(JITA, 12)}
    assert set().union(*found[3:]) == {FIGHT, battle_id(JITA, 12)}


def test_it_ends_with_its_time(connection: LazyConnection) -> None:
    tally = verify(connection, Rules(), iter([60.0, 0.0, 0.0]).__next__)
    assert (tally.battles, tally.is_done) == (1, False)
    assert verify(connection, Rules(), ample).is_done


def test_real_battles_are_sound(database: Database, db_url: str, real_data: Path) -> None:
    for batch in batched(real_day(real_data, "2021-12-01")[:6000], 1000, strict=False):
        cluster(database, batch, Rules())
    connection = LazyConnection(db_url)
    tally = verify(connection, Rules(), ample)
    assert (tally.differences, tally.is_done) == ([], True)
    assert tally.battles >= verifying.BATTLES_PER_RUN
    connection.close()
