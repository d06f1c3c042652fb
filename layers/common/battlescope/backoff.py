"""How long to stay away from a service that refused or failed; can be stored, as part of a position."""

from pydantic import BaseModel, ConfigDict

REFUSED_BASE_S = {429: 60.0, 403: 300.0}
REFUSED_MAX_S = 3600.0
"""zKillboard's bans last an hour."""

FAILED_BASE_S = 1.0
FAILED_MAX_S = 60.0

WAIT_MAX_S = 86_400.0
"""However long a service, or a clock that was wrong, says: ask once a day."""


class Backoff(BaseModel):
    """The state of staying away.

    Attributes:
        retry_at: Unix seconds before which the service is not asked.
        lasts_s: seconds of the wait that ends then; where more are left, the clock was set back.
        refused_s: seconds of the latest wait after a 429 or 403 that named none; the next one doubles it.
        failures: failures in a row (5xx, time-outs, no connection).
        was_asked_for: whether the service itself asked for the wait.
    """

    model_config = ConfigDict(extra="ignore")

    retry_at: float = 0.0
    lasts_s: float = WAIT_MAX_S
    refused_s: float = 0.0
    failures: int = 0
    was_asked_for: bool = False

    def wait_s(self, now: float) -> float:
        """Seconds still to stay away at `now` (Unix seconds)."""
        self.retry_at = min(self.retry_at, now + self.lasts_s)
        return max(0.0, self.retry_at - now)

    def refused(self, status: int, retry_after_s: float | None, now: float) -> None:
        """The service said 429, 403 or the like: stay away as long as it says, else ever longer."""
        if retry_after_s is None:
            base_s = REFUSED_BASE_S.get(status, REFUSED_BASE_S[429])
            self.refused_s = min(REFUSED_MAX_S, max(base_s, 2 * self.refused_s))
            retry_after_s = self.refused_s
        self.stay_away(retry_after_s, now, was_asked_for=True)

    def failed(self, retry_after_s: float | None, now: float) -> None:
        """The service did not answer, or with a fault of its own."""
        self.failures += 1
        doubled_s = min(FAILED_MAX_S, FAILED_BASE_S * 2.0 ** min(self.failures - 1, 10))
        self.stay_away(
            doubled_s if retry_after_s is None else retry_after_s,
            now,
            was_asked_for=retry_after_s is not None,
        )

    def answered(self) -> None:
        """The service answered as it should."""
        self.retry_at, self.refused_s, self.failures, self.was_asked_for = 0.0, 0.0, 0, False

    def stay_away(self, wait_s: float, now: float, *, was_asked_for: bool) -> None:
        """Ask nothing for so long, within bounds; `was_asked_for` says whether that is the service's own wish."""
        self.lasts_s = min(max(wait_s, 1.0), WAIT_MAX_S)
        self.retry_at = now + self.lasts_s
        self.was_asked_for = was_asked_for
