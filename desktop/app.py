"""The composition root of the desktop: builds everything, runs it, takes it down."""

from __future__ import annotations

import logging
import logging.handlers
import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QLibraryInfo,
    QLocale,
    QMessageLogContext,
    QObject,
    QSocketNotifier,
    QTimer,
    QtMsgType,
    QTranslator,
    Signal,
    qInstallMessageHandler,
)
from PySide6.QtWidgets import QApplication, QFileDialog

from core import __version__
from core.engine import Engine
from core.engines import BUILT_IN
from core.errors import BackendUnavailable, YomitoriError
from core.events import HostState, State
from core.history import History
from core.images import SUFFIXES
from core.instance import Instance
from core.memory import MemoryJudge
from core.models.library import ModelLibrary
from core.paths import Paths, ensure_private_folder
from core.settings import Settings, SettingsStore
from desktop import capture, clipboard, hotkeys, notify
from desktop.clipboard.base import ClipboardBackend
from desktop.display import display_problem
from desktop.engine_sharing import EngineSharing
from desktop.focus_choice import make_focus
from desktop.heap import Heap
from desktop.hotkey_manager import HotkeyManager
from desktop.models_controller import ModelsController
from desktop.notify.base import NotifyBackend
from desktop.overlay import Overlay
from desktop.panel_controller import PanelController, Parts
from desktop.prompt_words import menu_language
from desktop.result import ResultCard
from desktop.service_process import ServiceProcess
from desktop.snip import SnipController
from desktop.texts import error_hint, error_sentence, model_state
from desktop.theme import Theme, write_kanji_japanese
from desktop.tray import Actions, Tray
from desktop.worker import Bridge, HostThread

if TYPE_CHECKING:
    from desktop.history_window import HistoryWindow
    from desktop.memory_row import MemoryRow
    from desktop.server_trial import ServerTrial
    from desktop.settings_dialog import SettingsDialog

log = logging.getLogger(__name__)

APP_ID = "io.github.yomitori.Yomitori"
_PRUNE_EVERY_MS = 3_600_000
_PRUNE_AFTER_CHANGE_MS = 60_000
_RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def run(flags: dict[str, Any], first: str) -> int:
    """Start the tray, or hand over to the one that runs. Returns the exit code.

    ``first`` is the command that comes first (``capture``, ``panel``), or empty.

    Raises:
        YomitoriError: there is no display, or a folder cannot be used.
    """
    problem = display_problem(os.environ)
    if problem is not None:
        raise problem
    paths = Paths.for_user()
    instance = Instance(paths.runtime)
    if not instance.acquire():
        instance.call(first or "show")
        print("Yomitori is already running; it was told to show itself.", file=sys.stderr)  # noqa: T201
        return 0
    try:
        _log_to_file(paths)
        qInstallMessageHandler(_log_qt)
        settings = SettingsStore(paths.settings_file, flags=flags)
        QApplication.setDesktopFileName(APP_ID)
        app = QApplication([sys.argv[0]])
        app.setApplicationName("Yomitori")
        app.setApplicationVersion(__version__)
        app.setQuitOnLastWindowClosed(False)
        translators = install_translations(app, settings.current.general.language)
        desktop = Desktop(app, settings, paths, instance)
        try:
            with _Signals(desktop.quit):
                desktop.start(first)
                return app.exec()
        finally:
            desktop.close()
            del translators
    finally:
        instance.close()


