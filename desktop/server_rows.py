"""The server that answers questions, in the settings: where pictures go, its key, and whether it works."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QPushButton, QWidget

from core.errors import YomitoriError
from core.server_test import ServerTest
from core.vision.errors import RemoteNotSecure
from desktop.keyboard import keyboard_stays
from desktop.server_trial import ServerTrial
from desktop.setting_controls import ChoiceBox
from desktop.setting_row import Note, Row
from desktop.texts import error_hint, error_sentence
from desktop.theme import STEP


def server_rows(trial: ServerTrial) -> dict[str, list[Row]]:
    """New rows, by the key of the setting that they stand below."""
    key = KeyRow(trial)
    return {"vision.server_url": [RouteRow(trial), key], "vision.server_model": [TestRow(trial, key)]}


def _words(error: YomitoriError) -> str:
    return f"{error_sentence(error)}\n{error_hint(error)}".strip()


class RouteRow(Row):
    """Whether pictures leave this computer. Names are looked up while it can be seen, not before."""

    def __init__(self, trial: ServerTrial, parent: QWidget | None = None) -> None:
        super().__init__(QCoreApplication.translate("RouteRow", "Where pictures go"), parent=parent)
        self._trial = trial
        trial.changed.connect(self.refresh)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # A name may lead elsewhere since the last time.
        self._trial.look(again=True)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known now."""
        if not self.isVisible():
            return
        self._trial.look()
        self.set_note(self._make_note())
        self._trial.told()

    def _make_note(self) -> Note:
        route = self._trial.route
        if not self._trial.url:
            return Note(self.tr("No server is set."))
        if route.problem is not None:
            return Note(_words(route.problem), "bad")
        assert route.server is not None
        host = route.server.shown
        if route.loopback is None:
            return Note(self.tr("Looking up {0}…").format(host))
        if not self._trial.in_use:
            unused = self.tr("Nowhere: this computer answers.")
            if route.loopback:
                return Note(f"{unused} {self.tr('With this server they would stay on this computer, too.')}")
            return Note(f"{unused} {self.tr('With this server they would leave this computer.')}")
        if route.loopback:
            return Note(self.tr("Pictures stay on this computer."), "good")
        return Note(
            self.tr("Pictures leave this computer: they go to {0} when you ask, not before.").format(host),
            "warn",
        )


class _SecretField(QLineEdit):
    """For a key: shown as dots, and the Return key presses no button of the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setInputMethodHints(
            Qt.InputMethodHint.ImhHiddenText
            | Qt.InputMethodHint.ImhSensitiveData
            | Qt.InputMethodHint.ImhNoPredictiveText
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()


class KeyRow(Row):
    """The key goes into the system's keyring, and never comes back into the window."""

    def __init__(self, trial: ServerTrial, parent: QWidget | None = None) -> None:
        title = QCoreApplication.translate("KeyRow", "Key of the server")
        about = QCoreApplication.translate(
            "KeyRow",
            "Only if the server asks for one. It is kept in your system's keyring, in no file of Yomitori's.",
        )
        other_words = QCoreApplication.translate("KeyRow", "password token API key")
        super().__init__(title, about, f"{other_words}\nKey of the server password token API key", parent)
        self._trial = trial
        self.field = _SecretField()
        self.field.setAccessibleName(title)
        self.field.setAccessibleDescription(about)
        self.field.textChanged.connect(self.refresh)
        self.field.returnPressed.connect(self._store)
        self.button = QPushButton()
        self.button.setAutoDefault(False)
        self.button.clicked.connect(self._store)
        line = QHBoxLayout()
        line.setSpacing(2 * STEP)
        line.addWidget(self.field, 1)
        line.addWidget(self.button)
        self.below.addLayout(line)
        self.title.setBuddy(self.field)
        self._url = trial.url
        trial.changed.connect(self.refresh)
        trial.key.kept.connect(self._on_kept)
        self.refresh()

    @property
    def typed(self) -> str:
        """A key that was typed and is not stored."""
        return self.field.text().strip()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._trial.look()
        self._trial.key.look(self._address, again=True)
        self.refresh()

    @property
    def _address(self) -> str:
        """That of the server, where it is one."""
        return self._trial.url if self._trial.route.server is not None else ""

    def refresh(self) -> None:
        """Show what is known now."""
        key = self._trial.key
        if self._trial.url != self._url:
            # What was typed is for another server.
            self._url = self._trial.url
            self.field.setText("")
        if self.isVisible():
            self._trial.look()
            key.look(self._address)
        usable = bool(self._address) and not key.set_by
        replaces = bool(key.stored)
        # Its button rests while the keyring is asked.
        with keyboard_stays(self, lambda _: self.field):
            self.field.setEnabled(usable)
            self.button.setEnabled(usable and not key.busy and bool(self.typed))
        self.field.setPlaceholderText(self.tr("Another key, to replace it") if replaces and usable else "")
        self.button.setText(self.tr("Replace") if replaces else self.tr("Store"))
        self.button.setAccessibleName(f"{self.button.text()}: {self.title.text()}")
        self.set_note(self._make_note())
        problem = key.problem
        self.say("" if problem is None else _words(problem))

    def _make_note(self) -> Note:
        key, server, loopback = self._trial.key, self._trial.route.server, self._trial.route.loopback
        if key.set_by:
            return Note(self.tr("{0} is set for this run, and counts for every server.").format(key.set_by))
        if server is None:
            return Note(self.tr("Set the address of the server first."))
        if key.changing or (key.busy and key.stored is None):
            return Note(self.tr("Asking the keyring…"))
        if not key.stored:
            return Note(self.tr("No key is stored.")) if key.stored is False else Note()
        remove = self.tr("Remove")
        if loopback is False and not server.secure:
            return Note(_words(RemoteNotSecure(host=server.shown)), "warn", remove, self._remove)
        return Note(self.tr("A key for {0} is stored.").format(server.shown), "muted", remove, self._remove)

    def _store(self) -> None:
        if self.button.isEnabled():
            self._trial.key.store(self.typed)

    def _remove(self) -> None:
        self._trial.key.remove()
        self._trial.forget()

    def _on_kept(self) -> None:
        # Not clear(): that can be undone.
        self.field.setText("")


