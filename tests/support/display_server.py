"""What the tests' display servers have in common: programs run on them, and they end with their block."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import ClassVar, Self

STALL = 30.0


def wait_until(what: str, ready: Callable[[], bool], seconds: float = STALL) -> None:
    """Poll ``ready``; AssertionError naming ``what`` when it never comes (a stall guard)."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.02)


class DisplayServer:
    """``with`` runs ``_start``, and ``close`` at the end, also when the start fails.

    ``env`` holds the variables for a Qt program that shall live there; merge it over ``os.environ``
    with ``environment()``.
    """

    _elsewhere: ClassVar[tuple[str, ...]]
    """Variables that would lead a program to another display."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def env(self) -> dict[str, str]:
        raise NotImplementedError

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """A whole environment for a child: this process's, on this display and no other."""
        base = {k: v for k, v in os.environ.items() if k not in self._elsewhere}
        return {**base, **self.env, **(extra or {})}

    def _start(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def spawn(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        user: int | None = None,
        group: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a program on this display, or as ``user`` and ``group``; it ends with this at the latest."""
        process = subprocess.Popen(
            command,
            env=dict(env) if env is not None else self.environment(),
            pass_fds=tuple(pass_fds),
            user=user,
            group=group,
            extra_groups=() if user is not None else None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process

    def run(self, *command: str, input: bytes = b"") -> str:
        """Run a program on this display to its end; its standard output."""
        return self._run(command, input, subprocess.PIPE).stdout.decode()

    def run_detached(self, *command: str, input: bytes = b"") -> None:
        """Run a program that goes on in the background by itself, such as ``xclip -i`` or ``wl-copy``."""
        self._run(command, input, subprocess.DEVNULL)

    def _run(self, command: Sequence[str], input: bytes, stdout: int) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            command,
            env=self.environment(),
            check=True,
            input=input,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            timeout=STALL,
        )

    def close(self) -> None:
        """End everything that was started, the first one last."""
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
