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
    if info.kind == "int":
        return f"{info.minimum} to {info.maximum} {info.unit}".strip()
    words = {
        "bool": "`true`, `false`",
        "hotkey": "`Ctrl+Alt+Shift+Super+Key`",
        "device": "`auto`, `cpu`, `cuda:0`, `mps`",
        "model": "`manga-ocr`, a hub id, a folder",
        "folder": "a folder, or empty",
    }
    return words.get(info.kind, "text")


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
