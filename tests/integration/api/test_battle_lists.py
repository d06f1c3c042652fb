from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from battlescope_local.embedded_postgres import EmbeddedPostgres
from tests.integration.api.client import ApiClient
from tests.integration.api.conftest import api_over, own_api
from tests.integration.api.rows import START, TAMA, Kill, Pilot, Rows

JITA = 30000142


def test_lists_a_battle_with_names_beside_ids(api: ApiClient, rows: Rows) -> None:
    rows.system(TAMA, "Tama", region="Black Rise", security=0.29)
    battle_id = rows.battle(
        kills=[Kill(isk_value=10**13), Kill(after=timedelta(minutes=4), isk_value=None)],
        pilots=[Pilot(character=1), Pilot(character=2)],
    )

    answer = api.get("/battles").json()

    assert answer == {
        "items": [
            {
                "id": str(battle_id),
                "system": {
                    "id": TAMA,
                    "name": "Tama",
                    "region": {"id": 10000813, "name": "Black Rise"},
                    "security": 0.29,
                },
                "space_type": "kspace",
                "start_time": "2021-11-28T10:21:04Z",
                "end_time": "2021-11-28T10:25:04Z",
                "total_kills": 2,
                "losses": 2,
                "pilots": 2,
                "total_isk_destroyed": 10**13,
                "zkill_related_url": "https://zkillboard.com/related/",
                "revision": 1,
                "updated_at": "2021-11-28T11:21:04Z",
            }
        ],
        "next": None,
    }


def test_an_unknown_system_has_its_number_as_its_name(api: ApiClient, rows: Rows) -> None:
    rows.battle(system=32000001, space="abyssal")

    (battle,) = api.items("/battles")

    assert battle["system"] == {"id": 32000001, "name": "32000001", "region": None, "security": None}


def test_newest_first_with_the_id_as_tie_break(api: ApiClient, rows: Rows) -> None:
    together = [rows.battle(), rows.battle(), rows.battle()]
    later = rows.battle(start=START + timedelta(seconds=1))

    ids = [battle["id"] for battle in api.items("/battles")]

    assert ids == [str(later), *sorted(map(str, together), reverse=True)]


@dataclass(frozen=True)
class ThreeBattles:
    api: ApiClient
    names: dict[str, str]


@pytest.fixture(scope="module")
def three_battles(postgres: EmbeddedPostgres) -> Iterator[ThreeBattles]:
    with own_api(postgres) as (rows, api):
        large = rows.battle(total_kills=50, entities=[99_000_007])
        jita = rows.battle(
            system=JITA,
            start=START + timedelta(days=1),
            entities=[99_000_007],
            pilots=[Pilot(character=90_000_007)],
        )
        hole = rows.battle(
            system=31000005,
            space="jspace",
            start=START + timedelta(days=2),
            entities=[98_000_007],
            pilots=[Pilot(character=90_000_007, ship_type=1), Pilot(character=90_000_007, ship_type=2)],
        )
        yield ThreeBattles(api, {str(large): "large", str(jita): "jita", str(hole): "hole"})


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("", {"large", "jita", "hole"}),
        ("space=jspace", {"hole"}),
        ("space=void", set()),
        (f"system={JITA}", {"jita"}),
        ("min_kills=50", {"large"}),
        ("alliance=99000007", {"large", "jita"}),
        ("corporation=98000007", {"hole"}),
        ("character=90000007", {"hole", "jita"}),
        ("alliance=99000007&character=90000007", {"jita"}),
        ("since=2021-11-29", {"jita", "hole"}),
        ("since=2021-11-29T10:21:04Z", {"jita", "hole"}),
        ("since=2021-11-29T10:21:05Z", {"hole"}),
        ("since=2021-11-29T12:21:04%2B02:00", {"jita", "hole"}),
        ("until=2021-11-28", {"large"}),
        ("until=2021-11-29T10:21:04Z", {"large"}),
        ("since=2021-11-29&until=2021-11-29", {"jita"}),
    ],
)
def test_filters(three_battles: ThreeBattles, parameters: str, expected: set[str]) -> None:
    found = three_battles.api.get(f"/battles?{parameters}").json()["items"]

    assert {three_battles.names[battle["id"]] for battle in found} == expected


