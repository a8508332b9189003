"""Write the table of settings in docs/user-guide.md from core/settings.py: ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.settings import SettingInfo, iter_settings  # noqa: E402

GUIDE = ROOT / "docs" / "user-guide.md"
BEGIN, END = "<!-- settings: begin -->\n", "<!-- settings: end -->\n"


def values(info: SettingInfo) -> str:
    """What a setting may be, in a few words."""
    if info.kind == "choice":
        return ", ".join(f"`{value}`" for value in info.labels)
    if info.kind in ("int", "float"):
        return f"{_number(info.minimum)} to {_number(info.maximum)} {info.unit}".strip()
    words = {
        "bool": "`true`, `false`",
        "hotkey": "`Ctrl+Alt+Shift+Super+Key`",
        "device": "`auto`, `cpu`, `cuda:0`, `mps`",
        "model": f"`{info.default}`, {'a name, ' if info.default == 'auto' else ''}a hub id, a folder",
        "folder": "a folder, or empty",
    }
    return words.get(info.kind, "text")


def _number(bound: float | None) -> str:
    """``0.2``, ``86400``: never in powers of ten, and without the ``.0`` of a whole one."""
    assert bound is not None, "a number without a limit"
    return str(int(bound)) if bound == int(bound) else str(bound)


def table() -> str:
    """The whole table as Markdown."""
    rows = ["| key | meaning | values | default |", "|---|---|---|---|"]
    for info in iter_settings():
        default = str(info.default).lower() if info.kind == "bool" else info.default
        meaning = f"**{info.title}.** {info.description}"
        if info.older_names:
            names = ", ".join(f"`{name}`" for name in info.older_names)
            meaning += f" Also taken from {names}."
        shown = f"`{default}`" if default != "" else "empty"
        rows.append(f"| `{info.key}` | {meaning} | {values(info)} | {shown} |")
    return "\n".join(rows) + "\n"


def guide_with_table(text: str) -> str:
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + table() + END + after


if __name__ == "__main__":
    GUIDE.write_text(guide_with_table(GUIDE.read_text("utf-8")), "utf-8")
