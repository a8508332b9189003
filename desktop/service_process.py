"""The HTTP service beside the tray: ``yomitori serve`` as a child process, while the setting says so.

It has its work done by the tray's engine (``docs/decisions/015-one-engine.md``), so nothing is loaded twice.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from PySide6.QtCore import QObject, QProcess, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from core.errors import YomitoriError, from_json
from core.service_errors import ServiceEnded
from core.settings import Settings, SettingsStore, iter_settings, value_of
from desktop.service_log import ServiceLog

log = logging.getLogger(__name__)

_MAIN = Path(__file__).resolve().parent.parent / "main.py"
_GRACE = 2
"""Seconds for answers that are under way when the service is ended."""
_PATIENCE_MS = 8000
"""Until one that was asked to end is killed: the grace, and what it needs to tell those who wait."""
_AT_QUIT_MS = 4000
_PAUSES_MS = (1_000, 5_000, 30_000)
_SETTLE_MS = 1_000
"""Who types an address passes through others."""
_STEADY = 60.0
"""Seconds: one that has run for so long did not fail at its start."""
_GROUPS = ("service", "reading", "models", "vision")
"""The settings that ``serve`` takes as flags."""
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


class State(Enum):
    OFF = "off"
    STARTING = "starting"
    ON = "on"
    FAILED = "failed"


@dataclass(frozen=True)
class Status:
    """``address`` and ``token_source`` (a path, or the keyring) while it is on; ``error`` when it failed."""

    state: State = State.OFF
    address: str = ""
    token_source: str = ""
    error: YomitoriError | None = None

    @property
    def page(self) -> str:
        """Where a browser of this computer finds its page."""
        return f"{self.here}/docs" if self.address else ""

    @property
    def here(self) -> str:
        """The address at which programs of this computer find it."""
        host = _EVERYWHERE.get(urlsplit(self.address).hostname or "")
        return f"http://{host}:{self.port}" if host else self.address

    @property
    def everywhere(self) -> bool:
        """Whether it listens at every address of this computer, which none can be asked by."""
        return urlsplit(self.address).hostname in _EVERYWHERE

    @property
    def port(self) -> int:
        return urlsplit(self.address).port or 0


def serve_command() -> list[str]:
    """The command line that starts the service of this very Yomitori."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "serve"]
    return [sys.executable, str(_MAIN), "serve"]


