"""Draws the samples: bubbles and manga-like pages with their truth, all from a seed.

``python -m resources.samples.draw`` writes the sample pages and the tests' bubbles anew.
Needs Pillow and Debian's Japanese fonts; the rest of Yomitori needs neither this nor them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from resources.samples.bubbles import CATEGORIES, Sample, bubble
from resources.samples.fonts import FontsMissing
from resources.samples.pages import page

__all__ = ["CATEGORIES", "FontsMissing", "Sample", "bubble", "page"]

HERE = Path(__file__).resolve().parent
# Chosen by looking at them: together they show every kind of lettering and panel there is.
PAGES = {"page-1": 112, "page-2": 75, "page-3": 57}
BUBBLES = {
    "vertical": ("vertical", 0),
    "short": ("vertical", 6),
    "long": ("vertical", 2),
    "horizontal": ("horizontal", 0),
    "furigana": ("furigana", 0),
    "small": ("small", 3),
    "inverted": ("inverted", 2),
    "screentone": ("screentone", 0),
    "noise": ("noise", 0),
}


def write_pages(folder: Path) -> None:
    """The sample pages, each as ``NAME.png`` with its truth in ``NAME.json``."""
    for name, seed in PAGES.items():
        sample = page(seed)
        sample.image.convert("L").quantize(32).save(folder / f"{name}.png", optimize=True)
        truth = json.dumps(sample.to_json(), ensure_ascii=False, indent=1)
        (folder / f"{name}.json").write_text(truth + "\n", encoding="utf-8")


def write_bubbles(folder: Path) -> None:
    """The bubbles that tests read where no font is installed, with one truth file for all."""
    folder.mkdir(parents=True, exist_ok=True)
    truths = {}
    for name, (category, seed) in BUBBLES.items():
        sample = bubble(seed, category)
        sample.image.save(folder / f"{name}.png", optimize=True)
        truths[name] = {"category": category, **sample.to_json()}
    truth = json.dumps(truths, ensure_ascii=False, indent=1)
    (folder / "bubbles.json").write_text(truth + "\n", encoding="utf-8")


def main() -> int:
    try:
        write_pages(HERE)
        write_bubbles(HERE.parents[1] / "tests" / "data")
    except FontsMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
