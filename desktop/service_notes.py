"""What is true right now about the settings of the HTTP service."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from desktop.service_process import ServiceProcess, State
from desktop.setting_row import Note
from desktop.texts import error_hint, error_sentence

translate = QCoreApplication.translate

_COPIED_MS = 2000


class ServiceNotes(QObject):
    """``notes`` maps the keys of settings to what makes the note."""

    changed = Signal()
    """A note is another one now, by what was done here."""

    def __init__(self, service: ServiceProcess, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._service = service
        service.token_came.connect(self._copy)
        self._copied = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._copied.timeout.connect(self.changed)
        self.notes: Mapping[str, Callable[[], Note]] = {
            "service.enabled": self._state_note,
            "service.require_token": self._token_note,
        }

    def _state_note(self) -> Note:
        status = self._service.status
        if status.state is State.STARTING:
            return Note(self.tr("Starting…"))
        if status.state is State.ON:
            text = self.tr("Listens at {0}").format(status.address)
            if status.everywhere:
                text = self.tr("Listens at every address of this computer, port {0}").format(status.port)
            return Note(text, "muted", self.tr("Open its page"), self._service.open_page)
        if status.state is State.FAILED and status.error is not None:
            text = f"{error_sentence(status.error)} {error_hint(status.error)}"
            return Note(text, "bad", self.tr("Try again"), self._service.restart)
        return Note()

    def _token_note(self) -> Note:
        source = self._service.status.token_source
        if not source:
            return Note()
        if source == "the keyring":
            text = self.tr("The token is in the keyring.")
        else:
            text = self.tr("The token is in {0}").format(source)
        if self._copied.isActive():
            copied, spoken = translate("ResultCard", "Copied ✓"), self.tr("The token was copied.")
            return Note(text, "muted", copied, self._service.ask_for_token, spoken)
        return Note(text, "muted", self.tr("Copy the token"), self._service.ask_for_token)

    def _copy(self, token: str) -> None:
        QGuiApplication.clipboard().setText(token)
        self._copied.start()
        self.changed.emit()
