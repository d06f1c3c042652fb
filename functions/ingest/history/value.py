"""What a loss was worth, estimated from market prices; see docs/values.md.

Items come and go here: they are read from the full killmail, and not kept.
"""

from typing import Any

from battlescope.errors import KillmailError
from battlescope.killmail import CAPSULE_TYPE_IDS
from battlescope.prices import Prices

BLUEPRINT_COPY = 2
"""An item's `singleton` where it is a blueprint copy, which shares its type with the original and is worth next to
nothing of its price."""

CAPSULE_PRICE = 10_000_00
"""Hundredths of ISK: nobody trades capsules, and zKillboard counts 10,000 ISK."""

VALUE_MAX = 10**14
"""ISK; as for values that zKillboard tells, more is not believed."""

DEPTH_MAX = 4
"""A container in a container is more than any killmail has."""


def estimate(killmail: dict[str, Any], prices: Prices) -> int | None:
    """The value of a loss in whole ISK; None where the ship has no price, since the ship is most of it.

    Args:
        killmail: the full ESI killmail, its victim known to be one.
        prices: hundredths of ISK by type; without any there are no estimates.

    Raises:
        KillmailError: an item is none.
    """
    if not prices:
        return None
    victim = killmail["victim"]
    ship_type_id = victim["ship_type_id"]
    ship = prices.get(ship_type_id, CAPSULE_PRICE if ship_type_id in CAPSULE_TYPE_IDS else 0)
    items = _total(victim.get("items") or (), prices, "victim.items")
    value = (ship + items + 50) // 100
    return value if ship and value <= VALUE_MAX else None


def _total(items: Any, prices: Prices, where: str, depth: int = 1) -> int:
    total = 0
    try:
        for item in items:
            quantity = _quantity(item, "quantity_destroyed", where) + _quantity(
                item, "quantity_dropped", where
            )
            if item["singleton"] != BLUEPRINT_COPY:
                total += quantity * prices.get(item["item_type_id"], 0)
            if (inner := item.get("items")) and depth < DEPTH_MAX:
                total += _total(inner, prices, f"{where}.items", depth + 1)
    except (AttributeError, KeyError, TypeError) as error:
        raise KillmailError(f"{where}: an item is none ({type(error).__name__}: {error})") from None
    return total


def _quantity(item: dict[str, Any], name: str, where: str) -> int:
    quantity = item.get(name)
    if quantity is None:
        return 0
    if type(quantity) is not int or not 0 <= quantity < 2**63:
        raise KillmailError(
            f"{where}.{name}: must be a whole number from 0 on; it was {str(quantity)[:80]!r}"
        )
    return quantity
