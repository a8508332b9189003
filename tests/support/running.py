"""A model process with one engine in it, driven frame by frame, without a host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.engines import EngineSpec, LoadOptions
from core.errors import from_json
from core.process import ModelProcess
from core.types import RgbImage


class Running:
    """It can be told to load again and again, which spares importing torch each time.

    ``options`` are fields of ``LoadOptions`` for every load.
    """

    def __init__(self, spec: EngineSpec, **options: Any) -> None:
        self._spec = spec
        self._options = {"threads": 1, **options}
        self._process = ModelProcess()
        self._jobs = 0
        self.loaded: dict[str, Any] = {}

    def load(self, spec: EngineSpec | None = None, **options: Any) -> dict[str, Any]:
        """What was loaded, kept in ``loaded`` as well; raises what loading raised."""
        self._process.load(spec or self._spec, LoadOptions(**{**self._options, **options}))
        self.loaded = self._answer("loaded")[0]
        return self.loaded

    def run(
        self, op: str, params: dict[str, Any], images: Sequence[RgbImage] = ()
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The result of a job and its pieces; raises what the job raised."""
        self.start(op, params, images)
        return self.finish()

    def start(self, op: str, params: dict[str, Any], images: Sequence[RgbImage] = ()) -> None:
        self._jobs += 1
        self._process.run(self._jobs, op, params, images)

    def piece(self) -> dict[str, Any]:
        """The next piece of the job that was started."""
        header = self._process.receive()
        assert header["kind"] == "piece", header
        piece: dict[str, Any] = header["piece"]
        return piece

    def frame(self) -> dict[str, Any]:
        """The header of the next frame, whatever it is; an error is raised."""
        header = self._process.receive()
        if header["kind"] == "error":
            raise from_json(header["error"])
        return header

    def finish(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        header, pieces = self._answer("done")
        return header["result"], pieces

    def cancel(self) -> None:
        self._process.cancel(self._jobs)

    def end(self) -> None:
        self._process.end()

    def _answer(self, kind: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        pieces = []
        while True:
            header = self.frame()
            if header["kind"] == kind:
                return header, pieces
            if header["kind"] == "piece":
                pieces.append(header["piece"])
