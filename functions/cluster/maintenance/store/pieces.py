"""Pieces of a solar system's history: stretches of time that nothing links to what lies outside of them.

Neither a link under the present rules nor a stored component, made under whatever rules, leads out of a piece; so
what becomes of its killmails is told from them alone. Times are Unix seconds, ends included.
"""

from typing import NamedTuple

from battlescope.database import Database
from battlescope.killmail import Killmail
from cluster.store import reading


class Piece(NamedTuple):
    """A piece of one system's history."""

    system_id: int
    since: int
    until: int


def lock(connection: Database, system_id: int) -> None:
    """Keep every other writer of this system away until the transaction ends, as `reading.look_around` does."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, %s::integer)", (reading.LOCK_CLASS, system_id))


def next_system(connection: Database, system_id: int) -> int | None:
    """The lowest system with killmails above this one."""
    row = connection.execute(
        "SELECT system_id FROM killmails WHERE system_id > %s ORDER BY system_id LIMIT 1", (system_id,)
    ).fetchone()
    return None if row is None else row[0]


def next_piece(connection: Database, wanted: Piece, reach_s: int, killmails_wanted: int) -> Piece | None:
    """The piece that the system's first killmails within `wanted` lie in; None where there are none.

    Args:
        connection: in the transaction that locked the system.
        wanted: where to look; the piece may begin before it and end after it.
        reach_s: how far apart two linked killmails can be.
        killmails_wanted: a piece that could be cut into smaller ones holds about so many.
    """
    row = connection.execute(
        """
        SELECT extract(epoch FROM min(killmail_time))::bigint, extract(epoch FROM max(killmail_time))::bigint
        FROM (
            SELECT killmail_time FROM killmails
            WHERE system_id = %s AND killmail_time BETWEEN to_timestamp(%s) AND to_timestamp(%s)
            ORDER BY killmail_time LIMIT %s
        ) AS first
        """,
        (*wanted, killmails_wanted),
    ).fetchone()
    if row is None or row[0] is None:
        return None
    return closed(connection, Piece(wanted.system_id, *row), reach_s)


def closed(connection: Database, seed: Piece, reach_s: int) -> Piece:
    """The smallest piece that holds this stretch of time."""
    piece = seed
    while True:
        wider = _with_whole_runs(connection, _with_whole_components(connection, piece), reach_s)
        if wider == piece:
            return piece
        piece = wider


def components_in(connection: Database, piece: Piece) -> dict[int, list[Killmail]]:
    """The killmails of a piece by the component that they are stored in."""
    rows = connection.execute(
        """
        SELECT DISTINCT component_id FROM killmails
        WHERE system_id = %s AND killmail_time BETWEEN to_timestamp(%s) AND to_timestamp(%s)
        """,
        piece,
    )
    return reading.members_of(connection, {row[0] for row in rows})


def _with_whole_components(connection: Database, piece: Piece) -> Piece:
    row = connection.execute(
        """
        WITH touched AS MATERIALIZED (
            SELECT DISTINCT component_id FROM killmails
            WHERE system_id = %s AND killmail_time BETWEEN to_timestamp(%s) AND to_timestamp(%s)
        )
        SELECT extract(epoch FROM min(since))::bigint, extract(epoch FROM max(until))::bigint
        FROM touched CROSS JOIN LATERAL (  -- OFFSET keeps it to a probe of the index each
            SELECT min(killmail_time) AS since, max(killmail_time) AS until
            FROM killmails k WHERE k.component_id = touched.component_id OFFSET 0
        ) AS extent
        """,
        piece,
    ).fetchone()
    if row is None or row[0] is None:
        return piece
    return Piece(piece.system_id, min(piece.since, row[0]), max(piece.until, row[1]))


def _with_whole_runs(connection: Database, piece: Piece, reach_s: int) -> Piece:
    """The piece, as far as killmails at its ends have others in reach."""
    row = connection.execute(
        """
        WITH RECURSIVE earlier AS (
            SELECT to_timestamp(%(since)s) AS edge
            UNION ALL
            SELECT (
                SELECT min(killmail_time) FROM killmails
                WHERE system_id = %(system_id)s AND killmail_time < edge
                  AND killmail_time >= edge - make_interval(secs => %(reach_s)s)
            )
            FROM earlier WHERE edge IS NOT NULL
        ), later AS (
            SELECT to_timestamp(%(until)s) AS edge
            UNION ALL
            SELECT (
                SELECT max(killmail_time) FROM killmails
                WHERE system_id = %(system_id)s AND killmail_time > edge
                  AND killmail_time <= edge + make_interval(secs => %(reach_s)s)
            )
            FROM later WHERE edge IS NOT NULL
        )
        SELECT (SELECT extract(epoch FROM min(edge))::bigint FROM earlier),
               (SELECT extract(epoch FROM max(edge))::bigint FROM later)
        """,
        {**piece._asdict(), "reach_s": reach_s},
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always answers
    return Piece(piece.system_id, *row)
