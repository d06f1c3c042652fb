"""What killmails add to a battle: totals, participations, and the ledger that its sides are told from.

The same from the whole battle at once (`before` empty) or from what is new and what was known of those on it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from battlescope.evidence import KINDS, Affiliation, Kind, Ledger
from battlescope.killmail import Killmail, affiliation_id
from cluster.engine.battle import Flight, Loss, Participation, count_losses, loss, merged, participations
from cluster.engine.evidence import evidence_of
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
        flights: as they are now, of those that are new or have changed.
        losses: how many more, pods folded; fewer than none where a late ship loss folds pods.
        pilots: how many more.
    """

    ledger: Ledger
    flights: Mapping[Flight, Participation]
    losses: int
    pilots: int


def growth(killmails: Sequence[Killmail], rules: Rules, before: Before = NOTHING_BEFORE) -> Growth:
    """What these killmails add to a battle that does not hold them yet."""
    flights: dict[Flight, Participation] = {}
    for flight, seen in participations(killmails).items():
        known = before.flights.get(flight)
        now = seen if known is None else merged(known, seen)
        if now != known:
            flights[flight] = now
    losses = count_losses([*before.losses, *map(loss, killmails)], rules)
    losses.subtract(count_losses(before.losses, rules))
    pilots = _pilots({**before.flights, **flights})
    known_pilots = _pilots(before.flights)
    pilot_counts = Counter(affiliation for affiliation, _ in pilots)
    pilot_counts.subtract(affiliation for affiliation, _ in known_pilots)
    isk_lost: Counter[int] = Counter()
    for killmail in killmails:
        isk_lost[killmail.victim.affiliation_id or killmail.victim.character_id] += killmail.isk_value or 0
    affiliations = {
        affiliation: Affiliation(kind, pilot_counts[affiliation], losses[affiliation], isk_lost[affiliation])
        for affiliation, kind in _kinds(killmails, before).items()
    }
    return Growth(
        ledger=Ledger(affiliations, evidence_of(killmails)),
        flights=flights,
        losses=losses.total(),
        pilots=len({pilot for _, pilot in pilots}) - len({pilot for _, pilot in known_pilots}),
    )


def revaluation(older: Killmail, newer: Killmail) -> Ledger:
    """What a new value of a killmail changes; the killmail is the same otherwise."""
    victim = older.victim
    affiliation = victim.affiliation_id or victim.character_id
    change = (newer.isk_value or 0) - (older.isk_value or 0)
    kind = _kind(victim.corporation_id, victim.alliance_id)
    return Ledger(
        {affiliation: Affiliation(kind, isk_lost=change)} if affiliation else {},
        evidence_of([newer]) - evidence_of([older]),
    )


def _pilots(flights: Mapping[Flight, Participation]) -> set[tuple[int, int]]:
    """`(affiliation, character)` of everybody; who flew in two names is in it twice."""
    return {
        (alliance_id or affiliation_id(corporation_id, 0) or character_id, character_id)
        for (character_id, _), (corporation_id, alliance_id, _) in flights.items()
    }


def _kinds(killmails: Iterable[Killmail], before: Before) -> dict[int, Kind]:
    """Everybody's affiliations on these killmails, and in what was before; NPCs excluded."""
    who: set[tuple[int, int, int]] = {
        (character_id, *seen[:2]) for (character_id, _), seen in before.flights.items()
    }
    who.update((one.character_id, one.corporation_id, one.alliance_id) for one in before.losses)
    for killmail in killmails:
        who.add(killmail.victim[:3])
        who.update(attacker[:3] for attacker in killmail.attackers if attacker.character_id)
    kinds: dict[int, Kind] = {}
    for character_id, corporation_id, alliance_id in who:
        affiliation = alliance_id or affiliation_id(corporation_id, 0) or character_id
        if affiliation:
            kinds[affiliation] = _kind(corporation_id, alliance_id)
    return kinds


def _kind(corporation_id: int, alliance_id: int) -> Kind:
    if alliance_id:
        return KINDS[0]
    return KINDS[1] if affiliation_id(corporation_id, 0) else KINDS[2]
