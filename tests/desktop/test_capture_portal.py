"""Capture through the Screenshot portal (a portal of our own), and cutting its picture into screens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QColor, QImage, QPainter

from core.errors import CaptureFailed
from desktop.capture.base import ScreenInfo
from desktop.capture.portal import PortalCapture, cut_screens
from tests.support.bus import FakePortal, PrivateBus

INTERFACE = "org.freedesktop.portal.Screenshot"
COLORS = ["#ff0000", "#00ff00", "#0000ff"]
pytestmark = pytest.mark.usefixtures("qapp")


def screen(name: str, geometry: QRect, scale: float) -> ScreenInfo:
    return ScreenInfo(name, geometry, scale, QRect(geometry.topLeft(), geometry.size() * scale))


def desktop(screens: list[ScreenInfo], factor: float) -> QImage:
    """A picture of the whole desktop, each screen in a colour of its own."""
    bounds = QRect()
    for each in screens:
        bounds = bounds.united(each.geometry)
    picture = QImage(bounds.size() * factor, QImage.Format.Format_RGB32)
    picture.fill(QColor("white"))
    painter = QPainter(picture)
    painter.scale(factor, factor)
    painter.translate(-bounds.topLeft())
    for each, color in zip(screens, COLORS, strict=False):
        painter.fillRect(each.geometry, QColor(color))
    painter.end()
    return picture


@given(
    origin=st.tuples(st.integers(-200, 200), st.integers(-200, 200)),
    sizes=st.lists(st.tuples(st.integers(20, 120), st.integers(20, 120)), min_size=1, max_size=3),
    scales=st.lists(st.sampled_from([1.0, 2.0]), min_size=3, max_size=3),
    factor=st.sampled_from([1.0, 1.5, 2.0]),
)
def test_every_screen_gets_its_own_part(
    origin: tuple[int, int], sizes: list[tuple[int, int]], scales: list[float], factor: float
) -> None:
    """Given any row of screens and a common factor, then each shot shows its screen and nothing else."""
    screens, x = [], origin[0]
    for index, ((width, height), scale) in enumerate(zip(sizes, scales, strict=False)):
        screens.append(screen(f"S{index}", QRect(x, origin[1] + index * 3, width, height), scale))
        x += width
    picture = desktop(screens, factor)
    native = QRect()
    for each in screens:
        native = native.united(each.native)
    # Two readings of one size: a layout that no desktop has.
    assume(native.size() != picture.size() or all(s.scale == factor for s in screens))
    for shot, color in zip(cut_screens(picture, screens), COLORS, strict=False):
        assert abs(shot.image.width() - shot.screen.geometry.width() * factor) <= 1
        assert abs(shot.image.height() - shot.screen.geometry.height() * factor) <= 1
        inner = shot.image.rect().adjusted(1, 1, -2, -2)
        for point in (inner.topLeft(), inner.center(), inner.bottomRight()):
            assert shot.image.pixelColor(point).name() == color


def test_native_pixels_on_x11_at_scale_2() -> None:
    """Given Qt's X11 geometry (native origins, halved sizes), then the native places are taken."""
    screens = [screen("A", QRect(0, 0, 100, 50), 2), screen("B", QRect(200, 0, 60, 50), 2)]
    picture = QImage(320, 100, QImage.Format.Format_RGB32)
    picture.fill(QColor("#ff0000"))
    painter = QPainter(picture)
    painter.fillRect(QRect(200, 0, 120, 100), QColor("#00ff00"))
    painter.end()
    first, second = cut_screens(picture, screens)
    assert (first.image.size(), second.image.size()) == (QSize(200, 100), QSize(120, 100))
    assert second.image.pixelColor(QPoint(0, 0)).name() == "#00ff00"


def test_a_picture_of_something_else_is_refused() -> None:
    with pytest.raises(CaptureFailed, match="whole desktop"):
        cut_screens(QImage(100, 30, QImage.Format.Format_RGB32), [screen("A", QRect(0, 0, 100, 50), 1)])


# --- the portal -----------------------------------------------------------------------------------------

Response = Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]] | None]
SCREENS = [screen("A", QRect(0, 0, 64, 48), 2), screen("B", QRect(64, 0, 32, 48), 1)]


@pytest.fixture
def bus() -> Iterator[PrivateBus]:
    with PrivateBus() as running:
        yield running


def portal(bus: PrivateBus, response: Response) -> FakePortal:
    return FakePortal(bus.address, (INTERFACE,), {f"{INTERFACE}.Screenshot": response})


@pytest.mark.dbus
def test_the_picture_is_cut_and_its_file_deleted(bus: PrivateBus, tmp_path: Path) -> None:
    file = tmp_path / "画面 1.png"
    assert desktop(SCREENS, 2).save(str(file))
    uri = "file://" + quote(str(file))
    with portal(bus, lambda parent, options: (0, {"uri": ("s", uri)})) as fake:
        backend = PortalCapture(bus.address)
        assert backend.unavailable() is None
        shots = backend.grab(SCREENS)
        calls = fake.called(f"{INTERFACE}.Screenshot")
    assert [shot.image.size() for shot in shots] == [QSize(128, 96), QSize(64, 96)]
    assert [shot.image.pixelColor(5, 5).name() for shot in shots] == COLORS[:2]
    assert shots[1].screen.native.size() == QSize(64, 96)
    assert not file.exists()
    assert calls[0][1]["interactive"] == ("b", False)


@pytest.mark.dbus
def test_a_desktop_that_insists_on_asking_may_ask(bus: PrivateBus, tmp_path: Path) -> None:
    file = tmp_path / "shot.png"
    assert desktop(SCREENS, 1).save(str(file))

    def response(parent: str, options: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return (0, {"uri": ("s", f"file://{file}")}) if options["interactive"][1] else (2, {})

    with portal(bus, response):
        assert len(PortalCapture(bus.address).grab(SCREENS)) == 2


@pytest.mark.dbus
@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ((1, {}), "it was declined"),
        ((2, {}), "the desktop ended the request"),
        ((0, {}), "the desktop gave no picture"),
        ((0, {"uri": ("s", "file:///nonexistent/x.png")}), "cannot be read"),
        (None, "no answer came in time"),
    ],
)
def test_what_goes_wrong_is_told(bus: PrivateBus, response: Any, reason: str) -> None:
    with portal(bus, lambda parent, options: response) as fake:
        with pytest.raises(CaptureFailed, match=reason):
            PortalCapture(bus.address, limit=0.2).grab(SCREENS)
        closed = fake.called("org.freedesktop.portal.Request.Close")
    assert bool(closed) == (response is None)


@pytest.mark.dbus
def test_no_portal_and_no_bus_are_told(bus: PrivateBus) -> None:
    problem = PortalCapture(bus.address).unavailable()
    assert problem is not None
    assert "xdg-desktop-portal" in problem.advice
    with pytest.raises(CaptureFailed):
        PortalCapture(bus.address).grab(SCREENS)
    with pytest.raises(CaptureFailed, match="cannot be reached"):
        PortalCapture("unix:path=/nonexistent").grab(SCREENS)
