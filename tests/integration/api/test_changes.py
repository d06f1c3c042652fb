"""The change feed: nothing is missed, nothing goes backwards, whoever commits when."""

import base64
import json
import random
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from uuid import UUID

from battlescope.database import connect
from cluster.clusterer import cluster
from cluster.engine.battle import battle_id
from cluster.engine.rules import Rules
from tests.integration.api.client import ApiClient
from tests.integration.api.conftest import api_over
from tests.integration.api.rows import Rows
from tests.support.killmails import kill
from tests.support.skirmish import BLUE, RED, of


class Follower:
    """A client that keeps its cursor."""

    def __init__(self, api: ApiClient, after: str | None = None) -> None:
        self._api = api
        self._after = after
        self.revisions: dict[str, int] = {}

    def poll(self, limit: int = 100) -> list[dict[str, Any]]:
        parameters = {"limit": limit} | ({"after": self._after} if self._after else {})
        response = self._api.get("/changes", params=parameters)
        assert response.status_code == 200, response.text
        feed: dict[str, Any] = response.json()
        self._after = feed["next"]
        items: list[dict[str, Any]] = feed["items"]
        for change in items:
            if change["battle"] is not None:
                id_, revision = change["battle"]["id"], change["battle"]["revision"]
                assert revision >= self.revisions.get(id_, 0), "a battle went backwards"
                self.revisions[id_] = revision
        return items

    def rest(self, limit: int = 100) -> list[dict[str, Any]]:
        found = []
        while items := self.poll(limit):
            found.extend(items)
        return found


def told(changes: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(change["kind"], change["id"]) for change in changes]


def test_battles_are_created_and_grow(api: ApiClient, rows: Rows) -> None:
    follower = Follower(api)
    one, other = rows.battle(), rows.battle()
    assert told(follower.rest()) == [("created", str(one)), ("created", str(other))]

    rows.grow(one)
    rows.grow(one)

    (change,) = follower.rest()
    assert told([change]) == [("grown", str(one))]
    (now,) = [battle for battle in api.items("/battles") if battle["id"] == str(one)]
    assert change["battle"] == now
    assert now["revision"] == 3
    assert follower.rest() == []


def test_pages_end_within_a_transaction_too(api: ApiClient, rows: Rows) -> None:
    with rows.database.transaction():
        ids = [rows.battle() for _ in range(5)]
        aliases = [rows.alias(96_000_001 + 2 * n) for n in range(3)]

    follower = Follower(api)
    pages = [follower.poll(limit=2) for _ in range(5)]

    assert [len(page) for page in pages] == [2, 2, 2, 2, 0]
    assert told([change for page in pages for change in page]) == [
        *(("created", str(id_)) for id_ in sorted(ids)),
        *(("merged", str(id_)) for id_ in sorted(aliases)),
    ]


def test_a_merge_tells_what_was_replaced_and_by_what(api: ApiClient, rows: Rows) -> None:
    # given: two fights of the same two alliances, too far apart to be one
    early = [kill(n, 60 * n, of(BLUE, 1), of(RED, n)) for n in (11, 12)]
    late = [kill(n, 1500 + 60 * n, of(BLUE, 2), of(RED, n)) for n in (21, 22)]
    cluster(rows.database, [*early, *late], Rules())
    follower = Follower(api)
    assert {change["kind"] for change in follower.rest()} == {"created"}
    system = early[0].solar_system_id
    # when: what happened in between arrives
    between = [kill(n, 60 * n + 700, of(BLUE, 3), of(RED, n)) for n in (13, 23)]
    cluster(rows.database, between, Rules())
    # then
    changes = follower.rest()
    kept, gone = str(battle_id(system, 11)), str(battle_id(system, 21))
    assert told(changes) == [("grown", kept), ("merged", gone)]
    assert changes[1]["battle"] == changes[0]["battle"]
    assert changes[0]["battle"]["total_kills"] == 6


def test_an_id_that_is_no_battle_s_any_more_is_dissolved(api: ApiClient, rows: Rows) -> None:
    alias = rows.alias(1)

    assert Follower(api).rest() == [{"kind": "dissolved", "id": str(alias), "battle": None}]


def test_what_commits_late_is_not_stepped_over(api: ApiClient, rows: Rows, url: str) -> None:
    follower = Follower(api)
    with connect(url) as slow, slow.transaction():
        late = Rows(slow).battle()
        # A later transaction commits first; it has to wait in the feed.
        soon = _other_battle(rows)
        assert follower.rest() == []
    assert told(follower.rest()) == [("created", str(late)), ("created", str(soon))]


def _other_battle(rows: Rows) -> UUID:
    rows.killmail_ids_from(97_000_001)  # those of the other are not to be seen yet
    return rows.battle()


def test_concurrent_writers_and_a_reader_that_misses_nothing(rows: Rows, url: str) -> None:
    battles = [rows.battle() for _ in range(12)]
    done = Event()

    def write(seed: int) -> None:
        chance = random.Random(seed)
        with connect(url) as own:
            mine = Rows(own)
            for _ in range(60):
                with own.transaction():
                    # In one order, so that no two wait for one another.
                    for id_ in sorted(chance.sample(battles, 3)):
                        mine.grow(id_)
                    own.execute("SELECT pg_sleep(%s)", (chance.random() / 200,))

    def follow() -> dict[str, int]:
        with api_over(url) as client:
            follower = Follower(client)
            while not done.is_set():
                follower.poll(limit=chance_limit.randrange(1, 9))
            follower.rest()
            return follower.revisions

    chance_limit = random.Random(1)
    with ThreadPoolExecutor(6) as threads:
        following = threads.submit(follow)
        for writing in [threads.submit(write, seed) for seed in range(4)]:
            writing.result()
        done.set()
        seen = following.result()

    stored = {
        str(id_): revision for id_, revision in rows.database.execute("SELECT id, revision FROM battles")
    }
    assert seen == stored
    assert sum(stored.values()) == 12 + 4 * 60 * 3


def test_from_now_on(api: ApiClient, rows: Rows) -> None:
    rows.battle()
    follower = Follower(api, after="now")
    assert follower.poll() == []

    newer = rows.battle()

    assert told(follower.poll()) == [("created", str(newer))]


def test_a_cursor_of_another_feed_or_database_is_refused(api: ApiClient, rows: Rows) -> None:
    rows.battle()
    rows.battle()
    other = api.get("/battles?limit=1").json()["next"]
    mine = api.get("/changes").json()["next"]

    for after, reason in ((other, "not one that this API gave out"), (_ahead(mine), "another database")):
        problem = api.get("/changes", params={"after": after})
        assert problem.status_code == 422
        assert problem.json()["errors"][0]["parameter"] == "after"
        assert reason in problem.json()["detail"]


def _ahead(cursor: str) -> str:
    kept = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    kept["after"][0] = 2**62
    return base64.urlsafe_b64encode(json.dumps(kept).encode()).decode().rstrip("=")
