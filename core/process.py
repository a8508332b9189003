"""Starting, talking to and ending a model process.

Ending the process is the one way to get all memory back: libraries keep pools and CUDA keeps its context
until then. See ``docs/decisions/001-model-process.md``.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

import psutil

from core import frames
from core.engines import EngineSpec, LoadOptions
from core.errors import ProcessDied, ProtocolError
from core.types import RgbImage
from core.windows_job import JobObject

log = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parent.parent
# -P keeps the current folder off sys.path, so that no stray core/ or json.py there is imported.
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from core.child import main; main(int(sys.argv[2]))"
CHILD_FLAG = "--model-process"
"""The hidden flag by which a frozen build starts itself as a model process."""
_LOG_LIMIT = 1_000_000


def child_command(handle: int) -> list[str]:
    """The command line that starts a model process on ``handle``."""
    if getattr(sys, "frozen", False):
        return [sys.executable, CHILD_FLAG, str(handle)]
    return [sys.executable, "-P", "-c", _BOOT, str(_ROOT), str(handle)]


class ModelProcess:
    """One running model process. Used from the host's thread only.

    ``connection`` may be given to ``multiprocessing.connection.wait``.
    """

    def __init__(self, log_file: Path | None = None, on_windows: bool = sys.platform == "win32") -> None:
        ours, theirs = Pipe(duplex=True)
        self.connection: Connection = ours
        self._job = JobObject() if on_windows else None
        with contextlib.ExitStack() as stack:
            stack.callback(theirs.close)
            output: Any = subprocess.DEVNULL
            if log_file is not None:
                try:
                    output = stack.enter_context(_open_log(log_file))
                except OSError as error:
                    # Reading needs no folder; a log that cannot be written must not stop it.
                    log.warning("%s cannot be written: %s", log_file, error)
            self._process = subprocess.Popen(
                child_command(theirs.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **_inherit(theirs.fileno(), on_windows),
            )
        if self._job is not None:
            self._job.assign(self._process.pid)

    @property
    def pid(self) -> int:
        return self._process.pid

    def load(self, spec: EngineSpec, options: LoadOptions) -> None:
        """Ask it to load; the answer is a ``loaded`` or an ``error`` frame."""
        self._send({"kind": "load", "spec": asdict(spec), "options": options.to_json()})

    def run(self, job: int, op: str, params: dict[str, Any], images: Sequence[RgbImage] = ()) -> None:
        """Ask it to do a job; the answer is ``piece`` frames, then ``done`` or ``error``."""
        fields, payload = frames.image_fields(images)
        self._send({"kind": "job", "id": job, "op": op, "params": params, **fields}, payload)

    def cancel(self, job: int) -> None:
        """Ask it to stop a job at the next chance."""
        self._send({"kind": "cancel", "id": job})

    def _send(self, header: dict[str, Any], payload: bytes = b"") -> None:
        try:
            frames.send(self.connection, header, payload)
        except OSError as error:
            raise ProcessDied(reason=self.describe_end()) from error

    def receive(self) -> dict[str, Any]:
        """The header of the next frame.

        Raises:
            ProcessDied: the process is gone.
            ProtocolError: what came is no frame of ours.
        """
        try:
            header, _ = frames.receive(self.connection)
        except ProtocolError:
            raise
        except (EOFError, OSError) as error:
            raise ProcessDied(reason=self.describe_end()) from error
        return header

    def describe_end(self) -> str:
        """Why it ended, in words."""
        try:
            code = self._process.wait(2)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        if code >= 0:
            return f"exit code {code}"
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-code).name}"
        return f"signal {-code}"

    def private_memory(self) -> int:
        """Bytes of RAM that are its alone, 0 when it is gone."""
        return private_memory(self.pid)

    def taken_memory(self) -> int:
        """Bytes of RAM that the system shows as used for it, 0 when it is gone. Linux counts pages of mapped
        files, such as weights are read from, as free although they are in use."""
        with contextlib.suppress(psutil.Error):
            info = psutil.Process(self.pid).memory_info()
            if hasattr(info, "shared"):
                return int(info.rss - info.shared)
        return self.private_memory()

    def end(self, limit: float = 2.0) -> None:
        """Close the pipe, which ends the process at once; kill it when it is still there after ``limit``."""
        self.connection.close()
        try:
            self._process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
        if self._job is not None:
            self._job.close()

    def kill(self) -> None:
        """End it without asking."""
        self._process.kill()
        self._process.wait()
        self.connection.close()


StartProcess = Callable[[], ModelProcess]


def private_memory(pid: int) -> int:
    """Bytes of RAM that a process has for itself alone, 0 when it is gone or is not ours to look at."""
    if pid:
        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(pid).memory_full_info().uss)
    return 0


def _open_log(path: Path) -> Any:
    """The log file, started anew when it has become long."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    long = path.exists() and path.stat().st_size > _LOG_LIMIT
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if long else os.O_APPEND), 0o600)
    return os.fdopen(descriptor, "wb")


def _inherit(handle: int, on_windows: bool) -> dict[str, Any]:
    """What ``Popen`` needs so that the child gets ``handle`` and nothing else."""
    if not on_windows:
        return {"pass_fds": (handle,)}
    os.set_handle_inheritable(handle, True)  # type: ignore[attr-defined,unused-ignore]
    info = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})  # type: ignore[attr-defined,unused-ignore]
    return {"startupinfo": info, "creationflags": 0x08000000}  # CREATE_NO_WINDOW
