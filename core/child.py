"""The model process: the only place where model libraries are imported.

It holds one engine and does one job at a time. A reader thread takes the frames: it sets the cancel flag,
queues everything else, and ends the process at once when the host's end of the pipe is closed, even in
the middle of a forward pass, so that no process outlives its host.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from core import frames, heap
from core.engines import EngineSpec, LoadOptions, ModelEngine
from core.errors import Cancelled, LoadFailed, ReadFailed, YomitoriError

OOM_SCORE = 800
"""Linux: the kernel ends a process with a high score first, which costs one job instead of the app."""
_LARGE = 16_000_000
"""Bytes of a job's pictures after which freed memory is given back: not after each page."""
SILENT = {"ORT_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
"""What keeps libraries from reporting home: onnxruntime does since 1.29, unless it is told not to."""


class _Worker:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._frames: queue.SimpleQueue[tuple[dict[str, Any], bytes]] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._engine: ModelEngine | None = None
        self._title = ""

    def serve(self) -> None:
        threading.Thread(target=self._read, name="reader", daemon=True).start()
        self._send({"kind": "hello", "pid": os.getpid()})
        while True:
            # Nothing here holds a picture while it waits for the next one.
            if self._take(*self._frames.get()) > _LARGE:
                heap.trim()

    def _take(self, header: dict[str, Any], payload: bytes) -> int:
        """Do what a frame asks for; how many bytes of pictures it had."""
        if header["kind"] == "load":
            self._load(header)
        elif header["kind"] == "job":
            self._run(header, payload)
        return len(payload)

    def _read(self) -> None:
        try:
            while True:
                header, payload = frames.receive(self._connection)
                if header["kind"] == "cancel":
                    self._cancelled.add(header["id"])
                else:
                    self._frames.put((header, payload))
                del header, payload
        except (EOFError, OSError):
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(70)

    def _send(self, header: dict[str, Any]) -> None:
        try:
            frames.send(self._connection, header)
        except OSError:
            os._exit(0)

    def _load(self, header: dict[str, Any]) -> None:
        spec = EngineSpec(**header["spec"])
        self._title = spec.title
        try:
            engine = spec.create()
            loaded = engine.load(LoadOptions(**header["options"]))
        except YomitoriError as error:
            self._send({"kind": "error", "error": error.to_json()})
        except Exception as error:
            traceback.print_exc()
            reason = f"{type(error).__name__}: {error}"
            self._send({"kind": "error", "error": LoadFailed(engine=spec.title, reason=reason).to_json()})
        else:
            self._engine = engine
            self._send({"kind": "loaded", **asdict(loaded)})

    def _run(self, header: dict[str, Any], payload: bytes) -> None:
        job = header["id"]
        start = time.perf_counter()
        try:
            assert self._engine is not None, "a job before the load"
            images = frames.images_of(header, payload)
            steps = self._engine.run(header["op"], header["params"], images, lambda: job in self._cancelled)
            while True:
                try:
                    piece = next(steps)
                except StopIteration as stop:
                    result = stop.value
                    break
                self._send({"kind": "piece", "id": job, "piece": piece})
        except YomitoriError as error:
            self._send({"kind": "error", "id": job, "error": error.to_json()})
        except Exception as error:
            traceback.print_exc()
            failed = ReadFailed(engine=self._title, reason=f"{type(error).__name__}: {error}")
            self._send({"kind": "error", "id": job, "error": failed.to_json()})
        else:
            if job in self._cancelled:
                self._send({"kind": "error", "id": job, "error": Cancelled().to_json()})
            else:
                seconds = time.perf_counter() - start
                self._send({"kind": "done", "id": job, "result": result, "seconds": seconds})
        self._cancelled.discard(job)


def _open(handle: int) -> Connection:
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection

        return PipeConnection(handle)
    return Connection(handle)


def main(handle: int) -> None:
    """Serve the host at the other end of ``handle`` (a file descriptor; on Windows a pipe handle)."""
    # Ctrl+C in a terminal reaches every process of the group; the host decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(SILENT)
    if sys.platform == "linux":
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE))
    _Worker(_open(handle)).serve()
