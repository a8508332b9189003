"""An answer's Markdown in pieces: those that no further text can change, and the one that still grows.

What is settled need not be rendered again while an answer streams. Where a piece ends depends only on the
text up to there, so a text gives the same pieces however it arrived. Each piece is short: a long list, table
or code block becomes several that are shown without a gap. A link's address must stand where the link is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

MOST_CHARACTERS = 4000
"""No piece is longer, or it could not be rendered within a frame."""
_LIST_CHARACTERS = 1200
_TABLE_ROWS = 24
_CODE_LINES = 40
_CODE_CHARACTERS = 2000

_BLANK = re.compile(r"\s*$")
_FENCE = re.compile(r"( {0,3})(`{3,}|~{3,})([^`]*|(?<=~)[^~]*)$")
_HEADING = re.compile(r" {0,3}#{1,6}(\s|$)")
_RULE = re.compile(r" {0,3}([-*_])([ \t]*\1){2,}\s*$")
_UNDERLINE = re.compile(r" {0,3}-+\s*$")
_QUOTE = re.compile(r" {0,3}>")
_ITEM = re.compile(r"( *)([-*+]|(\d{1,9})[.)])( +|$)")
_DELIMITERS = re.compile(r" {0,3}\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?\s*$")
_PAUSE = re.compile(r"[\s。、！？]")


class Kind(StrEnum):
    """``TEXT`` and ``TABLE`` are Markdown, ``CODE`` is lines as they are, ``RULE`` has no source."""

    TEXT = "text"
    TABLE = "table"
    CODE = "code"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some blocks of Markdown.

    ``continues``: it goes on with what the piece before it began. ``number`` is then the first number of a
    numbered list. ``goes_on`` is the same, told by the first one: a table whose columns have to keep their
    widths.
    """

    kind: Kind
    source: str
    continues: bool = False
    number: int | None = None
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class _Fence:
    mark: str
    indent: int


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str

    @property
    def indent(self) -> int:
        expanded = self.text.expandtabs(4)
        return len(expanded) - len(expanded.lstrip(" "))


