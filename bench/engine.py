"""The engine alone, killmails already parsed in memory: linking, folding, naming; one core.

Nothing here waits, so CPU seconds are counted: what else the machine does disturbs them less.
"""

import argparse
import cProfile
import gc
import pstats
import time
from collections.abc import Callable, Sequence

from battlescope.killmail import Killmail
from bench.support import machine, real_days
from cluster.engine.rules import Rules
from cluster.engine.whole import digest, find_battles
from ingest.feeds.simulated import killmail_of


def main(argv: Sequence[str]) -> None:
    """Print rates, each beside a sequential pass and the first specification's pseudocode."""
    parser = argparse.ArgumentParser(prog="bench engine", description=__doc__)
    parser.add_argument("--simulated", type=int, default=1_000_000, help="killmails to simulate, 0 for none")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args(argv)
    print(machine())
    print(f"{'':34}{'killmails/s':>12}{'of a pass':>12}{'of pseudocode':>15}")
    killmails = real_days()
    _measure("three real days", killmails)
    if options.profile:
        profile = cProfile.Profile()
        profile.runcall(find_battles, killmails, Rules())
        pstats.Stats(profile).sort_stats("tottime").print_stats(14)
    if options.simulated:
        del killmails
        _measure(f"{options.simulated:,} simulated killmails", _simulated(options.simulated))


def _measure(name: str, killmails: Sequence[Killmail]) -> None:
    gc.collect()
    gc.freeze()  # what is held is the killmails, and no garbage
    rules = Rules()
    count = len(killmails)
    engine = _cpu_s(5, lambda: find_battles(killmails, rules))
    sequential = _cpu_s(5, lambda: sum(killmail.killmail_time for killmail in killmails))
    pseudocode = _cpu_s(3, lambda: specification(killmails))
    print(f"{name:34}{count / engine:>12,.0f}{sequential / engine:>12.3f}{pseudocode / engine:>15.2f}")
    battles = find_battles(killmails, rules)
    print(f"  digest {digest([k.killmail_id for k in battle.killmails] for battle in battles)}")
    gc.unfreeze()


def _cpu_s(runs: int, work: Callable[[], object]) -> float:
    """The CPU seconds of the shortest of some runs."""
    taken = []
    for _ in range(runs):
        gc.collect()
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken)


def specification(killmails: Sequence[Killmail]) -> int:
    """The first specification's pseudocode: one open battle a system, joined by a short gap or a party in common."""
    open_battles: dict[int, tuple[int, set[int], list[int]]] = {}
    closed = 0
    for killmail in sorted(killmails, key=lambda one: one.killmail_time):
        held = open_battles.get(killmail.solar_system_id)
        if held is not None:
            last, parties, members = held
            apart_s = killmail.killmail_time - last
            if apart_s <= 15 * 60 or (apart_s <= 30 * 60 and not parties.isdisjoint(killmail.parties)):
                parties |= killmail.parties
                members.append(killmail.killmail_id)
                open_battles[killmail.solar_system_id] = (killmail.killmail_time, parties, members)
                continue
            closed += len(members) >= 2
        open_battles[killmail.solar_system_id] = (
            killmail.killmail_time, set(killmail.parties), [killmail.killmail_id],
        )  # fmt: skip
    return closed + sum(len(members) >= 2 for _, _, members in open_battles.values())


def _simulated(count: int) -> list[Killmail]:
    from battlescope_local.new_eden import START, hours  # noqa: PLC0415

    killmails: dict[int, Killmail] = {}
    for uploads in hours(1, START // 3600):
        for upload in uploads:
            if len(killmails) == count:
                return list(killmails.values())
            killmails[upload["killmail_id"]] = killmail_of(upload)
    raise AssertionError("the simulation has no end")
