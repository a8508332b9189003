"""How far a job is: what is counted, and what is told while it cannot be cut into steps."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.models.hashing import CHUNK, sha256_of
from core.models.steps import Meter, in_background
from tests.core.models.parts import STALL


def test_work_in_the_background_tells_how_far_it_is() -> None:
    # given work that goes on when it was told that the half is done
    meter, seen = Meter("convert", 100), threading.Event()

    def work() -> str:
        meter.reach(50)
        assert seen.wait(STALL)
        return "done"

    # when it is waited for
    answers: list[str] = []

    def wait() -> Iterator[dict[str, Any]]:
        answers.append((yield from in_background(work, meter, lambda: False)))

    told = []
    for piece in wait():
        told.append(piece["done"])
        if piece["done"] == 50:
            seen.set()

    # then that is told, a few times a second, and its answer comes when it has ended
    assert set(told) <= {0, 50}
    assert 50 in told
    assert answers == ["done"]


def test_a_sum_tells_how_far_it_has_read(tmp_path: Path) -> None:
    content = b"x" * (2 * CHUNK + 5)
    (tmp_path / "file").write_bytes(content)
    reached: list[int] = []
    assert sha256_of(tmp_path / "file", reached.append) == hashlib.sha256(content).hexdigest()
    assert reached == [CHUNK, 2 * CHUNK, 2 * CHUNK + 5]
