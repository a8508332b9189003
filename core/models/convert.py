"""Safetensors from a ``pytorch_model.bin``, read once and as numbers only. Child process only.

A ``.bin`` is a pickle, which can carry a program; ``weights_only`` refuses everything but tensors. The copy
is a whole checkpoint in a folder of our own: the file may lie in a cache that belongs to other programs too,
or in a folder of the user's.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import secrets
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import AlreadyDownloading, ModelUnusable, NotEnoughMemory
from core.memory import format_bytes, free_ram
from core.models.hashing import Wanted, sha256_of
from core.models.layout import BIN_WEIGHTS, WEIGHTS, checkpoint_problem, needs_conversion
from core.models.lock import try_lock
from core.models.selection import choose
from core.models.snapshot import delete, is_sound
from core.models.steps import IsCancelled, Meter, Steps, disk_errors, in_background, need_disk

MARK = "converted.json"
_SEARCH = (
    "bad_words_ids",
    "bos_token_id",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "eos_token_id",
    "exponential_decay_length_penalty",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "length_penalty",
    "max_length",
    "min_length",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "pad_token_id",
    "remove_invalid_values",
    "repetition_penalty",
    "suppress_tokens",
    "temperature",
    "top_k",
    "top_p",
    "typical_p",
)
"""What ``config.json`` held of the search before 2023; now ``generation_config.json`` does."""
_SPARE = 16 * 1024 * 1024
_BESIDE = 200 * 1024 * 1024
"""Bytes of memory beside the weights, which are held once: measured 600 MB for a .bin of 444 MB."""


def convert(source: Path, target: Path, title: str, role: str, cancelled: IsCancelled) -> Steps[None]:
    """Have a checkpoint with safetensors in ``target``, which is there whole or not at all.

    Raises:
        ModelUnusable: ``source`` is no checkpoint, or its ``.bin`` holds more than tensors.
        NotEnoughMemory: its weights do not fit.
        NotEnoughDisk, ModelsFolderUnusable: it cannot be written.
        AlreadyDownloading: another process converts it.
    """
    problem = checkpoint_problem(source, role)
    if problem is not None:
        raise ModelUnusable(model=title, reason=problem)
    if not needs_conversion(source) or checkpoint_problem(target, role) is None:
        return
    size = (source / BIN_WEIGHTS).stat().st_size
    free = free_ram()
    if free < size + _BESIDE:
        raise NotEnoughMemory(
            engine="conversion", need=format_bytes(size + _BESIDE), free=format_bytes(max(0, free))
        )
    meter = Meter("convert", size)
    meter.file = BIN_WEIGHTS
    yield meter.report()
    with disk_errors(target.parent, size):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        need_disk(target.parent, size + _SPARE)
        with _alone(target, title):
            temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
            try:
                temporary.mkdir()
                yield from in_background(
                    lambda: _convert(source, temporary, title, meter.reach), meter, cancelled
                )
                problem = checkpoint_problem(temporary, role)
                if problem is not None:
                    raise ModelUnusable(model=title, reason=problem)
                delete(target)
                temporary.replace(target)
            finally:
                delete(temporary)
    meter.reach(size)
    yield meter.report()


def check_copy(folder: Path, cancelled: IsCancelled) -> Steps[dict[str, Any] | None]:
    """A ``FileCheck`` of the converted weights, None when there are none. A damaged copy is deleted."""
    weights = folder / WEIGHTS
    try:
        sha256 = str(json.loads((folder / MARK).read_text("utf-8"))[WEIGHTS])
        size = weights.stat().st_size
    except (OSError, ValueError, KeyError, TypeError):
        return None
    name = f"{WEIGHTS} (converted)"
    sound = yield from is_sound(weights, Wanted(name, size, sha256), Meter("verify", size), cancelled)
    if not sound:
        with disk_errors(folder):
            delete(folder)
    return {"name": name, "ok": sound, "detail": "" if sound else "was damaged; it is made again when needed"}


@contextlib.contextmanager
def _alone(target: Path, title: str) -> Any:
    lock = try_lock(target.with_name(f".{target.name}.lock"))
    if lock is None:
        raise AlreadyDownloading(model=title)
    with lock:
        for left in target.parent.glob(f".{target.name}.*"):
            if left.is_dir():
                delete(left)
        yield


def _convert(source: Path, target: Path, title: str, reached: Callable[[int], None]) -> None:
    """``reached`` hears how much is done, in bytes of the ``.bin``: half of them once the weights are
    written, which is one step, the others while they are read back for their sum."""
    for name in choose(path.name for path in source.iterdir()):
        if name != BIN_WEIGHTS:
            shutil.copyfile(source / name, target / name)
    _write_generation(target)
    _write_weights(source / BIN_WEIGHTS, target / WEIGHTS, title)
    half = (source / BIN_WEIGHTS).stat().st_size / 2
    reached(int(half))
    size = (target / WEIGHTS).stat().st_size
    sha256 = sha256_of(target / WEIGHTS, lambda read: reached(int(half + half * read / size)))
    mark = {
        "source": str(source),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        WEIGHTS: sha256,
    }
    (target / MARK).write_text(json.dumps(mark, indent=2) + "\n", "utf-8")


def _write_weights(source: Path, target: Path, title: str) -> None:
    from safetensors.torch import save_file

    tensors = _own_memory(_read_bin(source, title))
    # "pt" is what transformers asks for before it loads a file.
    save_file(tensors, target, metadata={"format": "pt"})
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _read_bin(path: Path, title: str) -> dict[str, Any]:
    import torch

    try:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError:
            # Files of before 2020 are no zip and cannot be mapped.
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = f"its {path.name} holds more than numbers, which could be a program; it was not opened"
        raise ModelUnusable(model=title, reason=reason) from error
    except Exception as error:
        # A damaged pickle can end in any exception.
        reason = f"its {path.name} is damaged ({type(error).__name__})"
        raise ModelUnusable(model=title, reason=reason) from error
    if not isinstance(state, Mapping) or not state:
        raise ModelUnusable(model=title, reason=f"its {path.name} holds no weights")
    if not all(isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()):
        raise ModelUnusable(model=title, reason=f"its {path.name} is no plain list of weights")
    return dict(state)


def _own_memory(tensors: dict[str, Any]) -> dict[str, Any]:
    """Safetensors holds no two names for one memory, as tied weights have. Both are kept, each with its own:
    loading ties them again."""
    seen: set[int] = set()
    own = {}
    for name, tensor in tensors.items():
        storage = tensor.untyped_storage()
        whole = tensor.is_contiguous() and storage.nbytes() == tensor.nbytes
        own[name] = tensor if whole and storage.data_ptr() not in seen else tensor.clone().contiguous()
        seen.add(storage.data_ptr())
    return own


def _write_generation(folder: Path) -> None:
    """Beams and lengths out of an old-style ``config.json`` into a file of their own.

    ``GenerationConfig.from_model_config`` of transformers 5 leaves them behind.
    """
    path = folder / "generation_config.json"
    config = json.loads((folder / "config.json").read_text("utf-8"))
    search = {name: config[name] for name in _SEARCH if config.get(name) is not None}
    if search and not path.exists():
        path.write_text(json.dumps(search, indent=2) + "\n", "utf-8")
