"""LLaVA through transformers: questions about pictures, answered on this machine.

Source of inputs and outputs: the model card of llava-v1.6-mistral-7b (picture, prompt, history, temperature,
top_p, max tokens; text).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from core.chat import Finish, GenerationOptions, Phase, Usage
from core.engines import Loaded, LoadOptions
from core.errors import (
    Cancelled,
    ContextFull,
    OnePictureOnly,
    OutOfMemory,
    Quantized,
    ReadFailed,
    SawLess,
    YomitoriError,
)
from core.types import RgbImage

if TYPE_CHECKING:
    import torch

    from core.vision.network import VisionNetwork
    from core.vision.prompt import Prompt, Turn
    from core.vision.sampler import Sampler
    from core.vision.words import Detokenizer

Pieces = Generator[dict[str, Any], None, dict[str, Any]]


class LlavaEngine:
    """The engine ``llava`` of the role ``vision``."""

    def __init__(self) -> None:
        self._network: VisionNetwork | None = None

    def load(self, options: LoadOptions) -> Loaded:
        """See ``VisionNetwork``."""
        self._network = self._open(options)
        return Loaded(self._network.device, self._network.name, self._network.precision)

    def _open(self, options: LoadOptions) -> VisionNetwork:
        from core.vision.network import VisionNetwork

        return VisionNetwork(options)

    def run(
        self,
        op: str,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Pieces:
        """``ask``: answer the last message; ``prepare``: take the conversation in, for a question to come.

        Args:
            params: ``messages``: each with ``role``, ``text`` and ``images``, how many of the pictures are
                its own; ``options`` for ``ask``: as ``GenerationOptions.to_json`` gives them.

        Yields pieces as ``AnswerPiece`` has them: ``text``, ``phase`` with ``done`` and ``total``,
        ``notice``.

        Raises:
            Cancelled: between two tokens of the answer, or two chunks of the prompt.
            ContextFull: the conversation is longer than the model can take.
            OnePictureOnly: there are several and the model was not taught to look at more than one.
            OutOfMemory, DeviceFailed: the device cannot do it, not even with less.
        """
        if self._network is None or op not in ("ask", "prepare"):
            raise ReadFailed(engine="LLaVA", reason=f"{op} cannot be done")
        from core.vision.prompt import turns_of

        if len(images) > 1 and not self._network.takes_several:
            raise OnePictureOnly(model=self._network.name)
        turns = turns_of(params["messages"], images)
        if op == "prepare":
            return (yield from self._prepare(self._network, turns, cancelled))
        options = GenerationOptions.from_json(params["options"])
        return (yield from _Answering(self._network, turns, options, cancelled).run())

    @staticmethod
    def _prepare(network: VisionNetwork, turns: list[Turn], cancelled: Callable[[], bool]) -> Pieces:
        prompt = network.prompt(turns)
        yield from _reading(network, prompt, cancelled)
        return {"tokens": len(prompt.keys)}


def _reading(
    network: VisionNetwork, prompt: Prompt, cancelled: Callable[[], bool]
) -> Generator[dict[str, Any], None, torch.Tensor]:
    """Take a prompt in, telling how far it is; the logits of what follows."""
    steps = network.read(prompt, cancelled)
    phase = Phase.ENCODING
    try:
        while True:
            done = next(steps)
            yield {"phase": phase.value, "done": done, "total": len(prompt.keys)}
            phase = Phase.READING
    except StopIteration as end:
        logits: torch.Tensor = end.value
        return logits


class _Answering:
    """One answer, from the prompt to its last token, also through the steps of running out of memory."""

    def __init__(
        self,
        network: VisionNetwork,
        turns: list[Turn],
        options: GenerationOptions,
        cancelled: Callable[[], bool],
    ) -> None:
        from core.vision.sampler import Sampler
        from core.vision.words import Detokenizer

        self._network = network
        self._turns = turns
        self._options = options
        self._cancelled = cancelled
        self._sampler: Sampler = Sampler(options, network.generation_config, network.place)
        self._words: Detokenizer = Detokenizer(network.decode)
        self._ends = network.ends()
        self._tokens: list[int] = []
        self._text = ""
        self._reused: int | None = None
        self._started = time.perf_counter()
        self._first = 0.0

    def run(self) -> Pieces:
        steps = self._steps()
        while True:
            try:
                finish, prompt = yield from self._go_on()
                break
            except OutOfMemory as error:
                # Its frames hold tensors, which have to be free before the next try.
                fault = error.with_traceback(None)
            notices = next(steps, None)
            if notices is None:
                raise fault
            for notice in notices:
                yield {"notice": notice.to_json()}
        usage = Usage(
            prompt=len(prompt.keys),
            answer=len(self._tokens),
            images=prompt.image_tokens,
            reused=self._reused,
            tiles=prompt.tiles,
            context=self._network.context,
        )
        return {
            "text": self._text,
            "finish": finish.value,
            "confidence": self._sampler.confidence,
            "first_seconds": self._first,
            # It may be another one than what was loaded.
            "precision": self._network.precision,
            "usage": usage.to_json(),
        }

    def _steps(self) -> Iterator[tuple[YomitoriError, ...]]:
        """What is done about too little memory, one after the other, and what there is to say about it."""
        self._network.forget()
        yield ()
        if self._network.see_less():
            yield (SawLess(device=self._network.device),)
        if self._network.quantize():
            network = self._network
            yield (Quantized(device=network.device, model=network.name, precision=network.precision),)

    def _go_on(self) -> Generator[dict[str, Any], None, tuple[Finish, Prompt]]:
        """Answer, or go on with the answer after what was already told."""
        prompt = self._network.prompt(self._turns)
        if self._reused is None:
            self._reused = self._network.known(prompt)
        room = self._network.context - len(prompt.keys)
        if room < 1:
            raise ContextFull(tokens=len(prompt.keys), limit=self._network.context)
        logits = yield from _reading(self._network, prompt, self._cancelled)
        for token in self._tokens:
            logits = self._network.step(token)
        yield {"phase": Phase.ANSWERING.value}
        while True:
            token = self._sampler.choose(prompt.ids, self._tokens, logits)
            if token in self._ends:
                yield from self._tell(self._words.end())
                return Finish.STOP, prompt
            self._tokens.append(token)
            yield from self._tell(self._words.add(token))
            if len(self._tokens) >= min(self._options.max_tokens, room):
                yield from self._tell(self._words.end())
                return Finish.LENGTH if len(self._tokens) < room else Finish.CONTEXT, prompt
            if self._cancelled():
                raise Cancelled
            logits = self._network.step(token)

    def _tell(self, text: str) -> Iterator[dict[str, Any]]:
        if not text:
            return
        if not self._text:
            self._first = time.perf_counter() - self._started
            # Templates end where an answer begins with a space.
            text = text.lstrip(" ")
        self._text += text
        yield {"text": text}
