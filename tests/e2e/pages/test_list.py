"""The list of battles in a browser."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from tests.e2e.pages.conftest import Open
from tests.e2e.pages.site import Site
from tests.integration.api.rows import START, TAMA
from tests.support.skirmish import BLUE, RED, skirmish


def headlines(page: Page) -> list[str]:
    return page.locator(".battle .b-title").all_inner_texts()


def name_all(site: Site) -> None:
    site.rows.system(TAMA, "Tama", region="The Citadel", security=0.29)
    site.rows.name(RED, "Red Federation", "alliance")
    site.rows.name(BLUE, "Blue Horde", "alliance")


def test_a_battle_reads_like_a_headline_and_leads_to_its_page(site: Site, open_page: Open) -> None:
    name_all(site)
    cluster(site.rows.database, skirmish(), Rules())

    page = open_page("/")
    assert headlines(page) == ["Blue Horde vs Red Federation in Tama"]
    battle_id = page.locator(".battle").get_attribute("data-id")
    page.get_by_role("link", name="Blue Horde vs Red Federation in Tama").click()

    assert page.url == f"{site.address}/b/{battle_id}"
    assert page.title() == "Blue Horde vs Red Federation in Tama, 3 lost, 1.0b ISK"


def test_a_filter_typed_by_name_is_in_the_address_by_id(site: Site, open_page: Open) -> None:
    name_all(site)
    site.rows.battle(sides=[[RED], [BLUE]], entities=[RED, BLUE])
    site.rows.battle(sides=[[BLUE]], entities=[BLUE])

    page = open_page("/")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Alliance", exact=True).fill("red fed")
    page.get_by_label("ISK lost, at least").fill("0.001b")
    page.get_by_role("button", name="Show battles").click()

    assert page.url == f"{site.address}/?alliance={RED}&min_isk=1000000"
    assert headlines(page) == ["Red Federation vs Blue Horde in Tama"]
    page.get_by_role("link", name="alliance: Red Federation").click()
    assert page.url == f"{site.address}/?min_isk=1000000"
    assert len(headlines(page)) == 2


def test_paging_shows_every_battle_once(site: Site, open_page: Open) -> None:
    ids = [str(site.rows.battle(start=START + timedelta(hours=hour))) for hour in range(120)]

    page = open_page("/")
    seen: list[str] = []
    while True:
        seen += [row.get_attribute("data-id") or "" for row in page.locator(".battle").all()]
        following = page.get_by_role("link", name="Next page")
        if not following.count():
            break
        following.click()

    assert seen == ids[::-1]
    page.get_by_role("link", name="First page").click()
    assert page.url == f"{site.address}/"


def test_the_list_grows_while_it_is_looked_at(site: Site, open_page: Open) -> None:
    site.rows.battle()
    page = open_page("/")
    expect(page.locator(".battle")).to_have_count(1)
    page.wait_for_timeout(1200)  # until the stream is open

    site.rows.battle(start=datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5))

    expect(page.locator(".battle")).to_have_count(2, timeout=10_000)
    expect(page.locator(".battle").first).to_contain_text("live")
    expect(page.get_by_role("status")).to_have_text("A new battle.")


def test_where_nothing_can_stream_the_list_asks_for_changes(site: Site, open_page: Open) -> None:
    site.rows.battle()
    page = open_page("/about")
    page.context.route("**/events", lambda route: route.fulfill(status=501))
    page.clock.install()
    with page.expect_response("**/changes?*after=now"):
        page.goto(f"{site.address}/")

    site.rows.battle(start=START + timedelta(days=1))
    with page.expect_response(
        lambda response: "/changes" in response.url and "after=now" not in response.url
    ):
        page.clock.fast_forward(15_000)
    page.clock.fast_forward(3_000)

    expect(page.locator(".battle")).to_have_count(2)
