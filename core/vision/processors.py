"""Opening a checkpoint's processor: its tokenizer, its chat template, and how it prepares pictures.

Model process only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoProcessor, LlavaOnevisionProcessor


class PicturesOnly(LlavaOnevisionProcessor):
    """LLaVA-OneVision's without its part for films, which needs torchvision."""

    def __init__(
        self,
        image_processor: Any = None,
        tokenizer: Any = None,
        num_image_tokens: int | None = None,
        vision_feature_select_strategy: str | None = None,
        chat_template: str | None = None,
        image_token: str = "<image>",
        vision_aspect_ratio: str = "anyres_max_9",
        **rest: Any,
    ) -> None:
        # The base takes as its parts what this signature names, and passes over the third.
        super().__init__(  # type: ignore[no-untyped-call]
            image_processor,
            tokenizer,
            None,
            num_image_tokens,
            vision_feature_select_strategy,
            chat_template,
            image_token,
            vision_aspect_ratio=vision_aspect_ratio,
        )


def open_processor(folder: Path, model_type: str) -> Any:
    """The processor of a checkpoint of that type; raises what transformers raises."""
    processor: Any = PicturesOnly if model_type == "llava_onevision" else AutoProcessor
    # The PIL form is the one that needs no torchvision.
    return processor.from_pretrained(folder, local_files_only=True, backend="pil")
