"""RedisQ: a queue on the far side that forgets a package once it was delivered.

So a package goes into the position first, and is resolved by the next poll: a crash in between loses nothing. The
killmail is in the package (before 2025-12), or is fetched from ESI by the package's id and hash.
"""

from typing import Annotated, Any
from urllib.parse import urlencode, urljoin, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from battlescope.backoff import Backoff
from battlescope.errors import FeedError, KillmailError, MessageError
from battlescope.esi import Esi, EsiUnavailableError
from battlescope.http import HttpClient, Response
from battlescope.killmail import Killmail
from battlescope.message import pack, unpack
from ingest.feeds import Batch, BatchBuilder, Position, Rejected
from ingest.feeds.position import load_position
from ingest.payload import EveId, KillmailHash, parse_killmail

REQUESTS_PER_SECOND = 2
TTW_MAX_S = 10
ANSWER_S = 4.0
"""For an answer beyond the time to wait."""

TRIES_MAX = 20
"""Before a package is given up; with the waits in between about a quarter of an hour: ESI's daily restart passes."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class _Zkb(BaseModel):
    model_config = ConfigDict(extra="ignore")

    hash: KillmailHash
    total_value: Annotated[float | None, Field(alias="totalValue", allow_inf_nan=False, strict=True)] = None


class _Package(BaseModel):
    model_config = ConfigDict(extra="ignore")

    killmail_id: Annotated[EveId, Field(alias="killID")]
    zkb: _Zkb
    killmail: dict[str, Any] | None = None


class _Pending(BaseModel):
    """A package that was delivered and is not resolved yet: with its killmail as a message's body, or without."""

    killmail_id: int
    killmail_hash: str
    total_value: float | None
    delivered_at: int
    body: str | None = None
    tries: int = 0


class _RedisQPosition(BaseModel):
    """What was delivered and is still to be resolved.

    Attributes:
        pending: packages.
        object_url: where `listen.php` redirected to for a package that was not read yet.
        backoff: how long to stay away from the server, or from ESI while something is pending.
    """

    model_config = ConfigDict(extra="ignore")

    pending: list[_Pending] = Field(default_factory=list)
    object_url: str | None = None
    backoff: Backoff = Field(default_factory=Backoff)


