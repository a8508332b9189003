"""The clipboard on Wayland with the programs wl-copy and wl-paste, which need no focused window."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping

from PySide6.QtCore import QEventLoop, QObject, QProcess, QProcessEnvironment, QTimer
from PySide6.QtGui import QImage

from core.errors import BackendUnavailable, ClipboardFailed
from desktop.wayland import offered_interfaces

_TRIES = 3
_TEXT = "text/plain;charset=utf-8"
_PICTURE = "image/png"
_PROTOCOLS = {"zwlr_data_control_manager_v1", "ext_data_control_manager_v1"}

Answer = Callable[[bytes | None], None]


class WlCopyClipboard(QObject):
    """Copies with wl-copy and reads back with wl-paste; each has a time limit.

    ``image`` and ``holds_image`` wait for wl-paste in an event loop of their own (without user input), so
    windows go on painting. A newer ``copy`` replaces one that is still being checked; the older one's
    ``done`` is called all the same, as soon as it is replaced.

    Args:
        environ: the environment for the programs, in which ``WAYLAND_DISPLAY`` is looked up.
        limit_ms: how long each program may take.
    """

    name = "wl-copy"

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        limit_ms: int = 2000,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._environ = environ
        self._limit_ms = limit_ms
        self._text = ""
        self._tries = 0
        self._done: Callable[[ClipboardFailed | None], None] | None = None
        self._job: _Job | None = None

    def unavailable(self) -> BackendUnavailable | None:
        if not self._environ.get("WAYLAND_DISPLAY"):
            return self._no(self.tr("this is no Wayland session"), self.tr("Choose Automatic in Settings."))
        path = self._environ.get("PATH")
        if not (shutil.which("wl-copy", path=path) and shutil.which("wl-paste", path=path)):
            return self._no(
                self.tr("the programs wl-copy and wl-paste are not installed"),
                self.tr("Install them, for example with 'sudo apt install wl-clipboard'."),
            )
        if not _PROTOCOLS & offered_interfaces(self._environ):
            return self._no(
                self.tr("this desktop gives programs without a window no access to the clipboard"),
                self.tr("Choose Qt in Settings, Result."),
            )
        return None

    def _no(self, reason: str, fix: str) -> BackendUnavailable:
        return BackendUnavailable(name="wl-copy", reason=reason, fix=fix)

    def copy(self, text: str, done: Callable[[ClipboardFailed | None], None]) -> None:
        self._finish(ClipboardFailed(reason=self.tr("a newer text took its place")))
        self._text, self._done, self._tries = text, done, 0
        self._write()

    def _write(self) -> None:
        self._tries += 1
        self._start("wl-copy", ["--type", _TEXT], self._written, self._text.encode())

    def _written(self, output: bytes | None) -> None:
        if output is None:
            self._finish(ClipboardFailed(reason=self.tr("wl-copy failed or did not answer in time")))
        else:
            self._start("wl-paste", ["--no-newline", "--type", _TEXT], self._read_back)

    def _read_back(self, output: bytes | None) -> None:
        if output == self._text.encode():
            self._finish(None)
        elif self._tries < _TRIES:
            self._write()
        elif output is None:
            self._finish(ClipboardFailed(reason=self.tr("wl-paste failed or did not answer in time")))
        else:
            self._finish(ClipboardFailed(reason=self.tr("another program holds on to it")))

    def _finish(self, result: ClipboardFailed | None) -> None:
        self._stop_job()
        done, self._done = self._done, None
        if done is not None:
            done(result)

    def _start(self, program: str, arguments: list[str], answer: Answer, text: bytes = b"") -> None:
        self._stop_job()
        self._job = _Job(program, arguments, text, self._environ, self._limit_ms, answer, self)

    def _stop_job(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.end()

    def holds_image(self) -> bool:
        types = self._paste(["--list-types"])
        return types is not None and any(line.startswith(b"image/") for line in types.splitlines())

    def image(self) -> QImage | None:
        # A desktop may hang rather than say that there is no such type.
        data = self._paste(["--type", _PICTURE]) if self.holds_image() else None
        image = QImage.fromData(data) if data else QImage()
        return None if image.isNull() else image

    def _paste(self, arguments: list[str]) -> bytes | None:
        loop, answers = QEventLoop(), []

        def answer(output: bytes | None) -> None:
            answers.append(output)
            loop.quit()

        job = _Job("wl-paste", arguments, b"", self._environ, self._limit_ms, answer, self)
        if not answers:
            loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
        job.end()
        return answers[0] if answers else None

    def hand_over(self) -> None:
        """wl-copy stays in the background and serves the text; only a copy in the making is ended."""
        self._finish(ClipboardFailed(reason=self.tr("Yomitori is quitting")))


class _Job(QObject):
    """One program run: calls ``answer`` once with its output, or None when it failed or took too long."""

    def __init__(
        self,
        program: str,
        arguments: list[str],
        text: bytes,
        environ: Mapping[str, str],
        limit_ms: int,
        answer: Answer,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._answer: Answer | None = answer
        self._process = QProcess(self)
        environment = QProcessEnvironment()
        for key, value in environ.items():
            environment.insert(key, value)
        self._process.setProcessEnvironment(environment)
        self._process.setStandardErrorFile(QProcess.nullDevice())
        self._reads = program == "wl-paste"
        if not self._reads:
            # wl-copy's background half would keep the pipe open.
            self._process.setStandardOutputFile(QProcess.nullDevice())
        self._timer = QTimer(self, singleShot=True, interval=limit_ms)
        self._timer.timeout.connect(self._fail)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._fail)
        self._timer.start()
        self._process.start(shutil.which(program, path=environ.get("PATH")) or program, arguments)
        self._process.write(text)
        self._process.closeWriteChannel()

    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        ok = code == 0 and status == QProcess.ExitStatus.NormalExit
        output = self._process.readAllStandardOutput().data() if ok and self._reads else b""
        self._tell(bytes(output) if ok else None)

    def _fail(self) -> None:
        self._tell(None)

    def _tell(self, output: bytes | None) -> None:
        self._timer.stop()
        answer, self._answer = self._answer, None
        if answer is not None:
            answer(output)

    def end(self) -> None:
        """Stop listening, and stop the program if it still runs."""
        self._answer = None
        self._timer.stop()
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.kill()
            self._process.waitForFinished(500)
        self.deleteLater()
