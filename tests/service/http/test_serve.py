"""``yomitori serve`` as a user types it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from tests.support.environment import ROOT, child_environment
from tests.support.http_service import TOKEN, Serving, serving

PICTURE = ROOT / "tests" / "data" / "short.png"


def yomitori(home: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """For what ends by itself."""
    # No keyring of the one who runs the tests.
    quiet = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    env = child_environment({**os.environ, "YOMITORI_HOME": str(home), **quiet, **environ})
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "serve", *arguments],
        env=env, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip


def row_of(server: Serving, request_id: str) -> dict[str, Any]:
    """What was logged of a request; that is after its answer was sent."""
    for _ in range(1000):
        for line in server.log.splitlines():
            row = json.loads(line) if line.startswith("{") and line.endswith("}") else {}
            if row.get("request_id") == request_id:
                return dict(row)
        httpx2.get(server.url + "/health")
    raise AssertionError(server.log)


def test_a_picture_is_read_and_no_content_is_logged(server: Serving) -> None:
    with PICTURE.open("rb") as file:
        answer = httpx2.post(server.url + "/ocr", files={"file": ("secret-name.png", file)}, timeout=120)
    assert answer.status_code == 200, answer.text
    text = answer.json()["text"]
    assert text
    row = row_of(server, answer.headers["x-request-id"])
    assert (row["path"], row["status"], row["method"]) == ("/ocr", 200, "POST")
    assert text not in server.log
    assert "secret-name" not in server.log
    assert TOKEN not in server.log


def test_the_older_names_of_the_environment_count(server: Serving) -> None:
    """``LLAVA_MODEL_ID`` and ``MANGAOCR_MODEL_PATH`` name what the server was started with."""
    assert httpx2.get(server.url + "/ready", timeout=60).json()["roles"] == ["ocr", "vision"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_its_model_processes(tmp_path: Path, how: int) -> None:
    with serving(tmp_path / "home", "--reading-engine", "ppocr") as server:
        with PICTURE.open("rb") as file:
            assert httpx2.post(server.url + "/ocr", files={"file": file}, timeout=120).status_code == 200
        models = psutil.Process(server.process.pid).children(recursive=True)
        assert models
        assert server.end(how) == 0
    _, alive = psutil.wait_procs(models, timeout=10)
    assert alive == []
    assert "Traceback" not in server.log


def test_told_to_end_twice_it_says_so_in_a_row_and_does_not_wait(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "home", "--reading-engine", "ppocr") as server,
        socket.create_connection(("127.0.0.1", server.port)) as slow,
    ):
        # A request under way, whose picture never comes to its end.
        slow.sendall(b"POST /ocr HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n")
        slow.sendall(b"Content-Type: multipart/form-data; boundary=x\r\nX-Request-ID: slow\r\n\r\n--x")
        while "requests_in_flight 2.0" not in httpx2.get(server.url + "/metrics", timeout=60).text:
            pass
        server.process.send_signal(signal.SIGINT)
        # It listens no more: the first one was taken.
        while True:
            try:
                socket.create_connection(("127.0.0.1", server.port), timeout=60).close()
            except OSError:
                break
        assert server.end(signal.SIGINT) == 0
    rows = [json.loads(row) for row in server.log.splitlines() if row.startswith("{")]
    assert [row["message"] for row in rows if row["level"] != "info"] == [
        "Told again to end: answers under way were not waited for"
    ]
    assert "Traceback" not in server.log


def test_without_a_token_one_is_made_for_this_computer_and_kept(tmp_path: Path) -> None:
    home, nothing = tmp_path / "home", {"YOMITORI_SERVICE_TOKEN_FILE": ""}
    nothing["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    file = home / "config" / "service-token"
    with serving(home, environ=nothing) as server:
        token = file.read_text().strip()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert str(file) in server.log
        refused = httpx2.post(server.url + "/models/ocr/unload", timeout=60)
        taken = httpx2.post(
            server.url + "/models/ocr/unload", headers={"Authorization": f"Bearer {token}"}, timeout=60
        )
    assert (refused.status_code, taken.is_success) == (401, True)
    assert token not in server.log


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5"])
def test_another_address_needs_a_token(tmp_path: Path, host: str) -> None:
    done = yomitori(tmp_path, "--host", host, "--port", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "other computers" in done.stderr
    assert "--new-token" in done.stderr
    assert not (tmp_path / "config" / "service-token").exists()


def test_a_token_file_that_is_not_there_is_told_before_anything_starts(tmp_path: Path) -> None:
    done = yomitori(tmp_path, YOMITORI_SERVICE_TOKEN_FILE=str(tmp_path / "nothing"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "No such file" in done.stderr


def test_a_new_token_is_printed_and_kept(tmp_path: Path) -> None:
    done = yomitori(tmp_path, "--new-token")
    file = tmp_path / "config" / "service-token"
    assert (done.returncode, done.stdout.strip()) == (0, file.read_text().strip())
    assert str(file) in done.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = yomitori(tmp_path, "--port", str(taken.getsockname()[1]))
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(r"port \d+: Address already in use", done.stderr)
    assert "Traceback" not in done.stderr


def test_variables_come_from_a_file_where_the_environment_has_none(tmp_path: Path) -> None:
    home = tmp_path / "home"
    config = home / "config"
    config.mkdir(parents=True)
    # The environment names a token and models already: those count.
    (config / ".env").write_text(
        f"LLAVA_MODEL_ID={tmp_path}/nothing\nYOMITORI_SERVICE_REQUIRE_TOKEN=true\n", "utf-8"
    )
    with serving(home) as server:
        assert httpx2.get(server.url + "/ready", timeout=60).status_code == 401
        assert httpx2.get(server.url + "/ready", headers=server.privileged, timeout=60).status_code == 200
    other = tmp_path / "other.env"
    other.write_text("YOMITORI_SERVICE_ALLOWED_HOSTS=manga.example\nnonsense\n")
    done = yomitori(home, "--env-file", str(other))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{other} cannot be used: line 2 is not NAME=value" in done.stderr


def test_a_model_in_the_original_format_is_said_to_be_replaced(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        # It ends at once, since the port is taken.
        done = yomitori(
            tmp_path, "--port", str(taken.getsockname()[1]), LLAVA_MODEL_ID="liuhaotian/llava-v1.5-7b"
        )
    assert "llava-hf/llava-1.5-7b-hf is taken instead" in done.stderr


@pytest.mark.parametrize(
    "arguments", [("--port", "x"), ("--port", "70000"), ("--grace", "-1"), ("--grace", "x")]
)
def test_flags_that_cannot_be_are_told(tmp_path: Path, arguments: tuple[str, str]) -> None:
    done = yomitori(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_a_setting_of_the_service_that_cannot_be_is_no_default(tmp_path: Path) -> None:
    done = yomitori(tmp_path, YOMITORI_SERVICE_REQUIRE_TOKEN="ture")
    assert done.returncode == 2
    assert "service.require_token cannot be ture" in done.stderr
    assert done.stdout == ""


def test_a_star_does_not_let_everybody_in_and_a_misspelt_variable_is_told(tmp_path: Path) -> None:
    done = yomitori(tmp_path, YOMITORI_SERVICE_CORS_ORIGINS="*", YOMITORI_SERVICE_REQUIRE_TOKN="true")
    assert (done.returncode, done.stdout) == (2, "")
    assert "service.cors_origins cannot be *: name each one, * does not stand for all." in done.stderr
    meant = "there is no variable YOMITORI_SERVICE_REQUIRE_TOKN, is YOMITORI_SERVICE_REQUIRE_TOKEN meant?"
    assert done.stderr.count(meant) == 1


def test_the_command_line_starts_without_a_web_framework() -> None:
    code = (
        "import sys, service.cli; print([n for n in ('fastapi', 'uvicorn', 'starlette') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=child_environment(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
