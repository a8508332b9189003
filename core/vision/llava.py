"""LLaVA through transformers: questions about pictures, answered on this machine.

Source of inputs and outputs: the model card of llava-v1.6-mistral-7b (picture, prompt, history, temperature,
top_p, max tokens; text).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.chat import Finish, GenerationOptions, Phase, Token, Usage
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
from core.models.layout import is_other_vision
from core.types import RgbImage

if TYPE_CHECKING:
    import torch

    from core.vision.held import HeldModel
    from core.vision.prompt import Prompt, Turn
    from core.vision.sampler import Sampler
    from core.vision.telling import Telling
    from core.vision.words import Detokenizer

Pieces = Generator[dict[str, Any], None, dict[str, Any]]


class LlavaEngine:
    """The engine ``llava`` of the role ``vision``."""

    def __init__(self) -> None:
        self._network: HeldModel | None = None

    def load(self, options: LoadOptions) -> Loaded:
        """See ``HeldModel``."""
        self._network = self._open(options)
        network = self._network
        notice = None if network.notice is None else network.notice.to_json()
        return Loaded(network.device, network.name, network.precision, notice)

    def _open(self, options: LoadOptions) -> HeldModel:
        return self._kind(options)(options)

    @staticmethod
    def _kind(options: LoadOptions) -> type[HeldModel]:
        """How the checkpoint is run."""
        if is_other_vision(Path(options.checkpoint)):
            # Where this package is installed, transformers may fetch code for some types from the hub.
            sys.modules.setdefault("kernels", None)  # type: ignore[arg-type]
            from core.vision.generated import GeneratedNetwork

            return GeneratedNetwork
        from core.vision.network import VisionNetwork

        return VisionNetwork

    def run(
        self,
        op: str,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Pieces:
        """``ask``: answer the last message; ``prepare``: take the conversation in, for a question to come;
        ``forget``: give back what is remembered of the last conversation.

        Args:
            params: ``messages``: each with ``role``, ``text`` and ``images``, how many of the pictures are
                its own; ``options`` for ``ask``: as ``GenerationOptions.to_json`` gives them. None to forget.

        Yields pieces as ``AnswerPiece`` has them: ``text``, ``phase`` with ``done`` and ``total``,
        ``notice``.

        Raises:
            Cancelled: between two tokens of the answer, or two chunks of the prompt.
            ContextFull: the conversation is longer than the model can take.
            OnePictureOnly: there are several and the model was not taught to look at more than one.
            OutOfMemory, DeviceFailed: the device cannot do it, not even with less.
        """
        if self._network is None or op not in ("ask", "prepare", "forget"):
            raise ReadFailed(engine="LLaVA", reason=f"{op} cannot be done")
        if op == "forget":
            self._network.forget()
            return {}
        from core.vision.prompt import turns_of

        if len(images) > 1 and not self._network.takes_several:
            raise OnePictureOnly(model=self._network.name)
        turns = turns_of(params["messages"], images)
        if op == "prepare":
            return (yield from self._prepare(self._network, turns, cancelled))
        options = GenerationOptions.from_json(params["options"])
        return (yield from _Answering(self._network, turns, options, cancelled).run())

    @staticmethod
    def _prepare(network: HeldModel, turns: list[Turn], cancelled: Callable[[], bool]) -> Pieces:
        if not network.remembers:
            return {"tokens": 0}
        prompt = network.prompt(turns)
        yield from _reading(network, prompt, cancelled)
        return {"tokens": len(prompt.keys)}


def _reading(
    network: HeldModel, prompt: Prompt, cancelled: Callable[[], bool]
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
        network: HeldModel,
        turns: list[Turn],
        options: GenerationOptions,
        cancelled: Callable[[], bool],
    ) -> None:
        from core.vision.sampler import Sampler
        from core.vision.telling import Telling
        from core.vision.words import Detokenizer

        self._network = network
        self._turns = turns
        self._options = options
        self._cancelled = cancelled
        self._sampler: Sampler = Sampler(options, network.generation_config, network.place)
        self._words: Detokenizer = Detokenizer(network.decode)
        self._ends = network.ends()
        self._tokens: list[int] = []
        self._telling: Telling = Telling(options.stop)
        self._token_bytes = network.token_bytes() if options.top_logprobs is not None else None
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
            "text": self._telling.text,
            "finish": finish.value,
            "confidence": self._sampler.confidence,
            "first_seconds": self._first,
            # It may be another one than what was loaded.
            "precision": self._network.precision,
            "usage": usage.to_json(),
        }

    def _steps(self) -> Iterator[tuple[YomitoriError, ...]]:
        """What is done about too little memory, one after the other, and what there is to say about it."""
        network = self._network
        network.forget()
        yield ()
        if network.offload():
            yield (network.offloaded(),)
        if network.see_less():
            yield (SawLess(device=network.device),)
        if network.quantize():
            yield (Quantized(device=network.device, model=network.name, precision=network.precision),)
        elif network.offload():
            yield (network.offloaded(),)

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
                yield from self._tell_rest()
                return Finish.STOP, prompt
            self._tokens.append(token)
            yield from self._tell(self._words.add(token), self._rows(token))
            if not self._telling.stopped and len(self._tokens) >= min(self._options.max_tokens, room):
                yield from self._tell_rest()
                if not self._telling.stopped:
                    return Finish.LENGTH if len(self._tokens) < room else Finish.CONTEXT, prompt
            if self._telling.stopped:
                return Finish.STOP, prompt
            if self._cancelled():
                raise Cancelled
            logits = self._network.step(token)

    def _rows(self, token: int) -> list[dict[str, Any]]:
        """What was chosen last, as ``Telling`` takes it; nothing where nobody asked for tokens."""
        if self._token_bytes is None:
            return []
        bytes_of = self._token_bytes.of
        top = tuple(Token(bytes_of(one), logprob) for one, logprob in self._sampler.likeliest)
        return [Token(bytes_of(token), self._sampler.logprob, top).to_json()]

    def _tell(self, text: str, rows: Sequence[dict[str, Any]] = ()) -> Iterator[dict[str, Any]]:
        # Templates end where an answer begins with a space.
        if not self._telling.begun:
            text = text.lstrip(" ")
            rows = [self._without_space(row) for row in rows]
        yield from self._told(self._telling.add(text, rows))

    def _without_space(self, row: dict[str, Any]) -> dict[str, Any]:
        """A token of what comes before the first character, without the spaces of which nothing is told."""
        row = {**row, "bytes": list(bytes(row["bytes"]).lstrip(b" "))}
        if "top" in row:
            row["top"] = [self._without_space(one) for one in row["top"]]
        return row

    def _tell_rest(self) -> Iterator[dict[str, Any]]:
        yield from self._tell(self._words.end())
        yield from self._told(self._telling.end())

    def _told(self, piece: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if not piece:
            return
        if not self._first:
            self._first = time.perf_counter() - self._started
        yield piece
