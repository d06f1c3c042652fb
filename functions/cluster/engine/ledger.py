"""What killmails add to a battle: totals, participations, and the ledger that its sides are told from.

The same from the whole battle at once (`before` empty) or from what is new and what was known of those on it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from battlescope.evidence import Affiliation, Kind, Ledger
from battlescope.killmail import Killmail, affiliation_id
from cluster.engine.battle import Loss, count_losses, loss
from cluster.engine.evidence import evidence_of
from cluster.engine.roll import Flight, Participation, Roll, merged, roll_of
from cluster.engine.rules import Rules


class Before(NamedTuple):
    """What a battle held already of the characters on new killmails: all their flights, and the victims' losses."""

    flights: Mapping[Flight, Participation]
    losses: Sequence[Loss]


NOTHING_BEFORE = Before({}, ())


class Growth(NamedTuple):
    """What new killmails change.

    Attributes:
        ledger: what to add to the battle's.
        flights: those that are new.
        changes: those that were known and are not as they were, as they are now.
        losses: how many more, pods folded; fewer than none where a late ship loss folds pods.
        pilots: how many more.
    """

    ledger: Ledger
    flights: Mapping[Flight, Participation]
    changes: Mapping[Flight, Participation]
    losses: int
    pilots: int


def growth(
    killmails: Sequence[Killmail], rules: Rules, before: Before = NOTHING_BEFORE, roll: Roll | None = None
) -> Growth:
    """What these killmails add to a battle that does not hold them yet; `roll` is theirs, where it is known."""
    roll = roll or roll_of(killmails)
    flights: Mapping[Flight, Participation] = roll.flights
    changes: Mapping[Flight, Participation] = {}
    if before.flights:
        changes = dict(_changed(flights, before.flights))
        flights = {flight: seen for flight, seen in flights.items() if flight not in before.flights}
    losses = count_losses([*before.losses, *map(loss, killmails)], rules)
    losses.subtract(count_losses(before.losses, rules))
    pilots = _pilots({**before.flights, **changes, **flights} if before.flights else flights)
    known_pilots = _pilots(before.flights)
    pilot_counts = Counter(affiliation for affiliation, _ in pilots)
    pilot_counts.subtract(affiliation for affiliation, _ in known_pilots)
    isk_lost: Counter[int] = Counter()
    for killmail in killmails:
        isk_lost[killmail.victim.affiliation_id or killmail.victim.character_id] += killmail.isk_value or 0
    affiliations = {
        affiliation: Affiliation(kind, pilot_counts[affiliation], losses[affiliation], isk_lost[affiliation])
        for affiliation, kind in (roll.affiliations | _before_affiliations(before)).items()
    }
    return Growth(
        ledger=Ledger(affiliations, evidence_of(killmails)),
        flights=flights,
        changes=changes,
        losses=losses.total(),
        pilots=len({pilot for _, pilot in pilots}) - len({pilot for _, pilot in known_pilots}),
    )


def revaluation(older: Killmail, newer: Killmail) -> Ledger:
    """What a new value of a killmail changes; the killmail is the same otherwise."""
    change = (newer.isk_value or 0) - (older.isk_value or 0)
    victims = Roll({older.victim[:4]}, set()).affiliations
    return Ledger(
        {victim: Affiliation(kind, isk_lost=change) for victim, kind in victims.items()},
        evidence_of([newer]) - evidence_of([older]),
    )


def _changed(
    flights: Mapping[Flight, Participation], before: Mapping[Flight, Participation]
) -> Iterator[tuple[Flight, Participation]]:
    for flight, seen in flights.items():
        known = before.get(flight)
        if known is not None and (now := merged(known, seen)) != known:
            yield flight, now


def _pilots(flights: Mapping[Flight, Participation]) -> set[tuple[int, int]]:
    """`(affiliation, character)` of everybody; who flew in two names is in it twice."""
    return {
        (alliance_id or affiliation_id(corporation_id, 0) or character_id, character_id)
        for (character_id, _), (corporation_id, alliance_id, _) in flights.items()
    }


def _before_affiliations(before: Before) -> dict[int, Kind]:
    """Whose numbers may change without their being on new killmails: those that pilots flew for before."""
    if not before.flights and not before.losses:
        return {}
    flown = {(flight[0], *seen[:2], 0) for flight, seen in before.flights.items()}
    lost = {(one.character_id, one.corporation_id, one.alliance_id, 0) for one in before.losses}
    return Roll(lost, flown).affiliations
