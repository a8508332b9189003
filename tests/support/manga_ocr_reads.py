"""Reads the stored crops through ``manga_ocr.MangaOcr`` itself, in a process of its own.

``read_stored(folder)`` is for tests, which must not load torch; the module run as a program is the child.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.environment import child_environment
from tests.support.manga_crops import CATEGORIES, load_crops, pillow

EVERY = 2
"""Every second crop of a category is read: still more than 200, and reading takes longest in the tests."""


@dataclass(frozen=True, slots=True)
class Reads:
    """``texts`` by a crop's name; ``unbanned`` the drawn-out sounds read with no_repeat_ngram_size=0.

    ``loading`` names the weights that the file lacked, had too much, or had in another shape; ``search`` is
    what the model generates with; ``log`` all that the child said on stderr.
    """

    texts: dict[str, str]
    unbanned: dict[str, str]
    loading: dict[str, list[str]]
    search: dict[str, Any]
    log: str


def read_stored(folder: Path, categories: Sequence[str] = CATEGORIES) -> Reads:
    """Load a checkpoint with MangaOcr and read every second of the stored crops of some categories.

    Raises:
        subprocess.CalledProcessError: the child failed; what it said is in ``stderr``.
    """
    run = subprocess.run(
        [sys.executable, "-P", "-m", "tests.support.manga_ocr_reads", str(folder), *categories],
        env=child_environment(os.environ),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return Reads(**json.loads(run.stdout), log=run.stderr)


def _main(folder: str, categories: Sequence[str]) -> dict[str, Any]:
    import torch
    from manga_ocr import MangaOcr
    from manga_ocr.ocr import MangaOcrModel

    # So small a model gains nothing from threads, and on a busy machine they wait for each other: ten times
    # slower was measured.
    torch.set_num_threads(1)
    _, loading = MangaOcrModel.from_pretrained(folder, output_loading_info=True)
    reader = MangaOcr(folder, force_cpu=True)
    search = reader.model.generation_config
    crops = [crop for category in categories for crop in load_crops(category)[::EVERY]]
    texts = {crop.name: reader(pillow(crop.image)) for crop in crops}
    found = search.to_diff_dict()
    search.no_repeat_ngram_size = 0
    sounds = load_crops("drawn-out") if "drawn-out" in categories else []
    unbanned = {crop.name: reader(pillow(crop.image)) for crop in sounds}
    return {
        "texts": texts,
        "unbanned": unbanned,
        "loading": {name: sorted(map(str, keys)) for name, keys in loading.items()},
        "search": found,
    }


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    print(json.dumps(_main(sys.argv[1], sys.argv[2:]), ensure_ascii=False))
