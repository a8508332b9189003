"""The window with the models: a real library, a real download process, a hub on this machine."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from core.devices import Device
from core.models.entries import Progress
from core.models.layout import RepoCache
from core.settings import SettingsStore
from desktop.model_tasks import Doing
from desktop.model_texts import amount_of, last_used, percent, progress_line, rate_text, time_left
from desktop.models_dialog import ModelsDialog
from desktop.theme import Theme
from tests.support.checkpoint_files import write_checkpoint
from tests.support.models_desk import CPU, REPO, ModelsDesk, known
from tests.support.stub_hub import SEND_BUFFER, StubHub

STALL = 60_000
SIZE = 600_000
Start = Callable[..., ModelsDesk]
Open = Callable[[ModelsDesk], ModelsDialog]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two revisions of a model."""
    folder = tmp_path_factory.mktemp("checkpoints")
    write_checkpoint(folder / "first", seed=1, size=SIZE)
    write_checkpoint(folder / "second", seed=2, size=SIZE)
    return folder


@pytest.fixture
def hub(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StubHub]:
    with StubHub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.add_repo(REPO, checkpoints / "first")
        yield hub


@pytest.fixture
def start(tmp_path: Path, settings: SettingsStore) -> Iterator[Start]:
    desks: list[ModelsDesk] = []

    def make(**options: object) -> ModelsDesk:
        desks.append(ModelsDesk(tmp_path / "desk", **{"settings": settings, **options}))  # type: ignore[arg-type]
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def show(qapp: QApplication, qtbot: QtBot) -> Iterator[Open]:
    Theme(qapp, "light")
    shown: list[ModelsDialog] = []

    def make(desk: ModelsDesk) -> ModelsDialog:
        dialog = ModelsDialog(desk.tasks, desk.settings, lambda repo: desk.engine.unload())
        shown.append(dialog)
        dialog.show()
        qtbot.waitExposed(dialog)
        qtbot.waitUntil(lambda: REPO in dialog.rows and dialog.rows[REPO].isVisible(), timeout=STALL)
        return dialog

    yield make
    for dialog in shown:
        if isValid(dialog):
            dialog.close()


def press(qtbot: QtBot, button: QAbstractButton) -> None:
    assert button.isVisible(), button.text()
    assert button.isEnabled(), button.text()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def shown_words(widget: QWidget) -> str:
    """Everything that is written there, without the places where long paths may be broken."""
    kinds = (QLabel, QAbstractButton)
    return "\n".join(
        child.text() for kind in kinds for child in widget.findChildren(kind) if child.isVisible()
    ).replace("\u200b", "")


def wait_for_words(qtbot: QtBot, widget: QWidget, words: str) -> None:
    qtbot.waitUntil(lambda: words in shown_words(widget), timeout=STALL)


def answer(qtbot: QtBot, dialog: QWidget, button: str) -> None:
    """Press a button of the question that is open."""
    boxes = [box for box in dialog.findChildren(QMessageBox) if box.isVisible()]
    assert len(boxes) == 1
    press(qtbot, next(b for b in boxes[0].buttons() if b.text().replace("&", "") == button))


def choose_path(dialog: QWidget, path: Path) -> None:
    """Choose in the file dialog that is open."""
    chooser = next(found for found in dialog.findChildren(QFileDialog) if found.isVisible())
    chooser.fileSelected.emit(str(path))
    chooser.reject()


def download(qtbot: QtBot, desk: ModelsDesk, repo: str = REPO) -> None:
    """Have the model on this computer."""
    with qtbot.waitSignal(desk.tasks.arrived, timeout=STALL):
        desk.tasks.download(repo)
    look(qtbot, desk)


def look(qtbot: QtBot, desk: ModelsDesk) -> None:
    with qtbot.waitSignal(desk.tasks.surveyed, timeout=STALL):
        desk.tasks.look()


# ---- from nothing to a model that reads


