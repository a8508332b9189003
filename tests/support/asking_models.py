"""A model that answers questions about pictures, for the desktop: the catalogue's words, real files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.models.catalogue import KnownFile, KnownModel, KnownVision
from tests.support.models_desk import known

TINY_LLAVA = Path(__file__).resolve().parents[1] / "models" / "tiny-llava"
ASKING_REPO = "someone/tiny-llava"
LARGE_REPO = "someone/large-llava"


def known_asking(**changed: Any) -> KnownModel:
    """A small model; ``tiny-llava`` has its files."""
    values: dict[str, Any] = {
        "name": "tiny-llava",
        "role": "vision",
        "title": "Tiny LLaVA",
        "what_for": "Answers questions about shapes.",
        "repo": ASKING_REPO,
        "files": (KnownFile("config.json"), KnownFile("model.safetensors")),
        "download_size": 5_830_000,
        "parameters": 1_400_000,
        "memory": {"fp32": 1_500_000_000, "bf16": 1_200_000_000, "fp16": 1_200_000_000},
        "vision": KnownVision("llava", "fp32", 512, 36, 1536),
    }
    return known(**{**values, **changed})


def known_large(**changed: Any) -> KnownModel:
    """A large one under a licence that is not open."""
    values: dict[str, Any] = {
        "name": "large-llava",
        "title": "Large LLaVA",
        "what_for": "Answers questions about everything.",
        "repo": LARGE_REPO,
        "download_size": 14_100_000_000,
        "parameters": 7_000_000_000,
        "licence": "llama2",
        "licence_open": False,
        "memory": {"fp32": 33_000_000_000, "bf16": 17_000_000_000, "fp16": 17_000_000_000},
    }
    return known_asking(**{**values, **changed})


def catalogue() -> tuple[KnownModel, ...]:
    return (known(), known_asking(), known_large())
