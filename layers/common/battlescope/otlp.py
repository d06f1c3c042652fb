"""Traces by OpenTelemetry's protocol over HTTP, for processes outside Lambda.

Spans are sent in batches from a thread of their own, and the rest when the process ends; where the collector is away
they are dropped, and nothing waits for it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from battlescope import __version__


def tracer(service: str) -> Callable[[str], AbstractContextManager[object]]:
    """What begins a span, inside the one that is open; the collector is OTEL_EXPORTER_OTLP_ENDPOINT's."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.version": __version__})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("battlescope").start_as_current_span
