"""Asks a deployed API whether it answers, and whether its feed moves.

Usage: smoke.py URL
"""

import json
import sys
import time

import urllib3

PATIENCE_S = 180.0
"""A feed's first poll, and a certificate's, take their time."""

PAUSE_S = 5.0


def complaint(url: str) -> str:
    """What is wrong; empty where nothing is."""
    try:
        health = urllib3.request("GET", f"{url}/healthz", timeout=10, retries=False)
        battles = urllib3.request("GET", f"{url}/battles?limit=1", timeout=10, retries=False)
    except urllib3.exceptions.HTTPError as error:
        return f"{url} does not answer: {error}"
    for answer in (health, battles):
        if answer.status != 200:
            return f"{url} answers {answer.status}: {answer.data[:300].decode(errors='replace')}"
    told = json.loads(health.data)
    return "" if told["status"] == "ok" else f"{url} is {told['status']}: {told.get('feeds')}"


def main(url: str) -> None:
    """Wait until nothing is wrong.

    Raises:
        SystemExit: something still is.
    """
    until = time.monotonic() + PATIENCE_S
    while wrong := complaint(url.rstrip("/")):
        if time.monotonic() > until:
            raise SystemExit(wrong)
        time.sleep(PAUSE_S)
    print(f"{url} answers, and its feed moves")


if __name__ == "__main__":
    main(sys.argv[1])
