"""A database full of names that want to be more than names, and what looks at answers for where they succeeded."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from html.parser import HTMLParser
from typing import NamedTuple
from uuid import UUID

import httpx

from battlescope.database import connect
from battlescope_local.embedded_postgres import EmbeddedPostgres
from tests.conftest import made_database
from tests.integration.api.rows import START, Kill, Pilot, Rows
from tests.integration.api.test_server import served

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></script><svg/onload=alert(1)>",
    "'; DROP TABLE names; --",
    "1); SELECT pg_sleep(3); --",
    "=cmd|' /c calc'!A0",
    "@SUM(A1)",
    "{{7*7}}{% for x in y %}",
    "x\r\nSet-Cookie: stolen=1",
    "\u202egnp.exe \ufeff\u0301",
    "&lt;b&gt;&amp;&#60;",
    "🚀" * 40,
    "long " * 1000,
)
"""Markup, SQL, formulas, templates, headers, and text that turns round or has no end."""


class Ids(NamedTuple):
    """One battle among those named so."""

    battle: UUID
    character: int
    corporation: int
    alliance: int
    system: int
    ship: int
    killmail: int


class Hostile(NamedTuple):
    """A served API over such a database, and what is in it."""

    api: httpx.Client
    rows: Rows
    named: list[Ids]


@contextmanager
def hostile_api(postgres: EmbeddedPostgres) -> Iterator[Hostile]:
    """Two battles for each of HOSTILE, in which it is the name of everybody and everything."""
    with made_database(postgres) as url, connect(url) as database, served(url) as api:
        rows = Rows(database)
        api.timeout = httpx.Timeout(20)
        yield Hostile(api, rows, [_named(rows, number, name) for number, name in enumerate(HOSTILE)])


def _named(rows: Rows, number: int, name: str) -> Ids:
    character, corporation, alliance = 90_001_000 + number, 98_001_000 + number, 99_001_000 + 2 * number
    system, ship = 30_001_000 + number, 20_000 + number
    rows.system(system, name, region=name, security=0.4)
    rows.ship_type(ship, name)
    for entity, category in (
        (character, "character"),
        (corporation, "corporation"),
        (alliance, "alliance"),
        (alliance + 1, "alliance"),
    ):
        rows.name(entity, name, category)
    first_killmail = 97_000_000 + 10 * number
    rows.killmail_ids_from(first_killmail)
    for hours in (0, 5):
        battle = rows.battle(
            system=system,
            start=START - timedelta(hours=hours),
            kills=[
                Kill(
                    victim=character,
                    victim_corporation=corporation,
                    victim_alliance=alliance,
                    ship_type=ship,
                    attacker_alliances=[alliance + 1],
                    after=timedelta(seconds=n),
                )
                for n in range(2)
            ],
            pilots=[
                Pilot(character=character, ship_type=ship, corporation=corporation, alliance=alliance, side=1)
            ],
            entities=[alliance, alliance + 1, corporation],
            sides=[[alliance], [alliance + 1]],
        )
    return Ids(battle, character, corporation, alliance, system, ship, first_killmail)


class _Page(HTMLParser):
    """Finds what a page would run, load or send elsewhere."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.dangers: list[str] = []
        self._inside_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and not (given.get("src") or "").startswith("/assets/"):
            self.dangers.append(f"a script: {given}")
        if tag in {"style", "svg/onload", "iframe", "object", "embed", "base"}:
            self.dangers.append(tag)
        for name, value in attrs:
            address = (value or "").strip().lower()
            if name.startswith("on") or name == "style":
                self.dangers.append(f"{tag} {name}={value}")
            if name in {"href", "src", "action"} and not address.startswith(
                ("/", "https://", "#", "?", "http://127.0.0.1")
            ):
                self.dangers.append(f"{tag} {name}={value}")


def dangers_of(page: str) -> list[str]:
    """What of a page would run, or lead somewhere that it must not."""
    parser = _Page()
    parser.feed(page)
    parser.close()
    return parser.dangers


def formulas_of(file: str) -> list[str]:
    """Cells of a CSV file that a spreadsheet would compute."""
    return [
        cell
        for row in csv.reader(io.StringIO(file, newline=""))
        for cell in row
        if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) and not _is_number(cell)
    ]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
