"""The MangaOCR engine on real crops with a small trained model, in model processes as the app runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from core.devices import Device
from core.engine import Engine
from core.engines import ENGINES, find_engine
from core.errors import (
    Cancelled,
    DeviceFailed,
    FellBack,
    ModelUnusable,
    OutOfMemory,
    YomitoriError,
)
from core.memory import MemoryJudge
from core.ocr.doubt import DoubtOptions, geometric_mean
from core.settings import SettingsStore
from core.types import Box, RgbImage, TextBlock
from tests.support import running
from tests.support.environment import ROOT
from tests.support.faulty_manga import FAULTY_MANGA, VARIABLE
from tests.support.imports import imported_by
from tests.support.local_library import TINY_MANGA_OCR, LocalLibrary
from tests.support.manga_crops import CATEGORIES, Crop, inverted, load_crops, pillow
from tests.support.manga_ocr_reads import Reads

MANGA = find_engine("manga-ocr", "ocr")
Unusable = Callable[[Path], str]


class Running(running.Running):
    """MangaOCR with the tiny model."""

    def __init__(self) -> None:
        super().__init__(MANGA, checkpoint=str(TINY_MANGA_OCR))

    def read(
        self, image: RgbImage, op: str = "recognize", **params: Any
    ) -> tuple[list[TextBlock], list[dict[str, Any]]]:
        return self.blocks(*self.run(op, params, (image,)))

    @staticmethod
    def blocks(
        result: dict[str, Any], pieces: list[dict[str, Any]]
    ) -> tuple[list[TextBlock], list[dict[str, Any]]]:
        return [TextBlock.from_json(block) for block in result["blocks"]], pieces


@pytest.fixture(scope="module")
def engine() -> Iterator[Running]:
    running = Running()
    try:
        running.load()
        yield running
    finally:
        running.end()


class Faults:
    """Another process, in which the devices of ``FAULTY_MANGA`` fail as they are told to."""

    def __init__(self, told: Path) -> None:
        self._told = told
        self.running = Running()

    def load(self, faults: str, device: str) -> dict[str, Any]:
        """What was loaded, with these faults from now on; raises what loading raised."""
        self._told.write_text(faults, encoding="utf-8")
        return self.running.load(FAULTY_MANGA, device=device)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faults]:
    told = tmp_path_factory.mktemp("faults") / "faults"
    told.write_text("", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, f"@{told}")
        faults = Faults(told)
    yield faults
    faults.running.end()


@pytest.fixture
def other(failing: Faults) -> Running:
    """That other process, to load whatever a test gives it."""
    return failing.running


@pytest.fixture(scope="module")
def crops() -> list[Crop]:
    return load_crops()


@pytest.fixture
def published(crops: Sequence[Crop], package_reads: Reads) -> list[tuple[Crop, str]]:
    """Crops, and what the manga-ocr package reads in them."""
    return [(crop, package_reads.texts[crop.name]) for crop in crops if crop.name in package_reads.texts]


def text_of(blocks: Sequence[TextBlock]) -> str:
    return "".join(line.text for block in blocks for line in block.lines)


def rgb(image: Image.Image) -> RgbImage:
    return RgbImage(*image.size, image.convert("RGB").tobytes())


def named(crops: Sequence[Crop], text: str) -> Crop:
    return next(crop for crop in crops if crop.drawn == text)


# ---- the same text as the package


def test_the_model_reads_what_the_package_reads_one_by_one_and_in_batches(
    failing: Faults, published: list[tuple[Crop, str]]
) -> None:
    # given at least 200 crops of every kind that the package has read
    assert len(published) >= 200
    assert {crop.category for crop, _ in published} == set(CATEGORIES)
    texts = [text for _, text in published]
    pictures = [crop.image for crop, _ in published]

    # when our model, in which nothing fails, reads them one by one, and 7 at a time
    failing.load("", "cpu")
    alone, together = (failing.running.run("model", {"batch": n}, pictures)[0]["reads"] for n in (1, 7))

    # then every text is the same, both ways, and so are the likelihoods but for rounding
    assert [text for text, _, _ in alone] == texts
    assert [text for text, _, _ in together] == texts
    for (text, likelihoods, others), (_, in_batch, _) in zip(alone, together, strict=True):
        assert likelihoods == pytest.approx(in_batch, abs=1e-3)
        # And each character has one, and the other beams are other texts
        assert len(likelihoods) == len(text)
        assert all(0 <= value <= 1 for value in likelihoods)
        assert len({text, *others}) == 1 + len(others) <= 4


def test_the_engine_reads_a_snip_of_a_bubble_as_the_package_does(
    engine: Running, published: list[tuple[Crop, str]]
) -> None:
    # given crops that hold one bubble, which the engine shows its model whole
    pairs = [(crop, text) for crop, text in published if crop.category == "plain" and len(crop.drawn) <= 14]
    # Both directions, which take turns.
    pairs = [pair for number, pair in enumerate(pairs) if number % 4 < 2]
    assert len(pairs) > 60

    # when the engine reads them without looking again
    differ = []
    for crop, text in pairs:
        blocks, _ = engine.read(crop.image, retry_doubtful=False)
        if text_of(blocks) != text:
            differ.append((crop.name, text, [block.text for block in blocks]))

    # then the text is the package's, except where the built-in engine sees several bubbles
    assert all(len(texts) != 1 for _, _, texts in differ), differ
    assert len(differ) <= len(pairs) // 20, differ


def test_drawn_out_sounds_are_read_when_repeats_are_allowed(engine: Running, crops: list[Crop]) -> None:
    # given sounds in which the same three characters come twice
    sounds = [crop for crop in crops if crop.category == "drawn-out"]

    # when they are read with and without repeats
    def right(**params: bool) -> int:
        return sum(
            text_of(engine.read(crop.image, retry_doubtful=False, **params)[0]) == crop.text
            for crop in sounds
        )

    # then only a search that may repeat itself reads them
    assert right(allow_repeats=True) >= 0.8 * len(sounds)
    assert right() <= 0.2 * len(sounds)


# ---- blocks, places, furigana


def on_page(*placed: tuple[Crop, int, int], size: tuple[int, int] = (900, 600)) -> RgbImage:
    page = Image.new("RGB", size, "white")
    for crop, x, y in placed:
        page.paste(pillow(crop.image), (x, y))
    return rgb(page)


def clean(crops: Sequence[Crop], count: int) -> list[Crop]:
    """Crops with nothing but the lettering on white."""
    found = [
        crop
        for crop in crops
        if crop.category == "plain"
        and crop.image.data.count(b"\xff") > 0.5 * len(crop.image.data)
        and crop.direction.value == "vertical"
        and len(crop.drawn) > 4
    ]
    assert len(found) >= count
    return found[:count]


def test_the_bubbles_of_a_page_are_read_in_order_as_one_batch(engine: Running, crops: list[Crop]) -> None:
    # given a page with three bubbles far apart
    first, second, third = clean(crops, 3)
    page = on_page((first, 700, 40), (second, 100, 40), (third, 400, 350))

    # when it is read
    blocks, pieces = engine.read(page, retry_doubtful=False)

    # then each is, in reading order, where it stands
    assert [block.text.replace("\n", "") for block in blocks] == [first.text, second.text, third.text]
    for block, (x, y) in zip(blocks, [(700, 40), (100, 40), (400, 350)], strict=True):
        assert x - 4 <= block.box.x <= x + 60
        assert y - 4 <= block.box.y <= y + 60
        assert all(len(line.confidences) == len(line.text) for line in block.lines)
    # And they went through the model together
    assert pieces[0] == {"lines_done": 0, "lines": 3}
    assert pieces[1] == {"lines_done": 3, "lines": 3}


def test_the_built_in_reading_comes_first_when_it_is_asked_for(engine: Running, crops: list[Crop]) -> None:
    crop = clean(crops, 1)[0]
    _, pieces = engine.read(crop.image, quick=True)
    provisional = [TextBlock.from_json(block) for block in pieces[0]["provisional"]["blocks"]]
    assert text_of(provisional)
    assert not any("provisional" in piece for piece in pieces[1:])
    # And not when it is not
    assert not any("provisional" in piece for piece in engine.read(crop.image)[1])


def test_a_long_line_is_read_in_parts(engine: Running) -> None:
    # given two phrases in one line, together longer than what MangaOCR reads at once
    chosen = [
        next(
            crop
            for crop in load_crops("plain")
            if crop.text == text and crop.image.width > 4 * crop.image.height
        )
        for text in ("夢じゃないよね？", "電車が来ちゃった。")
    ]
    pictures = [pillow(crop.image) for crop in chosen]
    pictures = [one.resize((round(one.width * 40 / one.height), 40)) for one in pictures]
    strip = Image.new("RGB", (sum(one.width for one in pictures), 40), "white")
    strip.paste(pictures[0], (0, 0))
    strip.paste(pictures[1], (pictures[0].width, 0))

    # when the strip is read
    (block,), _ = engine.read(rgb(strip), retry_doubtful=False)

    # then each phrase is a line where it stands, with a likelihood per character
    assert [line.text for line in block.lines] == [crop.text for crop in chosen]
    assert block.lines[0].box.right <= block.lines[1].box.x + 10
    assert block.lines[1].box.right <= strip.width
    assert all(len(line.confidences) == len(line.text) for line in block.lines)


def test_detect_tells_where_the_bubbles_are_without_reading(engine: Running, crops: list[Crop]) -> None:
    first, second = clean(crops, 2)
    page = on_page((first, 700, 40), (second, 100, 40))
    result, pieces = engine.run("detect", {}, (page,))
    boxes = [Box.from_json(block["box"]) for block in result["blocks"]]
    assert pieces == []
    assert len(boxes) == 2
    assert boxes[0].x > 600 > boxes[1].x


def test_furigana_is_data_and_not_text(engine: Running) -> None:
    # given a bubble with reading aids
    with Image.open(ROOT / "tests" / "data" / "furigana.png") as opened:
        image = rgb(opened)

    # when it is read, then they stand beside characters of the text
    blocks, _ = engine.read(image)
    aids = [(line, aid) for block in blocks for line in block.lines for aid in line.furigana]
    assert aids
    for line, aid in aids:
        assert 0 <= aid.start < aid.end <= len(line.text)


def test_other_readings_are_alternatives_each_once(engine: Running, crops: list[Crop]) -> None:
    # given a crop in negative, which the model has not learnt, when it is read
    (block,) = engine.read(inverted(clean(crops, 1)[0]).image)[0]

    # then there are other readings, none of them twice or the one that was kept
    texts = [other.text for other in block.alternatives]
    assert 1 <= len(texts) <= 5
    assert len({block.text, *texts}) == 1 + len(texts)
    assert all(
        other.how and len(other.confidences) in (0, len(other.text.replace("\n", "")))
        for other in block.alternatives
    )


def test_a_doubtful_bubble_is_read_better_by_looking_again(engine: Running, crops: list[Crop]) -> None:
    # given crops in negative, which the model has not learnt
    dark = [inverted(crop) for crop in clean(crops, 12)]

    # when they are read with and without another look
    def right(retry: bool) -> int:
        return sum(text_of(engine.read(c.image, retry_doubtful=retry)[0]) == c.text for c in dark)

    # then looking again reads more of them
    assert right(True) > right(False)


# ---- nothing to read


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1), (3, 3), (80, 60)])
@pytest.mark.parametrize("colour", ["white", "black", "grey"])
def test_an_empty_picture_has_no_text(engine: Running, size: tuple[int, int], colour: str) -> None:
    assert engine.read(rgb(Image.new("RGB", size, colour)))[0] == []


def test_of_a_drawing_without_text_nothing_is_told_that_the_model_itself_doubts(engine: Running) -> None:
    # given a hatched ground with a circle on it
    drawn = Image.new("RGB", (240, 200), "white")
    pen = ImageDraw.Draw(drawn)
    for x in range(-200, 240, 9):
        pen.line((x, 0, x + 200, 200), fill="black", width=2)
    pen.ellipse((60, 40, 180, 160), fill="white", outline="black", width=3)

    # when it is read, then what is told is nothing, or what the model is sure of: it always finds some text,
    # and the built-in engine saw none that could be held against it
    for block in engine.read(rgb(drawn))[0]:
        values = [value for line in block.lines for value in line.confidences]
        assert geometric_mean(values) >= DoubtOptions().sure
        assert min(values) >= DoubtOptions().surest


# ---- stopping


def test_a_job_is_cancelled_between_two_tokens(engine: Running, crops: list[Crop]) -> None:
    # given a page of many bubbles that is being read
    bubbles = clean(crops, 8)
    page = on_page(*((crop, 40 + 210 * (k % 4), 40 + 280 * (k // 4)) for k, crop in enumerate(bubbles)))
    engine.start("recognize", {}, (page,))
    assert engine.piece()["lines_done"] == 0

    # when it is cancelled
    engine.cancel()

    # then it ends as cancelled, and the next is read
    with pytest.raises(Cancelled):
        engine.finish()
    assert engine.read(bubbles[0].image)[0]


@pytest.mark.parametrize(
    ("seconds", "device", "passes"),
    [(10.0, "cpu", [1, 4, 3]), (0.5, "cpu", [3, 4, 1]), (0.01, "cpu", [4, 4]), (10.0, "cuda:0", [8])],
)
def test_a_slow_encoder_takes_fewer_at_a_time_so_that_it_can_be_stopped(
    failing: Faults, crops: list[Crop], seconds: float, device: str, passes: list[int]
) -> None:
    failing.load("", device)
    images = tuple(crop.image for crop in crops[:8])
    answer, _ = failing.running.run("model", {"batch": 8, "encoding": seconds}, images)
    assert answer["passes"] == passes


# ---- checkpoints that cannot be used


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    shutil.copytree(TINY_MANGA_OCR, folder)
    return folder


@pytest.fixture
def unusable(other: Running) -> Unusable:
    """What is said of a folder that cannot be loaded from."""

    def load(folder: Path) -> str:
        with pytest.raises(ModelUnusable) as caught:
            other.load(checkpoint=str(folder))
        return caught.value.message

    return load


def test_no_folder_is_said(unusable: Unusable, tmp_path: Path) -> None:
    assert "there is no folder" in unusable(tmp_path / "gone")


@pytest.mark.parametrize(
    "name", ["config.json", "preprocessor_config.json", "vocab.txt", "model.safetensors"]
)
def test_a_missing_file_is_named(unusable: Unusable, checkpoint: Path, name: str) -> None:
    (checkpoint / name).unlink()
    assert name in unusable(checkpoint)


def test_weights_that_were_not_converted_are_said(unusable: Unusable, checkpoint: Path) -> None:
    (checkpoint / "model.safetensors").rename(checkpoint / "pytorch_model.bin")
    assert "not converted" in unusable(checkpoint)


def test_a_model_of_another_kind_is_said(unusable: Unusable, checkpoint: Path) -> None:
    config = json.loads((checkpoint / "config.json").read_text("utf-8"))
    (checkpoint / "config.json").write_text(json.dumps({**config, "model_type": "llava"}))
    assert "llava" in unusable(checkpoint)


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
def test_a_damaged_description_is_named(unusable: Unusable, checkpoint: Path, name: str) -> None:
    (checkpoint / name).write_text('{"half":')
    assert name in unusable(checkpoint)


def test_half_of_the_weights_are_not_loaded(unusable: Unusable, checkpoint: Path) -> None:
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    assert "cannot be used" in unusable(checkpoint)


def test_weights_of_another_size_are_not_loaded(unusable: Unusable, checkpoint: Path) -> None:
    # given a description of a model with a layer more than there are weights for
    config = json.loads((checkpoint / "config.json").read_text("utf-8"))
    config["decoder"]["num_hidden_layers"] += 1
    (checkpoint / "config.json").write_text(json.dumps(config))

    # when it is loaded, then that is said, and no random weights are used
    assert "weights are missing" in unusable(checkpoint)


# ---- devices


def test_what_is_loaded_is_told(engine: Running) -> None:
    assert engine.loaded["device"] == "cpu"
    assert engine.loaded["precision"] == "fp32"
    assert "tiny-manga-ocr" in engine.loaded["detail"]


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_reads_too(other: Running, crops: list[Crop], precision: str) -> None:
    assert other.load(precision=precision)["precision"] == precision
    chosen = clean(crops, 5)
    read = [text_of(other.read(crop.image, retry_doubtful=False)[0]) for crop in chosen]
    assert sum(text == crop.text for text, crop in zip(read, chosen, strict=True)) >= 4


def test_what_a_device_map_has_placed_reads_the_same(failing: Faults, crops: list[Crop]) -> None:
    chosen = clean(crops, 5)
    read = []
    for device in ("cpu", "cuda:0"):
        assert failing.load("", device)["device"] == device
        read.append([text_of(failing.running.read(crop.image)[0]) for crop in chosen])
    assert read[0] == read[1] == [crop.text for crop in chosen]


@pytest.mark.parametrize(
    ("faults", "error"),
    [("load=oom", OutOfMemory), ("load=cuda", DeviceFailed), ("load=refused", DeviceFailed)],
)
def test_a_card_that_fails_at_load_is_told(failing: Faults, faults: str, error: type[YomitoriError]) -> None:
    with pytest.raises(error) as caught:
        failing.load(faults, "cuda:0")
    assert type(caught.value) is error
    assert caught.value.params["device"] == "cuda:0"


@pytest.mark.parametrize(
    ("faults", "device", "error"),
    [
        ("job1=oom", "cuda:0", OutOfMemory),
        ("job1=cuda", "cuda:0", DeviceFailed),
        ("job1=ram", "cpu", OutOfMemory),
        ("job1=memory", "cpu", OutOfMemory),
    ],
)
def test_a_device_that_fails_in_a_job_costs_that_job(
    failing: Faults, crops: list[Crop], faults: str, device: str, error: type[YomitoriError]
) -> None:
    # given a device that fails at its first picture
    assert failing.load(faults, device)["device"] == device
    crop = clean(crops, 1)[0]
    # when that is read, then the error names the device
    with pytest.raises(error) as caught:
        failing.running.read(crop.image)
    assert type(caught.value) is error
    assert caught.value.params["device"] == device
    # And the next is read
    assert failing.running.read(crop.image)[0]


@pytest.mark.parametrize(("what", "device"), [("oom", "cuda:0"), ("ram", "cpu"), ("memory", "cpu")])
def test_too_little_memory_for_a_batch_is_enough_for_smaller_ones(
    failing: Faults, crops: list[Crop], what: str, device: str
) -> None:
    # given a device with room for two crops at a time, and a page of five
    bubbles = clean(crops, 5)
    page = on_page(*((crop, 20 + 175 * k, 60) for k, crop in enumerate(bubbles)))
    failing.load(f"batch2={what}", device)
    # when it is read, then all of it is, two at a time
    blocks, pieces = failing.running.read(page, retry_doubtful=False)
    assert {block.text.replace("\n", "") for block in blocks} == {crop.text for crop in bubbles}
    done = [piece["lines_done"] for piece in pieces]
    assert max(b - a for a, b in pairwise(done)) <= 2


def test_a_card_that_is_not_there_is_told(other: Running) -> None:
    with pytest.raises(DeviceFailed) as caught:
        other.load(device="cuda:7")
    assert caught.value.params["device"] == "cuda:7"


# ---- what it touches


QUIET = """
import io, sys, warnings
warnings.simplefilter("error")
seen = []
sys.addaudithook(lambda event, args: seen.append(event) if event.startswith("socket.") else None)
from PIL import Image
from core.engines import LoadOptions, find_engine
from core.types import RgbImage
engine = find_engine("manga-ocr", "ocr").create()
engine.load(LoadOptions(checkpoint=sys.argv[1], threads=1))
picture = Image.open(sys.argv[2]).convert("RGB")
image = RgbImage(picture.width, picture.height, picture.tobytes())
assert list(engine.run("recognize", {}, (image,), lambda: False))
print(sorted(set(seen)))
print(sorted(name for name in ("manga_ocr", "fugashi", "unidic_lite", "rapidocr") if name in sys.modules))
"""


def test_loading_and_reading_use_no_network_and_say_nothing() -> None:
    # given a fresh process without any setting that keeps it off the network
    done = subprocess.run(
        [sys.executable, "-c", QUIET, str(TINY_MANGA_OCR), str(ROOT / "tests" / "data" / "short.png")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    # when it loads and reads, then no socket was used, nothing was printed, and no dictionary was loaded
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["[]", "[]"]


def test_creating_the_engine_imports_no_model_library() -> None:
    found = imported_by("from core.ocr.manga_ocr import MangaOcrEngine; MangaOcrEngine()")
    assert found & {"torch", "transformers", "onnxruntime", "cv2", "numpy"} == set()


def test_it_is_registered() -> None:
    assert any(spec.target == "core.ocr.manga_ocr:MangaOcrEngine" for spec in ENGINES)


def test_a_card_that_fails_in_a_job_costs_no_snip(
    crops: list[Crop], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given three snips that wait for MangaOCR on a card, which fails with torch's own exception in the second
    # (of other faults test_host_devices.py tells: each is two processes that import torch)
    monkeypatch.setenv(VARIABLE, "job2=oom")
    card = Device("cuda:0", "A card", 8_000_000_000, 6_000_000_000)
    settings = SettingsStore(tmp_path / "settings.json", environ={})
    settings.set("models.threads", 1)
    memory = MemoryJudge(lambda: 8_000_000_000, lambda: [card])
    engine = Engine(settings, engines=(FAULTY_MANGA,), library=LocalLibrary(), memory=memory)
    try:
        chosen = clean(crops, 3)
        jobs = [engine.recognize(crop.image) for crop in chosen]

        # when they are read, then all are, the first on the card, and the notice says why
        results = [job.result(120) for job in jobs]
        assert [result.text for result in results] == [crop.text for crop in chosen]
        assert [result.device for result in results] == ["cuda:0", "cpu", "cpu"]
        assert isinstance(engine.state().notice, FellBack)
    finally:
        engine.close()
