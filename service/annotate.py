"""Draws what was read onto the picture: boxes, and numbers in reading order."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from core.errors import StorageError
from core.types import Direction, OcrResult, RgbImage

_COLOURS = {Direction.VERTICAL: (31, 95, 139), Direction.HORIZONTAL: (44, 110, 63)}
_FURIGANA = (154, 75, 0)


def annotate(image: RgbImage, result: OcrResult, path: Path) -> None:
    """Write ``image`` with its blocks, lines, furigana and their order to ``path``.

    Raises:
        StorageError: the file cannot be written, or its suffix names no picture format.
    """
    picture = Image.frombytes("RGB", (image.width, image.height), image.data)
    draw = ImageDraw.Draw(picture)
    stroke = max(2, round(max(picture.size) / 600))
    font = ImageFont.load_default(size=max(14, round(max(picture.size) / 50)))
    for number, block in enumerate(result.blocks, 1):
        colour = _COLOURS[block.direction]
        for line in block.lines:
            box = line.box
            draw.rectangle((box.x, box.y, box.right, box.bottom), outline=colour, width=1)
            for ruby in line.furigana:
                box = ruby.box
                draw.rectangle((box.x, box.y, box.right, box.bottom), outline=_FURIGANA, width=1)
        box = block.box
        draw.rectangle((box.x, box.y, box.right, box.bottom), outline=colour, width=stroke)
        # Above the box, so that it hides no character; inside when there is no room above.
        foot = box.y - stroke - 4
        left, top, right, bottom = draw.textbbox((box.x, foot), str(number), font=font, anchor="lb")
        up = max(0, -(top - 4))
        draw.rectangle((left - 4, top - 4 + up, right + 4, bottom + 4 + up), fill=colour)
        draw.text((box.x, foot + up), str(number), font=font, anchor="lb", fill="white")
    try:
        picture.save(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StorageError(path=path, reason=reason) from error
