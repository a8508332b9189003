"""The MangaOCR engine: the built-in engine finds the bubbles, MangaOCR reads them.

How the network itself is run is in ``manga_model``, what it is shown in ``targets``, what happens to doubtful
readings in ``ladder``. docs/decisions/009 says why.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.devices import physical_cores
from core.engines import Loaded, LoadOptions
from core.errors import Cancelled, ReadFailed
from core.models.layout import name_of
from core.types import Alternative, RgbImage, TextBlock, TextLine

if TYPE_CHECKING:
    from core.ocr.in_step import Looks
    from core.ocr.ladder import Kept
    from core.ocr.manga_model import MangaModel
    from core.ocr.reader import PageReader, Survey
    from core.ocr.targets import Target

MOST_ALTERNATIVES = 5


class MangaOcrEngine:
    """Reads Japanese text as it stands in manga."""

    def __init__(self) -> None:
        self._reader: PageReader | None = None
        self._model: MangaModel | None = None
        self._threads = 1

    def load(self, options: LoadOptions) -> Loaded:
        """Read the checkpoint in the folder ``options.checkpoint``, and the built-in engine's models.

        Raises:
            ModelUnusable: the folder does not hold such a model, or a damaged one.
            DeviceFailed, OutOfMemory: not on that device.
            LoadFailed: a model of the built-in engine is missing.
        """
        self._threads = threads = options.threads or physical_cores()
        # Threads of torch that wait for each other sleep instead of turning in circles. To be said before
        # torch is imported. On a busy machine a text comes 15 times sooner.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        # Importing torch takes 3 s and one core; the built-in engine's models are read beside it. What both
        # import is imported before, since two threads in one import may meet in a half-made module.
        import onnxruntime  # noqa: F401

        import core.ocr.reader  # noqa: F401
        from core.ocr.ppocr import build_reader

        with ThreadPoolExecutor(1) as beside:
            reader = beside.submit(build_reader, threads, spinning=False)
            self._model = self._open(options)
            self._reader = reader.result()
        detail = f"{name_of(Path(options.checkpoint))}, {self._model.precision}, {threads} threads"
        return Loaded(self._model.device, detail, self._model.precision)

    def _open(self, options: LoadOptions) -> MangaModel:
        """The network. Tests that let it fail override this."""
        from core.ocr.manga_model import MangaModel

        return MangaModel(options)

    def run(
        self,
        op: str,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Generator[dict[str, Any], None, dict[str, Any]]:
        """``recognize``: every bubble with its text; ``detect``: only where the bubbles are;
        ``recognize_many``: several pictures, whose bubbles go through the network together.

        ``recognize_many`` yields what ``recognize`` does with ``page``, the index of the picture, and of each
        picture its end (``core.ocr.many.Ends``).

        Args:
            params: for reading. ``retry_doubtful`` (True): read doubtful bubbles in other ways, too.
                ``second_engine`` (True): and keep the built-in engine's reading where all of those are worse.
                ``allow_repeats`` (False): let the search write ドドドド. ``quick`` (False): yield
                ``{"provisional": {"blocks": [...]}}`` with the built-in engine's reading, once it is there.

        Raises:
            Cancelled: between two tokens, or two batches of the built-in engine's lines.
            OutOfMemory, DeviceFailed: the device cannot do it.
            ReadFailed: the operation is not known, there is no picture, or ``load`` was not called.
        """
        reader, model = self._reader, self._model
        known = op == "recognize_many" or (op in ("recognize", "detect") and len(images) == 1)
        if reader is None or model is None or not known or not images:
            raise ReadFailed(engine="MangaOCR", reason=f"{op} cannot be done")
        if op == "detect":
            from core.ocr.ppocr import places

            return places(reader, images[0])
        steps = self._read(reader, model, params, images, cancelled)
        if op == "recognize_many":
            from core.ocr.many import Ends

            ends = Ends("MangaOCR")
            for step in steps:
                yield ends.of(*step) if isinstance(step, tuple) else step
            return {}
        for step in steps:
            if isinstance(step, tuple):
                _, outcome = step
                if isinstance(outcome, Exception):
                    raise outcome
                return outcome
            # There is no need to say which picture it is.
            yield {key: value for key, value in step.items() if key != "page"}
        raise ReadFailed(engine="MangaOCR", reason="the picture has not come to an end")

    def _read(
        self,
        reader: PageReader,
        model: MangaModel,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Iterator[dict[str, Any] | tuple[int, dict[str, Any] | Exception]]:
        """Progress, and each picture's end: its number and the answer to ``recognize``, or why there is none.

        As many pictures as fill a batch are read while the built-in engine looks at those that follow.
        """
        from core.ocr.in_step import Page, read_in_step
        from core.ocr.surveys import survey_all

        allow_repeats = bool(params.get("allow_repeats", False))

        def read(pages: Sequence[Page]) -> Iterator[dict[str, Any] | tuple[int, dict[str, Any] | Exception]]:
            if cancelled():
                raise Cancelled
            steps = read_in_step(pages, lambda looks: model.read(looks, cancelled, allow_repeats))
            yield from steps
            yield from ((page.number, page.outcome) for page in pages)

        pages: list[Page] = []
        for number, survey in survey_all(reader, images, cancelled, self._threads):
            if survey is None:
                yield {"page": number, "lines_done": 0, "lines": 0}
                continue
            if isinstance(survey, Exception):
                yield number, survey
                continue
            if params.get("quick"):
                blocks = [block.to_json() for block in survey.blocks]
                yield {"page": number, "provisional": {"blocks": blocks}}
            page = Page(number, partial(_way_of, images[number], survey, params, model.device))
            pages.append(page)
            yield page.progress()
            if sum(len(page.wanted) for page in pages) >= model.batch:
                yield from read(pages)
                pages = []
        yield from read(pages)


def _way_of(image: RgbImage, survey: Survey, params: Mapping[str, Any], device: str) -> tuple[int, Looks]:
    """How many looks the first rung takes of a picture, and its way up the ladder."""
    from PIL import Image

    from core.ocr.in_step import look
    from core.ocr.ladder import RUNGS, climb
    from core.ocr.pixels import to_picture
    from core.ocr.targets import targets

    found = targets(survey, to_picture(image))
    retry = bool(params.get("retry_doubtful", True))
    second = retry and bool(params.get("second_engine", True))

    def looks() -> Looks:
        page = Image.frombytes("RGB", (image.width, image.height), image.data)
        kept = yield from climb(page, found, look, RUNGS if retry else (), second_engine=second)
        blocks = [_block(target, reading) for target, reading in zip(found, kept, strict=True)]
        return {"blocks": [block.to_json() for block in blocks if block is not None], "device": device}

    return sum(len(target.parts) for target in found), looks()


def _block(target: Target, kept: Kept) -> TextBlock | None:
    """The bubble as it is told, None for one that is taken for made up."""
    from core.ocr.transfer import furigana_for

    best = kept.best
    if kept.made_up:
        return None
    boxes = _boxes(target, len(best.texts))
    furigana = furigana_for(target.built_in, best.texts) if target.built_in else [()] * len(best.texts)
    lines = []
    start = 0
    for text, box, aids in zip(best.texts, boxes, furigana, strict=True):
        if text:
            lines.append(TextLine(text, box, best.likelihoods[start : start + len(text)], aids))
        start += len(text)
    return TextBlock(target.box, target.direction, tuple(lines), _alternatives(kept), best.how)


def _boxes(target: Target, count: int) -> list[Any]:
    """Where each of the texts of a reading is."""
    if count == 1:
        return [target.box]
    lines = target.built_in.lines if target.built_in else ()
    if count == len(lines):
        return [line.box for line in lines]
    return list(target.parts)


def _alternatives(kept: Kept) -> tuple[Alternative, ...]:
    """Every other text that was found, each once: other looks, then less likely beams of the one kept."""
    from core.ocr.agreement import fold

    listed = [Alternative("\n".join(c.texts), c.how or "beam", c.likelihoods) for c in kept.others]
    listed += [Alternative(text, "beam") for text in kept.best.others]
    seen = {fold(kept.best.text), ""}
    found = []
    for other in listed:
        if fold(other.text) not in seen:
            seen.add(fold(other.text))
            found.append(other)
    return tuple(found[:MOST_ALTERNATIVES])
