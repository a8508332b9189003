"""Pictures of the history, decoded off the GUI thread."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QImage, QPixmap

from core.errors import YomitoriError
from core.history import History
from desktop.worker import Bridge

_KEPT_THUMBNAILS = 200
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


class Thumbnails:
    """Small pictures, by their ids, that are decoded when a view asks for them; the last used ones are kept.

    ``most`` is their size in logical pixels, ``scale`` how many device pixels each has. ``arrived`` hears in
    the GUI thread of one that is there now, with what went wrong.
    """

    def __init__(
        self, pictures: Pictures, most: QSize, arrived: Callable[[int, YomitoriError | None], None]
    ) -> None:
        self._pictures = pictures
        self._most = most
        self._arrived = arrived
        self.kept: OrderedDict[int, QPixmap] = OrderedDict()
        self._asked: set[int] = set()
        self.scale = 1.0

    def get(self, picture: int) -> QPixmap | None:
        """The picture, or None until it has been decoded."""
        if picture in self.kept:
            self.kept.move_to_end(picture)
            return self.kept[picture]
        if picture not in self._asked:
            self._asked.add(picture)
            self._pictures.ask(picture, partial(self._keep, picture), self._most * self.scale)
        return None

    def _keep(self, picture: int, image: QImage, error: YomitoriError | None) -> None:
        self._asked.discard(picture)
        pixmap = QPixmap.fromImage(image)
        pixmap.setDevicePixelRatio(self.scale)
        self.kept[picture] = pixmap
        while len(self.kept) > _KEPT_THUMBNAILS:
            self.kept.popitem(last=False)
        self._arrived(picture, error)
