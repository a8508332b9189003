"""A vision model in memory: read from its checkpoint, and what it says of itself. Model process only."""

from __future__ import annotations

import gc
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers import AutoModelForImageTextToText

from core.engines import LoadOptions
from core.errors import (
    Cancelled,
    DeviceFailed,
    ModelUnusable,
    Offloaded,
    OutOfMemory,
    Quantized,
    YomitoriError,
)
from core.models.estimate import memory_needed
from core.models.layout import name_of
from core.torch_faults import attempt, check_device, free_cache
from core.vision import offloading
from core.vision.family import SEVERAL_PICTURES
from core.vision.precision import QUANTIZED, can_quantize, fitting
from core.vision.processors import open_processor
from core.vision.prompt import Prompt, Turn, build, context_of, image_token_of
from core.vision.quantized import KEPT, half_on, quantization
from core.vision.words import TokenBytes
from core.weights import TYPES, loading_options, precision_here, prepare_libraries, read_weights

T = TypeVar("T")


class HeldModel(ABC):
    """One checkpoint in memory, whatever way it is run. Not thread-safe."""

    remembers = True
    """Whether it keeps what it has read, so that it can be prepared for a question to come."""

    def __init__(self, options: LoadOptions) -> None:
        """Read the checkpoint into the device's memory.

        Raises:
            ModelUnusable: the folder does not hold such a model, or a damaged one.
            QuantizerMissing, PackageMissing: a library for that precision, or that model, is not installed.
            DeviceFailed, OutOfMemory: not on that device.
        """
        prepare_libraries(options.threads)
        self._folder = Path(options.checkpoint)
        self.device = options.device
        self.place = self._place_on(options.device)
        self.name = name_of(self._folder)
        self._model: Any = None
        self._less = False
        # How many of the last layers are left in RAM when the weights are read.
        self._aside = 0
        self.notice: YomitoriError | None = None
        """What had to be done to have it on that device at all."""
        self.precision = self._best(options.precision)
        self._load_on_device(options.precision)
        try:
            self._processor = open_processor(self._folder, self._type)
        except YomitoriError:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
            raise ModelUnusable(model=self.name, reason=reason) from error

    def _load_on_device(self, asked: str) -> None:
        """Read the weights, with what a card that turns out to be too small makes necessary."""
        try:
            return self._load()
        except OutOfMemory as error:
            fault = error.with_traceback(None)
        if self.precision in QUANTIZED or not self.device.startswith("cuda"):
            raise fault
        self._drop()
        if asked == "auto" and can_quantize():
            self.precision = QUANTIZED[-1]
            self._load()
            self.notice = Quantized(device=self.device, model=self.name, precision=self.precision)
            return None
        self._aside = self._layers_to_leave()
        if not self._aside:
            raise fault
        self._load()
        self.notice = self.offloaded()
        return None

    def _layers_to_leave(self) -> int:
        """How many layers to leave in RAM; 0 when that has no room."""
        free = self._free()
        need = memory_needed(self._folder, self.device, self.precision)
        empty = offloading.empty_network(self._folder, TYPES[self.precision])
        return offloading.layers_to_leave(empty, None if free is None else need - free)

    def _load(self) -> None:
        """Read the weights in ``self.precision``; raises as ``__init__`` does."""
        # Before the reading, in which every exception is taken for the checkpoint's fault.
        quantized = quantization(self.precision, self.device, self._kept())
        self._dtype = TYPES.get(self.precision) or half_on(self.place)
        options = {**loading_options(self._folder, self.place, self.precision, self._dtype), **quantized}
        if self._aside:
            empty = offloading.empty_network(self._folder, self._dtype)
            options["device_map"] = offloading.placement(empty, self.place, self._aside)
        with offloading.unwarned():
            self._model = read_weights(self.device, self.name, partial(self._from_pretrained, options))
        if self._aside:
            offloading.let_wait(self._model, self.device, self._aside)
        config = self._model.config
        self._type = str(config.model_type)
        self._image_token = image_token_of(config)
        self.context = context_of(config)
        if self._less:
            config.image_grid_pinpoints = self._single()

    def _kept(self) -> Sequence[str]:
        """Modules that are not quantized, as ``quantization`` wants them."""
        return KEPT

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

    def token_bytes(self) -> TokenBytes:
        return TokenBytes(self._processor.tokenizer)

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

    def offload(self) -> bool:
        """Have more of the language model's layers wait in RAM, on a card: answers stay the same and take
        longer. False where that cannot be done, or all that may wait do.

        Raises:
            DeviceFailed: the card broke; the network is of no more use.
        """
        # What a card computes with in fewer bits is more than a tensor, and does not stand the moving.
        if self.precision in QUANTIZED or not self.device.startswith("cuda"):
            return False
        more = offloading.offload(self._model, self.device)
        free_cache(self.place)
        return more

    def offloaded(self) -> Offloaded:
        """What there is to say about layers that wait in RAM."""
        count, total = offloading.waiting(self._model)
        return Offloaded(device=self.device, model=self.name, count=count, total=total)

    def quantize(self) -> bool:
        """Read the weights anew in 4 bits, on a card; False where that cannot be done, or is how they are.

        Nothing is remembered of the last conversation then.

        Raises:
            OutOfMemory, DeviceFailed: it was begun and failed; the network is of no more use.
        """
        smallest = QUANTIZED[-1]
        if self.precision == smallest or not self.device.startswith("cuda") or not can_quantize():
            return False
        self._drop()
        self._aside = 0
        self.precision = smallest
        try:
            self._load()
        except ModelUnusable as error:
            # The files have changed since they were read first: only a new process can tell.
            raise DeviceFailed(device=self.device, reason=str(error.params["reason"])) from error
        return True

    def _drop(self) -> None:
        """Give back the weights, and what is remembered."""
        self._model = None
        self.forget()
        # The modules of the old network refer to each other in circles.
        gc.collect()
        free_cache(self.place)

    # ---- running it

    @abstractmethod
    def known(self, prompt: Prompt) -> int:
        """How many tokens of the prompt need not be computed again."""

    @abstractmethod
    def forget(self) -> None:
        """Give back what it remembers of the last conversation."""

    @abstractmethod
    def read(self, prompt: Prompt, cancelled: Callable[[], bool]) -> Generator[int, None, torch.Tensor]:
        """Take a prompt in. Yields how many of its tokens are in, and returns the logits of the next token,
        of shape (1, vocabulary).

        Raises:
            Cancelled: as often as it can stop.
            OutOfMemory, DeviceFailed: the device cannot do it; nothing is remembered then.
        """

    @abstractmethod
    def step(self, token: int) -> torch.Tensor:
        """The logits of what follows ``token``, of shape (1, vocabulary); raises as ``read`` does."""

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