def test_a_model_is_downloaded_after_one_question_that_tells_all(
    start: Start, show: Open, hub: StubHub, qtbot: QtBot
) -> None:
    # Given nothing on this computer
    desk = start()
    dialog = show(desk)
    row = dialog.rows[REPO]
    words = shown_words(row)
    for fact in ("MangaOCR base", "Reads Japanese text in manga", "444 MB", "licence Apache 2.0"):
        assert fact in words
    assert "Fits: needs 1.1 GB of memory, 8.0 GB free on CPU." in words
    assert "In use" not in words
    assert row.download.text() == "Download (444 MB)…"
    assert row.download.hasFocus()
    # When the keyboard asks for it
    qtbot.keyClick(row.download, Qt.Key.Key_Space)
    assert desk.tasks.task(REPO).doing is Doing.PLAN
    assert "Asking the hub…" in shown_words(row)
    wait_for_words(qtbot, row, "free on the disk.")
    # Then size, room and licence are told, nothing has been transferred, and the answer is under the finger
    assert "Licence: Apache 2.0 (open source)." in shown_words(row)
    assert 'href="https://example.org/licence"' in row.offer.link.text()
    assert hub.total_sent == 0
    assert row.offer.download.hasFocus()
    # And a yes is enough
    with qtbot.waitSignal(desk.tasks.arrived, timeout=STALL) as arrived:
        qtbot.keyClick(row.offer.download, Qt.Key.Key_Space)
    assert arrived.args == ["download", REPO]
    wait_for_words(qtbot, row, "In use")
    assert shown_words(row).lower().count("in use") == 1
    assert "not used yet" not in shown_words(row)
    assert not row.panel.isVisible()
    assert not row.download.isVisible()
    checkpoint = desk.library.lookup("ocr", "manga-ocr")
    assert checkpoint is not None
    assert desk.engine.reading_engine() == "manga-ocr"


def test_no_is_an_answer_too(start: Start, show: Open, hub: StubHub, qtbot: QtBot) -> None:
    desk = start()
    row = show(desk).rows[REPO]
    press(qtbot, row.download)
    wait_for_words(qtbot, row, "free on the disk.")
    press(qtbot, row.offer.refuse)
    assert not row.offer.isVisible()
    assert row.download.isVisible()
    assert hub.total_sent == 0


def test_a_licence_that_is_not_open_is_accepted_before_anything_comes(
    start: Start, show: Open, hub: StubHub, qtbot: QtBot
) -> None:
    # Given a model that may not be used for everything
    desk = start(catalogue=(known("cc-by-nc-4.0", licence_open=False),))
    row = show(desk).rows[REPO]
    press(qtbot, row.download)
    wait_for_words(qtbot, row, "It is not an open one.")
    # When nothing is accepted, then nothing can be downloaded
    assert not row.offer.download.isEnabled()
    assert row.offer.accept.hasFocus()
    qtbot.keyClick(row.offer.accept, Qt.Key.Key_Space)
    assert row.offer.download.isEnabled()
    with qtbot.waitSignal(desk.tasks.arrived, timeout=STALL):
        press(qtbot, row.offer.download)
    accepted = desk.library.records.accepted(REPO)
    assert accepted is not None
    assert accepted.licence == "cc-by-nc-4.0"


def test_a_download_is_paused_goes_on_and_outlives_its_window(
    start: Start, show: Open, hub: StubHub, qtbot: QtBot
) -> None:
    # Given a download that takes a while
    desk = start()
    dialog = show(desk)
    row = dialog.rows[REPO]
    hub.slow(150_000, "*.safetensors")
    desk.tasks.download(REPO)
    assert "waiting to start" in shown_words(row)
    qtbot.waitUntil(lambda: row.panel.bar.value() > 200, timeout=STALL)
    assert "Downloading MangaOCR base" in shown_words(row)
    assert " of " in row.panel.figures.text()
    assert row.panel.bar.accessibleName() == "Downloading MangaOCR base"
    # When the window is closed and opened again
    with qtbot.waitSignal(dialog.destroyed):
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    dialog = show(desk)
    row = dialog.rows[REPO]
    # Then it shows the same download
    assert desk.tasks.transfers() == [REPO]
    assert "Downloading MangaOCR base" in shown_words(row)
    # When it is paused
    press(qtbot, row.panel.pause)
    assert "stopping…" in shown_words(row)
    wait_for_words(qtbot, row, "Download of MangaOCR base paused")
    qtbot.waitUntil(lambda: (desk.tasks.entry(REPO) or known()).partial_bytes > 0, timeout=STALL)  # type: ignore[union-attr]
    kept = RepoCache(desk.root, REPO).partials()[0].size
    sent = hub.sent["model.safetensors"]
    assert kept > 0.2 * SIZE > SEND_BUFFER
    # Then it goes on from there
    hub.heal()
    with qtbot.waitSignal(desk.tasks.arrived, timeout=STALL):
        press(qtbot, row.panel.resume)
    assert hub.sent["model.safetensors"] - sent <= SIZE - kept + SEND_BUFFER
    wait_for_words(qtbot, row, "In use")


