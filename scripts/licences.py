"""Writes docs/licences.md: every pinned package with its licence, as the package says it itself.

Each file of requirements is unpacked into a folder of its own, of which only the packages' metadata are read.
"""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements"

SHIPPED = {
    "lambda": "the layer on AWS",
    "server": "the image",
    "local": "`battlescope up` on a laptop",
}
TOOLS = {
    "audit": "audits, SBOMs, the search for secrets",
    "awscli": "the test of runbooks",
    "bench": "benchmarks",
    "build": "the build of the wheel",
    "checkov": "checks of templates",
    "clients": "the test of generated clients",
    "dev": "tests and linters",
    "infra": "deployments and their tests",
    "kubectl": "kubectl",
    "runtime": "Lambda's runtime, for tests",
    "sam": "AWS SAM",
    "uv": "installation",
}

ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "BSD",
    "3-Clause BSD License",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "LGPL-3.0-only",  # psycopg: imported as it comes, and whoever likes may replace it
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "MPL-2.0",  # certifi: its files stay as they are
    "PSF-2.0",
}
"""Licences of what ships that ask no more of us than to be named."""

_BY_CLASSIFIER = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_PINNED = ("--quiet", "--no-deps", "--require-hashes")
_LONGEST = 60
"""A longer `License` is a licence's text, and its first line a title at best."""

_HEAD = """# Licences

Of every package that is pinned, as it says itself; written by `make licences`. `tests/unit/test_supply.py` compares this page with
`requirements/`, and refuses for what ships a licence that is not among those we looked at (`scripts/licences.py`)."""


class Pin(NamedTuple):
    """One package as a file of requirements names it."""

    name: str
    version: str


class Row(NamedTuple):
    """One line of the page."""

    pin: Pin
    licence: str
    roles: tuple[str, ...]


def pins(role: str) -> set[Pin]:
    """What a file of requirements pins, for every system that it is for."""
    text = (REQUIREMENTS / f"{role}.txt").read_text()
    return {Pin(name, version) for name, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)}


def licence(package: Distribution) -> str:
    """What a package says: its SPDX expression, else its classifiers, else its `License` where that is a name."""
    metadata = package.metadata
    if expression := metadata.get("License-Expression"):
        return expression
    told = [
        line.rpartition(" :: ")[2]
        for line in metadata.get_all("Classifier", [])
        if line.startswith("License ::") and line != "License :: OSI Approved"
    ]
    if told:
        return " AND ".join(sorted(_BY_CLASSIFIER.get(one, one) for one in told))
    free = (metadata.get("License") or "").strip()
    return free if 0 < len(free) <= _LONGEST and "\n" not in free else "not told"


def is_allowed(expression: str) -> bool:
    """Whether what ships may have this licence: one of those that `OR` parts, all that `AND` parts."""
    return all(
        any(one.strip() in ALLOWED for one in choice.strip().strip("()").split(" OR "))
        for choice in expression.split(" AND ")
    )


def named(package: Distribution) -> Pin:
    """A package as requirements spell it."""
    return Pin(re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower(), package.version)


def collect(uv: str, folder: Path) -> dict[Pin, str]:
    """The licence of every pinned package, unpacked into `folder`."""
    known: dict[Pin, str] = {}
    for role in (*SHIPPED, *TOOLS):
        _unpack(uv, folder / role, REQUIREMENTS / f"{role}.txt")
        known |= {named(one): licence(one) for one in distributions(path=[str(folder / role)])}
        # What only other systems or a later Python install: one by one, as if for them.
        for pin in sorted(pins(role) - known.keys()):
            alone = folder / f"{pin.name}-{pin.version}"
            (folder / "alone.txt").write_text(_alone(role, pin))
            _unpack(
                uv, alone, folder / "alone.txt", "--python-platform", "windows", "--python-version", "3.14"
            )
            known |= {named(one): licence(one) for one in distributions(path=[str(alone)])}
    return known


def _alone(role: str, pin: Pin) -> str:
    """The lines of one package, without the condition."""
    text = (REQUIREMENTS / f"{role}.txt").read_text()
    found = re.search(
        rf"^{re.escape(f'{pin.name}=={pin.version}')}[^\n]*\n(?: +--hash.*\n?)+", text, re.MULTILINE
    )
    if found is None:
        raise LookupError(f"requirements/{role}.txt: {pin.name} has no hashes")
    return re.sub(r" ; [^\\]*", " ", found[0])


def _unpack(uv: str, target: Path, requirements: Path, *more: str) -> None:
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [uv, "pip", "install", *_PINNED, *more, "--target", str(target), "-r", str(requirements)],
        check=True,
    )


def rows(known: dict[Pin, str], roles: Iterable[str]) -> list[Row]:
    """The lines of one table, by name."""
    used: dict[Pin, list[str]] = defaultdict(list)
    for role in roles:
        for pin in pins(role):
            used[pin].append(role)
    return [Row(pin, known[pin], tuple(used[pin])) for pin in sorted(used)]


def page(known: dict[Pin, str]) -> str:
    """docs/licences.md."""
    parts = [_HEAD]
    for title, roles in (("What ships", SHIPPED), ("Tools", TOOLS)):
        legend = "; ".join(f"`{role}`: {what}" for role, what in roles.items())
        table = [
            f"| {row.pin.name} | {row.pin.version} | {row.licence} | {', '.join(row.roles)} |"
            for row in rows(known, roles)
        ]
        parts.append(
            "\n".join(
                [
                    f"## {title}\n\n{legend}.\n",
                    "| package | version | licence | for |",
                    "|---|---|---|---|",
                    *table,
                ]
            )
        )
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page(collect(sys.argv[1], Path(sys.argv[2]))))
