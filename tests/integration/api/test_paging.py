"""Cursors: nothing is skipped, nothing comes twice, and no text in the place of one breaks anything."""

import base64
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.filters import BattlePage
from api.queries import battle_lists
from battlescope.space import SPACE_TYPES, SpaceType
from battlescope_local.embedded_postgres import EmbeddedPostgres
from tests.integration.api.client import ApiClient
from tests.integration.api.conftest import own_api
from tests.integration.api.rows import START, Kill, Pilot, Rows

SYSTEMS = (30002813, 30000142, 31000005)
ALLIANCES = (99_000_001, 99_000_002, 99_000_003)
CHARACTERS = (90_000_001, 90_000_002)


@dataclass(frozen=True)
class Fact:
    """What a battle of the test's world is, as the filters see it."""

    id: str
    start: datetime
    space: SpaceType
    system: int
    end: datetime
    kills: int
    isk: int
    pilots: int
    alliances: frozenset[int]
    characters: frozenset[int]

    def fulfils(self, filters: dict[str, Any]) -> bool:
        checks: dict[str, Callable[[Any], bool]] = {
            "space": lambda value: self.space == value,
            "system": lambda value: self.system == value,
            "alliance": lambda value: value in self.alliances,
            "character": lambda value: value in self.characters,
            "min_kills": lambda value: self.kills >= value,
            "min_pilots": lambda value: self.pilots >= value,
            "min_isk": lambda value: self.isk >= value,
            "since": lambda value: self.start >= datetime.fromisoformat(value),
            "until": lambda value: self.start < datetime.fromisoformat(value),
        }
        return all(checks[name](value) for name, value in filters.items())


@dataclass(frozen=True)
class World:
    api: ApiClient
    facts: list[Fact]
    cursor: str


@pytest.fixture(scope="module")
def world(postgres: EmbeddedPostgres) -> Iterator[World]:
    """Eighty battles, many at the same second."""
    with own_api(postgres) as (rows, api):
        facts = _populate(rows)
        yield World(api, facts, api.get("/battles?limit=1").json()["next"])


def _populate(rows: Rows) -> list[Fact]:
    chance = random.Random(7)
    facts = []
    for _ in range(80):
        space = chance.choice(SPACE_TYPES[:3])
        system = chance.choice(SYSTEMS)
        start = START + timedelta(hours=chance.randrange(3), seconds=chance.randrange(4))
        kills = chance.randrange(2, 9)
        lasted = timedelta(hours=chance.choice((0, 0, 0, 2, 3, 4)), seconds=chance.randrange(9))
        isk, pilots = chance.randrange(5), chance.randrange(1, 6)
        alliances = frozenset(chance.sample(ALLIANCES, chance.randrange(3)))
        characters = frozenset(chance.sample(CHARACTERS, chance.randrange(3)))
        battle_id = rows.battle(
            system=system,
            space=space,
            start=start,
            kills=[Kill(isk_value=isk, after=lasted)],
            total_kills=kills,
            total_pilots=pilots,
            entities=sorted(alliances),
            # Each in two ships, and each battle once in a list all the same.
            pilots=[
                Pilot(character=character, ship_type=ship) for character in characters for ship in (1, 2)
            ],
        )
        facts.append(
            Fact(
                str(battle_id),
                start,
                space,
                system,
                start + lasted,
                kills,
                isk,
                pilots,
                alliances,
                characters,
            )
        )
    return sorted(facts, key=lambda fact: (fact.start, fact.id), reverse=True)


times_around = st.builds(
    lambda hours, seconds: (START + timedelta(hours=hours, seconds=seconds)).isoformat(),
    st.integers(0, 3),
    st.integers(0, 4),
)
orders = st.sampled_from(["start", "end", "isk", "kills", "pilots"])
filters: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "space": st.sampled_from(SPACE_TYPES),
        "system": st.sampled_from(SYSTEMS),
        "alliance": st.sampled_from(ALLIANCES),
        "character": st.sampled_from(CHARACTERS),
        "min_kills": st.integers(1, 9),
        "min_pilots": st.integers(1, 6),
        "min_isk": st.integers(1, 5),
        "since": times_around,
        "until": times_around,
    },
).filter(lambda chosen: str(chosen.get("since", "")) < str(chosen.get("until", "9")))


