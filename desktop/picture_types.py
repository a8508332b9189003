"""What the side panel knows of a picture."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QImage

from core.types import TextBlock


@dataclass(frozen=True)
class PanePicture:
    """A picture and what was read in it; ``blocks`` are in pixels of ``image``.

    ``text`` is what the user made of it when ``edited``. ``status`` is one sentence ("Text read by MangaOCR")
    in the colour of ``role``, a role of ``desktop.theme``. ``reading``: the text is still to come.
    """

    id: int
    image: QImage
    text: str
    edited: bool
    blocks: tuple[TextBlock, ...]
    status: str
    role: str = "muted"
    reading: bool = False


def alt_text(image: QImage) -> str:
    """What a screen reader calls a picture."""
    words = QCoreApplication.translate("PicturePane", "Picture, {width} × {height} pixels")
    return words.format(width=image.width(), height=image.height())
