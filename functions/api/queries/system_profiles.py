"""What a solar system saw: how many battles and when over all time, and its latest in more detail."""

from typing import TYPE_CHECKING, Any

from api.models.profiles import Months, SystemProfile, SystemRecent, Visitor
from api.queries.names import read_names
from api.queries.profiles import BATTLES_MAX, SHOWN
from api.queries.systems import system_of

if TYPE_CHECKING:
    from battlescope.database import Database

_AFFILIATIONS_MAX = 50
"""Of one side of a battle, those with the most pilots."""


def system_profile_of(connection: "Database", system_id: int) -> SystemProfile | None:
    """A system's profile; None for one that neither the static data nor any battle knows."""
    place = connection.execute(
        """
        SELECT s.name, s.region_id, r.name, s.security_status
        FROM solar_systems s LEFT JOIN regions r USING (region_id) WHERE s.system_id = %s
        """,
        (system_id,),
    ).fetchone()
    months: Months = dict(
        connection.execute(
            """
            SELECT to_char(date_trunc('month', start_time), 'YYYY-MM'), count(*) FROM battles WHERE system_id = %s
            GROUP BY 1 ORDER BY 1
            """,
            (system_id,),
        ).fetchall()
    )
    if place is None and not months:
        return None
    system = system_of(system_id, *(place or (None, None, None, None)))
    return SystemProfile(
        **system,
        battles=sum(months.values()),
        months=months,
        recent=_recent(connection, system_id) if months else None,
    )


def _recent(connection: "Database", system_id: int) -> SystemRecent:
    latest: list[tuple[Any, ...]] = connection.execute(
        """
        SELECT id, start_time, total_kills, total_isk_destroyed FROM battles WHERE system_id = %s
        ORDER BY start_time DESC, id DESC LIMIT %s
        """,
        (system_id, BATTLES_MAX),
    ).fetchall()
    visits = connection.execute(
        """
        SELECT affiliation_id, count(*)
        FROM battle_sides, unnest(affiliation_ids[:%s]) AS affiliation_id
        WHERE battle_id = ANY(%s)
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %s
        """,
        (_AFFILIATIONS_MAX, [row[0] for row in latest], SHOWN),
    ).fetchall()
    names = read_names(connection, (affiliation for affiliation, _ in visits), ())
    return SystemRecent(
        battles=len(latest),
        since=latest[-1][1],
        until=latest[0][1],
        kills=sum(row[2] for row in latest),
        isk_destroyed=sum(row[3] for row in latest),
        affiliations=[
            Visitor(**names.entity(affiliation), battles=battles) for affiliation, battles in visits
        ],
    )
