"""Which checkpoints can be run, and how: what is known of them without a model library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FAMILY = ("llava", "llava_next", "llava_onevision")
"""Types of checkpoint that are put together alike: a vision tower, a projector and a language model."""
SEVERAL_PICTURES = ("llava_onevision",)
"""Those that were taught to look at more than one."""
OTHERS = (
    *("aria", "aya_vision", "chameleon", "cohere2_vision", "cohere_compass", "cosmos3_edge", "cosmos3_omni"),
    *("deepseek_ocr2", "deepseek_vl", "deepseek_vl_hybrid", "dots3_note", "emu3", "ernie4_5_vl_moe"),
    *("exaone4_5", "fast_vlm", "fuyu", "gemma3", "gemma3n", "gemma4", "gemma4_unified", "glm46v", "glm4v"),
    *("glm4v_moe", "glm5_next", "glm_ocr", "glmga", "got_ocr2", "granite4_vision", "granite_docling"),
    *("hunyuan_vl", "hyperclovax_vision_v2", "idefics", "idefics2", "idefics3", "inkling2"),
    *("inkling_mm_model", "internvl", "janus", "kimi_k25", "lfm2_vl", "lfm3_vl", "lighton_ocr", "llama4"),
    *("llava_next_video", "minicpm_ocr", "minicpmv4_6", "minicpmv4_7", "minimax_m3_vl", "mistral3"),
    *("mistral4", "mistral_large4", "mllama", "molmo2", "muse_glimmer", "muse_spark", "nemotron_h_omni"),
    *("ovis2", "paddleocr_vl", "paligemma", "perception_lm", "pp_chart2table", "qianfan_ocr"),
    *("qwen2_5_omni_thinker", "qwen2_5_vl", "qwen2_vl", "qwen3_5", "qwen3_5_moe"),
    *("qwen3_omni_moe_thinker", "qwen3_vl", "qwen3_vl_moe", "qwen4_exp", "smolvlm", "step3p7", "t5gemma2"),
    *("unlimited_ocr", "video_llama_3", "video_llava", "vipllava"),
)
"""Further types that take a conversation with pictures and give text; through transformers' ``generate``."""
NOT_ASKED = (
    *("blip", "blip-2", "diffusion_gemma", "evolla", "florence2", "git", "instructblip"),
    *("instructblipvideo", "kosmos-2", "kosmos-2.5", "pi0", "pix2struct", "pp_formulanet", "shieldgemma2"),
    "udop",
)
"""Types that make text of pictures and are not talked with: they write captions, read forms or formulas,
steer a robot, or do not answer one token after the other."""
ONE_PICTURE = ("fast_vlm", "fuyu", "got_ocr2", "paligemma", "pp_chart2table", "vipllava")
"""Those of ``OTHERS`` that were taught to look at one picture."""
_READING = "vision-encoder-decoder"
"""MangaOCR's type."""


def is_original_format(config: Mapping[str, Any]) -> bool:
    """Whether a ``config.json`` is of LLaVA's own code, which transformers cannot load.

    Some of those say ``"model_type": "llava"``, too. Source: the conversion scripts of transformers, which
    read the name of the vision tower from there.
    """
    return "mm_vision_tower" in config


def is_ours(config: object) -> bool:
    """Whether a parsed ``config.json`` is of the family, in the format that can be loaded."""
    return _is_of(config, FAMILY)


def is_other(config: object) -> bool:
    """Whether a parsed ``config.json`` is of another type that can be asked."""
    return _is_of(config, OTHERS)


def is_about_pictures(config: object) -> bool:
    """Whether a parsed ``config.json`` is of a model for pictures, also one that cannot be asked here."""
    return _is_of(config, (*FAMILY, *OTHERS, *NOT_ASKED)) or needs_code(config)


def needs_code(config: object) -> bool:
    """Whether a model is of a type that transformers does not know, and brings its code with it."""
    if not isinstance(config, Mapping) or is_original_format(config):
        return False
    known = (*FAMILY, *OTHERS, *NOT_ASKED, _READING)
    return bool(config.get("auto_map")) and config.get("model_type") not in known


def _is_of(config: object, types: tuple[str, ...]) -> bool:
    if not isinstance(config, Mapping):
        return False
    return config.get("model_type") in types and not is_original_format(config)
