"""What Prometheus would read."""

import httpx
from prometheus_client.parser import text_string_to_metric_families


def scraped(url: str) -> dict[str, float]:
    """Every sample, by its name and labels."""
    return {
        sample.name
        + "".join(f" {label}={value}" for label, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(httpx.get(f"{url}/metrics").text)
        for sample in family.samples
    }
