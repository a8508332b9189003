"""Where text is: PP-OCRv6's detection model (differentiable binarisation), with its own post-processing.

The model gives for each pixel how likely it lies inside a line, shrunk; each island of such pixels becomes a
rotated rectangle that is grown back by a fixed rule. Imported in the model process only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.ocr.arena import give_back
from core.ocr.pixels import Picture, Points, Region, border_colour

_STRIDE = 32
_MIN_SIDE = 3


@dataclass(frozen=True)
class DetectorOptions:
    """Lengths in pixels, thresholds as likelihoods; docs/decisions/002 says how they were chosen."""

    max_side: int = 1600
    """Larger pictures are scaled down to it."""
    padding: float = 0.12
    """Margin in the border's colour, as a share of the shorter side: text at the very edge is missed."""
    small: int = 110
    """Pictures with a shorter side below this are padded by ``small_padding`` pixels at least: a short word
    that fills its picture is seen as several lines."""
    small_padding: int = 32
    max_padding: int = 64
    pixel_threshold: float = 0.3
    region_threshold: float = 0.5
    growth: float = 1.6


class TextDetector:
    """Finds lines and columns of text."""

    def __init__(self, session: Any, options: DetectorOptions | None = None) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._options = options or DetectorOptions()

    def detect(self, picture: Picture, extra: int = 0) -> list[Region]:
        """Every line or column found, in no particular order, in pixels of ``picture``.

        Args:
            extra: pixels added to the margin on each side; the model then sees the text on another grid.
        """
        canvas, scale, margin = self._prepare(picture, extra)
        height, width = picture.shape[:2]
        return self._placed(self._run(canvas), 1.0, (width, height), margin, scale)

    def scale_of(self, picture: Picture) -> float:
        """At which share of its size ``detect`` looks at the picture."""
        height, width = picture.shape[:2]
        return float(min(1.0, self._options.max_side / (max(height, width) + 2 * self._margin(picture))))

    def likelihood(self, picture: Picture) -> NDArray[np.float32]:
        """How likely each pixel lies inside a line, 0 to 1. Nothing is scaled, and no margin added."""
        height, width = picture.shape[:2]
        below, beside = -height % _STRIDE, -width % _STRIDE
        canvas = np.asarray(
            cv2.copyMakeBorder(
                picture, 0, below, 0, beside, cv2.BORDER_CONSTANT, value=border_colour(picture)
            ),
            np.uint8,
        )
        return self._run(canvas)[:height, :width]

    def regions(self, likelihood: NDArray[Any], certain: float) -> list[Region]:
        """The lines of a picture in which each pixel is as likely to lie inside one.

        Args:
            certain: the value that stands for a likelihood of 1.
        """
        height, width = likelihood.shape
        return self._placed(likelihood, certain, (width, height), np.zeros(2), 1.0)

    def give_back(self) -> None:
        """Return the memory that is not in use."""
        give_back(self._session, 1, 3, _STRIDE, _STRIDE)

    def _run(self, canvas: Picture) -> NDArray[np.float32]:
        blob = (canvas.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)[None]
        return np.asarray(self._session.run(None, {self._input: blob})[0][0, 0], np.float32)

    def _placed(
        self,
        likelihood: NDArray[Any],
        certain: float,
        size: tuple[int, int],
        margin: NDArray[np.float64],
        scale: float,
    ) -> list[Region]:
        """The islands as regions of the picture, whose width and height are ``size``."""
        width, height = size
        found = []
        for corners, score in self._islands(likelihood, certain):
            placed = (corners - margin) / scale
            placed[:, 0] = placed[:, 0].clip(0, width)
            placed[:, 1] = placed[:, 1].clip(0, height)
            region = Region(placed.astype(np.float32), score)
            if min(region.size) > _MIN_SIDE:
                found.append(region)
        return found

    def _margin(self, picture: Picture) -> int:
        options = self._options
        shorter = int(min(picture.shape[:2]))
        margin = min(options.max_padding, round(options.padding * shorter))
        return max(options.small_padding, margin) if shorter < options.small else margin

    def _prepare(self, picture: Picture, extra: int) -> tuple[Picture, float, NDArray[np.float64]]:
        """The picture scaled and padded to a multiple of the model's stride, with scale and offset."""
        height, width = picture.shape[:2]
        margin = self._margin(picture) + extra
        scale = min(1.0, self._options.max_side / (max(height, width) + 2 * margin))
        if scale < 1.0:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
            height, width = picture.shape[:2]
            margin = round(margin * scale)
        full_height = -(-(height + 2 * margin) // _STRIDE) * _STRIDE
        full_width = -(-(width + 2 * margin) // _STRIDE) * _STRIDE
        canvas = np.empty((full_height, full_width, 3), np.uint8)
        canvas[:] = border_colour(picture)
        top, left = (full_height - height) // 2, (full_width - width) // 2
        canvas[top : top + height, left : left + width] = picture
        return canvas, scale, np.array([left, top], np.float64)

    def _islands(self, likelihood: NDArray[Any], certain: float) -> list[tuple[Points, float]]:
        mask = (likelihood > self._options.pixel_threshold * certain).astype(np.uint8)
        mask = np.asarray(cv2.dilate(mask, np.ones((2, 2), np.uint8)), np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        found = []
        for contour in contours:
            center, (width, height), angle = cv2.minAreaRect(contour)
            if min(width, height) < _MIN_SIDE:
                continue
            score = _mean_inside(likelihood, cv2.boxPoints((center, (width, height), angle))) / certain
            if score < self._options.region_threshold:
                continue
            growth = width * height * self._options.growth / (2 * (width + height))
            grown = (center, (width + 2 * growth, height + 2 * growth), angle)
            found.append((_clockwise(np.asarray(cv2.boxPoints(grown), np.float32)), score))
        return found


def _mean_inside(likelihood: NDArray[Any], corners: Any) -> float:
    height, width = likelihood.shape
    left, top = np.floor(corners.min(axis=0)).astype(int).clip(0, [width - 1, height - 1])
    right, bottom = np.ceil(corners.max(axis=0)).astype(int).clip(0, [width - 1, height - 1])
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - [left, top]).astype(np.int32)], [1])
    return float(cv2.mean(likelihood[top : bottom + 1, left : right + 1], mask)[0])


def _clockwise(corners: Points) -> Points:
    """Top left, top right, bottom right, bottom left."""
    by_x = corners[np.argsort(corners[:, 0])]
    left = by_x[:2][np.argsort(by_x[:2, 1])]
    right = by_x[2:][np.argsort(by_x[2:, 1])]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)
