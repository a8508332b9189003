"""From what was read to the text people paste: pure functions, driven by the Reading settings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import jaconv

from core.settings import Reading
from core.types import Direction, TextBlock

_DOTS = {"…": 3, "⋯": 3, "︙": 3, "‥": 2, "︰": 2, "・": 1, "･": 1, ".": 1, "．": 1}
_RUN_OF_DOTS = re.compile(f"[{re.escape(''.join(_DOTS))}]+")
_SPACES = re.compile(r"[^\S\n]+")
_CLOSING = ".,;:!?)]}%\"'"
_OPENING = "([{\"'$"


def compose(blocks: Sequence[TextBlock], options: Reading) -> str:
    """The text of the blocks, in the order given, as the settings ask for it.

    Blocks and lines without text leave no empty rows.
    """
    texts: list[str] = []
    for block in blocks:
        lines = [text for line in block.lines if (text := tidy(line.text, options))]
        if not lines:
            continue
        if options.join_lines:
            spaced = block.direction is Direction.HORIZONTAL
            texts.append(tidy(_join(lines, spaced), options))
        else:
            texts.append("\n".join(lines))
    if options.line_breaks == "keep":
        return "\n".join(texts)
    return tidy(_join(texts, True), options)


def tidy(text: str, options: Reading) -> str:
    """Spaces, dots and full-width forms of one piece of text; doing it twice changes nothing more."""
    rows = [_tidy_row(row, options) for row in text.split("\n")]
    return "\n".join(row for row in rows if row)


def _tidy_row(text: str, options: Reading) -> str:
    if options.spaces == "remove":
        text = _without_spaces(text)
    if options.ellipsis != "keep":
        text = _RUN_OF_DOTS.sub(lambda run: _dots(run.group(), options.ellipsis == "char"), text)
    if options.full_width:
        text = jaconv.h2z(text, ascii=True, digit=True)
    return text.strip()


def _without_spaces(text: str) -> str:
    """Each run of white space is dropped, unless a Latin letter or a digit stands beside it."""

    def replacement(run: re.Match[str]) -> str:
        before, after = text[: run.start()][-1:], text[run.end() :][:1]
        return run.group()[0] if _in_latin_word(before) or _in_latin_word(after) else ""

    return _SPACES.sub(replacement, text)


def _dots(run: str, one_character: bool) -> str:
    count = sum(_DOTS[dot] for dot in run)
    if count < 2:
        return run
    return "…" * max(1, round(count / 3)) if one_character else "." * count


def _in_latin_word(character: str) -> bool:
    """A Latin letter or a digit, of any width."""
    plain = unicodedata.normalize("NFKC", character)
    return plain[:1].isdigit() or (plain[:1].isalpha() and "LATIN" in unicodedata.name(plain[0], ""))


def _join(parts: Sequence[str], spaced: bool) -> str:
    """The parts written on, with a space where a Latin word would otherwise run into the next."""
    text = parts[0] if parts else ""
    for part in parts[1:]:
        text += " " + part if spaced and _needs_space(text, part) else part
    return text


def _needs_space(before: str, after: str) -> bool:
    """Whether Latin words meet. A word broken at a hyphen and a number broken in two are written on."""
    last = unicodedata.normalize("NFKC", before[-8:]).rstrip(_CLOSING)[-1:]
    first = unicodedata.normalize("NFKC", after[:8]).lstrip(_OPENING)[:1]
    if last.isdigit() and first.isdigit():
        return False
    return _in_latin_word(last) and _in_latin_word(first)
