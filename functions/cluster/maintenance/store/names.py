"""Which names are wanted, and those that were found."""

from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple

from battlescope.database import Database


class Name(NamedTuple):
    """What ESI calls an id."""

    id: int
    category: str
    name: str


class Stretch(NamedTuple):
    """Killmails in a row, newest first, and whose names are missing on them.

    Attributes:
        lowest: the lowest killmail id looked at; None where there were no more killmails.
        missing: ids without a name, those on the newest killmails first.
    """

    lowest: int | None
    missing: list[int]


class Counted(NamedTuple):
    """Names in a row whose activity was counted.

    Attributes:
        last: the highest id of them; None where there were no more names.
        changed: of how many it was another than before.
    """

    last: int | None
    changed: int


def newest_killmail(connection: Database) -> int:
    """The highest killmail id, 0 where there is none; ids grow with time."""
    row = connection.execute("SELECT coalesce(max(killmail_id), 0) FROM killmails").fetchone()
    assert row is not None  # noqa: S101 - an aggregate always answers
    return int(row[0])


def missing_below(connection: Database, killmail_id: int, killmails: int, older_than: timedelta) -> Stretch:
    """Whose names are missing on the next killmails below this id.

    Ids that did not resolve are missing again once they were asked for longer ago than `older_than`.
    """
    row = connection.execute(
        """
        WITH next AS MATERIALIZED (
            SELECT * FROM killmails WHERE killmail_id < %s ORDER BY killmail_id DESC LIMIT %s
        ), seen AS MATERIALIZED (
            SELECT named.id, max(killmail_id) AS killmail_id
            FROM next CROSS JOIN LATERAL (
                SELECT unnest(attacker_ids(attackers, 1)) UNION ALL SELECT unnest(attacker_ids(attackers, 2))
                UNION ALL SELECT unnest(attacker_ids(attackers, 3))
                UNION ALL VALUES (victim_character_id), (victim_corporation_id), (victim_alliance_id)
            ) AS named (id)
            WHERE named.id > 0 GROUP BY named.id
        )
        SELECT (SELECT min(killmail_id) FROM next),
               (SELECT coalesce(array_agg(id ORDER BY s.killmail_id DESC, id), '{}') FROM seen s
                WHERE NOT EXISTS (SELECT FROM names n WHERE n.id = s.id)
                  AND NOT EXISTS (
                      SELECT FROM unresolvable_names u WHERE u.id = s.id AND u.asked_at > now() - %s::interval))
        """,
        (killmail_id, killmails, older_than),
    ).fetchone()
    assert row is not None  # noqa: S101 - it has no FROM
    return Stretch(*row)


def outdated(connection: Database, older_than: timedelta, limit: int) -> list[int]:
    """Ids whose names were resolved longest ago, and longer ago than this."""
    rows = connection.execute(
        "SELECT id FROM names WHERE resolved_at < now() - %s::interval ORDER BY resolved_at LIMIT %s",
        (older_than, limit),
    )
    return [row[0] for row in rows]


def save_names(connection: Database, found: Collection[Name], unresolvable: Collection[int]) -> None:
    """Keep names, and ids that have none; a name that ESI does not tell any more stays the last one that it told.

    All rows are locked first, in the order of their ids, so that two runs never wait for one another.
    """
    ordered = sorted(found)
    without = sorted(unresolvable)
    connection.execute(
        "SELECT FROM names WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
        (sorted({*without, *(name.id for name in ordered)}),),
    )
    connection.execute(
        """
        INSERT INTO names (id, category, name, activity)
        SELECT id, category, name, activity_of(id, category)
        FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS found (id, category, name)
        ON CONFLICT (id) DO UPDATE SET
            category = excluded.category, name = excluded.name,
            resolved_at = excluded.resolved_at, activity = excluded.activity
        """,
        (
            [name.id for name in ordered],
            [name.category for name in ordered],
            [name.name for name in ordered],
        ),
    )
    connection.execute("UPDATE names SET resolved_at = now() WHERE id = ANY(%s)", (without,))
    connection.execute(
        """
        INSERT INTO unresolvable_names (id)
        SELECT id FROM unnest(%s::bigint[]) AS u (id)
        WHERE NOT EXISTS (SELECT FROM names n WHERE n.id = u.id)
        ON CONFLICT (id) DO UPDATE SET asked_at = excluded.asked_at
        """,
        (without,),
    )
    connection.execute(
        "DELETE FROM unresolvable_names WHERE id = ANY(%s)", (sorted(name.id for name in found),)
    )


def count_activity(connection: Database, after: int, limit: int) -> Counted:
    """Count the battles of those who are named next after this id.

    Rows are locked in the order of their ids, as `save_names` locks them.
    """
    row = connection.execute(
        """
        WITH next AS MATERIALIZED (
            SELECT id, category, activity FROM names WHERE id > %s ORDER BY id LIMIT %s FOR NO KEY UPDATE
        ), changed AS (
            UPDATE names n SET activity = c.activity
            FROM (SELECT id, activity AS before, activity_of(id, category) AS activity FROM next) c
            WHERE n.id = c.id AND c.activity <> c.before
            RETURNING n.id
        )
        SELECT (SELECT max(id) FROM next), (SELECT count(*) FROM changed)
        """,
        (after, limit),
    ).fetchone()
    assert row is not None  # noqa: S101 - it has no FROM
    return Counted(*row)
