"""``serve`` as the tray starts it: rows of JSON on stdout, and an end with its stdin."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from core.errors import from_json
from core.service_errors import AddressUnusable, PartsMissing
from service import starter
from tests.support.environment import ROOT, child_environment


def start(home: Path, *arguments: str, stdin: int = subprocess.PIPE) -> subprocess.Popen[str]:
    env = child_environment(
        {
            **os.environ,
            "YOMITORI_HOME": str(home),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }
    )
    command = [sys.executable, str(ROOT / "main.py"), "serve", "--until-stdin-ends", *arguments]
    return subprocess.Popen(
        command, env=env, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def row(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    return dict(json.loads(process.stdout.readline()))


def test_it_tells_where_it_listens_and_ends_with_its_stdin(tmp_path: Path) -> None:
    with start(tmp_path, "--port=0") as process:
        ready = row(process)
        assert httpx2.get(ready["address"] + "/health").status_code == 200
        assert ready["token_source"] == str(tmp_path / "config" / "service-token")
        assert process.stdin is not None
        process.stdin.write("what nobody knows\ntoken\n")
        process.stdin.flush()
        assert row(process)["token"] == Path(ready["token_source"]).read_text().strip()
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_starter_that_ends_before_it_listens_leaves_nobody(tmp_path: Path) -> None:
    with start(tmp_path, "--port=0", stdin=subprocess.DEVNULL) as process:
        assert process.wait(60) == 0


def test_why_it_cannot_start_comes_with_its_parts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with start(tmp_path, f"--port={port}") as process:
            out, err = process.communicate(timeout=60)
    assert process.returncode == AddressUnusable.exit_code
    error = from_json(json.loads(out))
    assert isinstance(error, AddressUnusable)
    assert f"yomitori: {error.message}" in err


def test_without_its_libraries_it_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['fastapi'] = None; sys.path.insert(0, sys.argv.pop(1)); "
        "from main import main; sys.argv[1:] = ['serve', '--port=0', '--until-stdin-ends']; sys.exit(main())"
    )
    env = child_environment({**os.environ, "YOMITORI_HOME": str(tmp_path)})
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT)],
        env=env, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == PartsMissing.exit_code
    assert isinstance(from_json(json.loads(done.stdout)), PartsMissing)
    assert done.stderr.startswith("yomitori: The HTTP service needs fastapi, which is not installed.")


def test_orders_come_in_any_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    given, kept = os.pipe()
    monkeypatch.setattr(starter, "_STDIN", given)
    os.write(kept, b"one\nt" + b"x" * 9000 + b"\ntwo\r\non")
    os.close(kept)
    done: list[str] = []
    starter.obey({"one": lambda: done.append("one"), "two": lambda: done.append("two")})
    os.close(given)
    assert done == ["one", "two"]
