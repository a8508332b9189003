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
    """At most two rows, broken between facts (`` · ``) where that is possible. Where they are not enough,
    the end of what stands before the last fact is left out; the tooltip has all of it then."""

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
        return self._arranged()[0]

    def _arranged(self) -> tuple[list[str], bool]:
        """The rows, and whether something is left out in them."""
        text, measure = self.text(), self.fontMetrics().horizontalAdvance
        facts = text.split(_BETWEEN)
        whole = _BETWEEN.join(fact.replace(" ", _HARD_SPACE) for fact in facts)
        rows = self._broken(whole)
        if len(rows) > _MOST_LINES or any(measure(fact) > self.width() for fact in facts):
            rows = self._broken(text)
        cut = len(rows) > _MOST_LINES
        if cut:
            rest = "".join(rows[_MOST_LINES - 1 :])
            rows = [*rows[: _MOST_LINES - 1], self._cut(rest, _BETWEEN + facts[-1])]
        # No separator is left at the end of a row.
        rows = [row.replace(_HARD_SPACE, " ").strip().removesuffix(_BETWEEN.rstrip()) for row in rows]
        return rows, cut

    def _cut(self, rest: str, last: str) -> str:
        """``rest`` in one row that keeps ``last``, its end, unless there is no room for that alone."""
        metrics, end = self.fontMetrics(), Qt.TextElideMode.ElideRight
        room = self.width() - metrics.horizontalAdvance(last)
        if not rest.endswith(last) or room < metrics.horizontalAdvance(_ELLIPSIS):
            return metrics.elidedText(rest, end, self.width())
        before = rest.removesuffix(last)
        return metrics.elidedText(before, end, room) + last

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
        rows, cut = self._arranged()
        self.setFixedHeight(max(1, len(rows)) * self.fontMetrics().lineSpacing())
        self.setToolTip(self.text() if cut else "")
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
