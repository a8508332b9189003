"""A conversation in the form in which a network takes it. Model process only."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from core.chat import Role
from core.types import RgbImage

CONTEXT = 4096
"""Tokens of a conversation, where a checkpoint does not say how many it takes."""


@dataclass(frozen=True)
class Turn:
    """A message in the model process."""

    role: Role
    text: str
    images: tuple[RgbImage, ...] = ()


@dataclass(frozen=True)
class Prompt:
    """``ids`` are the tokens, of shape (1, length), with one for each feature of a picture.

    ``keys`` tells prompts apart, one number per token: the tokens themselves, and for those of pictures a
    negative number made of the pictures' contents. ``along`` are inputs of the network with a number for
    each token, such as masks; ``pixels`` are all others. ``image_tokens`` is None where nobody knows.
    """

    ids: torch.Tensor
    keys: tuple[int, ...]
    pixels: Mapping[str, Any]
    image_tokens: int | None
    tiles: int
    along: Mapping[str, torch.Tensor] = field(default_factory=dict)

    @property
    def inputs(self) -> dict[str, Any]:
        """All that the network is given, by the names that ``generate`` of transformers has for it."""
        return {"input_ids": self.ids, **self.along, **self.pixels}


def turns_of(messages: Sequence[Mapping[str, Any]], images: Sequence[RgbImage]) -> list[Turn]:
    """Messages as they cross the pipe: each takes its number of pictures, in order."""
    turns, used = [], 0
    for message in messages:
        count = int(message.get("images", 0))
        turns.append(Turn(Role(message["role"]), message["text"], tuple(images[used : used + count])))
        used += count
    return turns


def image_token_of(source: Any) -> int | None:
    """The token that stands for a feature of a picture, of a configuration or a processor; None when it does
    not say."""
    found = (getattr(source, name, None) for name in ("image_token_id", "image_token_index"))
    return next((token for token in found if isinstance(token, int)), None)


def context_of(config: Any) -> int:
    """How many tokens the language model of that configuration takes."""
    text = config.get_text_config()
    told = (getattr(text, name, None) for name in ("max_position_embeddings", "max_seq_len", "seq_length"))
    return next((size for size in told if isinstance(size, int) and size > 0), CONTEXT)


def build(processor: Any, turns: Sequence[Turn], image_token: int | None) -> Prompt:
    """The prompt of a conversation, in the words of the checkpoint's own chat template.

    What users and answers write is text, also where it looks like one of the template's own marks.
    """
    inputs = processor.apply_chat_template(
        [_message(turn) for turn in turns],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        sanitize_control_tokens=True,
        # Together with the line above, transformers leaves these to whoever calls it.
        processor_kwargs={"add_special_tokens": False},
    )
    found = inputs.pop("input_ids")
    ids = _begun(found, processor.tokenizer("").input_ids)
    added = ids.shape[1] - found.shape[1]
    along = {
        # What is added before the first token is text, as that is.
        name: torch.cat((value[:, :1].repeat(1, added), value), dim=1)
        for name, value in inputs.items()
        if isinstance(value, torch.Tensor) and value.shape == found.shape
    }
    pixels = {name: value for name, value in inputs.items() if name not in along}
    pictures = _fingerprint(turns)
    keys = tuple(pictures if token == image_token else token for token in ids[0].tolist())
    count = None if image_token is None else keys.count(pictures)
    return Prompt(ids, keys, pixels, count, _tiles(pixels), along)


def _begun(ids: torch.Tensor, mark: Sequence[int]) -> torch.Tensor:
    """With the mark that begins every text of this tokenizer, where the template has not written it."""
    begin = torch.tensor([list(mark)], dtype=ids.dtype)
    return ids if torch.equal(ids[:, : len(mark)], begin) else torch.cat((begin, ids), dim=1)


def _message(turn: Turn) -> dict[str, Any]:
    from PIL import Image

    content: list[dict[str, Any]] = [
        {"type": "image", "image": Image.frombytes("RGB", (image.width, image.height), image.data)}
        for image in turn.images
    ]
    return {"role": turn.role.value, "content": [*content, {"type": "text", "text": turn.text}]}


def _fingerprint(turns: Sequence[Turn]) -> int:
    """A negative number for all pictures together.

    Together, because a picture's features may depend on how many there are.
    """
    digest = hashlib.blake2b(digest_size=7)
    for turn in turns:
        for image in turn.images:
            digest.update(image.width.to_bytes(4, "little"))
            digest.update(image.data)
    return -1 - int.from_bytes(digest.digest(), "little")


def _tiles(inputs: Mapping[str, Any]) -> int:
    """How many pieces go through the vision tower."""
    if "image_grid_thw" in inputs:
        # Pictures as rows of patches, each as a whole.
        return len(inputs["image_grid_thw"])
    pixels = inputs.get("pixel_values")
    if pixels is None:
        return 0
    # The last three dimensions are those of a piece.
    parts = [pixels] if isinstance(pixels, torch.Tensor) else pixels
    return sum(math.prod(part.shape[:-3]) for part in parts)
