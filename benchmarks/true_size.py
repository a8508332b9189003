"""A checkpoint of MangaOCR's true size with random weights, to measure time and memory without the real one.

``python -m benchmarks.true_size FOLDER``: 111 million parameters, 444 MB, in the format of
``kha-white/manga-ocr-base`` (ViT-base, 2 layers of BERT, 6,144 characters). It reads nonsense of about as
many characters as a bubble holds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

SIZE = 444_000_000
"""Bytes, about."""
TOKENS = 20
"""The search is made to end soon after so many: random weights would go on to the limit of 300."""
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_CHARACTERS = 6144


def characters() -> list[str]:
    """As many as the real vocabulary has: kana, then kanji in order of their codes."""
    found = [chr(code) for code in (*range(0x3041, 0x3097), *range(0x30A1, 0x30FD), *range(0x4E00, 0x9FA5))]
    return [*_SPECIAL, *found[: _CHARACTERS - len(_SPECIAL)]]


def write(folder: Path, tokens: int = TOKENS) -> None:
    """Write the checkpoint; the same weights every time."""
    import torch
    from transformers import (
        BertConfig,
        BertJapaneseTokenizer,
        GenerationConfig,
        VisionEncoderDecoderConfig,
        VisionEncoderDecoderModel,
        ViTConfig,
        ViTImageProcessorPil,
    )
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(characters()) + "\n", encoding="utf-8")
    torch.manual_seed(0)
    decoder = BertConfig(
        vocab_size=_CHARACTERS,
        num_hidden_layers=2,
        is_decoder=True,
        add_cross_attention=True,
        initializer_range=0.1,
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(ViTConfig(), decoder)
    marks = {"decoder_start_token_id": 2, "pad_token_id": 0, "eos_token_id": 3}
    for name, value in marks.items():
        setattr(config, name, value)
    model = VisionEncoderDecoderModel(config=config)
    model.generation_config = GenerationConfig(
        **marks,
        max_length=300,
        num_beams=4,
        length_penalty=2.0,
        no_repeat_ngram_size=3,
        early_stopping=True,
        exponential_decay_length_penalty=(tokens, 2.0),
    )
    model.save_pretrained(folder)
    BertJapaneseTokenizer(
        str(vocabulary), word_tokenizer_type="mecab", subword_tokenizer_type="character"
    ).save_pretrained(folder)
    ViTImageProcessorPil().save_pretrained(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokens", type=int, default=TOKENS)
    options = parser.parse_args()
    write(options.folder, options.tokens)
    size = sum(file.stat().st_size for file in options.folder.iterdir())
    print(f"{options.folder}: {size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
