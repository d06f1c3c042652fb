"""What every engagement draws on."""

from dataclasses import dataclass
from functools import lru_cache

from battlescope_local.new_eden.geography import Geography
from battlescope_local.new_eden.population import Population


@dataclass(frozen=True, slots=True)
class World:
    """Places and people of one seed."""

    geography: Geography
    population: Population


@lru_cache(maxsize=2)
def world_of(seed: int) -> World:
    """The world of this seed."""
    return World(Geography.from_static(seed), Population.of(seed))
