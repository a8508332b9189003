"""Writing a conversation where the user says, the folder that is remembered, and the note that tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QStandardPaths, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QFileDialog, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from core.errors import StorageError
from core.history import History
from desktop.exporting import Exporting
from desktop.last_folder import LastFolder
from desktop.saved_note import SavedNote
from desktop.worker import Bridge


@pytest.fixture
def documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "Documents"
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda _: str(folder))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return folder


def test_without_a_last_folder_there_are_the_documents_or_else_the_home(
    documents: Path, tmp_path: Path
) -> None:
    last = LastFolder(tmp_path / "data" / "export.json")
    assert last.find() == tmp_path
    documents.mkdir()
    assert last.find() == documents


def test_the_last_folder_is_there_after_a_restart_while_it_exists(documents: Path, tmp_path: Path) -> None:
    file = tmp_path / "data" / "export.json"
    used = tmp_path / "used"
    used.mkdir()
    documents.mkdir()
    LastFolder(file).remember(used)
    assert LastFolder(file).find() == used
    used.rmdir()
    assert LastFolder(file).find() == documents


@pytest.mark.parametrize("content", ["{", "[]", '{"folder": 7}', '{"folder": ""}', '{"folder": "a\\u0000b"}'])
def test_a_damaged_file_is_no_folder(documents: Path, tmp_path: Path, content: str) -> None:
    documents.mkdir()
    file = tmp_path / "export.json"
    file.write_text(content)
    assert LastFolder(file).find() == documents


def test_a_folder_that_cannot_be_kept_holds_until_the_end(documents: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    last = LastFolder(tmp_path / "data" / "export.json")
    last.remember(tmp_path)
    assert last.find() == tmp_path


def test_the_dialog_opens_in_the_last_folder_with_the_title_as_a_name(
    documents: Path, tmp_path: Path, qapp: QApplication, qtbot: QtBot
) -> None:
    documents.mkdir()
    history, bridge = History(tmp_path / "history.sqlite3"), Bridge()
    talks = history.conversations
    kept = talks.create()
    talks.add_question(kept, 'これは "何"？ a/b: 1?')
    folder = LastFolder(tmp_path / "export.json")
    exporting, window = Exporting(bridge, folder), QWidget()
    try:
        exporting.ask(talks, kept, "json", window)
        dialog = window.findChild(QFileDialog)
        assert dialog is not None
        assert Path(dialog.directory().path()) == documents
        assert Path(dialog.selectedFiles()[0]).name == "これは 何 ？ a b 1.json"
        # When it is written elsewhere
        target = tmp_path / "elsewhere" / "talk.json"
        target.parent.mkdir()
        with qtbot.waitSignal(exporting.written) as told:
            dialog.fileSelected.emit(str(target))
        dialog.close()
        assert told.args == [target]
        assert json.loads(target.read_text("utf-8"))["turns"]
        # Then the next one opens there
        assert LastFolder(tmp_path / "export.json").find() == target.parent
        # And what cannot be written, or is gone, is told and remembered nowhere
        with qtbot.waitSignal(exporting.failed) as failed:
            exporting.write(talks, kept, "markdown", tmp_path / "no" / "talk.md")
        assert isinstance(failed.args[0], StorageError)
        talks.delete([kept])
        with qtbot.waitSignal(exporting.gone):
            exporting.write(talks, kept, "markdown", documents / "talk.md")
        assert not (documents / "talk.md").exists()
        assert folder.find() == target.parent
    finally:
        bridge.close()
        history.close()


def test_the_note_names_the_file_and_leads_to_its_folder(
    qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = QWidget()
    note = SavedNote()
    layout = QVBoxLayout(window)
    layout.addWidget(note)
    window.show()
    qtbot.waitExposed(window)
    assert not note.isVisible()
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    note.tell(Path("/a/b/talk.md"))
    assert note.text.text().replace("\u200b", "") == "Exported to /a/b/talk.md"
    # With the keyboard in it, it stays
    note.show_folder.setFocus()
    qtbot.keyClick(note.show_folder, Qt.Key.Key_Space)
    assert opened == [QUrl.fromLocalFile("/a/b")]
    note._going.timeout.emit()
    assert note.isVisible()
    # And goes with its button, or by itself
    note.done.click()
    assert not note.isVisible()
    note.tell(Path("/a/b/talk.md"))
    window.setFocus()
    note._going.timeout.emit()
    assert not note.isVisible()
    window.close()
