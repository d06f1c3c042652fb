"""Documents that cannot go stale."""

import re
from pathlib import Path

from battlescope.settings import (
    ApiSettings,
    ClusterSettings,
    IngestSettings,
    MaintenanceSettings,
    PartSettings,
    RepairSettings,
    WorkerSettings,
)

ROOT = Path(__file__).resolve().parents[2]


def test_every_setting_is_documented_and_nothing_else() -> None:
    documented = set(
        re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    )
    models = (
        ApiSettings,
        ClusterSettings,
        IngestSettings,
        MaintenanceSettings,
        PartSettings,
        RepairSettings,
        WorkerSettings,
    )
    assert documented == {name.upper() for model in models for name in model.model_fields}


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


def test_make_targets_that_documents_name_exist() -> None:
    rules = re.findall(r"^([a-z0-9 -]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "docs" / "kubernetes.md"):
        named = set(re.findall(r"`?make ([a-z0-9-]+)", page.read_text()))
        assert named, page
        assert named <= targets, page


def test_links_between_documents_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
