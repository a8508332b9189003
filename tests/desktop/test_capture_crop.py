"""Cutting the selected part out of a frozen screen, and describing screens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QImage

from desktop.capture.base import ScreenInfo, Shot
from desktop.capture.crop import crop, to_rgb
from desktop.capture.x11 import match_monitor

FORMATS = [
    QImage.Format.Format_RGB32,
    QImage.Format.Format_ARGB32,
    QImage.Format.Format_ARGB32_Premultiplied,
    QImage.Format.Format_RGB888,
    QImage.Format.Format_RGBX8888,
]


def coordinate_picture(width: int, height: int, fmt: QImage.Format) -> QImage:
    """Each pixel tells where it is: red is x, green is y."""
    image = QImage(width, height, fmt)
    for y in range(height):
        for x in range(width):
            image.setPixelColor(x, y, QColor(x, y, 200))
    return image


def shot_of(image: QImage) -> Shot:
    return Shot(ScreenInfo("test", QRect(QPoint(1920, 56), image.size()), 1.0, image.rect()), image)


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    rect=st.tuples(st.integers(-10, 45), st.integers(-10, 45), st.integers(1, 60), st.integers(1, 60)),
    fmt=st.sampled_from(FORMATS),
)
def test_exactly_the_pixels_of_the_rectangle(
    size: tuple[int, int], rect: tuple[int, int, int, int], fmt: QImage.Format
) -> None:
    """Given any picture and rectangle, then the crop is their overlap, pixel by pixel, without padding."""
    shot, wanted = shot_of(coordinate_picture(*size, fmt)), QRect(*rect)
    inside = wanted.intersected(shot.image.rect())
    if inside.isEmpty():
        with pytest.raises(ValueError, match="outside the screen"):
            crop(shot, wanted)
        return
    cut = crop(shot, wanted)
    assert (cut.width, cut.height) == (inside.width(), inside.height())
    expected = b"".join(
        bytes((x, y, 200))
        for y in range(inside.top(), inside.bottom() + 1)
        for x in range(inside.left(), inside.right() + 1)
    )
    assert cut.data == expected


def test_transparent_pictures_are_laid_over_white() -> None:
    image = QImage(3, 1, QImage.Format.Format_ARGB32)
    for x, color in enumerate([QColor(0, 0, 0, 0), QColor(0, 0, 0, 255), QColor(255, 0, 0, 255)]):
        image.setPixelColor(x, 0, color)
    assert to_rgb(image).data == bytes((255, 255, 255, 0, 0, 0, 255, 0, 0))


@given(
    native=st.tuples(st.integers(100, 8000), st.integers(100, 8000)),
    scale=st.sampled_from([1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0]),
)
def test_rounded_sizes_find_their_monitor(native: tuple[int, int], scale: float) -> None:
    """Given any scale, when Qt has rounded a screen's size, then its exact monitor is found again."""
    monitor = QRect(1920, 56, *native)
    logical = QRect(1920, 56, round(native[0] / scale), round(native[1] / scale))
    about = QRect(1920, 56, round(logical.width() * scale), round(logical.height() * scale))
    screen = ScreenInfo("M", logical, scale, about)
    others = [QRect(0, 0, *native), QRect(1920, 56, native[0] // 2, native[1])]
    assert match_monitor(screen, [*others, monitor]) == monitor


def test_a_screen_without_its_monitor_keeps_what_qt_said() -> None:
    screen = ScreenInfo("M", QRect(0, 0, 100, 100), 1.0, QRect(0, 0, 100, 100))
    assert match_monitor(screen, [QRect(5, 0, 100, 100)]) == screen.native
