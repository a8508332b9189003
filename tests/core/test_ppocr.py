"""The built-in engine on real pictures: what it reads, when it stops, and that it stays off the network."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from core.engines import LoadOptions
from core.errors import Cancelled, ReadFailed
from core.ocr.ppocr import RECOGNITION, PpOcrEngine, model_folder
from core.types import Box, Direction, RgbImage, TextBlock

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
TRUTH: dict[str, Any] = json.loads((DATA / "bubbles.json").read_text("utf-8"))

NO_SOCKETS = """
import sys
seen = []
sys.addaudithook(lambda event, args: seen.append(event) if event.startswith("socket.") else None)
from PIL import Image
from core.engines import LoadOptions
from core.ocr.ppocr import RECOGNITION, PpOcrEngine, model_folder
from core.types import RgbImage
engine = PpOcrEngine()
engine.load(LoadOptions(threads=1))
picture = Image.open(sys.argv[1]).convert("RGB")
image = RgbImage(picture.width, picture.height, picture.tobytes())
pieces = list(engine.run("recognize", {}, image, lambda: False))
assert pieces
touched = sorted(name for name in sys.modules if name.split(".")[0] in ("rapidocr", "requests", "urllib3"))
print(seen, touched)
"""


@pytest.fixture(scope="module")
def engine() -> PpOcrEngine:
    built_in = PpOcrEngine()
    loaded = built_in.load(LoadOptions(device="auto", threads=2))
    assert loaded.device == "cpu"
    return built_in


def picture(name: str) -> Image.Image:
    with Image.open(DATA / f"{name}.png") as opened:
        return opened.convert("RGB")


def rgb(image: Image.Image) -> RgbImage:
    return RgbImage(image.width, image.height, image.convert("RGB").tobytes())


def finish(
    job: Generator[dict[str, Any], None, dict[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    pieces: list[dict[str, Any]] = []
    while True:
        try:
            pieces.append(next(job))
        except StopIteration as end:
            return pieces, end.value


def read(engine: PpOcrEngine, image: Image.Image) -> list[TextBlock]:
    _, result = finish(engine.run("recognize", {}, rgb(image), never))
    assert result["device"] == "cpu"
    return [TextBlock.from_json(block) for block in result["blocks"]]


def never() -> bool:
    return False


def plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def text_of(blocks: list[TextBlock]) -> str:
    return plain("".join(block.text for block in blocks))


def wrong(read_text: str, truth: str) -> int:
    """The Levenshtein distance."""
    row = list(range(len(truth) + 1))
    for i, a in enumerate(read_text, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(truth, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


@pytest.mark.parametrize("name", ["vertical", "short", "long", "horizontal", "inverted"])
def test_clean_bubbles_are_read(engine: PpOcrEngine, name: str) -> None:
    # Given a clean bubble, when it is read, then at most one character in ten is wrong
    truth = plain(TRUTH[name]["text"])
    blocks = read(engine, picture(name))
    assert wrong(text_of(blocks), truth) <= len(truth) // 10, text_of(blocks)
    # And it runs in the direction it is written in
    assert blocks[0].direction.value == TRUTH[name]["blocks"][0]["direction"]


@pytest.mark.parametrize("name", ["small", "screentone", "noise"])
def test_hard_bubbles_are_mostly_read(engine: PpOcrEngine, name: str) -> None:
    truth = plain(TRUTH[name]["text"])
    assert wrong(text_of(read(engine, picture(name))), truth) <= len(truth) // 4


def test_furigana_is_data_and_not_text(engine: PpOcrEngine) -> None:
    # Given a bubble with reading aids
    blocks = read(engine, picture("furigana"))
    truth = [TextBlock.from_json(block) for block in TRUTH["furigana"]["blocks"]]
    # When it is read, then the text is as long as without them
    assert len(text_of(blocks)) <= len(text_of(truth)) + 1
    # And the aids are there, with the characters they annotate
    aids = [(line, aid) for block in blocks for line in block.lines for aid in line.furigana]
    assert aids
    for line, aid in aids:
        assert 0 <= aid.start < aid.end <= len(line.text)
        assert aid.text


def test_every_character_has_a_likelihood_and_boxes_lie_in_the_picture(engine: PpOcrEngine) -> None:
    image = picture("vertical")
    whole = Box(0, 0, image.width, image.height)
    for block in read(engine, image):
        for line in block.lines:
            assert len(line.confidences) == len(line.text)
            assert all(0 <= c <= 1 for c in line.confidences)
            assert line.box.intersection(whole) == line.box


def test_light_text_on_dark_is_read_as_well_as_dark_on_light(engine: PpOcrEngine) -> None:
    image = picture("vertical")
    assert text_of(read(engine, ImageOps.invert(image))) == text_of(read(engine, image))


def test_columns_are_found_without_reading(engine: PpOcrEngine) -> None:
    # Given a bubble, when only its place is asked for
    pieces, result = finish(engine.run("detect", {}, rgb(picture("vertical")), never))
    # Then one vertical block comes, about where the truth says, and no text
    assert pieces == []
    (block,) = result["blocks"]
    assert set(block) == {"box", "direction"}
    assert block["direction"] == Direction.VERTICAL.value
    truth, found = Box.from_json(TRUTH["vertical"]["blocks"][0]["box"]), Box.from_json(block["box"])
    assert truth.intersection(found).area > 0.8 * truth.area


def test_a_page_is_read_in_order(engine: PpOcrEngine) -> None:
    # Given the sample page
    samples = ROOT / "resources" / "samples"
    with Image.open(samples / "page-1.png") as opened:
        page = opened.convert("RGB")
    truth = json.loads((samples / "page-1.json").read_text("utf-8"))
    expected = [TextBlock.from_json(block) for block in truth["blocks"]]
    # When it is read
    blocks = read(engine, page)
    # Then the bubbles that were found come in the order of the truth
    places = []
    for block in expected:
        shared = [block.box.intersection(found.box).area for found in blocks]
        if max(shared) > 0:
            places.append(shared.index(max(shared)))
    assert len(places) >= 0.8 * len(expected)
    assert places == sorted(places)


def test_progress_counts_the_lines(engine: PpOcrEngine) -> None:
    pieces, _ = finish(engine.run("recognize", {}, rgb(picture("long")), never))
    done = [piece["lines_done"] for piece in pieces]
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == pieces[-1]["lines"] > 1


@pytest.mark.parametrize("answers", [0, 1, 2])
def test_a_job_stops_between_batches(engine: PpOcrEngine, answers: int) -> None:
    # Given a user who stops after the first looks of the engine
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > answers

    # When the bubble is read, then the job ends as cancelled, and the next job works
    with pytest.raises(Cancelled):
        finish(engine.run("recognize", {}, rgb(picture("long")), cancelled))
    assert read(engine, picture("short"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Image.new("RGB", (1, 1), "white"),
        lambda: Image.new("RGB", (1, 400), "black"),
        lambda: Image.new("RGB", (400, 1), "white"),
        lambda: Image.new("RGB", (200, 300), "white"),
        lambda: Image.new("RGB", (200, 300), (128, 130, 140)),
    ],
)
def test_pictures_without_text_give_nothing(engine: PpOcrEngine, make: Callable[[], Image.Image]) -> None:
    assert read(engine, make()) == []


def test_a_long_strip_is_read(engine: PpOcrEngine) -> None:
    # Given a strip of 8000 x 200 pixels with a row of text in the middle
    row = ImageOps.contain(picture("horizontal"), (1000, 180))
    strip = Image.new("RGB", (8000, 200), "white")
    strip.paste(row, (3600, 10))
    # When it is read, then no error comes, and what is found lies where the text is
    for block in read(engine, strip):
        assert 3500 < block.box.center[0] < 4700


class DetectsNothing:
    """A detector that overlooks every line."""

    def detect(self, picture: object) -> list[object]:
        return []


@pytest.mark.parametrize("name", ["short", "inverted"])
def test_when_nothing_is_detected_the_whole_crop_is_one_line(name: str) -> None:
    # Given a crop of a single column, and a detector that finds nothing in it
    import onnxruntime

    from core.ocr.pixels import to_picture
    from core.ocr.reader import PageReader
    from core.ocr.recognizer import LineRecognizer

    line = TextBlock.from_json(TRUTH[name]["blocks"][0]).lines[0]
    margin = 6
    crop = picture(name).crop(
        (line.box.x - margin, line.box.y - margin, line.box.right + margin, line.box.bottom + margin)
    )
    session = onnxruntime.InferenceSession(str(model_folder() / RECOGNITION))
    reader: Any = PageReader(DetectsNothing(), LineRecognizer(session))  # type: ignore[arg-type]
    # When it is read
    blocks = drained(reader.read(to_picture(rgb(crop)), never))
    # Then it is one line in the direction of the longer side
    (block,) = blocks
    assert block.direction is (Direction.VERTICAL if crop.height > crop.width else Direction.HORIZONTAL)
    assert wrong(plain(block.text), plain(line.text)) <= 1


def drained(job: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(job)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("op", ["describe", ""])
def test_an_unknown_operation_is_refused(engine: PpOcrEngine, op: str) -> None:
    with pytest.raises(ReadFailed):
        finish(engine.run(op, {}, rgb(picture("short")), never))


def test_without_a_picture_or_a_model_nothing_is_read(engine: PpOcrEngine) -> None:
    with pytest.raises(ReadFailed):
        finish(engine.run("recognize", {}, None, never))
    with pytest.raises(ReadFailed):
        finish(PpOcrEngine().run("recognize", {}, rgb(picture("short")), never))


def test_loading_and_reading_open_no_socket_and_run_no_download_code() -> None:
    # Given a fresh process that notes every use of a socket
    done = subprocess.run(
        [sys.executable, "-c", NO_SOCKETS, str(DATA / "short.png")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    # When it loads the engine and reads, then none was used, and no module that could download was imported
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[] []"


def test_creating_the_engine_imports_no_model_library() -> None:
    code = (
        "import sys; from core.ocr.ppocr import PpOcrEngine; PpOcrEngine();"
        "print([m for m in ('numpy', 'cv2', 'onnxruntime', 'rapidocr') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
