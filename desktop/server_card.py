"""The server that answers questions, or may: who it is, and whether pictures leave this computer."""

from __future__ import annotations

import ipaddress

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from core.errors import YomitoriError
from core.settings import Vision
from core.vision.address import Lookup, ServerAddress, is_loopback, parse_address, resolve
from desktop.offer_panel import show, words
from desktop.texts import error_hint, error_sentence
from desktop.theme import STEP, set_kind, set_role
from desktop.worker import Bridge, Done


class Route(QObject):
    """Where the server is. ``loopback`` is None while nobody knows."""

    changed = Signal()

    def __init__(
        self, bridge: Bridge | None, parent: QObject | None = None, lookup: Lookup | None = None
    ) -> None:
        """Without ``bridge`` no name is looked up. ``lookup`` is what knows names, by default the system."""
        super().__init__(parent)
        self._bridge = bridge
        self._lookup = lookup
        self._typed = ""
        self.server: ServerAddress | None = None
        self.loopback: bool | None = None
        self.problem: YomitoriError | None = None

    def look_up(self, typed: str) -> None:
        """Find out about this address; ``changed`` tells when more is known than at once."""
        if typed == self._typed:
            return
        self._typed = typed
        self.server, self.loopback, self.problem = None, None, None
        if not typed:
            return
        try:
            server = self.server = parse_address(typed)
        except YomitoriError as error:
            self.problem = error
            return
        self.loopback = _loopback(server.host)
        if self.loopback is None and self._bridge is not None:
            # A name server may take its time, as a keyring may.
            self._bridge.run_apart(lambda: resolve(server, self._lookup).loopback, self._answer_to(typed))

    def _answer_to(self, typed: str) -> Done:
        def done(loopback: bool | None, error: YomitoriError | None) -> None:
            if typed == self._typed:
                self.loopback, self.problem = loopback, error
                self.changed.emit()

        return done


def _loopback(host: str) -> bool | None:
    """Whether the host is this computer, as far as that is known without asking anybody."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True if host == "localhost" else None
    return is_loopback(host)


class ServerCard(QFrame):
    """``requested``: the user wants to set the server; ``local_requested``: that this computer answers."""

    requested = Signal()
    local_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self.title = words("strong")
        self.text = words("muted")
        self.notice = words()
        self.hint = words("muted")
        self.connect_button = QPushButton()
        self.connect_button.clicked.connect(self.requested)
        self.local = QPushButton(self.tr("Answer on this computer"))
        self.local.clicked.connect(self.local_requested)
        self.local.hide()
        top = QHBoxLayout()
        top.setSpacing(3 * STEP)
        top.addWidget(self.title, 1)
        top.addWidget(self.connect_button, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * STEP, 3 * STEP, 3 * STEP, 3 * STEP)
        layout.setSpacing(STEP)
        layout.addLayout(top)
        for label in (self.text, self.notice, self.hint):
            layout.addWidget(label)
        # With room above it, as buttons below words have.
        self._local_place = QVBoxLayout()
        self._local_place.addWidget(self.local, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addLayout(self._local_place)

    def show_server(self, vision: Vision, route: Route, may_change: bool = True) -> None:
        """What the settings say; ``route`` is where their server is. ``may_change``: nothing locks who
        answers."""
        remote = vision.backend == "remote"
        ready = bool(remote and route.server is not None and vision.server_model)
        self.connect_button.setText(self.tr("Change…") if ready else self.tr("Connect…"))
        self.connect_button.setAccessibleName(
            self.tr("Change the server…") if ready else self.tr("Connect to a server…")
        )
        set_kind(self.connect_button, "primary" if remote and not ready else "")
        offers_local = remote and not ready and may_change
        self.local.setVisible(offers_local)
        self._local_place.setContentsMargins(0, STEP if offers_local else 0, 0, 0)
        if not remote:
            show(self.title, self.tr("A server you run"))
            show(
                self.text,
                self.tr(
                    "vLLM, Ollama, LM Studio or Yomitori on another machine. Pictures leave this computer."
                ),
            )
            show(self.notice, "")
            show(self.hint, "")
            return
        if route.server is None or not vision.server_model:
            problem = route.problem
            show(self.title, self.tr("A server should answer"))
            missing = self.tr("No server is set yet.")
            if route.server is not None:
                missing = self.tr("No model of {0} is chosen yet.").format(route.server.shown)
            show(self.text, "")
            show(self.notice, missing if problem is None else error_sentence(problem), "warn")
            show(self.hint, "" if problem is None else error_hint(problem))
            return
        show(self.title, self.tr("{0} answers").format(vision.server_model))
        show(self.text, self.tr("On the server {0}").format(route.server.url))
        if route.problem is not None:
            show(self.notice, error_sentence(route.problem), "warn")
            show(self.hint, error_hint(route.problem))
        elif route.loopback:
            show(self.notice, self.tr("Pictures stay on this computer."), "good")
            show(self.hint, "")
        else:
            show(self.notice, self.tr("Pictures leave this computer."), "warn")
            show(self.hint, self.tr("They are sent when you ask, not before."))
