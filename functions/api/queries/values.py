"""Where a killmail's value is from."""

from typing import Literal


def value_source(isk_value: int | None, valued_at: int) -> Literal["zkb", "estimated"] | None:
    """As the database tells it: an estimate has a value that no upload told."""
    if isk_value is None:
        return None
    return "zkb" if valued_at else "estimated"
