"""The stored crops of ``tiny-manga-ocr``'s lexicon, none of which it was trained on.

``tests/data/manga/crops.png`` holds them side by side, ``crops.json`` says where and what they are;
``python -m tests.models.draw_manga_crops`` makes both.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageChops

from core.types import Box, Direction, RgbImage

FOLDER = Path(__file__).resolve().parent.parent / "data" / "manga"
CATEGORIES = ("plain", "drawn-out", "pair", "piece")
"""Phrases as they were learnt; sounds that no_repeat_ngram_size=3 breaks; two phrases in one block, and the
lines that phrases break into."""


@dataclass(frozen=True, slots=True)
class Crop:
    """``drawn`` is what the picture shows, ``text`` what MangaOCR's post-processing makes of it."""

    name: str
    image: RgbImage
    text: str
    direction: Direction
    category: str
    face: str
    drawn: str


def load_crops(category: str = "") -> list[Crop]:
    """All stored crops in their order, or those of one of ``CATEGORIES``."""
    entries = json.loads((FOLDER / "crops.json").read_text(encoding="utf-8"))
    with Image.open(FOLDER / "crops.png") as opened:
        sheet = opened.convert("L")
    return [
        Crop(
            name=entry["name"],
            image=_cut(sheet, Box.from_json(entry["box"])),
            text=entry["text"],
            direction=Direction(entry["direction"]),
            category=entry["category"],
            face=entry["face"],
            drawn=entry["drawn"],
        )
        for entry in entries
        if category in ("", entry["category"])
    ]


def pillow(image: RgbImage) -> Image.Image:
    """The image for code that takes Pillow's."""
    return Image.frombytes("RGB", (image.width, image.height), image.data)


def inverted(crop: Crop) -> Crop:
    """The crop in negative, as white lettering on black; the model was shown none."""
    image = ImageChops.invert(pillow(crop.image))
    return replace(
        crop, name=f"{crop.name}-inverted", image=RgbImage(image.width, image.height, image.tobytes())
    )


def _cut(sheet: Image.Image, box: Box) -> RgbImage:
    part = sheet.crop((box.x, box.y, box.right, box.bottom)).convert("RGB")
    return RgbImage(part.width, part.height, part.tobytes())
