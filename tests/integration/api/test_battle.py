from datetime import timedelta
from uuid import UUID, uuid4

from api.queries import members
from api.snapshots import OneConnection, Snapshots
from battlescope.database import connect
from tests.integration.api.client import ApiClient
from tests.integration.api.rows import HASH, START, TAMA, Kill, Pilot, Rows


def test_one_battle_with_its_killmails_and_participants(api: ApiClient, rows: Rows) -> None:
    rows.name(90_000_001, "The Victim")
    rows.name(99_000_002, "The Attackers")
    rows.ship_type(587, "Rifter")
    battle_id = rows.battle(
        kills=[
            Kill(
                after=timedelta(minutes=4), victim=0, victim_alliance=0, attacker_alliances=[], isk_value=None
            ),
            Kill(attacker_alliances=[99_000_002, 99_000_003], side=1),
        ],
        pilots=[
            Pilot(character=90_000_002, ship_type=0, corporation=None, alliance=None),
            Pilot(character=90_000_001, side=1, is_victim=True),
        ],
    )

    battle = api.get(f"/battles/{battle_id}").json()

    (summary,) = api.items("/battles")
    assert {name: battle[name] for name in summary} == summary
    oldest, newest = battle["killmails"]
    assert oldest == {
        "killmail_id": 96_000_002,
        "zkb_url": "https://zkillboard.com/kill/96000002/",
        "timestamp": "2021-11-28T10:21:04Z",
        "victim": {
            "character": {"id": 90_000_001, "name": "The Victim"},
            "corporation": {"id": 98_000_001, "name": "98000001"},
            "alliance": {"id": 99_000_001, "name": "99000001"},
            "ship_type": {"id": 587, "name": "Rifter"},
        },
        "attacker_alliances": [
            {"id": 99_000_002, "name": "The Attackers"},
            {"id": 99_000_003, "name": "99000003"},
        ],
        "isk_value": 1_000_000,
        "value_source": "zkb",
        "side_id": 1,
    }
    assert newest["victim"]["character"] is None
    assert newest["victim"]["alliance"] is None
    assert newest["isk_value"] is None
    assert battle["participants"] == [
        {
            "character": {"id": 90_000_001, "name": "The Victim"},
            "ship_type": {"id": 587, "name": "Rifter"},
            "corporation": {"id": 98_000_001, "name": "98000001"},
            "alliance": {"id": 99_000_001, "name": "99000001"},
            "side_id": 1,
            "is_victim": True,
        },
        {
            "character": {"id": 90_000_002, "name": "90000002"},
            "ship_type": None,
            "corporation": None,
            "alliance": None,
            "side_id": 0,
            "is_victim": False,
        },
    ]
    assert battle["total_participants"] == 2
    assert battle["killmails_next"] is None
    assert battle["participants_next"] is None


