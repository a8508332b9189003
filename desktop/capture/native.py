"""Screen capture on Windows and macOS, through mss."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from PySide6.QtCore import QCoreApplication, QRect

from core.errors import BackendUnavailable, CaptureFailed
from desktop.capture.base import ScreenInfo, Shot

Grab = Callable[[Sequence[ScreenInfo], Sequence[QRect]], list[Shot]]


class NativeCapture:
    """The system's own capture, in native pixels.

    Args:
        platform: as ``sys.platform`` writes it.
        grab: takes the pictures of areas in the system's coordinates; mss unless a test says otherwise.
        may_record: macOS only, whether the user has allowed screen recording.
    """

    name = "native"

    def __init__(
        self,
        platform: str = sys.platform,
        grab: Grab | None = None,
        may_record: Callable[[], bool] | None = None,
    ) -> None:
        self._platform = platform
        self._grab = grab or _mss
        self._may_record = may_record or _macos_may_record

    def unavailable(self) -> BackendUnavailable | None:
        if self._platform in ("win32", "darwin"):
            return None
        return BackendUnavailable(
            name=QCoreApplication.translate("NativeCapture", "The system's own capture"),
            reason=QCoreApplication.translate("NativeCapture", "it exists on Windows and macOS only"),
            fix=QCoreApplication.translate("NativeCapture", "Choose Automatic in Settings."),
        )

    def grab(self, screens: Sequence[ScreenInfo]) -> list[Shot]:
        if self._platform == "darwin":
            # Without the permission macOS hands out the wallpaper alone instead of refusing.
            if not self._may_record():
                raise CaptureFailed(
                    reason=QCoreApplication.translate(
                        "NativeCapture",
                        "allow Yomitori in System Settings, Privacy & Security, Screen Recording",
                    )
                )
            # Areas are in points there, pictures in pixels.
            return self._grab(screens, [screen.geometry for screen in screens])
        return self._grab(screens, [screen.native for screen in screens])


def _mss(screens: Sequence[ScreenInfo], areas: Sequence[QRect]) -> list[Shot]:
    from desktop.capture.shots import grab_with_mss

    return grab_with_mss(screens, areas)


def _macos_may_record() -> bool:
    import ctypes

    graphics = ctypes.CDLL("/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics")
    graphics.CGPreflightScreenCaptureAccess.restype = ctypes.c_bool
    graphics.CGRequestScreenCaptureAccess.restype = ctypes.c_bool
    # Asking puts Yomitori onto the list in System Settings.
    return bool(graphics.CGPreflightScreenCaptureAccess() or graphics.CGRequestScreenCaptureAccess())
