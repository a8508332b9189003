"""Draws the crops in ``tests/data/manga``: ``python -m tests.models.draw_manga_crops``.

They come from seeds of their own, so no model was trained on them, and are stored, so no test needs a font.
"""

from __future__ import annotations

import json
from typing import Any

from manga_ocr.ocr import post_process
from PIL import Image

from tests.models import measure
from tests.support.manga_crops import FOLDER

WIDTH = 1600
GAP = 2
# Sixteen greys are enough for lettering and keep the picture small.
LEVELS = 16


def main() -> None:
    crops = list(measure.held_out("stored", rounds=2, extra=35, largest=32))
    order = sorted(range(len(crops)), key=lambda n: -crops[n][1].image.height)
    places: dict[int, tuple[int, int]] = {}
    x = y = row = 0
    for n in order:
        width, height = crops[n][1].image.size
        if x + width > WIDTH:
            x, y, row = 0, y + row + GAP, 0
        places[n] = (x, y)
        x, row = x + width + GAP, max(row, height)
    sheet = Image.new("L", (WIDTH, y + row), 255)
    entries: list[dict[str, Any]] = []
    for n, (category, drawn) in enumerate(crops):
        sheet.paste(drawn.image, places[n])
        entries.append(
            {
                "name": f"{category}-{drawn.direction.value}-{n:03}",
                "box": [*places[n], *drawn.image.size],
                "category": category,
                "direction": drawn.direction.value,
                "drawn": drawn.text,
                "face": drawn.face,
                "text": post_process(drawn.text),
            }
        )
    step = 255 / (LEVELS - 1)
    # Indices into a palette of greys: Pillow then writes four bits for each pixel.
    indices = sheet.point([round(value / step) for value in range(256)])
    indices.putpalette([round(level * step) for level in range(LEVELS) for _ in range(3)])
    FOLDER.mkdir(parents=True, exist_ok=True)
    indices.save(FOLDER / "crops.png", optimize=True, bits=4)
    rows = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    (FOLDER / "crops.json").write_text(f"[\n{rows}\n]\n", encoding="utf-8")
    print(f"{len(entries)} crops, {sheet.width} x {sheet.height}")


if __name__ == "__main__":
    main()
