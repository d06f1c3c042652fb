"""docs/cost.md is what its script makes of the measured and the priced, and a month costs what was promised."""

from pathlib import Path

from scripts.aws_cost import Bill, Load, load_json, page

from battlescope_cdk.catalogue import ALL

BUDGET_USD = 25
ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_the_scripts() -> None:
    written = page(load_json("prices.json"), load_json("measured.json"))
    assert (ROOT / "docs/cost.md").read_text() == written


def test_all_of_eve_and_a_million_requests_are_within_the_budget() -> None:
    bill = Bill(load_json("prices.json"), load_json("measured.json"), Load())
    assert bill.total() <= BUDGET_USD
    assert min(bill.items().values()) >= 0


def test_more_costs_more() -> None:
    prices, measured = load_json("prices.json"), load_json("measured.json")
    totals = [Bill(prices, measured, Load().times(factor)).total() for factor in (1, 10, 100)]
    assert totals == sorted(set(totals))


def test_no_function_needs_more_than_two_thirds_of_its_memory() -> None:
    measured = load_json("measured.json")["functions"]
    assert [spec.name for spec in ALL if measured[spec.name]["peak_memory_mb"] > spec.memory_mb * 2 / 3] == []
