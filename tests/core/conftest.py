"""What is slow to come by, once for all processes that run tests."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from core.models.lock import locked
from tests.support.local_library import TINY_MANGA_OCR
from tests.support.manga_ocr_reads import Reads, read_stored

_LIMIT = 600.0


@pytest.fixture(scope="session")
def package_reads(tmp_path_factory: pytest.TempPathFactory) -> Reads:
    """Every stored crop, read by the manga-ocr package. The first process that needs it does that."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    path: Path = folder / "package-reads.json"
    with locked(folder / "package-reads.lock", _LIMIT) as alone:
        assert alone, "another process has not read them"
        if not path.exists():
            path.write_text(json.dumps(asdict(read_stored(TINY_MANGA_OCR))), encoding="utf-8")
        return Reads(**json.loads(path.read_text(encoding="utf-8")))
