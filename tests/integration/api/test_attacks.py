"""A served API under attack: nothing that is sent or that a name says breaks it, runs, or comes back as more than text."""

import json
import socket
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from battlescope_local.embedded_postgres import EmbeddedPostgres
from tests.integration.api.hostile import HOSTILE, Hostile, Ids, dangers_of, formulas_of, hostile_api
from tests.integration.api.test_contract import ANSWERED, OPERATIONS, assert_is_problem
from tests.integration.api.test_pages import BROWSER

QUICK_S = 2.0
ODD = (
    *HOSTILE[:-2],
    "%00",
    "\x00",
    "a\x00b",
    "\udcff",
    "\ufffe",
    "../../etc/passwd",
    "//evil.example/",
    "9" * 400,
)
PAGES = (
    *(
        "/",
        "/b/{battle}",
        "/b/{battle}/sides",
        "/b/{battle}/killmails",
        "/alliance/{alliance}",
        "/find?q={q}",
    ),
    *("/corporation/{corporation}", "/character/{character}", "/system/{system}", "/about"),
)
PAGE_PARAMETERS = {
    "/": (
        "q",
        "alliance",
        "against",
        "region",
        "system",
        "space",
        "order",
        "since",
        "until",
        "cursor",
        "min_isk",
        "x",
    ),
    "/find": ("q", "x"),
    "/b/{battle}/killmails": ("cursor", "x"),
    "/alliance/{alliance}": ("cursor", "order", "x"),
    "/system/{system}": ("cursor", "x"),
}


@pytest.fixture(scope="module")
def hostile(postgres: EmbeddedPostgres) -> Iterator[Hostile]:
    with hostile_api(postgres) as served:
        yield served


def address(path: str, ids: Ids, parameters: str = "") -> str:
    """A path of the API with ids for which there is something."""
    kind = path.split("/")[1]
    id_ = {
        "battles": ids.battle,
        "killmails": ids.killmail,
        "characters": ids.character,
        "corporations": ids.corporation,
        "alliances": ids.alliance,
        "systems": ids.system,
    }.get(kind)
    needed = "?q=al" if path == "/search" and not parameters else ""
    return path.replace("{id}", str(id_)) + needed + parameters


def encoded(text: str) -> str:
    return quote(text.encode(errors="surrogateescape"), safe="")


def assert_is_harmless(response: httpx.Response, asked: str) -> None:
    """It is no error of ours, came soon, and runs nothing."""
    assert response.status_code < 500, (asked, response.text[:300])
    assert response.elapsed.total_seconds() < QUICK_S, asked
    assert "set-cookie" not in response.headers
    kind = response.headers.get("content-type", "").partition(";")[0]
    if kind == "text/html":
        assert dangers_of(response.text) == [], asked
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    elif response.content:
        # Nothing that a browser would take for a page, whatever is in it.
        assert kind in {
            "application/json",
            "application/problem+json",
            "application/x-ndjson",
            "application/jsonl",
            "text/csv",
            "image/png",
            "text/css",
            "text/javascript",
            "text/plain",
            "image/svg+xml",
            "image/x-icon",
        }, (asked, kind)


def test_no_name_is_more_than_text_on_any_page(hostile: Hostile) -> None:
    for ids, name in zip(hostile.named, HOSTILE, strict=True):
        for page in PAGES:
            path = page.format(**ids._asdict(), q=encoded(name[:40]))
            response = hostile.api.get(path, headers=BROWSER)
            assert_is_harmless(response, path)
            assert (
                response.status_code in {200, 422}
                if page.startswith("/find")
                else response.status_code == 200
            )
            assert response.headers["content-type"].startswith("text/html")
        card = hostile.api.get(f"/b/{ids.battle}/card.png")
        assert (card.status_code, card.content[:4]) == (200, b"\x89PNG")


