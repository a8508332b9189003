"""Taking a picture with mss, for every platform that it serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mss
from mss.exception import ScreenShotError
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage

from core.errors import CaptureFailed
from desktop.capture.base import ScreenInfo, Shot


def grab_with_mss(screens: Sequence[ScreenInfo], areas: Sequence[QRect], **options: Any) -> list[Shot]:
    """One picture per screen, of its area in mss's own coordinates; ``options`` go to ``mss.MSS``.

    Opens and closes what it needs in the calling thread.

    Raises:
        CaptureFailed: the system refused.
    """
    try:
        with mss.MSS(**options) as camera:
            return [Shot(screen, _grab(camera, area)) for screen, area in zip(screens, areas, strict=True)]
    except (ScreenShotError, OSError) as error:
        raise CaptureFailed(reason=str(error)) from error


def _grab(camera: mss.MSS, area: QRect) -> QImage:
    picture = camera.grab({"left": area.x(), "top": area.y(), "width": area.width(), "height": area.height()})
    view = QImage(picture.raw, picture.width, picture.height, picture.width * 4, QImage.Format.Format_RGB32)
    # The copy owns its pixels; the view borrows Python's.
    return view.copy()
