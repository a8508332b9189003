"""From a frozen screen to the pixels an engine reads."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QPainter

from core.types import RgbImage
from desktop.capture.base import Shot


def crop(shot: Shot, rect: QRect) -> RgbImage:
    """The part of ``shot`` inside ``rect``, in pixels of ``shot.image`` (0, 0 is its upper left corner).

    What lies outside the image is cut off.

    Raises:
        ValueError: nothing of the rectangle lies on the image.
    """
    inside = rect.intersected(shot.image.rect())
    if inside.isEmpty():
        raise ValueError(f"{rect} is outside the screen {shot.screen.name}")
    return to_rgb(shot.image.copy(inside))


def to_rgb(image: QImage) -> RgbImage:
    """The same picture as packed RGB rows. Pixels that shine through are laid over white."""
    if image.hasAlphaChannel():
        white = QImage(image.size(), QImage.Format.Format_RGB32)
        white.fill(0xFFFFFFFF)
        painter = QPainter(white)
        painter.drawImage(QRect(0, 0, white.width(), white.height()), image)
        painter.end()
        image = white
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    width, height, stride = plain.width() * 3, plain.height(), plain.bytesPerLine()
    # Qt pads each row to a multiple of four bytes.
    rows = memoryview(plain.constBits())
    if stride == width:
        data = bytes(rows[: width * height])
    else:
        data = b"".join(rows[y * stride : y * stride + width] for y in range(height))
    return RgbImage(plain.width(), height, data)
