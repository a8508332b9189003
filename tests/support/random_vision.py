"""Checkpoints with random weights, in the published layout: for tests of the machinery on shapes that are not
trained here, and for measurements at sizes that cannot be. Other types than LLaVA: ``random_others.py``."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import random_others

WORDS = (
    "USER ASSISTANT What is in this picture? A cat and a dog. これは何ですか？ 猫です。 Where are they? "
    "On the left side, near the house. Translate the text, please. きゃあっ！ どうしたの？"
)
_LLAVA = (
    "{% for message in messages %}{% if message['role'] == 'system' %}"
    "{% for c in message['content'] %}{{ c['text'] + ' ' }}{% endfor %}"
    "{% else %}{% if message['role'] == 'user' %}USER: {% else %}ASSISTANT: {% endif %}"
    "{% for c in message['content'] if c['type'] == 'image' %}{{ '<image>\n' }}{% endfor %}"
    "{% for c in message['content'] if c['type'] == 'text' %}{{ c['text'] + ' ' }}{% endfor %}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)

_PROJECTORS = ("projector", "merger.mlp", "connector")
_OWN = (
    "num_image_tokens",
    "vision_feature_select_strategy",
    "vision_aspect_ratio",
    "image_seq_len",
    "image_seq_length",
)


@dataclass(frozen=True)
class Size:
    """Widths and layers of the language model and the vision tower; the side of a tile in pixels."""

    width: int = 64
    layers: int = 2
    heads: int = 4
    inner: int = 128
    vocabulary: int = 512
    tower_width: int = 48
    tower_layers: int = 3
    tile: int = 56
    patch: int = 14


SMALL = Size()
MEDIUM = Size(1024, 12, 16, 2816, 32000, 512, 12, 336, 14)
"""0.2 billion weights: large enough that its arithmetic, not Python, takes the time."""


def write(folder: Path, kind: str = "llava", size: Size = SMALL, seed: int = 0) -> Path:
    """Write a checkpoint of the type ``kind`` (``llava``, ``llava_next``, ``llava_onevision``, or one of
    ``random_others.KINDS``) and return its folder."""
    import torch
    from transformers import AutoModelForImageTextToText
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    if kind in random_others.KINDS:
        processor = random_others.processor_of(kind, size)
        config = random_others.config_of(kind, size, processor.tokenizer)
    else:
        processor = _processor(kind, size)
        config = _config(kind, size, processor.tokenizer.convert_tokens_to_ids("<image>"))
    model = AutoModelForImageTextToText.from_config(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            # Spread wide, so that pictures matter, one next token stands out, and small errors cannot
            # change which.
            if any(part in name for part in ("embed_tokens", "lm_head", *_PROJECTORS)):
                weight.normal_(0, 0.3 if any(part in name for part in _PROJECTORS) else 1.0)
            elif kind in random_others.KINDS and any(part in name for part in ("v_proj", "o_proj")):
                weight.normal_(0, 0.2)
    model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    model.save_pretrained(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if hasattr(processor, "video_processor"):
            _save_without_films(processor, folder)
        else:
            processor.save_pretrained(folder)
    return folder


def _save_without_films(processor: Any, folder: Path) -> None:
    """A processor whose part for films is not there, as older checkpoints have theirs."""
    processor.tokenizer.save_pretrained(folder)
    processor.image_processor.save_pretrained(folder)
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": processor.chat_template}))
    own = {name: value for name, value in vars(processor).items() if name in _OWN}
    config = {"processor_class": type(processor).__name__, **own}
    (folder / "processor_config.json").write_text(json.dumps(config))


def _config(kind: str, size: Size, image_token: int) -> Any:
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaNextConfig,
        LlavaOnevisionConfig,
        Qwen2Config,
        SiglipVisionConfig,
    )

    tower = {
        "hidden_size": size.tower_width,
        "intermediate_size": 2 * size.tower_width,
        "num_hidden_layers": size.tower_layers,
        "num_attention_heads": 4,
        "image_size": size.tile,
        "patch_size": size.patch,
    }
    text = {
        "hidden_size": size.width,
        "intermediate_size": size.inner,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "num_key_value_heads": size.heads,
        "vocab_size": size.vocabulary,
        "max_position_embeddings": 4096,
    }
    if kind == "llava":
        return LlavaConfig(
            vision_config=CLIPVisionConfig(**tower),
            text_config=LlamaConfig(**text),
            image_token_index=image_token,
        )
    pinpoints = _pinpoints(size)
    if kind == "llava_next":
        return LlavaNextConfig(
            vision_config=CLIPVisionConfig(**tower),
            text_config=LlamaConfig(**text),
            image_token_index=image_token,
            image_grid_pinpoints=pinpoints,
        )
    return LlavaOnevisionConfig(
        vision_config=SiglipVisionConfig(**tower, vision_use_head=False),
        text_config=Qwen2Config(**text),
        image_token_index=image_token,
        image_grid_pinpoints=pinpoints,
        vision_feature_layer=-1,
    )


def _pinpoints(size: Size) -> list[list[int]]:
    side = size.tile
    return [[side, 2 * side], [2 * side, side], [2 * side, 2 * side], [3 * side, side], [side, 3 * side]]


def _processor(kind: str, size: Size) -> Any:
    from transformers import LlavaNextProcessor, LlavaOnevisionProcessor, LlavaProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
    from transformers.models.llava_onevision.image_processing_pil_llava_onevision import (
        LlavaOnevisionImageProcessorPil,
    )

    from core.vision.processors import NO_FILMS, pictures_only

    fast = tokenizer({"image_token": "<image>"})
    side = {"height": size.tile, "width": size.tile}
    common = {"tokenizer": fast, "chat_template": _LLAVA, "vision_feature_select_strategy": "default"}
    if kind == "llava":
        image = CLIPImageProcessorPil(size=side, crop_size=side, do_center_crop=False)
        return LlavaProcessor(image, patch_size=size.patch, num_additional_image_tokens=1, **common)
    if kind == "llava_next":
        image = LlavaNextImageProcessorPil(
            size={"shortest_edge": size.tile}, crop_size=side, image_grid_pinpoints=_pinpoints(size)
        )
        return LlavaNextProcessor(image, patch_size=size.patch, num_additional_image_tokens=1, **common)
    image = LlavaOnevisionImageProcessorPil(size=side, image_grid_pinpoints=_pinpoints(size))
    patches = (size.tile // size.patch) ** 2
    return pictures_only(LlavaOnevisionProcessor)(
        image,
        video_processor=NO_FILMS,
        num_image_tokens=patches,
        **{**common, "vision_feature_select_strategy": "full"},
    )


def tokenizer(marks: dict[str, str], more: Sequence[str] = ()) -> Any:
    """One that was trained on a few words. ``marks`` are special tokens by the names of its attributes for
    them, ``more`` those without one."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<s>", "</s>", "<pad>", *marks.values(), *more],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([WORDS], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        extra_special_tokens=marks,
    )


if __name__ == "__main__":
    for kind in sys.argv[2:]:
        write(Path(sys.argv[1]) / kind, kind)
