"""Pieces of Markdown, written one after the other into a document that loads nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QFontInfo,
    QFontMetricsF,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextList,
    QTextOption,
    QTextTable,
    QTextTableFormat,
)

from desktop.chat_markdown import Kind, Piece
from desktop.theme import STEP, Tokens, japanese_font

CODE = int(QTextFormat.Property.UserProperty.value) + 1
"""The property of a block that is code: 1, or 2 where it goes on from the block before."""
RULE = CODE + 1
"""The property of a block that is a line across the text."""
QUOTE = int(QTextFormat.Property.BlockQuoteLevel.value)
SCHEMES = ("http", "https", "mailto")
"""Links to anything else, such as files, are only text."""

_FEATURES = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML
_LINE_HEIGHT = 1.55
_CODE_HEIGHT = 1.4
_HEADINGS = {1: 5, 2: 3, 3: 1}
"""By how many pixels headings are larger than the text."""
_INDENT = 6 * STEP
_GAP = 2 * STEP
_LONG_ADDRESS = 80
_IMAGE = "\ufffc"
_MARKS = {1: "☐", 2: "☑"}

# Markdown's rule for where emphasis ends thinks of spaces between words: it fails in 「…」**は. A character
# that is neither space nor punctuation helps; it is taken out again.
_HELPER = "\u200b"
_JAPANESE = "[\u3040-\u30ff\u3400-\u9fffー々a-zA-Z0-9]"
_CLOSES = re.compile(f"(?<=[」』】）〉》〕、。！？…～])(\\*+)(?={_JAPANESE})")
_OPENS = re.compile(f"(?<={_JAPANESE})(\\*+)(?=[「『【（〈《〔])")
_WORDLESS = re.compile(r"!\[\s*\]\(")
# A single end of a line is kept, as in dialogue; Markdown makes it a space, and Qt two spaces before it a new
# paragraph or list item. So it is marked, with spaces, which change nothing about emphasis.
_LINE_MARK = "\u2008\u2001"
_LINE_END = re.compile(
    r"^((?![ >]*(?:`{3}|~{3}|[-=*_:\s]*$))[^|\n]*[^|\s])[ \t]*(?<!\\)\\?\n(?=[ \t]*\S)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How an answer looks: ``size`` is the text's in logical pixels."""

    tokens: Tokens
    size: int

    @property
    def font(self) -> QFont:
        return japanese_font(self.size)

    @property
    def code_families(self) -> list[str]:
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        # The system's name may stand for another font, which only matching tells.
        return [QFontInfo(fixed).family(), *japanese_font(self.size).families()]


class ChatDocument(QTextDocument):
    """Asks nobody for anything, neither a file nor a server."""

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        return None