def test_killmails_and_participants_page_by_page(api: ApiClient, rows: Rows) -> None:
    battle_id = rows.battle(
        kills=[Kill(after=timedelta(seconds=second // 2)) for second in range(7)],
        pilots=[Pilot(character=90_000_000 + n % 3, ship_type=n) for n in range(7)],
    )
    rows.battle(pilots=[Pilot(character=90_000_001)])
    whole = api.get(f"/battles/{battle_id}").json()

    for part in ("killmails", "participants"):
        pages = api.pages(f"/battles/{battle_id}/{part}", limit=3)
        assert [len(page) for page in pages] == [3, 3, 1]
        assert [item for page in pages for item in page] == whole[part]


def test_a_battle_too_large_for_one_answer_says_where_it_goes_on(api: ApiClient, rows: Rows) -> None:
    battle_id = rows.battle(
        kills=[Kill(after=timedelta(seconds=n)) for n in range(1005)],
        pilots=[Pilot(character=90_000_000 + n) for n in range(1003)],
    )

    battle = api.get(f"/battles/{battle_id}").json()

    assert battle["total_kills"] == 1005
    assert battle["total_participants"] == 1003
    for part, total in (("killmails", 1005), ("participants", 1003)):
        rest = api.items(f"/battles/{battle_id}/{part}", cursor=battle[f"{part}_next"])
        assert len(battle[part]) == 1000
        assert battle[part] + rest == api.items(f"/battles/{battle_id}/{part}")
        assert len(battle[part] + rest) == total


def test_a_page_ends_where_its_killmails_name_too_many_alliances(api: ApiClient, rows: Rows) -> None:
    crowd = range(99_000_000, 99_000_000 + members.ALLIANCES_MAX * 2 // 5)
    many = range(99_000_000, 99_000_000 + members.ALLIANCES_MAX + 1)
    battle_id = rows.battle(
        kills=[
            Kill(after=timedelta(seconds=second), attacker_alliances=alliances)
            for second, alliances in enumerate([crowd, crowd, crowd, many, [1]])
        ]
    )

    pages = api.pages(f"/battles/{battle_id}/killmails")

    assert [len(page) for page in pages] == [2, 1, 1, 1]


def test_the_id_of_a_battle_that_went_into_another_redirects_to_it(api: ApiClient, rows: Rows) -> None:
    battle_id = rows.battle()
    alias = rows.alias(96_000_002)

    response = api.get(f"/battles/{alias}")
    part = api.get(f"/battles/{alias}/killmails?limit=2")

    assert (response.status_code, response.headers["location"]) == (308, f"/battles/{battle_id}")
    assert part.headers["location"] == f"/battles/{battle_id}/killmails?limit=2"
    # The next merge moves it again, so that not even a "permanent" redirect may be kept for ever.
    assert response.headers["cache-control"] == "public, max-age=300"


def test_the_id_of_a_battle_that_is_none_any_more_redirects_to_its_killmail(
    api: ApiClient, rows: Rows
) -> None:
    killmail_id = rows.killmail(Kill())
    alias = rows.alias(killmail_id)

    for path in (f"/battles/{alias}", f"/battles/{alias}/participants?limit=2"):
        response = api.get(path)
        assert (response.status_code, response.headers["location"]) == (307, f"/killmails/{killmail_id}")
    assert api.get(f"/killmails/{killmail_id}").status_code == 200


def test_an_id_that_is_a_battle_s_again_is_no_alias(api: ApiClient, rows: Rows) -> None:
    battle_id = rows.battle()
    rows.database.execute(
        "INSERT INTO battle_aliases (id, killmail_id, revision) VALUES (%s, 96000001, 1)", (battle_id,)
    )

    assert api.get(f"/battles/{battle_id}").status_code == 200


def test_an_id_that_never_was(api: ApiClient) -> None:
    unknown = uuid4()

    for part in ("", "/killmails", "/participants"):
        response = api.get(f"/battles/{unknown}{part}")
        assert response.status_code == 404
        assert str(unknown) in response.json()["detail"]


def test_a_cursor_of_another_battle_is_refused(api: ApiClient, rows: Rows) -> None:
    one, other = rows.battle(), rows.battle()
    cursor = api.get(f"/battles/{one}/killmails?limit=1").json()["next"]

    response = api.get(f"/battles/{other}/killmails?cursor={cursor}")

    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "cursor"


def test_a_killmail_reference_and_its_battle(api: ApiClient, rows: Rows) -> None:
    rows.ship_type(587, "Rifter")
    battle_id = rows.battle()
    loose = rows.killmail(Kill(victim=0, isk_value=None))

    killmail = api.get("/killmails/96000002").json()

    assert killmail == {
        "killmail_id": 96_000_002,
        "killmail_hash": HASH,
        "zkb_url": "https://zkillboard.com/kill/96000002/",
        "timestamp": "2021-11-28T10:25:04Z",
        "system": {"id": TAMA, "name": str(TAMA), "region": None, "security": None},
        "victim": {
            "character": {"id": 90_000_001, "name": "90000001"},
            "corporation": {"id": 98_000_001, "name": "98000001"},
            "alliance": {"id": 99_000_001, "name": "99000001"},
            "ship_type": {"id": 587, "name": "Rifter"},
        },
        "isk_value": 1_000_000,
        "value_source": "zkb",
        "battle_id": str(battle_id),
    }
    assert api.get(f"/killmails/{loose}").json()["battle_id"] is None
    assert api.get("/killmails/1").status_code == 404


def test_an_answer_is_of_one_moment(url: str, rows: Rows) -> None:
    battle_id = rows.battle(start=START)
    connection = OneConnection(url)
    count = "SELECT count(*) FROM battle_killmails WHERE battle_id = %s"

    def read_around_a_change(reading: object) -> tuple[object, object]:
        before = reading.execute(count, (battle_id,)).fetchone()  # type: ignore[attr-defined]
        with connect(url) as writer:
            writer.execute("DELETE FROM battle_killmails WHERE battle_id = %s", (battle_id,))
        return before, reading.execute(count, (battle_id,)).fetchone()  # type: ignore[attr-defined]

    before, after = Snapshots(connection, query_timeout_s=5).read(read_around_a_change)
    connection.close()

    assert before == after == (2,)


def test_a_uuid_may_be_written_in_any_way(api: ApiClient, rows: Rows) -> None:
    battle_id: UUID = rows.battle()

    assert api.get(f"/battles/{battle_id.hex.upper()}").json()["id"] == str(battle_id)
