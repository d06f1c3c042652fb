"""What may go on: killmails that are true to the clock and that fit a message, whichever way they came."""

from collections.abc import Iterable

from battlescope.killmail import Killmail
from battlescope.message import fits
from ingest.feeds import Rejected

FUTURE_MAX_S = 24 * 3600
"""A killmail that lies further ahead of the clock is not believed."""

ATTACKERS_THAT_FIT = 1000
"""Up to so many attackers a reference surely fits a message."""


def accept(killmails: Iterable[Killmail], now: float) -> tuple[list[Killmail], list[Rejected]]:
    """The killmails that can go on at `now` (Unix seconds), and those that cannot."""
    good: list[Killmail] = []
    rejected: list[Rejected] = []
    for killmail in killmails:
        reason = objection(killmail, now)
        if reason is None:
            good.append(killmail)
        else:
            rejected.append(Rejected.of(repr(killmail).encode(), reason, killmail.killmail_id))
    return good, rejected


def objection(killmail: Killmail, now: float) -> str | None:
    """Why a killmail cannot go on; None where it can."""
    if killmail.killmail_time > now + FUTURE_MAX_S:
        return "killmail_time: lies in the future"
    if len(killmail.attackers) > ATTACKERS_THAT_FIT and not fits(killmail):
        return "attackers: too many for a message, even deflated"
    return None
