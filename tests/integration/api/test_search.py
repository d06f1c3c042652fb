"""Names by what a player types."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.usefixtures("known")
def test_typing_errors_are_forgiven_where_the_database_can(api: ApiClient, rows: Rows) -> None:
    has_trigrams = (
        rows.database.execute("SELECT FROM pg_extension WHERE extname = 'pg_trgm'").fetchone() is not None
    )

    assert names(api, "gonswarm federaton")[:1] == (["Goonswarm Federation"] if has_trigrams else [])


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
