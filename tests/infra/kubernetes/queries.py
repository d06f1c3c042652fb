"""Every query of the dashboards and rules, and the metrics that it names."""

import json
from collections.abc import Iterator
from typing import Any

import promql_parser

from tests.infra.kubernetes.manifests import SOURCE, System

DASHBOARDS = sorted((SOURCE / "components" / "monitoring" / "dashboards").glob("*.json"))


def rules(system: System) -> list[dict[str, Any]]:
    """The alerts."""
    return [
        rule
        for manifest in system.all("PrometheusRule")
        for group in manifest["spec"]["groups"]
        for rule in group["rules"]
    ]


def queries(system: System) -> dict[str, str]:
    """By where they are: dashboards and alerts."""
    found = {rule["alert"]: rule["expr"] for rule in rules(system)}
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                found[f"{path.stem}: {panel['title']} {target['refId']}"] = target["expr"].replace(
                    "$__rate_interval", "2m"
                )
    return found


def selectors(query: str) -> list[tuple[str, set[str]]]:
    """Each metric that a query names, and the labels it asks for.

    Raises:
        ValueError: the query cannot be parsed.
    """
    return [
        (
            str(part.name),
            {matcher.name for matcher in part.matchers.matchers} - {"job"},
        )  # Prometheus adds that one
        for part in _parts(promql_parser.parse(query))
        if isinstance(part, promql_parser.VectorSelector)
    ]


def _parts(expression: Any) -> Iterator[Any]:
    yield expression
    for name in ("lhs", "rhs", "expr", "param", "args", "vector_selector"):
        held = getattr(expression, name, None)
        for part in held if isinstance(held, list) else [held]:
            if part is not None and not isinstance(part, (str, int, float)):
                yield from _parts(part)
