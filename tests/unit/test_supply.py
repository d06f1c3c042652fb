"""What comes from outside is pinned, looked at, and of a licence that we can keep."""

import re
import subprocess
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

import pytest
from scripts.audit import ask, complaints, verdict
from scripts.licences import SHIPPED, TOOLS, Pin, Row, is_allowed, licence, named, page, pins

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))
REGISTRIES = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))]
RECIPES = ("Makefile", "layers/common/Makefile", "functions/Makefile", "Dockerfile", ".ci/run")


def committed() -> Iterable[Path]:
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return (path for name in told.decode().split("\0") if name and (path := ROOT / name).is_file())


def statements(text: str) -> list[str]:
    """Commands and requirements, each whole on one line."""
    lines = text.replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip("\t @").startswith("#")]


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.stem)
def test_every_requirement_is_one_version_by_its_hashes(path: Path) -> None:
    pinned = statements(path.read_text())
    assert pinned
    for line in pinned:
        assert re.fullmatch(
            r"[a-z0-9][\w.-]*(\[[\w,-]+\])?==[\w.+!-]+( ; [^-]*?)?(\s+--hash=sha256:[0-9a-f]{64})+", line
        ), line.split()[0]


def test_every_file_of_requirements_has_its_role() -> None:
    assert {path.stem for path in REQUIREMENTS} == SHIPPED.keys() | TOOLS.keys()


def test_no_file_names_a_registry() -> None:
    for path in committed():
        text = path.read_bytes()
        assert not any(host.encode() in text for host in REGISTRIES), path


def test_nothing_is_installed_that_is_not_pinned() -> None:
    installs = [
        command
        for recipe in RECIPES
        for line in statements((ROOT / recipe).read_text())
        for command in re.split(r"&&|;", line)
        if re.search(r"\bpip (install|sync)\b", command)
    ]
    assert len(installs) >= 10
    for command in installs:
        of_this_checkout = "--no-deps" in command and re.search(r"(--editable|--no-index) \.", command)
        assert "--require-hashes" in command or of_this_checkout, command


def test_the_base_image_is_the_python_that_everything_is_tested_with() -> None:
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    python = (ROOT / ".python-version").read_text().strip()
    assert set(bases) == {f"python:{python}-slim"}
    assert re.fullmatch(r"\d+\.\d+", python)


def test_every_exception_from_the_security_rules_has_its_reason() -> None:
    exception = re.compile(r"# noqa: [A-Z0-9, ]*\bS\d+(?P<reason>.*)")
    found = 0
    for path in committed():
        if path.suffix == ".py" and path != Path(__file__):
            for told in exception.finditer(path.read_text()):
                found += 1
                assert re.match(r"[A-Z0-9, ]* - \S", told["reason"]), f"{path}: {told[0]}"
    assert found > 10


@pytest.fixture(scope="module")
def listed() -> dict[str, list[Row]]:
    """The tables of docs/licences.md by their title."""
    sections = re.split(r"^## (.+)$", (ROOT / "docs/licences.md").read_text(), flags=re.MULTILINE)[1:]
    return {
        title: [
            Row(Pin(name, version), told, tuple(roles.split(", ")))
            for name, version, told, roles in re.findall(
                r"^\| (?!package \||---)(\S+) \| (\S+) \| (.+) \| (.+) \|$", text, re.MULTILINE
            )
        ]
        for title, text in zip(sections[::2], sections[1::2], strict=True)
    }


@pytest.mark.parametrize(("title", "roles"), [("What ships", SHIPPED), ("Tools", TOOLS)])
def test_the_page_of_licences_is_current(
    listed: dict[str, list[Row]], title: str, roles: dict[str, str]
) -> None:
    on_the_page = {(row.pin, role) for row in listed[title] for role in row.roles}
    assert on_the_page == {(pin, role) for role in roles for pin in pins(role)}, "make licences"


def test_the_page_is_as_the_script_writes_it(listed: dict[str, list[Row]]) -> None:
    known = {row.pin: row.licence for rows in listed.values() for row in rows}
    assert page(known) == (ROOT / "docs/licences.md").read_text()


def test_what_ships_has_a_licence_that_we_can_keep(listed: dict[str, list[Row]]) -> None:
    assert [row for row in listed["What ships"] if not is_allowed(row.licence)] == []


def test_the_page_says_what_the_installed_packages_say(listed: dict[str, list[Row]]) -> None:
    told = {row.pin: row.licence for row in listed["What ships"]}
    installed = {pin: licence(one) for one in distributions() if (pin := named(one)) in told}
    assert len(installed) > 40
    assert installed == {pin: told[pin] for pin in installed}


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("MIT AND BSD-3-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR GPL-2.0-only)", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-2.0-or-later", False),
        ("AGPL-3.0-only OR SSPL-1.0", False),
        ("not told", False),
    ],
)
def test_copyleft_does_not_ship(expression: str, allowed: bool) -> None:
    assert is_allowed(expression) is allowed


ANSWER = {
    "dependencies": [
        {"name": "sound", "version": "1.0", "vulns": []},
        {"name": "weak", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]},
        {"name": "unknown", "skip_reason": "nobody tells of it"},
    ]
}


def test_an_audit_tells_what_is_weak_and_what_mends_it() -> None:
    assert verdict(complaints({"dependencies": ANSWER["dependencies"][:1]})) == ""
    assert (
        verdict(complaints({"dependencies": ANSWER["dependencies"][:2]}))
        == "weak 2.0: PYSEC-1, mended in 2.1"
    )


def test_what_was_not_asked_about_is_not_sound() -> None:
    told = verdict(complaints(ANSWER))
    assert told.startswith("weak 2.0: PYSEC-1")
    assert "1 were not audited, the first: unknown: not audited: nobody tells of it" in told


def test_an_audit_that_fails_is_not_passed(tmp_path: Path) -> None:
    broken = tmp_path / "pip-audit"
    broken.write_text("#!/bin/sh\necho 'no such service' >&2\nexit 1\n")
    broken.chmod(0o755)
    assert "not audited: pip-audit failed: no such service" in verdict(
        ask(str(broken), "requirements/uv.txt")
    )