class Writer:
    """Writes at the end of ``document``, which always ends with an empty block of no height.

    What was written after ``keep`` can be taken back with ``rewind``.
    """

    def __init__(self, document: QTextDocument, style: TextStyle) -> None:
        self._document = document
        self._scratch = ChatDocument()
        self._scratch.setUndoRedoEnabled(False)
        self._cursor = QTextCursor(document)
        document.setUndoRedoEnabled(False)
        document.setDocumentMargin(0)
        document.setIndentWidth(_INDENT)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        document.setDefaultTextOption(option)
        self.restyle(style)

    def restyle(self, style: TextStyle) -> None:
        """Begin anew in another style."""
        self._style = style
        self._document.setDefaultFont(style.font)
        self._line = 100 * _LINE_HEIGHT * style.size / QFontMetricsF(style.font).height()
        self._code_format = QTextCharFormat()
        self._code_format.setFontFamilies(style.code_families)
        self._code_format.setProperty(QTextFormat.Property.FontPixelSize, style.size - 2)
        self._code_format.setFontFixedPitch(True)
        self._code_format.setFontLetterSpacing(100)
        code_font = QFont(style.font)
        code_font.setFamilies(style.code_families)
        code_font.setPixelSize(style.size - 2)
        self._code_line = 100 * _CODE_HEIGHT * (style.size - 2) / QFontMetricsF(code_font).height()
        self.clear()

    def clear(self) -> None:
        """Take back everything."""
        self._document.clear()
        self._plain: list[str] = []
        self._after = self._kept_after = ""
        self._kept, self._kept_plain = 0, 0
        self._first = True
        self._end_with_spare(QTextCursor(self._document), True)

    @property
    def plain(self) -> str:
        """All of it as it is seen, with marks of lists; cells are separated by tabs."""
        return "".join(self._plain).strip("\n")

    @property
    def kept(self) -> int:
        """The position from which on it may be rewritten."""
        return self._kept

    def keep(self) -> None:
        """What has been written stays."""
        self._kept = self._document.lastBlock().position()
        self._kept_plain, self._kept_after = len(self._plain), self._after

    def rewind(self) -> None:
        """Take back what was written since ``keep``."""
        cursor = self._cursor
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if cursor.position() > self._kept:
            cursor.beginEditBlock()
            cursor.setPosition(self._kept)
            cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
            self._after = self._kept_after
            self._end_with_spare(cursor, True)
            cursor.endEditBlock()
        del self._plain[self._kept_plain :]
        self._after = self._kept_after

    def write(self, piece: Piece) -> None:
        """Append ``piece``."""
        cursor = self._cursor
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        # The block that the document ends with is used for what comes first.
        self._unused = True
        self._continues = piece.continues
        if not piece.continues:
            self._end_plain_paragraph()
        if piece.kind is Kind.CODE:
            self._write_code(cursor, piece)
        elif piece.kind is Kind.RULE:
            self._write_rule(cursor)
        else:
            self._write_markdown(cursor, piece)
        self._end_with_spare(cursor, self._unused)
        cursor.endEditBlock()

    def write_plain(self, text: str) -> None:
        """Append lines as they are."""
        cursor = self._cursor
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        self._unused = True
        form = QTextBlockFormat()
        form.setLineHeight(self._line, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        for line in text.split("\n"):
            self._open_block(cursor, form, QTextCharFormat())
            cursor.insertText(line)
            self._plain.append(f"{line}\n")
        self._end_with_spare(cursor, self._unused)
        cursor.endEditBlock()

    def _end_plain_paragraph(self) -> None:
        if self._plain and not "".join(self._plain[-3:]).endswith("\n\n"):
            self._plain.append("\n")

    # ---- blocks

    def _open_block(self, cursor: QTextCursor, form: QTextBlockFormat, ink: QTextCharFormat) -> None:
        if self._unused:
            cursor.setBlockFormat(form)
            cursor.setBlockCharFormat(ink)
            cursor.setCharFormat(ink)
            self._unused = False
        else:
            cursor.insertBlock(form, ink)

    def _end_with_spare(self, cursor: QTextCursor, unused: bool) -> None:
        form, ink = QTextBlockFormat(), QTextCharFormat()
        form.setLineHeight(1, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        # A code block's background reaches below its last line.
        form.setTopMargin(_GAP if self._after == "code" else 0)
        ink.setProperty(QTextFormat.Property.FontPixelSize, 1)
        if unused:
            cursor.setBlockFormat(form)
            cursor.setBlockCharFormat(ink)
        else:
            cursor.insertBlock(form, ink)

    def _gap(self, what: str, gap: float) -> float:
        """The room above a block that is a ``what``."""
        before, self._after = self._after, what
        if not before:
            return _GAP if what == "code" else 0
        if self._continues:
            self._continues = False
            return 0
        extra = _GAP if what == "code" else 0
        return gap + extra + (_GAP if before == "code" else 0)

    def _write_code(self, cursor: QTextCursor, piece: Piece) -> None:
        for line in piece.source.split("\n"):
            self._open_code(cursor)
            cursor.insertText(line)
            self._plain.append(f"{line}\n")

    def _open_code(self, cursor: QTextCursor, margin: float = 0, first: bool | None = None) -> None:
        goes_on = self._after == "code" and (self._continues or not self._unused)
        if first is not None:
            goes_on = not first
        form = QTextBlockFormat()
        form.setProperty(CODE, 2 if goes_on else 1)
        form.setLeftMargin(margin + _GAP)
        form.setRightMargin(_GAP)
        if goes_on:
            self._continues = False
        else:
            form.setTopMargin(self._gap("code", _GAP))
        form.setLineHeight(self._code_line, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        self._open_block(cursor, form, self._code_format)

    def _write_rule(self, cursor: QTextCursor) -> None:
        form = QTextBlockFormat()
        form.setTopMargin(self._gap("rule", _GAP))
        form.setProperty(RULE, 1)
        form.setLineHeight(_GAP, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        ink = QTextCharFormat()
        ink.setProperty(QTextFormat.Property.FontPixelSize, 1)
        self._open_block(cursor, form, ink)
        self._end_plain_paragraph()
        self._plain.append("---\n")

    def _write_markdown(self, cursor: QTextCursor, piece: Piece) -> None:
        source = piece.source
        if piece.kind is Kind.TEXT:
            source = _LINE_END.sub(f"\\1{_LINE_MARK}\n", source)
        if "*" in source:
            source = _OPENS.sub(f"\\1{_HELPER}", _CLOSES.sub(f"{_HELPER}\\1", source))
        # Qt leaves out pictures without words.
        source = _WORDLESS.sub(f"![{_HELPER}](", source)
        self._scratch.setMarkdown(source, _FEATURES)
        lists: dict[int, QTextList] = {}
        block = self._scratch.begin()
        code = False
        while block.isValid():
            table = QTextCursor(block).currentTable()
            if table is not None:
                self._write_table(cursor, table, piece)
                block = self._scratch.findBlock(table.lastPosition()).next()
                code = False
                continue
            form = block.blockFormat()
            if form.nonBreakableLines() or form.hasProperty(QTextFormat.Property.BlockCodeFence):
                self._open_code(cursor, _INDENT * form.indent(), not code)
                self._write_words(cursor, block, self._code_format)
                self._plain.append("\n")
                code = True
            else:
                code = False
                self._write_block(cursor, block, form, lists, piece)
            block = block.next()

    def _write_block(
        self,
        cursor: QTextCursor,
        block: QTextBlock,
        form: QTextBlockFormat,
        lists: dict[int, QTextList],
        piece: Piece,
    ) -> None:
        source = block.textList()
        rule = form.hasProperty(QTextFormat.Property.BlockTrailingHorizontalRulerWidth)
        if rule:
            self._write_rule(cursor)
            return
        if not block.length() > 1 and source is None:
            return
        level = form.headingLevel()
        quote = form.intProperty(QUOTE)
        new = QTextBlockFormat()
        new.setLineHeight(self._line, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        ink = QTextCharFormat()
        if quote:
            new.setProperty(QUOTE, quote)
            new.setLeftMargin(quote * 4 * STEP)
            ink.setForeground(self._style.tokens.color("muted"))
        if level:
            new.setHeadingLevel(level)
            new.setTopMargin(self._gap("heading", 3 * STEP))
            ink.setProperty(QTextFormat.Property.FontPixelSize, self._style.size + _HEADINGS.get(level, 0))
            ink.setFontWeight(QFont.Weight.DemiBold)
        elif source is not None:
            gap = STEP if self._after == "item" else _GAP
            new.setTopMargin(self._gap("item", gap) or (STEP if self._after and piece.continues else 0))
            if form.marker() != QTextBlockFormat.MarkerType.NoMarker:
                new.setMarker(form.marker())
        else:
            if form.indent():
                new.setIndent(form.indent())
            new.setTopMargin(self._gap("item" if form.indent() else "text", _GAP))
        self._open_block(cursor, new, ink)
        if source is not None:
            self._put_in_list(cursor, block, source, lists, piece)
        self._write_words(cursor, block, ink)
        self._plain.append("\n" if source is not None else "\n\n")

    def _put_in_list(
        self,
        cursor: QTextCursor,
        block: QTextBlock,
        source: QTextList,
        lists: dict[int, QTextList],
        piece: Piece,
    ) -> None:
        form = source.format()
        index = source.objectIndex()
        if index in lists:
            lists[index].add(cursor.block())
        else:
            if not lists and piece.number is not None:
                form.setStart(piece.number)
            lists[index] = cursor.createList(form)
        mark = _MARKS.get(block.blockFormat().marker().value) or lists[index].itemText(cursor.block())
        self._plain.append("  " * (form.indent() - 1) + (mark if mark.strip(".") else "•") + " ")

    # ---- words

    def _write_words(self, cursor: QTextCursor, block: QTextBlock, base: QTextCharFormat) -> None:
        place = block.begin()
        while not place.atEnd():
            fragment = place.fragment()
            form = fragment.charFormat()
            if form.isImageFormat():
                image = form.toImageFormat()
                words = _image_words(
                    str(form.property(QTextFormat.Property.ImageAltText) or ""), image.name()
                )
            else:
                words = fragment.text().replace(_HELPER, "")
                words = words.replace(f"{_LINE_MARK} ", "\u2028").replace(_LINE_MARK, "")
            ink = self._ink(form, base)
            cursor.insertText(words, ink)
            self._plain.append(words.replace("\u2028", "\n").replace("\u2029", "\n"))
            place += 1

    def _ink(self, form: QTextCharFormat, base: QTextCharFormat) -> QTextCharFormat:
        ink = QTextCharFormat(base)
        if form.fontWeight() > QFont.Weight.Normal and not base.hasProperty(QTextFormat.Property.FontWeight):
            ink.setFontWeight(QFont.Weight.Bold)
        if form.fontItalic():
            ink.setFontItalic(True)
        if form.fontStrikeOut():
            ink.setFontStrikeOut(True)
        if form.fontFixedPitch() and not base.fontFixedPitch():
            ink.merge(self._code_format)
            ink.setBackground(QColor(self._style.tokens.line))
        address = form.anchorHref()
        if address and QUrl(address).scheme().lower() in SCHEMES:
            ink.setAnchor(True)
            ink.setAnchorHref(address)
            ink.setToolTip(address)
            ink.setForeground(self._style.tokens.color("accent"))
            ink.setFontUnderline(True)
        return ink

    # ---- tables

    def _write_table(self, cursor: QTextCursor, source: QTextTable, piece: Piece) -> None:
        skip = 1 if piece.kind is Kind.TABLE and piece.continues else 0
        rows, columns = source.rows() - skip, source.columns()
        if rows < 1:
            return
        tokens = self._style.tokens
        form = QTextTableFormat()
        form.setBorder(1)
        form.setBorderCollapse(True)
        form.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        form.setBorderBrush(tokens.color("line"))
        form.setCellPadding(STEP)
        form.setCellSpacing(0)
        form.setHeaderRowCount(0 if skip else 1)
        form.setTopMargin(self._gap("table", _GAP))
        # Qt leaves out the upper margin of what follows.
        form.setBottomMargin(0 if piece.goes_on else _GAP)
        if piece.kind is Kind.TABLE:
            # Its other pieces must have the same columns.
            part = QTextLength(QTextLength.Type.PercentageLength, 100 / columns)
            form.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
            form.setColumnWidthConstraints([part] * columns)
        if not self._unused:
            self._end_with_spare(cursor, False)
        table = cursor.insertTable(rows, columns, form)
        for row in range(rows):
            for column in range(columns):
                cell = source.cellAt(row + skip, column).firstCursorPosition().block()
                into = table.cellAt(row, column).firstCursorPosition()
                block = QTextBlockFormat()
                block.setAlignment(cell.blockFormat().alignment() & Qt.AlignmentFlag.AlignHorizontal_Mask)
                block.setLineHeight(self._line, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
                into.setBlockFormat(block)
                into.setBlockCharFormat(QTextCharFormat())
                self._write_words(into, cell, QTextCharFormat())
                self._plain.append("\t" if column < columns - 1 else "\n")
        if not piece.goes_on:
            self._plain.append("\n")
        cursor.movePosition(QTextCursor.MoveOperation.End)
        self._unused = True


def _image_words(alt: str, address: str) -> str:
    if address.startswith("data:"):
        address = "data:…"
    if len(address) > _LONG_ADDRESS:
        address = f"{address[: _LONG_ADDRESS - 1]}…"
    alt = alt.replace(_HELPER, "").strip()
    return f"{alt} ({address})" if alt else address
