"""Opens the side panel, places it, and brings pictures, exports and models to it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, QSize, QTimer, Signal
from PySide6.QtGui import QCursor, QGuiApplication, QScreen
from PySide6.QtWidgets import QFileDialog

from core.conversation_types import TurnState
from core.engine import Engine
from core.errors import BackendUnavailable, ModelMissing, YomitoriError
from core.events import HostState, State
from core.history import History
from core.images import SUFFIXES, load_image
from core.models.layout import name_of
from core.paths import Paths
from core.presets import PresetLibrary
from core.prompts import PromptLibrary
from core.settings import Settings, SettingsStore
from core.types import OcrResult, RgbImage
from desktop import docking
from desktop.capture.crop import to_rgb
from desktop.clipboard.base import ClipboardBackend
from desktop.clipboard.picture import picture_in
from desktop.docking.fallback import PanelDock
from desktop.exporting import Exporting
from desktop.last_folder import LastFolder
from desktop.left_open import Left, LeftOpen
from desktop.models_controller import ModelsController
from desktop.panel_place import choose_screen, place
from desktop.panel_texts import fit_line, model_line, server_line, unloaded_line
from desktop.screens import screen_at
from desktop.server_card import Route
from desktop.snip import Messages, Reading, SnipController
from desktop.talk import Talk, options_of
from desktop.texts import error_hint, error_sentence
from desktop.theme import Theme
from desktop.worker import Bridge

if TYPE_CHECKING:
    from desktop.conversation_list import ConversationList
    from desktop.panel import Panel
    from desktop.welcome import Welcome

log = logging.getLogger(__name__)

_UNCOVER_MS = 200
_REMEMBER_MS = 500
"""A new conversation has no id before its first picture is kept."""


@dataclass(frozen=True)
class Parts:
    """What the panel is built from, all of the desktop's."""

    engine: Engine
    bridge: Bridge
    settings: SettingsStore
    history: History | None
    paths: Paths
    theme: Theme
    messages: Messages
    clipboard: Callable[[], ClipboardBackend]
    models: ModelsController
    snips: SnipController


