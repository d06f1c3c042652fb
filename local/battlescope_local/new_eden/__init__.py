"""A New Eden in miniature: killmails as the real one makes them, from a seed.

    hours           all that happens, hour by hour, from any hour on
    plant           a fight whose sides are known
    growing_battle  one battle of any size

Read `world` (places, people), then the engagements (`lone`, `gangs`, `fleets`), then `payloads` and `history`.
"""

from battlescope_local.new_eden.history import START, hours
from battlescope_local.new_eden.payloads import Payload
from battlescope_local.new_eden.planted import PlantedFight, growing_battle, plant

__all__ = ["START", "Payload", "PlantedFight", "growing_battle", "hours", "plant"]
