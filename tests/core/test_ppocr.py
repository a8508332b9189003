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
from PIL import Image, ImageDraw, ImageOps

from core.child import SILENT
from core.engine import Engine
from core.engines import LoadOptions
from core.errors import Cancelled, ReadFailed
from core.ocr.paper import only_paper
from core.ocr.pixels import Region, region_of, to_picture
from core.ocr.ppocr import RECOGNITION, PpOcrEngine, model_folder
from core.ocr.reader import PageReader, without_noise
from core.settings import SettingsStore
from core.types import Box, Direction, RgbImage, TextBlock, TextLine
from resources.samples import fonts
from resources.samples.draw import bubble

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
pieces = list(engine.run("recognize", {}, (image,), lambda: False))
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
    _, result = finish(engine.run("recognize", {}, (rgb(image),), never))
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
    pieces, result = finish(engine.run("detect", {}, (rgb(picture("vertical")),), never))
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
    pieces, _ = finish(engine.run("recognize", {}, (rgb(picture("long")),), never))
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
        finish(engine.run("recognize", {}, (rgb(picture("long")),), cancelled))
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

    def detect(self, picture: object, extra: int = 0) -> list[object]:
        return []


@pytest.mark.parametrize("name", ["short", "inverted"])
def test_when_nothing_is_detected_the_whole_crop_is_one_line(name: str) -> None:
    # Given a crop of a single column, and a detector that finds nothing in it
    import onnxruntime

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
        finish(engine.run(op, {}, (rgb(picture("short")),), never))


def test_without_a_picture_or_a_model_nothing_is_read(engine: PpOcrEngine) -> None:
    with pytest.raises(ReadFailed):
        finish(engine.run("recognize", {}, (), never))
    with pytest.raises(ReadFailed):
        finish(PpOcrEngine().run("recognize", {}, (rgb(picture("short")),), never))


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