def test_what_an_earlier_run_left_can_be_resumed_or_thrown_away(
    start: Start, show: Open, hub: StubHub, qtbot: QtBot
) -> None:
    # Given a partial file
    desk = start()
    cache = RepoCache(desk.root, REPO)
    cache.blobs.mkdir(parents=True)
    cache.partial("a" * 64).write_bytes(bytes(50_000_000))
    dialog = show(desk)
    row = dialog.rows[REPO]
    assert "Download of MangaOCR base paused" in shown_words(row)
    assert row.panel.figures.text() == "50 of 444 MB"
    assert row.panel.resume.hasFocus()
    # When it is cancelled, it is asked first, and no is the default
    press(qtbot, row.panel.cancel)
    question = next(box for box in dialog.findChildren(QMessageBox) if box.isVisible())
    assert question.text() == "Discard the download of MangaOCR base?"
    assert question.defaultButton().text() == "Keep"
    answer(qtbot, dialog, "Keep")
    assert cache.partials() != []
    press(qtbot, row.panel.cancel)
    answer(qtbot, dialog, "Discard")
    # Then it is gone
    qtbot.waitUntil(lambda: row.download.isVisible(), timeout=STALL)
    assert cache.partials() == []


def test_a_running_download_is_cancelled_with_all_that_came(
    start: Start, show: Open, hub: StubHub, qtbot: QtBot
) -> None:
    desk = start()
    dialog = show(desk)
    row = dialog.rows[REPO]
    hub.slow(150_000, "*.safetensors")
    desk.tasks.download(REPO)
    qtbot.waitUntil(lambda: row.panel.bar.value() > 100, timeout=STALL)
    press(qtbot, row.panel.cancel)
    answer(qtbot, dialog, "Discard")
    qtbot.waitUntil(lambda: row.download.isVisible(), timeout=STALL)
    assert RepoCache(desk.root, REPO).partials() == []
    assert not row.panel.isVisible()


def test_the_keyboard_stays_where_a_button_gave_way_to_another(
    start: Start, show: Open, hub: StubHub, qtbot: QtBot
) -> None:
    desk = start()
    dialog = show(desk)
    row = dialog.rows[REPO]
    hub.slow(150_000, "*.safetensors")

    def space(button: QAbstractButton) -> None:
        assert dialog.focusWidget() is button, dialog.focusWidget()
        qtbot.keyClick(button, Qt.Key.Key_Space)

    # Given a download that was begun with the keyboard, then Pause and Resume are in one place
    space(row.download)
    qtbot.waitUntil(lambda: row.offer.download.isVisible(), timeout=STALL)
    space(row.offer.download)
    qtbot.waitUntil(lambda: row.panel.bar.value() > 100, timeout=STALL)
    space(row.panel.pause)
    qtbot.waitUntil(lambda: row.panel.resume.isVisible(), timeout=STALL)
    space(row.panel.resume)
    qtbot.waitUntil(lambda: row.panel.pause.isVisible(), timeout=STALL)
    assert dialog.focusWidget() is row.panel.pause
    # When it is discarded, then it can be downloaded
    row.panel.cancel.setFocus()
    space(row.panel.cancel)
    question = next(box for box in dialog.findChildren(QMessageBox) if box.isVisible())
    assert question.defaultButton().text() == "Keep downloading"
    answer(qtbot, dialog, "Discard")
    qtbot.waitUntil(lambda: row.download.isVisible(), timeout=STALL)
    assert dialog.focusWidget() is row.download
    # When it is asked for updates while it is not the one in use, a second press does not choose it
    hub.heal()
    download(qtbot, desk)
    desk.settings.set("models.ocr_model", "someone/manga")
    qtbot.waitUntil(lambda: row.use.isVisible(), timeout=STALL)
    row.check.setFocus()
    space(row.check)
    qtbot.waitUntil(lambda: row.stop.isVisible(), timeout=STALL)
    wait_for_words(qtbot, row, "This is the newest revision.")
    assert dialog.focusWidget() is row.check
    # When it is deleted, then what stays of it has the keyboard
    row.more.setFocus()
    row.delete_action.trigger()
    answer(qtbot, dialog, "Delete")
    qtbot.waitUntil(lambda: row.download.isVisible(), timeout=STALL)
    assert dialog.focusWidget() is row.more


