"""Templates of the CDK app, made in this process and without network."""

import json
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import aws_cdk as cdk

from battlescope_cdk.deployment import Deployment
from battlescope_cdk.options import parse_options

CDK_JSON = Path(__file__).resolve().parents[2] / "infra/cdk/cdk.json"
USERAGENT = "battlescope tests (nobody@example.invalid)"


class Synthesis(NamedTuple):
    """What `cdk synth` leaves."""

    templates: dict[str, dict[str, Any]]
    violations: list[str]
    dependencies: dict[str, list[str]]

    def resources(self, stack: str, type_: str) -> dict[str, dict[str, Any]]:
        """Properties of a stack's resources of one type, by logical id."""
        return {
            id_: one.get("Properties", {})
            for id_, one in self.templates[stack]["Resources"].items()
            if one["Type"] == type_
        }


def synthesise(package: Path, **options: Any) -> Synthesis:
    """The templates for these options; `package` holds `layer` and `functions`."""
    context = json.loads(CDK_JSON.read_text())["context"]
    with tempfile.TemporaryDirectory() as outdir:
        app = cdk.App(outdir=outdir, context=context)
        Deployment(app, parse_options({"zkbUseragent": USERAGENT, "packageDir": str(package), **options}))
        assembly = app.synth()
        report = json.loads((Path(outdir) / "validation-report.json").read_text())
        return Synthesis(
            {stack.stack_name: stack.template for stack in assembly.stacks},
            [
                f"{violation['ruleName']}: {one['constructPath']}"
                for plugin in report["pluginReports"]
                for violation in plugin["violations"]
                for one in violation["violatingConstructs"]
            ],
            {stack.stack_name: [one.id for one in stack.dependencies] for stack in assembly.stacks},
        )
