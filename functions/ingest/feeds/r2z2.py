"""R2Z2: zKillboard's live feed of numbered files. What to ask for when is `r2z2_position`'s."""

from pydantic_core import from_json

from battlescope.errors import KillmailError
from battlescope.http import HttpClient, HttpError, Response
from ingest.feeds import Batch, BatchBuilder, Position, Rejected
from ingest.feeds.position import load_position
from ingest.feeds.r2z2_position import R2Z2Position
from ingest.feeds.upload import Upload, read_upload

ITEMS_MAX = 100
"""Killmails, rejected and holes in one batch."""

SEQUENCES_END = 2**53
"""What is no less is no number of a file; the database could not hold all of those."""

TIMEOUT_S = 4.0
"""Small files from a CDN; and a poll outlasts its budget by this at most, which a Lambda's last seconds can bear."""


class R2Z2Feed:
    """Killmails as zKillboard processes them.

    Args:
        http: the client; its clock is the feed's.
        base_url: R2Z2's address.
        lookback: sequences to go back from the newest at the very first start.
    """

    def __init__(self, http: HttpClient, *, base_url: str, lookback: int) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._lookback = lookback

    @property
    def name(self) -> str:
        """The cursor's name."""
        return "r2z2"

    def poll(self, position: Position | None, budget_s: float) -> Batch:
        """The next killmails; see `Feed.poll`."""
        state = load_position(R2Z2Position, position, self.name)
        clock = self._http.clock
        deadline = clock.monotonic() + budget_s
        found = BatchBuilder()
        wait_s = 0.0
        while len(found) < ITEMS_MAX and clock.monotonic() < deadline:
            sequence, wait_s = state.next(clock.wall())
            if wait_s > 0:
                break
            self._ask(state, sequence, found)
        backed_off = state.backoff.was_asked_for and state.backoff.wait_s(clock.wall()) > 0
        return found.batch(state.dump(), wait_s=wait_s, backed_off=backed_off)

    def _ask(self, state: R2Z2Position, sequence: int | None, found: BatchBuilder) -> None:
        file = "sequence" if sequence is None else sequence
        try:
            response = self._http.get(f"{self._base_url}/ephemeral/{file}.json", timeout_s=TIMEOUT_S)
        except HttpError as error:
            found.error = str(error)
            found.holes.extend(state.failed(sequence, None, self._http.clock.wall()))
            return
        now = self._http.clock.wall()
        if response.status == 200 and sequence is None:
            self._newest(state, response, found, now)
        elif response.status == 200 and sequence is not None:
            _file(state, sequence, response, found, now)
        elif response.status == 404 and sequence is not None:
            found.holes.extend(state.absent(sequence, now))
        else:
            found.error = str(response)
            if response.status in {403, 429}:
                state.backoff.refused(response.status, response.retry_after_s, now)
            else:
                found.holes.extend(state.failed(sequence, response.retry_after_s, now))

    def _newest(self, state: R2Z2Position, response: Response, found: BatchBuilder, now: float) -> None:
        try:
            newest = from_json(response.body)["sequence"]
        except (ValueError, KeyError, TypeError):
            newest = None
        if type(newest) is int and 0 <= newest < SEQUENCES_END and response.is_complete:
            state.newest_is(newest, now, self._lookback)
        else:
            found.error = f"{response.url} names no sequence"
            state.failed(None, None, now)


def _file(state: R2Z2Position, sequence: int, response: Response, found: BatchBuilder, now: float) -> None:
    try:
        upload = _read(response)
    except KillmailError as error:
        found.error = f"{response.url} is {error}"
        if state.unreadable(sequence, now):
            found.rejected.append(Rejected.of(response.body, f"sequence {sequence}: the file is {error}"))
        return
    was_wanted_again = (entry := state.missing.get(sequence)) is not None and entry.is_reupload
    holes = state.found(sequence, upload.uploaded_at, now)
    if holes is None:
        return
    found.holes.extend(holes)
    found.add(upload.item)
    # What a re-uploaded file itself names was followed when the file was read first.
    if upload.sequence_updated is not None and upload.sequence_updated < sequence and not was_wanted_again:
        state.uploaded_again(upload.sequence_updated, now)


def _read(response: Response) -> Upload:
    if not response.is_complete:
        raise KillmailError("cut off")
    return read_upload(response.body)
