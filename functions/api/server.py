"""The API as a process of its own: uvicorn and a pool of connections, in a pod or on a laptop."""

import errno
import gc
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import uvicorn
from anyio.to_thread import current_default_thread_limiter

from api.app import create_app
from api.connections import Connection
from api.events import STREAMS_MAX, Streams
from api.exports import EXPORTS_MAX
from api.measured import Measured, show
from api.pool import WAIT_S, Pool
from api.shedding import Rooms
from api.snapshots import Snapshots
from battlescope.errors import LaptopError
from battlescope.settings import ApiSettings
from battlescope.telemetry import logger

STOP_TIMEOUT_S = 10
"""How long requests in hand may take once a stop was asked for."""

_BACKLOG = 2048


class _Server(uvicorn.Server):
    """Stops when `stop` is set, in whichever thread it runs; signals are the caller's business.

    `threads` is how many there are for work that waits: as many as there is room for, so that nothing that was let
    in waits for a thread.
    """

    def __init__(self, config: uvicorn.Config, stop: Event, threads: int) -> None:
        super().__init__(config)
        self._stop = stop
        self._threads = threads

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until the stop."""
        current_default_thread_limiter().total_tokens = self._threads
        await super().serve(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        self.should_exit = self.should_exit or self._stop.is_set()
        return await super().on_tick(counter)


def serve(
    settings: ApiSettings,
    host: str,
    port: int,
    stop: Event,
    *,
    metrics_port: int | None = None,
    is_own_process: bool = False,
) -> None:
    """Serve the API until `stop` is set; requests in hand are finished.

    The database may be away: the API then answers 503, and as it should once the database is there.

    Args:
        settings: of the API.
        host: the address to listen on.
        port: the port to listen on.
        stop: asks for the stop.
        metrics_port: where Prometheus reads this process's metrics; none, and they are lines of the log.
        is_own_process: whether the process is there for this alone.

    Raises:
        LaptopError: the port cannot be had.
    """
    logger.setLevel(settings.log_level)
    # The pool tells of every failed attempt; each request that it fails is logged by us.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    with (
        _listener(host, port) as listener,
        Pool(settings.db_url, settings.database_connections) as pool,
        Pool(settings.db_url, 1) as probes,
    ):
        snapshots = Snapshots(pool, settings.query_timeout_s)
        rooms = Rooms(settings.database_connections)
        app = create_app(
            snapshots,
            settings,
            Streams(stop),
            rooms=rooms,
            probed=Snapshots(probes, min(settings.query_timeout_s, WAIT_S)),
        )
        if metrics_port is not None or settings.otel_exporter_otlp_endpoint is not None:
            exposition = None if metrics_port is None else show(snapshots, pool, metrics_port)
            app.add_middleware(Measured, exposition=exposition, routes=app.routes)
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=STOP_TIMEOUT_S,
            http=Connection,
            ws="none",
        )
        if is_own_process:
            # Modules, models and routes live as long as it: a collection need not look at them while requests wait.
            gc.collect()
            gc.freeze()
        threads = rooms.requests.size + rooms.probes.size + STREAMS_MAX + EXPORTS_MAX
        _Server(config, stop, threads).run(sockets=[listener])


@contextmanager
def _listener(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only where it is: with it, every answer after
    # the first on a connection waits 40 ms for the client's acknowledgement.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(_BACKLOG)
        except OSError as error:
            raise LaptopError(_complaint(host, port, error)) from error
        yield listener


def _complaint(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use: stop what listens there, or choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {port} is not allowed to this user: choose one above 1023 with --port"
    return f"the API cannot listen on {host} port {port}: {error.strerror or error}"
