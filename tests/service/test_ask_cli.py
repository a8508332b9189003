"""``yomitori ask`` as a user types it, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.chat_server import CUT, ChatServer, event
from tests.support.environment import ROOT, child_environment

PICTURE = ROOT / "tests" / "data" / "short.png"


def yomitori(home: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    env = child_environment({**os.environ, "YOMITORI_HOME": str(home), **environ})
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *arguments],
        env=env, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip


def through(server: ChatServer) -> tuple[str, ...]:
    return (
        "ask", "--vision-backend", "remote", "--vision-server-url", server.base_url,
        "--vision-server-model", "big",
    )  # fmt: skip


def test_an_answer_stands_on_standard_output_and_nothing_else(tmp_path: Path) -> None:
    with ChatServer() as server:
        server.answer(["A cat ", "と犬。"])
        done = yomitori(tmp_path, *through(server), "What is this?", str(PICTURE))
        assert (done.returncode, done.stdout, done.stderr) == (0, "A cat と犬。\n", "")
        (request,) = server.requests
        assert len(request.images) == 1


def test_the_text_is_read_first_when_asked_for_and_given_with_the_question(tmp_path: Path) -> None:
    with ChatServer() as server:
        server.answer(["yes"])
        done = yomitori(tmp_path, *through(server), "--read", "Translate", str(PICTURE))
        assert done.returncode == 0, done.stderr
        told = json.dumps(server.requests[0].json["messages"], ensure_ascii=False)
    read = yomitori(tmp_path, "ocr", str(PICTURE)).stdout.strip().splitlines()[0]
    assert f'Text in the picture: \\"{read}' in told
    assert told.index("Text in the picture") < told.index("Translate")


def test_json_holds_the_whole_answer(tmp_path: Path) -> None:
    with ChatServer() as server:
        server.answer(["yes"])
        done = yomitori(
            tmp_path,
            *through(server),
            "--json",
            "--system",
            "Be brief.",
            "--seed",
            "7",
            "Is it?",
            str(PICTURE),
        )
        row = json.loads(done.stdout)
        sent = server.requests[0].json
    assert (row["text"], row["engine"], row["model"], row["finish"]) == ("yes", "remote", "big", "stop")
    assert (row["question"], row["files"]) == ("Is it?", [str(PICTURE)])
    assert (sent["seed"], sent["messages"][0]["role"]) == (7, "system")


def test_what_had_come_is_kept_when_it_breaks_off(tmp_path: Path) -> None:
    with ChatServer() as server:
        server.stream(event({"choices": [{"index": 0, "delta": {"content": "half an "}}]}), CUT)
        done = yomitori(tmp_path, *through(server), "What is this?")
    assert done.returncode == 4
    assert done.stdout == "half an \n"
    assert done.stderr.startswith("yomitori: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("What is this?",), 4, "is not on this computer yet"),
        (("--vision-backend", "remote", "What?"), 2, "is not set"),
        (("What?", "missing.png"), 3, "missing.png"),
        (("--vision-temperature", "3", "What?"), 2, "temperature"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = yomitori(tmp_path, "ask", *arguments, HF_HOME=str(tmp_path / "hf"))
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_of_an_old_id_it_is_said_what_is_taken_instead(tmp_path: Path) -> None:
    # given a model that cannot be loaded as it is, and whose conversion is not here
    old, home = "liuhaotian/llava-v1.5-7b", str(tmp_path / "hub")
    done = yomitori(tmp_path, "ask", "--vision-model", old, "What is this?", HF_HOME=home)
    assert done.returncode == 4
    assert f"{old} is in LLaVA's original format" in done.stderr
    assert "llava-hf/llava-1.5-7b-hf is taken instead." in done.stderr
    # and nothing of the kind while a server answers, or for a revision, of which nothing is taken
    with ChatServer() as server:
        server.answer(["yes"])
        done = yomitori(tmp_path, *through(server), "--vision-model", old, "What is this?")
        assert (done.returncode, done.stderr) == (0, "")
    done = yomitori(tmp_path, "ask", "--vision-model", f"{old}@main", "What is this?", HF_HOME=home)
    assert done.returncode != 0
    assert "is taken instead" not in done.stderr