class Splitter:
    """Hands out the pieces of a text that grows at its end."""

    def __init__(self) -> None:
        self._text = ""
        self._begin_anew()

    def _begin_anew(self) -> None:
        # Everything before it has been handed out.
        self._start = 0
        self._fence: _Fence | None = None
        self._code_begun = False
        # What the next piece goes on with, if it does.
        self._continues = False
        self._number: int | None = None
        self._header = ""

    def feed(self, text: str) -> bool:
        """``text`` is the whole text by now. False: it is another one, so all pieces are to be taken anew."""
        text = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
        grown = text.startswith(self._text[: self._start])
        self._text = text
        if not grown:
            self._begin_anew()
        return grown

    def settle(self) -> Piece | None:
        """The next piece that cannot change any more."""
        while True:
            if self._fence is not None:
                piece = self._settle_code(self._fence)
                if piece is not None or self._fence is not None:
                    return piece
                continue
            self._skip_blank()
            first = next(self._lines(), None)
            if first is None:
                return self._cut_long(self._start)
            fence = _FENCE.match(first.text)
            if fence is None:
                return self._settle_text(first)
            self._fence = _Fence(fence[2], len(fence[1]))
            self._start, self._code_begun = first.end + 1, False
            self._forget()

    def rest(self) -> Piece | None:
        """What is left and may still change; None where that is nothing to see."""
        rest = self._text[self._start :]
        if self._fence is not None:
            lines = rest.split("\n")
            if self._closes(lines[-1], self._fence):
                lines.pop()
            code = self._code(lines).rstrip("\n") if lines and not lines[-1] else self._code(lines)
            return Piece(Kind.CODE, code, self._code_begun) if code or self._code_begun else None
        if not rest.strip() or _FENCE.match(rest):
            return None
        if _RULE.match(rest):
            return Piece(Kind.RULE, "")
        return self._piece(len(self._text))

    def _lines(self) -> Iterator[_Line]:
        """The lines that have ended, from where the open piece starts."""
        start = self._start
        while (end := self._text.find("\n", start)) >= 0:
            yield _Line(start, end, self._text[start:end])
            start = end + 1

    def _skip_blank(self) -> None:
        for line in self._lines():
            if not _BLANK.match(line.text):
                return
            self._start = line.end + 1
            if not _ITEM.match(self._text, self._start):
                self._forget()

    def _forget(self) -> None:
        self._continues, self._number, self._header = False, None, ""

    # ---- code

    def _settle_code(self, fence: _Fence) -> Piece | None:
        lines: list[str] = []
        for line in self._lines():
            if self._closes(line.text, fence):
                self._start, self._fence = line.end + 1, None
                if not lines and self._code_begun:
                    return None
                return Piece(Kind.CODE, self._code(lines, fence), self._code_begun)
            if line.end - self._start > _CODE_CHARACTERS:
                if not lines:
                    return self._cut_code(fence)
                return self._hand_out_code(lines, fence, line.start)
            lines.append(line.text)
            if len(lines) == _CODE_LINES:
                return self._hand_out_code(lines, fence, line.end + 1)
        if len(self._text) - self._start > _CODE_CHARACTERS:
            if not lines:
                return self._cut_code(fence)
            return self._hand_out_code(lines, fence, self._start + sum(len(line) + 1 for line in lines))
        return None

    def _hand_out_code(self, lines: list[str], fence: _Fence, end: int) -> Piece:
        piece = Piece(Kind.CODE, self._code(lines, fence), self._code_begun)
        self._start, self._code_begun = end, True
        return piece

    def _cut_code(self, fence: _Fence) -> Piece:
        end = self._start + _CODE_CHARACTERS
        return self._hand_out_code([self._text[self._start : end]], fence, end)

    def _code(self, lines: list[str], fence: _Fence | None = None) -> str:
        indent = (fence or self._fence or _Fence("", 0)).indent
        if not indent:
            return "\n".join(lines)
        return "\n".join(line[indent:] if not line[:indent].strip() else line.lstrip(" ") for line in lines)

    @staticmethod
    def _closes(line: str, fence: _Fence) -> bool:
        found = line.strip()
        return (
            len(found) >= len(fence.mark)
            and set(found) == {fence.mark[0]}
            and len(line) - len(line.lstrip(" ")) <= 3
        )

    # ---- everything else

    def _settle_text(self, first: _Line) -> Piece | None:
        if _RULE.match(first.text):
            self._forget()
            self._start = first.end + 1
            return Piece(Kind.RULE, "")
        if _HEADING.match(first.text):
            self._forget()
            return self._hand_out(first.end + 1)
        item = _ITEM.match(first.text)
        if item is not None and first.indent <= 3:
            return self._settle_list(first, item)
        self._number = None
        return self._settle_paragraph(first)

    def _settle_paragraph(self, first: _Line) -> Piece | None:
        """A paragraph, quote, table or indented code."""
        table, rows = bool(self._header), 1 if self._header else 0
        quote, code = bool(_QUOTE.match(first.text)), first.indent >= 4
        before = first
        blank = False
        for line in self._lines():
            if line.end - self._start > MOST_CHARACTERS:
                return self._cut_long(line.start)
            if line.start == first.start:
                continue
            if _BLANK.match(line.text):
                if not code:
                    return self._hand_out(line.end + 1)
                blank = True
                continue
            if blank and line.indent < 4:
                return self._hand_out(line.start)
            if not table and "|" in before.text and "|" in line.text and _DELIMITERS.match(line.text):
                if before.start > self._start:
                    return self._hand_out(before.start)
                table = True
            elif self._interrupts(line, quote):
                return self._hand_out(line.start)
            elif table:
                rows += 1
                if rows > _TABLE_ROWS:
                    return self._break_table(line.start)
            before = line
        return self._cut_long(before.end + 1 if before.end - self._start < MOST_CHARACTERS else self._start)

    @staticmethod
    def _interrupts(line: _Line, quote: bool) -> bool:
        """Whether it begins another block although no blank line is before it."""
        item = _ITEM.match(line.text)
        return (
            bool(_FENCE.match(line.text) or _HEADING.match(line.text))
            or bool(_RULE.match(line.text) and not _UNDERLINE.match(line.text))
            or bool(_QUOTE.match(line.text) and not quote)
            or bool(item and line.indent <= 3 and item[4] and item[3] in (None, "1"))
        )

    def _settle_list(self, first: _Line, item: re.Match[str]) -> Piece | None:
        indent, items, blank = item.end(), 0, False
        if self._number is None and item[3]:
            self._number, self._continues = int(item[3]), False
        for line in self._lines():
            if _BLANK.match(line.text):
                blank = True
                continue
            found = _ITEM.match(line.text)
            inside = line.indent >= indent
            if line.start > self._start and not inside:
                if _FENCE.match(line.text) or _HEADING.match(line.text) or _RULE.match(line.text):
                    return self._hand_out(line.start)
                if found is None and blank and line.indent < 2:
                    return self._hand_out(line.start)
                if found is not None:
                    if (found[3] is None) != (item[3] is None):
                        return self._hand_out(line.start)
                    if line.start - self._start > _LIST_CHARACTERS:
                        return self._hand_out(line.start, items)
            if line.end - self._start > 2 * MOST_CHARACTERS:
                return self._cut_long(line.start)
            if found is not None and not inside:
                items, indent = items + 1, found.end()
            blank = False
        return None

    def _piece(self, end: int) -> Piece:
        source = self._text[self._start : end]
        if self._header:
            return Piece(Kind.TABLE, self._header + source, True)
        return Piece(Kind.TEXT, source, self._continues, self._number)

    def _hand_out(self, end: int, items: int = 0) -> Piece:
        """The piece up to ``end``; ``items``: of a list that goes on, after so many items of this piece."""
        piece = self._piece(end)
        number = self._number + items if items and self._number is not None else None
        self._start = end
        self._forget()
        self._continues, self._number = bool(items), number
        return piece

    def _break_table(self, end: int) -> Piece:
        source = self._text[self._start : end]
        header = self._header or "".join(source.splitlines(keepends=True)[:2])
        piece = Piece(Kind.TABLE, self._header + source, bool(self._header), None, True)
        self._start = end
        self._continues, self._header = True, header
        return piece

    def _cut_long(self, line: int) -> Piece | None:
        """Part of a block that is too long, of which a line starts at ``line``."""
        if len(self._text) - self._start <= MOST_CHARACTERS:
            return None
        end = line
        if line == self._start:
            last = self._start + MOST_CHARACTERS
            pauses = [found.end() for found in _PAUSE.finditer(self._text, last - 200, last)]
            end = pauses[-1] if pauses else last
        piece = self._hand_out(end)
        self._continues = True
        return piece
