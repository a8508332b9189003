"""Folders with the configuration and the shapes of weights that the published vision models have.

No weights: files are as long as they should be and hold nothing. The configurations are those of the hub
where they were seen (LLaVA 1.5 7B, 1.6 Mistral), else what the conversion scripts of transformers make.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_CLIP = {
    "hidden_size": 1024,
    "image_size": 336,
    "intermediate_size": 4096,
    "model_type": "clip_vision_model",
    "num_attention_heads": 16,
    "num_hidden_layers": 24,
    "patch_size": 14,
    "projection_dim": 768,
    "vocab_size": 32000,
}
_SIGLIP = {
    "hidden_size": 1152,
    "image_size": 384,
    "intermediate_size": 4304,
    "model_type": "siglip_vision_model",
    "num_attention_heads": 16,
    "num_hidden_layers": 26,
    "patch_size": 14,
    "vision_use_head": False,
}
# Nearly empty, as it is published: the rest are the defaults of LlamaConfig.
_VICUNA = {"max_position_embeddings": 4096, "model_type": "llama", "rms_norm_eps": 1e-05, "vocab_size": 32064}
_VICUNA_13B = _VICUNA | {
    "hidden_size": 5120,
    "intermediate_size": 13824,
    "num_attention_heads": 40,
    "num_hidden_layers": 40,
    "num_key_value_heads": 40,
}
_MISTRAL = {
    "intermediate_size": 14336,
    "max_position_embeddings": 32768,
    "model_type": "mistral",
    "num_key_value_heads": 8,
    "rms_norm_eps": 1e-05,
    "rope_theta": 1000000.0,
    "sliding_window": None,
    "vocab_size": 32064,
}
_QWEN2 = {
    "hidden_size": 896,
    "intermediate_size": 4864,
    "max_position_embeddings": 32768,
    "model_type": "qwen2",
    "num_attention_heads": 14,
    "num_hidden_layers": 24,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
    "vocab_size": 152000,
}
_QWEN2_7B = _QWEN2 | {
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_attention_heads": 28,
    "num_hidden_layers": 28,
    "num_key_value_heads": 4,
    "tie_word_embeddings": False,
    "vocab_size": 152128,
}
_NEXT = {
    "model_type": "llava_next",
    "image_grid_pinpoints": [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]],
    "vision_config": _CLIP,
    "vision_feature_select_strategy": "default",
}
_ONEVISION = {
    "model_type": "llava_onevision",
    "image_grid_pinpoints": [[384 * rows, 384 * columns] for rows in range(1, 7) for columns in range(1, 7)],
    "vision_config": _SIGLIP,
    "vision_aspect_ratio": "anyres_max_9",
    "vision_feature_layer": -1,
    "vision_feature_select_strategy": "full",
}
_LLAVA = {"model_type": "llava", "vision_config": _CLIP, "vision_feature_select_strategy": "default"}

PUBLISHED: dict[str, dict[str, Any]] = {
    "llava-onevision-0.5b": _ONEVISION | {"text_config": _QWEN2, "tie_word_embeddings": True},
    "llava-onevision-7b": _ONEVISION | {"text_config": _QWEN2_7B, "tie_word_embeddings": False},
    "llava-1.6-mistral-7b": _NEXT | {"text_config": _MISTRAL, "tie_word_embeddings": False},
    "llava-1.6-vicuna-7b": _NEXT | {"text_config": _VICUNA, "tie_word_embeddings": False},
    "llava-1.5-7b": _LLAVA | {"text_config": _VICUNA, "tie_word_embeddings": False},
    "llava-1.5-13b": _LLAVA | {"text_config": _VICUNA_13B, "tie_word_embeddings": False},
}
"""By the name in the catalogue."""


def write_published(folder: Path, name: str) -> Path:
    """Write that model's ``config.json`` and weights of its shapes in fp16, in one sparse file."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(PUBLISHED[name]))
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    position = 0
    for tensor, shape in _shapes(PUBLISHED[name]).items():
        size = 2
        for count in shape:
            size *= count
        header[tensor] = {"dtype": "F16", "shape": shape, "data_offsets": [position, position + size]}
        position += size
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + position)
    return folder


def _shapes(config: dict[str, Any]) -> dict[str, list[int]]:
    """The names and shapes of the weights that transformers makes for a configuration."""
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText

    made = AutoConfig.for_model(**config)
    with torch.device("meta"):
        network = AutoModelForImageTextToText.from_config(made)
    return {name: list(weight.shape) for name, weight in network.named_parameters(remove_duplicate=True)}
