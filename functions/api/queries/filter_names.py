"""What filters of a list of battles are about, by name."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from api.filters import Constraint
from api.models.common import Named
from api.queries.names import read_names

if TYPE_CHECKING:
    from battlescope.database import Database

_ENTITIES = frozenset({"alliance", "against", "corporation", "character"})


def filter_names(connection: "Database", constraints: Sequence[Constraint]) -> dict[str, str]:
    """The name of what each filter with an id is about, by filter; its number where the name is not known."""
    ids = {name: value for name, value in constraints if name in _ENTITIES}
    names = read_names(connection, ids.values(), ())
    found = {name: names.entity(id_)["name"] for name, id_ in ids.items()}
    for name, value in constraints:
        if name == "system":
            row = connection.execute(
                "SELECT name FROM solar_systems WHERE system_id = %s", (value,)
            ).fetchone()
        elif name == "region":
            row = connection.execute("SELECT name FROM regions WHERE region_id = %s", (value,)).fetchone()
        else:
            continue
        found[name] = row[0] if row else str(value)
    return found


def known_regions(connection: "Database") -> list[Named]:
    """The regions that the static data knows, by name."""
    rows = connection.execute("SELECT region_id, name FROM regions ORDER BY name, region_id")
    return [Named(id=region_id, name=name) for region_id, name in rows]