@settings(max_examples=100, deadline=None)
@given(
    chosen=filters,
    order=orders,
    limit=st.sampled_from([1, 2, 3, 7, 10, 20, 39, 40, 79, 80, 100]),
    exceeded=st.sampled_from([None, "GATHERED_MAX", "COUNTED_MAX"]),
)
def test_pages_hold_each_battle_once_and_in_order(
    world: World, chosen: dict[str, Any], order: str, limit: int, exceeded: str | None
) -> None:
    expected = [fact for fact in world.facts if fact.fulfils(chosen)]
    expected.sort(key=lambda fact: (getattr(fact, order), fact.id), reverse=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(battle_lists._NARROWING, "min_kills", 3)
        # As if every entity were in more battles than are sorted where a walk would do, or than are counted.
        if exceeded is not None:
            patch.setattr(battle_lists, exceeded, 0)
        pages = world.api.pages("/battles", limit=limit, order=order, **chosen)

    assert [battle["id"] for page in pages for battle in page] == [fact.id for fact in expected]
    assert all(len(page) == limit for page in pages[:-1])


@settings(max_examples=30, deadline=None)
@given(chosen=filters, others=filters, order=orders, other_order=orders, limit=st.integers(1, 5))
def test_a_cursor_belongs_to_its_filters_and_order(
    world: World, chosen: dict[str, Any], others: dict[str, Any], order: str, other_order: str, limit: int
) -> None:
    cursor = world.api.get("/battles", params={**chosen, "order": order, "limit": limit}).json()["next"]
    if cursor is None:
        return

    response = world.api.get(
        "/battles", params={**others, "order": other_order, "limit": limit, "cursor": cursor}
    )

    is_same = (chosen, order) == (others, other_order)
    assert response.status_code == (200 if is_same else 422)
    if not is_same:
        assert response.json()["errors"][0]["parameter"] == "cursor"


def test_a_long_battle_that_ended_last_comes_first(postgres: EmbeddedPostgres) -> None:
    with own_api(postgres) as (rows, api):
        long = rows.battle(
            start=START, kills=[Kill(), Kill(after=timedelta(hours=9))], entities=[ALLIANCES[0]]
        )
        short = [
            rows.battle(start=START + timedelta(hours=hours), kills=[Kill()], entities=[ALLIANCES[0]])
            for hours in (8, 7, 6)
        ]

        ended = api.items("/battles", alliance=ALLIANCES[0], order="end", limit=2)
        began_early = api.items("/battles", until=(START + timedelta(hours=1)).isoformat(), order="end")

    assert [battle["id"] for battle in ended] == [str(battle) for battle in (long, *short)]
    assert [battle["id"] for battle in began_early] == [str(long)]


def test_a_cursor_is_good_for_any_page_size_and_for_the_same_filter_in_the_path(world: World) -> None:
    cursor = world.api.get("/battles?alliance=99000001&limit=3").json()["next"]

    rest = world.api.items("/alliances/99000001/battles", limit=100, cursor=cursor)

    assert [battle["id"] for battle in rest] == [f.id for f in world.facts if 99_000_001 in f.alliances][3:]


def test_the_link_header_leads_to_the_next_page(world: World) -> None:
    first = world.api.get("/battles?limit=2&space=kspace")

    second = world.api.get(first.links["next"]["url"])

    assert first.links["next"]["url"].startswith("/battles?limit=2&space=kspace&cursor=")
    kspace = [fact.id for fact in world.facts if fact.space == "kspace"]
    assert [battle["id"] for battle in second.json()["items"]] == kspace[2:4]
    assert "link" not in world.api.get("/battles?limit=100").headers


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["list", "after", "x"]), inner)
    ),
    max_leaves=6,
)
times = st.datetimes().map(datetime.isoformat) | st.sampled_from(
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2021-11-28T10:21:04Z", "infinity"]
)


def _encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_cursor_breaks_anything(world: World, data: st.DataObject) -> None:
    valid = world.cursor
    known_list = json.loads(base64.urlsafe_b64decode(valid + "=="))["list"]
    forged = st.builds(
        lambda time, battle_id: _encoded({"list": known_list, "after": [time, battle_id]}),
        times,
        st.uuids().map(str) | st.text(max_size=40),
    )
    position = st.integers(0, len(valid) - 1)
    mutated = st.builds(lambda at, new: valid[:at] + new + valid[at + 1 :], position, st.characters())
    cursor = data.draw(st.text() | json_values.map(_encoded) | forged | mutated)

    response = world.api.get("/battles", params={"cursor": cursor})

    assert response.status_code in {200, 422}
    if response.status_code == 422:
        assert response.json()["type"] == "urn:battlescope:problem:invalid-parameter"


@settings(max_examples=100, deadline=None)
@given(
    parameters=st.dictionaries(
        st.sampled_from([*BattlePage.model_fields]) | st.text(max_size=8),
        st.text(max_size=30) | st.integers().map(str) | times,
        max_size=4,
    )
)
def test_no_parameter_breaks_anything(world: World, parameters: dict[str, str]) -> None:
    response = world.api.get("/battles", params=parameters)

    assert response.status_code in {200, 422}
