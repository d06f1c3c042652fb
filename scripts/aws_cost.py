"""What a deployment costs a month: from what was measured, and a table of prices, into docs/cost.md.

`make cost` measures anew (bench/lambda_functions.py) and then runs this.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from battlescope_cdk.catalogue import ALL, API, CLUSTER, INGEST, MAINTENANCE, REPAIR, Spec
from ingest.poller import MARGIN_S

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/cost.md"
HOURS = 730.0
DAYS = HOURS / 24
MINUTES = HOURS * 60
WHOLE_PROCESSOR_MB = 1769
"""Lambda gives a function a share of a processor by its memory; at this much it has a whole one."""

REPAIR_S, MAINTENANCE_S = 300.0, 60.0
"""Of one invocation: their time is waiting for far sides, so it was assumed and not measured."""

LOG_BYTES_PER_INVOCATION = 900
"""START, END, REPORT, a log line, a line of metrics."""

ACCESS_LOG_BYTES = 350
ANSWER_KB = 12.0
METRICS_ALWAYS_SENT = 14
ALARMS = 9
SECRETS = 2
"""The owner's of the tables, and the API's."""
DATABASE_GB = 20
DATABASE_GB_PER_KILLMAIL = 1.2e-6
"""With all that is told from it, indexes included (docs/performance.md, a hundred thousand battles)."""


@dataclass(frozen=True)
class Load:
    """What is asked of a deployment.

    Attributes:
        killmails_a_day: ingested.
        requests_a_month: of the API.
    """

    killmails_a_day: float = 16_000
    requests_a_month: float = 1_000_000

    def times(self, factor: float) -> "Load":
        """So many times as much."""
        return replace(
            self,
            killmails_a_day=self.killmails_a_day * factor,
            requests_a_month=self.requests_a_month * factor,
        )


class Bill:
    """One month's, item by item."""

    def __init__(self, prices: Mapping[str, Any], measured: Mapping[str, Any], load: Load) -> None:
        self.usd: Mapping[str, float] = prices["usd"]
        self.free: Mapping[str, float] = prices["free_each_month"]
        self.functions: Mapping[str, Mapping[str, float]] = measured["functions"]
        self.load = load

    def warm_s(self, spec: Spec) -> float:
        """A warm invocation's seconds at the memory it gets; measured on a whole processor."""
        return self.functions[spec.name]["warm_ms"] / 1000 * max(1.0, WHOLE_PROCESSOR_MB / spec.memory_mb)

    def invocations(self) -> dict[Spec, float]:
        """How often each function is called in a month."""
        clusterings = (
            self.load.killmails_a_day * DAYS / self.functions[CLUSTER.name]["killmails_per_invocation"]
        )
        return {
            INGEST: MINUTES,
            CLUSTER: clusterings,
            API: self.load.requests_a_month,
            REPAIR: DAYS,
            MAINTENANCE: HOURS,
        }

    def gb_seconds(self) -> dict[str, float]:
        """What each function takes of Lambda in a month."""
        seconds = {
            INGEST: INGEST.timeout_s - MARGIN_S,
            CLUSTER: self.warm_s(CLUSTER),
            API: self.warm_s(API),
            REPAIR: REPAIR_S,
            MAINTENANCE: MAINTENANCE_S,
        }
        calls = self.invocations()
        return {spec.name: calls[spec] * seconds[spec] * spec.memory_mb / 1024 for spec in seconds}

    def logs_gb(self) -> float:
        """What is logged in a month."""
        functions = sum(self.invocations().values()) * LOG_BYTES_PER_INVOCATION
        return (functions + self.load.requests_a_month * ACCESS_LOG_BYTES) / 1e9

    def items(self) -> dict[str, float]:
        """What is paid for, in USD."""
        usd, free = self.usd, self.free
        calls = self.invocations()
        clusterings = calls[CLUSTER]
        # sends in tens, receives and deletes of each batch, and five idle pollers that ask every 20 s
        sqs = clusterings * (0.1 + 2) + 5 * MINUTES * 3
        storage_gb = max(DATABASE_GB, self.load.killmails_a_day * 365 * DATABASE_GB_PER_KILLMAIL)
        out_gb = self.load.requests_a_month * ANSWER_KB / 1e6
        return {
            "RDS PostgreSQL, t4g.micro, one zone": HOURS * usd["rds_t4g_micro_hour"],
            f"RDS storage, {storage_gb:.0f} GB (after a year)": storage_gb * usd["rds_gp3_gb_month"],
            "NAT instance, t4g.nano, 8 GB": HOURS * usd["nat_instance_t4g_nano_hour"] + 8 * usd["ebs_gp3_gb_month"],
            "its public IPv4 address": HOURS * usd["public_ipv4_hour"],
            "Lambda, time": _over(sum(self.gb_seconds().values()), free["lambda_gb_seconds"])
            * usd["lambda_arm_gb_second"],
            "Lambda, requests": _over(sum(calls.values()), free["lambda_requests"]) / 1e6 * usd["lambda_million_requests"],
            "SQS FIFO, requests": _over(sqs, free["sqs_requests"]) / 1e6 * usd["sqs_fifo_million_requests"],
            "HTTP API, requests": self.load.requests_a_month / 1e6 * usd["http_api_million_requests"],
            "data to readers": _over(out_gb, free["transfer_out_gb"]) * usd["transfer_out_gb"],
            "CloudWatch, logs": _over(self.logs_gb(), free["logs_gb"]) * usd["logs_ingested_gb"],
            f"CloudWatch, {METRICS_ALWAYS_SENT} metrics of our own": _over(METRICS_ALWAYS_SENT, free["metrics"])
            * usd["metric_month"],
            f"CloudWatch, {ALARMS} alarms": _over(ALARMS, free["alarms"]) * usd["alarm_month"],
            f"Secrets Manager, {SECRETS} secrets": SECRETS * usd["secret_month"],
        }  # fmt: skip

    def total(self) -> float:
        """The month's sum, in USD."""
        return sum(self.items().values())

    def choices(self) -> dict[str, float]:
        """What each of an owner's choices adds to the month, in USD."""
        usd = self.usd
        nat_instance = sum(cost for name, cost in self.items().items() if name.startswith("NAT instance"))
        instance = sum(cost for name, cost in self.items().items() if name.startswith("RDS"))
        million_requests = self.load.requests_a_month / 1e6
        return {
            "`nat=gateway` instead of the instance": HOURS * usd["nat_gateway_hour"] + 10 * usd["nat_gateway_gb"] - nat_instance,
            "`databaseProxy=true`": 2 * HOURS * usd["rds_proxy_vcpu_hour"],
            "`database=aurora`, at its least of half a unit": 0.5 * HOURS * usd["aurora_acu_hour"]
            + DATABASE_GB * usd["aurora_gb_month"]
            - instance,
            "`database=external` (and so no VPC, no NAT)": -instance
            - nat_instance
            - HOURS * usd["public_ipv4_hour"]
            - SECRETS * usd["secret_month"],
            "`cdnOrigin` (CloudFront within its free tier, and the firewall)": usd["waf_acl_month"]
            + usd["waf_rule_month"]
            + million_requests * usd["waf_million_requests"],
        }  # fmt: skip