class TestRow(Row):
    """Asks the server which models it has, and lets one of them be chosen."""

    __test__ = False  # it is no test of ours

    def __init__(self, trial: ServerTrial, key: KeyRow, parent: QWidget | None = None) -> None:
        title = QCoreApplication.translate("TestRow", "Test the server")
        about = QCoreApplication.translate(
            "TestRow", "Asks the server which models it has. No picture and no question is sent."
        )
        super().__init__(title, about, "Test the server connection models", parent)
        self._trial = trial
        self._key = key
        self._names: tuple[str, ...] = ()
        self.button = QPushButton()
        self.button.setAutoDefault(False)
        self.button.setAccessibleDescription(about)
        self.button.clicked.connect(self._press)
        self.side.addWidget(self.button)
        self.side.addStretch(1)
        self.title.setBuddy(self.button)
        self.models = ChoiceBox()
        self.models.setAccessibleName(self.tr("Models of the server"))
        self.models.view().setAccessibleName(self.tr("Models of the server"))
        # Names can be longer than the page is wide.
        self.models.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.models.activated.connect(self._choose)
        self.below.addWidget(self.models)
        trial.changed.connect(self.refresh)
        # A test for which nobody waits any more.
        self.destroyed.connect(trial.stop)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known now."""
        trial = self._trial
        if self.isVisible():
            trial.look()
        self.button.setText(self.tr("Stop") if trial.running else self.tr("Test"))
        self.button.setAccessibleName(self.tr("Stop the test") if trial.running else self.title.text())
        self.button.setEnabled(trial.running or trial.route.server is not None)
        self._show_models()
        if trial.running:
            waiting = self.tr("Asking {0}…").format(self._host)
            if trial.seconds:
                waiting = self.tr("Asking {0}… {1} s").format(self._host, trial.seconds)
            self.say(waiting, "muted")
        elif trial.error is not None:
            self.say(_words(trial.error))
        elif trial.result is not None:
            missing = trial.result.notice is not None
            self.say(self._told(trial.result), "warn" if missing else "good")
        else:
            self.say("")

    @property
    def _host(self) -> str:
        server = self._trial.route.server
        return "" if server is None else server.shown

    def _told(self, found: ServerTest) -> str:
        model, took = self._trial.model, _duration(found.seconds)
        if found.notice is not None:
            text = self.tr(
                "{0} answered in {1}, but has no model called {2}. Choose one of its models below."
            )
        elif not found.models:
            text = self.tr("Works: {0} answered in {1}. It does not say which models it has.")
        elif not model:
            text = self.tr("Works: {0} answered in {1}. Choose one of its models below.")
        else:
            text = self.tr("Works: {0} answered in {1}, and has {2}.")
        lines = [text.format(self._host, took, model)]
        if found.proxy:
            lines.append(self.tr("It is reached through the proxy {0}.").format(found.proxy))
        if self._trial.used_typed_key:
            lines.append(self.tr("The key you typed was used. It is not stored yet."))
        return "\n".join(lines)

    def _show_models(self) -> None:
        names = self._trial.result.models if self._trial.result is not None else ()
        if names != self._names:
            self._names = names
            self.models.clear()
            for name in names:
                self.models.addItem(name, name)
            self.models.setPlaceholderText(self.tr("Choose a model of the server"))
        model = self._trial.model
        index = self.models.findData(model)
        self.models.setCurrentIndex(index if index >= 0 else self.models.findData(f"{model}:latest"))
        self.models.setEnabled(not self._trial.model_set_by)
        self.models.setVisible(bool(names))

    def _press(self) -> None:
        if self._trial.running:
            self._trial.stop()
        else:
            self._trial.start(self._key.typed)

    def _choose(self, index: int) -> None:
        try:
            self._trial.choose_model(str(self.models.itemData(index)))
        except YomitoriError as error:
            self.refresh()
            self.say(_words(error))


def _duration(seconds: float) -> str:
    """``0.4 s``; ``12 ms`` where that would be ``0.0 s``."""
    return f"{seconds:.1f} s" if seconds >= 0.1 else f"{max(1, round(seconds * 1000))} ms"
