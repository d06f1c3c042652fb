"""What a part's process shows beside its work, where METRICS_PORT is set: metrics, and that its loop goes round."""

from collections.abc import Callable

from battlescope import queue, telemetry
from battlescope.settings import PartSettings, load

# prometheus_client takes a tenth of a second to import, so it is imported where it is asked for.
# ruff: noqa: PLC0415


def ingest() -> Callable[[], None]:
    """Show the poller; what its loop calls each time it comes round.

    Raises:
        LaptopError: the port cannot be had.
    """
    port = load(PartSettings).metrics_port
    if port is None:
        return _nothing
    from battlescope.exposition import COUNTED_BY_INGEST, Exposition

    exposition = Exposition(COUNTED_BY_INGEST)
    telemetry.expose(exposition)
    exposition.serve(port)
    return exposition.beat


def cluster(queue_url: str, dead_letter_queue_url: str | None) -> Callable[[], None]:
    """Show a clusterer, and what its queues hold; what its loop calls each time it comes round.

    Raises:
        LaptopError: the port cannot be had.
    """
    port = load(PartSettings).metrics_port
    if port is None:
        return _nothing
    from battlescope.exposition import COUNTED_BY_CLUSTER, Exposition

    queues = {"killmails": queue_url} | (
        {} if dead_letter_queue_url is None else {"dead_letters": dead_letter_queue_url}
    )
    exposition = Exposition(COUNTED_BY_CLUSTER)
    exposition.watch(
        "battlescope_queue_messages",
        "Messages waiting or in flight, about.",
        "queue",
        lambda: {name: queue.depth(url) for name, url in queues.items()},
    )
    telemetry.expose(exposition)
    exposition.serve(port)
    return exposition.beat


def _nothing() -> None:
    pass
