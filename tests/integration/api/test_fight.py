"""How a battle went, as the API tells it from what the clusterer stored."""

from datetime import timedelta

import pytest

from api.queries.timeline import step_s
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from cluster.engine.whole import find_battles
from tests.integration.api.client import ApiClient
from tests.integration.api.rows import START, Kill, Pilot, Rows
from tests.support.skirmish import BLUE, MILLION, RED, skirmish


def test_a_timeline_adds_up_to_what_the_sides_lost(rows: Rows, api: ApiClient) -> None:
    cluster(rows.database, skirmish(), Rules())
    (found,) = find_battles(skirmish(), Rules())
    battle = api.get(f"/battles/{found.id}").json()

    timeline = api.get(f"/battles/{found.id}/timeline").json()

    lost: dict[int, int] = {}
    for bucket in timeline["buckets"]:
        for side in bucket["sides"]:
            lost[side["side_id"]] = lost.get(side["side_id"], 0) + side["isk_lost"]
    assert lost == {side["side_id"]: side["isk_lost"] for side in battle["sides"]}
    killmails = sum(side["killmails"] for bucket in timeline["buckets"] for side in bucket["sides"])
    assert killmails == battle["total_kills"]


def test_a_timeline_leaves_out_what_was_quiet(rows: Rows, api: ApiClient) -> None:
    battle_id = rows.battle(
        kills=[
            Kill(side=1, isk_value=5),
            Kill(side=1, isk_value=None, after=timedelta(seconds=3)),
            Kill(side=2, isk_value=7, after=timedelta(seconds=3)),
            Kill(side=2, isk_value=9, after=timedelta(minutes=58)),
        ]
    )

    timeline = api.get(f"/battles/{battle_id}/timeline").json()

    assert START.isoformat() == "2021-11-28T10:21:04+00:00"
    assert timeline == {
        "step_s": 60,
        "buckets": [
            {
                "since": "2021-11-28T10:21:00Z",
                "sides": [
                    {"side_id": 1, "killmails": 2, "isk_lost": 5},
                    {"side_id": 2, "killmails": 1, "isk_lost": 7},
                ],
            },
            {"since": "2021-11-28T11:19:00Z", "sides": [{"side_id": 2, "killmails": 1, "isk_lost": 9}]},
        ],
    }


@pytest.mark.parametrize(
    ("lasted", "step"),
    [
        (timedelta(0), 10),
        (timedelta(minutes=10), 10),
        (timedelta(minutes=10, seconds=1), 30),
        (timedelta(hours=4), 300),
        (timedelta(days=60), 86_400),
        (timedelta(days=600), 86_400),
    ],
)
def test_stretches_are_as_long_as_makes_sixty_of_them(lasted: timedelta, step: int) -> None:
    assert step_s(lasted) == step


def test_composition_by_side_group_and_ship(rows: Rows, api: ApiClient) -> None:
    rows.ship_type(587, "Rifter")
    rows.ship_type(588, "Reaper")
    battle_id = rows.battle(
        kills=[
            Kill(ship_type=587, side=1, isk_value=10),
            Kill(ship_type=35832, side=1, isk_value=90, victim=0),
            Kill(ship_type=588, side=0, isk_value=None),
        ],
        pilots=[
            Pilot(character=1, ship_type=587, side=1, is_victim=True),
            Pilot(character=2, ship_type=587, side=1),
            Pilot(character=3, ship_type=588, side=1),
            Pilot(character=4, ship_type=588, side=2),
            Pilot(character=5, ship_type=0, side=2),
            Pilot(character=6, ship_type=588, is_victim=True),
        ],
    )

    sides = api.get(f"/battles/{battle_id}/composition").json()["sides"]

    rifter, reaper = {"id": 587, "name": "Rifter"}, {"id": 588, "name": "Reaper"}
    frigates = {"id": 25, "name": "Frigate"}
    assert sides == [
        {
            "side_id": 1,
            "groups": [
                {
                    "group": frigates,
                    "flown": 3,
                    "lost": 1,
                    "isk_lost": 10,
                    "ships": [
                        {"ship_type": rifter, "flown": 2, "lost": 1, "isk_lost": 10},
                        {"ship_type": reaper, "flown": 1, "lost": 0, "isk_lost": 0},
                    ],
                },
                {
                    "group": None,
                    "flown": 0,
                    "lost": 1,
                    "isk_lost": 90,
                    "ships": [
                        {
                            "ship_type": {"id": 35832, "name": "35832"},
                            "flown": 0,
                            "lost": 1,
                            "isk_lost": 90,
                        }
                    ],
                },
            ],
        },
        {
            "side_id": 2,
            "groups": [
                {
                    "group": frigates,
                    "flown": 1,
                    "lost": 0,
                    "isk_lost": 0,
                    "ships": [{"ship_type": reaper, "flown": 1, "lost": 0, "isk_lost": 0}],
                }
            ],
        },
        {
            "side_id": 0,
            "groups": [
                {
                    "group": frigates,
                    "flown": 1,
                    "lost": 1,
                    "isk_lost": 0,
                    "ships": [{"ship_type": reaper, "flown": 1, "lost": 1, "isk_lost": 0}],
                }
            ],
        },
    ]


def test_what_stood_out(rows: Rows, api: ApiClient) -> None:
    uploads = skirmish()
    cluster(rows.database, uploads, Rules())
    (found,) = find_battles(uploads, Rules())

    top = api.get(f"/battles/{found.id}/top").json()

    dearest = sorted(uploads, key=lambda one: (-(one.isk_value or 0), one.killmail_id))
    assert [loss["killmail_id"] for loss in top["losses"]] == [one.killmail_id for one in dearest]
    assert {loss["victim"]["alliance"]["id"] for loss in top["losses"]} == {BLUE, RED}
    damage: dict[int, int] = {}
    blows: dict[int, int] = {}
    for one in uploads:
        for attacker in one.attackers:
            pilot = attacker.character_id
            damage[pilot] = damage.get(pilot, 0) + attacker.damage_done
            blows[pilot] = blows.get(pilot, 0) + attacker.final_blow
    assert {pilot["character"]["id"]: pilot["damage_done"] for pilot in top["damage"]} == {
        pilot: done for pilot, done in damage.items() if done
    }
    assert {pilot["character"]["id"]: pilot["final_blows"] for pilot in top["final_blows"]} == {
        pilot: count for pilot, count in blows.items() if count
    }
    assert sum(loss["isk_value"] for loss in top["losses"]) == 1000 * MILLION
    few = api.get(f"/battles/{found.id}/top?limit=1").json()
    assert {name: listed[:1] for name, listed in top.items()} == few


@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_a_wrong_limit_is_named(rows: Rows, api: ApiClient, limit: str) -> None:
    problem = api.get(f"/battles/{rows.battle()}/top?limit={limit}")

    assert problem.status_code == 422
    assert problem.json()["errors"][0]["parameter"] == "limit"
