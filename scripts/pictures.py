"""Makes the README's pictures of the pages: a simulated New Eden, served, and photographed in Chromium.

    python -m scripts.pictures                   pictures into docs/pictures
    python -m scripts.pictures --serve 3000      the same New Eden, to be looked at

Nobody in it exists; systems, regions and ships are those of the game's static data.
"""

import argparse
import gzip
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import batched
from pathlib import Path
from threading import Event, Thread

import httpx
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from tests.support.chromium import ARGUMENTS, chromium_path

from api.server import serve
from battlescope.database import Database, connect
from battlescope.killmail import Killmail
from battlescope.migrate import migrate
from battlescope.runtime.signals import stop_on_signals
from battlescope.settings import ApiSettings
from battlescope.static import load_into
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.new_eden.naming import Naming
from battlescope_local.ports import free_port
from battlescope_local.simulate import write
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from ingest.feeds.archive import read_archive

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
SEED, HOURS = 3, 10
BYTES_MAX = 150 * 1024
WIDTH = 1280


def main() -> None:
    """Make the pictures, or serve what they show."""
    parser = argparse.ArgumentParser(prog="pictures", description=__doc__)
    parser.add_argument("--serve", type=int, metavar="PORT")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres", port=free_port(), settings={"fsync": "off"})
        postgres.start()
        try:
            with connect(postgres.url()) as connection:
                _fill(connection, Path(folder))
                (largest,) = connection.execute(
                    "SELECT id FROM battles ORDER BY pilots DESC LIMIT 1"
                ).fetchall()
            settings = ApiSettings(db_url=postgres.url(), image_server_url="http://127.0.0.1:9")
            if options.serve:
                serve(settings, "127.0.0.1", options.serve, stop_on_signals())
            else:
                with _served(settings) as address:
                    _photograph(address, f"/b/{largest[0]}")
        finally:
            postgres.stop()


def _fill(connection: Database, folder: Path) -> None:
    migrate(connection)
    load_into(connection)
    archive, lines = folder / "evening.jsonl.gz", io.StringIO()
    write(lines, seed=SEED, hours_long=HOURS)
    archive.write_bytes(gzip.compress(lines.getvalue().encode()))
    killmails = (one for one in read_archive(archive) if isinstance(one, Killmail))
    for chunk in batched(killmails, 1000, strict=False):
        cluster(connection, chunk, Rules())
    Naming().name_newcomers(connection)


@contextmanager
def _served(settings: ApiSettings) -> Iterator[str]:
    port, stop = free_port(), Event()
    thread = Thread(target=serve, args=(settings, "127.0.0.1", port, stop))
    thread.start()
    address = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
            client.get(f"{address}/healthz?live=1")
        yield address
    finally:
        stop.set()
        thread.join()


def _photograph(address: str, battle: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        _take(browser, f"{address}/?min_pilots=30", PICTURES / "battles.webp", height=900)
        _take(browser, f"{address}{battle}", PICTURES / "battle.webp", height=1500)
        browser.close()


def _take(browser: Browser, address: str, path: Path, height: int) -> None:
    page = browser.new_page(viewport={"width": WIDTH, "height": height}, color_scheme="dark")
    page.goto(address, wait_until="networkidle")
    with Image.open(io.BytesIO(page.screenshot())) as image:
        image.save(path, "WEBP", quality=80, method=6)
    page.close()
    size = path.stat().st_size
    print(f"{path.name}: {size:,} bytes")
    if size > BYTES_MAX:
        raise SystemExit(f"{path} is larger than {BYTES_MAX:,} bytes")


if __name__ == "__main__":
    main()
