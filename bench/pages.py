"""A battle's page: its size, how long the server takes for it, and when a browser shows something of it."""

import argparse
import gzip
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from threading import Event, Thread

import httpx
from playwright.sync_api import sync_playwright
from tests.e2e.pages.site import Site
from tests.integration.api.rows import Rows
from tests.support.chromium import ARGUMENTS, FIRST_PAINT_MS, chromium_path

from api.server import serve
from battlescope.database import connect
from battlescope.settings import ApiSettings
from battlescope_local.ports import free_port
from bench.support import database, machine

RUNS = 15


def main(argv: Sequence[str]) -> None:
    """Print sizes and times for a battle of so many kills; medians, on loopback."""
    parser = argparse.ArgumentParser(prog="bench pages", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    options = parser.parse_args(argv)
    print(machine())
    with database() as url, connect(url) as connection, _served(url) as address:
        path = f"/b/{Site(address, Rows(connection)).large_battle(options.kills)}"
        connection.execute("ANALYZE")
        for title, asked in (("battle", path), ("list", "/"), ("card", f"{path}/card.png")):
            body = httpx.get(address + asked).content
            took = median(_get_s(address + asked) for _ in range(RUNS))
            print(
                f"{title:8} {len(body):,} bytes, {len(gzip.compress(body, 5)):,} compressed, {took * 1000:.0f} ms"
            )
        print(f"first contentful paint of the battle: {_first_paint_ms(address + path):.0f} ms")


def _get_s(address: str) -> float:
    started = time.perf_counter()
    httpx.get(address).raise_for_status()
    return time.perf_counter() - started


def _first_paint_ms(address: str) -> float:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        painted = []
        for _ in range(RUNS):
            page = browser.new_page()
            page.goto(address)
            painted.append(float(page.evaluate(FIRST_PAINT_MS)))
            page.close()
        browser.close()
        return median(painted)


@contextmanager
def _served(url: str) -> Iterator[str]:
    port, stop = free_port(), Event()
    nowhere = f"http://127.0.0.1:{free_port()}"
    settings = ApiSettings.model_validate({"db_url": url, "image_server_url": nowhere})
    thread = Thread(target=serve, args=(settings, "127.0.0.1", port, stop))
    thread.start()
    time.sleep(1)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        thread.join()