def test_enter_presses_the_button_that_has_the_keyboard(
    start: Start, show: Open, hub: StubHub, qtbot: QtBot
) -> None:
    dialog = show(start())
    row = dialog.rows[REPO]
    assert dialog.focusWidget() is row.download
    qtbot.keyClick(row.download, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: row.offer.download.isVisible(), timeout=STALL)
    assert dialog.focusWidget() is row.offer.download
    # In the field it is not a button's
    dialog.name.setFocus()
    qtbot.keyClick(dialog.name, Qt.Key.Key_Return)
    assert "Type a hub id" in dialog.said.text()


def test_what_goes_wrong_is_a_sentence_in_the_row_and_can_be_tried_again(
    start: Start, show: Open, hub: StubHub, qtbot: QtBot
) -> None:
    # Given a hub that fails
    desk = start()
    dialog = show(desk)
    row = dialog.rows[REPO]
    hub.fail(times=None)
    press(qtbot, row.download)
    # Then the row says so, with what to do, and no dialog opens
    qtbot.waitUntil(lambda: desk.tasks.task(REPO).error is not None, timeout=STALL)
    assert row.status.text().startswith("127.0.0.1")
    assert row.hint.text() != ""
    assert row.status.property("role") == "bad"
    assert [box for box in dialog.findChildren(QMessageBox) if box.isVisible()] == []
    # And the same button tries again
    hub.heal()
    press(qtbot, row.download)
    wait_for_words(qtbot, row, "free on the disk.")


def test_a_download_that_breaks_off_keeps_what_came(
    start: Start, show: Open, hub: StubHub, qtbot: QtBot
) -> None:
    desk = start()
    row = show(desk).rows[REPO]
    hub.drop(0.5, "*.safetensors", times=1)
    hub.fail(times=None, where="body", file="*.safetensors")
    with qtbot.waitSignal(desk.tasks.failed, timeout=STALL):
        desk.tasks.download(REPO)
    wait_for_words(qtbot, row, "Download of MangaOCR base stopped")
    assert row.panel.error.text() != ""
    assert row.panel.resume.text() == "Try again"
    hub.heal()
    with qtbot.waitSignal(desk.tasks.arrived, timeout=STALL):
        press(qtbot, row.panel.resume)


# ---- what can be done with a model that is here


def test_the_files_are_checked_and_repaired(start: Start, show: Open, hub: StubHub, qtbot: QtBot) -> None:
    # Given a model that is whole
    desk = start()
    row = show(desk).rows[REPO]
    download(qtbot, desk)
    row.verify_action.trigger()
    wait_for_words(qtbot, row, "Checked: all ")
    # When a file changes on the disk
    commit = desk.tasks.entry(REPO).revisions[0].commit  # type: ignore[union-attr]
    vocabulary = RepoCache(desk.root, REPO).snapshot(commit) / "vocab.txt"
    vocabulary.resolve().write_text("nothing")
    row.verify_action.trigger()
    # Then it is named, and downloading again mends it
    wait_for_words(qtbot, row, "vocab.txt")
    assert row.status.property("role") == "bad"
    with qtbot.waitSignal(desk.tasks.arrived, timeout=STALL):
        press(qtbot, row.again)
    assert vocabulary.read_text() != "nothing"


