"""Where a page's panels are: what its paper, followed from the edge of the picture, does not reach.

Model process only.
"""

from __future__ import annotations

import cv2
import numpy as np

from core.ocr.pixels import Picture, border_colour
from core.types import Box

_SIDE = 800
"""Pages are looked at with at most so many pixels a side: gutters stay several pixels wide."""
_PAPER = 28
"""How far a pixel may differ from the paper at the edge."""
_LEAST_AREA = 0.015
_LEAST_SIDE = 0.08
"""A panel takes at least this share of the page, and of its shorter side."""


def find_panels(picture: Picture) -> list[Box]:
    """The boxes around the panels, in no particular order; none when the picture is no page of panels."""
    height, width = picture.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.int16)
    paper = (np.abs(small - np.array(border_colour(picture), np.int16)).max(axis=2) < _PAPER).astype(np.uint8)
    framed = cv2.copyMakeBorder(paper, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, labels = cv2.connectedComponents(framed, connectivity=4)
    inside = (labels[1:-1, 1:-1] != labels[0, 0]).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=4)
    panels = []
    for x, y, w, h, _ in stats[1:count].tolist():
        if w * h >= _LEAST_AREA * size[0] * size[1] and min(w, h) >= _LEAST_SIDE * min(size):
            panels.append(
                Box(round(x / scale), round(y / scale), max(1, round(w / scale)), max(1, round(h / scale)))
            )
    return [p for p in panels if not any(_within(p, other) for other in panels)] if len(panels) > 1 else []


def _within(panel: Box, other: Box) -> bool:
    return (
        other is not panel and other.area > panel.area and panel.intersection(other).area > 0.85 * panel.area
    )
