from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.api.client import ApiClient
from tests.integration.api.rows import START, Kill, Pilot, Rows


def known(api: ApiClient, path: str, etag: str) -> int:
    return api.get(path, headers={"If-None-Match": etag}).status_code


def name_everything(rows: Rows) -> None:
    for entity in (90_000_001, 98_000_001, 99_000_001, 99_000_002):
        rows.name(entity, f"Name of {entity}")
    rows.ship_type(587, "Rifter")


@pytest.mark.parametrize("part", ["", "/killmails", "/participants", "/timeline", "/composition", "/top"])
def test_a_battle_s_etag_changes_with_its_revision(api: ApiClient, rows: Rows, part: str) -> None:
    name_everything(rows)
    path = f"/battles/{rows.battle(pilots=[Pilot(character=90_000_001)])}{part}"
    etag = api.get(path).headers["etag"]

    unchanged = api.get(path, headers={"If-None-Match": etag})
    rows.database.execute("UPDATE battles SET revision = revision + 1")
    changed = api.get(path, headers={"If-None-Match": etag})

    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", etag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


def test_a_name_that_becomes_known_changes_the_etag(api: ApiClient, rows: Rows) -> None:
    path = f"/battles/{rows.battle()}"
    etag = api.get(path).headers["etag"]
    assert known(api, path, etag) == 304

    rows.name(99_000_001, "Goonswarm Federation")

    assert known(api, path, etag) == 200


def test_a_battle_that_is_known_is_not_read_again(api: ApiClient, rows: Rows) -> None:
    name_everything(rows)
    path = f"/battles/{rows.battle()}"
    etag = api.get(path).headers["etag"]

    with rows.database.transaction():
        # Whoever reads members now has to wait until the query times out.
        rows.database.execute("LOCK TABLE battle_killmails, battle_participants IN ACCESS EXCLUSIVE MODE")
        assert known(api, path, etag) == 304


def test_lists_and_killmails_are_known_by_their_content(api: ApiClient, rows: Rows) -> None:
    rows.battle()
    for path in ("/battles", "/killmails/96000001"):
        etag = api.get(path).headers["etag"]
        assert known(api, path, etag) == 304
        assert known(api, path, f'"other", {etag.removeprefix("W/")}') == 304
        assert known(api, path, "*") == 304
        assert known(api, path, '"other"') == 200


@pytest.mark.parametrize(
    ("age", "max_age_s"),
    [
        (timedelta(minutes=50), 10),
        (timedelta(hours=2), 300),
        (timedelta(days=6), 300),
        (timedelta(days=8), 3600),
    ],
)
def test_the_older_a_battle_the_longer_it_may_be_kept(
    api: ApiClient, rows: Rows, age: timedelta, max_age_s: int
) -> None:
    battle_id = rows.battle(start=datetime.now(UTC) - age, kills=[Kill()])

    for part in ("", "/killmails", "/participants"):
        response = api.get(f"/battles/{battle_id}{part}")
        assert response.headers["cache-control"] == f"public, max-age={max_age_s}"


def test_a_list_that_may_grow_is_not_kept_for_long(api: ApiClient, rows: Rows) -> None:
    rows.battle(start=START + timedelta(minutes=1))
    rows.battle(start=START)
    first = api.get("/battles?limit=1")

    assert first.headers["cache-control"] == "public, max-age=10"
    assert api.get("/battles?until=2021-11-28").headers["cache-control"] == "public, max-age=3600"
    # Behind a cursor there are only battles that began before it.
    assert api.get(first.links["next"]["url"]).headers["cache-control"] == "public, max-age=3600"
