"""The parts of ``random_vision.py`` for types of checkpoint that are not of the LLaVA family.

Chosen for being built differently: positions in three dimensions and pictures as rows of patches
(``qwen2_vl``), tiles with their places written between them (``smolvlm``), windows that slide and pictures
that see themselves whole (``gemma3``), tiles without places (``internvl``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.random_vision import Size

KINDS = ("qwen2_vl", "smolvlm", "gemma3", "internvl")
MARKS = {
    "qwen2_vl": {
        "image_token": "<|image_pad|>",
        "video_token": "<|video_pad|>",
        "vision_start_token": "<|vision_start|>",
        "vision_end_token": "<|vision_end|>",
    },
    "smolvlm": {
        "image_token": "<image>",
        "fake_image_token": "<fake_token_around_image>",
        "global_image_token": "<global-img>",
        "end_of_utterance_token": "<end_of_utterance>",
        "video_token": "<video>",
    },
    "gemma3": {
        "boi_token": "<start_of_image>",
        "eoi_token": "<end_of_image>",
        "image_token": "<image_soft_token>",
    },
    "internvl": {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    },
}
_PICTURE = {
    "qwen2_vl": "<|vision_start|><|image_pad|><|vision_end|>",
    "smolvlm": "<image>",
    "gemma3": "<start_of_image>",
    "internvl": "<IMG_CONTEXT>\\n",
}
_TEMPLATE = (
    "{%% for message in messages %%}{{ message['role'] + ': ' }}{%% for c in message['content'] %%}"
    "{%% if c['type'] == 'image' %%}{{ '%s' }}{%% else %%}{{ c['text'] }}{%% endif %%}{%% endfor %%}"
    "{{ '\\n' }}{%% endfor %%}{%% if add_generation_prompt %%}assistant:{%% endif %%}"
)
_NO_SYSTEM = "{%- if messages[0]['role'] == 'system' -%}{{ raise_exception('No system role') }}{%- endif -%}"
_ROWS = tuple(f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5))


def processor_of(kind: str, size: Size) -> Any:
    import transformers
    from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
    from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

    from core.vision.processors import NO_FILMS, pictures_only
    from tests.support.random_vision import tokenizer

    words = tokenizer(MARKS[kind], _ROWS if kind == "smolvlm" else ())
    template = _TEMPLATE % _PICTURE[kind]
    side = {"height": size.tile, "width": size.tile}
    if kind == "gemma3":
        image = Gemma3ImageProcessorPil(size=side)
        return transformers.Gemma3Processor(image, words, _NO_SYSTEM + template, image_seq_length=4)
    rest = {"tokenizer": words, "video_processor": NO_FILMS, "chat_template": template}
    if kind == "qwen2_vl":
        image = Qwen2VLImageProcessorPil(
            size={"shortest_edge": 28 * 28, "longest_edge": 112 * 112}, patch_size=size.patch
        )
        return pictures_only(transformers.Qwen2VLProcessor)(image, **rest)
    if kind == "smolvlm":
        edge = {"longest_edge": size.tile}
        image = SmolVLMImageProcessorPil(size={"longest_edge": 3 * size.tile}, max_image_size=edge)
        return pictures_only(transformers.SmolVLMProcessor)(image, image_seq_len=4, **rest)
    image = GotOcr2ImageProcessorPil(size=side, crop_to_patches=True, min_patches=1, max_patches=4)
    return pictures_only(transformers.InternVLProcessor)(image, image_seq_length=4, **rest)


def config_of(kind: str, size: Size, tokenizer: Any) -> Any:
    import transformers

    text = {
        "hidden_size": size.width,
        "intermediate_size": size.inner,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "num_key_value_heads": size.heads // 2,
        "vocab_size": size.vocabulary,
        "max_position_embeddings": 4096,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        # Else the likeliest token after a token is that token.
        "tie_word_embeddings": False,
    }
    tower = {
        "hidden_size": size.tower_width,
        "intermediate_size": 2 * size.tower_width,
        "num_hidden_layers": size.tower_layers,
        "num_attention_heads": 4,
        "image_size": size.tile,
        "patch_size": size.patch,
    }
    ids = {name: tokenizer.convert_tokens_to_ids(mark) for name, mark in MARKS[kind].items()}
    if kind == "qwen2_vl":
        head = size.width // size.heads
        rope = {"rope_type": "default", "mrope_section": [head // 4, head // 8, head // 8], "rope_theta": 1e4}
        return transformers.Qwen2VLConfig(
            text_config={**text, "rope_parameters": rope},
            vision_config={
                "depth": size.tower_layers, "embed_dim": size.tower_width, "hidden_size": size.width,
                "num_heads": 4, "mlp_ratio": 2, "patch_size": size.patch,
            },
            image_token_id=ids["image_token"],
            video_token_id=ids["video_token"],
            vision_start_token_id=ids["vision_start_token"],
            vision_end_token_id=ids["vision_end_token"],
        )  # fmt: skip
    if kind == "smolvlm":
        return transformers.SmolVLMConfig(
            text_config={**text, "model_type": "llama"},
            vision_config=tower,
            image_token_id=ids["image_token"],
            scale_factor=2,
            pad_token_id=tokenizer.pad_token_id,
        )
    if kind == "gemma3":
        return transformers.Gemma3Config(
            text_config={**text, "head_dim": 16, "sliding_window": 32, "query_pre_attn_scalar": 16},
            tie_word_embeddings=False,
            vision_config=tower,
            mm_tokens_per_image=4,
            boi_token_index=ids["boi_token"],
            eoi_token_index=ids["eoi_token"],
            image_token_index=ids["image_token"],
        )
    return transformers.InternVLConfig(
        text_config={**text, "model_type": "qwen2"},
        vision_config={**tower, "image_size": [size.tile] * 2, "patch_size": [size.patch] * 2},
        image_token_id=ids["context_image_token"],
        image_seq_length=4,
        tie_word_embeddings=False,
    )
