"""What a network remembers of a conversation, kept where there is room for more. Model process only."""

from __future__ import annotations

from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

ROOM = 256
"""Tokens for which memory is taken ahead."""


class RoomyLayer(DynamicLayer):
    """Keys and values of one layer, of shape (batch, heads, tokens, width).

    Its base copies all of them for every new token, which takes time and memory.
    Here a token is written behind the others, and they are copied only once the room there is used up.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._key_room: torch.Tensor | None = None
        self._value_room: torch.Tensor | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add the keys and values of new tokens; all there are."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        self._key_room, self.keys = _added(self._key_room, key_states, start)
        self._value_room, self.values = _added(self._value_room, value_states, start)
        return self.keys, self.values


def _added(room: torch.Tensor | None, states: torch.Tensor, start: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The room with ``states`` from the token ``start`` on, and the part of it that is used."""
    end = start + states.shape[-2]
    if room is None or room.shape[-2] < end:
        *before, _, width = states.shape
        larger = states.new_empty(*before, end + ROOM, width)
        if room is not None:
            larger[..., :start, :] = room[..., :start, :]
        room = larger
    room[..., start:end, :] = states
    return room, room[..., :end, :]


def empty_cache(config: Any) -> DynamicCache:
    """For the language model of that configuration. Layers of other kinds, such as those with a window that
    slides, are as transformers has them."""
    cache = DynamicCache(config=config)
    cache.layers = [RoomyLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache
