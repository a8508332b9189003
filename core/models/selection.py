"""Which files of a repository loading needs: configurations, vocabulary, and one set of weights."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.models.layout import BIN_WEIGHTS, WEIGHTS, WEIGHTS_INDEX

_PARTS = re.compile(r"model-\d+-of-\d+\.safetensors")
_TEXTS = re.compile(
    r"(added_tokens|chat_template|config|generation_config|preprocessor_config|processor_config"
    r"|special_tokens_map|tokenizer|tokenizer_config|video_preprocessor_config|vocab)\.json"
    r"|vocab\.txt|merges\.txt|chat_template\.jinja|(spiece|spm|sentencepiece\.bpe|tokenizer)\.model"
)


def choose(names: Iterable[str]) -> list[str]:
    """The names of those, safetensors before a ``.bin``; other frameworks' weights and papers stay away.

    A name with a folder in it is never chosen.
    """
    names = set(names)
    weights = {BIN_WEIGHTS}
    if WEIGHTS in names:
        weights = {WEIGHTS}
    elif parts := {name for name in names if _PARTS.fullmatch(name)}:
        weights = {*parts, WEIGHTS_INDEX}
    return sorted(name for name in names if name in weights or _TEXTS.fullmatch(name))


def has_weights(names: Iterable[str]) -> bool:
    return any(name in (WEIGHTS, BIN_WEIGHTS) or _PARTS.fullmatch(name) for name in names)
