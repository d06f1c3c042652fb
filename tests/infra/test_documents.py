"""docs/aws.md and the files it names cannot go stale."""

import json
import re
from pathlib import Path

from battlescope_cdk.catalogue import ALL
from battlescope_cdk.options import Options

ROOT = Path(__file__).resolve().parents[2]
AWS = (ROOT / "docs/aws.md").read_text()


def test_every_choice_is_documented_and_nothing_else() -> None:
    table = AWS.partition("| context |")[2].partition("\n\n")[0]
    documented = {
        name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert documented == {field.alias for field in Options.model_fields.values()}


def test_make_targets_that_documents_name_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = {name for line in re.findall(r"^([a-z -]+):", makefile, re.MULTILINE) for name in line.split()}
    pages = [ROOT / "docs/aws.md", *(ROOT / "docs/runbooks").glob("*.md")]
    named = {name for page in pages for name in re.findall(r"\bmake ([a-z-]+)", page.read_text())} - {"what"}
    assert named
    assert named - targets == set()


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "docs/aws.md", *(ROOT / "docs/runbooks").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (page.parent / link).exists(), (page.name, link)


def test_the_example_environment_is_of_functions_and_settings_that_exist() -> None:
    template = (ROOT / "template.yaml").read_text()
    known = {name.upper() for spec in ALL for name in spec.settings.model_fields}
    for function, variables in json.loads((ROOT / "env.example.json").read_text()).items():
        assert f"\n  {function}:\n" in template
        assert [name for name in variables if name not in known and not name.startswith("AWS_")] == []
