"""Sides as the API serves them: who was on which, what it cost, and why."""

from uuid import UUID

from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from cluster.engine.whole import find_battles
from tests.integration.api.client import ApiClient
from tests.integration.api.rows import Rows
from tests.support.skirmish import GREEN, MILLION, RED, skirmish


def test_the_api_tells_who_was_on_which_side_and_why(rows: Rows, api: ApiClient) -> None:
    cluster(rows.database, skirmish(), Rules())
    rows.name(RED, "Red Army")
    (battle,) = find_battles(skirmish(), Rules())
    blue, others = api.get(f"/battles/{battle.id}").json()["sides"]
    assert (blue["side_id"], blue["pilots"], blue["isk_lost"], blue["efficiency"]) == (
        1, 3, 800 * MILLION, 0.2,
    )  # fmt: skip
    red, _ = others["affiliations"]
    assert (red["id"], red["name"], red["kind"], red["pilots"], red["losses"]) == (
        RED, "Red Army", "alliance", 1, 1,
    )  # fmt: skip
    assert red["evidence"] == [
        {
            "side_id": 1, "shot_kills": 2, "shot_isk": 800 * MILLION, "shot_weight": 1.0, "lost_weight": 1.0,
            "shared_weight": 0.0,
        },
        {
            "side_id": 2, "shot_kills": 0, "shot_isk": 0, "shot_weight": 0.0, "lost_weight": 0.0,
            "shared_weight": 1.0,
        },
    ]  # fmt: skip
    assert red["companions"] == [{"id": GREEN, "name": str(GREEN), "shared_kills": 2}]
    assert red["why"] == (
        f"on side 2: shot side 1 on 2 kills worth 800m, lost 1.0 ordinary ships to side 1, "
        f"shared 2 kills with {GREEN}"
    )
    assert 0.5 < red["confidence"] <= 1


def test_the_api_serves_a_battle_whose_sides_were_never_told(rows: Rows, api: ApiClient) -> None:
    cluster(rows.database, skirmish(), Rules())
    rows.database.execute("UPDATE battles SET evidence = NULL")
    (id_,) = rows.database.execute("SELECT id FROM battles").fetchone() or (UUID(int=0),)
    assert api.get(f"/battles/{id_}").json()["sides"] == []
