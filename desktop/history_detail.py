"""One snip of the history, beside the list."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QPoint, QRect, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from core.history import HistoryRow, State
from desktop.history_model import error_text
from desktop.theme import STEP, set_japanese, set_kind, set_role

translate = QCoreApplication.translate


class _Picture(QWidget):
    """A picture as large as its place allows, at most one logical pixel for each of its own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = QImage()
        self.setMinimumHeight(120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_image(self, image: QImage) -> None:
        self._image = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image.isNull():
            return
        size = natural = self._image.size()
        if natural.width() > self.width() or natural.height() > self.height():
            size = natural.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(QPoint(0, 0), size)
        place.moveCenter(self.rect().center())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, self._image)
        painter.end()


class HistoryDetail(QWidget):
    """One snip, larger: its picture, its text to select from, and what can be done with it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = _Picture()
        self.picture.setAccessibleName(translate("_Detail", "Picture of the snip"))
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(translate("_Detail", "Text of the snip"))
        set_japanese(self.text, 19)
        self.error = QLabel()
        self.error.setWordWrap(True)
        self.error.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self.error, "bad")
        self.facts = QLabel()
        self.facts.setWordWrap(True)
        self.facts.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self.facts, "muted")
        self.copy = QPushButton(translate("_Detail", "Copy"))
        set_kind(self.copy, "primary")
        self.copy_image = QPushButton(translate("_Detail", "Copy image"))
        self.ask = QPushButton(translate("_Detail", "Ask"))
        self.ask.setToolTip(translate("HistoryWindow", "Ask about it"))
        self.reread = QPushButton(translate("_Detail", "Read again"))
        self.delete = QPushButton(translate("_Detail", "Delete"))
        set_kind(self.delete, "ghost")
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * STEP)
        for button in (self.copy, self.copy_image, self.ask, self.reread, self.delete):
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * STEP, 0, 3 * STEP, 3 * STEP)
        layout.setSpacing(2 * STEP)
        layout.addWidget(self.picture, 3)
        layout.addWidget(self.text, 2)
        layout.addWidget(self.error)
        layout.addWidget(self.facts)
        layout.addLayout(buttons)

    def show_row(self, row: HistoryRow, words: str, facts: str) -> None:
        """Everything but the picture. ``words`` stand for a missing text, ``facts`` tell when and by what."""
        if self.text.toPlainText() != row.text:
            self.text.setPlainText(row.text)
        self.text.setVisible(bool(row.text))
        problem = "" if row.error is None else error_text(row.error)
        if not problem and not row.text:
            problem = words
        set_role(self.error, "bad" if row.error is not None else "muted")
        self.error.setText(problem)
        self.error.setVisible(bool(problem))
        self.facts.setText(f"{facts} · {row.width} × {row.height}")
        self.copy.setVisible(bool(row.text))
        self.reread.setEnabled(row.state is not State.PENDING)
        retry = row.state is State.FAILED
        self.reread.setText(
            translate("HistoryWindow", "Retry") if retry else translate("_Detail", "Read again")
        )
