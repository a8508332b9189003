"""The settings dialog: every declared setting can be seen, changed, restored, found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QStyle,
    QStyleOptionComboBox,
    QToolTip,
    QWidget,
)
from pytestqt.qtbot import QtBot
from shiboken6 import delete, isValid

from core import __version__
from core.devices import Device
from core.paths import Paths
from core.prompts import PromptLibrary
from core.settings import SettingInfo, SettingsStore, iter_settings, value_of
from desktop import setting_row
from desktop.key_recorder import KeyRecorder
from desktop.prompts_editor import PromptsEditor
from desktop.setting_controls import DeviceBox, FolderField, ModelField, NumberBox
from desktop.setting_row import Row
from desktop.settings_dialog import AmountBox, Note, SettingRow, SettingsDialog, Switch
from desktop.theme import Theme
from desktop.window_size import resize_on_screen

SETTINGS = list(iter_settings())
IDS = [info.key for info in SETTINGS]
Open = Callable[..., SettingsDialog]
CPU = Device("cpu", "CPU, 2 cores", 16_000_000_000, 8_000_000_000)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, "light")


@pytest.fixture
def open_dialog(theme: Theme, settings: SettingsStore, tmp_path: Path, qtbot: QtBot) -> Iterator[Open]:
    opened: list[SettingsDialog] = []

    def make(
        store: SettingsStore = settings,
        notes: Callable[[str], Note] | None = None,
        more: Mapping[str, list[QWidget]] | None = None,
    ) -> SettingsDialog:
        dialog = SettingsDialog(store, theme, Paths.below(tmp_path), notes, more)
        dialog.show()
        qtbot.waitExposed(dialog)
        opened.append(dialog)
        return dialog

    yield make
    for dialog in opened:
        if isValid(dialog):
            dialog.close()


@dataclass(frozen=True)
class Shared:
    """A dialog for all tests of a class, since building it takes longest; each leaves it as it was."""

    dialog: SettingsDialog
    store: SettingsStore
    file: Path


def shared_dialog(qapp: QApplication, folder: Path, environ: Mapping[str, str]) -> Iterator[Shared]:
    file = folder / "config" / "settings.json"
    store = SettingsStore(file, environ=environ)
    dialog = SettingsDialog(store, Theme(qapp, "light"), Paths.below(folder))
    dialog.show()
    assert QTest.qWaitForWindowExposed(dialog)
    yield Shared(dialog, store, file)
    dialog.close()
    # What is left of it would be styled again with every later theme.
    delete(dialog)


@pytest.fixture(scope="class")
def with_defaults(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    yield from shared_dialog(qapp, tmp_path_factory.mktemp("defaults"), {})


@pytest.fixture(scope="class")
def all_from_the_environment(
    qapp: QApplication, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shared]:
    """Every setting is set by its variable."""
    usual = {"bool": "false", "hotkey": "Ctrl+F9"}
    values = {
        info.env_name: str(info.maximum) if info.kind == "int" else usual.get(info.kind, info.default)
        for info in SETTINGS
    }
    yield from shared_dialog(qapp, tmp_path_factory.mktemp("environment"), values)


def show_row(dialog: SettingsDialog, key: str) -> SettingRow:
    row = dialog.rows[key]
    dialog.open_group(row.info.group_title)
    assert row.isVisible()
    return row


def change(row: SettingRow, qtbot: QtBot) -> object:
    """Change a setting the way its control is used; returns the value that should be in force."""
    control = row.control
    control.setFocus()
    if isinstance(control, Switch):
        qtbot.mouseClick(control, Qt.MouseButton.LeftButton)
        return not row.info.default
    if isinstance(control, QComboBox):
        position = (control.currentIndex() + 1) % control.count()
        control.setCurrentIndex(position)
        return control.itemData(position)
    if isinstance(control, AmountBox):
        control.selectAll()
        qtbot.keyClicks(control, str(row.info.default + 1))
        qtbot.keyClick(control, Qt.Key.Key_Return)
        return row.info.default + 1
    if isinstance(control, NumberBox):
        qtbot.keyClick(control, Qt.Key.Key_Down)
        return round(row.info.default - 0.05, 2)
    if isinstance(control, QLineEdit):
        control.selectAll()
        text = "https://example.org" if row.info.key == "service.cors_origins" else "example.org"
        qtbot.keyClicks(control, text)
        qtbot.keyClick(control, Qt.Key.Key_Return)
        return text
    if isinstance(control, ModelField | FolderField):
        control.line.selectAll()
        qtbot.keyClicks(control.line, "/somewhere/else")
        qtbot.keyClick(control.line, Qt.Key.Key_Return)
        return "/somewhere/else"
    assert isinstance(control, KeyRecorder)
    press_keys(control, qtbot, Qt.Key.Key_F9, Qt.KeyboardModifier.ControlModifier)
    return "Ctrl+F9"


def press_keys(
    recorder: KeyRecorder,
    qtbot: QtBot,
    key: Qt.Key,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    button = recorder.findChild(QPushButton)
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert button.text() == "Press the keys…"
    qtbot.keyClick(button, key, modifiers)


def labels(row: SettingRow) -> str:
    return "\n".join(label.text() for label in row.findChildren(QLabel) if label.isVisible())


class TestEachSetting:
    @pytest.mark.parametrize("info", SETTINGS, ids=IDS)
    def test_each_setting_has_a_control_that_changes_store_and_file(
        self, info: SettingInfo, with_defaults: Shared, qtbot: QtBot
    ) -> None:
        # Given the dialog with defaults
        settings = with_defaults.store
        assert value_of(settings.current, info.key) == info.default
        row = show_row(with_defaults.dialog, info.key)
        assert info.title in labels(row)
        assert info.description in labels(row)
        assert not row.restore.isVisible()
        # When the control is used
        wanted = change(row, qtbot)
        # Then the value is in force and in the file at once
        assert value_of(settings.current, info.key) == wanted
        group, name = info.key.split(".")
        assert json.loads(with_defaults.file.read_text("utf-8"))[group][name] == wanted
        # And it can be put back with one press
        assert row.restore.isVisible()
        qtbot.mouseClick(row.restore, Qt.MouseButton.LeftButton)
        assert value_of(settings.current, info.key) == info.default
        assert not row.restore.isVisible()


def test_no_setting_is_missing_and_every_group_is_a_page(open_dialog: Open) -> None:
    dialog = open_dialog()
    assert list(dialog.rows) == IDS
    pages = [dialog.navigation.item(i).text() for i in range(dialog.navigation.count())]
    assert pages == [*dict.fromkeys(info.group_title for info in SETTINGS), "About"]


class TestEachVariable:
    @pytest.mark.parametrize("info", SETTINGS, ids=IDS)
    def test_a_value_that_the_environment_sets_is_locked_and_says_so(
        self, info: SettingInfo, all_from_the_environment: Shared
    ) -> None:
        row = show_row(all_from_the_environment.dialog, info.key)
        locked = row.control.line if isinstance(row.control, ModelField) else row.control
        assert not locked.isEnabled()
        assert not row.restore.isVisible()
        assert f"Set by {info.env_name} for this run." in labels(row)


@pytest.mark.qt_log_ignore("grabbing the keyboard")
def test_an_open_list_shows_all_its_entries(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog()
    dialog.set_devices([CPU])
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    for info in SETTINGS:
        if info.kind not in ("choice", "device"):
            continue
        box = show_row(dialog, info.key).control
        assert isinstance(box, QComboBox)
        box.setFocus()
        box.showPopup()
        # With the focus its border must not grow
        qtbot.waitUntil(lambda box=box: box.view().isVisible() and box.view().hasFocus())
        view = box.view()
        for place in range(box.count()):
            entry = view.visualRect(box.model().index(place, 0))
            assert view.viewport().rect().contains(entry), f"{info.key}: {box.itemText(place)}"
        assert view.window().rect() == view.geometry()
        box.hidePopup()


def test_a_box_with_the_keyboard_has_as_much_room_for_its_words(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog()
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    box = show_row(dialog, "models.precision").control
    assert isinstance(box, QComboBox)

    def room() -> int:
        option = QStyleOptionComboBox()
        box.initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        return box.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, box).width()

    dialog.search.setFocus()
    before = room()
    box.setFocus()
    assert box.hasFocus()
    assert room() == before


def test_a_click_on_a_page_draws_no_ring_around_the_list_and_the_keyboard_does(
    open_dialog: Open, qtbot: QtBot
) -> None:
    dialog = open_dialog()
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    pages = dialog.navigation
    place = pages.visualItemRect(pages.item(2)).center()
    qtbot.mouseClick(pages.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert pages.hasFocus()
    assert pages.property("ring") == "false"
    qtbot.keyClick(pages, Qt.Key.Key_Down)
    assert pages.currentRow() == 3
    assert pages.property("ring") == "true"


def test_a_window_opens_no_larger_than_the_screen_has_room_for(open_dialog: Open, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    room = window.screen().availableGeometry()
    resize_on_screen(window, 300, 200)
    assert (window.width(), window.height()) == (300, 200)
    resize_on_screen(window, 9_000, 9_000)
    assert window.width() <= room.width()
    # The title bar has to be seen, too
    assert window.height() < room.height()


def test_every_control_has_a_name_for_screen_readers(open_dialog: Open) -> None:
    dialog = open_dialog()
    for widget in dialog.findChildren(QWidget):
        # A spin box's line edit and the recorder's parts are told through their parents.
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not isinstance(
            widget.parent(), AmountBox | NumberBox | QScrollArea
        ):
            named = widget.accessibleName() or (isinstance(widget, QPushButton) and widget.text())
            assert named, widget


def test_tab_goes_from_search_to_groups_to_the_rows_in_order(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog()
    dialog.open_group("General")
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    dialog.search.setFocus()
    order = []
    for _ in range(4):
        order.append(QApplication.focusWidget())
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert order == [
        dialog.search,
        dialog.navigation,
        dialog.rows["general.language"].control,
        dialog.rows["general.theme"].control,
    ]


def test_tab_brings_a_whole_list_into_view(
    open_dialog: Open, theme: Theme, tmp_path: Path, qtbot: QtBot
) -> None:
    # Given a list that begins at the lower edge of the page
    editor = PromptsEditor(PromptLibrary(tmp_path / "prompts.json"), theme)
    dialog = open_dialog(more={"panel": [editor]})
    dialog.open_group("Panel")
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    before = dialog.rows["panel.level"].control
    before.setFocus()
    area = dialog.stack.currentWidget()
    assert isinstance(area, QScrollArea)
    area.ensureWidgetVisible(before, 0, 0)
    # When Tab leads to it
    qtbot.keyClick(before, Qt.Key.Key_Tab)
    assert editor.list.hasFocus()
    # Then more of it is to be seen than its first row
    top = editor.list.mapTo(area.viewport(), QPoint(0, 0)).y()
    assert 0 <= top <= area.viewport().height() - editor.list.height()


def test_the_search_shows_only_rows_and_groups_that_match(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog()

    def groups() -> list[str]:
        items = [dialog.navigation.item(i) for i in range(dialog.navigation.count())]
        return [item.text() for item in items if not item.isHidden()]

    # A word of a title
    qtbot.keyClicks(dialog.search, "MAGNIFIER")
    assert groups() == ["Capture"]
    assert [key for key, row in dialog.rows.items() if row.isVisible()] == ["capture.magnifier"]
    # A word of a description
    dialog.search.setText("rambling")
    assert groups() == ["Reading"]
    # The name of a group shows all of it
    dialog.search.setText("storage")
    assert [key for key, row in dialog.rows.items() if row.isVisible()] == [
        key for key in IDS if key.startswith("storage.")
    ]
    dialog.search.setText("nothing has this")
    assert groups() == []
    assert dialog.stack.currentWidget() is dialog._nothing
    assert dialog._nothing.text() == "Nothing found for “nothing has this”."
    # And all comes back
    dialog.search.clear()
    assert len(groups()) == dialog.navigation.count()
    assert dialog.stack.currentWidget() is not dialog._nothing


@pytest.mark.parametrize("info", [i for i in SETTINGS if i.special], ids=lambda i: i.key)
def test_numbers_with_a_meaning_are_shown_and_typed_as_words(
    info: SettingInfo, open_dialog: Open, settings: SettingsStore, qtbot: QtBot
) -> None:
    row = show_row(open_dialog(), info.key)
    box = row.control
    assert isinstance(box, AmountBox)
    box.setFocus()
    for number, word in info.special.items():
        settings.set(info.key, 7)
        assert box.text() == f"7 {info.unit}".strip()
        box.selectAll()
        qtbot.keyClicks(box, word)
        qtbot.keyClick(box, Qt.Key.Key_Return)
        assert value_of(settings.current, info.key) == number
        assert box.text() == word


def test_a_number_beyond_the_bounds_is_not_taken(
    open_dialog: Open, settings: SettingsStore, qtbot: QtBot
) -> None:
    row = show_row(open_dialog(), "card.text_size")
    row.control.setFocus()
    row.control.selectAll()  # type: ignore[attr-defined]
    qtbot.keyClicks(row.control, "999")
    qtbot.keyClick(row.control, Qt.Key.Key_Return)
    assert 12 <= settings.current.card.text_size <= 48


def test_the_wheel_over_an_unfocused_control_changes_nothing(
    open_dialog: Open, settings: SettingsStore
) -> None:
    dialog = open_dialog()
    before = settings.current
    for key in ("general.theme", "models.idle_unload"):
        control = show_row(dialog, key).control
        dialog.search.setFocus()
        wheel = QWheelEvent(
            QPointF(5, 5),
            QPointF(control.mapToGlobal(QPoint(5, 5))),
            QPoint(),
            QPoint(0, -120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(control, wheel)
    assert settings.current == before


def test_a_file_that_cannot_be_written_is_said_beside_the_row(
    open_dialog: Open, tmp_path: Path, qtbot: QtBot
) -> None:
    # Given a store whose folder cannot be made
    (tmp_path / "blocked").write_text("")
    store = SettingsStore(tmp_path / "blocked" / "settings.json", environ={})
    row = show_row(open_dialog(store), "capture.magnifier")
    # When a setting is changed
    qtbot.mouseClick(row.control, Qt.MouseButton.LeftButton)
    # Then the row says that it could not be kept, and it is in force all the same
    assert "cannot be used" in labels(row)
    assert store.current.capture.magnifier is False


def test_notes_tell_what_is_true_now(open_dialog: Open, settings: SettingsStore) -> None:
    facts = {"models.device": "In use: CPU"}
    dialog = open_dialog(notes=lambda key: Note(facts.get(key, "")))
    row = show_row(dialog, "models.device")
    assert "In use: CPU" in labels(row)
    facts["models.device"] = "In use: GPU"
    dialog.refresh_notes()
    assert "In use: GPU" in labels(row)
    facts.clear()
    settings.set("capture.magnifier", False)
    assert "In use" not in labels(row)


@pytest.mark.parametrize("already_shown", [True, False], ids=["shown", "not shown yet"])
def test_a_setting_that_is_asked_for_is_in_view_with_the_keyboard(
    theme: Theme, settings: SettingsStore, tmp_path: Path, qtbot: QtBot, already_shown: bool
) -> None:
    # Given the window at another page, with a search that hides the setting
    more = {"vision.server_model": [Row(f"More {number}", "About it") for number in range(8)]}
    dialog = SettingsDialog(settings, theme, Paths.below(tmp_path), None, more)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    if already_shown:
        dialog.show()
        qtbot.waitExposed(dialog)
        dialog.search.setText("magnifier")
    # When the server's address is asked for
    dialog.open_setting("vision.server_url")
    dialog.show()
    dialog.activateWindow()
    qtbot.waitUntil(lambda: dialog._asked == "")
    # Then its row stands in the upper third of its page, and keys go to it
    row = dialog.rows["vision.server_url"]
    page = dialog.stack.currentWidget()
    assert isinstance(page, QScrollArea)
    assert page.isAncestorOf(row)
    assert dialog.search.text() == ""
    assert page.verticalScrollBar().value() > 0
    top = row.mapTo(page.viewport(), QPoint(0, 0)).y()
    assert 0 <= top <= page.viewport().height() // 3
    assert dialog.focusWidget() is row.control
    # And the first of its page needs no scrolling
    dialog.open_setting("vision.backend")
    assert page.verticalScrollBar().value() == 0
    assert dialog.focusWidget() is dialog.rows["vision.backend"].control


def test_a_group_that_is_asked_for_is_shown_from_its_top(open_dialog: Open) -> None:
    dialog = open_dialog()
    dialog.open_setting("panel.level")
    page = dialog.stack.currentWidget()
    assert isinstance(page, QScrollArea)
    assert page.verticalScrollBar().value() > 0
    dialog.open_group("About")
    dialog.open_setting("panel")
    QApplication.processEvents()
    assert dialog.stack.currentWidget() is page
    assert page.verticalScrollBar().value() == 0


def test_a_list_that_is_refused_stays_to_be_mended(
    open_dialog: Open, settings: SettingsStore, qtbot: QtBot
) -> None:
    dialog = open_dialog()
    row = show_row(dialog, "service.allowed_hosts")
    assert isinstance(row.control, QLineEdit)
    qtbot.keyClicks(row.control, "box.lan,*")
    qtbot.keyClick(row.control, Qt.Key.Key_Return)
    assert "name each one, * does not stand for all" in labels(row)
    assert row.control.text() == "box.lan,*"
    assert settings.current.service.allowed_hosts == ""
    qtbot.keyClick(row.control, Qt.Key.Key_Backspace)
    qtbot.keyClick(row.control, Qt.Key.Key_Return)
    assert settings.current.service.allowed_hosts == "box.lan,"
    assert "does not stand" not in labels(row)


def test_what_a_note_says_aloud_is_said_when_it_comes(
    open_dialog: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(
        setting_row.QAccessible, "updateAccessibility", lambda event: said.append(event.message())
    )
    dialog = open_dialog()
    row = show_row(dialog, "service.require_token")
    row.set_note(Note("Here", button="Copied", spoken="It was copied."))
    row.set_note(Note("Here", button="Copied", spoken="It was copied."))
    row.set_note(Note("Here", button="Copy"))
    assert said == ["It was copied."]


def test_a_setting_that_is_not_there_cannot_be_asked_for(open_dialog: Open) -> None:
    dialog = open_dialog()
    with pytest.raises(KeyError):
        dialog.open_setting("vision.nothing")


def test_a_change_from_elsewhere_is_shown_until_the_dialog_is_closed(
    open_dialog: Open, settings: SettingsStore, qtbot: QtBot
) -> None:
    dialog = open_dialog()
    row = show_row(dialog, "capture.magnifier")
    settings.set("capture.magnifier", False)
    assert not row.control.isChecked()  # type: ignore[attr-defined]
    with qtbot.waitSignal(dialog.destroyed):
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    settings.set("capture.magnifier", True)


def test_about_tells_version_licence_and_folders(open_dialog: Open, tmp_path: Path) -> None:
    dialog = open_dialog()
    dialog.open_group("About")
    shown = [label.text() for label in dialog.findChildren(QLabel) if label.isVisible()]
    for fact in (f"Yomitori {__version__}", "MIT", str(Paths.below(tmp_path).history_file)):
        assert fact in shown


# --- models and devices


def test_devices_are_chosen_by_name_and_memory(open_dialog: Open, settings: SettingsStore) -> None:
    dialog = open_dialog()
    box = show_row(dialog, "models.device").control
    assert isinstance(box, DeviceBox)
    # Given that nobody has asked the driver yet
    assert [box.itemText(i) for i in range(box.count())] == ["Automatic", "CPU"]
    # When it has answered
    card = Device("cuda:0", "NVIDIA GeForce RTX 3060", 12_900_000_000, 1)
    other = Device("cuda:1", "NVIDIA GeForce RTX 3060", 12_900_000_000, 1)
    dialog.set_devices([CPU, card])
    assert [box.itemText(i) for i in range(box.count())] == [
        "Automatic",
        "CPU (16.0 GB RAM)",
        "NVIDIA GeForce RTX 3060 (12.9 GB)",
    ]
    box.setCurrentIndex(2)
    assert settings.current.models.device == "cuda:0"
    # Two equal ones are told apart
    dialog.set_devices([CPU, card, other])
    assert box.itemText(3) == "NVIDIA GeForce RTX 3060 (12.9 GB) · cuda:1"
    assert box.currentData() == "cuda:0"
    # And one that is gone stays, and says so
    dialog.set_devices([CPU])
    assert box.currentText() == "cuda:0 (not here)"
    assert settings.current.models.device == "cuda:0"
    settings.set("models.device", "cuda")
    dialog.set_devices([CPU, card])
    assert box.currentText() == "NVIDIA GeForce RTX 3060 (12.9 GB)"
    dialog.set_devices([CPU, Device("mps", "Apple GPU", 16_000_000_000, 1)])
    assert box.findText("Apple GPU (shares 16.0 GB RAM)") > 0


def test_devices_whose_free_memory_changes_leave_an_open_list_alone(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog()
    box = show_row(dialog, "models.device").control
    assert isinstance(box, DeviceBox)
    dialog.set_devices([CPU])
    with qtbot.assertNotEmitted(box.model().rowsInserted):
        dialog.set_devices([replace(CPU, free=1)])


def test_a_model_is_typed_or_chosen_in_the_window_with_all_of_them(
    open_dialog: Open, settings: SettingsStore, qtbot: QtBot
) -> None:
    dialog = open_dialog()
    field = show_row(dialog, "models.ocr_model").control
    assert isinstance(field, ModelField)
    with qtbot.waitSignal(dialog.models_requested):
        qtbot.mouseClick(field.button, Qt.MouseButton.LeftButton)
    field.line.setText("  someone/manga ")
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert settings.current.models.ocr_model == "someone/manga"
    # Nothing is no model: the old one stays, and why is said
    field.line.clear()
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert settings.current.models.ocr_model == "someone/manga"
    assert field.line.text() == "someone/manga"
    assert "models.ocr_model" in labels(dialog.rows["models.ocr_model"])


def test_a_folder_is_browsed_for_and_an_empty_one_shows_what_is_used(
    open_dialog: Open, settings: SettingsStore, tmp_path: Path, qtbot: QtBot
) -> None:
    dialog = open_dialog()
    field = show_row(dialog, "models.dir").control
    assert isinstance(field, FolderField)
    dialog.set_models_folder("/home/reader/.cache/huggingface/hub")
    assert field.line.placeholderText() == "/home/reader/.cache/huggingface/hub"
    qtbot.mouseClick(field.button, Qt.MouseButton.LeftButton)
    chooser = field.findChild(QFileDialog)
    assert chooser.fileMode() == QFileDialog.FileMode.Directory
    chooser.fileSelected.emit(str(tmp_path))
    chooser.reject()
    assert settings.current.models.dir == str(tmp_path)
    assert field.line.text() == str(tmp_path)


def test_what_another_program_sets_is_locked_by_its_name_and_can_be_looked_at(
    open_dialog: Open, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "config.json").write_text("{}")
    environ = {"HF_HOME": str(tmp_path), "MANGAOCR_MODEL_PATH": str(tmp_path)}
    dialog = open_dialog(SettingsStore(tmp_path / "other.json", environ=environ))
    row = show_row(dialog, "models.dir")
    assert "Set by HF_HOME for this run." in labels(row)
    assert not row.control.isEnabled()
    row = show_row(dialog, "models.ocr_model")
    assert "Set by MANGAOCR_MODEL_PATH for this run." in labels(row)
    assert isinstance(row.control, ModelField)
    assert not row.control.line.isEnabled()
    with qtbot.waitSignal(dialog.models_requested):
        qtbot.mouseClick(row.control.button, Qt.MouseButton.LeftButton)


def test_a_note_offers_what_can_be_done_about_it(open_dialog: Open, qtbot: QtBot) -> None:
    pressed: list[str] = []
    notes = {"models.device": Note("It runs on the CPU.", "warn", "Try again", lambda: pressed.append("1"))}
    dialog = open_dialog(notes=lambda key: notes.get(key, Note()))
    row = show_row(dialog, "models.device")
    button = row.note_button
    assert button is not None
    assert button.accessibleName() == "Try again: Device"
    # The Tab key comes to it before the control
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is row.control
    # And what it does is always the newest
    notes["models.device"] = replace(notes["models.device"], press=lambda: pressed.append("2"))
    dialog.refresh_notes()
    button.setFocus()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert pressed == ["2"]
    # When it has done its work, the keyboard stays at the row
    notes.clear()
    dialog.refresh_notes()
    assert not button.isVisible()
    assert QApplication.focusWidget() is row.control
    assert "It runs" not in labels(row)


def test_more_of_a_group_stands_below_its_settings_and_is_found(open_dialog: Open) -> None:
    class Extra(Row):
        pass

    extra, other, beside = Extra("In memory now"), QLabel("downloads"), QLabel("beside its row")
    dialog = open_dialog(more={"models": [extra, other], "models.ocr_model": [beside]})
    dialog.open_group("Models & devices")
    assert extra.isVisible()
    assert extra.y() > dialog.rows["models.dir"].y()
    assert dialog.rows["models.ocr_model"].y() < beside.y() < dialog.rows["models.device"].y()
    dialog.search.setText("in memory")
    assert extra.isVisible()
    assert not other.isVisible()
    assert not dialog.rows["models.dir"].isVisible()
    dialog.search.setText("models")
    assert other.isVisible()


# --- the key recorder ------------------------------------------------------------------------------------


@pytest.fixture
def recorder(theme: Theme, qtbot: QtBot) -> KeyRecorder:
    widget = KeyRecorder()
    widget.set_combination("Ctrl+Alt+S")
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def test_pressed_keys_become_the_combination(recorder: KeyRecorder, qtbot: QtBot) -> None:
    control_alt = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    with qtbot.waitSignal(recorder.recorded) as recorded:
        press_keys(recorder, qtbot, Qt.Key.Key_R, control_alt)
    assert recorded.args == ["Ctrl+Alt+R"]
    assert recorder.combination == "Ctrl+Alt+R"


def test_tab_and_enter_can_be_recorded(recorder: KeyRecorder, qtbot: QtBot) -> None:
    with qtbot.waitSignal(recorder.recorded) as recorded:
        press_keys(recorder, qtbot, Qt.Key.Key_Tab, Qt.KeyboardModifier.ControlModifier)
    assert recorded.args == ["Ctrl+Tab"]


def test_modifiers_are_shown_while_they_are_held(recorder: KeyRecorder, qtbot: QtBot) -> None:
    button = recorder.findChild(QPushButton)
    assert button is not None
    button.click()
    qtbot.keyPress(
        button, Qt.Key.Key_Alt, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    )
    assert button.text() == "Ctrl+Alt+…"
    assert recorder.combination == "Ctrl+Alt+S"


def test_a_key_needed_for_typing_is_refused_with_a_sentence(recorder: KeyRecorder, qtbot: QtBot) -> None:
    with qtbot.waitSignal(recorder.refused) as refused:
        press_keys(recorder, qtbot, Qt.Key.Key_S)
    assert "typing" in refused.args[0]
    assert recorder.combination == "Ctrl+Alt+S"


def test_escape_keeps_and_backspace_clears(recorder: KeyRecorder, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(recorder.recorded):
        press_keys(recorder, qtbot, Qt.Key.Key_Escape)
    assert recorder.combination == "Ctrl+Alt+S"
    with qtbot.waitSignal(recorder.recorded) as recorded:
        press_keys(recorder, qtbot, Qt.Key.Key_Backspace)
    assert recorded.args == [""]
    assert recorder.findChild(QPushButton).text() == "None"


def test_losing_the_focus_ends_the_recording_and_hotkeys_are_let_go_meanwhile(
    recorder: KeyRecorder, qtbot: QtBot
) -> None:
    seen: list[bool] = []
    recorder.recording_changed.connect(seen.append)
    button = recorder.findChild(QPushButton)
    assert button is not None
    button.click()
    assert seen == [True]
    QApplication.sendEvent(button, _focus_out())
    assert seen == [True, False]
    assert button.text() == "Ctrl+Alt+S"


def _focus_out() -> QEvent:
    return QFocusEvent(QEvent.Type.FocusOut, Qt.FocusReason.OtherFocusReason)


def test_a_key_that_another_action_has_is_refused_and_the_old_one_stays(
    open_dialog: Open, settings: SettingsStore
) -> None:
    dialog = open_dialog()
    dialog.open_group("Capture")
    row = dialog.rows["capture.repeat_hotkey"]
    before = settings.current.capture.repeat_hotkey
    row.control.recorded.emit(settings.current.capture.snip_hotkey)
    assert settings.current.capture.repeat_hotkey == before
    assert "is the key for “Snip” already" in labels(row)


def test_a_number_beyond_its_bounds_is_told_beside_its_field(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog()
    row = dialog.rows["vision.temperature"]
    dialog.open_setting("vision.temperature")
    box = row.control
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "5")
    assert QToolTip.text() == "Allowed: 0 to 1"
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == 1.0
    QToolTip.hideText()
