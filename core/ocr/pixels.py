"""Small operations on pictures that detector, recogniser and second look share.

Pictures are ``uint8`` arrays of shape ``(height, width, 3)`` in BGR order, as the models were trained on.
Imported in the model process only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Box, RgbImage

Picture: TypeAlias = NDArray[np.uint8]
Points: TypeAlias = NDArray[np.float32]

_DRIFT = 0.35
"""A line that drifts by less than this share of its thickness is cut out upright: turning it only blurs."""
_DARK = 110
"""A ground darker than this carries light writing."""
_FAINT = 24
"""Contrasts below are grain."""


@dataclass(frozen=True)
class Region:
    """A place with text: the corners (4 x 2, clockwise from the top left) and the detector's score."""

    corners: Points
    score: float

    @property
    def box(self) -> Box:
        """The upright rectangle around the corners."""
        left, top = np.floor(self.corners.min(axis=0)).astype(int)
        right, bottom = np.ceil(self.corners.max(axis=0)).astype(int)
        return Box(int(left), int(top), max(1, int(right - left)), max(1, int(bottom - top)))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height along the region's own sides."""
        tl, tr, _, bl = self.corners
        return float(np.linalg.norm(tr - tl)), float(np.linalg.norm(bl - tl))

    @property
    def slanted(self) -> bool:
        """Whether the line drifts so far to one side that it has to be turned."""
        return float(np.tan(np.radians(abs(self.slant)))) * max(self.size) > _DRIFT * min(self.size)

    @property
    def slant(self) -> float:
        """How far the top side is turned from the horizontal, in degrees."""
        tl, tr, _, bl = self.corners
        dx, dy = (tr - tl) if self.size[0] >= self.size[1] else ((bl - tl)[1], -(bl - tl)[0])
        return float(np.degrees(np.arctan2(dy, dx)))


def region_of(box: Box, score: float = 1.0) -> Region:
    """The upright region that covers ``box``."""
    left, top, right, bottom = box.x, box.y, box.right, box.bottom
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return Region(corners, score)


def to_picture(image: RgbImage) -> Picture:
    """The image as a BGR array; nothing is shared with it."""
    rgb = np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)
    return np.ascontiguousarray(rgb[:, :, ::-1])


def border_colour(picture: Picture) -> tuple[int, int, int]:
    """The median colour of the outermost pixels: what the picture would go on with."""
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    blue, green, red = np.median(edge, axis=0)
    return int(blue), int(green), int(red)


def padded(picture: Picture, left: int, top: int, right: int, bottom: int) -> Picture:
    """The picture with margins in the colour of its border."""
    filled = cv2.copyMakeBorder(
        picture, top, bottom, left, right, cv2.BORDER_CONSTANT, value=border_colour(picture)
    )
    return np.asarray(filled, np.uint8)


def cut_out(picture: Picture, region: Region, margin: float = 0.0) -> Picture:
    """What lies under the region, turned upright when it is slanted, never empty.

    Args:
        margin: added on each side, as a share of the region's shorter side.
    """
    extra = margin * min(region.size)
    if not region.slanted:
        height, width = picture.shape[:2]
        box = region.box
        left = min(max(0, round(box.x - extra)), width - 1)
        top = min(max(0, round(box.y - extra)), height - 1)
        right = min(width, max(left + 1, round(box.right + extra)))
        bottom = min(height, max(top + 1, round(box.bottom + extra)))
        return picture[top:bottom, left:right]
    corners = _grown(region.corners, extra)
    width, height = (max(1, round(side + 2 * extra)) for side in region.size)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turn = cv2.getPerspectiveTransform(corners, target)
    turned = cv2.warpPerspective(
        picture, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(turned, np.uint8)


def _grown(corners: Points, extra: float) -> Points:
    tl, tr, br, bl = corners
    across = (tr - tl) / max(1e-6, float(np.linalg.norm(tr - tl))) * extra
    along = (bl - tl) / max(1e-6, float(np.linalg.norm(bl - tl))) * extra
    return np.array(
        [tl - across - along, tr + across - along, br + across + along, bl - across + along], np.float32
    )


def inverted(picture: Picture) -> Picture:
    return np.asarray(255 - picture, np.uint8)


def is_dark(picture: Picture) -> bool:
    """Whether light text on a dark ground is the likelier guess."""
    return sum(border_colour(picture)) < 3 * _DARK


def contrast_of(picture: Picture, core: Picture | None = None) -> NDArray[np.float32]:
    """How clearly each pixel stands out from the ground, 1 for the strongest: writing, not its halo.

    Writing is darker than the ground, or lighter where the ground is dark. All 0 where nothing stands out.

    Args:
        core: the part that holds the writing, where it is known: its ground counts, not the surroundings'.
    """
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.float32)
    if core is None or not core.size:
        ground = float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    else:
        ground = float(np.median(cv2.cvtColor(core, cv2.COLOR_BGR2GRAY)))
    contrast = ground - grey if ground >= _DARK else grey - ground
    strongest = float(np.percentile(contrast, 99))
    if strongest < _FAINT:
        return np.zeros(grey.shape, np.float32)
    return np.asarray((contrast / strongest).clip(0, 1), np.float32)


def darkness_of(picture: Picture) -> NDArray[np.float32]:
    """How dark each pixel is, 1 for the darkest: what tells writing from a screentone around it."""
    darkness = 255 - np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.float32)
    return np.asarray((darkness / max(1.0, float(np.percentile(darkness, 99.5)))).clip(0, 1), np.float32)
