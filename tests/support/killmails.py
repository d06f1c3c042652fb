"""Killmail references for tests: by hand, by hypothesis, and from the real days."""

import gzip
import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from battlescope.killmail import Attacker, Killmail, Pilot, canonical_attackers
from ingest.payload import parse_killmail

NOON = 1_640_000_400
"""A moment that the tests' clocks start from."""

CAPSULE = 670
RIFTER = 587

DAYS = ("2021-11-27", "2021-11-28", "2021-12-01")


def pilot(number: int, *, corporation: int = 0, alliance: int = 0, ship: int = RIFTER) -> Pilot:
    """Character `number`, by default of a corporation of its own."""
    return Pilot(90_000_000 + number, corporation or 98_000_000 + number, alliance, ship)


def kill(
    killmail_id: int,
    seconds: int,
    victim: Pilot,
    *attackers: Pilot,
    system: int = 30_002_813,
    isk: int | None = 1_000,
    valued_at: int = 1,
) -> Killmail:
    """A killmail `seconds` after noon; the attackers share 1,000 damage."""
    return Killmail(
        killmail_id=killmail_id,
        killmail_hash=hashlib.sha1(str(killmail_id).encode(), usedforsecurity=False).hexdigest(),
        killmail_time=NOON + seconds,
        solar_system_id=system,
        victim=victim,
        attackers=canonical_attackers(
            Attacker(*attacker, 1000 // len(attackers), attacker is attackers[0]) for attacker in attackers
        ),
        isk_value=isk,
        valued_at=valued_at if isk is not None else 0,
    )


@cache
def real_day(folder: Path, day: str) -> tuple[Killmail, ...]:
    """One real day, with values told from the killmail ids (the archives have none)."""
    with gzip.open(folder / f"killmails-{day}.jsonl.gz") as lines:
        parsed = [parse_killmail(line) for line in lines]
    return tuple(
        replace(killmail, isk_value=killmail.killmail_id * 7919 % 10**9, valued_at=1_700_000_000)
        for killmail in parsed
    )


# A small world, so that everything collides: few pilots, few ships, little more than an hour, two systems.
_pilots = st.builds(
    Pilot,
    character_id=st.sampled_from([0, *range(90_000_001, 90_000_006)]),
    corporation_id=st.sampled_from([0, 1_000_125, 98_000_001, 98_000_002, 98_000_003]),
    alliance_id=st.sampled_from([0, 0, 99_000_001, 99_000_002]),
    ship_type_id=st.sampled_from([CAPSULE, CAPSULE, RIFTER, 24690]),
)
_attackers = st.builds(
    Attacker,
    character_id=st.sampled_from([0, *range(90_000_001, 90_000_006)]),
    corporation_id=st.sampled_from([0, 1_000_125, 98_000_001, 98_000_002, 98_000_003]),
    alliance_id=st.sampled_from([0, 0, 99_000_001, 99_000_002]),
    ship_type_id=st.sampled_from([0, RIFTER, 24690]),
    damage_done=st.integers(0, 1000),
    final_blow=st.booleans(),
)


@st.composite
def killmail_sets(draw: st.DrawFn, *, size: int = 14) -> list[Killmail]:
    """Uploads of killmails: distinct bodies, some uploaded again with another value."""
    ids = draw(st.lists(st.integers(1, 40), min_size=1, max_size=size, unique=True))
    uploads: list[Killmail] = []
    for killmail_id in ids:
        victim = draw(_pilots)
        killmail_time = NOON + 60 * draw(st.integers(0, 75))
        system_id = draw(st.sampled_from([30_002_813, 30_002_813, 30_000_021]))
        attackers = canonical_attackers(draw(st.lists(_attackers, min_size=1, max_size=4)))
        uploads.extend(
            Killmail(
                killmail_id=killmail_id,
                killmail_hash=hashlib.sha1(str(killmail_id).encode(), usedforsecurity=False).hexdigest(),
                killmail_time=killmail_time,
                solar_system_id=system_id,
                victim=victim,
                attackers=_one_final_blow(attackers),
                isk_value=isk,
                valued_at=0 if isk is None else valued_at,
            )
            for isk, valued_at in draw(
                st.lists(
                    st.tuples(st.none() | st.integers(0, 10**12), st.integers(1, 5)),
                    min_size=1,
                    max_size=3,
                    unique=True,
                )
            )
        )
    return uploads


def _one_final_blow(attackers: tuple[Attacker, ...]) -> tuple[Attacker, ...]:
    first = next((index for index, attacker in enumerate(attackers) if attacker.final_blow), None)
    return tuple(attacker._replace(final_blow=index == first) for index, attacker in enumerate(attackers))
