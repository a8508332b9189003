"""Pictures of the history, decoded off the GUI thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QImage

from core.errors import YomitoriError
from core.history import History
from desktop.worker import Bridge

Done = Callable[[QImage, YomitoriError | None], None]
"""Called in the GUI thread; the picture is null when there is none, or none that can be decoded."""


@dataclass(frozen=True)
class _Wanted:
    row: int
    most: QSize | None
    done: Done


class Pictures:
    """Decodes one picture at a time, so that the bridge's other work is not kept waiting by a long list."""

    def __init__(self, history: History, bridge: Bridge) -> None:
        self._history = history
        self._bridge = bridge
        self._waiting: deque[_Wanted] = deque()
        self._busy = False
        self._open = True

    def ask(self, row: int, done: Done, most: QSize | None = None, first: bool = False) -> None:
        """The picture of ``row``, at most ``most`` pixels large; ``first``: before those that still wait."""
        wanted = _Wanted(row, most, done)
        if first:
            self._waiting.appendleft(wanted)
        else:
            self._waiting.append(wanted)
        self._next()

    def close(self) -> None:
        """Nobody is told of anything any more."""
        self._open = False
        self._waiting.clear()

    def _next(self) -> None:
        if self._busy or not self._waiting:
            return
        self._busy = True
        wanted = self._waiting.popleft()

        def decoded(picture: QImage | None, error: YomitoriError | None) -> None:
            self._busy = False
            if self._open:
                self._next()
                wanted.done(picture or QImage(), error)

        self._bridge.run(lambda: self._decode(wanted), decoded)

    def _decode(self, wanted: _Wanted) -> QImage:
        picture, most = QImage(), wanted.most
        picture.loadFromData(QByteArray(self._history.image(wanted.row) or b""))
        if most is None or picture.isNull():
            return picture
        if picture.width() > most.width() or picture.height() > most.height():
            return picture.scaled(
                most, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
        return picture
