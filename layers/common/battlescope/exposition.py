"""Metrics as Prometheus reads them, for a process that runs long: `/metrics`, and `/healthz`, on a port of their own.

The metrics are those of `battlescope.telemetry`, under Prometheus' names: `KillmailsIngested` is
`battlescope_killmails_ingested_total`. What a part is known to count is there from the start, at 0, so that the first
of a kind is seen as a rise; all else is there once it was counted or measured.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from aws_lambda_powertools.metrics import MetricUnit
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from battlescope import __version__
from battlescope.errors import BattleScopeError, LaptopError
from battlescope.telemetry import Metric as Ours
from battlescope.telemetry import logger

disable_created_metrics()  # type: ignore[no-untyped-call]  # when each series began: a third of what is told, and nobody asks

SILENCE_MAX_S = 300.0
"""A loop that has not come round for so long hangs: longer than an invocation and all its retries take."""

_SUFFIXES = {MetricUnit.Seconds: "_seconds", MetricUnit.Percent: "_percent", MetricUnit.Count: ""}

_BUCKETS = {
    Ours.BATTLE_KILLS: (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000),
    Ours.MESSAGE_AGE: (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400),
}
"""Where every single value counts, not the last one."""

COUNTED_BY_INGEST = (
    Ours.POLLER_RUNS,
    Ours.LEASES_REFUSED,
    Ours.KILLMAILS_INGESTED,
    Ours.KILLMAILS_REJECTED,
    Ours.FEED_HOLES,
    Ours.FEED_ERRORS,
)
COUNTED_BY_CLUSTER = (
    Ours.MESSAGES_RECEIVED,
    Ours.KILLMAILS_STORED,
    Ours.KILLMAIL_CONFLICTS,
    Ours.BATTLES_CHANGED,
    Ours.MESSAGES_DEAD_LETTERED,
)

_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Exposition:
    """This process's metrics.

    Args:
        counted: counters that are there from the start.
    """

    def __init__(self, counted: Iterable[Ours] = ()) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        Gauge(
            "battlescope_build_info", "The version that runs.", ("version",), registry=self.registry
        ).labels(__version__).set(1)
        self._lock = Lock()
        self._counters: dict[Ours, Counter] = {}
        self._measured: dict[Ours, Gauge | Histogram] = {}
        for metric in counted:
            self._counter(metric)
        self._requests = Histogram(
            "battlescope_request_seconds",
            "Time until the answer to a request began.",
            ("method", "route", "status"),
            buckets=_REQUEST_SECONDS,
            registry=self.registry,
        )
        self._beat_at = time.monotonic()

    def count(self, metric: Ours, value: int) -> None:
        """Add to a counter."""
        self._counter(metric).inc(value)

    def measure(self, metric: Ours, value: float, unit: MetricUnit) -> None:
        """Record a measured value."""
        kept = self._measured_as(metric, unit)
        if isinstance(kept, Histogram):
            kept.observe(value)
        else:
            kept.set(value)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Record a request of the API."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def watch(self, name: str, meaning: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
        """Ask `read` for values, by the values of `label`, whenever Prometheus asks.

        What cannot be read at that moment is left out, and logged.
        """
        self.registry.register(_Watched(name, meaning, label, read))

    def beat(self) -> None:
        """Tell that a loop came round; without it for `SILENCE_MAX_S`, `/healthz` says that this process hangs."""
        self._beat_at = time.monotonic()

    @property
    def is_alive(self) -> bool:
        """Whether the loop came round of late."""
        return time.monotonic() - self._beat_at < SILENCE_MAX_S

    def serve(self, port: int) -> ThreadingHTTPServer:
        """Serve from a thread of its own, on every address, until the process ends or the server is shut down.

        Raises:
            LaptopError: the port cannot be had.
        """
        try:
            server = ThreadingHTTPServer(("", port), _handler(self))
        except OSError as error:
            raise LaptopError(
                f"metrics cannot be served on port {port}: {error.strerror}; name another in METRICS_PORT"
            ) from error
        server.daemon_threads = True
        Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        return server

    def _counter(self, metric: Ours) -> Counter:
        with self._lock:
            if metric not in self._counters:
                self._counters[metric] = Counter(name_of(metric), _words(metric), registry=self.registry)
            return self._counters[metric]

    def _measured_as(self, metric: Ours, unit: MetricUnit) -> Gauge | Histogram:
        with self._lock:
            if metric not in self._measured:
                name = name_of(metric) + _SUFFIXES[unit]
                self._measured[metric] = (
                    Histogram(name, _words(metric), buckets=_BUCKETS[metric], registry=self.registry)
                    if metric in _BUCKETS
                    else Gauge(name, _words(metric), registry=self.registry)
                )
            return self._measured[metric]


def name_of(metric: Ours) -> str:
    """A metric's name for Prometheus, without the suffix that its kind adds."""
    return "battlescope" + re.sub(r"[A-Z]", lambda capital: f"_{capital[0].lower()}", metric)


def _words(metric: Ours) -> str:
    return name_of(metric).removeprefix("battlescope_").replace("_", " ").capitalize()


class _Watched(Collector):
    def __init__(self, name: str, meaning: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
        self._name, self._meaning, self._label, self._read = name, meaning, label, read

    def describe(self) -> Iterator[Metric]:
        """What it would tell, without asking."""
        yield GaugeMetricFamily(self._name, self._meaning, labels=[self._label])

    def collect(self) -> Iterator[Metric]:
        """What it tells now."""
        family = GaugeMetricFamily(self._name, self._meaning, labels=[self._label])
        try:
            for value, number in self._read().items():
                family.add_metric([value], number)
        except BattleScopeError as error:
            logger.warning("a value could not be read", extra={"metric": self._name, "error": str(error)})
            return
        yield family


def _handler(exposition: Exposition) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                self._answer(HTTPStatus.OK, encode(exposition.registry), content_type)
            elif path == "/healthz":
                alive = exposition.is_alive
                self._answer(
                    HTTPStatus.OK if alive else HTTPStatus.SERVICE_UNAVAILABLE,
                    b"ok\n" if alive else b"the loop hangs\n",
                    "text/plain",
                )
            else:
                self._answer(HTTPStatus.NOT_FOUND, b"/metrics or /healthz\n", "text/plain")

        def _answer(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Probes and scrapes are not worth a log line."""

    return Handler
