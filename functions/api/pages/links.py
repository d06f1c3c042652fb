"""Links from a list of battles to lists that are a little different: ordered otherwise, with a filter more or less."""

from typing import NamedTuple
from urllib.parse import urlencode

from api.filters import BattleFilters, BattlePage, Order
from api.pages.words import isk

type Given = dict[str, str]
"""The query of the list."""

ORDERS: dict[Order, str] = {
    "start": "Newest",
    "end": "Latest kill",
    "isk": "Most ISK",
    "kills": "Most kills",
    "pilots": "Most pilots",
}
PRESETS: tuple[tuple[str, dict[str, str]], ...] = (
    ("Live now", {"live": "1"}),
    ("100+ pilots", {"min_pilots": "100"}),
    ("10b+ ISK", {"min_isk": "10000000000"}),
    ("High-sec", {"security": "highsec"}),
    ("Low-sec", {"security": "lowsec"}),
    ("Null-sec", {"security": "nullsec"}),
    ("Wormholes", {"space": "jspace"}),
    ("Pochven", {"space": "pochven"}),
)
"""Filters that are one click away."""


class Link(NamedTuple):
    """A link that changes the list."""

    text: str
    query: str
    is_on: bool


def orders(given: Given, now: Order) -> list[Link]:
    """The same battles in each order."""
    return [
        Link(text, query(given, cursor=None, order=None if order == "start" else order), order == now)
        for order, text in ORDERS.items()
    ]


def presets(given: Given) -> list[Link]:
    """The list with each preset more, or less where it is set."""
    return [_preset(text, preset, given) for text, preset in PRESETS]


def query(given: Given, **changed: str | None) -> str:
    """The query of the same list with some parameters changed; None takes one away."""
    return urlencode({name: value for name, value in {**given, **changed}.items() if value is not None})


def _preset(text: str, preset: dict[str, str], given: Given) -> Link:
    is_on = all(given.get(name) == value for name, value in preset.items())
    changed = dict.fromkeys(preset) if is_on else preset
    return Link(text, query(given, cursor=None, **changed), is_on)


_WORDS = {
    "min_kills": "at least {} kills",
    "min_pilots": "at least {} pilots",
    "live": "live now",
    "since": "since {}",
    "until": "until {}",
}


def chips(asked: BattlePage, given: Given, names: dict[str, str]) -> list[Link]:
    """The filters that are set; each leads to the list without it."""
    found = []
    for name in BattleFilters.model_fields:
        if name in given and getattr(asked, name):
            # `against` means nothing without `alliance`.
            gone = {"alliance": None, "against": None} if name == "alliance" else {name: None}
            found.append(Link(_chip(name, given[name], names), query(given, cursor=None, **gone), True))
    return found


def _chip(name: str, value: str, names: dict[str, str]) -> str:
    for text, preset in PRESETS:
        if preset == {name: value}:
            return text
    if name == "min_isk":
        return f"at least {isk(int(value))} ISK"
    if name in _WORDS:
        return _WORDS[name].format(value)
    return f"{name}: {names.get(name, value)}"
