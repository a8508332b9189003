"""What the documentation says about settings and exit codes is what the code does."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from core.errors import known_errors

ROOT = Path(__file__).resolve().parent.parent.parent
GUIDE = (ROOT / "docs" / "user-guide.md").read_text("utf-8")


def test_the_table_of_settings_is_up_to_date() -> None:
    module = runpy.run_path(str(ROOT / "packaging" / "settings_table.py"))
    assert module["guide_with_table"](GUIDE) == GUIDE, "run 'make docs'"


def test_every_exit_code_is_documented() -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", GUIDE, re.MULTILINE)}
    assert {error.exit_code for error in known_errors().values()} <= documented


def test_links_between_documents_lead_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
