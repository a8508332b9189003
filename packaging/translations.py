"""Bring resources/translations up to date with the code: ``make translations``.

Core knows no Qt, so its sentences (errors, settings, engines) are written as QT_TRANSLATE_NOOP into a
temporary file that only lupdate reads. Then translate what is new in the .ts file and run this again: it
also writes the .qm file that the application loads.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core import service_errors  # noqa: E402
from core.engines import ENGINES  # noqa: E402
from core.errors import known_errors  # noqa: E402
from core.models.catalogue import load_catalogue  # noqa: E402
from core.service_errors import ON_THE_DESKTOP  # noqa: E402
from core.settings import iter_settings  # noqa: E402

TS = ROOT / "resources" / "translations" / "yomitori_ja.ts"
_TOOLS = Path(sys.executable).parent


def core_texts() -> Iterator[tuple[str, str]]:
    """Context and English text of everything in core that a user may read."""
    for error in known_errors().values():
        if error.__module__ == service_errors.__name__ and not issubclass(error, ON_THE_DESKTOP):
            continue
        yield "errors", error.sentence
        yield "errors", error.hint
    for path in sorted((ROOT / "core").rglob("*.py")):
        for text in _error_parameters(ast.parse(path.read_text("utf-8"))):
            yield "errors", text
    for info in iter_settings():
        for text in (info.group_title, info.title, info.description, info.unit, *info.labels.values()):
            yield "settings", text
        for text in info.special.values():
            yield "settings", text
    for spec in ENGINES:
        yield "engines", spec.title
        yield "errors", spec.title
    for model in load_catalogue():
        yield "models", model.what_for


def _error_parameters(tree: ast.Module) -> Iterator[str]:
    """The words that core fills into its errors, where they are plain text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                value = keyword.value
                if keyword.arg in ("engine", "reason") and isinstance(value, ast.Constant) and value.value:
                    yield str(value.value)


def update(ts: Path) -> None:
    """Write every source text of the code into ``ts``; translations that are there stay, unused ones go."""
    unique = dict.fromkeys(pair for pair in core_texts() if pair[1])
    with tempfile.TemporaryDirectory() as folder:
        core = Path(folder) / "core_texts.py"
        core.write_text(
            "".join(f"QT_TRANSLATE_NOOP({context!r}, {text!r})\n" for context, text in unique), "utf-8"
        )
        sources = [str(path) for path in sorted((ROOT / "desktop").rglob("*.py"))]
        _run("pyside6-lupdate", *sources, str(core), "-no-obsolete", "-locations", "none", "-ts", str(ts))


def release(ts: Path, qm: Path) -> None:
    """Compile ``ts``."""
    _run("pyside6-lrelease", str(ts), "-qm", str(qm))


def _run(tool: str, *arguments: str) -> None:
    subprocess.run([str(_TOOLS / tool), *arguments], check=True)


def main(ts: Path = TS) -> int:
    update(ts)
    release(ts, ts.with_suffix(".qm"))
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
