"""Models that people know by the id of their original, and the conversion that can be loaded.

LLaVA's own code writes checkpoints that transformers does not read. Their conversions lie under
``llava-hf``, most of them put there by the scripts of transformers that made them.
"""

from __future__ import annotations

from dataclasses import dataclass

_CONVERTED = {
    "liuhaotian/llava-v1.5-7b": "llava-hf/llava-1.5-7b-hf",
    "liuhaotian/llava-v1.5-13b": "llava-hf/llava-1.5-13b-hf",
    "liuhaotian/llava-v1.6-mistral-7b": "llava-hf/llava-v1.6-mistral-7b-hf",
    "liuhaotian/llava-v1.6-vicuna-7b": "llava-hf/llava-v1.6-vicuna-7b-hf",
    "liuhaotian/llava-v1.6-vicuna-13b": "llava-hf/llava-v1.6-vicuna-13b-hf",
    "liuhaotian/llava-v1.6-34b": "llava-hf/llava-v1.6-34b-hf",
    "lmms-lab/llava-onevision-qwen2-0.5b-ov": "llava-hf/llava-onevision-qwen2-0.5b-ov-hf",
    "lmms-lab/llava-onevision-qwen2-0.5b-si": "llava-hf/llava-onevision-qwen2-0.5b-si-hf",
    "lmms-lab/llava-onevision-qwen2-7b-ov": "llava-hf/llava-onevision-qwen2-7b-ov-hf",
    "lmms-lab/llava-onevision-qwen2-7b-si": "llava-hf/llava-onevision-qwen2-7b-si-hf",
    "lmms-lab/llava-onevision-qwen2-7b-ov-chat": "llava-hf/llava-onevision-qwen2-7b-ov-chat-hf",
    "lmms-lab/llava-onevision-qwen2-72b-ov-chat": "llava-hf/llava-onevision-qwen2-72b-ov-chat-hf",
}


@dataclass(frozen=True, slots=True)
class Renamed:
    """``new`` is taken where ``old`` is named. ``why`` is a sentence for the user."""

    old: str
    new: str

    @property
    def why(self) -> str:
        return (
            f"{self.old} is in LLaVA's original format, which cannot be loaded. "
            f"Its conversion {self.new} is taken instead."
        )


def conversion_of(name: str) -> Renamed | None:
    """What to take for a hub id; None when it can be taken itself, or no conversion is known.

    ``name`` may end with ``@revision``, which means nothing for the conversion.
    """
    old = name.partition("@")[0]
    new = _CONVERTED.get(old)
    return Renamed(old, new) if new is not None else None


def all_renamed() -> tuple[Renamed, ...]:
    return tuple(Renamed(old, new) for old, new in _CONVERTED.items())
