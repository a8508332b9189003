"""Pictures larger than one look of the detector: none of their text is lost, and none is read twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from core.errors import Cancelled
from core.ocr.agreement import distance, fold
from core.ocr.detector import TextDetector
from core.ocr.levels import look_closer
from core.ocr.near import Near
from core.ocr.pixels import Picture, Region, region_of, to_picture
from core.ocr.ppocr import build_reader
from core.ocr.reader import PageReader, Survey
from core.ocr.surveys import survey_all
from core.ocr.targets import targets
from core.types import Box, RgbImage

DATA = Path(__file__).parents[1] / "data"
TRUTH: dict[str, Any] = json.loads((DATA / "bubbles.json").read_text("utf-8"))
SEAM = 768
"""Where the detector's tiles meet."""


@pytest.fixture(scope="module")
def reader() -> PageReader:
    return build_reader(1, spinning=False)


def bubble(name: str) -> Image.Image:
    with Image.open(DATA / f"{name}.png") as opened:
        return opened.convert("RGB")


def rgb(image: Image.Image) -> RgbImage:
    return RgbImage(*image.size, image.tobytes())


def strip_of(names: list[str], middles: list[tuple[int, int]]) -> tuple[RgbImage, list[tuple[str, Box]]]:
    """A strip of 900 x 10240 pixels with bubbles around these points, and what is written where."""
    strip = Image.new("RGB", (900, 10240), "white")
    written = []
    for name, (x, y) in zip(names, middles, strict=True):
        drawn = bubble(name)
        left, top = x - drawn.width // 2, y - drawn.height // 2
        strip.paste(drawn, (left, top))
        written.append((TRUTH[name]["text"], Box(left, top, *drawn.size)))
    return rgb(strip), written


@pytest.fixture(scope="module")
def strip() -> tuple[RgbImage, list[tuple[str, Box]]]:
    # Every second one lies where two tiles meet, or four.
    names = ["small", "long", "short", "vertical", "small", "short", "vertical"]
    seams = [(734, SEAM), (640, 2 * SEAM), (520, 9000)]
    middles = [(200, 300), seams[0], (150, 1150), seams[1], (300, 1900), seams[2], (734, 12 * SEAM)]
    return strip_of(names, middles)


@pytest.fixture(scope="module")
def seen(reader: PageReader, strip: tuple[RgbImage, list[tuple[str, Box]]]) -> list[Survey | None]:
    """What both engines start from: what the built-in one sees."""
    found = [survey for _, survey in survey_all(reader, [strip[0]], lambda: False, 1)]
    assert not any(isinstance(survey, Exception) for survey in found)
    return cast(list[Survey | None], found)


def test_all_the_text_of_a_tall_strip_is_read_once_and_in_order(
    strip: tuple[RgbImage, list[tuple[str, Box]]], seen: list[Survey | None]
) -> None:
    _, written = strip
    survey = seen[-1]
    assert survey is not None
    # then each bubble is one block, also those on a seam, and they come from top to bottom
    assert len(survey.blocks) == len(written), [block.text for block in survey.blocks]
    for block, (_, box) in zip(survey.blocks, written, strict=True):
        assert block.box.intersection(box) == block.box
    # and what they say is what is written
    texts = [(fold(block.text), fold(text)) for block, (text, _) in zip(survey.blocks, written, strict=True)]
    wrong = sum(distance(read, truth) for read, truth in texts)
    assert wrong <= 0.05 * sum(len(truth) for _, truth in texts), texts


def test_a_large_picture_shows_signs_of_life_while_it_is_looked_at(seen: list[Survey | None]) -> None:
    assert len(seen) > 10
    assert all(survey is None for survey in seen[:-1])


def test_a_large_picture_can_be_stopped_between_two_tiles(
    reader: PageReader, strip: tuple[RgbImage, list[tuple[str, Box]]]
) -> None:
    stop = False
    steps = reader.survey(to_picture(strip[0]), lambda: stop)
    assert next(steps) == {"lines_done": 0, "lines": 0}
    stop = True
    with pytest.raises(Cancelled):
        next(steps)


