"""PostgreSQL array literals."""

from collections.abc import Iterable
from uuid import UUID


def literal(values: Iterable[object]) -> str:
    """A PostgreSQL array literal of numbers, truth values and nulls; or of ids, hashes, links and nested literals.

    An order of magnitude quicker than the driver's own way with lists, which looks at each element's type. Nothing
    that came from outside as text may go in: no value is quoted.
    """
    items = list(values)
    if items and isinstance(items[0], str | UUID):
        return "{" + ",".join(map(str, items)) + "}"
    text = str(items)[1:-1]
    return "{" + (text.replace("None", "null") if "None" in text else text) + "}"


def nested(ids: Iterable[int]) -> str:
    """An array literal as an element of another: rows of arrays of different lengths travel as text[]."""
    return f'"{{{",".join(map(str, ids))}}}"'


def nested_rows(rows: list[list[int]]) -> str:
    """As `nested`, of an array of arrays that are equally long."""
    return f'"{str(rows).replace("[", "{").replace("]", "}")}"'
