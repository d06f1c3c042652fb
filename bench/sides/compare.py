"""The comparison: `python -m bench sides`."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from battlescope.assignment import assignments_of
from battlescope.evidence import Evidence
from battlescope.killmail import Killmail
from bench.sides import agglomerative, greedy, search
from bench.sides.fights import write_up
from bench.sides.measure import Weights, cohesion, crossing, weigh
from bench.sides.planted import planted_fights, recovered
from bench.support import best_of, machine, real_days
from cluster.engine import sides
from cluster.engine.ledger import growth
from cluster.engine.rules import Rules
from cluster.engine.whole import find_battles

KILLS_MIN = 10


@dataclass(frozen=True, slots=True)
class Case:
    """A battle, and what the methods and the measure need of it."""

    killmails: Sequence[Killmail]
    weights: Weights
    evidence: Evidence
    pilots: dict[int, int]


Method = Callable[[Case], Mapping[int, int]]

METHODS: dict[str, Method] = {
    "greedy (zKillboard)": lambda case: greedy.assign(case.weights, case.pilots),
    "maximum cut": lambda case: search.maximum_cut(case.weights, case.pilots),
    "agglomerative": lambda case: agglomerative.merged(case.weights, case.pilots),
    "agglomerative, neutrals too": lambda case: agglomerative.merged_with_neutrals(case.weights, case.pilots),
    "local search on both, two sides": lambda case: search.both_in_two(case.weights, case.pilots),
    "local search on both, any number": lambda case: search.both(case.weights, case.pilots),
    "ours": lambda case: sides.assign(case.evidence, case.pilots).side_ids,
}


def main(argv: Sequence[str]) -> None:
    """Compare the methods, or write up fights."""
    parser = argparse.ArgumentParser(prog="bench sides", description=__doc__)
    parser.add_argument(
        "--fight", type=int, nargs="+", metavar="SYSTEM_ID", help="write up these fights instead"
    )
    options = parser.parse_args(argv)
    battles = [battle for battle in find_battles(real_days(), Rules()) if len(battle.killmails) >= KILLS_MIN]
    if options.fight:
        for system_id in options.fight:
            there = [battle for battle in battles if battle.system_id == system_id]
            print(write_up(max(there, key=lambda battle: len(battle.killmails))), end="\n\n")
        return
    cases = [_case(battle.killmails) for battle in battles]
    planted = [(_case(killmails), truth) for killmails, truth in planted_fights()]
    print(f"{machine()}\n{len(cases)} battles of {KILLS_MIN} or more kills, {len(planted)} planted fights\n")
    print(f"{'':34}{'crossing':>9}{'cohesion':>9}{'sum':>8}{'sides':>7}{'side 0':>8}{'recovered':>11}")
    for name, method in METHODS.items():
        _print(name, method, cases, planted)
    _print_speed(cases)


def _case(killmails: Sequence[Killmail]) -> Case:
    ledger = growth(killmails, Rules()).ledger
    return Case(killmails, weigh(killmails), ledger.evidence, ledger.pilots)


def _print(
    name: str, method: Method, cases: Sequence[Case], planted: Sequence[tuple[Case, Mapping[int, int]]]
) -> None:
    answers = [method(case) for case in cases]
    judged = list(zip(cases, answers, strict=True))
    across = sum(crossing(case.weights, answer) for case, answer in judged) / len(judged)
    within = sum(cohesion(case.weights, answer) for case, answer in judged) / len(judged)
    count = sum(len(set(answer.values()) - {0}) for answer in answers) / len(answers)
    affiliations = sum(len(answer) for answer in answers)
    nowhere = sum(side == 0 for answer in answers for side in answer.values()) / affiliations
    found = sum(recovered(truth, method(case)) for case, truth in planted)
    print(
        f"{name:34}{across:>9.4f}{within:>9.4f}{across + within:>8.4f}{count:>7.2f}{nowhere:>8.1%}"
        f"{found:>5} of {len(planted)}"
    )


def _print_speed(cases: Sequence[Case]) -> None:
    print("\nassign, by affiliations in the battle:")
    by_size: dict[int, list[Case]] = {}
    for case in cases:
        size = next(limit for limit in (2, 4, 10, 40, 100) if len(case.pilots) <= limit)
        by_size.setdefault(size, []).append(case)
    for size, sized in sorted(by_size.items()):
        alone = best_of(5, partial(_assign, sized)) / len(sized)
        told = best_of(3, partial(_explain, sized)) / len(sized)
        print(
            f"  up to {size:3}: {len(sized):4} battles, {alone * 1e6:9,.0f} us, "
            f"with each assignment's evidence {told * 1e6:9,.0f} us"
        )


def _assign(cases: Sequence[Case]) -> None:
    for case in cases:
        sides.assign(case.evidence, case.pilots)


def _explain(cases: Sequence[Case]) -> None:
    for case in cases:
        assignments_of(case.evidence, sides.assign(case.evidence, case.pilots).placements)
