"""The built-in engine: PP-OCRv6-small, whose two models lie inside the rapidocr wheel.

Only the wheel's model files are used, through onnxruntime: no code of rapidocr runs, so nothing can be
downloaded, and loading takes a fraction of the time.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.devices import physical_cores
from core.engines import Loaded, LoadOptions
from core.errors import LoadFailed, ReadFailed
from core.ocr.many import one_by_one
from core.types import RgbImage

if TYPE_CHECKING:
    from core.ocr.reader import PageReader

DETECTION = "PP-OCRv6_det_small.onnx"
RECOGNITION = "PP-OCRv6_rec_small.onnx"


def model_folder() -> Path:
    """Where the wheel keeps its models, found without importing it.

    Raises:
        LoadFailed: rapidocr is not installed.
    """
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise LoadFailed(engine="built-in", reason="the package rapidocr is not installed")
    return Path(spec.origin).parent / "models"


def build_reader(threads: int, spinning: bool = True) -> PageReader:
    """Both models, ready to read pages on that many threads of the CPU.

    Args:
        spinning: whether threads that have nothing to do keep their core busy for a while, so as to be quick
            when they are needed again.

    Raises:
        LoadFailed: a model file is missing.
    """
    import onnxruntime

    from core.ocr.detector import TextDetector
    from core.ocr.reader import PageReader
    from core.ocr.recognizer import LineRecognizer

    # What the variable of the model process does elsewhere (``core.child``), Windows wants to be told so.
    onnxruntime.disable_telemetry_events()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    settings.add_session_config_entry("session.intra_op.allow_spinning", "1" if spinning else "0")

    def session(name: str) -> Any:
        path = model_folder() / name
        if not path.is_file():
            raise LoadFailed(engine="built-in", reason=f"{path} is missing")
        return onnxruntime.InferenceSession(
            str(path), sess_options=settings, providers=["CPUExecutionProvider"]
        )

    return PageReader(TextDetector(session(DETECTION)), LineRecognizer(session(RECOGNITION)))


def places(reader: PageReader, image: RgbImage) -> dict[str, Any]:
    """The answer to ``detect``: where the bubbles are, in reading order."""
    from core.ocr.pixels import to_picture

    found = reader.detect(to_picture(image))
    return {"blocks": [{"box": box.to_json(), "direction": direction.value} for box, direction in found]}


class PpOcrEngine:
    """Finds and reads Japanese text, on the CPU."""

    def __init__(self) -> None:
        self._reader: PageReader | None = None

    def load(self, options: LoadOptions) -> Loaded:
        """Read both models.

        Raises:
            LoadFailed: a model file is missing.
        """
        threads = options.threads or physical_cores()
        self._reader = build_reader(threads)
        return Loaded("cpu", f"PP-OCRv6-small, {threads} threads")

    def run(
        self,
        op: str,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Generator[dict[str, Any], None, dict[str, Any]]:
        """``recognize``: every bubble with its lines; ``detect``: only where the bubbles are;
        ``recognize_many``: several pictures, see ``core.ocr.many.one_by_one``.

        Raises:
            Cancelled: between two batches of lines.
            ReadFailed: the operation is not known, there is no picture, or ``load`` was not called.
        """
        if self._reader is not None and images and op == "recognize_many":
            return (yield from one_by_one(self.run, "built-in", params, images, cancelled))
        if self._reader is None or len(images) != 1 or op not in ("recognize", "detect"):
            raise ReadFailed(engine="built-in", reason=f"{op} cannot be done")
        (image,) = images
        from core.ocr.pixels import to_picture

        if op == "detect":
            return places(self._reader, image)
        blocks = yield from self._reader.read(to_picture(image), cancelled)
        return {"blocks": [block.to_json() for block in blocks], "device": "cpu"}
