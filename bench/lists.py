"""What a page of each list costs the database, with a million battles and with few.

Both databases are made of simulated killmails by the bulk path (`bench.building`). A list is walked page after page, in
turns here and there. Where the smaller database has fewer battles than a page holds, the larger is asked for pages of that
length too: the ratio is of pages of the same length. The plans of the pages in the larger database are kept in `bench/plans/`.
"""

import argparse
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple, Self

from api.cursor import BattleKey
from api.filters import BattlePage, Order
from api.models.battles import Battle
from api.queries import battle_lists
from battlescope.database import Database, connect
from bench.asking import asked_of, newest_end
from bench.building import Built, built
from bench.support import machine

PLANS = Path(__file__).with_name("plans")
PAGES = 100
"""Timed of each list; one that ends sooner begins again."""

LIVE = timedelta(minutes=15)


class Lists(NamedTuple):
    """A database, the lists that are asked of it, and how long before now its last killmail was."""

    connection: Database
    asked: dict[str, BattlePage]
    age: timedelta


class _Page(NamedTuple):
    """How long a page took, and how many battles were read for it."""

    ms: float
    battles: int


class _Walked(NamedTuple):
    """What pages took, in milliseconds, and the battles that one held on average."""

    p50: float
    p99: float
    battles: float

    @classmethod
    def of(cls, pages: Sequence[_Page]) -> Self:
        """Of one walk."""
        times = [page.ms for page in pages]
        return cls(
            median(times), quantiles(times, n=100)[-1], sum(page.battles for page in pages) / len(pages)
        )


def main(argv: Sequence[str]) -> None:
    """Walk every list in both databases; print medians, 99th percentiles, battles a page and ratios of the medians."""
    parser = argparse.ArgumentParser(prog="bench lists", description=__doc__)
    parser.add_argument("--battles", type=int, default=1_000_000)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="where the many are kept, to be built once")
    parser.add_argument("--few-folder", type=Path, help="and the few")
    parser.add_argument("--only", default="", help="lists whose name holds this")
    options = parser.parse_args(argv)
    print(machine())
    with ExitStack() as stack:
        few = _lists(stack, stack.enter_context(built(options.few, options.few_folder)))
        many = _lists(stack, stack.enter_context(built(options.battles, options.folder)))
        print(f"{'':40}{'few':>25}{'many':>27}{'many, pages as in few':>34}")
        print(
            f"{'list':40}{'p50':>8}{'p99':>8}{'battles':>9}{'p50':>9}{'p99':>9}{'battles':>9}"
            f"{'p50':>9}{'battles':>9}{'ratio':>16}  ms"
        )
        for name in few.asked:
            if options.only in name:
                _compare(name, few, many)
                _keep_plan(name, many)


def _compare(name: str, few: Lists, many: Lists) -> None:
    asked = few.asked[name], many.asked[name]
    first = next(_walk(few, asked[0]))
    shorter = asked[1].model_copy(update={"limit": max(1, min(asked[1].limit, first.battles - 1))})
    walks = (_walk(few, asked[0]), _walk(many, asked[1]), _walk(many, shorter))
    walked: tuple[list[_Page], ...] = ([], [], [])
    for _ in range(PAGES):
        for pages, walk in zip(walked, walks, strict=True):
            pages.append(next(walk))
    one, other, same = (_Walked.of(pages) for pages in walked)
    print(
        f"{name:40}{one.p50:>8.2f}{one.p99:>8.2f}{one.battles:>9.1f}{other.p50:>9.2f}{other.p99:>9.2f}{other.battles:>9.1f}"
        f"{same.p50:>9.2f}{same.battles:>9.1f}{same.p50 / one.p50:>16.2f}",
        flush=True,
    )


def _walk(lists: Lists, asked: BattlePage) -> Iterator[_Page]:
    """One page after the other; one battle more than a page holds is read, as the API does."""
    after: BattleKey | None = None
    while True:
        started = time.perf_counter()
        page = battle_lists.list_battles(
            lists.connection, asked.constraints(), asked.order, after, asked.limit + 1, lists.age + LIVE
        )
        yield _Page((time.perf_counter() - started) * 1000, len(page))
        after = _key(page[asked.limit - 1], asked.order) if len(page) > asked.limit else None


def _key(battle: Battle, order: Order) -> Any:
    values: dict[str, Any] = {**battle}
    return values[battle_lists.ORDER_COLUMNS[order]], battle["id"]


def _lists(stack: ExitStack, database: Built) -> Lists:
    connection = stack.enter_context(connect(database.url))
    connection.execute("SET jit = off")
    connection.execute("VACUUM ANALYZE")
    asked = asked_of(connection)
    return Lists(
        connection,
        {name: BattlePage.model_validate(parameters) for name, parameters in asked.items()},
        datetime.now(UTC) - newest_end(connection),
    )


def _keep_plan(name: str, lists: Lists) -> None:
    """The plans of all that a list's first page asks, in a file of its name."""
    asked = lists.asked[name]
    text: list[str] = []

    class Explaining:
        def execute(self, statement: str, values: Sequence[object]) -> object:
            plan = lists.connection.execute(
                b"EXPLAIN (ANALYZE, BUFFERS) " + statement.encode(), tuple(values)
            )
            text.extend(line for (line,) in plan)
            text.append("")
            return lists.connection.execute(statement.encode(), tuple(values))

    battle_lists.list_battles(
        Explaining(),  # type: ignore[arg-type]
        asked.constraints(),
        asked.order,
        None,
        asked.limit + 1,
        lists.age + LIVE,
    )
    PLANS.mkdir(exist_ok=True)
    file = PLANS / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.txt"
    file.write_text("\n".join(text).strip() + "\n")
