"""Values estimated from prices: what counts, what does not, and what a real value does to them."""

from dataclasses import replace
from typing import Any

import pytest

from battlescope.errors import KillmailError
from ingest.history.value import estimate
from tests.support.killmails import kill, pilot

SHIP, MODULE, CHARGE, CONTAINER, UNKNOWN, CAPSULE = 587, 3244, 434, 3467, 99_999, 670
PRICES = {SHIP: 400_000_00, MODULE: 10_50, CHARGE: 1, CONTAINER: 100_00}


def item(type_id: int, *, destroyed: int = 0, dropped: int = 0, **more: Any) -> dict[str, Any]:
    quantities = {"quantity_destroyed": destroyed, "quantity_dropped": dropped}
    return {
        "item_type_id": type_id,
        "flag": 5,
        "singleton": 0,
        **{name: quantity for name, quantity in quantities.items() if quantity},
        **more,
    }


def value(*items: dict[str, Any], ship: int = SHIP) -> int | None:
    return estimate({"victim": {"ship_type_id": ship, "items": list(items)}}, PRICES)


def test_ship_and_items_destroyed_and_dropped() -> None:
    assert value() == 400_000
    assert value(item(MODULE, destroyed=2), item(MODULE, dropped=2)) == 400_042
    assert estimate({"victim": {"ship_type_id": SHIP}}, PRICES) == 400_000


def test_hundredths_add_up_before_they_are_rounded() -> None:
    assert value(item(CHARGE, destroyed=49)) == 400_000
    assert value(*[item(CHARGE, destroyed=25)] * 2) == 400_001


def test_what_lies_in_containers_counts() -> None:
    inner = [item(MODULE, destroyed=10), item(CHARGE, dropped=500)]
    assert value(item(CONTAINER, destroyed=1, items=inner)) == 400_000 + 100 + 105 + 5


def test_a_blueprint_copy_is_worth_nothing_and_a_fitted_module_its_price() -> None:
    assert value(item(MODULE, dropped=1, singleton=2)) == 400_000
    assert value(item(MODULE, dropped=2, singleton=1)) == 400_021


def test_an_item_without_a_price_counts_nothing_and_a_ship_without_one_leaves_the_value_unknown() -> None:
    assert value(item(UNKNOWN, destroyed=5)) == 400_000
    assert value(item(MODULE, destroyed=5), ship=UNKNOWN) is None


def test_a_capsule_is_worth_what_zkillboard_says() -> None:
    assert value(ship=CAPSULE) == 10_000


def test_a_value_beyond_belief_is_none() -> None:
    assert value(item(SHIP, destroyed=2**31)) is None


@pytest.mark.parametrize(
    "broken",
    [
        item(MODULE, destroyed=-1),
        {"flag": 5, "singleton": 0},
        "an item",
        item(MODULE, destroyed=1, singleton=0) | {"quantity_destroyed": "3"},
    ],
)
def test_what_is_no_item_is_named(broken: Any) -> None:
    with pytest.raises(KillmailError, match=r"victim\.items[.:]"):
        value(broken)
    with pytest.raises(KillmailError, match=r"victim\.items\.items[.:]"):
        value(item(CONTAINER, items=[broken]))


def test_any_told_value_replaces_an_estimate_and_an_estimate_replaces_none() -> None:
    told = kill(1, 0, pilot(1), pilot(2), isk=5, valued_at=1)
    estimated = replace(told, isk_value=10**12, valued_at=0)
    unknown = replace(told, isk_value=None, valued_at=0)
    assert unknown.version < estimated.version < told.version