def test_no_name_is_a_formula_or_another_name_in_any_file_or_answer(hostile: Hostile) -> None:
    for ids, name in zip(hostile.named, HOSTILE, strict=True):
        for path in ANSWERED:
            response = hostile.api.get(address(path, ids))
            assert_is_harmless(response, path)
            assert response.status_code == 200, path
            json.loads(response.text)
        for path in (
            "/battles",
            "/battles/{id}/killmails",
            "/battles/{id}/participants",
            "/systems/{id}/battles",
        ):
            csv = hostile.api.get(address(path, ids, "?format=csv"))
            assert (csv.status_code, formulas_of(csv.text)) == (200, []), path
            assert csv.headers["content-type"].startswith("text/csv")
            assert csv.headers["content-disposition"].startswith("attachment; ")
            lines = hostile.api.get(address(path, ids, "?format=jsonl")).text.splitlines()
            assert all(json.loads(line) for line in lines)
        assert hostile.api.get(f"/alliances/{ids.alliance}").json()["name"] == name


def test_nothing_in_any_parameter_breaks_or_comes_back_alive(hostile: Hostile) -> None:
    before = hostile.rows.database.execute("SELECT count(*), max(id) FROM names").fetchone()
    ids = hostile.named[0]
    for path in ANSWERED:
        for text in ODD:
            if "{id}" in path:
                odd = path.replace("{id}", encoded(text))
                assert_is_harmless(hostile.api.get(odd), odd)
            for parameter in OPERATIONS[path].get("parameters", []):
                if parameter["in"] == "query":
                    asked = address(path, ids, f"?{parameter['name']}={encoded(text)}")
                    assert_is_harmless(hostile.api.get(asked), asked)
    assert hostile.rows.database.execute("SELECT count(*), max(id) FROM names").fetchone() == before


def test_nothing_in_any_parameter_of_a_page_breaks_or_comes_back_alive(hostile: Hostile) -> None:
    ids = hostile.named[0]
    for page, parameters in PAGE_PARAMETERS.items():
        for text in ODD:
            for parameter in parameters:
                asked = f"{page.format(**ids._asdict())}?{parameter}={encoded(text)}"
                assert_is_harmless(hostile.api.get(asked, headers=BROWSER), asked)
    for text in ODD:
        for path in (
            "/{}",
            "/b/{}",
            "/b/{}/card.png",
            "/alliance/{}",
            "/system/{}",
            "/assets/{}",
            "/about?{}=1",
        ):
            asked = path.format(encoded(text))
            assert_is_harmless(hostile.api.get(asked, headers=BROWSER), asked)


def paged(hostile: Hostile) -> dict[str, str]:
    """The lists that go on after one item, and the cursor with which they do."""
    ids = hostile.named[0]
    found: dict[str, str] = {}
    for path in ANSWERED:
        names = {one["name"] for one in OPERATIONS[path].get("parameters", [])}
        if names & {"cursor", "after"}:
            following = hostile.api.get(address(path, ids, "?limit=1")).json()["next"]
            found |= {address(path, ids): following} if following else {}
    return found


def test_no_cursor_that_was_changed_or_belongs_elsewhere_breaks_a_list(hostile: Hostile) -> None:
    lists = paged(hostile)
    assert len(lists) >= 6
    chance = Random(9)
    for path, good in lists.items():
        name = "after" if path == "/changes" else "cursor"
        flipped = [
            good[:at] + chr(ord(good[at]) ^ 1 << chance.randrange(7)) + good[at + 1 :]
            for at in range(len(good))
        ]
        for cursor in (*flipped, *lists.values(), good * 2, good * 100, "A" * 399, "=" * 20, "A" * 8000, ""):
            asked = f"{path}?limit=1&{name}={encoded(cursor)}"
            response = hostile.api.get(asked)
            assert_is_harmless(response, asked)
            assert response.status_code in {200, 422}, asked


def forged(cursor: str, after: Any) -> str:
    document = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return urlsafe_b64encode(json.dumps({**document, "after": after}).encode()).decode().rstrip("=")


def test_the_deepest_cursors_that_can_be_forged_are_answered_soon(hostile: Hostile) -> None:
    ends: tuple[Any, ...] = (
        0,
        1,
        2**63 - 1,
        2**63,
        -1,
        "2000-01-01T00:00:00Z",
        "2199-12-31T23:59:59Z",
        "1999-01-01T00:00:00Z",
    )
    ids = ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", 0, 2**63 - 1)
    for path, good in paged(hostile).items():
        name = "after" if path == "/changes" else "cursor"
        for first in ends:
            for last in ids:
                for after in ([first, last], [first, 1, last], first):
                    asked = f"{path}?limit=1&{name}={forged(good, after)}"
                    response = hostile.api.get(asked)
                    assert_is_harmless(response, asked)
                    assert response.status_code in {200, 422}, asked