def _over(amount: float, free: float) -> float:
    return max(0.0, amount - free)


def page(prices: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    """docs/cost.md."""
    bill = Bill(prices, measured, Load())
    taken = bill.gb_seconds()
    lines = [
        "# What it costs on AWS",
        "",
        "Written by `scripts/aws_cost.py`; do not edit. `make cost` measures and writes it anew.",
        "",
        (
            f"Prices: {prices['region']}, {prices['as_of']}. {prices['source']}: check them before you rely on them "
            "(infra/cost/prices.json)."
        ),
        (
            f"Measured: {measured['measured_at']}, {measured['machine']}, under Lambda's runtime interface emulator "
            "(infra/cost/measured.json). A whole processor there; the share that Lambda gives by memory is reckoned with."
        ),
        "",
        f"## A month: {bill.load.killmails_a_day:,.0f} killmails a day, {bill.load.requests_a_month:,.0f} API requests",
        "",
        "| what | USD |",
        "|---|---:|",
        *(f"| {name} | {cost:.2f} |" for name, cost in bill.items().items()),
        f"| **together** | **{bill.total():.2f}** |",
        "",
        (
            "Free each month, and taken off above: 400,000 GB-s and a million requests of Lambda, a million requests of SQS, "
            "ten metrics, ten alarms, 5 GB of logs, 100 GB to readers. What only a new account has free is not."
        ),
        "",
        "## What a choice adds",
        "",
        "| choice | USD a month |",
        "|---|---:|",
        *(f"| {name} | {cost:+.2f} |" for name, cost in bill.choices().items()),
        "",
        "## More of everything",
        "",
        "| traffic | USD a month | of which Lambda and SQS |",
        "|---|---:|---:|",
    ]
    for factor in (1, 10, 100):
        more = Bill(prices, measured, Load().times(factor))
        moving = sum(cost for name, cost in more.items().items() if name.startswith(("Lambda", "SQS")))
        lines.append(f"| {factor} times | {more.total():.2f} | {moving:.2f} |")
    lines += [
        "",
        (
            "All of EVE makes 16,000 killmails a day, so ten times that is a backlog and not a feed; ten times the readers is "
            "what happens. The database is the same in all three: at 100 times choose a larger one (`databaseInstance`) and "
            "CloudFront, which answers most readers itself."
        ),
        "",
        "## Memory",
        "",
        "| function | peak MB | given MB | cold start ms | warm ms | GB-s a month |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for spec in ALL:
        seen = measured["functions"][spec.name]
        lines.append(
            f"| {spec.name} | {seen['peak_memory_mb']:.0f} | {spec.memory_mb} | {seen['cold_ms']:.0f} "
            f"| {seen['warm_ms']:.0f} | {taken.get(spec.name, 0):,.0f} |"
        )
    lines += [
        "",
        (
            "The poller waits more than it works, so it gets little more than it needs; it is most of what Lambda costs. The API "
            "gets more than it needs, since a processor comes with it: a cold start is shorter, and a request costs the same. "
            "Of Ingest, Repair and Maintenance the times are those of a test server with nothing new; what they take of Lambda is "
            f"reckoned from {INGEST.timeout_s - MARGIN_S:.0f} s a minute, {REPAIR_S:.0f} s a day and {MAINTENANCE_S:.0f} s an hour."
        ),
        "",
    ]
    return "\n".join(lines)


def load_json(name: str) -> dict[str, Any]:
    """One of the two tables in infra/cost."""
    table: dict[str, Any] = json.loads((ROOT / "infra/cost" / name).read_text())
    return table


if __name__ == "__main__":
    PAGE.write_text(page(load_json("prices.json"), load_json("measured.json")))
    print(PAGE)
