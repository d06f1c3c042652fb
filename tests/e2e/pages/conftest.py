"""A site over a database of the test's own, and browsers that look at it."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from api.server import serve
from battlescope.database import Database
from battlescope.settings import ApiSettings
from battlescope_local.ports import free_port
from tests.e2e.pages.site import Site
from tests.integration.api.rows import Rows
from tests.integration.api.test_server import eventually
from tests.support.chromium import ARGUMENTS, chromium_path

type Open = Callable[..., Page]


# Of this package only: while it lives, this thread has an event loop, which tests of other packages have their own of.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    try:
        path = chromium_path()
    except LookupError as reason:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(reason))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def site(db_url: str, database: Database) -> Iterator[Site]:
    with served(db_url) as address:
        yield Site(address, Rows(database))


@contextmanager
def served(db_url: str) -> Iterator[str]:
    port, stop = free_port(), Event()
    nowhere = f"http://127.0.0.1:{free_port()}"  # pictures cannot be had
    settings = ApiSettings.model_validate({"db_url": db_url, "image_server_url": nowhere})
    thread = Thread(target=serve, args=(settings, "127.0.0.1", port, stop))
    thread.start()
    address = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: httpx.get(f"{address}/healthz?live=1").is_success)
        yield address
    finally:
        stop.set()
        thread.join(10)


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Open]:
    """Opens a path in a new browser; whatever the page did wrong fails the test at its end."""
    complaints: list[str] = []
    with ExitStack() as stack:

        def open_path(path: str, *, width: int = 1280, **options: Any) -> Page:
            context = browser.new_context(viewport={"width": width, "height": 844}, **options)
            stack.callback(context.close)
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda message: complaints.append(message.text))
            page.goto(site.address + path)
            return page

        yield open_path
    assert [text for text in complaints if not text.startswith("Failed to load resource")] == []
