"""PostgreSQL array literals.

An order of magnitude quicker than the driver's own way with lists, which looks at each element's type. JSON is nearly
what PostgreSQL reads, and native code writes it; but a backslash in a text means something else there, so that nothing
that came from outside as text may go in.
"""

from collections.abc import Iterable, Sequence

from pydantic_core import to_json

_BRACES = bytes.maketrans(b"[]", b"{}")


def literal(values: Iterable[object]) -> str:
    """A PostgreSQL array literal of numbers, truth values and nulls; or of ids, hashes, links and nested literals."""
    return f"{{{to_json(list(values))[1:-1].decode()}}}"


def nested(values: Iterable[int] | Sequence[Sequence[int]]) -> str:
    """An array literal as an element of another: rows of arrays of different lengths travel as text[]."""
    return to_json(values).translate(_BRACES).decode()
