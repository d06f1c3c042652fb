"""Documents that cannot go stale."""

import re
from pathlib import Path

from api import (
    connections,
    events,
    exports,
    filters,
    hot,
    parameters,
    pool,
    problems,
    server,
    shared,
    shedding,
)
from api.queries import members, profiles
from battlescope.settings import ApiSettings
from tests.support.settings_models import MODELS, NAMES

ROOT = Path(__file__).resolve().parents[2]


def test_every_setting_is_documented_and_nothing_else() -> None:
    documented = set(
        re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    )
    assert documented == NAMES


def test_defaults_are_as_documented() -> None:
    rows = re.findall(
        r"^\| `([A-Z0-9_]+)` \| [^|]* \| `([^`|]*)` \|",
        (ROOT / "docs" / "settings.md").read_text(),
        re.MULTILINE,
    )
    documented = dict(rows)
    assert len(documented) > 20
    for model in MODELS:
        for name, field in model.model_fields.items():
            if name.upper() in documented:
                default = str(field.default)
                spoken = default.lower() if isinstance(field.default, bool) else default.removesuffix(".0")
                assert documented[name.upper()] == spoken, name


def test_the_modules_that_the_architecture_names_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    roots = [
        ROOT / "layers" / "common",
        ROOT / "functions",
        ROOT / "local",
        ROOT / "layers/common/battlescope/runtime",
    ]
    for name in re.findall(r"`((?:[a-z_0-9]+/)*[a-z_0-9]+\.py)`", text):
        assert any((root / name).exists() for root in roots), name


def test_limits_are_as_documented() -> None:
    rows = re.findall(
        r"^\| (?!what|---)(.*) \| ([\d.,]+) \|$", (ROOT / "docs" / "limits.md").read_text(), re.MULTILINE
    )
    documented = [float(limit.replace(",", "")) for _, limit in rows]
    settings = ApiSettings.model_fields
    assert documented == [
        filters.BATTLES_PER_PAGE_MAX,
        parameters.MEMBERS_PER_PAGE_MAX,
        members.ALLIANCES_MAX,
        parameters.FILE_ROWS,
        parameters.DAYS_PER_PAGE_MAX,
        parameters.CHANGES_PER_PAGE_MAX,
        parameters.SEARCHED_MAX,
        parameters.SEARCHED_LETTERS_MAX,
        parameters.TOP_MAX,
        profiles.BATTLES_MAX,
        profiles.KILLMAILS_MAX,
        parameters.CURSOR_CHARACTERS_MAX,
        exports.ROWS_MAX,
        exports.STREAM_MAX_S,
        exports.EXPORTS_MAX,
        events.STREAMS_MAX,
        events.ALIVE_S,
        shedding.REQUESTS_PER_CONNECTION,
        shedding.PROBES_MAX,
        connections.CONNECTIONS_MAX,
        connections.REQUEST_WITHIN_S,
        connections.READ_WITHIN_S,
        settings["query_timeout_s"].default,
        pool.WAIT_S,
        problems.RETRY_AFTER_S,
        server.STOP_TIMEOUT_S,
        shared.TIMEOUT_S,
        shared.LEFT_ALONE_S,
        settings["rate_per_minute"].default,
        hot.LIST_LASTS_S,
        hot.REVISION_LASTS_S,
        shared.ANSWER_BYTES_MAX,
    ]


def test_make_targets_that_documents_name_exist() -> None:
    rules = re.findall(r"^([a-z0-9 -]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    for page in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "docs" / "kubernetes.md",
        ROOT / "docs" / "security.md",
    ):
        named = set(re.findall(r"`?make ([a-z0-9-]+)", page.read_text()))
        assert named, page
        assert named <= targets, page


def test_what_the_threat_model_names_exists() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    named = set(re.findall(r"`([^`\n]+)`", text))
    files = {name for name in named if re.fullmatch(r"[\w./-]+/[\w.-]+\.\w+", name)}
    tests = {name for name in named if name.startswith("test_")}
    settings = {name for name in named if re.fullmatch(r"[A-Z0-9]+(_[A-Z0-9]+)+", name)}
    assert len(files) > 20
    assert len(tests) > 50
    assert len(settings) > 5
    assert {name for name in files if not (ROOT / name).is_file()} == set()
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert tests - set(re.findall(r"^def (test_\w+)\(", sources, re.MULTILINE)) == set()
    assert settings - NAMES == set()
    options = (ROOT / "infra/cdk/battlescope_cdk/options.py").read_text()
    for choice in ("throttleRate", "throttleBurst", "cdnOrigin", "monthlyBudgetUsd"):
        assert f"`{choice}`" in text
        assert f"    {re.sub('([A-Z])', r'_\1', choice).lower()}: " in options


def test_tests_that_the_page_of_promises_names_exist() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "reliability.md").read_text()))
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 15
    assert named - set(re.findall(r"^def (test_\w+)\(", sources, re.MULTILINE)) == set()


def test_links_between_documents_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