class RedisQFeed:
    """Killmails from any server that speaks RedisQ.

    Args:
        http: the client; its clock is the feed's.
        esi: where killmails come from that are not in their package.
        base_url: the server's address.
        queue_id: the name by which the server remembers what it delivered to us.
    """

    def __init__(self, http: HttpClient, esi: Esi, *, base_url: str, queue_id: str) -> None:
        self._http = http
        self._esi = esi
        self._base_url = base_url.rstrip("/")
        self._queue_id = queue_id

    @property
    def name(self) -> str:
        """The cursor's name."""
        return "redisq"

    def poll(self, position: Position | None, budget_s: float) -> Batch:
        """The next killmail, or a position that holds a package to be resolved next; see `Feed.poll`."""
        state = load_position(_RedisQPosition, position, self.name)
        found = BatchBuilder()
        if state.backoff.wait_s(self._http.clock.wall()) == 0:
            if state.pending:
                self._resolve(state, found)
            else:
                self._listen(state, found, budget_s)
        wait_s = state.backoff.wait_s(self._http.clock.wall())
        return found.batch(
            state.model_dump(mode="json", exclude_defaults=True),
            wait_s=wait_s,
            backed_off=wait_s > 0 and state.backoff.was_asked_for,
        )

    def _listen(self, state: _RedisQPosition, found: BatchBuilder, budget_s: float) -> None:
        ttw_s = max(1, min(TTW_MAX_S, int(budget_s)))
        listen_url = f"{self._base_url}/listen.php?{urlencode({'queueID': self._queue_id, 'ttw': ttw_s})}"
        try:
            response = self._get(state.object_url or listen_url, ttw_s)
            if response.status in _REDIRECTS and not state.object_url:
                state.object_url = self._object_url(response)
                response = self._get(state.object_url, ttw_s)
        except FeedError as error:
            self._failed(state, found, str(error))
            return
        if response.status == 200:
            self._delivered(state, response, found)
        elif response.status in {403, 429}:
            found.error = str(response)
            state.backoff.refused(response.status, response.retry_after_s, self._http.clock.wall())
        else:
            self._failed(state, found, str(response), response)

    def _get(self, url: str, ttw_s: int) -> Response:
        return self._http.get(url, timeout_s=ttw_s + ANSWER_S, requests_per_second=REQUESTS_PER_SECOND)

    def _object_url(self, response: Response) -> str:
        url = urljoin(response.url, response.headers.get("Location", ""))
        base = urlsplit(self._base_url)
        if urlsplit(url)[:2] not in {(base.scheme, base.netloc), ("https", base.netloc)}:
            raise FeedError(f"{response} with a redirect to another host, which is not followed")
        return url

    def _failed(
        self, state: _RedisQPosition, found: BatchBuilder, reason: str, response: Response | None = None
    ) -> None:
        found.error = reason
        state.backoff.failed(response.retry_after_s if response else None, self._http.clock.wall())
        is_gone = response is not None and response.status in {404, 410}
        if state.object_url and (is_gone or state.backoff.failures >= TRIES_MAX):
            found.rejected.append(
                Rejected.of(state.object_url.encode(), f"a package that did not come: {reason}")
            )
            state.object_url = None

    def _delivered(self, state: _RedisQPosition, response: Response, found: BatchBuilder) -> None:
        try:
            package = from_json(response.body)["package"]
        except (ValueError, KeyError, TypeError):
            reason = f"{response.url} is no package, or was cut off"
            if not state.object_url:  # so it is gone from the server
                found.rejected.append(Rejected.of(response.body, reason))
            self._failed(state, found, reason, response)
            return
        state.object_url = None
        state.backoff.answered()
        if package is None:
            return
        try:
            state.pending.append(_pending(package, int(self._http.clock.wall())))
        except KillmailError as error:
            killmail_id = package.get("killID") if isinstance(package, dict) else None
            found.rejected.append(Rejected.of(response.body, str(error), killmail_id))

    def _resolve(self, state: _RedisQPosition, found: BatchBuilder) -> None:
        pending = state.pending[0]
        try:
            found.add(self._killmail(pending))
        except (KillmailError, MessageError) as error:
            found.rejected.append(_rejected(pending, str(error)))
        except EsiUnavailableError as error:
            found.error = str(error)
            state.backoff.stay_away(error.wait_s, self._http.clock.wall(), was_asked_for=error.was_asked_for)
            pending.tries += not error.was_asked_for
            if pending.tries < TRIES_MAX:
                return
            found.rejected.append(_rejected(pending, f"given up after {pending.tries} tries: {error}"))
        else:
            state.backoff.answered()
        del state.pending[0]

    def _killmail(self, pending: _Pending) -> Killmail:
        if pending.body is not None:
            return unpack(pending.body).killmails[0]
        body = self._esi.killmail(pending.killmail_id, pending.killmail_hash)
        zkb = {"totalValue": pending.total_value}
        killmail = parse_killmail(
            body, killmail_hash=pending.killmail_hash, zkb=zkb, uploaded_at=pending.delivered_at
        )
        return _checked(killmail, pending.killmail_id)


def _pending(package: object, now: int) -> _Pending:
    """What to keep of a package; its value counts from now, as RedisQ does not tell when it was uploaded.

    Raises:
        KillmailError: it is no package, or its killmail cannot become a reference.
    """
    try:
        parsed = _Package.model_validate(package)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise KillmailError(f"{'.'.join(map(str, first['loc'])) or 'package'}: {first['msg']}") from None
    body = None
    if parsed.killmail is not None:
        zkb = {"totalValue": parsed.zkb.total_value}
        killmail = parse_killmail(parsed.killmail, killmail_hash=parsed.zkb.hash, zkb=zkb, uploaded_at=now)
        [(_, body)] = pack([_checked(killmail, parsed.killmail_id)])
    return _Pending(
        killmail_id=parsed.killmail_id,
        killmail_hash=parsed.zkb.hash,
        total_value=parsed.zkb.total_value,
        delivered_at=now,
        body=body,
    )


def _checked(killmail: Killmail, killmail_id: int) -> Killmail:
    if killmail.killmail_id != killmail_id:
        raise KillmailError(
            f"killmail_id: the package names {killmail_id}, its killmail is {killmail.killmail_id}"
        )
    return killmail


def _rejected(pending: _Pending, reason: str) -> Rejected:
    return Rejected.of(pending.model_dump_json().encode(), reason, pending.killmail_id)
