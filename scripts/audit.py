"""Asks pip-audit about every package in hashed requirements files, and tells apart what it does not.

pip-audit counts a package that its service does not tell of as one to skip, and ends well: where no service can be
reached it finds nothing wrong with anything. Here, what was not asked about is a failure of its own.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

_AS_DATA = ("--format", "json", "--progress-spinner", "off")


def complaints(document: dict[str, Any]) -> list[str]:
    """What is wrong with the packages of one answer of pip-audit, one line each."""
    told = []
    for package in document["dependencies"]:
        if reason := package.get("skip_reason"):
            told.append(f"{package['name']}: not audited: {reason}")
            continue
        named = f"{package['name']} {package['version']}"
        for weakness in package["vulns"]:
            mended = ", ".join(weakness["fix_versions"]) or "no version"
            told.append(f"{named}: {weakness['id']}, mended in {mended}")
    return told


def ask(pip_audit: str, requirements: str) -> list[str]:
    """What is wrong with one file of requirements."""
    done = subprocess.run(
        [pip_audit, "--require-hashes", "--disable-pip", *_AS_DATA, "--requirement", requirements],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return complaints(json.loads(done.stdout))
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return [f"{requirements}: not audited: pip-audit failed: {last}"]


def verdict(told: Iterable[str]) -> str:
    """What the owner has to know; empty where every package was asked about and none is weak."""
    found = sorted(set(told))
    unknown = [line for line in found if ": not audited: " in line]
    weak = [line for line in found if line not in unknown]
    if unknown:
        weak.append(
            f"{len(unknown)} were not audited, the first: {unknown[0]}\n"
            "Where all of them are, the vulnerability service cannot be reached from here: run this where it can."
        )
    return "\n".join(weak)


if __name__ == "__main__":
    sys.exit(verdict(line for path in sys.argv[2:] for line in ask(sys.argv[1], path)) or None)
