"""Names by what a player types."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.queries.search import search
from battlescope.database import Database
from cluster.maintenance.store.names import Name, save_names
from tests.integration.api.client import ApiClient
from tests.integration.api.rows import TAMA, Pilot, Rows


def names(api: ApiClient, q: str, **more: int) -> list[str]:
    response = api.get("/search", params={"q": q, **more})
    assert response.status_code == 200, response.text
    return [found["name"] for found in response.json()["items"]]


@pytest.fixture
def known(rows: Rows) -> None:
    rows.name(99_000_001, "Goonswarm Federation", "alliance")
    rows.name(99_000_002, "Federation of Goons", "alliance")
    rows.name(98_000_001, "Goonsquad", "corporation")
    rows.name(98_000_002, "Goons", "corporation")
    rows.name(90_000_001, "Tama Goon_100%", "character")
    rows.name(10_000_069, "Goon Region", "region")
    rows.system(TAMA, "Tama", region="Black Rise", security=0.3)
    rows.ship_type(587, "Goonrifter")


@pytest.mark.usefixtures("known")
def test_whole_names_then_beginnings_then_words(api: ApiClient, rows: Rows) -> None:
    rows.battle(entities=[99_000_001])
    rows.battle(entities=[99_000_001, 98_000_001])

    assert names(api, "goons") == ["Goons", "Goonswarm Federation", "Goonsquad", "Federation of Goons"]
    assert names(api, "fed goon") == ["Federation of Goons", "Goonswarm Federation"][::-1]
    assert names(api, " GOONSW ") == ["Goonswarm Federation"]
    assert names(api, "goons", limit=1) == ["Goons"]


@pytest.mark.usefixtures("known")
def test_what_it_is_and_how_active(api: ApiClient, rows: Rows) -> None:
    rows.battle(system=TAMA, pilots=[Pilot(character=90_000_001)])

    assert api.get("/search?q=tama").json()["items"] == [
        {"id": TAMA, "name": "Tama", "category": "system", "battles": 1},
        {"id": 90_000_001, "name": "Tama Goon_100%", "category": "character", "battles": 1},
    ]
    assert names(api, "goonri") == ["Goonrifter"]
    # Regions are not searched for.
    assert "Goon Region" not in names(api, "goon region")


@pytest.mark.usefixtures("known")
def test_what_patterns_are_made_of_is_text(api: ApiClient) -> None:
    for q in ("%%", "__", "\\\\", "t%a", "g_on"):
        assert names(api, q) == []
    assert names(api, "tama goon_1") == ["Tama Goon_100%"]


ACTIVE = (0, 1, 2, 31, 32, 33, 500, 999, 1000, 1001, 1500)
"""Battles on both sides of where bands begin; more than a thousand are a thousand."""


def test_among_very_many_the_likeliest_and_most_active_come_first(database: Database) -> None:
    draw = Random(1)
    crowd: list[tuple[int, str, int]] = []
    for number in range(150):
        id_, category = ((99_000_000, "alliance"), (98_000_000, "corporation"))[number % 2]
        words = draw.choices(("Red", "Redeemers", "Star", "Reds", "of", "the"), k=draw.randint(1, 4))
        crowd.append((id_ + number, " ".join(words), draw.choice(ACTIVE)))
        database.execute(
            "INSERT INTO battle_entities (entity_id, first_killmail_id, start_hour) SELECT %s, n, 1 FROM generate_series(1, %s) n",
            (id_ + number, crowd[-1][2]),
        )
        save_names(database, [Name(id_ + number, category, crowd[-1][1])], [])

    def rank(name: str, q: str) -> int | None:
        if name.lower() == q:
            return 0
        if name.lower().startswith(q):
            return 1
        words = name.lower().split()
        return 2 if all(any(word.startswith(typed) for word in words) for typed in q.split()) else None

    for q in ("red", "redeemers", "re st", "star", "of the red"):
        expected = sorted(
            (place, -min(battles, 1000), len(name), name, id_)
            for id_, name, battles in crowd
            if (place := rank(name, q)) is not None
        )
        assert len(expected) > 4
        for limit in (1, 4, *range(20, 51, 3)):
            found = [one["id"] for one in search(database, q, limit)]
            assert found == [id_ for *_, id_ in expected][:limit], (q, limit)


@pytest.mark.usefixtures("known")
def test_the_active_are_found_however_many_shorter_names_there_are(api: ApiClient, rows: Rows) -> None:
    rows.battle(entities=[99_000_001])
    rows.database.execute("UPDATE names SET activity = activity_of(id, category)")
    rows.database.execute(
        "INSERT INTO names (id, category, name) SELECT 91000000 + n, 'character', 'Goon' || n FROM generate_series(1, 3000) n"
    )

    assert names(api, "goo", limit=3)[0] == "Goonswarm Federation"


@pytest.mark.usefixtures("known")
def test_typing_errors_are_forgiven_where_the_database_can(api: ApiClient, rows: Rows) -> None:
    has_trigrams = (
        rows.database.execute("SELECT FROM pg_extension WHERE extname = 'pg_trgm'").fetchone() is not None
    )

    assert names(api, "gonswarm federaton")[:1] == (["Goonswarm Federation"] if has_trigrams else [])


@pytest.mark.usefixtures("known")
def test_places_that_are_a_little_like_it_hide_nobody(api: ApiClient, rows: Rows) -> None:
    rows.ship_type(11940, "Federation Navy Comet")
    rows.ship_type(670, "Federation Velator")
    rows.name(99_000_003, "Swarm Federals", "alliance")
    rows.database.execute("UPDATE names SET activity = 40 WHERE id = 99000003")

    assert names(api, "gonswarm federaton")[0] == "Goonswarm Federation"


def test_among_very_many_the_likest_come_first(database: Database) -> None:
    draw = Random(2)
    words = ("Karann", "Karan", "Starr", "Star", "Tsar", "Arrant", "Sttar", "Karma", "Dark", "Standard")
    for number in range(300):
        name = " ".join(draw.choices(words, k=draw.randint(1, 3)))
        database.execute(
            "INSERT INTO names (id, category, name, activity) VALUES (%s, 'alliance', %s, %s)",
            (99_000_000 + number, name, draw.choice((0, 1, 31, 32, 40, 1000))),
        )
        database.execute(
            """
            INSERT INTO battle_entities (entity_id, first_killmail_id, start_hour)
            SELECT id, n, 1 FROM names, generate_series(1, activity) n WHERE id = %s
            """,
            (99_000_000 + number,),
        )
    for q in ("karnan sttra", "sttarr", "drak star", "karrann", "standrad karan"):
        expected = database.execute(
            """
            SELECT id FROM names WHERE similarity(lower(name), %(q)s) >= 0.3
            ORDER BY round((1 - similarity(lower(name), %(q)s)) * 10)::integer, activity DESC, length(name), name COLLATE "C", id
            """,
            {"q": q},
        ).fetchall()
        assert len(expected) > 10, q
        for limit in (1, 3, 10, 20, 50):
            with database.transaction():
                found = [one["id"] for one in search(database, q, limit)]
            assert found == [id_ for (id_,) in expected][:limit], (q, limit)


@settings(max_examples=60, deadline=None)
@given(q=st.text(max_size=12) | st.text("ab'&|!:*()\\%_-<> ", max_size=8))
def test_no_text_breaks_anything(shared_api: ApiClient, q: str) -> None:
    response = shared_api.get("/search", params={"q": q})

    assert response.status_code in {200, 422}
    if response.status_code == 422:
        assert response.json()["errors"][0]["parameter"] == "q"


def test_a_search_needs_something_to_search(api: ApiClient) -> None:
    for address in (
        "/search",
        "/search?q=",
        "/search?q=%20a%20",
        "/search?q=" + "a" * 101,
        "/search?q=a%00b",
    ):
        problem = api.get(address)
        assert problem.status_code == 422
        assert problem.json()["errors"][0]["parameter"] == "q"