def test_an_update_is_looked_for_taken_and_taken_back(
    start: Start, show: Open, hub: StubHub, checkpoints: Path, qtbot: QtBot
) -> None:
    desk = start()
    dialog = show(desk)
    row = dialog.rows[REPO]
    download(qtbot, desk)
    # Given that there is nothing newer
    wait_for_words(qtbot, row, "In use")
    press(qtbot, row.check)
    wait_for_words(qtbot, row, "This is the newest revision.")
    first = desk.tasks.entry(REPO).current.commit  # type: ignore[union-attr]
    # When there is
    second = hub.add_commit(REPO, checkpoints / "second")
    press(qtbot, row.check)
    wait_for_words(qtbot, row, f"A newer revision is there: {second[:7]}.")
    assert row.update_button.text() == "Update (1 MB)"
    with qtbot.waitSignal(desk.tasks.arrived, timeout=STALL) as arrived:
        press(qtbot, row.update_button)
    assert arrived.args == ["update", REPO]
    # Then both are here, and one press goes back
    wait_for_words(qtbot, row, "Go back to this")
    assert desk.tasks.entry(REPO).current.commit == second  # type: ignore[union-attr]
    line = next(line for line in row._lines if line.roll_back.isVisible())
    assert first[:7] in line.text.text()
    press(qtbot, line.roll_back)
    wait_for_words(qtbot, row, "The earlier revision is in use again.")
    qtbot.waitUntil(lambda: desk.tasks.entry(REPO).current.commit == first, timeout=STALL)  # type: ignore[union-attr]
    # And the one that is not used is deleted alone, after a question
    line = next(line for line in row._lines if second[:7] in line.text.text())
    press(qtbot, line.delete)
    answer(qtbot, dialog, "Delete")
    qtbot.waitUntil(lambda: len(desk.tasks.entry(REPO).revisions) == 1, timeout=STALL)  # type: ignore[union-attr]
    assert desk.tasks.entry(REPO).current.commit == first  # type: ignore[union-attr]


def test_a_model_is_deleted_after_a_question_that_tells_the_size(
    start: Start, show: Open, hub: StubHub, qtbot: QtBot
) -> None:
    desk = start()
    dialog = show(desk)
    row = dialog.rows[REPO]
    download(qtbot, desk)
    wait_for_words(qtbot, row, "In use")
    row.delete_action.trigger()
    box = dialog.findChildren(QMessageBox)[-1]
    assert box.text() == "Delete MangaOCR base?"
    assert box.informativeText() == "1 MB on the disk. It can be downloaded again."
    answer(qtbot, dialog, "Cancel")
    assert desk.library.lookup("ocr", "manga-ocr") is not None
    row.delete_action.trigger()
    answer(qtbot, dialog, "Delete")
    wait_for_words(qtbot, row, "Deleted, 1 MB freed.")
    qtbot.waitUntil(lambda: row.download.isVisible(), timeout=STALL)
    assert desk.library.lookup("ocr", "manga-ocr") is None


# ---- models of the user's own


def test_a_hub_id_is_added_downloaded_and_chosen(
    start: Start, show: Open, hub: StubHub, checkpoints: Path, qtbot: QtBot
) -> None:
    desk = start()
    dialog = show(desk)
    hub.add_repo("someone/manga", checkpoints / "second", licence="cc-by-nc-4.0")
    # When something else is typed, then it is said what a hub id looks like
    dialog.name.setText("what is this")
    press(qtbot, dialog.add)
    assert "There is no model called what is this." in dialog.said.text()
    assert "owner/name" in dialog.said.text()
    # When a hub id is typed
    dialog.name.setFocus()
    dialog.name.setText("someone/manga")
    qtbot.keyClick(dialog.name, Qt.Key.Key_Return)
    qtbot.waitUntil(
        lambda: "someone/manga" in dialog.rows and dialog.rows["someone/manga"].download.isVisible(),
        timeout=STALL,
    )
    assert not dialog.said.isVisible()
    row = dialog.rows["someone/manga"]
    press(qtbot, row.download)
    # Then its own licence is shown, and where to read it
    wait_for_words(qtbot, row, "Licence: cc-by-nc-4.0. It is not an open one.")
    assert "/someone/manga" in row.offer.link.text()
    row.offer.accept.setChecked(True)
    with qtbot.waitSignal(desk.tasks.arrived, timeout=STALL):
        press(qtbot, row.offer.download)
    # And it can be chosen
    qtbot.waitUntil(lambda: row.use.isVisible(), timeout=STALL)
    press(qtbot, row.use)
    assert desk.settings.current.models.ocr_model == "someone/manga"
    wait_for_words(qtbot, row, "In use")
    assert not row.use.isVisible()


