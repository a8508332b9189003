"""The picture that somebody copied, if it is one that can be taken."""

from __future__ import annotations

from PySide6.QtGui import QImage

from core.errors import NothingInClipboard
from core.images import MAX_PIXELS, too_large
from desktop.clipboard.base import ClipboardBackend


def picture_in(clipboard: ClipboardBackend) -> QImage:
    """What is in the clipboard now.

    Raises:
        NothingInClipboard: no picture.
        ImageTooLarge: one with more pixels than can be read.
    """
    image = clipboard.image()
    if image is None or image.isNull():
        raise NothingInClipboard()
    if image.width() * image.height() > MAX_PIXELS:
        raise too_large("The picture in the clipboard", image.width(), image.height())
    return image
