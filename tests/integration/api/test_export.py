"""Lists as files: as answers where they fit a page, as streams where not."""

import csv
import io
import json
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api import events, exports
from api.queries.battles import find_battle
from api.routes import lists, members
from tests.integration.api.client import ApiClient
from tests.integration.api.rows import START, TAMA, Kill, Pilot, Rows
from tests.integration.api.test_contract import assert_is_problem
from tests.integration.api.test_server import eventually, served


def table(response: httpx.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


def test_battles_as_csv_have_names_beside_ids_utc_times_and_whole_isk(api: ApiClient, rows: Rows) -> None:
    rows.system(TAMA, "Tama", region="Black Rise", security=0.29)
    battle_id = rows.battle(pilots=[Pilot(character=90_000_001)])

    response = api.get("/battles?format=csv")

    assert response.headers["content-disposition"] == 'attachment; filename="battles.csv"'
    assert response.text.endswith("\r\n")
    assert table(response) == [
        {
            "id": str(battle_id),
            "system_id": "30002813",
            "system_name": "Tama",
            "region_id": "10000813",
            "region_name": "Black Rise",
            "security": "0.29",
            "space_type": "kspace",
            "start_time": "2021-11-28T10:21:04Z",
            "end_time": "2021-11-28T10:25:04Z",
            "total_kills": "2",
            "losses": "2",
            "pilots": "1",
            "total_isk_destroyed": "2000000",
            "zkill_related_url": "https://zkillboard.com/related/",
            "revision": "1",
            "updated_at": "2021-11-28T11:21:04Z",
        }
    ]


def test_killmails_as_csv(api: ApiClient, rows: Rows) -> None:
    rows.name(99_000_002, "One, two")
    rows.ship_type(587, "Rifter")
    killmail = Kill(victim=0, victim_alliance=0, attacker_alliances=[99_000_002, 99_000_003], isk_value=None)
    battle_id = rows.battle(kills=[killmail])

    response = api.get(f"/battles/{battle_id}/killmails", headers={"Accept": "text/csv"})

    assert (
        response.headers["content-disposition"] == f'attachment; filename="battle-{battle_id}-killmails.csv"'
    )
    assert table(response) == [
        {
            "killmail_id": "96000001",
            "timestamp": "2021-11-28T10:21:04Z",
            "victim_character_id": "",
            "victim_character_name": "",
            "victim_corporation_id": "98000001",
            "victim_corporation_name": "98000001",
            "victim_alliance_id": "",
            "victim_alliance_name": "",
            "victim_ship_type_id": "587",
            "victim_ship_type_name": "Rifter",
            "attacker_alliance_ids": "99000002;99000003",
            "attacker_alliance_names": "One, two;99000003",
            "isk_value": "",
            "value_source": "",
            "side_id": "0",
            "zkb_url": "https://zkillboard.com/kill/96000001/",
        }
    ]


def test_participants_as_csv(api: ApiClient, rows: Rows) -> None:
    battle_id = rows.battle(
        pilots=[Pilot(character=90_000_001, alliance=None, ship_type=0, side=2, is_victim=True)]
    )

    (row,) = table(api.get(f"/battles/{battle_id}/participants?format=csv"))

    assert row == {
        "character_id": "90000001",
        "character_name": "90000001",
        "ship_type_id": "",
        "ship_type_name": "",
        "corporation_id": "98000001",
        "corporation_name": "98000001",
        "alliance_id": "",
        "alliance_name": "",
        "side_id": "2",
        "is_victim": "true",
    }


@pytest.mark.parametrize("name", ["=1+1", "+1", "-Mammon-", "@SUM(A1)", "\tx", "\rx", '=cmd|"/c calc"!A0'])
def test_a_name_is_no_formula(api: ApiClient, rows: Rows, name: str) -> None:
    rows.name(90_000_001, name)
    rows.name(99_000_002, name)
    rows.system(TAMA, "Deep", region="Space", security=-0.5)
    battle_id = rows.battle(kills=[Kill(attacker_alliances=[99_000_001, 99_000_002])])

    (killmail,) = table(api.get(f"/battles/{battle_id}/killmails?format=csv"))
    (line,) = lines(api.get(f"/battles/{battle_id}/killmails?format=jsonl"))
    (battle,) = table(api.get("/battles?format=csv"))

    assert killmail["victim_character_name"] == f"'{name}"
    assert killmail["attacker_alliance_names"] == f"99000001;'{name}"
    assert line["victim"]["character"]["name"] == name
    assert battle["security"] == "-0.5"  # a number is none either


def test_json_lines_are_the_items_of_the_list(api: ApiClient, rows: Rows) -> None:
    battle_id = rows.battle(
        pilots=[Pilot(character=90_000_001 + n) for n in range(3)], entities=[99_000_001, 98_000_001]
    )
    rows.battle(start=START - timedelta(hours=1))
    for path in (
        "/battles",
        "/alliances/99000001/battles",
        "/corporations/98000001/battles",
        "/characters/90000001/battles",
        f"/systems/{TAMA}/battles",
        f"/battles/{battle_id}/killmails",
        f"/battles/{battle_id}/participants",
    ):
        response = api.get(path, params={"format": "jsonl"})
        assert lines(response) == api.get(path).json()["items"], path
        assert len(table(api.get(path, params={"format": "csv"}))) == len(lines(response)) > 0


def test_an_empty_list_is_a_file_with_a_header_only(api: ApiClient) -> None:
    empty = api.get("/battles?format=csv")

    assert empty.text.startswith("id,system_id,system_name,")
    assert table(empty) == []
    assert api.get("/battles?format=jsonl").content == b""


def test_a_file_with_a_limit_is_a_page(api: ApiClient, rows: Rows) -> None:
    ids = [str(rows.battle(start=START - timedelta(hours=n))) for n in range(3)]

    first = api.get("/battles?format=csv&limit=2")
    second = api.get(first.links["next"]["url"])

    assert [row["id"] for row in (*table(first), *table(second))] == ids
    assert "link" not in second.headers


def test_an_old_id_leads_to_the_file(api: ApiClient, rows: Rows) -> None:
    battle_id = rows.battle()
    old = rows.alias(96_000_002)

    response = api.get(f"/battles/{old}/killmails?format=csv")

    assert response.status_code == 308
    assert response.headers["location"] == f"/battles/{battle_id}/killmails?format=csv"


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_a_long_list_is_streamed_whole(
    url: str, rows: Rows, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    monkeypatch.setattr(lists, "FILE_ROWS", 3)
    ids = [str(rows.battle(start=START - timedelta(hours=n))) for n in range(10)]
    with served(url) as api:
        response = api.get("/battles", params={"format": format_})
        plain = api.get("/battles", params={"format": format_}, headers={"Accept-Encoding": "identity"})
        head = api.head("/battles", params={"format": format_})

    read = table if format_ == "csv" else lines
    assert [row["id"] for row in read(response)] == ids
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["vary"] == "Accept, Accept-Encoding"
    assert response.headers["content-disposition"] == f'attachment; filename="battles.{format_}"'
    assert plain.content == response.content
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("kind", ["killmails", "participants"])
def test_a_large_battle_is_streamed_whole(
    url: str, rows: Rows, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(members, "FILE_ROWS", 600)
    battle_id = rows.battle(
        kills=[Kill(after=timedelta(seconds=n // 7)) for n in range(2500)],
        pilots=[Pilot(character=90_000_000 + n) for n in range(2500)],
    )
    with served(url) as api:
        pages = [api.get(f"/battles/{battle_id}/{kind}").json()]
        while pages[-1]["next"]:
            pages.append(api.get(f"/battles/{battle_id}/{kind}", params={"cursor": pages[-1]["next"]}).json())
        streamed = lines(api.get(f"/battles/{battle_id}/{kind}?format=jsonl"))

    assert streamed == [item for page in pages for item in page["items"]]
    assert len(streamed) == 2500


def cut_off(api: httpx.Client, path: str) -> bool:
    try:
        api.get(path)
    except httpx.RemoteProtocolError:
        return True
    return False


def test_a_stream_that_would_be_too_long_is_cut_off_and_not_ended(
    url: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "FILE_ROWS", 1)
    for n in range(4):
        rows.battle(start=START - timedelta(hours=n))
    with served(url) as api:
        monkeypatch.setattr(exports, "ROWS_MAX", 4)
        whole = cut_off(api, "/battles?format=csv")
        monkeypatch.setattr(exports, "ROWS_MAX", 3)
        too_many = cut_off(api, "/battles?format=csv")

    assert (whole, too_many) == (False, True)


def test_a_client_that_does_not_read_is_not_waited_for_for_ever(
    url: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "FILE_ROWS", 1)
    monkeypatch.setattr(events, "EXPORTS_MAX", 1)
    monkeypatch.setattr(exports, "STREAM_MAX_S", 1.5)
    for n in range(10):
        rows.battle(start=START - timedelta(hours=n))
    with served(url) as api, monkeypatch.context() as large:
        # More than what the kernel takes from a server for a client that does not read.
        large.setattr(exports, "written", lambda *_, **__: b"x" * 4_000_000)
        with api.stream("GET", "/battles?format=csv", headers={"Accept-Encoding": "identity"}):
            while_it_hangs = api.get("/battles?format=csv").status_code
            time.sleep(1.5)
            large.undo()
            afterwards = eventually(lambda: api.get("/battles?format=csv").is_success)

    assert while_it_hangs == 503
    assert afterwards


def test_a_battle_that_changes_while_it_is_sent_is_cut_off(
    url: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "FILE_ROWS", 1)
    battle_id = rows.battle(kills=[Kill(after=timedelta(seconds=n)) for n in range(1002)])
    read = find_battle

    def grow_meanwhile(connection: Any, battle_id: Any) -> Any:
        rows.grow(battle_id)
        return read(connection, battle_id)

    with served(url) as api:
        unchanged = cut_off(api, f"/battles/{battle_id}/killmails?format=jsonl")
        monkeypatch.setattr(members, "find_battle", grow_meanwhile)
        changed = cut_off(api, f"/battles/{battle_id}/killmails?format=jsonl")

    assert (unchanged, changed) == (False, True)


def test_too_many_streams_at_once_are_refused_and_make_room_when_they_end(
    url: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "FILE_ROWS", 1)
    monkeypatch.setattr(events, "EXPORTS_MAX", 0)
    for n in range(2):
        rows.battle(start=START - timedelta(hours=n))
    with served(url) as api:
        refused = api.get("/battles?format=csv")
        page = api.get("/battles?format=csv&limit=1")
    monkeypatch.setattr(events, "EXPORTS_MAX", 1)
    with served(url) as api:
        one_after_the_other = [api.get("/battles?format=csv").status_code for _ in range(3)]
        with api.stream("GET", "/battles?format=csv"):
            pass  # a client that goes away in the middle
        eventually(lambda: api.get("/battles?format=csv").is_success)

    assert_is_problem(refused, 503)
    assert refused.headers["retry-after"] == "5"
    assert page.status_code == 200
    assert one_after_the_other == [200, 200, 200]
