"""The panel's first page: a real library, a real download process, a hub on this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from core.devices import Device
from core.models.layout import RepoCache
from core.settings import SettingsStore, Vision
from desktop.model_tasks import Doing
from desktop.server_card import Route, ServerCard
from desktop.theme import Theme
from desktop.turning_row import TurningRow
from desktop.welcome import Welcome
from desktop.worker import Bridge
from tests.support.asking_models import (
    ASKING_REPO,
    LARGE_REPO,
    TINY_LLAVA,
    catalogue,
    known_asking,
    known_large,
)
from tests.support.models_desk import CARD, CPU, ModelsDesk, known
from tests.support.stub_hub import StubHub

STALL = 60_000
BIG_CARD = replace(CARD, free=40_000_000_000)


class Page:
    """The page, and the desk that it shows."""

    def __init__(self, theme: Theme, desk: ModelsDesk, qtbot: QtBot) -> None:
        self.desk, self._qtbot = desk, qtbot
        # The page must not hold on to this object: one test has it go first.
        loaded = self.loaded = [False]
        self.welcome = Welcome(theme, desk.tasks, desk.settings, loaded=lambda: loaded[0])
        qtbot.addWidget(self.welcome)
        self.welcome.resize(420, 700)
        self.welcome.show()
        self.model, self.server = self.welcome.model, self.welcome.server
        self.look()

    @property
    def words(self) -> str:
        kinds = (QLabel, QAbstractButton)
        shown = (child for kind in kinds for child in self.welcome.findChildren(kind) if child.isVisible())
        return "\n".join(child.text() for child in shown).replace("\u200b", "").replace("\u00a0", " ")

    def wait_for(self, words: str) -> None:
        self._qtbot.waitUntil(lambda: words in self.words, timeout=STALL)

    def look(self) -> None:
        with self._qtbot.waitSignal(self.desk.tasks.surveyed, timeout=STALL):
            self.desk.tasks.look()

    def set(self, **values: object) -> None:
        for key, value in values.items():
            self.desk.settings.set(f"vision.{key}", value)
        self.look()

    def press(self, button: QAbstractButton) -> None:
        assert button.isVisible(), button.text()
        self._qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


Make = Callable[..., Page]


@pytest.fixture
def make(qapp: QApplication, tmp_path: Path, settings: SettingsStore, qtbot: QtBot) -> Iterator[Make]:
    theme = Theme(qapp, "dark")
    desks: list[ModelsDesk] = []

    def build(**options: object) -> Page:
        chosen = {"catalogue": catalogue(), **options}
        desks.append(ModelsDesk(tmp_path / "desk", **{"settings": settings, **chosen}))  # type: ignore[arg-type]
        return Page(theme, desks[-1], qtbot)

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


def bring(page: Page, qtbot: QtBot) -> None:
    """Have the small model on this computer."""
    with qtbot.waitSignal(page.desk.tasks.arrived, timeout=STALL):
        page.desk.tasks.import_from(TINY_LLAVA, ASKING_REPO)
    page.look()


# ---- what it says


def test_at_first_it_says_what_can_be_done_and_what_would_answer(make: Make) -> None:
    page = make()
    for words in (
        "Ask about anything on your screen",
        "nothing is sent anywhere",
        "Drop a picture or a file here",
        "Tiny LLaVA",
        "6 MB",
        "Fits this computer (CPU, 16.0 GB): needs 1.5 GB, 8.0 GB free.",
        "Licence: Apache 2.0 (open source).",
        "Recommended for this computer.",
        "Choose another…",
        "A server you run",
        "Pictures leave this computer.",
    ):
        assert words in page.words
    assert page.model.download.text() == "Download (6 MB)"


def test_the_largest_that_fits_on_the_card_is_offered(make: Make) -> None:
    page = make(devices=lambda: [CPU, BIG_CARD])
    assert page.model.repo == LARGE_REPO
    assert "Fits this computer (A card, 8.0 GB): needs 17.0 GB, 40.0 GB free." in page.words
    assert "Licence: Llama 2 Community License. It is not an open one." in page.words
    # The dots say that a question follows: the licence
    assert page.model.download.text() == "Download (14.1 GB)…"


def test_a_model_that_fits_nowhere_says_what_is_lacking(make: Make) -> None:
    tight = Device("cpu", "CPU", 16_000_000_000, 700_000_000)
    page = make(devices=lambda: [tight])
    assert "Does not fit: needs 1.5 GB of memory, 700 MB free on CPU." in page.words
    assert page.model.fit.property("role") == "warn"


def test_a_model_that_lacks_room_on_the_card_is_said_to_run_on_the_cpu(make: Make) -> None:
    page = make(devices=lambda: [replace(CPU, free=60_000_000_000), CARD])
    page.set(model="large-llava")
    assert (
        "Needs 17.0 GB, 6.0 GB free on A card: will run on the CPU (needs 33.0 GB there, 60.0 GB free)."
        in page.words
    )


def test_hotkeys_are_shown_as_they_are_in_force(make: Make) -> None:
    page = make()
    assert "copied picture from anywhere" not in page.words
    page.welcome.set_keys({"ask": "Ctrl+Alt+Q", "ask_clipboard": "Meta+V"})
    assert "Ctrl+Alt+Q" in page.words
    assert "copied picture from anywhere" in page.words
    assert page.welcome.keys["ask_clipboard"].text() == "Meta+V"
    assert not page.welcome.keys["panel"].isVisible()
    page.welcome.set_keys({})
    assert "Ctrl+Alt+Q" not in page.words
    assert page.welcome.keys["paste"].text() == "Ctrl+V"


def test_a_model_that_is_here_is_said_to_be_ready(make: Make, qtbot: QtBot) -> None:
    page = make()
    bring(page, qtbot)
    assert "Tiny LLaVA answers on this computer" in page.words
    assert "Ready. It is loaded when you ask." in page.words
    assert not page.model.download.isVisible()
    assert "Fits this computer" in page.words
    # And it counts before a larger one that is not here, whatever card there is
    assert page.model.repo == ASKING_REPO


def test_a_model_in_memory_is_said_to_be_there(make: Make, qtbot: QtBot) -> None:
    page = make()
    bring(page, qtbot)
    page.loaded[0] = True
    page.welcome.refresh()
    assert "Ready, in memory now." in page.words
    assert "It is loaded when you ask." not in page.words
    page.loaded[0] = False
    page.welcome.refresh()
    assert "Ready. It is loaded when you ask." in page.words


def test_an_old_id_says_what_is_taken_instead(make: Make) -> None:
    page = make()
    page.set(model="liuhaotian/llava-v1.5-7b")
    assert page.model.repo == "llava-hf/llava-1.5-7b-hf"
    assert "liuhaotian/llava-v1.5-7b is in LLaVA's original format" in page.words


def test_a_model_that_cannot_be_used_says_why(make: Make, tmp_path: Path, qtbot: QtBot) -> None:
    page = make()
    page.set(model=str(tmp_path / "gone"))
    assert "No model can answer" in page.words
    assert "there is no such folder" in page.words
    with qtbot.waitSignal(page.welcome.choose_requested):
        page.press(page.model.choose)


# ---- the download


def test_one_click_downloads_what_was_said(make: Make, hub: StubHub, qtbot: QtBot) -> None:
    page = make()
    with qtbot.waitSignal(page.desk.tasks.arrived, timeout=STALL) as arrived:
        page.press(page.model.download)
    assert arrived.args == ["download", ASKING_REPO]
    page.wait_for("Tiny LLaVA answers on this computer")


def test_a_download_that_is_larger_than_was_said_is_asked_about(
    make: Make, hub: StubHub, qtbot: QtBot
) -> None:
    page = make(catalogue=(known(), known_asking(download_size=1_000_000)))
    assert page.model.download.text() == "Download (1 MB)"
    page.press(page.model.download)
    page.wait_for("6 MB to download")
    assert hub.total_sent == 0
    assert page.desk.tasks.task(ASKING_REPO).doing is None
    # No is an answer; yes downloads it
    page.press(page.model.offer.refuse)
    assert page.model.download.isVisible()
    page.press(page.model.download)
    page.wait_for("6 MB to download")
    with qtbot.waitSignal(page.desk.tasks.arrived, timeout=STALL):
        page.press(page.model.offer.download)


def test_a_licence_that_is_not_open_is_accepted_first(make: Make, hub: StubHub, qtbot: QtBot) -> None:
    page = make(catalogue=(known(), known_large(download_size=5_800_000)))
    page.press(page.model.download)
    page.wait_for("I have read the licence and accept it")
    assert hub.total_sent == 0
    assert not page.model.offer.download.isEnabled()
    page.model.offer.accept.setChecked(True)
    with qtbot.waitSignal(page.desk.tasks.arrived, timeout=STALL):
        page.press(page.model.offer.download)
    assert page.desk.library.records.accepted(LARGE_REPO) is not None


def test_a_plan_that_another_window_asked_for_downloads_nothing(
    make: Make, hub: StubHub, qtbot: QtBot
) -> None:
    page = make()
    page.desk.tasks.plan(ASKING_REPO)
    page.wait_for("6 MB to download")
    assert page.desk.tasks.task(ASKING_REPO).doing is None
    assert hub.total_sent == 0


def test_a_download_is_paused_resumed_and_discarded(make: Make, hub: StubHub, qtbot: QtBot) -> None:
    page = make()
    hub.slow(400_000, "*.safetensors")
    page.press(page.model.download)
    qtbot.waitUntil(lambda: page.model.panel.bar.value() > 100, timeout=STALL)
    assert "Downloading Tiny LLaVA" in page.words
    assert not page.model.choose.isVisible()
    page.press(page.model.panel.pause)
    page.wait_for("Download of Tiny LLaVA paused")
    page.press(page.model.panel.resume)
    page.wait_for("Downloading Tiny LLaVA")
    qtbot.waitUntil(lambda: page.model.panel.pause.isVisible(), timeout=STALL)
    page.press(page.model.panel.cancel)
    (box,) = page.welcome.findChildren(QMessageBox)
    page.press(next(b for b in box.buttons() if b.text().replace("&", "") == "Discard"))
    qtbot.waitUntil(lambda: page.model.download.isVisible(), timeout=STALL)
    assert RepoCache(page.desk.root, ASKING_REPO).partials() == []


def test_a_hub_that_fails_is_told_and_can_be_asked_again(make: Make, hub: StubHub, qtbot: QtBot) -> None:
    page = make()
    hub.fail(times=None)
    page.press(page.model.download)
    qtbot.waitUntil(lambda: page.model.status.property("role") == "bad", timeout=STALL)
    assert page.model.hint.text() != ""
    hub.heal()
    with qtbot.waitSignal(page.desk.tasks.arrived, timeout=STALL):
        page.press(page.model.download)


def test_the_keyboard_stays_in_the_card(make: Make, hub: StubHub, qtbot: QtBot) -> None:
    page = make()
    hub.slow(400_000, "*.safetensors")
    page.model.download.setFocus()
    qtbot.keyClick(page.model.download, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: page.desk.tasks.task(ASKING_REPO).doing is Doing.DOWNLOAD, timeout=STALL)
    assert page.welcome.focusWidget() is page.model.panel.pause
    page.desk.tasks.cancel(ASKING_REPO)
    qtbot.waitUntil(lambda: page.model.download.isVisible(), timeout=STALL)
    assert page.welcome.focusWidget() is page.model.download


# ---- a server


def test_without_a_server_it_is_asked_for(make: Make, qtbot: QtBot) -> None:
    page = make()
    page.set(backend="remote")
    assert "No server is set yet." in page.words
    assert "nothing is sent anywhere" not in page.words
    assert not page.model.isVisible()
    with qtbot.waitSignal(page.welcome.server_requested):
        page.press(page.server.connect_button)
    page.set(server_url="http://192.168.1.20:8000")
    assert "No model of 192.168.1.20:8000 is chosen yet." in page.words


def test_without_a_server_this_computer_can_answer_instead(make: Make, qtbot: QtBot) -> None:
    page = make()
    assert not page.server.local.isVisible()
    page.set(backend="remote")
    assert page.server.local.text() == "Answer on this computer"
    page.server.local.setFocus()
    page.press(page.server.local)
    assert page.desk.settings.current.vision.backend == "local"
    assert page.model.isVisible()
    assert not page.server.local.isVisible()
    assert not page.welcome.problem.isVisible()
    # The keyboard goes to the model that answers now
    assert page.welcome.focusWidget() is page.model.download


def test_a_server_that_is_set_leaves_the_choice_to_the_settings(make: Make) -> None:
    page = make()
    page.set(backend="remote", server_model="llava-1.6", server_url="http://localhost:8000")
    assert not page.server.local.isVisible()


def test_a_choice_that_cannot_be_kept_is_told(make: Make, tmp_path: Path) -> None:
    # Given settings whose file cannot be written any more
    store = SettingsStore(tmp_path / "kept" / "settings.json", environ={})
    page = make(settings=store)
    page.set(backend="remote")
    (tmp_path / "kept" / "settings.json").unlink()
    (tmp_path / "kept").rmdir()
    (tmp_path / "kept").write_text("")
    # When this computer is to answer
    page.press(page.server.local)
    # Then it does, and that this is not kept is said
    assert page.model.isVisible()
    assert "cannot be used" in page.words
    assert page.welcome.problem.property("role") == "bad"


def test_a_server_that_a_variable_asks_for_cannot_be_left(make: Make, tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "other.json", environ={"YOMITORI_VISION_BACKEND": "remote"})
    page = make(settings=store)
    assert "No server is set yet." in page.words
    assert not page.server.local.isVisible()


def test_a_server_elsewhere_says_that_pictures_leave(make: Make) -> None:
    page = make()
    page.set(backend="remote", server_model="llava-1.6", server_url="http://192.168.1.20:8000")
    assert "llava-1.6 answers" in page.words
    assert "http://192.168.1.20:8000/v1" in page.words
    assert "Pictures leave this computer." in page.words


@pytest.mark.parametrize("address", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"])
def test_a_server_on_this_computer_says_that_they_stay(make: Make, address: str) -> None:
    page = make()
    page.set(backend="remote", server_model="llava-1.6", server_url=address)
    assert "Pictures stay on this computer." in page.words


def test_a_wrong_address_is_told(make: Make) -> None:
    page = make()
    page.set(backend="remote", server_model="llava-1.6", server_url="ftp://somewhere")
    assert "only http:// and https:// are known" in page.words
    assert page.server.connect_button.text() == "Connect…"


def test_a_name_counts_as_elsewhere_until_it_is_known_to_be_here(qapp: QApplication, qtbot: QtBot) -> None:
    # Given a name service that takes its time, and knows the name as this computer's
    asked: list[str] = []
    go = threading.Event()

    def lookup(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        assert go.wait(60)
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    bridge, card = Bridge(), ServerCard()
    qtbot.addWidget(card)
    route = Route(bridge, None, lookup)
    vision = Vision(backend="remote", server_model="llava-1.6", server_url="http://my-machine:8000")
    route.changed.connect(lambda: card.show_server(vision, route))
    route.look_up(vision.server_url)
    card.show_server(vision, route)
    assert card.notice.text() == "Pictures leave this computer."
    go.set()
    qtbot.waitUntil(lambda: card.notice.text() == "Pictures stay on this computer.", timeout=STALL)
    # It is asked once, not whenever something changes
    route.look_up(vision.server_url)
    assert asked == ["my-machine"]
    bridge.close()


def test_a_name_that_nobody_knows_is_told(qapp: QApplication, qtbot: QtBot) -> None:
    bridge, card = Bridge(), ServerCard()
    qtbot.addWidget(card)
    route = Route(bridge, None, lambda *_, **__: [])
    vision = Vision(backend="remote", server_model="llava-1.6", server_url="http://my-machine:8000")
    with qtbot.waitSignal(route.changed, timeout=STALL):
        route.look_up(vision.server_url)
    card.show_server(vision, route)
    assert "no computer of that name is known" in card.notice.text()
    bridge.close()


def test_without_a_name_service_a_name_counts_as_elsewhere(make: Make) -> None:
    page = make()
    page.set(backend="remote", server_model="llava-1.6", server_url="http://my-machine:8000")
    assert "Pictures leave this computer." in page.words


# ---- the look


@pytest.mark.parametrize("width", [320, 420, 1600])
def test_nothing_is_cut_off_at_any_width(make: Make, width: int) -> None:
    page = make(devices=lambda: [CPU, BIG_CARD])
    page.welcome.set_keys({"ask": "Ctrl+Alt+Shift+Q", "ask_clipboard": "Ctrl+Alt+V", "panel": "Ctrl+Alt+A"})
    page.welcome.resize(width, 560)
    QApplication.processEvents()
    content = page.welcome.scroll.widget()
    assert content.width() <= page.welcome.scroll.viewport().width()
    for widget in page.welcome.findChildren(QLabel) + page.welcome.findChildren(QPushButton):
        if widget.isVisible() and widget.text():
            right = widget.mapTo(content, widget.rect().topRight()).x()
            assert 0 < right <= content.width(), widget.text()
            assert widget.height() >= widget.minimumSizeHint().height(), widget.text()


def test_buttons_turn_into_a_column_where_it_is_narrow(qapp: QApplication, qtbot: QtBot) -> None:
    first, second = QPushButton("A button with words"), QPushButton("Another one with words")
    window = QWidget()
    qtbot.addWidget(window)
    row = TurningRow(first, second, parent=window)
    row.resize(600, 40)
    window.show()
    assert not row.is_column
    row.resize(first.sizeHint().width() + 10, 80)
    assert row.is_column
    assert row.minimumSizeHint().width() < first.sizeHint().width() + second.sizeHint().width()
    # What is hidden takes no room
    second.hide()
    QApplication.processEvents()
    assert not row.is_column


def test_every_control_has_a_name(make: Make, qtbot: QtBot) -> None:
    page = make()
    for button in page.welcome.findChildren(QPushButton):
        if button.isVisible():
            assert button.accessibleName() or button.text()
    assert page.model.download.accessibleName() == "Download (6 MB): Tiny LLaVA"
    assert page.welcome.keys["paste"].accessibleName() == "Paste a picture here: Ctrl+V"


def test_the_page_goes_before_the_tasks_do(make: Make, qtbot: QtBot) -> None:
    # Given a panel that is closed while the tray lives on
    page = make()
    page.welcome.deleteLater()
    QApplication.sendPostedEvents(None, 52)
    # Then news reach nobody, and nothing breaks
    page.desk.tasks.dismiss(ASKING_REPO)
    page.look()
