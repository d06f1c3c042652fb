"""What re-clustering writes beside what the live path writes."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from battlescope.database import Database


def assign_components(connection: Database, component_of: Mapping[int, int]) -> None:
    """Put killmails, by id, into these components."""
    connection.execute(
        """
        UPDATE killmails k SET component_id = n.component_id
        FROM unnest(%s::bigint[], %s::bigint[]) AS n (killmail_id, component_id)
        WHERE k.killmail_id = n.killmail_id
        """,
        (list(component_of), list(component_of.values())),
    )


def created_at(connection: Database, battle_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Since when these battles are there."""
    rows = connection.execute("SELECT id, created_at FROM battles WHERE id = ANY(%s)", (list(battle_ids),))
    return dict(rows.fetchall())


def keep_created_at(connection: Database, since: Mapping[UUID, datetime]) -> None:
    """Let battles that were made anew be as old as they were."""
    connection.execute(
        """
        UPDATE battles b SET created_at = n.created_at
        FROM unnest(%s::uuid[], %s::timestamptz[]) AS n (id, created_at) WHERE b.id = n.id
        """,
        (list(since), list(since.values())),
    )
