"""The change feed: what became of battles, in a total order that nobody who keeps a cursor misses anything of.

Battles, and ids that are no battle's any more, carry the transaction that last changed them. Transactions commit in
another order than they begin, so the feed ends before the oldest that is still running: what is older is all there, and
nothing can come to stand among it. A battle that changes again moves to the end of the feed, so each is in it once.
"""

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from api.cursor import ChangeKey
from api.models.changes import Change
from api.queries.battles import COLUMNS, PLACES, battle_of

if TYPE_CHECKING:
    from battlescope.database import Database

FIRST = UUID(int=0)
_LAST = UUID(int=2**128 - 1)

_BATTLES, _IDS = 0, 1
"""Within a transaction: first the battles, then the ids that are no battle's any more."""


class Changes(NamedTuple):
    """Changes in the feed's order, and the key of the last of them."""

    items: list[Change]
    last: ChangeKey


def newest(connection: "Database") -> ChangeKey:
    """The key that everything changed from now on comes after."""
    row = connection.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1").fetchone()
    assert row is not None  # noqa: S101 - it selects one row
    return int(row[0]), _IDS, _LAST


def is_ahead(connection: "Database", after: ChangeKey) -> bool:
    """Whether this database cannot have given out this key: another one did, from which it was not copied whole."""
    row = connection.execute(
        "SELECT %s::text::xid8 >= pg_snapshot_xmax(pg_current_snapshot())", (str(after[0]),)
    ).fetchone()
    return bool(row and row[0])


def changes(connection: "Database", after: ChangeKey, limit: int) -> Changes:
    """Up to `limit` changes after this key."""
    transaction, place, last_id = after
    rows = connection.execute(
        f"""
        SELECT c.changed_in::text::bigint, c.place, c.id, {COLUMNS}
        FROM (
            (
                SELECT changed_in, {_BATTLES} AS place, id, id AS battle_id
                FROM battles
                WHERE (changed_in, id) > (%(transaction)s::text::xid8, %(battle)s)
                  AND changed_in < (SELECT pg_snapshot_xmin(pg_current_snapshot()))
                ORDER BY changed_in, id LIMIT %(limit)s
            )
            UNION ALL
            (
                SELECT a.changed_in, {_IDS}, a.id, h.id
                FROM battle_aliases a
                LEFT JOIN killmails k ON k.killmail_id = a.killmail_id
                LEFT JOIN battles h ON h.first_killmail_id = k.component_id
                WHERE (a.changed_in, a.id) > (%(transaction)s::text::xid8, %(alias)s)
                  AND a.changed_in < (SELECT pg_snapshot_xmin(pg_current_snapshot()))
                  AND NOT EXISTS (SELECT FROM battles again WHERE again.id = a.id)
                ORDER BY a.changed_in, a.id LIMIT %(limit)s
            )
            ORDER BY changed_in, place, id LIMIT %(limit)s
        ) c
        LEFT JOIN battles b ON b.id = c.battle_id
        {PLACES}
        ORDER BY c.changed_in, c.place, c.id
        """,  # noqa: S608 - constant columns
        {
            "transaction": str(transaction),
            "battle": last_id if place == _BATTLES else _LAST,
            "alias": FIRST if place == _BATTLES else last_id,
            "limit": limit,
        },
    ).fetchall()
    last = (rows[-1][0], rows[-1][1], rows[-1][2]) if rows else after
    return Changes([_change(row[1], row[2], row[3:]) for row in rows], last)


def _change(place: int, id_: UUID, columns: tuple[Any, ...]) -> Change:
    battle = None if columns[0] is None else battle_of(columns)
    if place == _IDS:
        return Change(kind="dissolved" if battle is None else "merged", id=id_, battle=battle)
    assert battle is not None  # noqa: S101 - the row is its own
    return Change(kind="created" if battle["revision"] == 1 else "grown", id=id_, battle=battle)
