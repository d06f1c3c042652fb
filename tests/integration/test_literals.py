"""Array literals: what the store writes as text is what PostgreSQL reads."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from battlescope.database import Database
from battlescope.zkillboard import related_url
from cluster.store.literals import literal, nested

NUMBERS = st.integers(-(2**63), 2**63 - 1)
HEX = st.text("0123456789abcdef", min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", NUMBERS | st.none()),
        ("boolean", st.booleans() | st.none()),
        ("uuid", st.uuids()),
        ("text", HEX | st.builds(related_url, st.integers(1, 2**31), st.just(0), st.integers(0, 2**31))),
    ],
)
@given(data=st.data())
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_array_comes_back(
    database: Database, kind: str, values: st.SearchStrategy[Any], data: Any
) -> None:
    array = data.draw(st.lists(values, max_size=5))
    row = database.execute(f"SELECT %s::{kind}[]".encode(), (literal(array),)).fetchone()
    assert row == (array,)


@given(rows=st.lists(st.lists(NUMBERS, max_size=4), min_size=1, max_size=4))
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_of_different_lengths_travel_as_text(database: Database, rows: list[list[int]]) -> None:
    found = database.execute(
        "SELECT t::bigint[] FROM unnest(%s::text[]) WITH ORDINALITY AS u (t, n) ORDER BY n",
        (literal(map(nested, rows)),),
    ).fetchall()
    assert [row for (row,) in found] == rows


def test_ids_are_read_as_such(database: Database) -> None:
    id_ = UUID(int=7)
    assert database.execute("SELECT (%s::uuid[])[1]", (literal([id_]),)).fetchone() == (id_,)
