"""A Job that imports history in parts beside each other, from the CronJob `repair` as it is in the cluster.

Usage: k8s_backfill.py DAYS PARTS PARALLEL, with the CronJob as JSON on standard input; the Job is written as JSON. So it has
the image, the settings and the security of what runs there. The number that Kubernetes gives each pod is its part.
"""

import json
import re
import sys
from datetime import date
from typing import Any

TRIES_MIN, TRIES_OF_A_PART = 100, 4
"""Pods that may fail before Kubernetes ends the Job, with all that runs of it. Ever longer is waited between two tries, up to six
minutes, so that a day whose file cannot be read does not end the other parts for hours."""

STAY_AWAY = 75
"""The exit code that says so: then no part is to ask again."""

MEMORY = "1024Mi"
"""The largest day's worker took 569 MiB (docs/performance.md), and the command beside it some 90."""


def job(cron: dict[str, Any], days: str, parts: int, parallel: int) -> dict[str, Any]:
    """The Job.

    Args:
        cron: the CronJob `repair`.
        days: as for `battlescope backfill`.
        parts: how many pods it takes in all.
        parallel: how many of them run at a time.

    Raises:
        ValueError: days or numbers are wrong, or there are fewer days than parts.
    """
    ends = re.fullmatch(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})", days)
    if ends is None:
        raise ValueError(f"DAYS are given as 2007-12-05..2026-10-31; it was {days!r}")
    first, last = (date.fromisoformat(end) for end in ends.groups())
    if not 1 <= parallel <= parts <= (last - first).days + 1:
        raise ValueError(
            f"{days} are {(last - first).days + 1} days: PARTS are at most that, and PARALLEL at most PARTS; "
            f"they were {parts} and {parallel}"
        )
    labels = {"app.kubernetes.io/component": "backfill"}
    template = cron["spec"]["jobTemplate"]["spec"]["template"]
    template = {
        "metadata": {"labels": template["metadata"]["labels"] | labels},
        "spec": template["spec"] | {"restartPolicy": "Never"},
    }
    (container,) = template["spec"]["containers"]
    container["name"] = "backfill"
    container["args"] = ["backfill", days, "--part", f"$(JOB_COMPLETION_INDEX)/{parts}", "--lenient"]
    container["env"] = [
        *(variable for variable in container.get("env", []) if variable["name"] != "HISTORY_WORKERS"),
        {"name": "HISTORY_WORKERS", "value": "1"},  # pods are what runs beside each other
    ]
    container["resources"] = {
        "requests": {"cpu": "1", "memory": "640Mi"},
        "limits": {"memory": MEMORY},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "generateName": "backfill-",
            "namespace": cron["metadata"]["namespace"],
            "labels": cron["metadata"]["labels"] | labels,
        },
        "spec": {
            "completionMode": "Indexed",
            "completions": parts,
            "parallelism": parallel,
            "backoffLimit": max(TRIES_MIN, TRIES_OF_A_PART * parts),
            "podFailurePolicy": {
                "rules": [
                    {
                        "action": "FailJob",
                        "onExitCodes": {"operator": "In", "values": [STAY_AWAY]},
                        "onPodConditions": [],  # needed by the schema of Kubernetes 1.27, which takes an empty one as none
                    },
                    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                ]
            },
            "template": template,
        },
    }


def main(days: str, parts: str, parallel: str) -> None:
    """Read the CronJob and write the Job.

    Raises:
        SystemExit: something is wrong with what was asked for; the message says what.
    """
    try:
        made = job(json.load(sys.stdin), days, int(parts), int(parallel))
    except ValueError as error:
        raise SystemExit(str(error)) from None
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
