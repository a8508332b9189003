"""A conversation becomes a file: where to, then writing it beside the window's work."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from core.conversations import Conversations
from core.errors import YomitoriError
from desktop.last_folder import LastFolder
from desktop.worker import Bridge

_LONGEST_NAME = 60


class Exporting(QObject):
    """``ask`` opens the dialog; what the user says there is written, and told."""

    written = Signal(object)
    """The ``Path`` of the file."""
    gone = Signal()
    """The conversation was deleted before it could be written."""
    failed = Signal(object)
    """A ``YomitoriError``."""

    def __init__(self, bridge: Bridge, folder: LastFolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._folder = folder

    def ask(self, store: Conversations, conversation: int, form: str, window: QWidget | None) -> None:
        """``form`` is ``markdown`` or ``json``."""
        dialog = QFileDialog(window, self.tr("Export the conversation"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        suffix = "md" if form == "markdown" else "json"
        # Before anything is asked: the dialog must know the whole name to ask about one that is taken.
        dialog.setDefaultSuffix(suffix)
        words = self.tr("Markdown ({0})") if form == "markdown" else self.tr("JSON ({0})")
        dialog.setNameFilter(words.format(f"*.{suffix}"))
        dialog.setDirectory(str(self._folder.find()))
        dialog.selectFile(f"{self._file_name(store, conversation)}.{suffix}")
        dialog.fileSelected.connect(lambda name: self.write(store, conversation, form, Path(name)))
        dialog.open()

    def write(self, store: Conversations, conversation: int, form: str, target: Path) -> None:
        """In a pool thread; one of the signals tells how it went."""
        from core.conversation_export import to_json, to_markdown

        def write() -> bool:
            kept = store.get(conversation)
            if kept is not None:
                export = to_markdown if form == "markdown" else to_json
                export(kept, store, target)
                self._folder.remember(target.parent)
            return kept is not None

        def written(found: bool | None, error: YomitoriError | None) -> None:
            if error is not None:
                self.failed.emit(error)
            elif found:
                self.written.emit(target)
            else:
                self.gone.emit()

        self._bridge.run_in_order(write, written)

    def _file_name(self, store: Conversations, conversation: int) -> str:
        """The title, as far as every system takes it for a name."""
        try:
            kept = store.get(conversation)
        except YomitoriError as error:
            self.failed.emit(error)
            kept = None
        title = kept.title if kept is not None else ""
        name = re.sub(r'[\\/:*?"<>|\x00-\x1f]+', " ", title)
        name = " ".join(name.split())[:_LONGEST_NAME].strip(" .")
        return name or self.tr("Conversation")
