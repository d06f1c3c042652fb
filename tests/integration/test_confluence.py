"""Promise 1: the stored battles are a function of the set of killmails, whatever the way there."""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from battlescope.database import Database, connect
from battlescope.killmail import Killmail
from battlescope.message import pack, unpack
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from cluster.engine.whole import digest, find_battles
from tests.support.dump import dump, empty, fingerprint, orphans, stored_digest, unresolved_aliases
from tests.support.killmails import CAPSULE, kill, killmail_sets, pilot, real_day

RULES = [
    Rules(),
    Rules(fold_pods=False),
    Rules(min_kills=3),
    Rules(link_rule="contiguous", gap_max_s=300, window_s=1200),
]


def feed(database: Database, killmails: Sequence[Killmail], rules: Rules) -> None:
    """One batch of arrivals, as messages bring them, up to ten in a transaction."""
    for bodies in batched(pack(killmails), 10, strict=False):
        cluster(database, [killmail for _, body in bodies for killmail in unpack(body).killmails], rules)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), uploads=killmail_sets(), rules=st.sampled_from(RULES))
def test_any_order_in_any_batches_with_any_repeats_ends_in_the_same_database(
    database: Database, data: st.DataObject, uploads: list[Killmail], rules: Rules
) -> None:
    # given: all at once
    empty(database)
    feed(database, uploads, rules)
    expected = dump(database)
    # then: what the engine finds in the whole set
    battles = find_battles(uploads, rules)
    assert stored_digest(database) == digest([k.killmail_id for k in battle.killmails] for battle in battles)
    assert _stored_totals(database) == {
        battle.id: (
            battle.totals.start_time,
            battle.totals.end_time,
            battle.totals.total_kills,
            battle.totals.total_isk_destroyed,
            battle.totals.losses,
            battle.totals.pilots,
        )
        for battle in battles
    }
    assert _stored_sides(database) == {
        (battle.id, killmail.killmail_id): battle.sides.side_ids.get(
            killmail.victim.affiliation_id or killmail.victim.character_id, 0
        )
        for battle in battles
        for killmail in battle.killmails
    }
    # when: in another order, with repeats, in batches
    empty(database)
    arrivals = data.draw(st.permutations(uploads + data.draw(st.lists(st.sampled_from(uploads), max_size=6))))
    served: set[object] = set()
    for batch in batched(arrivals, data.draw(st.integers(1, 5)), strict=False):
        feed(database, batch, rules)
        served.update(row[0] for row in database.execute("SELECT id FROM battles"))
    # then
    assert dump(database) == expected
    assert orphans(database) == {}
    assert unresolved_aliases(database) == []
    _assert_resolve(database, served)


def test_an_id_that_was_served_never_goes_back_in_its_revision(database: Database) -> None:
    rng = random.Random(7)
    seen: dict[str, int] = {}
    for seed in range(40):
        empty(database)
        seen.clear()
        uploads = _chain(rng, 12)
        for killmail in uploads:
            feed(database, [killmail], Rules())
            for id_, revision in database.execute("SELECT id::text, revision FROM battles"):
                assert revision >= seen.get(id_, 0), f"battle {id_} in run {seed}"
                seen[id_] = revision


def test_structures_shot_by_structures_are_a_battle_without_participants(database: Database) -> None:
    keepstar, fortizar, athanor = (pilot(n, ship=35834 - n)._replace(character_id=0) for n in (1, 2, 3))
    feed(database, [kill(1, 0, keepstar, athanor), kill(2, 60, fortizar, athanor)], Rules())
    assert database.execute("SELECT total_kills, pilots FROM battles").fetchall() == [(2, 0)]
    assert database.execute("SELECT count(*) FROM battle_participants").fetchone() == (0,)
    assert database.execute("SELECT count(*) FROM battle_entities").fetchone() == (3,)


@pytest.fixture
def a_real_day(real_data: Path) -> tuple[Killmail, ...]:
    return real_day(real_data, "2021-11-28")


