"""The top of the side panel: the picture that is talked about, and the text that was read in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import SIGNAL, QEvent, QObject, QSize, Qt, Signal
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
from desktop.picture_room import Part, left_out
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
_BESIDE_ENLARGED = 364
"""From these widths on the buttons stand beside the switch; enlarged, no thumbnail takes a part of them."""
_PICTURE_SHARE = 0.3
"""The enlarged picture has at least this part of the window's height before anything else that can go."""
_LOW_LINES = 2
_LEAST_WITH_BLOCKS = 120
_LEAST_WITH_TEXT = 96
_LEAST_WITH_CONTROLS = 32
"""Logical pixels for the picture, under which these parts go."""


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
    left = Signal()
    """Esc in the enlarged view or in the text: the keyboard may go to where questions are typed. While
    nothing is connected it goes to the small picture, and Esc in the text is the panel's."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pictures: dict[int, PanePicture] = {}
        self._current = -1
        self._removable = True
        self._left_out: frozenset[str] = frozenset()
        self._low = self._tight = False
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
        self.text.textChanged.connect(self._show_status)
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
        """Show these. One that is added to those before is shown, unless the text of the current one is being
        edited; else the current one stays when it is among them, else its neighbour, else the first."""
        before = list(self._pictures)
        ids = [picture.id for picture in pictures]
        at = before.index(self._current) if self._current in before else 0
        kept = self._current in ids
        # With none of those before this is another conversation, and nothing was added.
        added = [each for each in ids if each not in before] if set(before) & set(ids) else []
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
        if added and own is None:
            current = added[-1]
        else:
            current = self._current if kept else ids[min(at, len(ids) - 1)]
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
        self._arrange()
        self.window().installEventFilter(self)
        self.enlarged.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self.thumbnail.setVisible(False)
        self.enlarged.view.fit()
        self._show_status()
        self._show_parts()
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
        self.window().removeEventFilter(self)
        self._leave_out([])
        self._show_status()
        self._show_parts()
        self._arrange()
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
        self._show_strip()
        self.thumbnail.set_picture(shown.image, shown.text)
        self._show_removable()
        if self.is_enlarged:
            self._show_current_view()
        else:
            self.thumbnail.setVisible(True)
            self.enlarged.setVisible(False)
        if shown.text != self.text.toPlainText() or not self.text.busy:
            self.text.show_text(shown.text)
        self._show_status()
        self._show_parts()
        self.setVisible(True)

    def _show_current_view(self) -> None:
        shown = self._pictures[self._current]
        self.enlarged.view.set_picture(shown.image, shown.blocks, shown.text)
        self._show_blocks_control()

    def _show_blocks_control(self) -> None:
        shown = self._pictures.get(self._current)
        some = shown is not None and bool(shown.blocks)
        self.enlarged.show_blocks.setVisible(some and "blocks" not in self._left_out)

    def _show_strip(self) -> None:
        self.strip.setVisible(len(self._pictures) > 1 and "strip" not in self._left_out)

    def _show_status(self) -> None:
        shown = self._pictures.get(self._current)
        if shown is None:
            return
        edited = shown.edited or self.text.toPlainText() != shown.text
        self.status.setText(self.tr("{0} · edited").format(shown.status) if edited else shown.status)
        set_role(self.status, shown.role)
        failed = shown.role == "bad" and "status" not in self._left_out
        self.status.setVisible(failed or self._has_room("status"))

    def _show_parts(self) -> None:
        """The parts that go with a text, or with a reading that has ended."""
        room = self._has_room("below")
        some = room and bool(self.text.toPlainText().strip())
        self.copy.setVisible(some)
        self.give_text.setVisible(some)
        self.give_words.setVisible(some)
        shown = self._pictures.get(self._current)
        reading = shown is not None and shown.reading
        # Its place is kept meanwhile: what stands below is not to jump when the reading ends.
        self.again.setVisible(room)
        self.again.setEnabled(not reading)
        self.text.setPlaceholderText("" if reading else self.tr("No text"))

    def _show_removable(self) -> None:
        self.strip.removable = self._removable
        self.strip.viewport().update()
        self.thumbnail.set_removable(self._removable, cross=len(self._pictures) == 1)

    # ---- the room in a low window

    def _arrange(self) -> None:
        beside = self.width() >= (_BESIDE_ENLARGED if self.is_enlarged else _BESIDE)
        self._below.setDirection(
            QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        )

    def _make_room(self) -> None:
        if self.is_enlarged and self._current in self._pictures:
            self._leave_out(left_out(self.height() - 6 * STEP, self._parts()))

    def _parts(self) -> list[Part]:
        """Everything but the picture, in the order in which it gives way."""
        large = self.enlarged
        shown = self._pictures[self._current]
        blocks = large.blocks_height if shown.blocks else 0
        wished = large.wish - large.controls_height - blocks - large.handle_height
        least = min(round(_PICTURE_SHARE * self.window().height()), wished)
        width = self.width() - 6 * STEP
        status = self.status.heightForWidth(width) + STEP
        low_text, text = self.text.height_with(_LOW_LINES), self.text.height_with()
        strip = self.strip.maximumHeight() + 2 * STEP if len(self._pictures) > 1 else 0
        failed = shown.role == "bad"
        return [
            Part("status", 0 if failed else status, least),
            Part("lines", text - low_text, least),
            Part("below", self._below_height(width), least),
            Part("handle", large.handle_height, least),
            Part("strip", strip, least),
            Part("blocks", blocks, min(_LEAST_WITH_BLOCKS, least)),
            # What went wrong is worth more than the other words.
            Part("status", status if failed else 0, min(_LEAST_WITH_TEXT, least)),
            Part("text", low_text + 2 * STEP, min(_LEAST_WITH_TEXT, least)),
            Part("controls", large.controls_height, _LEAST_WITH_CONTROLS),
        ]

    def _below_height(self, width: int) -> int:
        """Of the switch and the buttons, with the space above them."""
        buttons = max(self.copy.sizeHint().height(), self.again.sizeHint().height())
        some = bool(self.text.toPlainText().strip())
        if not some:
            return 0 if self._pictures[self._current].reading else buttons + STEP
        words = width - self.give_text.sizeHint().width() - 2 * STEP
        beside = self._below.direction() == QBoxLayout.Direction.LeftToRight
        if beside:
            words -= self.copy.sizeHint().width() + self.again.sizeHint().width() + 2 * STEP
        switch = max(self.give_text.sizeHint().height(), self.give_words.heightForWidth(words))
        return (max(switch, buttons) if beside else switch + STEP + buttons) + STEP

    def _leave_out(self, parts: Sequence[Part]) -> None:
        names = frozenset(part.name for part in parts)
        # The picture takes what they leave, so that what the pane asks for does not depend on it.
        inside = ("handle", "blocks", "controls")
        self.enlarged.set_extra(sum(part.height for part in parts if part.name not in inside))
        if names == self._left_out:
            return
        self._left_out = names
        # Each of these may lay out anew and come here again: what was decided last counts.
        self._limit_lines()
        self.text.setVisible("text" not in self._left_out)
        self.enlarged.handle.setVisible("handle" not in self._left_out)
        self.enlarged.controls.setVisible("controls" not in self._left_out)
        self._show_strip()
        self._show_blocks_control()
        self._show_status()
        self._show_parts()

    # ---- what the user does

    def _keep_text(self, text: str) -> None:
        shown = self._pictures[self._current]
        edited = shown.edited or text != shown.text
        self._pictures[self._current] = _with_text(shown, text, edited)

    def _tell_edited(self, text: str) -> None:
        if self._current in self._pictures:
            self._pictures[self._current] = _with_text(self._pictures[self._current], text, True)
            self._show_status()
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
        # Esc makes the picture smaller, or leaves the text, before it means anything to the panel.
        if event.type() == QEvent.Type.ShortcutOverride and self._can_leave:
            assert isinstance(event, QKeyEvent)
            if event.key() == Qt.Key.Key_Escape:
                event.accept()
                return True
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._make_room()
        return done

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The picture's part of the window changes also while the pane itself keeps its size.
        if event.type() == QEvent.Type.Resize:
            self.enlarged.updateGeometry()
        return super().eventFilter(watched, event)

    @property
    def _can_leave(self) -> bool:
        return self.is_enlarged or (self.text.hasFocus() and self.receivers(SIGNAL("left()")) > 0)

    def set_low(self, low: bool) -> None:
        """Whether the window is so low that a long text has to scroll after a few lines."""
        if low != self._low:
            self._low = low
            self._limit_lines()

    def set_tight(self, tight: bool) -> None:
        """Whether something else needs the room of what says who read the text, and of the switch and the
        buttons below it."""
        if tight != self._tight:
            self._tight = tight
            self._show_status()
            self._show_parts()

    def _has_room(self, part: str) -> bool:
        # The enlarged picture decides for itself what gives way.
        return part not in self._left_out and (self.is_enlarged or not self._tight)

    def _limit_lines(self) -> None:
        few = self._low or "lines" in self._left_out
        self.text.limit_lines(*([_LOW_LINES] if few else []))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._can_leave:
            self.shrink()
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def minimumSizeHint(self) -> QSize:
        # While the buttons stand beside the switch it must still be possible to make the panel narrower.
        return QSize(_NARROWEST, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
        self._make_room()


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