@pytest.mark.parametrize(
    ("path", "filter_name", "value"),
    [
        ("/alliances/99000007/battles", "alliance", 99_000_007),
        ("/corporations/98000007/battles", "corporation", 98_000_007),
        ("/characters/90000007/battles", "character", 90_000_007),
        (f"/systems/{JITA}/battles", "system", JITA),
    ],
)
def test_an_entity_s_battles_are_those_of_its_filter(
    api: ApiClient, rows: Rows, path: str, filter_name: str, value: int
) -> None:
    mine = rows.battle(
        system=JITA, entities=[99_000_007, 98_000_007], pilots=[Pilot(character=90_000_007)], total_kills=9
    )
    rows.battle()

    assert [battle["id"] for battle in api.items(path)] == [str(mine)]
    assert api.items(path) == api.items("/battles", **{filter_name: value})
    assert api.items(path, min_kills=10) == []


def test_filters_add_to_what_the_path_says(api: ApiClient, rows: Rows) -> None:
    both = rows.battle(entities=[99_000_001, 99_000_002])
    rows.battle(entities=[99_000_001])

    assert [battle["id"] for battle in api.items("/alliances/99000001/battles", alliance=99_000_002)] == [
        str(both)
    ]


def test_times_are_utc_whatever_the_session_s_time_zone(url: str, rows: Rows) -> None:
    rows.battle()

    with api_over(f"{url}?options=-c%20timezone%3DAsia/Kolkata") as api:
        (battle,) = api.items("/battles", until="2021-11-28")

    assert battle["start_time"] == "2021-11-28T10:21:04Z"


@pytest.mark.parametrize(
    ("security", "band"),
    [
        (1.0, "highsec"),
        (0.45, "highsec"),
        (0.4499, "lowsec"),
        (0.001, "lowsec"),
        (0.0, "nullsec"),
        (-0.7, "nullsec"),
    ],
)
def test_security_bands_are_those_of_known_space(
    api: ApiClient, rows: Rows, security: float, band: str
) -> None:
    rows.system(TAMA, "Tama", region="Black Rise", security=security)
    rows.battle()
    rows.battle(space="pochven")

    held = {name: len(api.items("/battles", security=name)) for name in ("highsec", "lowsec", "nullsec")}

    assert held == {"highsec": 0, "lowsec": 0, "nullsec": 0} | {band: 1}


def test_a_region_s_battles(api: ApiClient, rows: Rows) -> None:
    rows.system(TAMA, "Tama", region="Black Rise", security=0.3)
    rows.system(JITA, "Jita", region="The Forge", security=0.9)
    tama = rows.battle(system=TAMA)
    rows.battle(system=JITA)

    region = api.get(f"/battles/{tama}").json()["system"]["region"]["id"]

    assert [battle["id"] for battle in api.items("/battles", region=region)] == [str(tama)]


def test_opponents_are_on_different_sides_of_one_battle(api: ApiClient, rows: Rows) -> None:
    red, blue, others = 99_000_001, 99_000_002, 99_000_003
    three = [red, blue, others]
    opposed = rows.battle(entities=three, sides=[[red], [blue], [others]])
    rows.battle(entities=three, sides=[[red, blue], [others]])
    rows.battle(entities=[red], sides=[[red], [others]])

    against = {
        path: [battle["id"] for battle in api.items(path, against=blue, **filters)]
        for path, filters in ((f"/alliances/{red}/battles", {}), ("/battles", {"alliance": red}))
    }

    assert list(against.values()) == [[str(opposed)]] * 2
    # In the first battle the others are third parties, and so nobody's opponents.
    assert len(api.items("/battles", alliance=others, against=blue)) == 1


def test_a_battle_is_live_while_it_can_grow(api: ApiClient, rows: Rows) -> None:
    now = datetime.now(UTC)
    live = rows.battle(start=now - timedelta(hours=3), kills=[Kill(), Kill(after=timedelta(minutes=170))])
    rows.battle(start=now - timedelta(minutes=16), kills=[Kill()])

    assert [battle["id"] for battle in api.items("/battles", live="true")] == [str(live)]
    assert len(api.items("/battles", live="false")) == 2