def test_a_hub_id_with_a_slip_is_taken_from_the_list_again(
    start: Start, show: Open, hub: StubHub, qtbot: QtBot
) -> None:
    desk = start()
    dialog = show(desk)
    dialog.name.setText("someone/nothing")
    press(qtbot, dialog.add)
    qtbot.waitUntil(
        lambda: "someone/nothing" in dialog.rows and dialog.rows["someone/nothing"].download.isVisible(),
        timeout=STALL,
    )
    row = dialog.rows["someone/nothing"]
    press(qtbot, row.download)
    wait_for_words(qtbot, row, "has no someone/nothing")
    press(qtbot, row.forget)
    qtbot.waitUntil(lambda: "someone/nothing" not in dialog.rows, timeout=STALL)


def test_a_folder_is_used_where_it_is_once_it_holds_a_model(
    start: Start, show: Open, checkpoints: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    desk = start()
    dialog = show(desk)
    # A folder without one is refused with the reason
    (tmp_path / "empty").mkdir()
    dialog.name.setText(str(tmp_path / "empty"))
    press(qtbot, dialog.add)
    qtbot.waitUntil(lambda: "config.json is missing" in dialog.said.text(), timeout=STALL)
    assert desk.settings.current.models.ocr_model == "manga-ocr"
    # One with a checkpoint is chosen with the button
    press(qtbot, dialog.browse)
    choose_path(dialog, checkpoints / "first")
    assert dialog.name.text() == str(checkpoints / "first")
    press(qtbot, dialog.add)
    qtbot.waitUntil(lambda: dialog.folder_row.isVisible(), timeout=STALL)
    assert desk.settings.current.models.ocr_model == str(checkpoints / "first")
    assert f"Folder {checkpoints / 'first'}" in shown_words(dialog.folder_row)
    assert "In use" in shown_words(dialog.folder_row)


def test_a_folder_that_is_gone_says_so(start: Start, show: Open, tmp_path: Path, qtbot: QtBot) -> None:
    desk = start()
    desk.settings.set("models.ocr_model", str(tmp_path / "gone"))
    dialog = show(desk)
    assert "there is no such folder" in shown_words(dialog.folder_row)
    assert "In use" not in shown_words(dialog.folder_row)


def test_a_model_is_imported_without_a_network(
    start: Start, show: Open, checkpoints: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    desk = start()
    dialog = show(desk)
    row = dialog.rows[REPO]
    archive = shutil.make_archive(str(tmp_path / "model"), "zip", checkpoints / "first")
    # A folder without a model first
    (tmp_path / "empty").mkdir()
    action = next(a for a in row.menu.actions() if a.text() == "Import from a folder…")
    action.trigger()
    choose_path(dialog, tmp_path / "empty")
    qtbot.waitUntil(lambda: desk.tasks.task(REPO).error is not None, timeout=STALL)
    assert "holds no model" in row.status.text()
    # Then the zip
    action = next(a for a in row.menu.actions() if a.text() == "Import from a zip file…")
    action.trigger()
    with qtbot.waitSignal(desk.tasks.arrived, timeout=STALL) as arrived:
        choose_path(dialog, Path(archive))
    assert arrived.args == ["import", REPO]
    wait_for_words(qtbot, row, "Imported from model.zip.")
    wait_for_words(qtbot, row, "In use")
    wait_for_words(qtbot, row, "imported")


# ---- the window


def test_what_a_flag_sets_cannot_be_chosen_away(
    start: Start, show: Open, hub: StubHub, checkpoints: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    store = SettingsStore(
        tmp_path / "other.json", environ={"YOMITORI_MODELS_OCR_MODEL": str(checkpoints / "first")}
    )
    desk = start(settings=store)
    row = show(desk).rows[REPO]
    download(qtbot, desk)
    qtbot.waitUntil(lambda: row.use.isVisible(), timeout=STALL)
    assert not row.use.isEnabled()
    assert "YOMITORI_MODELS_OCR_MODEL" in row.use.toolTip()


def test_a_model_that_does_not_fit_says_how_much_is_lacking(start: Start, show: Open) -> None:
    small = Device("cpu", "CPU, 2 cores", 16_000_000_000, 300_000_000)
    row = show(start(devices=lambda: [small])).rows[REPO]
    assert row.fit.text() == "Does not fit: needs 1.1 GB of memory, 300 MB free on CPU."
    assert row.fit.property("role") == "warn"


def test_a_folder_that_cannot_be_written_is_told_with_the_fix(
    start: Start, show: Open, tmp_path: Path, settings: SettingsStore
) -> None:
    (tmp_path / "file").write_text("")
    settings.set("models.dir", str(tmp_path / "file"))
    desk = start(settings=settings)
    settings.set("models.dir", str(tmp_path / "file"))
    dialog = show(desk)
    assert str(tmp_path / "file") in shown_words(dialog)
    assert dialog.problem.isVisible()
    # However long the path is, the window need not be as wide
    assert dialog.minimumSizeHint().width() < 720


def test_nothing_slow_is_asked_in_the_gui_thread(start: Start, show: Open) -> None:
    desk = start(devices=lambda: [CPU])
    show(desk)
    assert desk.asked_in != []
    assert threading.main_thread() not in desk.asked_in


def test_every_control_has_a_name_for_screen_readers(
    start: Start, show: Open, hub: StubHub, qtbot: QtBot
) -> None:
    desk = start()
    dialog = show(desk)
    download(qtbot, desk)
    kinds = (QPushButton, QLineEdit, QCheckBox, QComboBox, QProgressBar)
    for kind in kinds:
        for widget in dialog.findChildren(kind):
            if widget.isVisible():
                assert widget.accessibleName() or widget.text(), widget
    more = dialog.rows[REPO].more
    assert more.accessibleName() == "More about MangaOCR base"


def test_the_tab_key_goes_from_the_models_to_what_adds_another(
    start: Start, show: Open, qtbot: QtBot
) -> None:
    dialog = show(start())
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    row = dialog.rows[REPO]
    row.download.setFocus()
    order = []
    added = [dialog.kind, dialog.name, dialog.add, dialog.browse, dialog.import_button]
    for _ in range(7):
        order.append(QApplication.focusWidget())
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert order == [row.download, row.more, *added]


# ---- the words


def test_a_download_is_told_in_short_figures() -> None:
    progress = Progress("download", "model.safetensors", 6_100_000_000, 15_100_000_000, 42e6, 240.0)
    assert progress_line(progress) == "6.1 of 15.1 GB · 42 MB/s · 4 min left"
    assert percent(progress) == 40
    assert amount_of(950_000_000, 15_100_000_000) == "950 MB of 15.1 GB"
    assert amount_of(43_000_000, 0) == "43 MB"
    assert rate_text(310_000) == "310 kB/s"
    assert rate_text(4_240_000) == "4.2 MB/s"
    assert [time_left(s) for s in (0.2, 40, 3000, 7500)] == [
        "1 s left",
        "40 s left",
        "50 min left",
        "2 h 5 min left",
    ]
    waiting = Progress("wait", "", 10, 0)
    assert "waiting for the network" in progress_line(waiting)
    assert percent(waiting) == 0


def test_when_a_model_was_used_is_told_in_days(qapp: QApplication) -> None:
    from PySide6.QtCore import QDateTime

    now = QDateTime.fromString("2025-05-12T12:00:00Z", Qt.DateFormat.ISODate)
    assert last_used("", now=now) == "not used yet"
    assert last_used("2025-05-12T11:59:00+00:00", now=now) == "used today"
    assert last_used("2025-05-11T11:00:00+00:00", now=now) == "used yesterday"
    assert last_used("2025-04-01T11:00:00+00:00", now=now).startswith("unused since ")
    assert last_used("2025-04-01T11:00:00+00:00", in_use=True, now=now).startswith("last used ")
    assert last_used("nonsense", now=now) == "not used yet"
