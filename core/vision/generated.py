"""A vision model of any type that transformers knows, run through ``generate``.

``generate`` prepares what differs between types (positions, masks, caches, encoders), then gives the loop
that makes the tokens to us, who stop in it after each and go on with the one that was chosen outside.
``docs/decisions/011-asking-about-pictures.md`` says more. Model process only.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from jinja2 import TemplateError
from transformers import GenerationConfig

from core.chat import Role
from core.engines import LoadOptions
from core.errors import Cancelled, ModelUnusable
from core.torch_faults import free_cache
from core.vision.family import ONE_PICTURE
from core.vision.held import HeldModel
from core.vision.offloading import empty_network
from core.vision.precision import QUANTIZED
from core.vision.prompt import Prompt, Turn, build, image_token_of
from core.vision.quantized import half_on, outside_of_decoder

Logits = Generator[torch.Tensor, int, None]
"""The logits of each next token, of shape (1, vocabulary); it is sent the token that was chosen."""
_TOKENS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
_SPLITS = ("do_image_splitting", "crop_to_patches")
"""Switches of processors that cut a picture into tiles."""
_FEWER_PIXELS = 512 * 28 * 28
"""Where a picture becomes as many tokens as it has pixels for: so many tokens of the usual size."""
_MARKS = ("image_token", "video_token", "audio_token", "boi_token")
"""What processors call the marks in whose places pictures and the like are put."""


class GeneratedNetwork(HeldModel):
    """A checkpoint that is not of the LLaVA family. Not thread-safe."""

    remembers = False

    def __init__(self, options: LoadOptions) -> None:
        self._course: Logits | None = None
        super().__init__(options)
        self._check()

    def _load(self) -> None:
        super()._load()
        # What it says of how tokens are chosen is for our sampler: here they come raw.
        self._told = self._model.generation_config
        tokens = {name: getattr(self._told, name, None) for name in _TOKENS}
        self._model.generation_config = GenerationConfig(**tokens)  # type: ignore[no-untyped-call]

    def _check(self) -> None:
        """Raises ModelUnusable where a conversation with it is not possible."""
        if not self._model.can_generate():
            raise self._unusable("it does not answer in words")
        if self._processor.chat_template is None:
            raise self._unusable("it has no chat template, so it cannot be asked")
        if self._image_token is None:
            self._image_token = image_token_of(self._processor)

    def _kept(self) -> Sequence[str]:
        if self.precision not in QUANTIZED:
            return ()
        return outside_of_decoder(empty_network(self._folder, half_on(self.place)))

    @property
    def takes_several(self) -> bool:
        return self._type not in ONE_PICTURE

    @property
    def generation_config(self) -> Any:
        return self._told

    def prompt(self, turns: Sequence[Turn]) -> Prompt:
        """The prompt of a conversation.

        Raises:
            ModelUnusable: its chat template does not take the conversation, or leaves out its pictures.
        """
        try:
            prompt = self._built(turns)
        except (TemplateError, ValueError) as error:
            raise self._unusable(f"it does not take this conversation ({error})") from error
        asked = any(turn.images for turn in turns)
        if asked and (not prompt.pixels or (self._image_token is not None and not prompt.image_tokens)):
            raise self._unusable("its chat template leaves out pictures")
        return prompt

    def _built(self, turns: Sequence[Turn]) -> Prompt:
        marks = [mark for name in _MARKS if isinstance(mark := getattr(self._processor, name, None), str)]
        turns = [replace(turn, text=_without_marks(turn.text, marks)) for turn in turns]
        try:
            return build(self._processor, turns, self._image_token)
        except TemplateError:
            # Some templates know no system prompt.
            joined = _without_system(turns)
            if len(joined) == len(turns):
                raise
        return build(self._processor, joined, self._image_token)

    def see_less(self) -> bool:
        """Look at a picture as a whole where it is cut into tiles, or at fewer pixels where it is taken as it
        came; False where neither can be."""
        pictures = self._processor.image_processor
        told = getattr(self._processor, "images_kwargs", {})
        splits = [name for name in _SPLITS if told.get(name, getattr(pictures, name, False))]
        for name in splits:
            setattr(pictures, name, False)
        # What a processor says itself counts before its part for pictures.
        self._processor.images_kwargs = {**told, **dict.fromkeys(splits, False)}
        size = dict(getattr(pictures, "size", None) or {})
        fewer = max(_FEWER_PIXELS, size.get("shortest_edge") or 0)
        # With patches that are merged, "edges" are numbers of pixels.
        large = hasattr(pictures, "merge_size") and (size.get("longest_edge") or 0) > fewer
        if large:
            pictures.size = {**size, "longest_edge": fewer}
        return bool(splits) or large

    def known(self, prompt: Prompt) -> int:
        """None: what was read is not kept."""
        return 0

    def forget(self) -> None:
        """Give back what it holds of the answer it is at."""
        self._course = None
        free_cache(self.place)

    def read(self, prompt: Prompt, cancelled: Callable[[], bool]) -> Generator[int, None, torch.Tensor]:
        """Take a prompt in, all of it in one pass; see ``HeldModel.read``.

        Raises:
            Cancelled: before that pass, in which nothing can be stopped.
        """
        self.forget()
        yield 0
        if cancelled():
            raise Cancelled
        logits = self._safely(partial(self._begin, prompt))
        yield len(prompt.keys)
        return logits

    def step(self, token: int) -> torch.Tensor:
        return self._safely(partial(self._go_on, token))

    @torch.inference_mode()
    def _begin(self, prompt: Prompt) -> torch.Tensor:
        inputs = {name: _moved(value, self.place, self._dtype) for name, value in prompt.inputs.items()}
        plain = GenerationConfig(  # type: ignore[no-untyped-call]
            do_sample=False, num_beams=1, max_length=self.context
        )
        self._course = self._model.generate(
            **inputs,
            generation_config=plain,
            custom_generate=_one_by_one,
        )
        return next(self._course)

    @torch.inference_mode()
    def _go_on(self, token: int) -> torch.Tensor:
        assert self._course is not None
        return self._course.send(token)

    def _unusable(self, reason: str) -> ModelUnusable:
        return ModelUnusable(model=self.name, reason=reason)


def _one_by_one(
    model: Any,
    input_ids: torch.Tensor,
    logits_processor: Any,
    stopping_criteria: Any,
    generation_config: GenerationConfig,
    **inputs: Any,
) -> Logits:
    """The loop of ``generate``, as ``_sample`` of transformers has it, but who runs it chooses the tokens."""
    outputs = model._prefill(input_ids, generation_config, inputs)
    while True:
        encodes = model.config.is_encoder_decoder
        inputs = model._update_model_kwargs_for_generation(outputs, inputs, is_encoder_decoder=encodes)
        logits = outputs.logits[:, -1].clone()
        # Of the first pass they may be those of all tokens.
        del outputs
        token = yield logits
        input_ids = torch.cat((input_ids, input_ids.new_tensor([[token]])), dim=1)
        new = 1 if inputs["use_cache"] else None
        given = model.prepare_inputs_for_generation(input_ids, next_sequence_length=new, **inputs)
        outputs = model(**given, return_dict=True)


def _moved(value: Any, place: str, dtype: torch.dtype) -> Any:
    """On the device, and numbers that are computed with in the type of the weights."""
    if isinstance(value, torch.Tensor):
        return value.to(place, dtype if value.is_floating_point() else None)
    if isinstance(value, list | tuple):
        return [_moved(part, place, dtype) for part in value]
    return value


def _without_marks(text: str, marks: Sequence[str]) -> str:
    """With a space in each mark: not every processor tells those in a question from the template's own."""
    for mark in marks:
        text = text.replace(mark, f"{mark[0]} {mark[1:]}")
    return text


def _without_system(turns: Sequence[Turn]) -> list[Turn]:
    """With what the system prompt says before the first question."""
    words = [turn.text for turn in turns if turn.role is Role.SYSTEM]
    others = [turn for turn in turns if turn.role is not Role.SYSTEM]
    if words and others:
        first = others[0]
        others[0] = replace(first, text="\n\n".join([*words, first.text]))
    return others
