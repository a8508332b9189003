"""Markdown without its marks, for lists that show a line of it.

Not a renderer: what is left is read at a glance, so a mark that cannot be told from a character stays.
"""

from __future__ import annotations

import re

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_RULE = re.compile(r" {0,3}([-*_=])([ \t]*\1){2,}[ \t]*$")
_TABLE_RULE = re.compile(r" {0,3}\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)+\|?[ \t]*$")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_QUOTE = re.compile(r"(?: {0,3}> ?)+")
_BULLET = re.compile(r"[ \t]*[-*+][ \t]+")
# A code span, a mark that is escaped, an address, a picture or link: nothing in the first two is Markdown.
_SPANS = re.compile(
    r"(?P<ticks>`+)(?P<code>(?!`).+?(?<!`))(?P=ticks)(?!`)"
    r"|\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|<(?P<address>(?:https?|mailto):[^\s<>]+)>"
    r"|!?\[(?P<words>[^\[\]]*)\]\([^()\s]*(?:\s+\"[^\"]*\")?\)"
)
# Between letters an underscore belongs to a name, and a star between blanks or digits to a sum.
_STARS = re.compile(r"(?<!\*)(\*{1,3})(?![\s*])([^*]+?)(?<![\s*])\1(?!\*)")
_SUM = re.compile(r"(?<=\d)\*(?=\d)")
_UNDERSCORES = re.compile(r"(?<!\w)(_{1,3})(?![\s_])(.+?)(?<![\s_])\1(?!\w)")
_STRUCK = re.compile(r"~~(?![\s~])(.+?)(?<![\s~])~~")
# Stands for what must not be taken for marks while marks are looked for: no text has this code point.
_KEPT = re.compile("\ufdd0(\\d+)\ufdd0")


def plain_words(markdown: str) -> str:
    """The text without marks, line by line as it was; lines of marks alone are left out."""
    lines: list[str] = []
    fence = ""
    for line in markdown.splitlines():
        found = _FENCE.match(line)
        if found and (not fence or found[1].startswith(fence)):
            fence = "" if fence else found[1]
        elif fence:
            lines.append(line)
        elif not _RULE.match(line) and not _TABLE_RULE.match(line):
            lines.append(_without_marks(line))
    return "\n".join(lines)


def plain_line(title: str) -> str:
    """The same for words that are one line and no list: a dash at their beginning stays."""
    heading = _HEADING.match(title)
    return _inline(heading[1] if heading else title)


def _without_marks(line: str) -> str:
    line = _QUOTE.sub("", line, count=1) if _QUOTE.match(line) else line
    if heading := _HEADING.match(line):
        line = heading[1]
    elif bullet := _BULLET.match(line):
        line = line[bullet.end() :]
    elif line.strip().startswith("|"):
        line = " ".join(cell.strip() for cell in line.strip().strip("|").split("|"))
    return _inline(line)


def _inline(text: str) -> str:
    kept: list[str] = []

    def keep(part: str) -> str:
        kept.append(part)
        return f"\ufdd0{len(kept) - 1}\ufdd0"

    def take(found: re.Match[str]) -> str:
        if found["words"] is not None:
            return found["words"]
        return keep((found["code"] or found["escaped"] or found["address"]).strip())

    text = text.replace("\ufdd0", "")
    text = _SUM.sub(lambda found: keep(found[0]), _SPANS.sub(take, text))
    # Strong words may hold some that are stressed: the inner marks first, then the outer.
    for _ in range(2):
        for marks, words in ((_STARS, 2), (_UNDERSCORES, 2), (_STRUCK, 1)):
            text = marks.sub(lambda found, words=words: found[words], text)  # type: ignore[misc]
    return _KEPT.sub(lambda found: kept[int(found[1])], text)
