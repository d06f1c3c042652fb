from tests.integration.api.client import ApiClient
from tests.integration.api.rows import Kill, Rows


def test_days_newest_first_with_what_is_held_of_them(api: ApiClient, rows: Rows) -> None:
    rows.day("2021-11-27", expected=10, held=10)
    rows.day("2021-11-29", expected=12, held=9, missing_sent=3)
    rows.day("2021-11-28", expected=11, held=10, unobtainable=1)

    days = api.items("/completeness", limit=2)

    assert [(day["day"], day["is_complete"]) for day in days] == [
        ("2021-11-29", False),
        ("2021-11-28", True),
        ("2021-11-27", True),
    ]
    assert days[0]["checked_at"].endswith("Z")
    del days[0]["checked_at"]
    assert days[0] == {
        "day": "2021-11-29",
        "is_complete": False,
        "expected": 12,
        "held": 9,
        "missing_sent": 3,
        "unobtainable": 0,
    }


def test_no_day_was_checked(api: ApiClient) -> None:
    assert api.get("/completeness").json() == {"items": [], "next": None}


def test_a_cursor_of_another_list_is_refused(api: ApiClient, rows: Rows) -> None:
    rows.battle()
    rows.battle()
    other = api.get("/battles?limit=1").json()["next"]
    assert api.get("/completeness", params={"cursor": other}).status_code == 422


def test_where_a_value_is_from(api: ApiClient, rows: Rows) -> None:
    kills = [Kill(), Kill(valued_at=0), Kill(isk_value=None, valued_at=0)]
    battle_id = rows.battle(kills=kills)

    sources = [kill["value_source"] for kill in api.get(f"/battles/{battle_id}").json()["killmails"]]

    assert sources == ["zkb", "estimated", None]
    for kill, source in zip(kills, sources, strict=True):
        assert api.get(f"/killmails/{rows.killmail(kill)}").json()["value_source"] == source
