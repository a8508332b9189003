"""The real LLaVA engine, with operations and faults that only tests ask for.

``reference``: what ``generate`` of transformers answers to the same conversation, without anything kept.
``fail``: from now on, faults with the exceptions torch really raises; ``params["faults"]`` maps a place
(``load``, ``encode``, ``chunk``, ``step``; a type that is not of the family takes pictures and prompt in
together, there the first two are the same) to how many of its next calls fail, ``params["what"]`` is ``oom``
or ``cuda``.
``slow``: each call of a place sleeps for so many seconds.
``quantizer``: whether what cards need for quantized weights is installed, ``params["there"]``.

To torch a card is the CPU, quantized weights included.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from typing import Any

from core.engines import LLAVA, EngineSpec, LoadOptions
from core.types import RgbImage
from core.vision.llava import LlavaEngine

PROBED = EngineSpec(
    LLAVA,
    "vision",
    "LLaVA",
    "tests.support.probed_llava:ProbedLlavaEngine",
    10_000_000,
    devices=("cuda", "mps", "cpu"),
    has_checkpoint=True,
    forgets=True,
)


class ProbedLlavaEngine(LlavaEngine):
    def __init__(self) -> None:
        super().__init__()
        self._faults: dict[str, int] = {}
        self._what = "oom"
        self._sleep: dict[str, float] = {}
        self._quantizes = True

    def _open(self, options: LoadOptions) -> Any:
        # Made here because its base imports torch, which only the model process does.
        from core.vision import held
        from core.vision.quantized import quantization

        engine = self
        held.can_quantize = lambda: engine._quantizes  # type: ignore[attr-defined]
        held.quantization = lambda precision, device, kept: quantization(  # type: ignore[attr-defined]
            precision, "cpu", kept
        )
        kind: Any = self._kind(options)

        class Probed(kind):
            def _place_on(self, device: str) -> str:
                # To torch this is the CPU, to the engine a device that is not.
                return "cpu" if device == "cpu" else "cpu:0"

            def _from_pretrained(self, options: Any) -> Any:
                engine.pass_by("load")
                return super()._from_pretrained(options)

            def _encode(self, prompt: Any) -> Any:
                engine.pass_by("encode")
                return super()._encode(prompt)

            def _run_chunk(self, *arguments: Any) -> Any:
                engine.pass_by("chunk")
                return super()._run_chunk(*arguments)

            def _run_ids(self, ids: Any) -> Any:
                engine.pass_by("step")
                return super()._run_ids(ids)

            def _begin(self, prompt: Any) -> Any:
                engine.pass_by("encode")
                engine.pass_by("chunk")
                return super()._begin(prompt)

            def _go_on(self, token: int) -> Any:
                engine.pass_by("step")
                return super()._go_on(token)

        return Probed(options)

    def pass_by(self, place: str) -> None:
        import torch

        time.sleep(self._sleep.get(place, 0.0))
        if self._faults.get(place, 0) > 0:
            self._faults[place] -= 1
            if self._what == "oom":
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
            raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    def run(
        self,
        op: str,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Generator[dict[str, Any], None, dict[str, Any]]:
        if op == "reference":
            return self._reference(params, images)
        if op == "fail":
            self._faults, self._what = dict(params["faults"]), params.get("what", "oom")
            return {}
        if op == "quantizer":
            self._quantizes = params["there"]
            return {}
        if op == "slow":
            self._sleep = dict(params["seconds"])
            return {}
        return (yield from super().run(op, params, images, cancelled))

    def _reference(self, params: Mapping[str, Any], images: tuple[RgbImage, ...]) -> dict[str, Any]:
        import torch

        from core.vision.prompt import turns_of

        network: Any = self._network
        started, times = time.perf_counter(), _Times()
        prompt = network.prompt(turns_of(params["messages"], images))
        options = params["options"]
        draw = options["temperature"] > 0
        chosen = {"temperature": options["temperature"], "top_p": options["top_p"]} if draw else {}
        if network.remembers:
            # What the vision tower is replaced by works under generate as well.
            network._tower.between = lambda: None
        network._model.generation_config = network.generation_config
        with torch.inference_mode():
            found = network._model.generate(
                **prompt.inputs,
                do_sample=draw,
                max_new_tokens=options["max_tokens"],
                streamer=times,
                **chosen,
            )
        tokens = found[0, prompt.ids.shape[1] :].tolist()
        ends = network.ends()
        length = next((n for n, token in enumerate(tokens) if token in ends), len(tokens))
        text = network.decode(tokens[:length]).lstrip(" ")
        return {"text": text, "tokens": length, "first_seconds": times.told[1] - started}


class _Times:
    """A streamer that keeps when it was told the prompt, the first token, and so on."""

    def __init__(self) -> None:
        self.told: list[float] = []

    def put(self, value: Any) -> None:
        self.told.append(time.perf_counter())

    def end(self) -> None:
        pass
