"""Folders with the files of a MangaOCR checkpoint, in the right formats, of any size, with random weights.

For downloading, checking and removing; nothing reads with them.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

WEIGHTS = "model.safetensors"


def write_checkpoint(folder: Path, seed: int = 1, size: int = 2_000_000) -> Path:
    """Make ``folder`` with ``model.safetensors`` of about ``size`` bytes; each seed has its own contents."""
    folder.mkdir(parents=True)
    texts = {
        "config.json": {"model_type": "vision-encoder-decoder", "seed": seed},
        "preprocessor_config.json": {"image_processor_type": "ViTImageProcessor", "size": 224},
        "generation_config.json": {"num_beams": 4},
        "tokenizer_config.json": {"tokenizer_class": "BertJapaneseTokenizer"},
        "special_tokens_map.json": {"unk_token": "[UNK]"},
    }
    for name, content in texts.items():
        (folder / name).write_text(json.dumps(content, indent=2))
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", *(chr(0x3041 + n) for n in range(80))]))
    (folder / WEIGHTS).write_bytes(_safetensors(seed, size))
    return folder


def _safetensors(seed: int, size: int) -> bytes:
    """One tensor: 8 bytes with the header's length, the header, the numbers."""
    count = size // 4
    entry = {"dtype": "F32", "shape": [count], "data_offsets": [0, count * 4]}
    header = json.dumps({"__metadata__": {"format": "pt"}, "weights": entry}).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + random.Random(seed).randbytes(count * 4)
