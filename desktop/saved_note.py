"""Where a file was written, with the way to it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QDesktopServices
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.keyboard import keyboard_stays
from desktop.texts import breakable
from desktop.theme import STEP, set_kind, set_role

_STAYS_MS = 30_000


class SavedNote(QFrame):
    """Takes no room while there is nothing to tell. It goes after a while, unless it is being used."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder = Path()
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.show_folder = QPushButton(self.tr("Show the folder"))
        set_kind(self.show_folder, "ghost")
        self.show_folder.clicked.connect(self._open_folder)
        self.done = QPushButton("×")
        self.done.setAccessibleName(self.tr("Dismiss"))
        self.done.setToolTip(self.tr("Dismiss"))
        set_kind(self.done, "icon")
        self.done.clicked.connect(self.forget)
        for button in (self.show_folder, self.done):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        line = QFrame()
        set_role(line, "line")
        row = QHBoxLayout()
        row.setContentsMargins(4 * STEP, 2 * STEP, 2 * STEP, 3 * STEP)
        row.setSpacing(STEP)
        row.addWidget(self.text, 1)
        row.addWidget(self.show_folder)
        row.addWidget(self.done)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(line)
        column.addLayout(row)
        self._going = QTimer(self, singleShot=True, interval=_STAYS_MS)
        self._going.timeout.connect(self._go)
        self.hide()

    def tell(self, file: Path) -> None:
        """``file`` was written."""
        self._folder = file.parent
        text = self.tr("Exported to {0}").format(file)
        self.text.setText(breakable(text))
        self.text.setToolTip(str(file))
        self.show()
        self._going.start()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def forget(self) -> None:
        self._going.stop()
        with keyboard_stays(self, lambda _: self.window()):
            self.hide()

    def _go(self) -> None:
        if self.underMouse() or self.isAncestorOf(self.window().focusWidget() or self.window()):
            self._going.start()
        else:
            self.forget()

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))
