"""The quick prompts over the question: buttons in at most two rows, the others in a menu."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from desktop.key_button import KeyButton
from desktop.keyboard import keyboard_stays
from desktop.pointer import forget_pointer
from desktop.theme import STEP, Theme

_KEYS = 9
_ROWS = 2
_WIDEST = 55 * STEP
_SPACING = 6


class PromptChips(QWidget):
    """The first nine have Alt+1 to Alt+9, which work in the whole window while this is shown.

    It takes the height that it needs at the width it is given, and is hidden without prompts.
    """

    chosen = Signal(int)
    """Which prompt, from 0."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._usable = True
        self._folded = False
        self.chips: list[KeyButton] = []
        # Keeps the place of the chips in the order of Tab, which new ones would else come last in.
        self._first = QWidget(self)
        self._first.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._first.hide()
        self.more = KeyButton(theme, "⋯", "", True, self)
        self.more.setAccessibleName(self.tr("More prompts"))
        self.more.setToolTip(self.tr("More prompts"))
        self.more.clicked.connect(self._open_menu)
        self.more.hide()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._shortcuts = [QShortcut(self) for _ in range(_KEYS)]
        # All of them all the time: a key that does nothing now should not write a digit instead.
        for index, shortcut in enumerate(self._shortcuts):
            shortcut.setKey(_sequence(index))
            shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
            shortcut.setAutoRepeat(False)
            shortcut.activated.connect(partial(self._choose, index))
        self.hide()

    def set_prompts(self, titles: Sequence[str]) -> None:
        """Show these prompts; any number, of any length."""
        titles = [" ".join(title.split()) for title in titles]
        if titles == [chip.title for chip in self.chips]:
            return
        with keyboard_stays(self, self._refuge):
            for chip in self.chips:
                chip.hide()
            gone, self.chips = self.chips, [self._make(*numbered) for numbered in enumerate(titles)]
            self.setVisible(bool(titles))
            self._place()
        for chip in gone:
            chip.deleteLater()
        for before, after in pairwise((self._first, *self.chips, self.more)):
            QWidget.setTabOrder(before, after)

    def set_usable(self, on: bool) -> None:
        """Whether one can be chosen now."""
        self._usable = on
        for button in (*self.chips, self.more):
            button.setEnabled(on)

    def set_folded(self, on: bool) -> None:
        """Whether to take no room, while none can be chosen anyway."""
        if on != self._folded:
            self._folded = on
            self._place()

    def _make(self, index: int, title: str) -> KeyButton:
        has_key = index < _KEYS
        chip = KeyButton(self._theme, title, str(index + 1) if has_key else "", True, self)
        chip.setMaximumWidth(_WIDEST)
        key = _key_name(index)
        chip.setAccessibleName(f"{title}, {key}" if has_key else title)
        chip.setToolTip(f"{title} ({key})" if has_key else title)
        chip.setEnabled(self._usable)
        chip.clicked.connect(partial(self._choose, index))
        return chip

    def _refuge(self, _: QWidget) -> QWidget | None:
        return next((chip for chip in self.chips if chip.isVisibleTo(self)), None)

    def _choose(self, index: int, _checked: bool = False) -> None:
        if self._usable and index < len(self.chips):
            self.chosen.emit(index)

    def _open_menu(self) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.aboutToHide.connect(partial(forget_pointer, self.more))
        menu.popup(self.more.mapToGlobal(QPoint(0, self.more.height())))

    def menu(self) -> QMenu:
        """A new menu with the prompts that have no chip."""
        menu = QMenu(self)
        for index, chip in enumerate(self.chips):
            if not chip.isVisibleTo(self):
                # The key is only written there: a second shortcut would make both ambiguous.
                key = f"\t{_key_name(index)}" if index < _KEYS else ""
                menu.addAction(chip.title.replace("&", "&&") + key, partial(self._choose, index))
        return menu

    # ---- places

    def _place(self) -> None:
        """Put what fits into the rows; the last place is for the menu if not all do."""
        with keyboard_stays(self, lambda _: self.more):
            shown = 0 if self._folded else self._fitting(0)
            if shown < len(self.chips) and not self._folded:
                shown = self._fitting(self.more.sizeHint().width() + _SPACING)
            all_shown = shown == len(self.chips)
            spots, rows = self._spots(shown, 0)
            for position, chip in enumerate(self.chips):
                before = chip.geometry() if chip.isVisibleTo(self) else None
                if position < shown:
                    left, row = spots[position]
                    chip.setGeometry(left, self._top(row), self._width(chip), chip.sizeHint().height())
                chip.setVisible(position < shown)
                if before != chip.geometry() and chip.underMouse():
                    # It has left the pointer, not the pointer it: Qt tells nobody before that moves.
                    forget_pointer(chip)
            self.more.setVisible(not all_shown and not self._folded)
            if not all_shown:
                last = self.chips[shown - 1] if shown else None
                left = last.geometry().right() + 1 + _SPACING if last is not None else 0
                size = self.more.sizeHint()
                self.more.setGeometry(left, self._top(rows - 1), size.width(), size.height())
        self.setFixedHeight(self._top(rows) - _SPACING if self.chips and not self._folded else 0)

    def _fitting(self, reserve: int) -> int:
        """How many chips have a place when ``reserve`` pixels of the last row are kept free."""
        return len(self._spots(len(self.chips), reserve)[0])

    def _spots(self, count: int, reserve: int) -> tuple[list[tuple[int, int]], int]:
        """For each of the first ``count`` chips that fit its left edge and row; and the number of rows."""
        spots: list[tuple[int, int]] = []
        left, row = 0, 0
        for chip in self.chips[:count]:
            width = self._width(chip)
            if left and left + width > self._limit(row, reserve):
                left, row = 0, row + 1
            if row == _ROWS or left + width > self._limit(row, reserve):
                break
            spots.append((left, row))
            left += width + _SPACING
        return spots, min(row, _ROWS - 1) + 1

    def _limit(self, row: int, reserve: int) -> int:
        return self.width() - (reserve if row == _ROWS - 1 else 0)

    def _width(self, chip: KeyButton) -> int:
        # Narrower than the whole row, so that the menu always has a place beside it.
        most = self.width() - self.more.sizeHint().width() - _SPACING
        return max(1, min(chip.sizeHint().width(), _WIDEST, most))

    def _top(self, row: int) -> int:
        return row * (self.more.sizeHint().height() + _SPACING)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._place()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._place()


def _sequence(index: int) -> QKeySequence:
    return QKeySequence(f"Alt+{index + 1}")


def _key_name(index: int) -> str:
    return _sequence(index).toString(QKeySequence.SequenceFormat.NativeText)
