"""``.env`` files: a line ``NAME=value`` for each variable, as containers and systemd know them."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from pathlib import Path

from core.service_errors import EnvFileUnusable

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_COMMENT = re.compile(r"\s+#.*")


def parse_env(text: str, path: Path) -> dict[str, str]:
    """The variables in order. Values may be in quotes; nothing in them is expanded.

    Raises:
        EnvFileUnusable: a line is something else.
    """
    values: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        value = _unquoted(found[2]) if found is not None else None
        if found is None or value is None:
            raise EnvFileUnusable(path=path, reason=f"line {number} is not NAME=value")
        values[found[1]] = value
    return values


def _unquoted(text: str) -> str | None:
    """Without quotes or a comment; None where a quote is not closed."""
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        rest = text[end + 1 :].strip()
        return text[1:end] if end > 0 and (not rest or rest.startswith("#")) else None
    return "" if text.startswith("#") else _COMMENT.sub("", text).strip()


def read_env(path: Path, environ: MutableMapping[str, str]) -> None:
    """Add what ``environ`` does not have yet.

    Raises:
        EnvFileUnusable: it cannot be read, or a line cannot.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or "it is not text in UTF-8"
        raise EnvFileUnusable(path=path, reason=reason) from None
    for name, value in parse_env(text, path).items():
        environ.setdefault(name, value)
