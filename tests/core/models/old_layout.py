"""The tiny MangaOCR in the layout that the hub's main revision has, and other ``.bin`` files to convert.

Run as a script for what needs torch: importing it is slow and loud, and tests do without it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.environment import ROOT, child_environment
from tests.support.local_library import TINY_MANGA_OCR
from tests.support.old_layout import write_old_layout

SEARCH = ("num_beams", "length_penalty", "no_repeat_ngram_size", "early_stopping", "max_length")


def write(top: Path) -> Path:
    """Make ``model`` in ``top``, and beside it ``old.bin``, the same weights as torch wrote them before it
    wrote zip files, and ``program.bin``, which makes the file ``it-ran`` when it is opened carelessly."""
    write_old_layout(TINY_MANGA_OCR, top / "model")
    _run("variants", top)
    return top / "model"


def read(*folders: Path) -> list[dict[str, Any]]:
    """What the model in each folder makes of three noisy pictures, and how it searched."""
    answer: list[dict[str, Any]] = _run("read", *folders)
    return answer


def _run(*arguments: object) -> Any:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tests.core.models.old_layout", *map(str, arguments)],
        env=child_environment({"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _variants(top: Path) -> None:
    import torch

    class Program:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (top / "it-ran",)

    state = torch.load(top / "model" / "pytorch_model.bin", weights_only=True)
    torch.save(state, top / "old.bin", _use_new_zipfile_serialization=False)
    torch.save({"w": torch.zeros(3), "program": Program()}, top / "program.bin")


def _read(*folders: Path) -> list[dict[str, Any]]:
    import torch
    from transformers import VisionEncoderDecoderModel

    answers = []
    for folder in folders:
        model = VisionEncoderDecoderModel.from_pretrained(folder, local_files_only=True).eval()
        size = model.config.encoder.image_size
        torch.manual_seed(1)
        with torch.no_grad():
            tokens = model.generate(torch.randn(3, 3, size, size), max_length=30)
        search = {name: getattr(model.generation_config, name) for name in SEARCH}
        answers.append({"tokens": tokens.tolist(), "search": search})
    return answers


def _main(job: str, *arguments: str) -> None:
    # Only the answer goes to stdout, whatever the libraries print.
    output = os.dup(1)
    os.dup2(2, 1)
    jobs: dict[str, Any] = {"variants": _variants, "read": _read}
    os.write(output, json.dumps(jobs[job](*map(Path, arguments))).encode())


if __name__ == "__main__":
    _main(*sys.argv[1:])
