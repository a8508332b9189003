"""The side panel while there is nothing to ask about: what it can do, how a picture gets in, what answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from core.errors import YomitoriError
from core.settings import SettingsStore
from desktop.keyboard import keyboard_stays
from desktop.model_tasks import ModelTasks
from desktop.model_texts import told
from desktop.offer_panel import show, words
from desktop.server_card import Route, ServerCard
from desktop.theme import STEP, Theme, set_role
from desktop.welcome_model import ModelCard

_WIDEST = 480
"""Of the column, in logical pixels: longer lines read badly."""


class Welcome(QWidget):
    """Follows ``tasks``; give it the hotkeys with ``set_keys``."""

    choose_requested = Signal()
    """Show the models there are."""
    server_requested = Signal()
    """Show where a server is set."""

    def __init__(
        self,
        theme: Theme,
        tasks: ModelTasks,
        settings: SettingsStore,
        parent: QWidget | None = None,
        route: Route | None = None,
        loaded: Callable[[], bool] = lambda: False,
    ) -> None:
        """``route`` has the server's name looked up; without it only ``localhost`` and addresses in figures
        count as this computer. ``loaded`` says whether the model that answers is in memory; call ``refresh``
        when that changes."""
        super().__init__(parent)
        self._tasks = tasks
        self._settings = settings
        self.route = route or Route(None, self)
        self.route.changed.connect(self.refresh)
        self.title = words("title")
        self.title.setText(self.tr("Ask about anything on your screen"))
        self.about = words("muted")
        self.model = ModelCard(tasks, loaded=loaded)
        self.model.choose_requested.connect(self.choose_requested)
        self.server = ServerCard()
        self.server.requested.connect(self.server_requested)
        self.server.local_requested.connect(self._answer_here)
        self.problem = words("bad")
        self.problem.hide()
        self.keys: dict[str, QLabel] = {}
        self._lay_out()
        theme.changed.connect(self.update)
        tasks.changed.connect(self._on_changed)
        tasks.surveyed.connect(self.refresh)
        self.set_keys({})
        self.refresh()

    def _lay_out(self) -> None:
        self.scroll = QScrollArea()
        self.scroll.setWidgetResizable(True)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.scroll.setFrameShape(QFrame.Shape.NoFrame)
        column = QWidget()
        column.setMaximumWidth(_WIDEST)
        column.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._cards = QVBoxLayout(column)
        self._cards.setContentsMargins(0, 0, 0, 0)
        self._cards.setSpacing(3 * STEP)
        head = QVBoxLayout()
        head.setSpacing(2 * STEP)
        head.addWidget(self.title)
        head.addWidget(self.about)
        self._cards.addLayout(head)
        self._cards.addLayout(self._make_ways())
        self._cards.addWidget(self.model)
        self._cards.addWidget(self.server)
        self._cards.addWidget(self.problem)
        content = QWidget()
        sides = QHBoxLayout()
        sides.setSpacing(0)
        sides.addStretch(1)
        sides.addWidget(column, 1000)
        sides.addStretch(1)
        layout = QVBoxLayout(content)
        layout.setContentsMargins(4 * STEP, 4 * STEP, 4 * STEP, 4 * STEP)
        layout.addStretch(1)
        layout.addLayout(sides)
        layout.addStretch(1)
        self.scroll.setWidget(content)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.scroll)

    def _make_ways(self) -> QGridLayout:
        """How a picture gets in, each with its key."""
        ways = {
            "ask": self.tr("Snip a part of the screen"),
            "paste": self.tr("Paste a picture here"),
            "ask_clipboard": self.tr("Ask about a copied picture from anywhere"),
            "drop": self.tr("Drop a picture or a file here"),
            "panel": self.tr("Show or hide this panel"),
        }
        self._ways = ways
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * STEP)
        grid.setVerticalSpacing(STEP)
        grid.setColumnStretch(0, 1)
        for line, (name, text) in enumerate(ways.items()):
            way = words()
            way.setText(text)
            way.setObjectName(name)
            grid.addWidget(way, line, 0)
            if name == "drop":
                continue
            key = self.keys[name] = QLabel()
            key.setTextFormat(Qt.TextFormat.PlainText)
            set_role(key, "key")
            grid.addWidget(key, line, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return grid

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """The hotkeys in force as people write them, by action (``ask``, ``ask_clipboard``, ``panel``)."""
        own = {"paste": QKeySequence(QKeySequence.StandardKey.Paste)}
        for name, label in self.keys.items():
            text = keys.get(name, "")
            if name in own:
                text = own[name].toString(QKeySequence.SequenceFormat.NativeText)
            label.setText(text)
            label.setVisible(bool(text))
            label.setAccessibleName(self.tr("{0}: {1}").format(self._ways[name], text) if text else "")
        # Without a key these are no ways at all.
        for name in ("ask_clipboard", "panel"):
            way = self.findChild(QLabel, name)
            if way is not None:
                way.setVisible(bool(keys.get(name)))

    def _on_changed(self, repo: str) -> None:
        if repo == self.model.repo:
            self.model.refresh()

    def refresh(self) -> None:
        """Show how things stand."""
        with keyboard_stays(self, lambda _: self._refuge()):
            self._refresh()

    def _refuge(self) -> QWidget | None:
        """What gets the keyboard when what had it went: what can be done about the one that answers."""
        part = self.model.first_part() if not self.model.isHidden() else None
        return part or self.server.connect_button

    def _refresh(self) -> None:
        vision = self._settings.current.vision
        remote = vision.backend == "remote"
        self.route.look_up(vision.server_url if remote else "")
        self.about.setText(self._about(remote))
        self.model.setVisible(not remote)
        if not remote:
            self.model.refresh()
        self.server.show_server(vision, self.route, "vision.backend" not in self._settings.overridden)

    def _answer_here(self) -> None:
        """Have no server answer."""
        problem = ""
        try:
            self._settings.set("vision.backend", "local")
        except YomitoriError as error:
            problem = told(error)
        show(self.problem, problem)
        self.refresh()

    def _about(self, remote: bool) -> str:
        can = self.tr("What a sentence means, how its grammar works, what happens in a picture.")
        if remote:
            return can
        return can + " " + self.tr("The model runs on this computer; nothing is sent anywhere.")
