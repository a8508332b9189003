"""What lists with pictures paint alike: the thumbnail in its frame, and what a search found in a text."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPixmap, QTextCharFormat, QTextLayout

from desktop.theme import Tokens


def paint_thumbnail(
    painter: QPainter, picture: QPixmap | None, frame: QRect, radius: int, tokens: Tokens
) -> None:
    """A picture in the middle of its rounded frame; the frame alone while there is none."""
    path = QPainterPath()
    path.addRoundedRect(frame, radius, radius)
    painter.fillPath(path, tokens.color("surface"))
    if picture is not None and not picture.isNull():
        place = QRect(QPoint(0, 0), picture.deviceIndependentSize().toSize())
        place.moveCenter(frame.center())
        painter.save()
        painter.setClipPath(path)
        painter.drawPixmap(place.topLeft(), picture)
        painter.restore()
    painter.setPen(tokens.color("line"))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path)


def format_range(text: str, start: int, end: int, style: QTextCharFormat) -> QTextLayout.FormatRange:
    """A range of Python characters as Qt counts them: those beyond U+FFFF are two."""
    found = QTextLayout.FormatRange()
    found.start = len(text[:start].encode("utf-16-le")) // 2
    found.length = len(text[start:end].encode("utf-16-le")) // 2
    found.format = style
    return found
