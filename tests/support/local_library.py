"""A library with one checkpoint in it: a folder, by default the tiny trained MangaOCR."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.jobs import Job
from core.models.entries import ModelEntry, Progress

TINY_MANGA_OCR = Path(__file__).resolve().parents[1] / "models" / "tiny-manga-ocr"


@dataclass(frozen=True)
class LocalWeights:
    folder: Path
    needs_conversion: bool = False


class LocalLibrary:
    """``folder`` None: nothing was downloaded."""

    def __init__(self, folder: Path | None = TINY_MANGA_OCR) -> None:
        self.folder = folder
        self.needs_conversion = False
        self.conversions: list[Job[LocalWeights]] = []
        self.on_progress: Callable[[Progress], None] | None = None
        self.touched = 0

    def root(self, role: str = "ocr") -> Path:
        return TINY_MANGA_OCR.parent

    def lookup(self, role: str, model_setting: str) -> LocalWeights | None:
        return LocalWeights(self.folder, self.needs_conversion) if self.folder is not None else None

    def convert(
        self, role: str, model_setting: str, on_progress: Callable[[Progress], None] | None = None
    ) -> Job[LocalWeights]:
        """A job that the test ends, and whose progress it tells with ``on_progress``."""
        assert self.folder is not None
        self.on_progress = on_progress
        weights = LocalWeights(self.folder)
        job: Job[LocalWeights] = Job("convert", {}, (), lambda answer, seconds: weights)
        self.conversions.append(job)
        return job

    def touch(self, checkpoint: LocalWeights, role: str) -> None:
        self.touched += 1

    def models(self, role: str) -> list[ModelEntry]:
        return []
