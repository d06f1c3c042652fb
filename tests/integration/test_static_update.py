"""`battlescope static update` against a server on loopback that serves a small export in CCP's shape."""

import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from battlescope import static
from battlescope.database import Database
from battlescope.errors import LaptopError
from battlescope_local import static_update
from battlescope_local.ports import free_port

type Rows = dict[str, list[dict[str, Any]]]
type Serve = Callable[[bytes, int], str]


def name(text: str) -> dict[str, str]:
    return {"de": f"{text} (de)", "en": text, "zh": text}


def export() -> Rows:
    return {
        "_sde.jsonl": [{"_key": "sde", "buildNumber": 9_000_000, "releaseDate": "2026-11-01T11:00:00Z"}],
        "mapRegions.jsonl": [
            {"_key": 10001004, "name": name("Exordium"), "constellationIDs": [20010001], "nebulaID": 1}
        ],
        "mapConstellations.jsonl": [
            {"_key": 20010001, "name": name("Manifest District"), "regionID": 10001004, "solarSystemIDs": [30100032]}
        ],
        "mapSolarSystems.jsonl": [
            {
                "_key": 30100032, "name": name("Manifest"), "constellationID": 20010001, "regionID": 10001004,
                "securityStatus": 0.8765432, "position": {"x": 1.0, "y": 2.0, "z": 3.0},
            }
        ],
        "categories.jsonl": [
            {"_key": 6, "name": name("Ship"), "published": True},
            {"_key": 91, "name": name("SKINs"), "published": True},
        ],
        "groups.jsonl": [
            {"_key": 25, "categoryID": 6, "name": name("Frigate"), "published": True},
            {"_key": 1950, "categoryID": 91, "name": name("Permanent SKIN"), "published": True},
        ],
        "types.jsonl": [
            {"_key": 999001, "groupID": 25, "name": name("Novelty"), "mass": 1000.0, "published": True},
            {"_key": 999002, "groupID": 1950, "name": name("Novelty paint"), "published": True},
        ],
    }  # fmt: skip


def zipped(rows: Rows) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for file_name, lines in rows.items():
            archive.writestr(file_name, "".join(json.dumps(line) + "\n" for line in lines))
    return data.getvalue()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves a body at a URL, as long as the test runs."""
    servers = []

    def start(body: bytes, status: int = 200) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/export.zip"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_an_update_adds_what_is_new(database: Database, serve: Serve) -> None:
    static.load_into(database)
    loaded = static_update.update(database, url=serve(zipped(export()), 200))
    assert loaded == ["regions", "solar_systems", "ship_types"]
    assert database.execute("SELECT name FROM regions WHERE region_id = 10001004").fetchone() == ("Exordium",)
    system = database.execute(
        "SELECT name, constellation_name, region_id, round(security_status::numeric, 4)::text"
        " FROM solar_systems WHERE system_id = 30100032"
    ).fetchone()
    assert system == ("Manifest", "Manifest District", 10001004, "0.8765")
    assert database.execute(
        "SELECT ship_type_id, name, group_name, category_name FROM ship_types WHERE ship_type_id >= 999000"
    ).fetchall() == [(999001, "Novelty", "Frigate", "Ship")]


def test_the_next_start_does_not_undo_an_update(database: Database, serve: Serve) -> None:
    renamed = export()
    renamed["mapRegions.jsonl"].append({"_key": 10000042, "name": name("Metropolis Renamed")})
    static_update.update(database, url=serve(zipped(renamed), 200))
    assert static.load_into(database) == []
    row = database.execute("SELECT name FROM regions WHERE region_id = 10000042").fetchone()
    assert row == ("Metropolis Renamed",)


def test_the_same_export_again_changes_nothing(database: Database, serve: Serve) -> None:
    url = serve(zipped(export()), 200)
    static_update.update(database, url=url)
    assert static_update.update(database, url=url) == []


def test_an_unreachable_server_is_one_line_that_says_so(database: Database) -> None:
    with pytest.raises(LaptopError, match=r"cannot be fetched: .*is the internet reachable") as caught:
        static_update.update(database, url=f"http://127.0.0.1:{free_port()}/export.zip", timeout_s=1.0)
    assert "\n" not in str(caught.value)


def test_an_error_of_the_server_is_told(database: Database, serve: Serve) -> None:
    with pytest.raises(LaptopError, match="answered 404"):
        static_update.update(database, url=serve(b"not here", 404))


@pytest.mark.parametrize("missing", ["_sde.jsonl", "mapConstellations.jsonl", "types.jsonl"])
def test_an_export_without_one_of_its_files_loads_nothing(
    database: Database, serve: Serve, missing: str
) -> None:
    rows = export()
    del rows[missing]
    with pytest.raises(LaptopError, match=f"not CCP's static data export.*{missing}"):
        static_update.update(database, url=serve(zipped(rows), 200))
    assert database.execute("SELECT count(*) FROM regions").fetchone() == (0,)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>log in to the hotel's network</html>",
        zipped(export())[:-200],
        zipped(export() | {"_sde.jsonl": []}),
        zipped(export() | {"mapRegions.jsonl": [{"_key": "ten", "name": "Exordium"}]}),
        zipped(export() | {"groups.jsonl": [{"_key": 26, "categoryID": 6, "name": name("Cruiser")}]}),
        zipped(export() | {"types.jsonl": []}),
    ],
    ids=["html", "truncated", "no build", "misshapen row", "type of no group", "no types"],
)
def test_what_is_not_the_export_is_refused(database: Database, serve: Serve, body: bytes) -> None:
    with pytest.raises(LaptopError, match="is not CCP's static data export"):
        static_update.update(database, url=serve(body, 200))


def test_an_endless_answer_is_cut_short(
    database: Database, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_update, "ZIP_BYTES_MAX", 1000)
    with pytest.raises(LaptopError, match="sends more than 1000 bytes"):
        static_update.update(database, url=serve(bytes(5000), 200))


def test_a_file_that_unpacks_to_too_much_is_refused(
    database: Database, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_update, "MEMBER_BYTES_MAX", 1000)
    rows = export()
    rows["types.jsonl"] = rows["types.jsonl"] * 100
    with pytest.raises(LaptopError, match="unpacks to more"):
        static_update.update(database, url=serve(zipped(rows), 200))