@pytest.mark.skipif(sys.platform != "linux", reason="where onnxruntime keeps what it reports")
def test_the_built_in_engine_reports_to_nobody(
    settings: SettingsStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a user who has never run onnxruntime, and nothing in the environment that forbids it to report
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    for name in SILENT:
        monkeypatch.delenv(name, raising=False)
    # when a picture is read
    engine = Engine(settings)
    engine.recognize(RgbImage(80, 60, b"\xff" * (80 * 60 * 3))).result(60)
    engine.close()
    # then it has not made an identity of this computer, nor kept anything to send
    assert not [path for path in (tmp_path / "user").rglob("*") if "onnxruntime" in path.name]


def test_creating_the_engine_imports_no_model_library() -> None:
    code = (
        "import sys; from core.ocr.ppocr import PpOcrEngine; PpOcrEngine();"
        "print([m for m in ('numpy', 'cv2', 'onnxruntime', 'rapidocr') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def block(text: str, box: Box, confidence: float) -> TextBlock:
    return TextBlock(box, Direction.VERTICAL, (TextLine(text, box, (confidence,) * len(text)),))


@pytest.mark.parametrize(
    ("box", "confidence"),
    [(Box(0, 90, 10, 10), 0.95), (Box(40, 80, 10, 10), 0.6)],
    ids=["at the edge", "doubtful"],
)
def test_strokes_beside_japanese_text_are_no_block(box: Box, confidence: float) -> None:
    # given a bubble, and a stroke that was read as digits
    words = block("終わったの？", Box(50, 20, 20, 60), 0.97)
    stroke = block("22.", box, confidence)

    # when the noise is dropped, then only the bubble stays
    assert without_noise([words, stroke], 100, 100) == [words]


def test_numbers_and_latin_words_that_are_text_stay() -> None:
    # given a clear number away from the edge beside a bubble, and a picture of digits alone
    words = block("終わったの？", Box(50, 20, 20, 60), 0.97)
    number = block("300", Box(30, 40, 10, 10), 0.97)
    alone = block("22.", Box(0, 90, 10, 10), 0.6)

    # when the noise is dropped, then neither is taken for noise
    assert without_noise([words, number], 100, 100) == [words, number]
    assert without_noise([alone], 100, 100) == [alone]


def test_a_snip_that_touches_its_characters_is_read(engine: PpOcrEngine) -> None:
    # given horizontal text cut off right at its ink
    try:
        fonts.installed()
    except fonts.FontsMissing as missing:
        pytest.skip(str(missing))
    sample = bubble(1_000_009, "horizontal")
    grey = ImageOps.invert(sample.image.convert("L")).point(lambda value: 255 if value > 100 else 0)
    box = sample.blocks[0].box
    inner = grey.crop((box.x, box.y, box.right, box.bottom)).getbbox()
    assert inner is not None
    left, top, right, bottom = inner
    tight = sample.image.crop((box.x + left, box.y + top, box.x + right, box.y + bottom))

    # when it is read
    text = "".join(found.text for found in read(engine, tight))

    # then no character at the upper edge is lost
    assert text.replace("\n", "") == sample.text.replace("\n", "")


def oval_bubble(tone: bool = False) -> Any:
    """A snip of 160 x 200 pixels: paper in an oval that the edges cut off, with 8 upright bars as writing."""
    drawn = Image.new("L", (160, 200), 255)
    pen = ImageDraw.Draw(drawn)
    if tone:
        for x in range(0, 160, 5):
            for y in range(0, 200, 5):
                pen.rectangle((x, y, x + 1, y + 1), fill=90)
    pen.ellipse((-12, -16, 171, 215), fill=255, outline=0, width=3)
    for row in range(4):
        for column in (55, 95):
            pen.rectangle((column, 45 + 28 * row, column + 18, 63 + 28 * row), outline=0, width=2)
    return to_picture(rgb(drawn))


@pytest.mark.parametrize("tone", [False, True])
def test_the_outline_of_a_bubble_is_painted_over_and_its_writing_stays(tone: bool) -> None:
    # given a snip with pieces of the outline in its corners
    snip = oval_bubble(tone)

    # when only the paper is kept
    cleaned = only_paper(snip)

    # then nothing is left outside the writing, and the writing is as it was
    writing = (slice(45, 148), slice(55, 114))
    assert (cleaned[writing] == snip[writing]).all()
    cleaned[writing] = 255
    assert (cleaned == 255).all()


def test_writing_at_the_edge_of_a_snip_stays() -> None:
    # given a snip cut off at its characters
    snip = oval_bubble()[45:148, 55:114]

    # when only the paper is kept, then nothing is painted over
    assert only_paper(snip) is snip


def test_a_large_character_at_the_edge_is_no_outline() -> None:
    # given small pieces of ink, and one piece almost twice their size that touches the snip's edge
    drawn = Image.new("L", (90, 160), 255)
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((30, 0, 62, 32), outline=0, width=3)
    for top in (50, 85, 120):
        pen.rectangle((36, top, 54, top + 18), outline=0, width=3)
    snip = to_picture(rgb(drawn))

    # when only the paper is kept, then nothing is painted over
    assert only_paper(snip) is snip


def test_two_bubbles_light_writing_and_screentones_are_left_as_they_are() -> None:
    bubble_twice = to_picture(rgb(two_bubbles()))
    assert only_paper(bubble_twice) is bubble_twice
    night = 255 - oval_bubble()
    assert only_paper(night) is night
    toned = oval_bubble()
    for row in range(3, 200, 6):
        for column in range(3, 160, 6):
            toned[row : row + 2, column : column + 2] = 60
    assert only_paper(toned) is toned


def two_bubbles() -> Image.Image:
    """Two bubbles in a drawing, each with a row of boxes as writing."""
    drawn = Image.new("L", (300, 160), 120)
    pen = ImageDraw.Draw(drawn)
    for left, right in ((4, 175), (190, 296)):
        pen.ellipse((left, 4, right, 150), fill=255, outline=0, width=3)
        for row in range(3):
            middle = (left + right) // 2
            pen.rectangle((middle - 9, 40 + 28 * row, middle + 9, 58 + 28 * row), outline=0, width=2)
    return drawn


@pytest.mark.parametrize(
    ("left", "top", "right", "bottom"), [(14, 14, 14, 14), (24, 24, 15, 15), (24, 8, 15, 20), (20, 18, 6, 10)]
)
def test_a_snip_around_a_bubble_is_read_without_its_outline(
    engine: PpOcrEngine, left: int, top: int, right: int, bottom: int
) -> None:
    # given a bubble of the sample page, with pieces of its outline in the snip
    truth = json.loads((ROOT / "resources/samples/page-1.json").read_text("utf-8"))
    block = TextBlock.from_json(truth["blocks"][2])
    box = block.box
    with Image.open(ROOT / "resources/samples/page-1.png") as opened:
        page = opened.convert("RGB")
    snip = page.crop((box.x - left, box.y - top, box.right + right, box.bottom + bottom))

    # when it is read, then each column is, and nothing else
    assert (
        text_of(read(engine, snip))
        == plain(block.text)
        == plain("へえー、スーパーの前でギターを忘れたのさ。")
    )
    # and its place is that of the text
    _, result = finish(engine.run("detect", {}, (rgb(snip),), never))
    (found,) = result["blocks"]
    place = Box(left, top, box.width, box.height)
    assert Box.from_json(found["box"]).intersection(place).area > 0.8 * place.area


class DetectsAtTheSecondMargin:
    """A detector that sees only the first column unless the margin is larger."""

    def detect(self, picture: object, extra: int = 0) -> list[Region]:
        columns = [Box(50, 40, 28, 112), Box(90, 40, 28, 112)]
        return [region_of(box) for box in columns[: 2 if extra else 1]]


def test_what_the_detector_overlooked_is_looked_for_at_another_margin() -> None:
    # given paper with writing, and a detector that sees all of it only at its second look
    blind: Any = DetectsAtTheSecondMargin()
    reader = PageReader(blind, None)  # type: ignore[arg-type]

    # when the places are asked for, then they hold all of the writing
    ((box, _),) = reader.detect(oval_bubble())
    assert box.intersection(Box(55, 45, 59, 103)).area > 0.9 * 59 * 103


def test_a_stroke_read_as_a_digit_is_no_line_of_a_block() -> None:
    # given a column with a stroke at the edge beside it, and a clear number beside another one
    column = TextLine("んだって！", Box(50, 20, 20, 60), (0.97,) * 5)
    stroke = TextLine("1", Box(2, 40, 8, 30), (0.7,))
    number = TextLine("300", Box(25, 30, 20, 30), (0.98,) * 3)
    spoilt = TextBlock(Box(2, 20, 68, 60), Direction.VERTICAL, (column, stroke))
    whole = TextBlock(Box(25, 20, 45, 60), Direction.VERTICAL, (column, number))

    # when the noise is dropped, then the stroke goes and the number stays
    (left,) = without_noise([spoilt], 100, 100)
    assert left.lines == (column,)
    assert left.box == column.box
    assert without_noise([whole], 100, 100) == [whole]
