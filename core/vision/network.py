"""A vision model of the LLaVA family, run step by step, and what it remembers of the last conversation.

Not through ``generate``, so that a long prompt can be cancelled between pieces, each token comes as soon as
it is chosen, and the pictures and words that two prompts begin with are computed once.
``docs/decisions/011-asking-about-pictures.md`` says more. Model process only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from functools import partial

import torch
from transformers import DynamicCache

from core.engines import LoadOptions
from core.errors import Cancelled
from core.torch_faults import free_cache
from core.vision.cache import empty_cache
from core.vision.held import HeldModel
from core.vision.prompt import Prompt
from core.vision.tiles import TileByTile

CHUNK = 256
"""Tokens of a prompt that go through the network together: between chunks it can be cancelled."""
_TILES, _TILES_CPU = 8, 1
"""Pieces of pictures that go through the vision tower together."""


class VisionNetwork(HeldModel):
    """A checkpoint put together of a vision tower, a projector and a language model. Not thread-safe."""

    def __init__(self, options: LoadOptions) -> None:
        self._cache: DynamicCache | None = None
        self._keys: list[int] = []
        # Of the pictures of a prompt that was not read to its end.
        self._features: tuple[int, torch.Tensor] | None = None
        super().__init__(options)

    def _load(self) -> None:
        super()._load()
        tiles = _TILES_CPU if self.place == "cpu" else _TILES
        self._model.model.vision_tower = TileByTile(self._model.model.vision_tower, tiles)

    @property
    def _tower(self) -> TileByTile:
        tower: TileByTile = self._model.model.vision_tower
        return tower

    def known(self, prompt: Prompt) -> int:
        """How many tokens of the prompt need not be computed again."""
        # The last token is run in any case, for its logits.
        return _common(self._keys, prompt.keys[:-1])

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
        for end in _ends(len(self._keys), len(keys)):
            if cancelled():
                raise Cancelled
            start = len(self._keys)
            logits = self._safely(partial(self._run_chunk, prompt, features, start, end))
            self._keys.extend(keys[start:end])
            yield end
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
        # The family's always say which it is.
        pictures: torch.Tensor = ids == self._image_token  # type: ignore[assignment]
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
            self._cache = empty_cache(self._model.config.get_text_config())
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


def _ends(start: int, end: int) -> Sequence[int]:
    """Where the chunks of the tokens from ``start`` to ``end`` end.

    All are about as large: a small one takes almost as long as a large one.
    """
    tokens = end - start
    count = math.ceil(tokens / CHUNK)
    return [start + tokens * number // count for number in range(1, count + 1)]


def _common(old: Sequence[int], new: Sequence[int]) -> int:
    """How many of their first numbers are the same."""
    count = 0
    for ours, theirs in zip(old, new, strict=False):
        if ours != theirs:
            break
        count += 1
    return count
