"""All of the simulated past and present, an hour at a time.

What a seed holds for an hour is fixed: who asks, in which order, and from where on makes no difference. Engagements
are born in an hour and may last into later ones; killmails are numbered in the hour of their kill, and come out in
the hour of their upload. So an hour depends on the ten hours before it, of which only long engagements count in the
first six, and on nothing else.
"""

from collections.abc import Callable, Iterator
from itertools import count
from typing import NamedTuple

from battlescope_local.new_eden.dice import Dice
from battlescope_local.new_eden.fleets import (
    LARGE_FLEETS_MAX_H,
    SMALL_FLEETS_MAX_H,
    large_fleet_fight,
    small_fleet_fight,
)
from battlescope_local.new_eden.gangs import bash, gank, gate_camp, roam, skirmish
from battlescope_local.new_eden.lone import lone_kill, npc_loss, padding
from battlescope_local.new_eden.losses import Loss
from battlescope_local.new_eden.payloads import LATE_MAX_H, Payload, sequenced, uploads
from battlescope_local.new_eden.world import World, world_of

START = 1_768_068_000
"""Saturday, 2026-01-10T18:00Z (Unix seconds): where stories begin that have no other beginning."""


class Engagement(NamedTuple):
    """One kind of engagement.

    Attributes:
        happen: makes the losses of one that begins in the given hour.
        per_day: how many begin on an average day.
        hours_max: no loss comes later after the beginning of that hour.
    """

    happen: Callable[[World, Dice, int], list[Loss]]
    per_day: float
    hours_max: int


ENGAGEMENTS = (
    Engagement(npc_loss, 1180, 2),
    Engagement(lone_kill, 2300, 2),
    Engagement(gank, 175, 2),
    Engagement(gate_camp, 150, 6),
    Engagement(roam, 175, 5),
    Engagement(skirmish, 640, 4),
    Engagement(bash, 190, 2),
    Engagement(small_fleet_fight, 38, SMALL_FLEETS_MAX_H),
    Engagement(large_fleet_fight, 5, LARGE_FLEETS_MAX_H),
    Engagement(padding, 2, 2),
)

RHYTHM = (
    0.93, 0.92, 0.8, 0.86, 0.79, 0.77, 0.73, 0.59, 0.64, 0.58, 0.65, 0.61,
    1.05, 1.2, 1.15, 1.23, 1.26, 1.35, 1.32, 1.56, 1.58, 1.51, 1.02, 0.9,
)  # fmt: skip
"""Each hour of the day (UTC) against the average one."""

WEEKDAYS = (0.95, 0.95, 0.96, 0.97, 1.0, 1.1, 1.07)
"""Each day of the week, from Monday on, against the average one."""


def hours(seed: int, first: int) -> Iterator[list[Payload]]:
    """What is uploaded in hour `first` (since 1970, UTC), in the next one, and so on without end, in feed order."""
    world = world_of(seed)
    losses_of: dict[int, list[Loss]] = {}
    uploads_of: dict[int, list[Payload]] = {}
    first_needed = first - LATE_MAX_H
    for hour in count(first_needed - max(engagement.hours_max for engagement in ENGAGEMENTS) + 1):
        for loss in _born(world, seed, hour, first_needed):
            losses_of.setdefault(loss.at // 3600, []).append(loss)
        losses = losses_of.pop(hour, [])
        if hour >= first_needed:
            for payload in uploads(Dice.of(seed, "uploads", hour), hour, losses):
                uploads_of.setdefault(payload["uploaded_at"] // 3600, []).append(payload)
        if hour >= first:
            yield sequenced(hour, uploads_of.pop(hour, []))


def _born(world: World, seed: int, hour: int, needed: int) -> Iterator[Loss]:
    """The losses of the engagements that begin in this hour and may last into hour `needed` or begin after it."""
    pace = RHYTHM[hour % 24] * WEEKDAYS[(hour // 24 + 3) % 7] / 24
    for engagement in ENGAGEMENTS:
        if hour + engagement.hours_max > needed:
            dice = Dice.of(seed, engagement.happen.__name__, hour)
            for _ in range(dice.count(engagement.per_day * pace)):
                yield from engagement.happen(world, dice, hour)