class PanelController(QObject):
    """Keeps the talk for as long as the tray runs; the window only while it is open."""

    settings_requested = Signal(str)
    """Open the settings at this one, or at the page of this group."""
    models_requested = Signal()
    window_closed = Signal()

    def __init__(self, parts: Parts, language: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._parts = parts
        self._language = language
        settings, paths = parts.settings, parts.paths
        self.prompts = PromptLibrary(paths.config / "prompts.json", language)
        self.presets = PresetLibrary(
            paths.config / "presets.json", lambda: options_of(settings.current.vision)
        )
        self._left_open = LeftOpen(paths.data / "panel.json")
        self._left = Left()
        self._remembering = QTimer(self, singleShot=True, interval=_REMEMBER_MS)
        self._remembering.timeout.connect(self._remember)
        self._exporting = Exporting(parts.bridge, LastFolder(paths.data / "export.json"), self)
        self._exporting.written.connect(self._on_exported)
        self._exporting.gone.connect(self._on_export_gone)
        self._exporting.failed.connect(self._on_export_failed)
        self._talk: Talk | None = None
        self.window: Panel | None = None
        self._list: ConversationList | None = None
        self._welcome: Welcome
        self._dock = PanelDock(docking.choose, self)
        self._dock.width_changed.connect(self._on_width)
        self._dock.docked_changed.connect(self._on_docked)
        self._keys: dict[str, str] = {}
        self._draft = ""
        self._edits: dict[int, str] = {}
        self._readings: dict[int, int] = {}
        # Where the open conversation's picture is on the screen.
        self._region: QRect | None = None
        # The next snip goes into the open conversation; the window is hidden while it is selected.
        self._adding = self._hidden = False
        self._route = Route(parts.bridge, self)
        self._route.changed.connect(self._show_model)
        self._forget = settings.subscribe(self._on_settings)
        self._stands = self._wanted(settings.current)
        parts.snips.ask_requested.connect(self.ask_about)
        parts.snips.read.connect(self._on_read)
        parts.snips.selecting_ended.connect(self._on_selecting_ended)
        parts.bridge.state_changed.connect(self._on_state)

    # ---- opening and closing

    @property
    def is_open(self) -> bool:
        return self.window is not None

    @property
    def warnings(self) -> list[YomitoriError]:
        """What was wrong with the files of prompts and presets."""
        return [*self.prompts.warnings, *self.presets.warnings]

    @property
    def talk(self) -> Talk:
        if self._talk is None:
            parts = self._parts
            self._talk = Talk(
                parts.engine,
                parts.bridge,
                parts.settings,
                parts.history,
                self._language,
                lambda: parts.settings.current.storage.history and not parts.snips.history_paused,
                self,
            )
            self._talk.problem.connect(self._tell_error)
            self._talk.listed.connect(self._refresh_list)
            self._talk.opened.connect(self._forget_region)
            self._left = self._left_open.read()
            for changed in (self._talk.opened, self._talk.pictures_changed, self._talk.turns_changed):
                changed.connect(self._remembering.start)
        return self._talk

    def _forget_region(self) -> None:
        self._region = None

    def _remember(self) -> None:
        """Keep which conversation is open, for the next start, and the question that is half written."""
        talk, history = self.talk, self._parts.history
        # Those that live in memory are gone then.
        kept = Left()
        if history is not None and talk.store is history.conversations and talk.id is not None:
            kept = Left(talk.id, self.window.composer.text() if self.window is not None else self._draft)
        if kept == self._left:
            return
        self._left = kept

        def written(_: object, error: YomitoriError | None) -> None:
            if error is not None:
                log.warning("%s", error)

        self._parts.bridge.run_in_order(lambda: self._left_open.write(kept), written)

    def _open_as_left(self) -> None:
        """The conversation that was open when Yomitori ended. Where none was, what a crash has cut off is
        what its reader wants to see first."""
        talk, history = self.talk, self._parts.history
        if history is None:
            return
        if self._left.conversation is not None:
            talk.open(self._left.conversation)
            self._draft = self._left.question
            return
        try:
            last = history.conversations.list(limit=1)
        except YomitoriError as error:
            self._tell_error(error)
            return
        if last and last[0].state is TurnState.INTERRUPTED:
            talk.open(last[0].id)

    def toggle(self) -> None:
        """The hotkey: open it, bring it to the front, or close it when it has the keyboard."""
        if self.window is not None and self.window.isActiveWindow():
            self.window.close()
        else:
            self.show()

    def show(self, region: QRect | None = None) -> None:
        """Open it with the keyboard, beside ``region`` (logical desktop coordinates) where there is room."""
        if self._talk is None:
            self._open_as_left()
        if self.window is None:
            self._make()
            self._stand(region if region is not None else self._region)
        elif region is not None and self.window.frameGeometry().intersects(region):
            self._stand(region)
        window = self.window
        assert window is not None
        window.show()
        window.raise_()
        window.activateWindow()
        if window.on_talk:
            window.take_focus()

    def ask_clipboard(self) -> None:
        """Open it with the picture in the clipboard."""
        self._take_clipboard(anew=True)

    def paste(self) -> None:
        """Add the picture in the clipboard to the open conversation."""
        self._take_clipboard(anew=False)

    def ask_about(self, reading: Reading) -> None:
        """Open it with what was snipped; its text may still be on its way."""
        talk = self.talk
        if not self._adding:
            talk.begin()
            self._region = reading.anchor
        self._adding = self._hidden = False
        text = reading.edited
        if text is None and reading.row is not None and self._parts.history is not None:
            # The user may have gone to another reading, or changed it since.
            try:
                row = self._parts.history.get(reading.row)
            except YomitoriError as error:
                self._parts.messages.tell_error(error)
                row = None
            text = row.text if row is not None and reading.result is not None else None

        known = reading.result

        def added(picture: int) -> None:
            if known is not None:
                return
            if reading.result is not None:
                # It came while the picture was being kept.
                talk.expect_text(picture)
                talk.set_read(picture, reading.result, None)
            elif reading.job is not None and not reading.cancelled and not reading.job.done():
                self._readings[id(reading)] = picture
                talk.expect_text(picture)
            else:
                talk.read(picture)

        talk.add_picture(reading.image, reading.source, reading.row, known, text, then=added, read=False)
        self.show(reading.anchor)
        self._show_talk()

    def _show_talk(self) -> None:
        if self.window is not None and not self.window.on_talk:
            self.window.show_talk()

    def ask_about_row(self, row: int) -> None:
        """Open it with a snip of the history."""
        history = self._parts.history
        if history is None:
            return

        def load() -> tuple[RgbImage, OcrResult | None, str] | None:
            kept, data = history.get(row), history.image(row)
            if kept is None or data is None:
                return None
            return load_image(data), history.result(row), kept.text

        def loaded(found: tuple[RgbImage, OcrResult | None, str] | None, error: YomitoriError | None) -> None:
            if error is not None:
                self._parts.messages.tell_error(error)
            if found is None:
                return
            image, result, text = found
            self.talk.begin()
            self.talk.add_picture(image, "history", row, result, text if result is not None else None)
            self.show()
            self._show_talk()

        self._parts.bridge.run(load, loaded)

    def open_conversation(self, conversation: int) -> None:
        self.talk.open(conversation)
        self.show()
        assert self.window is not None
        self.window.show_talk()

    def set_keys(self, keys: dict[str, str]) -> None:
        """The hotkeys in force, by action."""
        self._keys = keys
        if self.window is not None:
            self._welcome.set_keys(keys)

    def close(self) -> None:
        """Keep what has come; called before the bridge and the engine are closed."""
        self._forget()
        if self.window is not None:
            self.window.close()
        if self._talk is not None:
            self._remembering.stop()
            self._remember()
            self._talk.close()

    def forget(self) -> None:
        """Called after them."""
        if self._talk is not None:
            self._talk.forget()

    # ---- the window

    def _make(self) -> None:
        # Not imported at start: a panel that is never opened should cost no memory.
        from desktop.missing_model import MissingModel
        from desktop.panel import Panel
        from desktop.welcome import Welcome

        parts = self._parts
        welcome = self._welcome = Welcome(
            parts.theme, parts.models.tasks, parts.settings, route=self._route, loaded=self._is_loaded
        )
        welcome.set_keys(self._keys)
        welcome.choose_requested.connect(self.models_requested)
        welcome.server_requested.connect(self._ask_for_server)
        missing = MissingModel(parts.models.tasks, parts.settings)
        missing.choose_requested.connect(self.models_requested)
        window = Panel(self.talk, parts.theme, parts.settings, self.prompts, self.presets, welcome, missing)
        window.composer.set_text(self._draft)
        window.composer.typing.connect(self._remembering.start)
        window.chat.set_drafts(self._edits)
        window.snip_requested.connect(self._snip)
        window.add_snip_requested.connect(self._add_snip)
        window.delete_requested.connect(self._delete_open)
        window.open_requested.connect(self._open_file)
        window.paste_requested.connect(self.paste)
        window.conversations_requested.connect(self._show_list)
        window.export_requested.connect(self._export_open)
        window.settings_requested.connect(self._open_settings)
        window.models_requested.connect(self.models_requested)
        window.copy_requested.connect(self._copy)
        window.told.connect(self._tell)
        window.closed.connect(self._on_closed)
        self.window = window
        self._show_model()
        parts.models.tasks.surveyed.connect(self._show_model)
        parts.models.tasks.look()

    def _on_closed(self) -> None:
        if self.window is not None:
            self._draft = self.window.composer.text()
            self._edits = self.window.chat.drafts
        if self._list is not None:
            self._list.finish()
        self._dock.detach()
        self._parts.models.tasks.surveyed.disconnect(self._show_model)
        self.window, self._list = None, None
        self.window_closed.emit()

    def _show_model(self) -> None:
        """Which model answers, and what that means; under the question's field."""
        if self.window is None:
            return
        self._show_limit()
        parts, vision = self._parts, self._parts.settings.current.vision
        if vision.backend == "remote":
            self._route.look_up(vision.server_url)
            route = self._route
            if route.server is not None and route.loopback is not None:
                # What the user is told holds: an address that leads elsewhere later is not used.
                parts.engine.told_where(route.server.url, route.loopback)
            self.window.set_model_line(*server_line(vision, route))
            return
        survey = parts.models.tasks.survey
        if survey is not None and not survey.asking.here:
            # That is said above the field, with what can be done about it.
            self.window.set_model_line("", "muted")
            return
        state = parts.engine.state("vision")
        # That error is older than the model.
        quiet = state.error is None or isinstance(state.error, ModelMissing)
        if quiet and state.state in (State.UNLOADED, State.FAILED):
            self.window.set_model_line(*self._before_loading())
        else:
            self.window.set_model_line(*model_line(state))

    def _show_limit(self) -> None:
        """What is known to keep the model of this computer from answering; above the question's field."""
        if self.window is None:
            return
        parts = self._parts
        survey = parts.models.tasks.survey
        local = parts.settings.current.vision.backend == "local"
        chosen = survey.asking if survey is not None and local else None
        self.window.set_one_picture(chosen.title if chosen is not None and chosen.one_picture else "")

    def _before_loading(self) -> tuple[str, str]:
        """What the model will need, before anybody waits for it."""
        survey, history = self._parts.models.tasks.survey, self._parts.history
        chosen = survey.chosen_for("vision") if survey is not None else None
        fit = survey.fit_for("vision") if survey is not None else None
        if survey is None or chosen is None or chosen.checkpoint is None or fit is None:
            # Nobody knows yet whether there is a model.
            return unloaded_line() if survey is not None else ("", "muted")
        speed = None
        if history is not None:
            try:
                speed = history.conversations.speed(name_of(chosen.checkpoint.folder), fit.device)
            except YomitoriError as error:
                log.warning("%s", error)
        return fit_line(chosen.title, fit, survey.devices, speed)

    def _on_state(self, state: HostState) -> None:
        if state.role == "vision":
            self._show_model()
            if self.window is not None:
                self._welcome.refresh()

    def _is_loaded(self) -> bool:
        return self._parts.engine.state("vision").state in (State.READY, State.BUSY)

    def _on_settings(self, settings: Settings) -> None:
        self._show_model()
        if self._wanted(settings) != self._stands:
            self._stands = self._wanted(settings)
            if self.window is not None:
                self._stand(None, self.window.screen())

    def _wanted(self, settings: Settings) -> tuple[object, ...]:
        return settings.panel.dock, settings.panel.side

    # ---- where it stands

    def _stand(self, region: QRect | None, screen: QScreen | None = None) -> None:
        """Put the window to its edge, away from ``region``."""
        window = self.window
        assert window is not None
        panel = self._parts.settings.current.panel
        if screen is None:
            screen = screen_at(region if region is not None else QRect(QCursor.pos(), QSize(1, 1)))
        screens = QGuiApplication.screens()
        areas = [docking.usable_area(each) for each in screens]
        at = choose_screen(areas, screens.index(screen), panel.width, panel.side, region)
        side, rect = place(areas[at], panel.width, panel.side, region)
        self._dock.attach(window, screens[at], side, rect.width(), panel.dock)
        if self._dock.problem is not None:
            log.info("The panel's place is not kept free: %s", self._dock.problem)

    def _on_docked(self, docked: bool) -> None:
        if self.window is not None:
            self.window.show_close_button(docked)

    def _on_width(self, width: int) -> None:
        if width != self._parts.settings.current.panel.width:
            self._set("panel.width", width)

    def _set(self, key: str, value: object) -> None:
        try:
            self._parts.settings.set(key, value)
        except YomitoriError as error:
            log.warning("%s", error)

    # ---- pictures

    def _add_snip(self) -> None:
        self._adding = True
        self._snip()

    def _snip(self) -> None:
        if self.window is None or self._dock.docked:
            # Nothing lies behind a panel whose place is kept free.
            self._parts.snips.snip(asks=True)
            return
        self._hidden = True
        self.window.hide()
        # The desktop needs a moment to show what was behind it.
        QTimer.singleShot(_UNCOVER_MS, self, partial(self._parts.snips.snip, asks=True))

    def _on_selecting_ended(self) -> None:
        self._adding = False
        if self._hidden and self.window is not None:
            self._hidden = False
            self.show()

    def _on_read(self, reading: Reading, result: OcrResult | None, error: YomitoriError | None) -> None:
        picture = self._readings.pop(id(reading), None)
        if picture is not None:
            self.talk.set_read(picture, result, error)

    def _take_clipboard(self, anew: bool) -> None:
        try:
            image = picture_in(self._parts.clipboard())
        except YomitoriError as error:
            self._tell_error(error)
            return
        if anew:
            self.talk.begin()
        self.talk.add_loaded(lambda: to_rgb(image), "clipboard")
        self.show()
        self._show_talk()

    def _open_file(self) -> None:
        patterns = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        names, _ = QFileDialog.getOpenFileNames(
            self.window, self.tr("Ask about a picture"), "", self.tr("Pictures ({0})").format(patterns)
        )
        for name in names:
            self.talk.add_file(Path(name))

    def _copy(self, text: str) -> None:
        def done(error: YomitoriError | None) -> None:
            if error is not None:
                self._tell_error(error)
            elif self.window is not None:
                self.window.show_copied()

        try:
            self._parts.clipboard().copy(text, done)
        except BackendUnavailable as error:
            self._tell_error(error)

    # ---- conversations

    def _show_list(self) -> None:
        window, history = self.window, self._parts.history
        if window is None:
            return
        if history is None:
            self._tell(self.tr("There is no history"))
            return
        if self._list is None:
            from desktop.conversation_list import ConversationList

            page = ConversationList(history, self._parts.theme, self._parts.bridge)
            page.conversation_chosen.connect(self.open_conversation)
            page.snip_chosen.connect(self.ask_about_row)
            page.new_requested.connect(self.talk.begin)
            page.back_requested.connect(window.show_talk)
            page.deleted.connect(self.talk.gone)
            page.export_requested.connect(self._export)
            page.problem.connect(self._tell_error)
            self._list = page
        self._list.refresh()
        window.show_page(self._list)

    def find_conversations(self, query: str) -> None:
        """Open it at the list of conversations, with those that this search finds."""
        self.show()
        self._show_list()
        if self._list is not None:
            self._list.find(query)

    def _refresh_list(self) -> None:
        if self._list is not None and self.window is not None and not self.window.on_talk:
            self._list.refresh()

    def _export_open(self, form: str) -> None:
        if self.talk.id is not None:
            self._export(self.talk.id, form)

    def _export(self, conversation: int, form: str) -> None:
        history = self._parts.history
        open_store = self.talk.store if conversation == self.talk.id else None
        store = open_store or (history.conversations if history is not None else None)
        if store is not None:
            self._exporting.ask(store, conversation, form, self.window)

    def _on_exported(self, file: Path) -> None:
        if self.window is not None:
            self.window.saved.tell(file)
        else:
            self._parts.messages.tell(self.tr("Exported to {0}").format(file))

    def _on_export_failed(self, error: YomitoriError) -> None:
        # In the panel also while the file dialog is still the active window.
        log.warning("%s: %s", type(error).__name__, error)
        if self.window is not None:
            self.window.say(f"{error_sentence(error)} {error_hint(error)}".strip(), "bad")
        else:
            self._parts.messages.tell_error(error)

    def _on_export_gone(self) -> None:
        self._tell(self.tr("The conversation was deleted; nothing was exported."))

    def _delete_open(self) -> None:
        talk = self.talk
        store, conversation = talk.store, talk.id
        if store is None or conversation is None:
            return
        talk.gone([conversation])

        def deleted(_: object, error: YomitoriError | None) -> None:
            if error is not None:
                self._tell_error(error)
            self._refresh_list()

        self._parts.bridge.run_in_order(lambda: store.delete([conversation]), deleted)

    # ---- the rest

    def _tell(self, text: str) -> None:
        """In the panel while it is what the user looks at, else as a notification."""
        if self.window is not None and self.window.isActiveWindow():
            self.window.say(text)
        else:
            self._parts.messages.tell(text)

    def _tell_error(self, error: YomitoriError) -> None:
        if self.window is not None and self.window.isActiveWindow():
            log.warning("%s: %s", type(error).__name__, error)
            self.window.say(f"{error_sentence(error)} {error_hint(error)}".strip(), "bad")
        else:
            self._parts.messages.tell_error(error)

    def _open_settings(self) -> None:
        self.settings_requested.emit("panel")

    def _ask_for_server(self) -> None:
        self.settings_requested.emit("vision.server_url")
