"""The pages over ASGI: which requests are theirs, what their answers say to browsers and caches, and their errors."""

import re
from datetime import timedelta
from io import BytesIO

import httpx
import pytest
from PIL import Image

from api.app import ROUTERS
from api.openapi import document
from api.pages.door import PAGES
from api.problems import MEDIA_TYPE
from battlescope_local.ports import free_port
from tests.integration.api.client import ApiClient
from tests.integration.api.conftest import api_over
from tests.integration.api.rows import START, TAMA, Kill, Pilot, Rows
from tests.integration.api.test_contract import assert_is_problem

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
RED, BLUE = 99_000_001, 99_000_002


def assert_is_page(response: httpx.Response, status: int = 200) -> None:
    assert response.status_code == status, response.text[:300]
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = response.headers["content-security-policy"]
    assert policy.startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https://images."
    )
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    # Nothing that the policy forbids is in the page.
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]* src=)|javascript:", response.text)


@pytest.fixture
def addresses(rows: Rows) -> list[str]:
    """Every page, with something on it."""
    battle_id = rows.battle(
        entities=[RED, 98_000_001], pilots=[Pilot(character=90_000_001)], sides=[[RED], [BLUE]]
    )
    rows.name(RED, "Red Federation", "alliance")
    return [
        "/",
        "/?live=1&order=isk",
        f"/b/{battle_id}",
        f"/b/{battle_id}/sides",
        f"/b/{battle_id}/killmails",
        f"/alliance/{RED}",
        "/corporation/98000001",
        "/character/90000001",
        f"/system/{TAMA}",
        "/find",
        "/find?q=red",
        "/about",
    ]


def test_no_path_of_the_api_is_a_page_s() -> None:
    first = {route.path.split("/")[1] for router in ROUTERS for route in router.routes}  # type: ignore[attr-defined]
    assert first.isdisjoint(PAGES)
    assert all(path.split("/")[1] not in PAGES for path in document()["paths"])


def test_every_page_answers_and_is_kept_by_caches_as_long_as_it_holds(
    api: ApiClient, addresses: list[str]
) -> None:
    for address in addresses:
        response = api.get(address)
        assert_is_page(response)
        assert response.headers["cache-control"].startswith("public, max-age="), address
        etag = response.headers["etag"]
        again = api.get(address, headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b""), address
        head = api.request("HEAD", address)
        assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", etag)


def test_a_battle_s_page_is_another_one_when_the_battle_or_a_name_in_it_changes(
    api: ApiClient, rows: Rows
) -> None:
    battle_id = rows.battle(sides=[[RED]])
    first = api.get(f"/b/{battle_id}").headers["etag"]
    rows.name(90_000_001, "Somebody", "character")
    named = api.get(f"/b/{battle_id}").headers["etag"]
    rows.grow(battle_id)
    grown = api.get(f"/b/{battle_id}", headers={"If-None-Match": named})
    assert grown.status_code == 200
    assert len({first, named, grown.headers["etag"]}) == 3


def test_every_page_refuses_an_unknown_parameter_with_a_page(api: ApiClient, addresses: list[str]) -> None:
    for address in addresses:
        response = api.get(f"{address}{'&' if '?' in address else '?'}nonsense=1")
        assert_is_page(response, 422)
        assert "nonsense" in response.text


def test_every_page_only_reads(api: ApiClient, addresses: list[str]) -> None:
    for address in addresses:
        response = api.request("POST", address)
        assert_is_page(response, 405)
        assert response.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/b/6f0f6f0e-3b1c-5d0c-9d57-4a7a0e1f2b3c", 404),
        ("/b/x", 422),
        ("/alliance/7", 404),
        ("/character/x", 422),
        ("/system/7", 404),
        ("/assets/pages.0000.css", 404),
        ("/about/more", 404),
        ("/?min_kills=many", 422),
        ("/?min_kills=1&min_kills=2", 422),
        ("/?since=2021-11-28&until=2021-11-27", 422),
        ("/?cursor=nonsense", 422),
        ("/?against=7", 422),
        ("/?alliance=nobody+has+this", 422),
        ("/nonsense", 404),
    ],
)
def test_errors_are_pages_with_the_status(shared_api: ApiClient, path: str, status: int) -> None:
    response = shared_api.get(path, headers=BROWSER)
    assert_is_page(response, status)
    assert response.headers["cache-control"] == "no-store"
    assert "etag" not in response.headers


def test_the_api_s_paths_answer_browsers_with_problems(shared_api: ApiClient) -> None:
    for path in ("/battles/x", "/battles?nonsense=1", "/killmails/x", "/battles/x/y/z"):
        response = shared_api.get(path, headers=BROWSER)
        assert response.headers["content-type"] == MEDIA_TYPE, path
    # and what is nobody's path is a problem for programs
    assert shared_api.get("/nonsense").headers["content-type"] == MEDIA_TYPE


