"""template.yaml as CloudFormation sees it; run by SAM's own Python, offline. Prints JSON."""

import json
import sys
from pathlib import Path

from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse


class NoManagedPolicies:
    """The template names none by a bare name; asking for them would need AWS."""

    def load(self) -> dict[str, str]:
        """None."""
        return {}


if __name__ == "__main__":
    validator = SamTemplateValidator(
        yaml_parse(Path(sys.argv[1]).read_text()), NoManagedPolicies(), region="eu-west-1"
    )
    json.dump(yaml_parse(validator.get_translated_template_if_valid()), sys.stdout)
