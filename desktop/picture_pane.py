"""The top of the side panel: the picture that is talked about, and the text that was read in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.picture_blocks import block_range
from desktop.picture_enlarged import EnlargedPicture
from desktop.picture_strip import PictureStrip
from desktop.picture_text import PictureText
from desktop.picture_thumbnail import Thumbnail
from desktop.picture_types import PanePicture
from desktop.setting_controls import Switch
from desktop.theme import STEP, Theme, set_kind, set_role

__all__ = ["PanePicture", "PicturePane"]

_NARROWEST = 304
"""Logical pixels, margins included."""
_BESIDE = 480
"""From this width on the buttons stand beside the switch."""


class PicturePane(QWidget):
    """Shows one of its pictures at a time; a click on the small one enlarges it within the panel.

    Without pictures it takes no room. What the user types is told under the picture it belongs to, also when
    another one is shown right after.
    """

    text_edited = Signal(int, str)
    give_text_changed = Signal(bool)
    remove_requested = Signal(int)
    read_again_requested = Signal(int)
    chosen = Signal(int)
    """The user chose another picture."""
    copy_text_requested = Signal(str)
    enlarged_changed = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pictures: dict[int, PanePicture] = {}
        self._current = -1
        self._removable = True
        self.strip = PictureStrip(theme)
        self.enlarged = EnlargedPicture(theme)
        self.thumbnail = Thumbnail(theme)
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.text = PictureText()
        self.give_text = Switch(theme)
        self.give_words = _Words(self.tr("Given to the model as text"))
        self.give_text.setAccessibleName(self.give_words.text())
        tip = self.tr("The model gets this text with your question and need not read the picture itself")
        self.give_text.setAccessibleDescription(tip)
        for widget in (self.give_text, self.give_words):
            widget.setToolTip(tip)
        self.give_text.setChecked(True)
        self.copy = QPushButton(self.tr("Copy"))
        self.copy.setToolTip(self.tr("Copy the text"))
        self.copy.setAccessibleName(self.tr("Copy the text"))
        self.again = QPushButton(self.tr("Read again"))
        self.again.setToolTip(self.tr("Read the text in the picture once more"))
        for button in (self.copy, self.again):
            set_kind(button, "ghost")
        self._lay_out()
        self._connect()
        self.clear()

    def _lay_out(self) -> None:
        give = QHBoxLayout()
        give.setSpacing(2 * STEP)
        give.addWidget(self.give_text)
        give.addWidget(self.give_words, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(STEP)
        buttons.addStretch(1)
        buttons.addWidget(self.copy)
        buttons.addWidget(self.again)
        self._below = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._below.setSpacing(STEP)
        self._below.addLayout(give, 1)
        self._below.addLayout(buttons)
        column = QVBoxLayout()
        column.setSpacing(STEP)
        column.addWidget(self.status)
        column.addWidget(self.text)
        column.addLayout(self._below)
        column.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(3 * STEP)
        row.addWidget(self.thumbnail, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * STEP, 3 * STEP, 3 * STEP, 3 * STEP)
        layout.setSpacing(2 * STEP)
        layout.addWidget(self.strip)
        layout.addWidget(self.enlarged)
        layout.addLayout(row)
        # Not "Maximum": that would hold it to the height of unwrapped words.
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        large = self.enlarged
        order = (
            *(self.strip, large.view, large.show_blocks, large.zoom_out, large.zoom_in, large.fit),
            *(large.smaller, large.handle, self.thumbnail, self.thumbnail.cross),
            *(self.text, self.give_text, self.copy, self.again),
        )
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def _connect(self) -> None:
        self.strip.chosen.connect(self._choose_by_user)
        self.strip.remove_requested.connect(self.remove_requested)
        self.thumbnail.clicked.connect(self.enlarge)
        self.thumbnail.remove_requested.connect(self._remove)
        self.enlarged.smaller_requested.connect(self.shrink)
        self.enlarged.view.block_chosen.connect(self._select_block)
        self.text.edited.connect(self._tell_edited)
        self.text.textChanged.connect(self._show_parts)
        self.give_text.clicked.connect(self.give_text_changed)
        self.give_words.clicked.connect(self.give_text.click)
        self.copy.clicked.connect(self._copy)
        self.again.clicked.connect(self._read_again)

    # ---- pictures

    @property
    def current(self) -> int:
        """The id of the picture that is shown, -1 without one."""
        return self._current

    @property
    def pictures(self) -> list[PanePicture]:
        """In their order, with the text as the user has it."""
        return list(self._pictures.values())

    def set_pictures(self, pictures: Sequence[PanePicture]) -> None:
        """Show these. The current one stays when it is among them, else its neighbour, else the first."""
        before = list(self._pictures)
        at = before.index(self._current) if self._current in before else 0
        kept = self._current in {picture.id for picture in pictures}
        # While the text is being edited the widget knows it better.
        own = self.text.toPlainText() if kept and self.text.busy else None
        if own is None:
            self.text.tell()
        self._pictures = {picture.id: picture for picture in pictures}
        if not pictures:
            self._show_nothing()
            return
        if own is not None:
            self._keep_text(own)
        current = self._current if kept else pictures[min(at, len(pictures) - 1)].id
        had_focus = self.strip.hasFocus()
        self._show(current)
        if had_focus and not self.strip.isVisibleTo(self):
            self._focus_picture()

    def update_picture(self, picture: PanePicture) -> None:
        """Show what is new of a picture; a text that the user is editing stays. Unknown ids are ignored."""
        if picture.id not in self._pictures:
            return
        own = self.text.toPlainText() if self.text.busy else None
        self._pictures[picture.id] = picture
        if own is not None:
            self._keep_text(own)
        self._show(self._current)

    def choose(self, picture: int) -> None:
        """Show this one; unknown ids are ignored."""
        if picture in self._pictures and picture != self._current:
            self.text.tell()
            self._show(picture)

    def clear(self) -> None:
        """Show no picture; what was typed last is still told."""
        self.text.tell()
        self._pictures = {}
        self._show_nothing()

    def set_removable(self, on: bool) -> None:
        """Whether pictures can be taken out of the conversation (× and Delete)."""
        self._removable = on
        self._show_removable()

    def set_give_text(self, on: bool) -> None:
        """Show whether the text is given to the model; nothing is told."""
        self.give_text.setChecked(on)

    def flush(self) -> None:
        """Tell now what was typed and not told yet, for instance before a question is sent."""
        self.text.tell()

    # ---- the enlarged view

    @property
    def is_enlarged(self) -> bool:
        return self.enlarged.isVisibleTo(self)

    def enlarge(self) -> None:
        """Show the picture in a view of its own, with the keyboard."""
        if self._current < 0 or self.is_enlarged:
            return
        self.enlarged.setVisible(True)
        self._show_current_view()
        self.enlarged.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self.thumbnail.setVisible(False)
        self.enlarged.view.fit()
        self.enlarged_changed.emit(True)

    def shrink(self) -> None:
        """Back to the small picture; the keyboard goes there unless it is in the text."""
        if not self.is_enlarged:
            return
        inside = self.enlarged.isAncestorOf(self.focusWidget() or self)
        self.thumbnail.setVisible(True)
        if inside:
            self.thumbnail.setFocus(Qt.FocusReason.OtherFocusReason)
        self.enlarged.setVisible(False)
        self.enlarged_changed.emit(False)

    # ---- showing

    def _show_nothing(self) -> None:
        self.shrink()
        self._current = -1
        self.text.show_text("")
        self.setVisible(False)

    def _show(self, picture: int) -> None:
        self._current = picture
        shown = self._pictures[picture]
        self.strip.set_pictures(self.pictures, picture)
        self.strip.setVisible(len(self._pictures) > 1)
        self.thumbnail.set_picture(shown.image, shown.text)
        self._show_removable()
        if self.is_enlarged:
            self._show_current_view()
        else:
            self.thumbnail.setVisible(True)
            self.enlarged.setVisible(False)
        words = self.tr("{0} · edited").format(shown.status) if shown.edited else shown.status
        self.status.setText(words)
        set_role(self.status, shown.role)
        if shown.text != self.text.toPlainText() or not self.text.busy:
            self.text.show_text(shown.text)
        self._show_parts()
        self.setVisible(True)

    def _show_current_view(self) -> None:
        shown = self._pictures[self._current]
        self.enlarged.view.set_picture(shown.image, shown.blocks, shown.text)
        self.enlarged.show_blocks.setVisible(bool(shown.blocks))

    def _show_parts(self) -> None:
        """The parts that go with a text, or with a reading that has ended."""
        some = bool(self.text.toPlainText().strip())
        self.copy.setVisible(some)
        self.give_text.setVisible(some)
        self.give_words.setVisible(some)
        shown = self._pictures.get(self._current)
        reading = shown is not None and shown.reading
        self.again.setVisible(not reading)
        self.text.setPlaceholderText("" if reading else self.tr("No text"))

    def _show_removable(self) -> None:
        self.strip.removable = self._removable
        self.strip.viewport().update()
        self.thumbnail.set_removable(self._removable, cross=len(self._pictures) == 1)

    # ---- what the user does

    def _keep_text(self, text: str) -> None:
        shown = self._pictures[self._current]
        edited = shown.edited or text != shown.text
        self._pictures[self._current] = _with_text(shown, text, edited)

    def _tell_edited(self, text: str) -> None:
        if self._current in self._pictures:
            self._pictures[self._current] = _with_text(self._pictures[self._current], text, True)
            self.text_edited.emit(self._current, text)

    def _choose_by_user(self, picture: int) -> None:
        self.choose(picture)
        self.chosen.emit(picture)

    def _select_block(self, index: int) -> None:
        part = block_range(self._pictures[self._current].blocks, index, self.text.toPlainText())
        if part is not None:
            self.text.select(*part)

    def _remove(self) -> None:
        self.remove_requested.emit(self._current)

    def _read_again(self) -> None:
        self.read_again_requested.emit(self._current)

    def _copy(self) -> None:
        self.text.tell()
        self.copy_text_requested.emit(self.text.toPlainText())

    def _focus_picture(self) -> None:
        picture = self.enlarged.view if self.is_enlarged else self.thumbnail
        picture.setFocus(Qt.FocusReason.OtherFocusReason)

    # ---- events

    def event(self, event: QEvent) -> bool:
        # Esc makes the picture smaller before it means anything to the panel.
        if event.type() == QEvent.Type.ShortcutOverride and self.is_enlarged:
            assert isinstance(event, QKeyEvent)
            if event.key() == Qt.Key.Key_Escape:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.is_enlarged:
            self.shrink()
        else:
            super().keyPressEvent(event)

    def minimumSizeHint(self) -> QSize:
        # While the buttons stand beside the switch it must still be possible to make the panel narrower.
        return QSize(_NARROWEST, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = event.size().width() >= _BESIDE
        self._below.setDirection(
            QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        )


class _Words(QLabel):
    """The words beside a switch; a click on them is one on the switch."""

    clicked = Signal()

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setWordWrap(True)
        set_role(self, "muted")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()


def _with_text(picture: PanePicture, text: str, edited: bool) -> PanePicture:
    return dataclasses.replace(picture, text=text, edited=edited)
