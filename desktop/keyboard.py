"""Where the keyboard is while buttons come and go, and what its keys press."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QPlainTextEdit, QPushButton, QTextEdit, QToolButton, QWidget


@contextmanager
def keyboard_stays(part: QWidget, refuge: Callable[[QWidget], QWidget | None]) -> Iterator[None]:
    """While what ``part`` shows changes: if what has the keyboard there goes, it moves to ``refuge(it)``.

    Qt moves it to whatever comes next in the window. It is the window's own keyboard, whether or not the
    window is the active one: a question may be open above it.
    """
    before = part.window().focusWidget()
    inside = before is not None and part.isAncestorOf(before)
    yield
    if inside and before is not None and not can_have_keyboard(before, part):
        place = refuge(before)
        if place is not None:
            place.setFocus(Qt.FocusReason.OtherFocusReason)


def can_have_keyboard(widget: QWidget, within: QWidget) -> bool:
    return widget.isVisibleTo(within) and widget.isEnabledTo(within)


def presses(event: QKeyEvent) -> bool:
    """Whether the key is Enter."""
    return event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)


def leave_paste(field: QTextEdit | QPlainTextEdit, event: QEvent) -> bool:
    """Leave the keys for pasting to whoever else wants them, where the field cannot use what is in the
    clipboard. For its ``event``, which then says that it has not used them."""
    if event.type() != QEvent.Type.ShortcutOverride:
        return False
    assert isinstance(event, QKeyEvent)
    if not event.matches(QKeySequence.StandardKey.Paste) or field.canPaste():
        return False
    event.ignore()
    return True


def press_button(window: QWidget) -> bool:
    """Press the button that has the keyboard; whether there is one. A ``QDialog`` does that for Enter."""
    button = window.focusWidget()
    if not isinstance(button, QPushButton | QToolButton) or not button.isEnabled():
        return False
    button.click()
    return True
