"""Models that answer questions, in the window with all models and in the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.chat import GenerationOptions, Message, Role
from core.errors import BackendUnavailable
from core.events import State
from core.settings import SettingsStore
from desktop.hotkey_manager import HotkeyManager
from desktop.hotkeys.base import HotkeyBackend
from desktop.model_texts import needs_text
from desktop.models_dialog import ModelsDialog
from desktop.row_notes import RowNotes
from desktop.setting_controls import ModelField
from desktop.settings_dialog import SettingsDialog
from desktop.theme import LIGHT, Theme
from tests.support.asking_models import ASKING_REPO, LARGE_REPO, TINY_LLAVA, catalogue
from tests.support.fake_manga_engine import BOTH
from tests.support.fake_vision_engine import FAKE_VISION
from tests.support.models_desk import CARD, CPU, REPO, ModelsDesk

STALL = 60_000


class Window:
    """The window with the models, and what the settings say beside it."""

    def __init__(self, desk: ModelsDesk, qtbot: QtBot) -> None:
        self.desk, self._qtbot = desk, qtbot
        self.dialog = ModelsDialog(desk.tasks, desk.settings, lambda repo: None)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(self.dialog)
        self.dialog.show()
        self.offered: list[str] = []
        hotkeys = HotkeyManager(desk.settings, _no_hotkeys)
        self.notes = RowNotes(
            desk.settings,
            desk.engine,
            desk.tasks,
            hotkeys,
            lambda: self.offered.append("reading"),
            offer_asking=lambda: self.offered.append("asking"),
        )
        self.look()

    def look(self) -> None:
        with self._qtbot.waitSignal(self.desk.tasks.surveyed, timeout=STALL):
            self.desk.tasks.look()

    def set(self, key: str, value: object) -> None:
        self.desk.settings.set(key, value)
        self.look()

    def bring(self) -> None:
        with self._qtbot.waitSignal(self.desk.tasks.arrived, timeout=STALL):
            self.desk.tasks.import_from(TINY_LLAVA, ASKING_REPO)
        self.look()

    def note(self, name: str) -> str:
        return self.notes(f"vision.{name}").text


def _no_hotkeys(name: str) -> HotkeyBackend:
    raise BackendUnavailable(name=name, reason="there is no keyboard", fix="")


Make = Callable[..., Window]


@pytest.fixture
def make(qapp: QApplication, tmp_path: Path, settings: SettingsStore, qtbot: QtBot) -> Iterator[Make]:
    Theme(qapp, "light")
    desks: list[ModelsDesk] = []

    def build(**options: object) -> Window:
        chosen = {"settings": settings, "catalogue": catalogue(), **options}
        desks.append(ModelsDesk(tmp_path / "desk", **chosen))  # type: ignore[arg-type]
        return Window(desks[-1], qtbot)

    yield build
    for desk in desks:
        desk.close()


# ---- the window


def test_models_for_asking_stand_in_a_group_of_their_own(make: Make) -> None:
    window = make()
    groups, rows = window.dialog.groups, window.dialog.rows
    assert {repo: row.parentWidget() for repo, row in rows.items()} == {
        REPO: groups["ocr"],
        ASKING_REPO: groups["vision"],
        LARGE_REPO: groups["vision"],
    }
    row = rows[LARGE_REPO]
    assert row.purpose.text() == "Answers questions about everything."
    assert row.facts.text() == f"14.1 GB · licence Llama 2 Community License · {LARGE_REPO}"
    assert row.needs.text() == "Memory needed: 33.0 GB with fp32; 17.0 GB with bf16, fp16"
    assert row.fit.text() == "Does not fit: needs 33.0 GB of memory, 8.0 GB free on CPU."
    # What reads says nothing of that
    assert rows[REPO].needs.text() == ""


def test_the_precision_and_the_device_are_those_for_asking(make: Make) -> None:
    window = make(devices=lambda: [replace(CPU, free=60_000_000_000), CARD])
    row = window.dialog.rows[LARGE_REPO]
    assert row.fit.text().startswith("Needs 17.0 GB, 6.0 GB free on A card: will run on the CPU")
    # When those for reading change, nothing does
    window.set("models.precision", "fp32")
    assert row.fit.text().startswith("Needs 17.0 GB")
    window.set("vision.precision", "fp32")
    assert row.fit.text().startswith("Needs 33.0 GB, 6.0 GB free on A card")
    window.set("vision.device", "cpu")
    assert row.fit.text() == "Fits: needs 33.0 GB of memory, 60.0 GB free on CPU."


def test_the_model_that_is_taken_automatically_is_marked(make: Make, qtbot: QtBot) -> None:
    # Given nothing here: the one for this machine is recommended
    window = make()
    row, group = window.dialog.rows[ASKING_REPO], window.dialog.groups["vision"]
    assert row.badge.text() == "Recommended here"
    # When it is here
    window.bring()
    assert (row.badge.text(), row.badge.property("role")) == ("Chosen automatically", "good")
    assert row.use.text() == "Always use this"
    assert not group.automatic.isVisible()
    # Then it can be chosen for good
    qtbot.mouseClick(row.use, Qt.MouseButton.LeftButton)
    assert window.desk.settings.current.vision.model == "tiny-llava"
    assert window.desk.settings.current.models.ocr_model == "manga-ocr"
    window.look()
    assert row.badge.text() == "In use"
    assert "in use" not in row._lines[0].text.text()
    # And left to the program again, with the keyboard at the model
    group.automatic.setFocus()
    qtbot.keyClick(group.automatic, Qt.Key.Key_Space)
    window.look()
    assert window.desk.settings.current.vision.model == "auto"
    assert row.badge.text() == "Chosen automatically"
    assert row.isAncestorOf(window.dialog.focusWidget())


def test_while_a_server_answers_nothing_here_is_in_use(make: Make) -> None:
    window = make()
    window.bring()
    window.set("vision.backend", "remote")
    badge = window.dialog.rows[ASKING_REPO].badge
    assert (badge.text(), badge.property("role")) == ("Chosen automatically", "muted")
    assert "A server answers now" in window.dialog.groups["vision"].note.text()


def test_what_a_flag_sets_cannot_be_left_to_the_program(make: Make, tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "other.json", environ={"YOMITORI_VISION_MODEL": "large-llava"})
    window = make(settings=store)
    window.bring()
    assert not window.dialog.groups["vision"].automatic.isVisible()
    use = window.dialog.rows[ASKING_REPO].use
    assert use.isVisible()
    assert not use.isEnabled()
    assert "YOMITORI_VISION_MODEL" in use.toolTip()


def test_an_old_id_is_added_as_its_conversion_with_a_word_why(make: Make, qtbot: QtBot) -> None:
    window = make()
    dialog = window.dialog
    dialog.name.setText("liuhaotian/llava-v1.5-7b")
    qtbot.mouseClick(dialog.add, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "llava-hf/llava-1.5-7b-hf" in dialog.rows, timeout=STALL)
    assert "is in LLaVA's original format" in dialog.said.text()
    assert dialog.said.property("role") == "muted"
    assert dialog.rows["llava-hf/llava-1.5-7b-hf"].parentWidget() is dialog.groups["vision"]


def test_another_model_stands_where_it_is_meant_to(make: Make, qtbot: QtBot) -> None:
    window = make()
    dialog = window.dialog
    for name, role in (("someone/reader", "ocr"), ("someone/answerer", "vision")):
        dialog.kind.setCurrentIndex(dialog.kind.findData(role))
        dialog.name.setText(name)
        qtbot.mouseClick(dialog.add, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda name=name: name in dialog.rows, timeout=STALL)
        assert dialog.rows[name].parentWidget() is dialog.groups[role]


def test_a_folder_is_used_for_what_it_can_do(make: Make, qtbot: QtBot) -> None:
    # Given that nobody said what it is for
    window = make()
    dialog = window.dialog
    dialog.name.setText(str(TINY_LLAVA))
    qtbot.mouseClick(dialog.add, Qt.MouseButton.LeftButton)
    row = dialog.groups["vision"].folder_row
    qtbot.waitUntil(row.isVisible, timeout=STALL)
    assert window.desk.settings.current.vision.model == str(TINY_LLAVA)
    assert window.desk.settings.current.models.ocr_model == "manga-ocr"
    assert row.badge.text() == "In use"
    assert row.fit.text().startswith("Fits: needs ")
    assert not dialog.groups["ocr"].folder_row.isVisible()


def test_an_import_finds_out_what_it_is_for(make: Make, qtbot: QtBot) -> None:
    window = make()
    with qtbot.waitSignal(window.desk.tasks.arrived, timeout=STALL) as arrived:
        window.desk.tasks.import_from(TINY_LLAVA)
    repo = arrived.args[1]
    window.look()
    assert window.dialog.rows[repo].parentWidget() is window.dialog.groups["vision"]


def test_the_settings_lead_to_the_models_they_choose_among(make: Make, qtbot: QtBot) -> None:
    window = make()
    controller = window.desk.controller
    window.dialog.close()
    controller.show_for("vision.model")
    dialog = controller._dialog
    assert dialog is not None
    assert dialog.rows[ASKING_REPO].isAncestorOf(dialog.focusWidget())
    controller.show_for("models.ocr_model")
    assert dialog.rows[REPO].isAncestorOf(dialog.focusWidget())


def heading_place(dialog: ModelsDialog, role: str) -> int:
    """Where the heading of a group begins, from the top of what is in view."""
    return dialog.groups[role].heading.mapTo(dialog.scroll.viewport(), QPoint(0, 0)).y()


def test_another_model_is_added_to_those_that_were_asked_for(make: Make) -> None:
    controller = make().desk.controller
    controller.show_for("vision.model")
    assert controller._dialog is not None
    assert controller._dialog.kind.currentData() == "vision"
    controller.show_for("models.ocr_model")
    assert controller._dialog.kind.currentData() == "ocr"


def test_a_folder_in_use_has_the_keyboard_at_its_heading_and_at_no_download(make: Make, qtbot: QtBot) -> None:
    # Given a folder of the user's own that answers, and models that could be downloaded
    window = make()
    window.set("vision.model", str(TINY_LLAVA))
    controller = window.desk.controller
    # When another is to be chosen, in a window that has to be opened first
    controller.show_for("vision.model")
    dialog = controller._dialog
    assert dialog is not None
    dialog.resize(720, 460)
    qtbot.waitUntil(lambda: dialog._asked == "")
    # Then no key press downloads anything, and the heading is in view
    group = dialog.groups["vision"]
    assert group.folder_row.isVisible()
    assert dialog.focusWidget() is group.heading
    assert 0 <= heading_place(dialog, "vision") < dialog.scroll.viewport().height() // 2


def test_a_heading_that_has_the_keyboard_has_a_ring(make: Make, qtbot: QtBot) -> None:
    window = make()
    heading = window.dialog.groups["vision"].heading
    qtbot.waitUntil(window.dialog.isActiveWindow, timeout=STALL)
    ring, size = QColor(LIGHT.focus).rgb(), heading.size()

    def drawn() -> int:
        image = heading.grab().toImage()
        return sum(image.pixel(x, 1) == ring for x in range(image.width()))

    assert drawn() == 0
    heading.setFocus()
    assert drawn() > heading.width() // 2
    # Nothing moves for it
    assert heading.size() == size
    window.dialog.name.setFocus()
    assert drawn() == 0


def test_models_that_are_not_known_yet_come_into_view_once_they_are(make: Make, qtbot: QtBot) -> None:
    # Given a window that was opened before anything was found
    window = make()
    window.desk.tasks.survey = None
    controller = window.desk.controller
    controller.show_for("vision.model")
    dialog = controller._dialog
    assert dialog is not None
    assert not dialog.rows
    # When the models are found
    window.look()
    qtbot.waitUntil(lambda: dialog._asked == "", timeout=STALL)
    # Then the one that would answer has the keyboard, below its heading
    assert dialog.rows[ASKING_REPO].isAncestorOf(dialog.focusWidget())
    assert 0 <= heading_place(dialog, "vision") < dialog.scroll.viewport().height()


def test_the_row_of_the_setting_has_its_button(make: Make, tmp_path: Path, qtbot: QtBot) -> None:
    from core.paths import Paths

    window = make()
    dialog = SettingsDialog(
        window.desk.settings, Theme(QApplication.instance(), "light"), Paths.below(tmp_path)
    )
    qtbot.addWidget(dialog)
    control = dialog.rows["vision.model"].control
    assert isinstance(control, ModelField)
    assert not control.button.isHidden()
    with qtbot.waitSignal(dialog.models_requested) as asked:
        control.button.click()
    assert asked.args == ["vision.model"]


def test_a_model_that_arrives_is_told_with_what_it_does(make: Make) -> None:
    window = make()
    window.bring()
    assert window.desk.told.messages == [
        ("Tiny LLaVA is ready", "It answers questions about pictures from now on.")
    ]


# ---- the settings' rows


def test_the_rows_tell_which_model_would_answer_and_offer_its_download(make: Make) -> None:
    window = make()
    assert window.note("model").splitlines() == [
        "Tiny LLaVA · not on this computer yet",
        "Fits: needs 1.5 GB of memory, 8.0 GB free on CPU.",
    ]
    note = window.notes("vision.model")
    assert note.button == "Download (6 MB)…"
    assert note.press is not None
    note.press()
    assert window.offered == ["asking"]
    assert window.note("device") == "At the moment: CPU"
    assert window.note("precision") == "Full (fp32) here, needs 1.5 GB."
    assert window.note("idle_unload") == "Nothing is in memory now."


def test_a_model_that_is_here_is_told_with_how_it_was_chosen(make: Make) -> None:
    window = make()
    window.bring()
    assert window.note("model").startswith("Tiny LLaVA · chosen automatically · revision ")
    assert window.notes("vision.model").button == ""
    window.set("vision.model", "tiny-llava")
    assert window.note("model").startswith("Tiny LLaVA · revision ")


def test_a_model_that_does_not_fit_on_the_card_is_said_to_run_on_the_cpu(make: Make) -> None:
    window = make(devices=lambda: [replace(CPU, free=60_000_000_000), CARD])
    window.set("vision.model", "large-llava")
    text = "Needs 17.0 GB, 6.0 GB free on A card: will run on the CPU (needs 33.0 GB there, 60.0 GB free)."
    assert text in window.note("model")
    assert window.note("device") == "At the moment: CPU"
    assert window.note("precision") == "Full (fp32) here, needs 33.0 GB."


def test_what_is_wrong_with_the_setting_is_told(make: Make, tmp_path: Path) -> None:
    window = make()
    window.set("vision.model", "liuhaotian/llava-v1.5-7b")
    assert "is in LLaVA's original format" in window.note("model")
    window.set("vision.model", str(tmp_path / "gone"))
    assert window.notes("vision.model").role == "bad"
    window.set("vision.model", "auto")
    window.set("vision.device", "cuda:1")
    assert window.note("device") == "cuda:1 is not there now. The CPU is used instead."


def test_while_a_server_answers_the_rows_are_silent(make: Make) -> None:
    window = make()
    window.set("vision.backend", "remote")
    assert window.note("model") == "Not used while a server answers."
    assert [window.note(name) for name in ("device", "precision")] == ["", ""]


def test_what_answers_is_told_while_it_is_loaded(make: Make, qtbot: QtBot) -> None:
    window = make(engines=(*BOTH, FAKE_VISION))
    window.bring()
    engine = window.desk.engine
    job = engine.ask([Message(Role.USER, "Hello?")], GenerationOptions())
    qtbot.waitUntil(job.done, timeout=STALL)
    qtbot.waitUntil(lambda: engine.state("vision").state is State.READY, timeout=STALL)
    assert "In memory now: " in window.note("model")
    assert window.note("device") == "In use: CPU"
    assert window.note("precision") == "In use: Full (fp32)"
    assert window.note("idle_unload").startswith("Frees ")
    # The tray frees it, too
    window.desk.controller.free_memory()
    qtbot.waitUntil(lambda: engine.state("vision").state is State.UNLOADED, timeout=STALL)
    assert window.note("idle_unload") == "Nothing is in memory now."


def test_needs_are_told_by_amount() -> None:
    assert needs_text({}) == ""
    assert needs_text({"fp32": 5_315_000_000, "bf16": 3_057_000_000, "fp16": 3_057_000_000}) == (
        "Memory needed: 5.3 GB with fp32; 3.1 GB with bf16, fp16"
    )
