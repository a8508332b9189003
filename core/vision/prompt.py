"""A conversation in the form in which a network takes it. Model process only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from core.chat import Role
from core.types import RgbImage


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
    negative number made of the pictures' contents. ``pixels`` are the other inputs of the network.
    """

    ids: torch.Tensor
    keys: tuple[int, ...]
    pixels: Mapping[str, Any]
    image_tokens: int
    tiles: int


def turns_of(messages: Sequence[Mapping[str, Any]], images: Sequence[RgbImage]) -> list[Turn]:
    """Messages as they cross the pipe: each takes its number of pictures, in order."""
    turns, used = [], 0
    for message in messages:
        count = int(message.get("images", 0))
        turns.append(Turn(Role(message["role"]), message["text"], tuple(images[used : used + count])))
        used += count
    return turns


def build(processor: Any, turns: Sequence[Turn], image_token: int) -> Prompt:
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
    ids = _begun(inputs.pop("input_ids"), processor.tokenizer("").input_ids)
    inputs.pop("attention_mask", None)
    pictures = _fingerprint(turns)
    keys = tuple(pictures if token == image_token else token for token in ids[0].tolist())
    count = keys.count(pictures)
    return Prompt(ids, keys, dict(inputs), count, _tiles(inputs.get("pixel_values")))


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


def _tiles(pixels: torch.Tensor | None) -> int:
    """How many pieces go through the vision tower; the last three dimensions are those of one."""
    if pixels is None:
        return 0
    count = 1
    for size in pixels.shape[:-3]:
        count *= size
    return count
