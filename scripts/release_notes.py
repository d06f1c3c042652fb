"""What CHANGELOG.md says of one version.

Usage: release_notes.py VERSION
"""

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).resolve().parents[1] / "CHANGELOG.md"


def notes(changelog: str, version: str) -> str:
    """The section of a version.

    Raises:
        SystemExit: there is none, or it is empty.
    """
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    for section in sections:
        heading, _, body = section.partition("\n")
        if re.fullmatch(rf"\[?{re.escape(version)}\]?( .*)?", heading.strip()) and body.strip():
            return body.strip()
    raise SystemExit(f"CHANGELOG.md says nothing of {version}: give it a heading `## {version} - YYYY-MM-DD`")


if __name__ == "__main__":
    print(notes(CHANGELOG.read_text(), sys.argv[1]))
