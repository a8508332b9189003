"""A quiet line of facts that makes do with the room it gets."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QResizeEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from desktop.theme import set_role

_MOST_LINES = 2
_BETWEEN = " · "
_HARD_SPACE = "\u00a0"
_ELLIPSIS = "…"


class StatusLine(QLabel):
    """At most two rows, broken between facts (`` · ``) where that is possible; the tooltip has all of it
    when something is cut off."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAttribute(Qt.WidgetAttribute.WA_AlwaysShowToolTips)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        set_role(self, "muted")

    def show_status(self, text: str, role: str = "muted") -> None:
        """``role`` as for labels in ``desktop.theme``."""
        self.setText(" ".join(text.split()))
        set_role(self, role)
        self._fit()

    @property
    def rows(self) -> list[str]:
        """What is shown, row by row."""
        text, measure = self.text(), self.fontMetrics().horizontalAdvance
        facts = text.split(_BETWEEN)
        whole = _BETWEEN.join(fact.replace(" ", _HARD_SPACE) for fact in facts)
        rows = self._broken(whole)
        if len(rows) > _MOST_LINES or any(measure(fact) > self.width() for fact in facts):
            rows = self._broken(text)
        if len(rows) > _MOST_LINES:
            rest = "".join(rows[_MOST_LINES - 1 :])
            last = self.fontMetrics().elidedText(rest, Qt.TextElideMode.ElideRight, self.width())
            rows = [*rows[: _MOST_LINES - 1], last]
        # No separator is left at the end of a row.
        return [row.replace(_HARD_SPACE, " ").strip().removesuffix(_BETWEEN.rstrip()) for row in rows]

    def _broken(self, text: str) -> list[str]:
        layout = QTextLayout(text, self.font())
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        layout.beginLayout()
        rows = []
        while (line := layout.createLine()).isValid():
            line.setLineWidth(max(1, self.width()))
            rows.append(text[line.textStart() : line.textStart() + line.textLength()])
        layout.endLayout()
        return rows

    def _fit(self) -> None:
        rows = self.rows
        self.setFixedHeight(max(1, len(rows)) * self.fontMetrics().lineSpacing())
        self.setToolTip(self.text() if any(row.endswith(_ELLIPSIS) for row in rows) else "")
        self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        metrics = self.fontMetrics()
        for number, row in enumerate(self.rows):
            painter.drawText(QPointF(0, metrics.ascent() + number * metrics.lineSpacing()), row)
        painter.end()
