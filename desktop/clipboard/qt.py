"""The clipboard through Qt: X11, Windows, macOS, and Wayland while one of our windows has the focus."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QClipboard, QImage

from core.errors import BackendUnavailable, ClipboardFailed

_TRIES = 3

Done = Callable[[ClipboardFailed | None], None]
ReadBack = Callable[[Callable[[str | None], None]], None]


class QtClipboard(QObject):
    """Copies and then checks, once the event loop has turned, that the text is there.

    ``QClipboard.text()`` answers from our own copy and proves nothing. What counts is what another program
    would paste (``read_back``), or else that we still own the clipboard. On X11 owning is not enough to
    know: Qt overlooks a program that takes the clipboard within the same millisecond, and some clipboard
    managers take it over but keep our text.

    A newer ``copy`` replaces one that is still being checked; the older one's ``done`` is called all the
    same, as soon as it is replaced.

    Args:
        clipboard: Qt's clipboard.
        settle_ms: how long the desktop gets before ownership is checked and before a new try.
        read_back: asks, without waiting, what another program would paste; answers once, later.
    """

    name = "qt"

    def __init__(
        self,
        clipboard: QClipboard,
        settle_ms: int = 30,
        read_back: ReadBack | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._read_back = read_back
        self._clipboard = clipboard
        self._text = ""
        self._tries = 0
        self._done: Done | None = None
        self._timer = QTimer(self, singleShot=True, interval=settle_ms)
        self._timer.timeout.connect(self._check)

    def unavailable(self) -> BackendUnavailable | None:
        return None

    def copy(self, text: str, done: Done) -> None:
        self._finish(ClipboardFailed(reason=self.tr("a newer text took its place")))
        self._text, self._done, self._tries = text, done, 0
        self._try()

    def _try(self) -> None:
        self._tries += 1
        self._clipboard.setText(self._text)
        self._timer.start()

    def _check(self) -> None:
        if self._read_back is not None:
            done = self._done
            self._read_back(lambda text: self._compare(text, done))
        elif self._clipboard.ownsClipboard():
            self._finish(None)
        else:
            self._again()

    def _compare(self, text: str | None, done: Done | None) -> None:
        if done is not self._done:
            return  # a newer copy has begun
        if text == self._text:
            self._finish(None)
        else:
            self._again()

    def _again(self) -> None:
        if self._tries < _TRIES:
            self._try()
        else:
            self._finish(ClipboardFailed(reason=self.tr("another program holds on to it")))

    def _finish(self, result: ClipboardFailed | None) -> None:
        self._timer.stop()
        done, self._done = self._done, None
        if done is not None:
            done(result)

    def holds_image(self) -> bool:
        data = self._clipboard.mimeData()
        return data is not None and data.hasImage()

    def image(self) -> QImage | None:
        image = self._clipboard.image()
        return None if image.isNull() else image

    def hand_over(self) -> None:
        """Nothing to do: on X11 Qt passes the text to a clipboard manager (SAVE_TARGETS, at most 5 s)
        when the application object is destroyed; Windows and macOS keep the text themselves."""