@pytest.mark.parametrize("way", ["shuffled", "newest first", "doubled"])
def test_a_real_day_whatever_its_order(
    database: Database, a_real_day: tuple[Killmail, ...], way: str
) -> None:
    expected = _quiet(database, a_real_day)
    arrivals = list(a_real_day)
    rng = random.Random(way)
    if way == "shuffled":
        rng.shuffle(arrivals)
    elif way == "newest first":
        arrivals.sort(key=lambda killmail: -killmail.killmail_time)
    else:
        arrivals += rng.choices(arrivals, k=len(arrivals))
        rng.shuffle(arrivals)
    for batch in _random_batches(rng, arrivals):
        feed(database, batch, Rules())
    assert fingerprint(database) == expected
    assert (orphans(database), unresolved_aliases(database)) == ({}, [])


def test_a_real_day_with_four_workers_at_once(
    db_url: str, database: Database, a_real_day: tuple[Killmail, ...]
) -> None:
    expected = _quiet(database, a_real_day)
    rng = random.Random(4)
    arrivals = list(a_real_day) + rng.choices(a_real_day, k=2000)
    rng.shuffle(arrivals)
    bodies = [body for batch in _random_batches(rng, arrivals) for _, body in pack(batch)]

    def work(share: Sequence[str]) -> None:
        with connect(db_url) as connection:
            for some in batched(share, 7, strict=False):
                cluster(
                    connection, [killmail for body in some for killmail in unpack(body).killmails], Rules()
                )

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, [bodies[number::4] for number in range(4)]))
    assert fingerprint(database) == expected
    assert (orphans(database), unresolved_aliases(database)) == ({}, [])


def _quiet(database: Database, killmails: Sequence[Killmail]) -> dict[str, str]:
    """The fingerprint after the day came in order and at once; the database is empty again afterwards."""
    feed(database, killmails, Rules())
    expected = fingerprint(database)
    assert stored_digest(database) == digest(
        [k.killmail_id for k in battle.killmails] for battle in find_battles(killmails, Rules())
    )
    empty(database)
    return expected


def _random_batches(rng: random.Random, arrivals: Sequence[Killmail]) -> Iterator[Sequence[Killmail]]:
    start = 0
    while start < len(arrivals):
        size = rng.choice([1, 10, 100, 1000, 3000])
        yield arrivals[start : start + size]
        start += size


def _chain(rng: random.Random, length: int) -> list[Killmail]:
    """Killmails whose links, ids and pods make battles merge, change their id, dissolve and come back."""
    ids = rng.sample(range(1, 100), length)
    return [
        kill(
            killmail_id,
            60 * rng.randrange(0, 120),
            pilot(rng.randrange(1, 5), ship=rng.choice([CAPSULE, 587])),
            pilot(rng.randrange(1, 5)),
        )
        for killmail_id in ids
    ]


def _stored_totals(database: Database) -> dict[object, tuple[int, ...]]:
    rows = database.execute(
        """
        SELECT id, extract(epoch FROM start_time)::bigint, extract(epoch FROM end_time)::bigint, total_kills,
               total_isk_destroyed, losses, pilots
        FROM battles
        """
    )
    return {row[0]: row[1:] for row in rows}


def _stored_sides(database: Database) -> dict[tuple[UUID, int], int]:
    """Battle and killmail -> the victim's side."""
    rows = database.execute("SELECT battle_id, killmail_id, side_id FROM battle_killmails")
    return {(battle_id, killmail_id): side_id for battle_id, killmail_id, side_id in rows}


def _assert_resolve(database: Database, served: set[object]) -> None:
    """Every id that ever was a battle's is one still, or an alias."""
    for id_ in served:
        row = database.execute(
            """
            SELECT EXISTS (SELECT FROM battles WHERE id = %(id)s)
                OR EXISTS (SELECT FROM battle_aliases a JOIN killmails USING (killmail_id) WHERE a.id = %(id)s)
            """,
            {"id": id_},
        ).fetchone()
        assert row == (True,)
