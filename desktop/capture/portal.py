"""Screen capture through the desktop's Screenshot portal."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from PySide6.QtCore import QCoreApplication, QPoint, QRect, QSize
from PySide6.QtGui import QImage

from core.errors import BackendUnavailable, CaptureFailed
from desktop.capture.base import ScreenInfo, Shot
from desktop.portal import Bus, BusError, Denied, portal_problem

log = logging.getLogger(__name__)

_INTERFACE = "org.freedesktop.portal.Screenshot"
_REFUSED = 1


class PortalCapture:
    """One picture of the whole desktop, cut into its screens. The file it leaves behind is deleted.

    Args:
        address: the session bus, None for the user's own.
        limit: seconds until the desktop has to answer; a denial may never come.
        dialog_limit: seconds for the user's answer when the desktop insists on asking.
    """

    name = "portal"

    def __init__(self, address: str | None = None, limit: float = 10, dialog_limit: float = 60) -> None:
        self._address = address
        self._limit = limit
        self._dialog_limit = dialog_limit

    def unavailable(self) -> BackendUnavailable | None:
        reason = portal_problem(_INTERFACE, self._address)
        if reason is None:
            return None
        fix = QCoreApplication.translate(
            "PortalCapture",
            "Install xdg-desktop-portal and the backend of your desktop, such as xdg-desktop-portal-gnome.",
        )
        return BackendUnavailable(
            name=QCoreApplication.translate("PortalCapture", "The desktop's screenshot portal"),
            reason=reason,
            fix=fix,
        )

    def grab(self, screens: Sequence[ScreenInfo]) -> list[Shot]:
        try:
            with Bus(self._address) as bus:
                bus.register()
                picture = self._take(self._ask(bus))
        except Denied as denied:
            reason = (
                QCoreApplication.translate("PortalCapture", "it was declined")
                if denied.code == _REFUSED
                else QCoreApplication.translate("PortalCapture", "the desktop ended the request")
            )
            raise CaptureFailed(reason=reason) from denied
        except BusError as error:
            raise CaptureFailed(reason=str(error)) from error
        return cut_screens(picture, screens)

    def _ask(self, bus: Bus) -> str:
        """The address of the file; first without a dialog, which some desktops refuse."""
        member, signature = f"{_INTERFACE}.Screenshot", "sa{sv}"
        try:
            answer = bus.request(member, signature, ("",), {"interactive": ("b", False)}, self._limit)
        except Denied as denied:
            if denied.code == _REFUSED:
                raise
            answer = bus.request(member, signature, ("",), {"interactive": ("b", True)}, self._dialog_limit)
        return str(answer.get("uri", ""))

    @staticmethod
    def _take(uri: str) -> QImage:
        parts = urlsplit(uri)
        if parts.scheme != "file":
            raise CaptureFailed(
                reason=QCoreApplication.translate("PortalCapture", "the desktop gave no picture")
            )
        file = Path(unquote(parts.path))
        picture = QImage(str(file))
        try:
            file.unlink()
        except OSError as error:
            log.warning("the desktop's screenshot %s could not be deleted: %s", file, error.strerror)
        if picture.isNull():
            raise CaptureFailed(
                reason=QCoreApplication.translate(
                    "PortalCapture", "the picture of the desktop cannot be read"
                )
            )
        picture.setDevicePixelRatio(1)
        return picture


def cut_screens(picture: QImage, screens: Sequence[ScreenInfo]) -> list[Shot]:
    """The part of a picture of the whole desktop that each screen shows.

    The picture covers the bounding box of all screens, either in native pixels or in logical ones times
    a common factor (the largest scale, on most desktops).

    Raises:
        CaptureFailed: its shape is that of neither, so it shows something else.
    """
    native = _bounds([screen.native for screen in screens])
    if native.size() == picture.size():
        return [_cut(picture, s, s.native.translated(-native.topLeft())) for s in screens]
    logical = _bounds([screen.geometry for screen in screens])
    wide = logical.width() >= logical.height()
    factor = picture.width() / logical.width() if wide else picture.height() / logical.height()
    for found, expected in ((picture.width(), logical.width()), (picture.height(), logical.height())):
        if abs(found - expected * factor) > max(2, 0.01 * found):
            raise CaptureFailed(
                reason=QCoreApplication.translate(
                    "PortalCapture", "the picture does not show the whole desktop"
                )
            )
    shots = []
    for screen in screens:
        place = screen.geometry.translated(-logical.topLeft())
        corners = [
            QPoint(round(x * factor), round(y * factor))
            for x, y in (
                (place.x(), place.y()),
                (place.x() + place.width(), place.y() + place.height()),
            )
        ]
        size = corners[1] - corners[0]
        shots.append(_cut(picture, screen, QRect(corners[0], QSize(size.x(), size.y()))))
    return shots


def _bounds(rects: Sequence[QRect]) -> QRect:
    union = QRect()
    for rect in rects:
        union = union.united(rect)
    return union


def _cut(picture: QImage, screen: ScreenInfo, place: QRect) -> Shot:
    image = picture.copy(place).convertToFormat(QImage.Format.Format_RGB32)
    return Shot(replace(screen, native=QRect(screen.native.topLeft(), image.size())), image)