def test_a_large_picture_without_text_gives_nothing(reader: PageReader) -> None:
    # given a drawing in which nothing is written
    image = Image.linear_gradient("L").resize((300, 1900)).convert("RGB")
    (survey,) = (
        found for _, found in survey_all(reader, [rgb(image)], lambda: False, 1) if found is not None
    )
    # then nothing is read, and nothing of it is shown to MangaOCR, which would make up a text
    assert isinstance(survey, Survey)
    assert survey.blocks == []
    assert targets(survey, to_picture(rgb(image))) == []


# ---- how close it looks


class Looks:
    """A detector that finds one line in the middle of whatever it is shown, and notes what it is shown."""

    def __init__(self, thick: int = 40) -> None:
        self.tiles: list[tuple[int, ...]] = []
        self._thick = thick

    def scale_of(self, picture: Picture) -> float:
        return 1600 / max(picture.shape[:2])

    def likelihood(self, picture: Picture) -> Any:
        self.tiles.append(picture.shape[:2])
        return picture[:, :, 0].astype(np.float32) / 255

    def regions(self, likelihood: Any, certain: float) -> list[Region]:
        assert certain == 255
        self.shown = likelihood
        height, width = likelihood.shape
        return [region_of(Box(width // 4, height // 2, width // 2, self._thick))]


def closer(detector: Looks, picture: Picture, found: list[Region]) -> list[Region]:
    steps = look_closer(cast(TextDetector, detector), picture, found)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast(list[Region], end.value)


def noise(height: int, width: int) -> Picture:
    return np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)


def test_large_lettering_is_not_looked_at_closer() -> None:
    # given a scan in which one look shows lines of 40 pixels, as they lie on the page
    detector, found = Looks(), [region_of(Box(0, 0, 1000, 120))]
    # then that look is all there is
    assert closer(detector, noise(4800, 300), found) == found
    assert detector.tiles == []


@pytest.mark.parametrize("found", [[], [region_of(Box(0, 0, 400, 60))]], ids=["nothing", "thin lines"])
def test_it_looks_no_closer_than_it_has_to(found: list[Region]) -> None:
    # given a picture four times as long as one look, whose lines are clear at half their size
    detector = Looks()
    (line,) = closer(detector, noise(6400, 200), found)
    # then no tile of it was seen in full size, and the line is where it is in the picture
    assert detector.shown.shape == (3200, 100)
    assert line.box == Box(50, 3200, 100, 80)


def test_tiles_fit_together_without_a_gap() -> None:
    # given a detector that tells of each pixel what lies there
    detector = Looks(thick=4)
    picture = noise(2000, 1000)
    closer(detector, picture, [])
    # then what is put together is the picture, though each tile was seen with its surroundings
    assert np.array_equal(detector.shown, picture[:, :, 0])
    assert len(detector.tiles) == 6
    assert max(max(size) for size in detector.tiles) < 1000


def test_what_is_blank_is_not_looked_at() -> None:
    picture = np.full((4000, 800, 3), 250, np.uint8)
    picture[100:140, 100:400] = 0
    detector = Looks(thick=4)
    closer(detector, picture, [])
    # At a half and in full size: of each the first tile alone.
    assert len(detector.tiles) == 2


# ---- what is near


def boxes() -> Iterator[Box]:
    rng = np.random.default_rng(7)
    for x, y, w, h in rng.integers([-900, -900, 1, 1], [5000, 5000, 700, 700], (300, 4)).tolist():
        yield Box(x, y, w, h)


@pytest.mark.parametrize("reach", [0, 1, 90, 600])
def test_all_that_is_near_is_found(reach: int) -> None:
    everything = list(boxes())
    near = Near(everything)
    for box in everything[:40]:
        around = Box(box.x - reach, box.y - reach, box.width + 2 * reach, box.height + 2 * reach)
        found = near.to(box, reach)
        assert found == sorted(set(found))
        for index, other in enumerate(everything):
            shared = around.intersection(other)
            assert index in found or not shared.area
    assert len(near.to(Box(0, 0, 10, 10), 0)) < len(everything) / 2
