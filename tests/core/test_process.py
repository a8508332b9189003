"""The model process on its own: it never outlives whoever started it, and imports nothing from the cwd."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.process import ModelProcess, child_command
from core.windows_job import JobObject

ROOT = Path(__file__).resolve().parent.parent.parent

PARENT = """
import sys, threading
sys.path.insert(0, {root!r})
from core.engines import LoadOptions
from core.process import ModelProcess
from tests.support.fake_engine import FAKE
process = ModelProcess()
process.load(FAKE, LoadOptions())
while process.receive()["kind"] != "loaded":
    pass
process.run(1, {op!r}, {{"count": 1}})
process.receive()
print(process.pid, flush=True)
threading.Event().wait()
"""


def gone(pid: int, limit: float) -> bool:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("op", ["stream", "hang", "spin"])
def test_a_killed_parent_leaves_no_process_behind(op: str) -> None:
    """Given a model process that is idle, stuck or computing, when its parent is killed with SIGKILL,
    then it is gone within two seconds."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT.format(root=str(ROOT), op=op)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.send_signal(signal.SIGKILL)
    assert gone(pid, 2.0)


def test_the_current_folder_is_not_imported_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('imported from the current folder')")
    monkeypatch.chdir(tmp_path)
    process = ModelProcess()
    assert process.receive()["kind"] == "hello"
    process.end()


@pytest.mark.skipif(sys.platform != "linux", reason="oom_score_adj is Linux's")
def test_the_kernel_would_end_it_before_the_tray() -> None:
    process = ModelProcess()
    process.receive()
    assert int(Path(f"/proc/{process.pid}/oom_score_adj").read_text()) == 800
    process.end()


def test_ctrl_c_in_a_terminal_does_not_end_it() -> None:
    process = ModelProcess()
    process.receive()
    os.kill(process.pid, signal.SIGINT)
    assert not gone(process.pid, 0.3)
    process.end()
    assert gone(process.pid, 2.0)


def test_a_process_that_ignores_the_closed_pipe_is_killed() -> None:
    process = ModelProcess()
    process.receive()
    os.kill(process.pid, signal.SIGSTOP)
    process.end(limit=0.3)
    assert gone(process.pid, 2.0)


def test_a_frozen_build_starts_itself_by_its_hidden_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert child_command(7) == [sys.executable, "--model-process", "7"]


class FakeKernel32:
    """Records the calls, in their order."""

    def __init__(self, refuse: str = "") -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.refuse = refuse

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any) -> int:
            self.calls.append((name, args))
            return 0 if name == self.refuse else 40 + len(self.calls)

        return call


def test_windows_job_object_kills_its_processes_when_it_closes() -> None:
    kernel = FakeKernel32()
    job = JobObject(kernel)
    job.assign(1234)
    job.close()
    job.close()
    assert [name for name, _ in kernel.calls] == [
        "CreateJobObjectW",
        "SetInformationJobObject",
        "OpenProcess",
        "AssignProcessToJobObject",
        "CloseHandle",
        "CloseHandle",
    ]
    _handle, kind, data, size = kernel.calls[1][1]
    assert kind == 9
    assert size == len(data)
    assert int.from_bytes(data[16:20], "little") == 0x2000


def test_windows_refusal_is_an_os_error() -> None:
    with pytest.raises(OSError, match="AssignProcessToJobObject"):
        JobObject(FakeKernel32("AssignProcessToJobObject")).assign(1)
