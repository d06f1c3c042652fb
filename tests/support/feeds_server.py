"""The far side of the internet on loopback: R2Z2, RedisQ, ESI and EVE Ref in one HTTP server, with faults on order.

    with FeedsServer(killmails) as server:
        server.script("/ephemeral/1003.json", NOT_FOUND, CUT_OFF)   # the next two answers; then as ever
        server.always("/killmails/", BAD_GATEWAY)                   # until `server.calm()`
        ... poll server.url ...
        server.asked("/ephemeral/1003.json")                        # when it was asked for

A path stands for everything that begins with it. The server keeps no rules of its own about rates: it writes down
every request, and the test judges.
"""

import hashlib
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.support.answers import NOT_FOUND, Answer, AnsweringServer
from tests.support.history_files import history_file
from tests.support.payloads import Json, killmail_hash, r2z2_file, redisq_package

FIRST_SEQUENCE = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """One request, and how it was answered; `at` by the server's clock."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    at: float
    status: int
    posted: bytes = b""


class FeedsServer:
    """Serves killmails in the ways their feeds do.

    Args:
        killmails: ESI killmails that were uploaded an hour ago, one sequence each from `first_sequence`.
        first_sequence: R2Z2's oldest.
        now: the clock: Unix seconds.

    Attributes:
        requests: what was asked, in order.
        files: R2Z2's files by sequence.
        lag: by how much sequence.json lies behind the newest file.
        redisq_embeds: whether RedisQ's packages hold their killmail, as before 2025-12.
        redisq_redirects: whether `listen.php` redirects to `object.php`.
        names: what ESI resolves, by id.
        prices: ESI's market prices.
        placed: bodies in the place of what a path would serve.
        esi_tokens: what is left of ESI's 3600.
    """

    def __init__(
        self,
        killmails: Iterable[Json] = (),
        *,
        first_sequence: int = FIRST_SEQUENCE,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.requests: list[Request] = []
        self.lag = 0
        self.redisq_embeds = False
        self.redisq_redirects = False
        self.esi_tokens = 3600
        self.names: dict[int, str] = {}
        self.prices: list[Json] = []
        self.placed: dict[str, bytes] = {}
        self.newest = first_sequence - 1
        self._now = now
        self.files: dict[int, Json] = {}
        self._killmails: dict[int, Json] = {}
        self._packages: list[Json] = []
        self._delivered: dict[str, int] = defaultdict(int)
        self._objects: dict[str, Json] = {}
        self._scripts: dict[str, deque[Answer]] = defaultdict(deque)
        self._always: dict[str, Answer] = {}
        self._lock = threading.RLock()
        self._closing = threading.Event()
        for killmail in killmails:
            self.publish(killmail, uploaded_at=now() - 3600)

    def __enter__(self) -> Self:
        self._httpd = AnsweringServer(self.answer)
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._httpd.shutdown()
        self._thread.join()
        self._httpd.close()

    @property
    def connections(self) -> int:
        """How many connections were ever opened."""
        return self._httpd.accepted

    @property
    def url(self) -> str:
        """The address of all three services."""
        return f"http://127.0.0.1:{self._httpd.server_address[1]}"

    def publish(
        self,
        killmail: Json,
        *,
        uploaded_at: float | None = None,
        value: float = 16107.17,
        sequence_updated: int | None = None,
    ) -> int:
        """Upload a killmail under the next sequence."""
        with self._lock:
            self.newest += 1
            self.files[self.newest] = r2z2_file(
                killmail,
                sequence=self.newest,
                uploaded_at=self._now() if uploaded_at is None else uploaded_at,
                value=value,
                sequence_updated=sequence_updated,
            )
            self._killmails[killmail["killmail_id"]] = killmail
            self._packages.append(killmail)
            return self.newest

    def archive(self, killmail: Json) -> None:
        """A killmail that history and ESI have, and the live feeds do not."""
        with self._lock:
            self._killmails[killmail["killmail_id"]] = killmail

    def forget(self, killmail_id: int) -> None:
        """Take a killmail out of history and ESI."""
        with self._lock:
            del self._killmails[killmail_id]

    def leave_out(self, count: int = 1) -> int:
        """Use up sequences without files; the last of them."""
        with self._lock:
            self.newest += count
            return self.newest

    def fill(self, sequence: int, killmail: Json) -> None:
        """Upload a killmail under a sequence that was left out."""
        with self._lock:
            self.files[sequence] = r2z2_file(killmail, sequence=sequence, uploaded_at=self._now())

    def change(self, sequence: int, **changes: object) -> None:
        """Rewrite fields of a file in place."""
        with self._lock:
            self.files[sequence] = {**self.files[sequence], **changes}

    def upload_again(self, sequence: int, *, value: float) -> None:
        """Rewrite a file with another value."""
        with self._lock:
            killmail = self.files[sequence]["esi"]
            self.files[sequence] = r2z2_file(
                killmail, sequence=sequence, uploaded_at=self._now(), value=value
            )

    def forget_before(self, sequence: int) -> None:
        """End the retention of older files."""
        with self._lock:
            self.files = {number: file for number, file in self.files.items() if number >= sequence}

    def script(self, path: str, *answers: Answer) -> None:
        """Give these answers to the next requests for `path`, one each."""
        with self._lock:
            self._scripts[path].extend(answers)

    def always(self, path: str, answer: Answer) -> None:
        """Give this answer to every request for `path` that no script is left for."""
        with self._lock:
            self._always[path] = answer

    def calm(self) -> None:
        """No more faults."""
        with self._lock:
            self._scripts.clear()
            self._always.clear()

    def asked(self, path: str = "") -> list[float]:
        """When `path` was asked for."""
        with self._lock:
            return [request.at for request in self.requests if request.path.startswith(path)]

    def answer(self, target: str, headers: Mapping[str, str], posted: bytes = b"") -> Answer:
        """The answer to one request, faults included; `posted` is its body."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self._lock:
            fault = self._fault(parts.path)
        served = (
            Answer()
            if fault is not None and fault.body is not None
            else self._serve(parts.path, query, headers, posted)
        )
        if fault is not None:
            served = Answer(
                status=served.status if fault.body is None else fault.status,
                headers={**served.headers, **fault.headers},
                body=served.body if fault.body is None else fault.body,
                delay_s=fault.delay_s,
                is_cut_off=fault.is_cut_off,
                is_reset=fault.is_reset,
                drips=fault.drips,
            )
        with self._lock:
            self.requests.append(Request(parts.path, query, headers, self._now(), served.status, posted))
        self._closing.wait(served.delay_s)
        return served

    def _fault(self, path: str) -> Answer | None:
        for beginning, answers in self._scripts.items():
            if answers and path.startswith(beginning):
                return answers.popleft()
        return next((answer for start, answer in self._always.items() if path.startswith(start)), None)

    def _serve(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str], posted: bytes
    ) -> Answer:
        if not headers.get("User-Agent"):
            return Answer(403, body=b"no User-Agent")
        if path in self.placed or path.startswith("/history/") or path.endswith((".bz2", "/totals.json")):
            return self._history(path, headers)
        if path.startswith("/ephemeral/"):
            return self._r2z2(path.removeprefix("/ephemeral/").removesuffix(".json"))
        if path in {"/listen.php", "/object.php"}:
            return self._listen(query) if path == "/listen.php" else self._object(query)
        return self._esi(path, headers, posted)

    def _r2z2(self, name: str) -> Answer:
        with self._lock:
            if name == "sequence":
                return _json({"sequence": self.newest - self.lag})
            file = self.files.get(int(name))
            return NOT_FOUND if file is None else _json(file)

    def _listen(self, query: Mapping[str, str]) -> Answer:
        queue_id = query.get("queueID", "")
        if not queue_id or not 1 <= int(query.get("ttw", "10")) <= 10:
            return Answer(400, body=b"queueID and ttw, please")
        with self._lock:
            index = self._delivered[queue_id]
            package = None
            if index < len(self._packages):
                self._delivered[queue_id] += 1
                package = redisq_package(self._packages[index], embeds=self.redisq_embeds)
            object_id = f"{queue_id}-{index}"
            self._objects[object_id] = {"package": package}
        if self.redisq_redirects:
            return Answer(302, {"Location": f"/object.php?objectID={object_id}"}, b"")
        return _json({"package": package})

    def _object(self, query: Mapping[str, str]) -> Answer:
        found = self._objects.get(query.get("objectID", ""))
        return NOT_FOUND if found is None else _json(found)

    def _esi(self, path: str, headers: Mapping[str, str], posted: bytes) -> Answer:
        if path.startswith("/killmails/"):
            return self._esi_killmail(path.split("/")[2:], headers)
        if path == "/universe/names":
            return self._universe_names(json.loads(posted))
        return _json(self.prices) if path == "/markets/prices" else NOT_FOUND

    def _esi_killmail(self, parts: list[str], headers: Mapping[str, str]) -> Answer:
        killmail = self._killmails.get(int(parts[0]))
        if not headers.get("X-Compatibility-Date"):
            found = Answer(400, body=b'{"error": "X-Compatibility-Date is missing"}')
        elif killmail is None:
            found = Answer(404, body=b'{"error": "Killmail not found"}')
        elif parts[1] != killmail_hash(killmail["killmail_id"]):
            found = Answer(422, body=b'{"error": "Invalid killmail_id and/or killmail_hash"}')
        else:
            found = _json(killmail)
        with self._lock:
            self.esi_tokens -= 2 if found.status == 200 else 5
        limits = {
            "X-Ratelimit-Group": "killmail",
            "X-Ratelimit-Limit": "3600/15m",
            "X-Ratelimit-Remaining": str(max(0, self.esi_tokens)),
        }
        return Answer(found.status, {**found.headers, **limits}, found.body)

    def _history(self, path: str, headers: Mapping[str, str]) -> Answer:
        with self._lock:
            body = self.placed.get(path) or history_file(path, self._killmails.values())
        if body is None:
            return NOT_FOUND
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if headers.get("If-None-Match") == etag:
            return Answer(304, {"ETag": etag}, b"")
        return Answer(200, {"ETag": etag}, body)

    def _universe_names(self, ids: list[int]) -> Answer:
        if not all(id_ in self.names for id_ in ids):
            return Answer(404, body=b'{"error": "Ensure all IDs are valid before resolving."}')
        return _json([{"id": id_, "name": self.names[id_], "category": "alliance"} for id_ in ids])


def _json(document: Any) -> Answer:
    return Answer(200, {"Content-Type": "application/json"}, json.dumps(document).encode())
