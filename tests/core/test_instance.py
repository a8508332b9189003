"""One instance per user, reached over a socket that other users cannot use."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Client
from pathlib import Path

import pytest

from core import frames
from core.errors import InstanceError
from core.instance import Instance

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Instance, list[str], threading.Event]]:
    heard: list[str] = []
    came = threading.Event()

    def on_command(command: str) -> None:
        heard.append(command)
        came.set()

    instance = Instance(tmp_path / "run")
    assert instance.acquire()
    instance.listen(on_command)
    yield instance, heard, came
    instance.close()


def test_a_command_reaches_the_running_instance(
    tmp_path: Path, running: tuple[Instance, list[str], threading.Event]
) -> None:
    answer = Instance(tmp_path / "run").call("capture")
    assert answer["pid"] == os.getpid()
    assert running[2].wait(10)
    assert running[1] == ["capture"]


def test_only_one_instance_gets_the_place(
    tmp_path: Path, running: tuple[Instance, list[str], threading.Event]
) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from core.instance import Instance; from pathlib import Path\n"
        f"print(Instance(Path({str(tmp_path / 'run')!r})).acquire())"
    )
    second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert second.stdout.strip() == "False"


def test_with_none_running_the_call_says_so(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match="not running"):
        Instance(tmp_path / "run").call("capture")


def test_a_killed_instance_s_socket_is_taken_over(tmp_path: Path) -> None:
    code = (
        f"import os, sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from core.instance import Instance; from pathlib import Path\n"
        f"instance = Instance(Path({str(tmp_path / 'run')!r}))\n"
        "assert instance.acquire()\n"
        "instance.listen(print)\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "run" / "instance.sock").exists()
    with pytest.raises(InstanceError, match="not running"):
        Instance(tmp_path / "run").call("ping")
    second = Instance(tmp_path / "run")
    assert second.acquire()
    second.listen(lambda _: None)
    assert Instance(tmp_path / "run").call("ping")["ok"]
    second.close()


def test_a_caller_without_the_secret_is_refused(
    tmp_path: Path, running: tuple[Instance, list[str], threading.Event]
) -> None:
    with Client(str(tmp_path / "run" / "instance.sock")) as connection:
        frames.send(connection, {"command": "quit", "token": "guess"})
        answer, _ = frames.receive(connection)
    assert answer == {"ok": False, "reason": "the secret does not match"}
    assert running[1] == []


def test_another_version_and_silence_do_not_stop_the_others(
    tmp_path: Path, running: tuple[Instance, list[str], threading.Event]
) -> None:
    address = str(tmp_path / "run" / "instance.sock")
    with Client(address) as silent, Client(address) as other:
        other.send_bytes(b"Y\x63 something of version 99")
        with pytest.raises(EOFError):
            other.recv_bytes()
        assert Instance(tmp_path / "run").call("ping")["ok"]
        assert not silent.closed


def test_an_unknown_command_is_said(
    tmp_path: Path, running: tuple[Instance, list[str], threading.Event]
) -> None:
    with pytest.raises(InstanceError, match="does not know 'dance'"):
        Instance(tmp_path / "run").call("dance")


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_nobody_else_may_enter_the_folder(
    tmp_path: Path, running: tuple[Instance, list[str], threading.Event]
) -> None:
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "run" / "instance.token").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="needs root to become another user")
def test_another_user_is_refused_even_with_the_secret(
    tmp_path: Path, running: tuple[Instance, list[str], threading.Event]
) -> None:
    token = (tmp_path / "run" / "instance.token").read_text()
    code = (
        f"import os, sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from multiprocessing.connection import Client; from core import frames\n"
        "os.setgid(65534); os.setuid(65534)\n"
        f"c = Client({str(tmp_path / 'run' / 'instance.sock')!r}, family='AF_UNIX')\n"
        # The other side may hang up at any time.
        f"try:\n    frames.send(c, {{'command': 'quit', 'token': {token!r}}})\n"
        "    print(frames.receive(c))\nexcept (EOFError, OSError):\n    print('refused')"
    )
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder.owner() == "root" and folder != Path("/"):
            folder.chmod(0o755)
    (tmp_path / "run").chmod(0o777)
    (tmp_path / "run" / "instance.sock").chmod(0o777)
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert out.stdout.strip() == "refused", out.stderr
    assert running[1] == []


def test_a_long_path_still_gets_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 60) / ("y" * 60)
    instance = Instance(deep)
    assert instance.acquire()
    instance.listen(lambda _: None)
    assert Instance(deep).call("ping")["ok"]
    instance.close()
