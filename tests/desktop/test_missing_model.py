"""What stands above the question's field while no model is here: a real library, a hub on this machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from core.models.layout import RepoCache
from core.settings import SettingsStore
from desktop.missing_model import MissingModel
from desktop.theme import Theme
from tests.support.asking_models import ASKING_REPO, LARGE_REPO, TINY_LLAVA, catalogue, known_large
from tests.support.models_desk import CARD, CPU, ModelsDesk, known
from tests.support.stub_hub import StubHub

STALL = 60_000
LINE = "Tiny LLaVA answers questions here once it is downloaded."


class Bar:
    """The bar in a window above a field, and the desk that it follows."""

    def __init__(self, desk: ModelsDesk, qtbot: QtBot) -> None:
        self.desk, self._qtbot = desk, qtbot
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.missing = MissingModel(desk.tasks, desk.settings, self.window)
        self.changes: list[bool] = []
        self.missing.changed.connect(lambda: self.changes.append(self.missing.needed))
        self.field = QLineEdit()
        layout = QVBoxLayout(self.window)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addStretch(1)
        layout.addWidget(self.missing)
        layout.addWidget(self.field)
        self.window.resize(420, 400)
        self.window.show()

    @property
    def words(self) -> str:
        kinds = (QLabel, QAbstractButton)
        shown = (child for kind in kinds for child in self.missing.findChildren(kind) if child.isVisible())
        return "\n".join(child.text() for child in shown).replace("\u200b", "").replace("\u00a0", " ")

    def look(self) -> None:
        with self._qtbot.waitSignal(self.desk.tasks.surveyed, timeout=STALL):
            self.desk.tasks.look()

    def press(self, button: QAbstractButton) -> None:
        assert button.isVisible(), button.text()
        self._qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


Make = Callable[..., Bar]


@pytest.fixture
def make(qapp: QApplication, tmp_path: Path, settings: SettingsStore, qtbot: QtBot) -> Iterator[Make]:
    Theme(qapp, "dark")
    desks: list[ModelsDesk] = []

    def build(look: bool = True, **options: object) -> Bar:
        chosen = {"catalogue": catalogue(), **options}
        desks.append(ModelsDesk(tmp_path / "desk", settings, **chosen))  # type: ignore[arg-type]
        bar = Bar(desks[-1], qtbot)
        if look:
            bar.look()
        return bar

    yield build
    for desk in desks:
        desk.close()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubHub]:
    with StubHub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.add_repo(ASKING_REPO, TINY_LLAVA)
        hub.add_repo(LARGE_REPO, TINY_LLAVA, licence="llama2")
        yield hub


def test_nothing_is_said_before_anything_is_known(make: Make) -> None:
    bar = make(look=False)
    assert not bar.missing.needed
    assert not bar.missing.isVisible()
    bar.look()
    assert bar.missing.needed
    assert bar.missing.isVisible()
    assert bar.changes == [True]


def test_one_line_says_which_model_would_answer_and_what_it_takes(make: Make, qtbot: QtBot) -> None:
    bar = make()
    assert bar.words.splitlines() == [LINE, "Download (6 MB)", "Choose another…"]
    assert bar.missing.download.accessibleName() == "Download (6 MB): Tiny LLaVA"
    assert bar.missing.choose.accessibleName() == "Choose another model…"
    with qtbot.waitSignal(bar.missing.choose_requested):
        bar.press(bar.missing.choose)


def test_a_model_that_came_in_another_way_is_found_when_the_user_is_back(
    make: Make, tmp_path: Path, settings: SettingsStore, qtbot: QtBot
) -> None:
    settings.set("vision.model", str(tmp_path / "mine"))
    bar = make()
    assert bar.missing.needed
    shutil.copytree(TINY_LLAVA, tmp_path / "mine")

    bar.missing.look_again()

    qtbot.waitUntil(lambda: not bar.missing.needed, timeout=STALL)
    # And then there is nothing to look for
    with qtbot.assertNotEmitted(bar.desk.tasks.surveyed, wait=300):
        bar.missing.look_again()


def test_it_goes_once_the_model_is_here(make: Make, hub: StubHub, qtbot: QtBot) -> None:
    bar = make()
    with qtbot.waitSignal(bar.desk.tasks.arrived, timeout=STALL) as arrived:
        bar.press(bar.missing.download)
    assert arrived.args == ["download", ASKING_REPO]
    qtbot.waitUntil(lambda: not bar.missing.isVisible(), timeout=STALL)
    assert bar.changes == [True, False]


def test_a_download_is_shown_paused_resumed_and_discarded(make: Make, hub: StubHub, qtbot: QtBot) -> None:
    bar = make()
    panel = bar.missing.panel
    hub.slow(400_000, "*.safetensors")
    bar.press(bar.missing.download)
    qtbot.waitUntil(lambda: panel.bar.value() > 100, timeout=STALL)
    assert "Downloading Tiny LLaVA" in bar.words
    # What it is for was said, and Choose would not stop it
    assert LINE not in bar.words
    assert not bar.missing.choose.isVisible()
    bar.press(panel.pause)
    qtbot.waitUntil(lambda: "Download of Tiny LLaVA paused" in bar.words, timeout=STALL)
    bar.press(panel.resume)
    qtbot.waitUntil(panel.pause.isVisible, timeout=STALL)
    bar.press(panel.cancel)
    (box,) = bar.missing.findChildren(QMessageBox)
    bar.press(next(b for b in box.buttons() if b.text().replace("&", "") == "Discard"))
    qtbot.waitUntil(bar.missing.download.isVisible, timeout=STALL)
    assert LINE in bar.words
    assert RepoCache(bar.desk.root, ASKING_REPO).partials() == []


def test_a_licence_that_is_not_open_is_accepted_first(make: Make, hub: StubHub, qtbot: QtBot) -> None:
    bar = make(catalogue=(known(), known_large(download_size=5_800_000)))
    bar.press(bar.missing.download)
    qtbot.waitUntil(lambda: "I have read the licence and accept it" in bar.words, timeout=STALL)
    assert hub.total_sent == 0
    bar.missing.offer.accept.setChecked(True)
    with qtbot.waitSignal(bar.desk.tasks.arrived, timeout=STALL):
        bar.press(bar.missing.offer.download)


def test_a_server_that_answers_needs_no_model(make: Make) -> None:
    bar = make()
    bar.desk.settings.set("vision.backend", "remote")
    bar.look()
    assert not bar.missing.needed
    assert not bar.missing.isVisible()
    bar.desk.settings.set("vision.backend", "local")
    bar.look()
    assert bar.missing.isVisible()
    assert bar.changes == [True, False, True]


def test_a_folder_that_is_gone_is_told_with_a_way_to_another(make: Make, tmp_path: Path) -> None:
    bar = make()
    bar.desk.settings.set("vision.model", str(tmp_path / "gone"))
    bar.look()
    assert bar.missing.needed
    assert "there is no such folder" in bar.words
    assert bar.missing.choose.isVisible()
    assert not bar.missing.download.isVisible()


def test_a_model_that_fits_nowhere_says_so_before_it_is_downloaded(make: Make) -> None:
    bar = make(devices=lambda: [replace(CPU, free=700_000_000)])
    assert "Does not fit: needs 1.5 GB of memory, 700 MB free on CPU." in bar.words


def test_a_hub_that_fails_is_told_and_can_be_asked_again(make: Make, hub: StubHub, qtbot: QtBot) -> None:
    bar = make()
    hub.fail(times=None)
    bar.press(bar.missing.download)
    qtbot.waitUntil(lambda: bar.missing.status.property("role") == "bad", timeout=STALL)
    assert bar.missing.hint.isVisible()
    hub.heal()
    with qtbot.waitSignal(bar.desk.tasks.arrived, timeout=STALL):
        bar.press(bar.missing.download)


def test_without_a_parent_it_opens_no_window(make: Make, qtbot: QtBot) -> None:
    bar = make()
    alone = MissingModel(bar.desk.tasks, bar.desk.settings)
    qtbot.addWidget(alone)
    assert alone.needed
    bar.look()
    assert not alone.isVisible()


@pytest.mark.parametrize("width", [320, 420, 900])
def test_nothing_is_cut_off_at_any_width(make: Make, width: int) -> None:
    bar = make(devices=lambda: [CPU, replace(CARD, free=40_000_000_000)])
    bar.window.resize(width, 400)
    QApplication.processEvents()
    assert bar.window.width() == width
    for widget in bar.missing.findChildren(QLabel) + bar.missing.findChildren(QPushButton):
        if widget.isVisible() and widget.text():
            right = widget.mapTo(bar.window, widget.rect().topRight()).x()
            assert 0 < right <= width, widget.text()
            assert widget.height() >= widget.heightForWidth(widget.width()), widget.text()
