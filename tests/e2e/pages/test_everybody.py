"""What holds on every page: on a phone, without JavaScript, with a screen reader, without pictures."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from battlescope.database import connect
from battlescope_local.embedded_postgres import EmbeddedPostgres
from tests.conftest import made_database
from tests.e2e.pages.conftest import Open, served
from tests.e2e.pages.site import Site
from tests.integration.api.rows import Rows

OVERFULL = """
    [...document.querySelectorAll("form, .card, .side, .battle, .totals > div")].filter(box => {
        const edge = box.getBoundingClientRect().right - parseFloat(getComputedStyle(box).paddingRight) + 1;
        return [...box.children].some(child => child.getBoundingClientRect().right > edge);
    }).map(box => box.className || box.tagName)
"""
"""Evaluates to the boxes on a page that something sticks out of."""

SERIOUS = {"serious", "critical"}
SEARCH = "Alliance, corporation, pilot or system"


@pytest.fixture(scope="module")
def site(postgres: EmbeddedPostgres) -> Iterator[Site]:
    """One for all: these tests only look."""
    with made_database(postgres) as url, connect(url) as database, served(url) as address:
        yield Site(address, Rows(database))


@pytest.fixture(scope="module")
def paths(site: Site) -> list[str]:
    """Every kind of page, with something on it."""
    battle_id = site.large_battle(60)
    site.rows.feed("r2z2", moved=None)
    site.rows.day("2021-11-28", expected=17047, held=17046)
    row = site.rows.database.execute(
        "SELECT alliance_id, corp_id, character_id FROM battle_participants"
    ).fetchone()
    assert row is not None
    alliance, corporation, character = row
    return [
        "/",
        f"/?alliance={alliance}&min_kills=10",
        "/?min_kills=100000",
        f"/b/{battle_id}",
        f"/b/{battle_id}/sides",
        f"/b/{battle_id}/killmails",
        f"/alliance/{alliance}",
        f"/corporation/{corporation}",
        f"/character/{character}",
        "/system/30001046",
        "/find?q=alliance",
        "/find",
        "/about",
        "/b/x",
        "/nothing",
    ]


def test_nothing_sticks_out_on_a_phone(paths: list[str], open_page: Open) -> None:
    for path in paths:
        page = open_page(path, width=390, is_mobile=True)
        open_details(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        assert page.evaluate(OVERFULL) == [], path


@pytest.mark.parametrize(("scheme", "rules"), [("dark", None), ("light", ["color-contrast"])])
def test_axe_finds_nothing_serious(
    paths: list[str], open_page: Open, scheme: str, rules: list[str] | None
) -> None:
    for path in paths:
        page = open_page(path, color_scheme=scheme)
        open_details(page)
        found = Axe().run(page, options={"runOnly": rules} if rules else None).response["violations"]
        serious = [
            (one["id"], node["html"][:160], node["failureSummary"][:300])
            for one in found
            if one["impact"] in SERIOUS
            for node in one["nodes"][:2]
        ]
        assert serious == [], path


def open_details(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")


@pytest.mark.usefixtures("paths")
def test_everything_is_there_without_javascript(site: Site, open_page: Open) -> None:
    page = open_page("/", java_script_enabled=False)
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Kills, at least").fill("50")
    page.get_by_role("button", name="Show battles").click()
    assert page.url == f"{site.address}/?min_kills=50"
    page.locator(".battle .b-title a").first.click()
    expect(page.get_by_role("heading", name="Killmails")).to_be_visible()
    page.locator("summary", has_text="Why").first.click()
    expect(page.get_by_text("On side 1: shot side 2").first).to_be_visible()
    page.get_by_label(SEARCH).fill("Alliance of")
    page.get_by_role("button", name="Search").click()
    page.locator(".found a").first.click()
    assert "/alliance/" in page.url
    expect(page.get_by_role("heading", name="Opponents")).to_be_visible()


@pytest.mark.usefixtures("paths")
def test_the_keyboard_reaches_a_battle_and_its_reasons(open_page: Open) -> None:
    page = open_page("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.battle .b-title a')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/b/*")
    page.locator(".affiliations summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".affiliations details").first.get_by_role("paragraph")).to_be_visible()


def test_pictures_come_lazily_in_their_size_and_only_from_the_image_server(
    paths: list[str], open_page: Open
) -> None:
    page = open_page(paths[3])
    pictures = page.locator(".pic img")
    assert pictures.count() > 50
    for attribute, value in (("loading", "lazy"), ("alt", "")):
        assert all(one.get_attribute(attribute) == value for one in pictures.all())
    assert all(one.get_attribute("width") and one.get_attribute("height") for one in pictures.all())
    # and where they cannot be had, the placeholder is as large as they would be
    box = pictures.first.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (32, 32)
    assert "placeholder-" in pictures.first.evaluate(
        "one => getComputedStyle(one, '::after').backgroundImage"
    )


@pytest.mark.usefixtures("paths")
def test_suggestions_lead_to_pages(open_page: Open) -> None:
    requested: list[str] = []
    page = open_page("/about")
    page.on("request", lambda request: requested.append(urlsplit(request.url).path))
    search = page.get_by_label(SEARCH)
    search.press_sequentially("Alliance of", delay=10)
    option = page.locator("#suggestions option").first
    expect(option).to_be_attached()
    name = option.get_attribute("value") or ""
    assert "/search" in requested
    # Choosing from the browser's own list cannot be played; this is the event that it sends.
    search.evaluate(
        "(input, name) => { input.value = name; input.dispatchEvent(new Event('input', {bubbles: true})); }",
        name,
    )
    page.wait_for_url("**/alliance/*")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
