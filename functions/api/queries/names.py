"""Names beside ids."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from api.models.common import Named

if TYPE_CHECKING:
    from battlescope.database import Database


class Names:
    """The names of what one answer shows."""

    def __init__(self, entities: dict[int, str], ship_types: dict[int, str], unresolved: int) -> None:
        self._entities = entities
        self._ship_types = ship_types
        self.unresolved = unresolved
        """How many ids have no name yet, and so may get one without the battle changing."""

    def entity(self, entity_id: int) -> Named:
        """A character, corporation or alliance."""
        return Named(id=entity_id, name=self._entities.get(entity_id, str(entity_id)))

    def entity_if_any(self, entity_id: int | None) -> Named | None:
        """A character, corporation or alliance; None and 0 stand for nobody."""
        return self.entity(entity_id) if entity_id else None

    def ship_type_if_any(self, ship_type_id: int) -> Named | None:
        """A ship type; 0 stands for none."""
        if not ship_type_id:
            return None
        return Named(id=ship_type_id, name=self._ship_types.get(ship_type_id, str(ship_type_id)))


def read_names(
    connection: "Database", entity_ids: Iterable[int | None], ship_type_ids: Iterable[int | None]
) -> Names:
    """The names of these ids; None and 0 stand for nothing."""
    wanted_entities = {entity_id for entity_id in entity_ids if entity_id}
    wanted_ship_types = {ship_type_id for ship_type_id in ship_type_ids if ship_type_id}
    rows = connection.execute(
        """
        SELECT true, id, name FROM names WHERE id = ANY(%s::bigint[])
        UNION ALL
        SELECT false, ship_type_id, name FROM ship_types WHERE ship_type_id = ANY(%s::bigint[])
        """,
        (list(wanted_entities), list(wanted_ship_types)),
    )
    entities: dict[int, str] = {}
    ship_types: dict[int, str] = {}
    for is_entity, named_id, name in rows:
        (entities if is_entity else ship_types)[named_id] = name
    unresolved = len(wanted_entities) - len(entities) + len(wanted_ship_types) - len(ship_types)
    return Names(entities, ship_types, unresolved)
