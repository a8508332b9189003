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
        blob = (canvas.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)[None]
        likelihood = self._session.run(None, {self._input: blob})[0][0, 0]
        height, width = picture.shape[:2]
        found = []
        for corners, score in self._islands(likelihood):
            placed = (corners - margin) / scale
            placed[:, 0] = placed[:, 0].clip(0, width)
            placed[:, 1] = placed[:, 1].clip(0, height)
            region = Region(placed.astype(np.float32), score)
            if min(region.size) > _MIN_SIDE:
                found.append(region)
        return found

    def _prepare(self, picture: Picture, extra: int) -> tuple[Picture, float, NDArray[np.float64]]:
        """The picture scaled and padded to a multiple of the model's stride, with scale and offset."""
        options = self._options
        height, width = picture.shape[:2]
        margin = round(options.padding * min(height, width))
        margin = min(options.max_padding, margin)
        if min(height, width) < options.small:
            margin = max(options.small_padding, margin)
        margin += extra
        scale = min(1.0, options.max_side / (max(height, width) + 2 * margin))
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

    def _islands(self, likelihood: NDArray[np.float32]) -> list[tuple[Points, float]]:
        mask = (likelihood > self._options.pixel_threshold).astype(np.uint8)
        mask = np.asarray(cv2.dilate(mask, np.ones((2, 2), np.uint8)), np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        found = []
        for contour in contours:
            center, (width, height), angle = cv2.minAreaRect(contour)
            if min(width, height) < _MIN_SIDE:
                continue
            score = _mean_inside(likelihood, cv2.boxPoints((center, (width, height), angle)))
            if score < self._options.region_threshold:
                continue
            growth = width * height * self._options.growth / (2 * (width + height))
            grown = (center, (width + 2 * growth, height + 2 * growth), angle)
            found.append((_clockwise(np.asarray(cv2.boxPoints(grown), np.float32)), score))
        return found


def _mean_inside(likelihood: NDArray[np.float32], corners: Any) -> float:
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
