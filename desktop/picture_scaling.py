"""Smaller copies of a picture, made in moments that are too short to be felt, however large it is."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter

_AT_ONCE = 2_000_000
"""Pixels that are averaged in a few milliseconds, whatever the format."""
_STRIP = 500_000
"""Pixels of a smaller copy that one step makes: 3 to 8 ms."""
_SMALLEST = 256


def thumbnail(image: QImage, most: QSize, ratio: float) -> QImage:
    """A copy of at most ``most`` logical pixels with ``ratio`` device pixels each, never enlarged.

    Of a large picture only every nth pixel is looked at, at least 9 for each of the copy.
    """
    if image.isNull():
        return QImage()
    size = image.size().scaled(most * ratio, Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(1, 1))
    if size.width() > image.width() * ratio:
        size = (image.size() * ratio).expandedTo(QSize(1, 1))
    if image.width() * image.height() > _AT_ONCE and size.width() * 3 < image.width():
        image = image.scaled(size * 3, mode=Qt.TransformationMode.FastTransformation)
    small = image.scaled(size, mode=Qt.TransformationMode.SmoothTransformation)
    small.setDevicePixelRatio(ratio)
    return small


class Levels:
    """A picture at its own size, at a half, a quarter and so on.

    Drawing a reduced picture smoothly takes as few pixels as there are on the screen when it starts from the
    copy that is next larger. ``step`` makes the copies strip by strip; call it until it answers False.
    """

    def __init__(self, image: QImage) -> None:
        self._levels = [image]
        self._growing: QImage | None = None
        self._done = 0

    @property
    def sizes(self) -> list[QSize]:
        """Those that are ready, in pixels, the picture's own first."""
        return [level.size() for level in self._levels]

    def step(self) -> bool:
        """Make one strip of what is missing; False when nothing is."""
        last = self._levels[-1]
        if self._growing is None:
            if max(last.width(), last.height()) < 2 * _SMALLEST or min(last.width(), last.height()) < 2:
                return False
            form = (
                QImage.Format.Format_ARGB32_Premultiplied
                if last.hasAlphaChannel()
                else QImage.Format.Format_RGB32
            )
            self._growing = QImage(last.width() // 2, last.height() // 2, form)
            self._done = 0
        part = self._growing
        rows = min(max(1, _STRIP // part.width()), part.height() - self._done)
        painter = QPainter(part)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        # At exactly a half, each pixel is the mean of four.
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(
            QRectF(0, self._done, part.width(), rows),
            last,
            QRectF(0, 2 * self._done, 2 * part.width(), 2 * rows),
        )
        painter.end()
        self._done += rows
        if self._done == part.height():
            self._levels.append(part)
            self._growing = None
        return True

    def draw(self, painter: QPainter, target: QRectF, scale: float, visible: QRectF) -> None:
        """Draw all of the picture that lies in ``visible`` so that the whole of it fills ``target``.

        ``scale``: device pixels for each pixel of the picture. Until a copy is there that is small enough,
        lines may be missing.
        """
        level = self._levels[0]
        for smaller in self._levels[1:]:
            if smaller.width() < self._levels[0].width() * scale:
                break
            level = smaller
        part = target.intersected(visible)
        if part.isEmpty() or level.isNull():
            return
        across, down = level.width() / target.width(), level.height() / target.height()
        source = QRectF(
            (part.left() - target.left()) * across,
            (part.top() - target.top()) * down,
            part.width() * across,
            part.height() * down,
        )
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(part, level, source)
