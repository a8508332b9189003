"""Questions to a server that is not ours: ``transformers serve`` with the small trained model."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.chat import Answer, AnswerPiece, GenerationOptions, Message, Role
from core.engine import Engine
from core.errors import Cancelled
from core.images import load_image, to_png
from core.settings import SettingsStore
from core.types import RgbImage
from tests.models.vision_scenes import arranged
from tests.support.display_server import wait_until
from tests.support.environment import child_environment

MODEL = Path(__file__).resolve().parents[2] / "models" / "tiny-llava"
STALL = 120.0
OPTIONS = GenerationOptions(temperature=0.0, max_tokens=600)


def picture() -> RgbImage:
    drawn = arranged("red circle", "blue square").picture()
    return load_image(to_png(RgbImage(drawn.width, drawn.height, drawn.tobytes())))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its base URL. It loads the model at the start, so that no answer waits for that."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("serve")
    # Its list of models is that of the cache, which has to be there.
    (folder / "hub").mkdir()
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [
            *(sys.executable, "-P", "-c", "from transformers.cli.transformers import main; main()", "serve"),
            *(str(MODEL), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"),
        ],
        env={**child_environment(os.environ), "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder)},
        cwd=folder,
        stdout=log,
        stderr=log,
    )

    def healthy() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    try:
        wait_until("the server", healthy, STALL)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()
        log.close()


@pytest.fixture
def engine(settings: SettingsStore, server: str) -> Iterator[Engine]:
    settings.set("vision.backend", "remote")
    settings.set("vision.server_url", server)
    settings.set("vision.server_model", str(MODEL))
    engine = Engine(settings)
    yield engine
    engine.close()


def ask(engine: Engine, messages: list[Message], pieces: list[AnswerPiece] | None = None) -> Answer:
    return engine.ask(messages, OPTIONS, pieces.append if pieces is not None else None).result(STALL)


def test_it_answers_right_and_follow_ups_have_the_history(engine: Engine) -> None:
    first = Message(Role.USER, "What colour is the left one?", (picture(),))
    pieces: list[AnswerPiece] = []

    answer = ask(engine, [first], pieces)
    assert answer.text.strip() == "Red."
    assert "".join(piece.text for piece in pieces) == answer.text

    follow_up = [first, Message(Role.ASSISTANT, answer.text), Message(Role.USER, "And the other one?")]
    assert ask(engine, follow_up).text.strip() == "Blue."


def test_an_answer_without_an_end_is_stopped(engine: Engine) -> None:
    said: list[AnswerPiece] = []
    job = engine.ask([Message(Role.USER, "Say ha without end.", (picture(),))], OPTIONS, said.append)
    wait_until("some of it", lambda: any(piece.text for piece in said), STALL)

    job.cancel()

    with pytest.raises(Cancelled):
        job.result(STALL)
    assert "ha" in "".join(piece.text for piece in said)


def test_a_test_of_the_server_reaches_it_without_a_picture(engine: Engine) -> None:
    found = engine.test_server().result(STALL)

    assert found.loopback
    assert found.address == "127.0.0.1"
