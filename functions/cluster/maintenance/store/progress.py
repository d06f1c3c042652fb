"""How far steps are, so that the next invocation goes on where the last one ended."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from battlescope.database import Database


class Progress(NamedTuple):
    """How far a step is: its own notion of a position, whether that is the end, and how long ago it was begun."""

    position: Mapping[str, Any]
    is_finished: bool
    age: timedelta


def load(connection: Database, step: str) -> Progress | None:
    """How far a step is; None where it was never begun."""
    row = connection.execute(
        "SELECT position, finished_at IS NOT NULL, now() - started_at FROM maintenance_progress WHERE step = %s",
        (step,),
    ).fetchone()
    return None if row is None else Progress(*row)


def begin(connection: Database, step: str, position: Mapping[str, Any]) -> None:
    """Begin a step, or begin it anew."""
    connection.execute(
        """
        INSERT INTO maintenance_progress (step, position) VALUES (%s, %s)
        ON CONFLICT (step) DO UPDATE SET position = excluded.position, started_at = now(), finished_at = NULL
        """,
        (step, json.dumps(position)),
    )


def save(connection: Database, step: str, position: Mapping[str, Any], *, is_finished: bool = False) -> None:
    """Keep how far a step is; call it in the transaction that did the work."""
    connection.execute(
        """
        UPDATE maintenance_progress SET position = %s, finished_at = CASE WHEN %s THEN now() END WHERE step = %s
        """,
        (json.dumps(position), is_finished, step),
    )
