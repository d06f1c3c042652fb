"""Alliances, corporations and characters, as battles tell of them."""

from datetime import timedelta

import pytest

from api.queries import profiles
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from tests.integration.api.client import ApiClient
from tests.integration.api.rows import START, TAMA, Rows
from tests.support.killmails import kill
from tests.support.skirmish import BLUE, GREEN, MILLION, RED, of, skirmish


def test_what_an_alliance_did(rows: Rows, api: ApiClient) -> None:
    cluster(rows.database, skirmish(), Rules())
    rows.name(RED, "Red Army", "alliance")

    red = api.get(f"/alliances/{RED}").json()

    assert (red["id"], red["name"], red["battles"]) == (RED, "Red Army", 1)
    assert sum(red["months"].values()) == 1
    recent = red["recent"]
    assert (recent["battles"], recent["kills"], recent["losses"]) == (1, 2, 1)
    assert (recent["isk_destroyed"], recent["isk_lost"], recent["efficiency"]) == (
        800 * MILLION, 200 * MILLION, 0.8,
    )  # fmt: skip
    assert recent["opponents"] == [{"id": BLUE, "name": str(BLUE), "killmails": 3}]
    assert recent["friends"] == [{"id": GREEN, "name": str(GREEN), "killmails": 2}]
    assert [system["battles"] for system in recent["systems"]] == [1]


def test_nobody_is_both_an_opponent_and_a_friend(rows: Rows, api: ApiClient) -> None:
    # given: blue was on a kill of red's; green, who was on two, hit red once
    third, stray = of(99_000_009), of(RED, 2)
    brawl = [kill(4, 180, third, of(RED, 1), of(BLUE, 3)), kill(5, 240, stray, of(GREEN, 1), of(BLUE, 3))]

    cluster(rows.database, [*skirmish(), *brawl], Rules())

    recent = api.get(f"/alliances/{RED}").json()["recent"]
    assert [(one["id"], one["killmails"]) for one in recent["opponents"]] == [
        (BLUE, 4),
        (third.alliance_id, 1),
    ]
    assert [(one["id"], one["killmails"]) for one in recent["friends"]] == [(GREEN, 2)]


def test_a_pilot_and_a_corporation_are_told_from_their_own_killmails(rows: Rows, api: ApiClient) -> None:
    uploads = skirmish()
    cluster(rows.database, uploads, Rules())
    for kind, path in (("character_id", "characters"), ("corporation_id", "corporations")):
        ids = {getattr(one.victim, kind) for one in uploads} | {
            getattr(attacker, kind) for one in uploads for attacker in one.attackers
        }
        for id_ in ids - {0}:
            recent = api.get(f"/{path}/{id_}").json()["recent"]
            lost = [one for one in uploads if getattr(one.victim, kind) == id_]
            won = [
                one
                for one in uploads
                if one not in lost and any(getattr(a, kind) == id_ for a in one.attackers)
            ]
            assert (recent["losses"], recent["kills"]) == (len(lost), len(won)), (path, id_)
            assert recent["isk_destroyed"] == sum(one.isk_value or 0 for one in won)


def test_only_so_many_killmails_are_read(rows: Rows, api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        rows.battle(entities=[BLUE])

    monkeypatch.setattr(profiles, "KILLMAILS_MAX", 5)  # of two each
    few = api.get(f"/alliances/{BLUE}").json()
    monkeypatch.setattr(profiles, "BATTLES_MAX", 2)
    fewer = api.get(f"/alliances/{BLUE}").json()

    assert (few["battles"], few["recent"]["battles"]) == (5, 3)
    assert (fewer["battles"], fewer["recent"]["battles"]) == (5, 2)


def test_what_a_system_saw(rows: Rows, api: ApiClient) -> None:
    rows.system(TAMA, "Tama", region="Black Rise", security=0.3)
    quiet = api.get(f"/systems/{TAMA}").json()
    rows.battle(sides=[[RED, GREEN], [BLUE]])
    rows.battle(sides=[[RED]], start=START + timedelta(days=7))
    rows.battle(system=TAMA + 1, sides=[[BLUE]])

    system = api.get(f"/systems/{TAMA}").json()

    assert (quiet["name"], quiet["battles"], quiet["months"], quiet["recent"]) == ("Tama", 0, {}, None)
    assert system == quiet | {
        "battles": 2,
        "months": {"2021-11": 1, "2021-12": 1},
        "recent": {
            "battles": 2,
            "since": "2021-11-28T10:21:04Z",
            "until": "2021-12-05T10:21:04Z",
            "kills": 4,
            "isk_destroyed": 4 * MILLION,
            "affiliations": [
                {"id": RED, "name": str(RED), "battles": 2},
                *({"id": id_, "name": str(id_), "battles": 1} for id_ in sorted([BLUE, GREEN])),
            ],
        },
    }


def test_who_was_in_no_battle_is_not_found(api: ApiClient) -> None:
    for path in ("/alliances/1", "/corporations/1", "/characters/1", "/systems/1"):
        assert api.get(path).json()["type"] == "urn:battlescope:problem:not-found"