class ServiceProcess(QObject):
    """Starts it, ends it, and starts it again when its settings change or it has ended by itself.

    It reads its settings from the file; what flags say for this run of the tray is handed on. It ends when
    its stdin does: also when the tray was killed.
    """

    changed = Signal()
    failed = Signal(object)
    """A YomitoriError: it does not run, and is not tried again. Once for each time."""
    token_came = Signal(str)

    def __init__(
        self,
        settings: SettingsStore,
        log_file: Path,
        command: Sequence[str] = (),
        pauses_ms: Sequence[int] = _PAUSES_MS,
        settle_ms: int = _SETTLE_MS,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.status = Status()
        self._settings = settings
        self._command = list(command) or serve_command()
        self._pauses = tuple(pauses_ms)
        self._log = ServiceLog(log_file)
        self._process: QProcess | None = None
        self._said = b""
        self._error: YomitoriError | None = None
        self._ending = False
        self._closed = True
        self._tries = 0
        self._since = 0.0
        self._seen = settings.current
        self._settle = QTimer(self, singleShot=True, interval=settle_ms)
        self._settle.timeout.connect(self.restart)
        self._again = QTimer(self, singleShot=True)
        self._again.timeout.connect(self._launch)
        self._impatient = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._impatient.timeout.connect(self._kill)
        self._unsubscribe = settings.subscribe(self._on_settings)

    @property
    def pid(self) -> int:
        """0 while there is none."""
        return int(self._process.processId()) if self._process is not None else 0

    def start(self) -> None:
        """From now on it follows the setting."""
        self._closed = False
        self.restart()

    def restart(self) -> None:
        """Begin anew with what the settings say now."""
        self._settle.stop()
        self._again.stop()
        self._tries = 0
        self._show(Status(State.STARTING if self._wanted else State.OFF))
        if self._process is not None:
            self._end()
        elif self._wanted:
            self._launch()

    def open_page(self) -> None:
        """In the browser: what the service takes, to be tried there."""
        if self.status.page:
            QDesktopServices.openUrl(QUrl(self.status.page))

    def ask_for_token(self) -> None:
        """``token_came`` brings it."""
        self._order("token")

    def end(self) -> None:
        """Have it end, for good; ``close`` waits for it."""
        self._closed = True
        self._unsubscribe()
        self._settle.stop()
        self._again.stop()
        self._end()

    def close(self) -> None:
        """Wait until it has ended, and kill it after four seconds."""
        self.end()
        self._impatient.stop()
        process = self._process
        if process is not None and not process.waitForFinished(_AT_QUIT_MS):
            self._kill()
            process.waitForFinished(_AT_QUIT_MS)
        self._log.close()

    # ---- settings

    @property
    def _wanted(self) -> bool:
        return self._settings.current.service.enabled and not self._closed

    def _on_settings(self, settings: Settings) -> None:
        before, self._seen = self._seen, settings
        if self._closed:
            return
        if settings.service.enabled != before.service.enabled:
            self.restart()
        elif settings.service != before.service:
            if settings.service.enabled:
                self._settle.start()
        elif settings != before:
            # It looks into the file; none of this needs a new process.
            self._order("settings")

    def _flags(self) -> list[str]:
        """What was set for this run of the tray holds for its service too."""
        flags = []
        for info in iter_settings():
            if info.group in _GROUPS and self._settings.overridden.get(info.key) == info.flag:
                value = value_of(self._settings.current, info.key)
                flags.append(f"{info.flag}={str(value).lower() if info.kind == 'bool' else value}")
        return flags

    # ---- the process

    def _launch(self) -> None:
        self._error, self._said, self._ending = None, b"", False
        process = self._process = QProcess(self)
        process.readyReadStandardOutput.connect(self._read_rows)
        process.readyReadStandardError.connect(self._read_log)
        process.errorOccurred.connect(self._on_error)
        process.finished.connect(self._on_finished)
        program, *arguments = self._command
        self._since = time.monotonic()
        process.start(program, [*arguments, "--until-stdin-ends", f"--grace={_GRACE}", *self._flags()])

    def _end(self) -> None:
        if self._process is not None and not self._ending:
            self._ending = True
            self._impatient.start()
            self._process.closeWriteChannel()

    def _kill(self) -> None:
        if self._process is not None:
            log.warning("The HTTP service did not end when it was asked to")
            self._process.kill()

    def _order(self, word: str) -> None:
        if self._process is not None and not self._ending and self.status.state is State.ON:
            self._process.write(f"{word}\n".encode())

    def _read_rows(self) -> None:
        if self._process is None:
            return
        *rows, self._said = (self._said + bytes(self._process.readAllStandardOutput().data())).split(b"\n")
        for row in rows:
            try:
                said = json.loads(row)
            except ValueError:
                continue
            if isinstance(said, dict):
                self._on_row(said)

    def _on_row(self, said: dict[str, object]) -> None:
        if "error" in said:
            self._error = from_json(said)
        elif "token" in said:
            self.token_came.emit(str(said["token"]))
        elif "address" in said and not self._ending:
            address = str(said["address"])
            log.info("The HTTP service listens at %s", address)
            self._show(Status(State.ON, address, str(said.get("token_source", ""))))

    def _read_log(self) -> None:
        if self._process is not None:
            self._log.write(bytes(self._process.readAllStandardError().data()))

    def _on_error(self, error: QProcess.ProcessError) -> None:
        # All others come before finished().
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            reason = self._process.errorString()
            self._forget()
            self._fail(ServiceEnded(reason=reason, log=self._log.path))

    def _on_finished(self, code: int, how: QProcess.ExitStatus) -> None:
        self._read_rows()
        self._read_log()
        asked = self._ending
        self._forget()
        if asked:
            if self._wanted:
                self._launch()
            return
        # What it could tell is not changed by trying again.
        if self._error is not None:
            self._fail(self._error)
            return
        crashed = how is QProcess.ExitStatus.CrashExit
        reason = f"signal {code}" if crashed and sys.platform != "win32" else f"exit code {code}"
        log.warning("The HTTP service ended with %s", reason)
        if time.monotonic() - self._since > _STEADY:
            self._tries = 0
        if self._tries < len(self._pauses):
            self._again.start(self._pauses[self._tries])
            self._tries += 1
            self._show(Status(State.STARTING))
        else:
            self._fail(ServiceEnded(reason=reason, log=self._log.path))

    def _forget(self) -> None:
        self._impatient.stop()
        self._log.close()
        if self._process is not None:
            self._process.deleteLater()
            self._process = None

    def _fail(self, error: YomitoriError) -> None:
        self._show(Status(State.FAILED, error=error))
        self.failed.emit(error)

    def _show(self, status: Status) -> None:
        if status != self.status:
            self.status = status
            self.changed.emit()