def exchange(api: httpx.Client, request: bytes, silence_s: float = 3) -> bytes:
    """What the server says to bytes, until it ends the connection or falls silent."""
    said = b""
    with socket.create_connection(("127.0.0.1", api.base_url.port or 0), timeout=silence_s) as client:
        try:
            client.sendall(request)
            while some := client.recv(65536):
                said += some
        except (TimeoutError, ConnectionError):
            pass
    return said


GET = b"GET /battles?limit=1 HTTP/1.1\r\n"
HOST = b"Host: api.test\r\nConnection: close\r\n"
KEPT = b"Host: api.test\r\n"


@pytest.mark.parametrize(
    ("request_", "statuses"),
    {
        "no host": (GET + b"\r\n", {400}),
        "two hosts": (GET + HOST + b"Host: evil.example\r\n\r\n", {400}),
        "a whole address": (
            b"GET http://evil.example/battles HTTP/1.1\r\n" + HOST + b"\r\n",
            {200, 400, 404},
        ),
        "a proxy's method": (b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n", {400, 404, 405}),
        "no such method": (b"BREW /battles HTTP/1.1\r\n" + HOST + b"\r\n", {405}),
        "the star": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", {400, 404, 405}),
        "no http": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20, {400}),
        "http/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 404, 405}),
        "8 KB of query": (b"GET /battles?x=" + b"a" * 8192 + b" HTTP/1.1\r\n" + HOST + b"\r\n", {422}),
        "8 KB of parameters": (b"GET /battles?" + b"a=1&" * 2048 + b"b HTTP/1.1\r\n" + HOST + b"\r\n", {422}),
        "400 KB of query": (
            b"GET /battles?x=" + b"a" * 400_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
            {0, 400},
        ),
        "8 KB of path": (b"GET /" + b"a/" * 4096 + b" HTTP/1.1\r\n" + HOST + b"\r\n", {404}),
        "headers too large": (GET + HOST + b"X-Large: " + b"a" * 400_000 + b"\r\n\r\n", {0, 400}),
        "headers too many": (GET + HOST + b"X-Many: 1\r\n" * 40_000 + b"\r\n", {0, 400}),
        "a folded header": (GET + HOST + b"X-Fold: a\r\n b\r\n\r\n", {200, 400}),
        "a header with NUL": (GET + HOST + b"X-Nul: a\0b\r\n\r\n", {400}),
        "a header in latin-1": (GET + HOST + b"Accept: \xff\xfe\r\n\r\n", {200, 400, 406}),
        "two lengths": (GET + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", {400}),
        "a length below 0": (GET + HOST + b"Content-Length: -1\r\n\r\n", {400}),
        "an endless length": (GET + HOST + b"Content-Length: 99999999999\r\n\r\nabc", {200}),
        "an unknown coding": (GET + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {400, 501}),
        "broken chunks": (GET + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", {200, 400}),
        "a websocket": (GET + KEPT + b"Connection: upgrade, close\r\nUpgrade: websocket\r\n\r\n", {200}),
        "expects": (GET + HOST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", {200}),
        "a range": (GET + HOST + b"Range: bytes=0-0,5-,-1\r\n\r\n", {200}),
        "ages ago": (
            GET + HOST + b"If-Modified-Since: yesterday\r\nIf-None-Match: " + b'"x",' * 900 + b"\r\n\r\n",
            {200},
        ),
        "a method in a header": (
            GET + HOST + b"X-HTTP-Method-Override: DELETE\r\nX-Method: PUT\r\n\r\n",
            {200},
        ),
        "a method in a header of another": (
            b"POST /battles HTTP/1.1\r\n"
            + HOST
            + b"X-HTTP-Method-Override: GET\r\nContent-Length: 0\r\n\r\n",
            {405},
        ),
        "a space in the path": (b"GET /battles ?limit=1 HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
        "bytes in the path": (b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n", {400, 404}),
        "half an escape": (b"GET /battles?space=%f HTTP/1.1\r\n" + HOST + b"\r\n", {422}),
        "no utf-8": (b"GET /search?q=%ff%fe%c0%af HTTP/1.1\r\n" + HOST + b"\r\n", {200, 422}),
        "a longer way to say it": (b"GET /assets/%c0%ae%c0%ae/x HTTP/1.1\r\n" + HOST + b"\r\n", {404}),
        "up and out": (b"GET /assets/../../../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", {404}),
        "up and out, escaped": (
            b"GET /assets/..%2f..%2f..%2fetc%2fpasswd HTTP/1.1\r\n" + HOST + b"\r\n",
            {404},
        ),
        "two slashes": (b"GET //evil.example/battles HTTP/1.1\r\n" + HOST + b"\r\n", {404}),
        "an odd last event": (
            b"GET /events HTTP/1.1\r\n" + HOST + b"Last-Event-ID: \xff<script>\r\n\r\n",
            {422},
        ),
    }.values(),
    ids=lambda one: None if isinstance(one, bytes | set) else str(one),
)
def test_no_bytes_break_the_server(hostile: Hostile, request_: bytes, statuses: set[int]) -> None:
    said = exchange(hostile.api, request_)

    final = said.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").removeprefix(b"HTTP/1.1 100 \r\n\r\n")
    # A server that closes before it has read everything may reset the connection, and its answer is lost.
    assert int(final[9:12] or 0) in statuses, said[:300]
    assert b"Traceback" not in said
    assert hostile.api.get("/healthz?live=1").status_code == 200


def test_a_request_hidden_in_another_is_not_answered(hostile: Hostile) -> None:
    hidden = b"GET /about HTTP/1.1\r\nHost: x\r\n\r\n"
    both = GET + KEPT + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % (len(hidden) + 5)
    said = exchange(hostile.api, both + b"0\r\n\r\n" + hidden, 1)
    as_body = exchange(hostile.api, GET + KEPT + b"Content-Length: %d\r\n\r\n" % len(hidden) + hidden, 1)

    assert said.count(b"HTTP/1.1 ") == 1, said[:500]
    assert as_body.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("page", ["/", "/b/{battle}", "/about", "/nonsense", "/find?q=x"])
def test_no_header_says_where_we_are_unless_a_proxy_is_trusted(hostile: Hostile, page: str) -> None:
    path = page.format(**hostile.named[0]._asdict())
    forwarded = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "javascript",
        "X-Forwarded-For": "<script>",
        "X-Forwarded-Prefix": "/evil.example",
        "Forwarded": "host=evil.example;proto=https",
        "X-Original-URL": "/evil.example",
        "X-Rewrite-URL": "/evil.example",
    }
    plain = hostile.api.get(path, headers=BROWSER)
    response = hostile.api.get(path, headers={**BROWSER, **forwarded})

    assert (response.status_code, response.text) == (plain.status_code, plain.text)
    assert "evil" not in str(response.headers)


@pytest.mark.parametrize(
    "host", ['x"><script>alert(1)</script>', "evil.example/@", "a b", "x:99999", "[::1", "\xff"]
)
def test_an_odd_host_is_nothing_but_text(hostile: Hostile, host: str) -> None:
    for path in ("/", f"/b/{hostile.named[0].battle}", "/battles?limit=1"):
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html,*/*\r\nConnection: close\r\n\r\n"
        said = exchange(hostile.api, request.encode("latin-1"))
        head, _, text = said.partition(b"\r\n\r\n")
        assert int(head[9:12]) in {200, 400}, said[:200]
        assert dangers_of(text.decode(errors="replace")) == []


def test_pages_of_a_hundred_parameters_are_refused_soon(hostile: Hostile) -> None:
    started = time.monotonic()
    many = "&".join(f"p{n}={n}" for n in range(1000))
    assert_is_problem(hostile.api.get(f"/battles?{many}"), 422)
    assert hostile.api.get(f"/?{many}", headers=BROWSER).status_code == 422
    assert time.monotonic() - started < QUICK_S
