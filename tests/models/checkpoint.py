"""A small checkpoint laid out as manga-ocr's: ViT encoder, BERT decoder, BertJapaneseTokenizer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import (
    BertConfig,
    GenerationConfig,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
)

IMAGE = 128
PATCH = 16
WIDTH = 128
HEADS = 4
ENCODER_LAYERS = 4
DECODER_LAYERS = 2
INNER = 384
# MangaOcr calls generate(max_length=300): the decoder has to have a position for each.
POSITIONS = 300

PAD, UNK, CLS, SEP, MASK = range(5)
SPECIAL = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
# What the published checkpoint searches with.
SEARCH = {
    "num_beams": 4,
    "length_penalty": 2.0,
    "no_repeat_ngram_size": 3,
    "early_stopping": True,
    "max_length": 300,
}
IDS = {"decoder_start_token_id": CLS, "eos_token_id": SEP, "pad_token_id": PAD}


def build(vocabulary: Sequence[str]) -> VisionEncoderDecoderModel:
    """The model with random weights from torch's current seed, without dropout."""
    shape: dict[str, Any] = {
        "hidden_size": WIDTH,
        "num_attention_heads": HEADS,
        "intermediate_size": INNER,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    encoder = ViTConfig(num_hidden_layers=ENCODER_LAYERS, image_size=IMAGE, patch_size=PATCH, **shape)
    decoder = BertConfig(
        vocab_size=len(vocabulary),
        num_hidden_layers=DECODER_LAYERS,
        max_position_embeddings=POSITIONS,
        pad_token_id=PAD,
        **shape,
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    for name, value in IDS.items():
        setattr(config, name, value)
    model = VisionEncoderDecoderModel(config)
    model.generation_config = GenerationConfig(**SEARCH, **IDS)
    return model


def save(model: VisionEncoderDecoderModel, vocabulary: Sequence[str], folder: Path) -> None:
    """Write the whole checkpoint into a folder that must not exist yet."""
    folder.mkdir(parents=True)
    model.save_pretrained(folder, safe_serialization=True)
    (folder / "model.safetensors").chmod(0o644)
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")
    _write(folder / "special_tokens_map.json", SPECIAL)
    _write(
        folder / "tokenizer_config.json",
        {
            "do_lower_case": False,
            "do_subword_tokenize": True,
            "do_word_tokenize": True,
            **SPECIAL,
            "mecab_kwargs": {"mecab_dic": "unidic_lite"},
            "model_max_length": POSITIONS,
            "never_split": None,
            "subword_tokenizer_type": "character",
            "tokenizer_class": "BertJapaneseTokenizer",
            "word_tokenizer_type": "mecab",
        },
    )
    _write(
        folder / "preprocessor_config.json",
        {
            "do_normalize": True,
            "do_resize": True,
            "feature_extractor_type": "ViTFeatureExtractor",
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
            "resample": 2,
            "size": IMAGE,
        },
    )


def publish(made: Path, target: Path) -> None:
    """Put a finished folder, on the same file system, in the place of another."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.replace(old)
    made.replace(target)
    shutil.rmtree(old, ignore_errors=True)


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
