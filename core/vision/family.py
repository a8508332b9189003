"""Which checkpoints can be run: what is known of them without a model library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FAMILY = ("llava", "llava_next", "llava_onevision")
"""Types of checkpoint that are put together alike: a vision tower, a projector and a language model."""
SEVERAL_PICTURES = ("llava_onevision",)
"""Those that were taught to look at more than one."""


def is_original_format(config: Mapping[str, Any]) -> bool:
    """Whether a ``config.json`` is of LLaVA's own code, which transformers cannot load.

    Some of those say ``"model_type": "llava"``, too. Source: the conversion scripts of transformers, which
    read the name of the vision tower from there.
    """
    return "mm_vision_tower" in config


def is_ours(config: object) -> bool:
    """Whether a parsed ``config.json`` is of the family, in the format that can be loaded."""
    if not isinstance(config, Mapping):
        return False
    return config.get("model_type") in FAMILY and not is_original_format(config)
