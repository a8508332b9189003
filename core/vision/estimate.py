"""Memory for asking a checkpoint about pictures, from its files; nothing is loaded.

What is counted beside the weights and the libraries: the keys and values of a whole conversation, and the
larger of what looking at a picture and reading a piece of the prompt take for a moment.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.models.tensors import BYTES_PER_VALUE, tensors
from core.vision.family import is_other, is_ours

CONVERSATION = 4096
"""Tokens of questions and answers for which there should be room beside one picture."""
CHUNK = 256
"""Tokens of a prompt that go through the network together (``core.vision.network``)."""
TILES_AT_ONCE = 8
"""At most so many pieces of a picture go through the vision tower together."""
_TILE = {"llava": 336, "llava_next": 336, "llava_onevision": 384}
_PATCH = 14
_NEXT_GRID = ((1, 2), (2, 1), (2, 2), (3, 1), (1, 3))
_ONEVISION_GRID = tuple((rows, columns) for rows in range(1, 7) for columns in range(1, 7))
"""Where a ``config.json`` is silent, these are what transformers takes."""
_SHRUNK_BEYOND = 1.1
PICTURE = 4096
"""Tokens of one picture for types other than the family, whose processors differ too much to be reckoned
after; most make fewer of it."""
_MERGED = 4
"""So many patches of a picture become a token there, with the usual squares of two by two."""
_TEXTS = ("text_config", "llm_config", "language_config")
_LLAMA = {"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "intermediate_size": 11008}
"""The defaults of transformers' ``LlamaConfig``, which published configurations leave out."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a checkpoint.

    ``cache_width`` is how many numbers the keys of one token have in one layer, and its values as many.
    ``context`` is the longest conversation in tokens; ``tiles`` and ``image_tokens`` are the most that one
    picture can become, ``patches`` the tokens of one tile in the vision tower. ``chunk`` is how many tokens
    of a prompt go through the network together, None for all.
    """

    layers: int
    width: int
    inner: int
    cache_width: int
    context: int
    tower_width: int
    tower_inner: int
    tile: int
    patches: int
    tiles: int
    image_tokens: int
    chunk: int | None = CHUNK


def working_bytes(folder: Path, precision: str, context: int | None = None) -> int:
    """What is needed beside the weights and the libraries; 0 for a folder with another kind of model.

    Args:
        precision: what is computed in; quantized weights (``int8``, ``int4``) compute in half.
        context: how many tokens to have room for; None: a picture and a conversation about it, as far as
            the model can take them.
    """
    shape = shape_of(folder)
    return 0 if shape is None else need(shape, BYTES_PER_VALUE.get(precision, 4), context)


def need(shape: Shape, width: int, context: int | None = None) -> int:
    """``working_bytes`` of a checkpoint with that shape, with ``width`` bytes for a number."""
    tokens = min(shape.context, shape.image_tokens + CONVERSATION if context is None else context)
    return cache_bytes(shape, width, tokens) + max(_looking(shape, width), _reading(shape, width, tokens))


def cache_bytes(shape: Shape, width: int, tokens: int) -> int:
    """Keys and values of ``tokens`` tokens."""
    return 2 * shape.layers * shape.cache_width * width * tokens


def _looking(shape: Shape, width: int) -> int:
    """While a picture goes through the vision tower and the projector."""
    tokens = shape.tiles * shape.patches
    pixels = shape.tiles * 3 * shape.tile**2 * (4 + width)
    at_once = (
        min(TILES_AT_ONCE, shape.tiles) * shape.patches * (4 * shape.tower_width + 2 * shape.tower_inner)
    )
    # Of the whole picture: the tower's last layer and the one that is used, then what goes in and out of the
    # projector's layers, and the result put in order.
    kept = tokens * 2 * shape.tower_width
    projected = tokens * 3 * shape.width
    return pixels + (kept + max(at_once, projected)) * width


def _reading(shape: Shape, width: int, tokens: int) -> int:
    """While a piece of the prompt goes through one layer, with the features of a picture beside it."""
    features = shape.image_tokens * shape.width
    piece = (tokens if shape.chunk is None else shape.chunk) * (6 * shape.width + 3 * shape.inner)
    # Attention sees every earlier token, the keys and values repeated for each head.
    attention = 2 * tokens * shape.width
    return (features + piece + attention) * width


def shape_of(folder: Path) -> Shape | None:
    """The sizes of the checkpoint in a folder; None when it is of another kind or cannot be read.

    The shapes of the weights count before what ``config.json`` says, since published ones leave out most.
    """
    config = _read(folder / "config.json")
    if not is_ours(config) and not is_other(config):
        return None
    shapes = {name: entry["shape"] for name, entry in tensors(folder)}
    try:
        return _shape(config, shapes) if is_ours(config) else _other_shape(config, shapes)
    except (TypeError, ValueError, KeyError, AttributeError, ZeroDivisionError):
        return None


def _shape(config: Mapping[str, Any], shapes: Mapping[str, list[int]]) -> Shape:
    text, vision = config.get("text_config") or {}, config.get("vision_config") or {}
    kind = str(config["model_type"])
    tile, patch = int(vision.get("image_size", _TILE[kind])), int(vision.get("patch_size", _PATCH))
    side = tile // patch
    grids = _grids(config, kind, tile)
    layers, width, cache_width, inner = _text(text, shapes)
    tower = [size for name, size in shapes.items() if "vision_tower" in name and name.endswith("fc1.weight")]
    tower_inner, tower_width = tower[0] if tower else (4096, 1024)
    return Shape(
        layers=layers,
        width=width,
        inner=inner,
        cache_width=cache_width,
        context=int(text.get("max_position_embeddings", 2048)),
        tower_width=int(vision.get("hidden_size", tower_width)),
        tower_inner=int(vision.get("intermediate_size", tower_inner)),
        tile=tile,
        # One more for the token that stands for the whole tile in CLIP.
        patches=side**2 + 1,
        tiles=1 + max((rows * columns for rows, columns in grids), default=0),
        image_tokens=_image_tokens(config, side, grids),
    )


def _other_shape(config: Mapping[str, Any], shapes: Mapping[str, list[int]]) -> Shape:
    """Of a type that is not of the family: what most of them have in common."""
    told = (config.get("thinker_config") or config).get
    text = next((part for name in _TEXTS if isinstance(part := told(name), Mapping)), config)
    vision = told("vision_config") or {}
    layers, width, cache_width, inner = _text(text, shapes)
    tower_width = int(vision.get("embed_dim") or vision.get("hidden_size") or 1024)
    patches = _MERGED * PICTURE
    return Shape(
        layers=layers,
        width=width,
        inner=inner,
        cache_width=cache_width,
        context=int(text.get("max_position_embeddings") or CONVERSATION),
        tower_width=tower_width,
        tower_inner=int(vision.get("intermediate_size") or 4 * tower_width),
        tile=_PATCH * math.isqrt(patches),
        patches=patches,
        tiles=1,
        image_tokens=PICTURE,
        chunk=None,
    )


def _text(text: Mapping[str, Any], shapes: Mapping[str, list[int]]) -> tuple[int, int, int, int]:
    """Layers, width, width of the keys, and inner width of the language model."""
    matrices = {name: size for name, size in shapes.items() if len(size) == 2}
    own = {name: size for name, size in matrices.items() if "vision" not in name and "visual" not in name}
    keys = [size for name, size in own.items() if name.endswith("self_attn.k_proj.weight")]
    gates = [size for name, size in own.items() if name.endswith("mlp.gate_proj.weight")]
    if keys and gates:
        return len(keys), keys[0][1], keys[0][0], gates[0][0]
    told = {**_LLAMA, **{name: value for name, value in text.items() if value is not None}}
    width, heads = int(told["hidden_size"]), int(told["num_attention_heads"])
    head = int(told.get("head_dim", width // heads))
    cache_width = int(told.get("num_key_value_heads", heads)) * head
    return int(told["num_hidden_layers"]), width, cache_width, int(told["intermediate_size"])


def _grids(config: Mapping[str, Any], kind: str, tile: int) -> list[tuple[int, int]]:
    """The rows and columns of tiles into which a picture may be cut."""
    if kind == "llava":
        return []
    pinpoints = config.get("image_grid_pinpoints")
    if pinpoints is None:
        return list(_NEXT_GRID if kind == "llava_next" else _ONEVISION_GRID)
    return [(int(height) // tile, int(width) // tile) for height, width in pinpoints]


def _image_tokens(config: Mapping[str, Any], side: int, grids: list[tuple[int, int]]) -> int:
    """The most tokens that one picture can become.

    Source: the processors of transformers: the whole picture as one tile, then the rows of all tiles, as far
    as the picture fills them, each with a token for its end. LLaVA-OneVision makes that smaller when it is
    more than 1.21 times ``anyres_max_N`` tiles.
    """
    whole = side**2
    if not grids:
        return whole + (config.get("vision_feature_select_strategy") == "full")
    aspect = str(config.get("vision_aspect_ratio", "anyres_max_9"))
    most = math.inf
    if config["model_type"] == "llava_onevision":
        most = int(aspect.rpartition("_")[2]) * whole * _SHRUNK_BEYOND**2
    found = 0
    for rows, columns in grids:
        height, width = rows * side, columns * side
        if height * width <= most:
            found = max(found, height * (width + 1))
            continue
        # A picture that leaves so much of the grid empty that the rest is just not made smaller.
        low, narrow = math.floor(most / width), math.floor(most / height)
        found = max(found, low * (width + 1), height * (narrow + 1))
    return whole + found


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
