"""A vision model of the LLaVA family in memory, and what it remembers of the last conversation.

The network is run step by step instead of through ``generate``, so that a long prompt can be cancelled
between pieces, each token comes as soon as it is chosen, and the pictures and words that two prompts begin
with are computed once. ``docs/decisions/011-asking-about-pictures.md`` says more. Model process only.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers import AutoModelForImageTextToText, DynamicCache

from core.engines import LoadOptions
from core.errors import Cancelled, DeviceFailed, ModelUnusable
from core.models.estimate import memory_needed
from core.models.layout import name_of
from core.torch_faults import attempt, check_device, free_cache
from core.vision.family import SEVERAL_PICTURES
from core.vision.precision import QUANTIZED, can_quantize, fitting
from core.vision.processors import open_processor
from core.vision.prompt import Prompt, Turn, build
from core.vision.quantized import half_on, quantization
from core.vision.tiles import TileByTile
from core.weights import TYPES, loading_options, precision_here, prepare_libraries, read_weights

T = TypeVar("T")

CHUNK = 256
"""Tokens of a prompt that go through the network together: between chunks it can be cancelled."""
_TILES, _TILES_CPU = 8, 1
"""Pieces of pictures that go through the vision tower together."""


class VisionNetwork:
    """One checkpoint. Not thread-safe."""

    def __init__(self, options: LoadOptions) -> None:
        """Read the checkpoint into the device's memory.

        Raises:
            ModelUnusable: the folder does not hold such a model, or a damaged one.
            QuantizerMissing: a library for that precision is not installed.
            DeviceFailed, OutOfMemory: not on that device.
        """
        prepare_libraries(options.threads)
        self._folder = Path(options.checkpoint)
        self.device = options.device
        self.place = self._place_on(options.device)
        self.name = name_of(self._folder)
        self._model: Any = None
        self._tower: Any = None
        self._less = False
        self._cache: DynamicCache | None = None
        self._keys: list[int] = []
        # Of the pictures of a prompt that was not read to its end.
        self._features: tuple[int, torch.Tensor] | None = None
        self.precision = self._best(options.precision)
        self._load()
        try:
            self._processor = open_processor(self._folder, self._type)
        except Exception as error:
            reason = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
            raise ModelUnusable(model=self.name, reason=reason) from error

    def _load(self) -> None:
        """Read the weights in ``self.precision``; raises as ``__init__`` does."""
        # Before the reading, in which every exception is taken for the checkpoint's fault.
        quantized = quantization(self.precision, self.device)
        self._dtype = TYPES.get(self.precision) or half_on(self.place)
        options = {**loading_options(self._folder, self.place, self.precision, self._dtype), **quantized}
        self._model = read_weights(self.device, self.name, partial(self._from_pretrained, options))
        config = self._model.config
        self._type = str(config.model_type)
        self._image_token = int(config.image_token_id)
        self.context = int(config.get_text_config().max_position_embeddings)
        tiles = _TILES_CPU if self.place == "cpu" else _TILES
        self._tower = TileByTile(self._model.model.vision_tower, tiles)
        self._model.model.vision_tower = self._tower
        if self._less:
            config.image_grid_pinpoints = self._single()

    def _best(self, asked: str) -> str:
        """``auto`` as this device can: the best precision in which the model fits there now."""
        free = self._free()
        if asked == "auto" and free is not None:

            def need(precision: str) -> int:
                return memory_needed(self._folder, self.device, precision)

            # Where nothing fits, an answer may still, with less in memory than is reckoned with.
            found = fitting(need, free, self.device, asked, can_quantize()) or asked
            asked = found if found in QUANTIZED else asked
        return precision_here(asked, self.place)

    def _free(self) -> int | None:
        """Bytes free on a card once torch has taken what it needs itself; None elsewhere."""
        return torch.cuda.mem_get_info(self.place)[0] if self.place.startswith("cuda") else None

    def _place_on(self, device: str) -> str:
        """What torch calls the device.

        Raises:
            DeviceFailed: torch cannot use it.
        """
        check_device(device)
        return device

    def _from_pretrained(self, options: dict[str, Any]) -> Any:
        """The network and what was amiss with its weights; raises what torch and transformers raise."""
        return AutoModelForImageTextToText.from_pretrained(**options)

    # ---- what the checkpoint says

    @property
    def takes_several(self) -> bool:
        """Whether it was taught to look at more than one picture."""
        return self._type in SEVERAL_PICTURES

    @property
    def generation_config(self) -> Any:
        return self._model.generation_config

    def ends(self) -> frozenset[int]:
        """The tokens that end an answer."""
        told = self._model.generation_config.eos_token_id
        ends = {told} if isinstance(told, int) else set(told or ())
        own = self._processor.tokenizer.eos_token_id
        return frozenset(ends | ({own} if own is not None else set()))

    def decode(self, ids: Sequence[int]) -> str:
        return str(self._processor.tokenizer.decode(list(ids), skip_special_tokens=True))

    def prompt(self, turns: Sequence[Turn]) -> Prompt:
        return build(self._processor, turns, self._image_token)

    def see_less(self) -> bool:
        """Look at a whole picture and one closer look instead of many; False when that is how it is."""
        config = self._model.config
        pinpoints = getattr(config, "image_grid_pinpoints", None)
        if not pinpoints or [list(size) for size in pinpoints] == self._single():
            return False
        self._less = True
        config.image_grid_pinpoints = self._single()
        self._processor.image_processor.image_grid_pinpoints = self._single()
        return True

    def _single(self) -> list[list[int]]:
        tile = int(self._model.config.vision_config.image_size)
        return [[tile, tile]]

    def quantize(self) -> bool:
        """Read the weights anew in 4 bits, on a card; False where that cannot be done, or is how they are.

        Nothing is remembered of the last conversation then.

        Raises:
            OutOfMemory, DeviceFailed: it was begun and failed; the network is of no more use.
        """
        smallest = QUANTIZED[-1]
        if self.precision == smallest or not self.device.startswith("cuda") or not can_quantize():
            return False
        self._model = self._tower = None
        self.forget()
        # The modules of the old network refer to each other in circles.
        gc.collect()
        free_cache(self.place)
        self.precision = smallest
        try:
            self._load()
        except ModelUnusable as error:
            # The files have changed since they were read first: only a new process can tell.
            raise DeviceFailed(device=self.device, reason=str(error.params["reason"])) from error
        return True

    def known(self, prompt: Prompt) -> int:
        """How many tokens of the prompt need not be computed again."""
        # The last token is run in any case, for its logits.
        return _common(self._keys, prompt.keys[:-1])

    # ---- running it

    def forget(self) -> None:
        """Give back what it remembers of the last conversation."""
        self._cache, self._keys, self._features = None, [], None
        free_cache(self.place)

    def read(self, prompt: Prompt, cancelled: Callable[[], bool]) -> Generator[int, None, torch.Tensor]:
        """Take a prompt in. Yields how many of its tokens are in, and returns the logits of the next token,
        of shape (1, vocabulary).

        What the prompt has in common with what was read last is not computed again. A reading that was
        cancelled is gone on with by the next one.

        Raises:
            Cancelled: before a chunk, or before a tile of a picture.
            OutOfMemory, DeviceFailed: the device cannot do it; nothing is remembered then.
        """
        keys = prompt.keys
        self._keep(self.known(prompt))
        yield len(self._keys)
        features = self._look(prompt, cancelled)
        while True:
            if cancelled():
                raise Cancelled
            start = len(self._keys)
            end = min(start + CHUNK, len(keys))
            logits = self._safely(partial(self._run_chunk, prompt, features, start, end))
            self._keys.extend(keys[start:end])
            yield end
            if end == len(keys):
                self._features = None
                return logits

    def step(self, token: int) -> torch.Tensor:
        """The logits of what follows ``token``, of shape (1, vocabulary); raises as ``read`` does."""
        ids = torch.tensor([[token]], device=self.place)
        logits = self._safely(partial(self._run_ids, ids))
        self._keys.append(token)
        return logits

    def _look(self, prompt: Prompt, cancelled: Callable[[], bool]) -> torch.Tensor | None:
        """The features of the prompt's pictures, of shape (image tokens, width); None when none is needed."""
        pictures = next((key for key in prompt.keys[len(self._keys) :] if key < 0), None)
        if pictures is None:
            return None
        if self._features is None or self._features[0] != pictures:

            def between() -> None:
                if cancelled():
                    raise Cancelled

            self._tower.between = between
            self._features = pictures, self._safely(partial(self._encode, prompt))
        return self._features[1]

    @torch.inference_mode()
    def _encode(self, prompt: Prompt) -> torch.Tensor:
        inputs = {
            name: self._moved(value) if isinstance(value, torch.Tensor) else value
            for name, value in prompt.pixels.items()
        }
        found = self._model.model.get_image_features(**inputs, return_dict=True).pooler_output
        return found if isinstance(found, torch.Tensor) else torch.cat(list(found))

    def _moved(self, value: torch.Tensor) -> torch.Tensor:
        return value.to(self.place, self._dtype if value.is_floating_point() else None)

    @torch.inference_mode()
    def _run_chunk(self, prompt: Prompt, features: torch.Tensor | None, start: int, end: int) -> torch.Tensor:
        ids = prompt.ids[:, start:end].to(self.place)
        pictures = ids == self._image_token
        # The token that stands for a picture may lie outside of the vocabulary.
        embedded = self._model.get_input_embeddings()(ids.masked_fill(pictures, 0))
        count = int(pictures.sum())
        if count:
            assert features is not None
            first = sum(key < 0 for key in prompt.keys[:start])
            part = features[first : first + count].to(embedded.dtype)
            embedded = embedded.masked_scatter(pictures[..., None], part)
        return self._run_embedded(embedded)

    @torch.inference_mode()
    def _run_ids(self, ids: torch.Tensor) -> torch.Tensor:
        return self._run_embedded(self._model.get_input_embeddings()(ids))

    def _run_embedded(self, embedded: torch.Tensor) -> torch.Tensor:
        if self._cache is None:
            self._cache = DynamicCache(config=self._model.config.get_text_config())
        found = self._model.model.language_model(
            inputs_embeds=embedded, past_key_values=self._cache, use_cache=True
        )
        logits: torch.Tensor = self._model.lm_head(found.last_hidden_state[:, -1])
        return logits

    @torch.inference_mode()
    def _keep(self, count: int) -> None:
        """Forget all but the first ``count`` tokens."""
        surplus = len(self._keys) - count
        if not surplus:
            return
        if self._cache is None or not count or any(self._cache.is_sliding):
            # A window that slides has dropped what would have to come back.
            self._cache, self._keys = None, []
            return
        self._cache.crop(-surplus)
        del self._keys[count:]

    def _safely(self, work: Callable[[], T]) -> T:
        """What ``work`` returns; after a fault of the device, or a half-done step, nothing is remembered."""
        try:
            found, fault = attempt(self.device, work)
        except Cancelled:
            raise
        except BaseException:
            self.forget()
            raise
        if fault is not None:
            self.forget()
            raise fault
        assert found is not None
        return found


def _common(old: Sequence[int], new: Sequence[int]) -> int:
    """How many of their first numbers are the same."""
    count = 0
    for ours, theirs in zip(old, new, strict=False):
        if ours != theirs:
            break
        count += 1
    return count
