"""A battle's page in a browser."""

import httpx
from playwright.sync_api import Route, expect

from tests.e2e.pages.conftest import Open
from tests.e2e.pages.site import Site
from tests.integration.api.rows import Kill, Pilot
from tests.support.chromium import FIRST_PAINT_MS

HTML_BYTES_MAX = 300 * 1024
FIRST_PAINT_MS_MAX = 2000
"""On a machine that does other things too; `bench pages` measures it."""


def test_a_battle_of_a_thousand_kills_is_small_and_soon_to_be_seen(site: Site, open_page: Open) -> None:
    battle_id = site.large_battle(1000)

    html = httpx.get(f"{site.address}/b/{battle_id}").content
    page = open_page(f"/b/{battle_id}")

    painted_ms = page.evaluate(FIRST_PAINT_MS)
    assert len(html) <= HTML_BYTES_MAX
    assert painted_ms <= FIRST_PAINT_MS_MAX
    for heading in ("Sides", "Timeline", "Most valuable losses", "Ships", "Killmails"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    assert page.locator("#sides + .sides > .side").count() >= 2
    assert "lost, " in page.title()
    page.locator("summary", has_text="Why").first.click()
    expect(page.get_by_text("On side 1: shot side 2").first).to_be_visible()


def test_every_killmail_of_it_is_on_a_page(site: Site, open_page: Open) -> None:
    battle_id = site.large_battle(450)

    page = open_page(f"/b/{battle_id}")
    page.get_by_role("link", name="All 450 killmails").click()
    seen: list[str] = []
    while True:
        rows = page.locator(".kills tbody td:first-child a").all()
        seen += [row.get_attribute("href") or "" for row in rows]
        following = page.get_by_role("link", name="Next page")
        if not following.count():
            break
        following.click()

    assert len(seen) == len(set(seen)) == 450
    assert all(address.startswith("https://zkillboard.com/kill/") for address in seen)


def test_an_id_from_before_a_merge_leads_to_the_battle_that_holds_it(site: Site, open_page: Open) -> None:
    battle_id = site.rows.battle()
    alias = site.rows.alias(96_000_002)
    page = open_page(f"/b/{alias}/killmails")
    assert page.url == f"{site.address}/b/{battle_id}/killmails"


def test_a_battle_grows_while_it_is_looked_at(site: Site, open_page: Open) -> None:
    battle_id = site.rows.battle()
    page = open_page(f"/b/{battle_id}")
    page.wait_for_timeout(1200)  # until the stream is open

    site.rows.database.execute("UPDATE battles SET pilots = 4321 WHERE id = %s", (battle_id,))
    site.rows.grow(battle_id)

    expect(page.locator(".totals")).to_contain_text("4,321", timeout=10_000)


def test_a_battle_that_grew_before_its_stream_was_open_is_shown(site: Site, open_page: Open) -> None:
    battle_id = site.rows.battle()
    page = open_page("/about")

    def grow_first(route: Route) -> None:
        site.rows.database.execute("UPDATE battles SET pilots = 4321 WHERE id = %s", (battle_id,))
        site.rows.grow(battle_id)
        route.continue_()

    page.context.route("**/events", grow_first, times=1)
    page.goto(f"{site.address}/b/{battle_id}")

    expect(page.locator(".totals")).to_contain_text("4,321", timeout=10_000)
    expect(page.get_by_role("status")).to_have_text("The battle has grown.")


def test_a_battle_that_could_not_be_asked_for_is_asked_for_again(site: Site, open_page: Open) -> None:
    battle_id = site.rows.battle()
    page = open_page("/about")
    page.clock.install()
    page.goto(f"{site.address}/b/{battle_id}")
    page.wait_for_timeout(1200)  # until the stream is open
    page.clock.fast_forward(3_000)
    page.context.route(f"**/b/{battle_id}", lambda route: route.fulfill(status=503))

    site.rows.database.execute("UPDATE battles SET pilots = 4321 WHERE id = %s", (battle_id,))
    site.rows.grow(battle_id)
    with page.expect_response(lambda response: response.status == 503):
        page.wait_for_timeout(1500)  # until the change is told
        page.clock.fast_forward(3_000)
    page.context.unroute(f"**/b/{battle_id}")
    page.clock.fast_forward(15_000)

    expect(page.locator(".totals")).to_contain_text("4,321", timeout=10_000)


HOSTILE = """<img src=x onerror="alert(1)">'\"</title><script>alert(2)</script>{{ 7*7 }}"""


def test_hostile_names_are_only_names(site: Site, open_page: Open) -> None:
    for id_, kind in ((90_000_001, "character"), (98_000_001, "corporation"), (99_000_001, "alliance")):
        site.rows.name(id_, HOSTILE, kind)
    site.rows.ship_type(587, HOSTILE)
    site.rows.system(30002813, HOSTILE, region=HOSTILE, security=0.3)
    battle_id = site.rows.battle(
        kills=[Kill(attacker_alliances=[99_000_001])],
        pilots=[Pilot(character=90_000_001)],
        sides=[[99_000_001], [98_000_001]],
        entities=[99_000_001, 98_000_001],
    )

    for path in (
        "/",
        "/?alliance=99000001",
        f"/b/{battle_id}",
        f"/b/{battle_id}/killmails",
        "/alliance/99000001",
        "/system/30002813",
        "/find?q=%3Cimg",
    ):
        page = open_page(path)
        assert page.locator("img[src=x], img[onerror], main script").count() == 0, path
        assert HOSTILE[:10] in page.content().replace("&lt;", "<"), path
