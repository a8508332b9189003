"""What a network remembers, beside the cache of transformers that it takes the place of."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import torch


def states(tokens: int) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    return torch.rand(1, 4, tokens, 8), torch.rand(1, 4, tokens, 8)


@pytest.mark.parametrize("seed", range(3))
def test_it_remembers_what_the_one_of_transformers_does(seed: int) -> None:
    import torch
    from transformers import DynamicCache, LlamaConfig

    from core.vision.cache import ROOM, empty_cache

    chance = random.Random(seed)
    config = LlamaConfig(num_hidden_layers=2, hidden_size=32, num_attention_heads=4)
    ours, theirs = empty_cache(config), DynamicCache(config=config)
    for _ in range(60):
        # when tokens come, one or many, and some are taken back
        keys, values = states(chance.choice((1, 1, 1, 3, ROOM, ROOM + 1)))
        for layer in range(2):
            for got, wanted in zip(
                ours.update(keys, values, layer), theirs.update(keys, values, layer), strict=True
            ):
                assert torch.equal(got, wanted)
        if chance.random() < 0.4:
            surplus = chance.randint(1, theirs.get_seq_length())
            ours.crop(-surplus)
            theirs.crop(-surplus)
        # then both know the same
        assert ours.get_seq_length() == theirs.get_seq_length()
        assert ours.get_mask_sizes(1, 0) == theirs.get_mask_sizes(1, 0)


def test_a_token_is_written_behind_the_others_without_moving_them() -> None:
    import torch

    from core.vision.cache import ROOM, RoomyLayer

    layer = RoomyLayer()
    first, _ = layer.update(*states(7))
    for _ in range(ROOM):
        keys, _ = layer.update(*states(1))
        assert keys.data_ptr() == first.data_ptr()
    # And then there is room for as many again
    keys, _ = layer.update(*states(1))
    assert keys.data_ptr() != first.data_ptr()
    assert torch.equal(keys[..., :7, :], first)
    again, _ = layer.update(*states(1))
    assert again.data_ptr() == keys.data_ptr()


def test_windows_that_slide_are_left_as_they_are() -> None:
    from transformers import MistralConfig

    from core.vision.cache import RoomyLayer, empty_cache

    config = MistralConfig(num_hidden_layers=2, sliding_window=16)
    cache = empty_cache(config)
    assert cache.is_sliding == [True, True]
    assert not any(isinstance(layer, RoomyLayer) for layer in cache.layers)