def test_ids_from_before_a_merge_lead_where_they_should(api: ApiClient, rows: Rows) -> None:
    battle_id = rows.battle()
    merged = rows.alias(96_000_002)
    dissolved = rows.alias(rows.killmail(Kill()))
    dropped = rows.alias(95_000_000)

    to_battle = api.get(f"/b/{merged}")
    assert (to_battle.status_code, to_battle.headers["location"]) == (308, f"/b/{battle_id}")
    assert to_battle.headers["cache-control"] == "public, max-age=300"
    card = api.get(f"/b/{merged}/card.png")
    assert card.headers["location"] == f"/b/{battle_id}/card.png"
    to_killmail = api.get(f"/b/{dissolved}")
    assert to_killmail.status_code == 307
    assert to_killmail.headers["location"].startswith("https://zkillboard.com/kill/9600000")
    gone = api.get(f"/b/{dropped}")
    assert_is_page(gone, 410)
    assert 'href="https://zkillboard.com/kill/95000000/"' in gone.text


def test_what_pages_load_is_kept_for_ever_under_an_address_of_its_own(api: ApiClient) -> None:
    html = api.get("/").text
    loaded = re.findall(r'(?:href|src)="(/assets/[^"]+)"', html)
    assert {re.sub(r"\.[0-9a-f]{10}\.", ".", path) for path in loaded} >= {
        "/assets/pages.css",
        "/assets/live.js",
        "/assets/suggest.js",
        "/assets/icon.svg",
    }
    style = api.get(next(path for path in loaded if path.endswith(".css")))
    placeholders = {f"/assets/{name}" for name in re.findall(r'url\("([^"]+)"\)', style.text)}
    assert len(placeholders) == 4
    for path in {*loaded, *placeholders}:
        response = api.get(path)
        assert response.status_code == 200, path
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert api.get(path, headers={"If-None-Match": response.headers["etag"]}).status_code == 304
    icon = api.get("/favicon.ico")
    assert icon.headers["location"] in loaded


def test_a_form_s_words_become_the_address_that_the_api_understands(api: ApiClient, rows: Rows) -> None:
    rows.name(RED, "Red Federation", "alliance")
    rows.name(98_000_001, "Red Corporation", "corporation")
    rows.system(TAMA, "Tama", region="The Citadel", security=0.29)
    for typed, meant in {
        "alliance=red+fed&against=&space=&order=start": "alliance=99000001",
        "alliance=99000001&against=Red+Corp": "alliance=99000001&against=98000001",
        "corporation=RED": "corporation=98000001",
        "system=tama&min_isk=1.5B": f"system={TAMA}&min_isk=1500000000",
        "min_isk=500m": "min_isk=500000000",
        "min_kills=+10+": "min_kills=10",
    }.items():
        response = api.get(f"/?{typed}")
        assert (response.status_code, response.headers["location"]) == (302, f"/?{meant}"), typed
        assert api.get(f"/?{meant}").status_code == 200
        assert api.get(f"/battles?{meant}").status_code == 200
    assert api.get("/?alliance=&order=start").headers["location"] == "/"


def test_pages_show_what_the_api_s_list_holds_in_its_order(api: ApiClient, rows: Rows) -> None:
    for hour in range(60):
        rows.battle(start=START + timedelta(hours=hour), total_kills=1 + hour * 7 % 60)
    for query in ("", "?order=kills", "?min_kills=20&order=pilots"):
        listed = api.get(f"/battles{query}").json()
        page = api.get(f"/{query}")
        shown = re.findall(r'<li class="battle" data-id="([0-9a-f-]+)"', page.text)
        assert shown == [battle["id"] for battle in listed["items"]]
        assert bool(listed["next"]) == ('rel="next"' in page.text)


def test_the_share_card_is_a_picture_of_the_battle(api: ApiClient, rows: Rows) -> None:
    rows.name(RED, "Red Federation of all that is long and does not fit on any card " * 3, "alliance")
    rows.name(BLUE, "Синие 蓝", "alliance")
    one, other = rows.battle(sides=[[RED], [BLUE]]), rows.battle(sides=[[BLUE], [RED], [7]])
    bare = rows.battle(kills=[Kill(isk_value=None)])
    cards = [api.get(f"/b/{battle_id}/card.png") for battle_id in (one, other, bare)]

    for card in cards:
        assert card.headers["content-type"] == "image/png"
        assert len(card.content) < 60_000
        with Image.open(BytesIO(card.content)) as image:
            assert (image.format, image.size) == ("PNG", (1200, 630))
    assert len({card.content for card in cards}) == 3
    html = api.get(f"/b/{one}").text
    assert f'<meta property="og:image" content="http://api.test/b/{one}/card.png">' in html


@pytest.mark.parametrize("host", ["[", "", "a b", "x" * 300, '"><script>alert(1)</script>'])
def test_no_host_header_breaks_a_page(api: ApiClient, rows: Rows, host: str) -> None:
    battle_id = rows.battle()
    for path in ("/", f"/b/{battle_id}", "/nothing"):
        response = api.get(path, headers={"Host": host, **BROWSER})
        assert_is_page(response, 404 if path == "/nothing" else 200)


def test_an_error_that_nobody_foresaw_is_a_page_too(
    api: ApiClient, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.battle()
    assert_is_page(api.get("/"))  # the pages are made

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("api.pages.battles.leaders_of", fail)
    response = api.get("/")
    assert_is_page(response, 500)
    assert "ZeroDivision" not in response.text


def test_a_database_that_is_away_is_a_page_too() -> None:
    with api_over(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing") as client:
        response = client.get("/")
    assert_is_page(response, 503)
    assert response.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    "path", ["/b", "/b/", "/b//sides", "/assets/", "/assets/%2E%2E%2Fapp.py", "//", "//b"]
)
def test_odd_paths_are_not_found(shared_api: ApiClient, path: str) -> None:
    assert_is_page(shared_api.get(f"http://api.test{path}"), 404)


@pytest.mark.parametrize(
    "query",
    [
        "alliance=%00x", "alliance=%EF%BC%99", "alliance=" + "x" * 5000, "against=%27%3B--", "system=%ED%A0%80",
        "min_isk=1e9", "min_isk=999999t", "min_isk=-1", "min_isk=.b", "min_kills=%D9%A3", "live=maybe", "order=x",
        "since=x", "until=9999-12-31", "limit=0", "limit=1", "space=x", "region=0", "a=b", "=", "%3Cscript%3E=1",
    ],
)  # fmt: skip
def test_no_query_is_too_odd_for_the_list(shared_api: ApiClient, query: str) -> None:
    response = shared_api.get(f"/?{query}")
    assert response.status_code in {200, 302, 422}
    if response.status_code != 302:
        assert_is_page(response, response.status_code)
        assert "<script>" not in response.text


@pytest.mark.parametrize(
    "q", ["%00%00", "%25_%5C", "a%20%26%20%7C", "%ED%A0%80%ED%A0%80", "%3Cscript%3E", "x" * 100]
)
def test_nothing_is_too_odd_to_be_searched(shared_api: ApiClient, q: str) -> None:
    assert_is_page(shared_api.get(f"/find?q={q}"))


def test_a_name_that_many_pilots_share_still_finds_the_system(api: ApiClient, rows: Rows) -> None:
    for number in range(60):
        rows.name(95_000_000 + number, f"Tama {number}", "character")
    rows.system(30002813, "Tama of the many pilots", region="The Citadel", security=0.3)

    answer = api.get("/?system=tama", headers=BROWSER)

    assert (answer.status_code, answer.headers["location"]) == (302, "/?system=30002813")


def test_people_and_programs_can_search_by_the_same(api: ApiClient, rows: Rows) -> None:
    rows.name(99_000_001, "Goons warm", "alliance")

    by_program = api.get("/search?q=Goons%C2%A0warm")
    by_person = api.get("/find?q=Goons%C2%A0warm", headers=BROWSER)

    assert by_program.json()["items"][0]["name"] == "Goons warm"
    assert "Goons warm" in by_person.text


def test_a_leader_s_name_that_becomes_known_makes_another_page(api: ApiClient, rows: Rows) -> None:
    battle_id = rows.battle(sides=[[98_000_501], [98_000_502]])
    path = f"/b/{battle_id}/killmails"
    before = api.get(path, headers=BROWSER)

    rows.name(98_000_501, "The Leaders", "corporation")
    after = api.get(path, headers={**BROWSER, "If-None-Match": before.headers["etag"]})

    assert after.status_code == 200
    assert "The Leaders" in after.text


def test_what_other_sites_add_to_addresses_is_not_minded(api: ApiClient, rows: Rows) -> None:
    battle_id = rows.battle()

    def shown(path: str) -> str:
        answer = api.get(path, headers=BROWSER)
        assert_is_page(answer)
        return answer.text

    assert shown("/?space=jspace&fbclid=IwAR1-x&utm_source=a&utm_medium=b") == shown("/?space=jspace")
    assert shown(f"/b/{battle_id}?utm_campaign=x") == shown(f"/b/{battle_id}")
    assert_is_page(api.get("/?fbclidx=1", headers=BROWSER), 422)
    assert_is_problem(api.get(f"/battles/{battle_id}?fbclid=1"), 422)