class MessageSink(QObject):
    """The one place where messages to the user leave: a notification, and the log."""

    untold = Signal(str)
    """Nothing here can notify: the text has to be shown in a window of ours."""

    def __init__(self, backend: Callable[[], NotifyBackend], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._backend = backend

    def tell(self, title: str, body: str = "", insist: bool = True) -> None:
        """Without ``insist`` it may be lost where nothing can notify."""
        log.info("Told: %s", title)
        try:
            self._backend().notify(title, body)
        except BackendUnavailable as error:
            log.info("No notification: %s", error)
            if insist:
                self.untold.emit(f"{title}\n{body}".strip())

    def tell_error(self, error: YomitoriError) -> None:
        log.warning("%s: %s", type(error).__name__, error)
        self.tell(error_sentence(error), error_hint(error))


class Desktop(QObject):
    """Everything of one running tray."""

    def __init__(self, app: QApplication, settings: SettingsStore, paths: Paths, instance: Instance) -> None:
        super().__init__()
        self._app = app
        self._settings = settings
        self._paths = paths
        self._instance = instance
        self._heap = Heap(self)
        self.theme = Theme(app, settings.current.general.theme)
        self.actions = Actions(self)
        self.tray = Tray(self.actions, self.theme, busy=lambda: self.overlay.is_open, parent=self)
        self.messages = MessageSink(_once(lambda: notify.choose("auto", self.tray.icon)), self)
        self.messages.untold.connect(self.tray.show_message)
        self.bridge = Bridge(self)
        memory = MemoryJudge()
        self.library = ModelLibrary(settings, paths, paths.log, runner=HostThread, memory=memory)
        self.engine = Engine(
            settings,
            paths.log,
            runner=HostThread,
            library=self.library,
            memory=memory,
            server_key=_server_key,
        )
        self._sharing = EngineSharing(paths.runtime, settings, self.library, self.engine)
        self.service = ServiceProcess(settings, paths.log / "service.log", parent=self)
        self.bridge.watch(self.engine)
        self._first_start = not paths.history_file.exists()
        self.history = self._open_history()
        self._clipboard: ClipboardBackend | None = None
        self._clipboard_name = ""
        self.overlay = Overlay(make_focus(), settings.current.capture.magnifier, parent=self)
        card = settings.current.card
        self.card = ResultCard(self.theme, make_focus(), card.text_size, card.card_seconds)
        self.controller = SnipController(
            self.engine,
            self.bridge,
            settings,
            self.history,
            lambda: capture.choose(settings.current.capture.backend),
            self.clipboard,
            self.overlay,
            self.card,
            self.messages,
            self,
        )
        self.hotkeys = HotkeyManager(settings, hotkeys.choose, self)
        self.models = ModelsController(
            self.library,
            self.engine,
            settings,
            self.bridge,
            self.messages,
            self.actions,
            lambda: self._settings_dialog is not None and self._settings_dialog.isVisible(),
            self,
        )
        self.panel = PanelController(
            Parts(
                self.engine,
                self.bridge,
                settings,
                self.history,
                paths,
                self.theme,
                self.messages,
                self.clipboard,
                self.models,
                self.controller,
            ),
            language_of_texts(),
            self,
        )
        self._history_window: HistoryWindow | None = None
        self._memory_row: MemoryRow | None = None
        # Outlives the dialog: what keyring and name server answer may come after it was closed.
        self._server_trial: ServerTrial | None = None
        self._settings_dialog: SettingsDialog | None = None
        self._prune_timer = QTimer(self, interval=_PRUNE_EVERY_MS)
        self._prune_soon = QTimer(self, singleShot=True, interval=_PRUNE_AFTER_CHANGE_MS)
        self._prune_for = settings.current.storage
        self._connect()

    def start(self, first: str) -> None:
        sys.excepthook = self._on_exception
        self._show_state()
        self.tray.show()
        self.hotkeys.start()
        self._instance.listen(self.bridge.command_came)
        self._sharing.start()
        self.service.start()
        self._tell_problems()
        if self._first_start:
            self._welcome()
        self._prune()
        self._prune_timer.start()
        self.models.start()
        if first:
            self._on_command(first)

    def _welcome(self) -> None:
        key = self._settings.current.capture.snip_hotkey
        lines = [self.tr("Press {0} and drag over some text.").format(key)] if key else []
        if self._settings.current.reading.engine == "auto" and self.engine.reading_engine() == BUILT_IN:
            lines.append(self.tr("The built-in engine reads until you download MangaOCR in the tray's menu."))
        self.messages.tell(self.tr("Yomitori is ready"), "\n".join(lines))

    def _tell_problems(self) -> None:
        """What went wrong before there was anybody to tell, in one message: a second hides the first."""
        problems: list[YomitoriError] = [*self._settings.warnings, *self.panel.warnings]
        if self.history is not None and self.history.notice is not None:
            problems.append(self.history.notice)
        if problems:
            self.messages.tell(
                self.tr("Something had to be put right"), "\n".join(map(error_sentence, problems))
            )

    def quit(self) -> None:
        """End the event loop, also one that is only about to start; ``close`` follows.

        Qt's own quit() would first destroy visible windows, with paint events still on their way.
        """
        QTimer.singleShot(0, lambda: self._app.exit(0))

    def close(self) -> None:
        """Take everything down in the order in which it depends on each other."""
        sys.excepthook = sys.__excepthook__
        self._prune_timer.stop()
        self._prune_soon.stop()
        self._heap.close()
        # It ends by itself while the rest is taken down.
        self.service.end()
        self.hotkeys.close()
        self.controller.close()
        self.panel.close()
        for window in (self._history_window, self._settings_dialog):
            if window is not None:
                window.close()
        self.models.close()
        self.tray.close()
        if self._clipboard is not None:
            self._clipboard.hand_over()
        if self._server_trial is not None:
            self._server_trial.close()
        self.bridge.close()
        # Before the engine that it uses, else it would become the owner of one.
        self.service.close()
        self._sharing.close()
        self.engine.close()
        # After the engine, which asks it for weights. A download that runs is paused.
        self.library.close()
        self.panel.forget()
        if self.history is not None:
            self.history.close()
        # Last: whoever gets the lock next opens the history.
        self._instance.close()

    def clipboard(self) -> ClipboardBackend:
        """The backend that the setting names, kept as long as the setting stays."""
        name = self._settings.current.card.clipboard_backend
        if self._clipboard is None or self._clipboard_name != name:
            self._clipboard = clipboard.choose(name)
            self._clipboard_name = name
        return self._clipboard

    # ---- wiring

    def _connect(self) -> None:
        actions = self.actions
        actions.snip.triggered.connect(self.controller.snip)
        actions.repeat.triggered.connect(self.controller.repeat)
        actions.clipboard.triggered.connect(self.controller.read_clipboard)
        actions.open_image.triggered.connect(self._open_image)
        actions.panel.triggered.connect(self._show_panel)
        actions.ask_snip.triggered.connect(self._snip_and_ask)
        actions.ask_clipboard.triggered.connect(self.panel.ask_clipboard)
        actions.history.triggered.connect(self.show_history)
        actions.settings.triggered.connect(self._show_settings)
        actions.pause_hotkeys.toggled.connect(self._pause_hotkeys)
        actions.pause_history.toggled.connect(self._pause_history)
        actions.quit.triggered.connect(self.quit)
        self.hotkeys.activated.connect(self._on_hotkey)
        self.hotkeys.failed.connect(self.messages.tell_error)
        self.hotkeys.changed.connect(self._on_hotkeys_changed)
        actions.service.triggered.connect(self.service.open_page)
        self.service.changed.connect(self._on_service)
        self.service.failed.connect(self.messages.tell_error)
        self.bridge.state_changed.connect(self._on_state)
        self.bridge.state_changed.connect(self.models.on_state)
        self.models.changed.connect(self._show_state)
        self.models.window_closed.connect(self._heap.trim_soon)
        self.panel.window_closed.connect(self._heap.trim_soon)
        self.panel.settings_requested.connect(self.show_settings)
        self.panel.models_requested.connect(partial(self.models.show_for, "vision.model"))
        self.bridge.command.connect(self._on_command)
        self.tray.no_tray.connect(self._on_no_tray)
        self.controller.history_changed.connect(self._refresh_history)
        self._prune_timer.timeout.connect(self._prune)
        self._prune_soon.timeout.connect(self._prune)
        self._settings.subscribe(self._on_settings)

    def _on_hotkey(self, action: str) -> None:
        if action == "snip":
            self.controller.snip()
        elif action == "repeat":
            self.controller.repeat()
        elif action == "card":
            self.controller.focus_card()
        elif action == "panel":
            self.panel.toggle()
        elif action == "ask":
            self._snip_and_ask()
        elif action == "ask_clipboard":
            self.panel.ask_clipboard()

    def _on_command(self, command: str) -> None:
        if command == "capture":
            self.controller.snip()
        elif command == "panel":
            self.panel.show()
        elif command == "show":
            self.show_history()
        elif command == "unload":
            self.models.free_memory()
        elif command == "quit":
            self.quit()

    def _on_hotkeys_changed(self) -> None:
        self.actions.show_keys(self.hotkeys.keys)
        self.panel.set_keys(self.hotkeys.keys)
        self._show_notes()

    def _show_panel(self) -> None:
        self.card.dismiss()
        self.panel.show()

    def _snip_and_ask(self) -> None:
        self.controller.snip(asks=True)

    def _on_state(self, state: HostState) -> None:
        self._show_state()
        if state.state is State.UNLOADED:
            self._heap.trim_soon()
        shown = self._settings_dialog is not None or self.models.is_open
        if shown and state.state in (State.READY, State.UNLOADED):
            # What is free has changed, and with it what fits.
            self.models.tasks.look()

    def _on_service(self) -> None:
        self.actions.show_service(self.service.status.here)
        self._show_notes()

    def _show_state(self) -> None:
        lines = [model_state(self.engine.state()), *self.models.state_lines()]
        if self.controller.history_paused:
            lines.append(self.tr("History paused"))
        self.tray.set_state("\n".join(lines))
        self.actions.unload.setEnabled(any(state.memory for state in self._states()))
        self._show_notes()

    def _unload(self) -> None:
        for role in ("ocr", "vision"):
            self.engine.unload(role)

    def _states(self) -> list[HostState]:
        """Of the engine that reads, the built-in one that helps it out, and the model that answers."""
        return [self.engine.state(role) for role in ("ocr", "quick", "vision")]

    def _show_notes(self) -> None:
        if self._settings_dialog is None:
            return
        survey = self.models.tasks.survey
        if survey is not None:
            self._settings_dialog.set_devices(survey.devices)
            self._settings_dialog.set_models_folder(str(survey.root))
        self._settings_dialog.refresh_notes()
        if self._memory_row is not None:
            self._memory_row.refresh()

    def _on_settings(self, settings: Settings) -> None:
        self.theme.set_choice(settings.general.theme)
        self.overlay.magnifier = settings.capture.magnifier
        self.card.configure(settings.card.text_size, settings.card.card_seconds)
        if settings.storage != self._prune_for:
            # Not at once: who steps from 30 days to 7 by way of 1 must not lose a week.
            self._prune_for = settings.storage
            self._prune_soon.start()

    def _on_no_tray(self) -> None:
        self.messages.tell(
            self.tr("This desktop shows no tray"),
            self.tr("Yomitori shows a small window instead. Closing it quits."),
            insist=False,
        )

    def _pause_hotkeys(self, paused: bool) -> None:
        self.hotkeys.pause(paused or self.actions.pause_hotkeys.isChecked())

    def _pause_history(self, paused: bool) -> None:
        self.controller.history_paused = paused
        self._show_state()

    # ---- history

    def _open_history(self) -> History | None:
        try:
            return History(self._paths.history_file)
        except YomitoriError as error:
            # Reading works without a history.
            self.messages.tell_error(error)
            return None

    def _prune(self) -> None:
        history, storage = self.history, self._settings.current.storage
        if history is None:
            return

        def pruned(count: int | None, error: YomitoriError | None) -> None:
            if error is not None:
                self.messages.tell_error(error)
            elif count:
                self._refresh_history()

        self.bridge.run(lambda: history.prune(storage.keep_days, storage.keep_mb), pruned)

    def _refresh_history(self) -> None:
        if self._history_window is not None:
            self._history_window.refresh()

    def show_history(self) -> None:
        if self.history is None:
            self.messages.tell(
                self.tr("There is no history"), self.tr("Run 'yomitori doctor' to see what is wrong.")
            )
            return
        if self._history_window is None:
            # Windows that may never be opened are not imported at start: they cost memory.
            from desktop.history_window import HistoryWindow

            window = HistoryWindow(self.history, self.theme, self.bridge)
            window.set_hotkey(self.hotkeys.keys.get("snip", ""))
            window.copy_requested.connect(self.controller.copy)
            window.copy_image_requested.connect(self._copy_image)
            window.reread_requested.connect(self.controller.read_again)
            window.ask_requested.connect(self.panel.ask_about_row)
            window.conversations_requested.connect(self.panel.find_conversations)
            window.destroyed.connect(self._on_history_destroyed)
            window.problem.connect(self.messages.tell_error)
            self._history_window = window
        self.card.dismiss()
        _raise(self._history_window)

    def _on_history_destroyed(self) -> None:
        self._history_window = None
        self._heap.trim_soon()

    def _copy_image(self, png: bytes) -> None:
        from PySide6.QtGui import QImage

        self._app.clipboard().setImage(QImage.fromData(png))

    # ---- settings

    def _show_settings(self) -> None:
        self.show_settings()

    def show_settings(self, key: str = "") -> None:
        """Open the settings, at the row of ``key`` if one is named."""
        if self._settings_dialog is None:
            from desktop.download_panel import Downloads
            from desktop.memory_row import MemoryRow
            from desktop.prompts_editor import PromptsEditor
            from desktop.row_notes import RowNotes
            from desktop.server_rows import server_rows
            from desktop.server_trial import ServerTrial
            from desktop.settings_dialog import SettingsDialog

            tasks = self.models.tasks
            offer = self.models.offer_download
            self._memory_row = MemoryRow(self._states, self._unload)
            if self._server_trial is None:
                self._server_trial = ServerTrial(self.engine, self.bridge, self._settings, self)
            notes = RowNotes(
                self._settings,
                self.engine,
                tasks,
                self.hotkeys,
                offer,
                self._capture_name,
                offer_asking=self.models.offer_asking,
                service=self.service,
            )
            dialog = SettingsDialog(
                self._settings,
                self.theme,
                self._paths,
                notes,
                {
                    "models": [self._memory_row],
                    "models.ocr_model": [Downloads(tasks)],
                    "panel": [PromptsEditor(self.panel.prompts, self.theme)],
                    **server_rows(self._server_trial),
                },
            )
            notes.changed.connect(dialog.refresh_notes)
            # A key that is grabbed cannot be recorded.
            dialog.recording_changed.connect(self._pause_hotkeys)
            dialog.models_requested.connect(self.models.show_for)
            dialog.destroyed.connect(self._on_settings_destroyed)
            self._settings_dialog = dialog
            self._show_notes()
            tasks.look()
        self.card.dismiss()
        if key:
            self._settings_dialog.open_setting(key)
        _raise(self._settings_dialog)

    def _capture_name(self) -> str:
        """The backend that takes pictures, empty when none works."""
        try:
            return capture.choose(self._settings.current.capture.backend).name
        except BackendUnavailable:
            return ""

    def _on_settings_destroyed(self) -> None:
        self._settings_dialog = None
        self._memory_row = None
        self._heap.trim_soon()

    # ---- the rest

    def _open_image(self) -> None:
        self.card.dismiss()
        patterns = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        name, _ = QFileDialog.getOpenFileName(
            None, self.tr("Read a picture"), "", self.tr("Pictures ({0})").format(patterns)
        )
        self._heap.trim_soon()
        if name:
            self.controller.read_file(Path(name))

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """What nobody caught: the log gets the traceback, the user a sentence."""
        if issubclass(kind, KeyboardInterrupt):
            self.quit()
            return
        log.critical("Not caught", exc_info=(kind, error, trace))
        ours = (
            error if isinstance(error, YomitoriError) else YomitoriError(detail=str(error) or kind.__name__)
        )
        self.messages.tell_error(ours)


def _server_key(address: str) -> str:
    # Asked for in the job's thread only: the keyring's libraries cost memory and time at start.
    from core.vision.keys import get_key

    return get_key(address)


def language_of_texts() -> str:
    """Which of the languages that a model is spoken to in is that of the menus: ``en`` or ``ja``."""
    return "ja" if menu_language() == "Japanese" else "en"


def _raise(window: Any) -> None:
    window.show()
    window.raise_()
    window.activateWindow()


def _once(make: Callable[[], Any]) -> Callable[[], Any]:
    """Make it at the first call, keep it."""
    made: list[Any] = []

    def get() -> Any:
        if not made:
            made.append(make())
        return made[0]

    return get


class _Signals:
    """Lets SIGINT and SIGTERM end the event loop: Python's handlers only run when Python does."""

    def __init__(self, quit_app: Callable[[], None]) -> None:
        self._quit = quit_app

    def __enter__(self) -> None:
        self._out, self._in = socket.socketpair()
        self._in.setblocking(False)
        self._old_fd = signal.set_wakeup_fd(self._in.fileno(), warn_on_full_buffer=False)
        self._old = {
            number: signal.signal(number, lambda *_: self._quit())
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        self._notifier = QSocketNotifier(self._out.fileno(), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(lambda: self._out.recv(64))

    def __exit__(self, *_: object) -> None:
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._old_fd)
        for number, handler in self._old.items():
            signal.signal(number, handler)
        self._out.close()
        self._in.close()


def install_translations(app: QApplication, language: str) -> list[QTranslator]:
    """Load Qt's and our texts for ``language`` (``system``: the system's). Keep what is returned."""
    locale = QLocale.system() if language == "system" else QLocale(language)
    QLocale.setDefault(locale)
    ours = _RESOURCES / "translations"
    # English is in the code. Someone who prefers it to a language that we have must not get that one.
    written = {"en", *(path.stem.removeprefix("yomitori_") for path in ours.glob("yomitori_*.qm"))}
    preferred = (tag.split("-")[0] for tag in locale.uiLanguages())
    chosen = next((tag for tag in preferred if tag in written), "en")
    if chosen == "ja":
        write_kanji_japanese(app)
    kept = []
    for name, folder in (
        ("qtbase", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)),
        ("yomitori", str(ours)),
    ):
        translator = QTranslator(app)
        if translator.load(f"{name}_{chosen}", folder):
            app.installTranslator(translator)
            kept.append(translator)
    return kept


_QT_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
}


def _log_qt(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
    """What Qt has to say goes to the log, not to the terminal of whoever started us."""
    logging.getLogger("qt").log(_QT_LEVELS.get(kind, logging.CRITICAL), "%s", message)


def _log_to_file(paths: Paths) -> None:
    """The log of the tray: private, rotated, no pictures and no text that was read."""
    ensure_private_folder(paths.log)
    handler = logging.handlers.RotatingFileHandler(
        paths.log_file, maxBytes=1_000_000, backupCount=2, encoding="utf-8"
    )
    paths.log_file.chmod(0o600)
    logging.basicConfig(
        handlers=[handler],
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
