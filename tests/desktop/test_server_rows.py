"""The rows about a server in the settings: where pictures go, its key, the test, and its models."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keyring
import psutil
import pytest
from keyring.backends.fail import Keyring as NoKeyring
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QScrollArea, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from core.chat import GenerationOptions, Message, Role
from core.engine import Engine
from core.engines import find_engine
from core.host import HostLimits
from core.paths import Paths
from core.settings import SettingsStore
from core.vision.errors import RemoteElsewhere
from core.vision.keys import SERVICE, VARIABLE, get_key
from desktop.server_rows import KeyRow, RouteRow, TestRow, server_rows
from desktop.server_trial import ServerTrial
from desktop.settings_dialog import SettingsDialog
from desktop.theme import Theme
from desktop.worker import Bridge, HostThread
from tests.support.chat_server import ChatServer, closed_port
from tests.support.keyrings import MemoryKeyring

STALL = 60_000
KEY = "sk-hunter2"
BOX = "http://box.example:8000/v1"


class Names:
    """What knows the addresses of computers; each answer waits for ``gate``."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.gate = threading.Event()
        self.gate.set()
        self.asked_in: list[threading.Thread] = []

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked_in.append(threading.current_thread())
        assert self.gate.wait(60.0)
        if host not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (self.known[host], port))]


class Page(NamedTuple):
    dialog: SettingsDialog
    route: RouteRow
    key: KeyRow
    test: TestRow


class Desk:
    """An engine, the settings, and the window in which they are changed."""

    def __init__(self, settings: SettingsStore, theme: Theme, folder: Path, qtbot: QtBot) -> None:
        self.settings, self._theme, self._folder, self._qtbot = settings, theme, folder, qtbot
        self.names = Names()
        self.environ: dict[str, str] = {}
        self.bridge = Bridge()
        self.engine = Engine(
            settings,
            runner=HostThread,
            engines=(find_engine("remote", "vision"),),
            limits=HostLimits(grace=1.0),
            server_key=lambda url: get_key(url, self.environ),
        )
        self.trial = ServerTrial(self.engine, self.bridge, settings, lookup=self.names, environ=self.environ)
        self._dialogs: list[SettingsDialog] = []

    def set(self, url: str, model: str = "tiny", backend: str = "remote") -> None:
        self.settings.set("vision.backend", backend)
        self.settings.set("vision.server_url", url)
        self.settings.set("vision.server_model", model)

    def open(self) -> Page:
        rows = server_rows(self.trial)
        dialog = SettingsDialog(self.settings, self._theme, Paths.below(self._folder), None, rows)
        self._dialogs.append(dialog)
        dialog.show()
        self._qtbot.waitExposed(dialog)
        dialog.open_group("Asking")
        (route, key), (test,) = rows["vision.server_url"], rows["vision.server_model"]
        assert isinstance(route, RouteRow)
        assert isinstance(key, KeyRow)
        assert isinstance(test, TestRow)
        return Page(dialog, route, key, test)

    def close(self) -> None:
        for dialog in self._dialogs:
            if isValid(dialog):
                dialog.close()
        self.trial.close()
        self.bridge.close()
        self.engine.close()

    def until(self, right: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(right, timeout=STALL)

    def wait_for(self, row: QWidget, text: str) -> None:
        def there() -> None:
            assert text in words(row)

        self._qtbot.waitUntil(there, timeout=STALL)


def words(row: QWidget) -> str:
    kinds = (QLabel, QAbstractButton)
    shown = (child for kind in kinds for child in row.findChildren(kind) if child.isVisible())
    return "\n".join(child.text() for child in shown).replace("\u200b", "")


@pytest.fixture
def desk(
    settings: SettingsStore, qapp: QApplication, tmp_path: Path, qtbot: QtBot, ring: MemoryKeyring
) -> Iterator[Desk]:
    desk = Desk(settings, Theme(qapp, "light"), tmp_path, qtbot)
    yield desk
    ring.opened.set()
    desk.names.gate.set()
    desk.close()
    assert psutil.Process().children() == []


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    ring = MemoryKeyring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(models=("tiny", "large")) as server:
        yield server


@pytest.fixture
def click(qtbot: QtBot) -> Callable[[QAbstractButton | None], None]:
    def press(button: QAbstractButton | None) -> None:
        assert button is not None
        assert button.isVisible()
        assert button.isEnabled()
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    return press


Click = Callable[[QAbstractButton | None], None]


def change_address(page: Page, url: str, qtbot: QtBot) -> None:
    """Type an address into the setting's own field."""
    field = page.dialog.rows["vision.server_url"].control
    assert isinstance(field, QLineEdit)
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, url)
    qtbot.keyClick(field, Qt.Key.Key_Return)


# ---- where pictures go


def test_the_notice_follows_the_address(desk: Desk, qtbot: QtBot) -> None:
    desk.settings.set("vision.backend", "remote")
    desk.names.known = {"box.example": "192.0.2.7", "here.example": "127.0.0.1"}
    page = desk.open()
    assert "No server is set." in words(page.route)
    # When an address of this computer is typed, then it is told at once
    change_address(page, "localhost:8000", qtbot)
    assert "Pictures stay on this computer." in words(page.route)
    change_address(page, "http://192.0.2.7:8000", qtbot)
    assert "Pictures leave this computer: they go to 192.0.2.7:8000" in words(page.route)
    # And names when they are known, asked for in another thread
    desk.names.gate.clear()
    change_address(page, "https://box.example", qtbot)
    assert "Looking up box.example…" in words(page.route)
    desk.names.gate.set()
    desk.wait_for(page.route, "Pictures leave this computer: they go to box.example")
    change_address(page, "here.example:8000", qtbot)
    desk.wait_for(page.route, "Pictures stay on this computer.")
    assert threading.main_thread() not in desk.names.asked_in


def test_what_is_wrong_with_an_address_is_told(desk: Desk, qtbot: QtBot) -> None:
    desk.settings.set("vision.backend", "remote")
    page = desk.open()
    change_address(page, "ftp://box", qtbot)
    assert "ftp://box cannot be the address of a server" in words(page.route)
    assert "It looks like http://localhost:8000/v1." in words(page.route)
    assert not page.test.button.isEnabled()
    change_address(page, "http://nobody.example", qtbot)
    desk.wait_for(page.route, "no computer of that name is known")


def test_while_this_computer_answers_nothing_is_said_to_leave(desk: Desk) -> None:
    desk.set("http://192.0.2.7:8000", backend="local")
    page = desk.open()
    assert "Nowhere: this computer answers. With this server they would leave" in words(page.route)
    desk.settings.set("vision.backend", "remote")
    assert "Pictures leave this computer: they go to 192.0.2.7:8000" in words(page.route)


def test_a_name_that_was_told_to_be_here_must_stay_so(desk: Desk) -> None:
    # Given a server of which the user was told that it is this computer
    desk.names.known = {"box.example": "127.0.0.1"}
    desk.set(BOX)
    page = desk.open()
    desk.wait_for(page.route, "Pictures stay on this computer.")
    assert desk.engine.test_server("").params["server"]["loopback"] is True
    page.dialog.close()
    # When its name leads elsewhere, then the next who opens the window is told, and that counts
    desk.names.known = {"box.example": "192.0.2.7"}
    page = desk.open()
    desk.wait_for(page.route, "Pictures leave this computer")
    assert desk.engine.test_server("").params["server"]["loopback"] is False


def test_a_question_is_not_sent_to_one_that_is_elsewhere_by_then(desk: Desk) -> None:
    # Given a notice that is wrong by the time of the question
    desk.set("http://192.0.2.7:9")
    desk.engine.told_where("http://192.0.2.7:9", True)
    with pytest.raises(RemoteElsewhere):
        desk.engine.ask([Message(Role.USER, "?")], GenerationOptions()).result(60)
    # When the row has shown where it is, then the test may go there
    page = desk.open()
    assert "Pictures leave this computer" in words(page.route)
    assert desk.engine.test_server("").params["server"]["loopback"] is False


def test_nothing_is_looked_up_while_the_page_is_not_open(desk: Desk, ring: MemoryKeyring) -> None:
    desk.names.known = {"box.example": "192.0.2.7"}
    desk.set(BOX)
    page = desk.open()
    desk.wait_for(page.route, "Pictures leave")
    desk.wait_for(page.key, "No key is stored.")
    page.dialog.open_group("Reading")
    ring.asked_in.clear()
    desk.names.asked_in.clear()
    desk.settings.set("vision.server_url", "http://other.example")
    desk.bridge.close()
    assert (ring.asked_in, desk.names.asked_in) == (set(), [])


# ---- the key


def test_a_key_is_stored_in_the_keyring_and_nowhere_else(
    desk: Desk, ring: MemoryKeyring, server: ChatServer, tmp_path: Path, qtbot: QtBot, click: Click
) -> None:
    desk.set(server.base_url)
    page = desk.open()
    desk.wait_for(page.key, "No key is stored.")
    assert "kept in your system's keyring" in words(page.key)
    assert page.key.field.echoMode() is QLineEdit.EchoMode.Password
    assert not page.key.button.isEnabled()
    # When a key is typed and stored
    qtbot.keyClicks(page.key.field, KEY)
    click(page.key.button)
    desk.wait_for(page.key, f"A key for {server.host} is stored.")
    # Then the keyring has it, the window does not, nor does any file
    assert ring.kept == {(SERVICE, server.base_url): KEY}
    assert page.key.field.text() == ""
    page.key.field.undo()
    assert page.key.field.text() == ""
    assert all(KEY not in file.read_text("utf-8") for file in tmp_path.rglob("*") if file.is_file())
    assert threading.main_thread() not in ring.asked_in
    # And the test uses it
    click(page.test.button)
    desk.wait_for(page.test, "Works:")
    assert server.requests[-1].key == KEY
    # When it is removed
    click(page.key.note_button)
    desk.wait_for(page.key, "No key is stored.")
    assert ring.kept == {}
    assert page.key.field.hasFocus()


def test_the_return_key_stores_and_does_nothing_else(
    desk: Desk, ring: MemoryKeyring, server: ChatServer, qtbot: QtBot
) -> None:
    desk.set(server.base_url)
    page = desk.open()
    desk.wait_for(page.key, "No key is stored.")
    page.key.field.setFocus()
    qtbot.keyClick(page.key.field, Qt.Key.Key_Return)
    assert not desk.trial.key.busy
    qtbot.keyClicks(page.key.field, KEY)
    qtbot.keyClick(page.key.field, Qt.Key.Key_Return)
    desk.wait_for(page.key, "is stored.")
    assert list(ring.kept.values()) == [KEY]
    assert page.dialog.isVisible()
    assert server.requests == []


def test_each_server_has_a_key_of_its_own(desk: Desk, ring: MemoryKeyring, qtbot: QtBot) -> None:
    ring.kept[SERVICE, "http://localhost:8000/v1"] = KEY
    desk.set("localhost:8000")
    page = desk.open()
    desk.wait_for(page.key, "A key for localhost:8000 is stored.")
    assert page.key.button.text() == "Replace"
    qtbot.keyClicks(page.key.field, "for this one")
    change_address(page, "localhost:8001", qtbot)
    desk.wait_for(page.key, "No key is stored.")
    assert (page.key.field.text(), page.key.button.text()) == ("", "Store")


def test_without_a_keyring_the_way_out_is_named(desk: Desk, qtbot: QtBot, click: Click) -> None:
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    desk.set("localhost:8000")
    page = desk.open()
    desk.wait_for(page.key, "No key is stored.")
    qtbot.keyClicks(page.key.field, KEY)
    click(page.key.button)
    desk.wait_for(page.key, "there is no keyring on this computer")
    assert VARIABLE in words(page.key)
    # And what was typed can still be tried; the keyboard is at it
    assert page.key.field.text() == KEY
    assert page.key.field.hasFocus()
    assert KEY not in words(page.key)


def test_a_keyring_that_is_locked_says_so(desk: Desk, ring: MemoryKeyring) -> None:
    ring.locked = True
    desk.set("localhost:8000")
    page = desk.open()
    desk.wait_for(page.key, "it is locked")
    assert "Unlock the keyring" in words(page.key)


def test_a_keyring_that_waits_for_its_user_holds_nothing_up(
    desk: Desk, ring: MemoryKeyring, server: ChatServer, click: Click
) -> None:
    ring.opened.clear()
    desk.set(server.base_url)
    page = desk.open()
    assert "Asking the keyring…" in words(page.key)
    # A test waits for it too, and can be stopped
    click(page.test.button)
    assert page.test.button.text() == "Stop"
    click(page.test.button)
    assert page.test.button.text() == "Test"
    ring.opened.set()
    desk.wait_for(page.key, "No key is stored.")
    assert "Works" not in words(page.test)


def test_a_keyring_that_never_answers_does_not_hold_up_the_end(
    desk: Desk, ring: MemoryKeyring, click: Click, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.worker._PATIENCE", 0.02)
    ring.opened.clear()
    desk.set("localhost:8000")
    page = desk.open()
    # Given that the row, a test and a question wait for the key
    click(page.test.button)
    message = Message(Role.USER, "hello")
    asked: list[object] = []
    desk.bridge.run_apart(
        lambda: desk.engine.ask([message], GenerationOptions()), lambda job, error: asked.append(job)
    )
    desk.until(lambda: len(ring.asked_in) == 3)
    # When Yomitori ends, then it does
    desk.close()
    assert all(thread.is_alive() for thread in ring.asked_in)
    assert asked == []


def test_a_key_of_the_environment_is_said_to_count(desk: Desk, ring: MemoryKeyring) -> None:
    desk.environ[VARIABLE] = KEY
    desk.set("localhost:8000")
    page = desk.open()
    assert f"{VARIABLE} is set for this run, and counts for every server." in words(page.key)
    assert not page.key.field.isEnabled()
    assert KEY not in words(page.dialog)


def test_a_key_that_would_go_unencrypted_is_told(desk: Desk, ring: MemoryKeyring) -> None:
    ring.kept[SERVICE, "http://192.0.2.7:8000/v1"] = KEY
    desk.set("192.0.2.7:8000")
    page = desk.open()
    desk.wait_for(page.key, "The key is not sent to 192.0.2.7:8000, since the connection is not encrypted.")


# ---- the test


def test_a_server_that_works_says_how_fast_it_answered(desk: Desk, server: ChatServer, click: Click) -> None:
    # Given that this computer answers, then a server can be tried all the same
    desk.set(server.base_url, backend="local")
    page = desk.open()
    click(page.test.button)
    assert f"Asking {server.host}…" in words(page.test)
    desk.wait_for(page.test, f"Works: {server.host} answered in ")
    assert "and has tiny." in words(page.test)
    # And nothing of the user's was sent
    assert [(request.method, request.body) for request in server.requests] == [("GET", b"")]
    assert not desk.engine.state("vision").memory


def test_what_a_test_found_out_comes_into_view(desk: Desk, qtbot: QtBot) -> None:
    # Given a low window, and the button at its lower edge
    desk.set(f"127.0.0.1:{closed_port()}")
    page = desk.open()
    page.dialog.resize(640, 360)
    page.test.button.setFocus()
    area = page.dialog.stack.currentWidget()
    assert isinstance(area, QScrollArea)
    qtbot.waitUntil(lambda: area.viewport().height() < 370)
    area.ensureWidgetVisible(page.test.button, 0, 0)
    low = page.test.height()
    # When the test fails, then all of what it says is to be seen
    qtbot.keyClick(page.test.button, Qt.Key.Key_Space)
    desk.wait_for(page.test, "could not be reached")

    def seen() -> bool:
        top = page.test.mapTo(area.viewport(), QPoint(0, 0)).y()
        return page.test.height() > low and 0 <= top <= area.viewport().height() - page.test.height()

    qtbot.waitUntil(seen)
    qtbot.wait(20)
    assert seen()
    assert page.test.button.hasFocus()
    # And where the keyboard is elsewhere, nothing moves
    bar = area.verticalScrollBar()
    page.dialog.search.setFocus()
    bar.setValue(0)
    desk.trial.start()
    desk.until(lambda: not desk.trial.running)
    qtbot.wait(20)
    assert bar.value() == 0


def test_a_model_is_chosen_among_those_of_the_server(
    desk: Desk, server: ChatServer, qtbot: QtBot, click: Click, tmp_path: Path
) -> None:
    desk.set(server.base_url, "")
    page = desk.open()
    assert not page.test.models.isVisible()
    click(page.test.button)
    desk.wait_for(page.test, "Choose one of its models below.")
    models = page.test.models
    assert [models.itemText(index) for index in range(models.count())] == ["tiny", "large"]
    assert models.currentIndex() == -1
    # When one is chosen with the keyboard
    models.setFocus()
    qtbot.keyClicks(models, "l")
    # Then the setting has it, and the row of the setting shows it
    assert desk.settings.current.vision.server_model == "large"
    field = page.dialog.rows["vision.server_model"].control
    assert isinstance(field, QLineEdit)
    assert field.text() == "large"
    assert "and has large." in words(page.test)
    file = json.loads((tmp_path / "config" / "settings.json").read_text("utf-8"))
    assert file["vision"]["server_model"] == "large"


def test_a_model_that_the_server_lacks_is_told(desk: Desk, server: ChatServer, click: Click) -> None:
    desk.set(server.base_url, "small")
    page = desk.open()
    click(page.test.button)
    desk.wait_for(page.test, "but has no model called small. Choose one of its models below.")
    desk.settings.set("vision.server_model", "tiny")
    assert "and has tiny." in words(page.test)
    desk.settings.set("vision.server_model", "medium")
    assert "but has no model called medium." in words(page.test)


def test_a_server_that_lists_nothing_may_work_all_the_same(desk: Desk, click: Click) -> None:
    with ChatServer(models=()) as server:
        desk.set(server.base_url)
        page = desk.open()
        click(page.test.button)
        desk.wait_for(page.test, "It does not say which models it has.")
        assert not page.test.models.isVisible()


@pytest.mark.parametrize(
    ("status", "sentence", "hint"),
    [
        (401, "asks for a key, or does not accept the one it got.", "Check the key of the server"),
        (404, "There is nothing that answers questions at", "it usually ends with /v1"),
        (500, "failed", "the log of the server tells more"),
    ],
)
def test_a_server_that_refuses_is_told_with_what_to_do(
    desk: Desk, server: ChatServer, click: Click, status: int, sentence: str, hint: str
) -> None:
    server.reply_models(status, {"error": {"message": "no"}})
    desk.set(server.base_url)
    page = desk.open()
    click(page.test.button)
    desk.wait_for(page.test, sentence)
    assert hint in words(page.test)


def test_an_address_where_nothing_listens_is_told(
    desk: Desk, server: ChatServer, qtbot: QtBot, click: Click
) -> None:
    desk.set(f"127.0.0.1:{closed_port()}")
    page = desk.open()
    click(page.test.button)
    desk.wait_for(page.test, "could not be reached")
    assert "Check that the server runs" in words(page.test)
    # When the address is mended, then that is forgotten, and the next test works
    change_address(page, server.base_url, qtbot)
    assert "could not be reached" not in words(page.test)
    click(page.test.button)
    desk.wait_for(page.test, "Works:")


def test_a_test_that_stalls_says_how_long_and_can_be_stopped(
    desk: Desk, server: ChatServer, qtbot: QtBot, click: Click
) -> None:
    server.stall_models()
    desk.set(server.base_url)
    page = desk.open()
    click(page.test.button)
    server.wait_for_requests(1)
    desk.wait_for(page.test, f"Asking {server.host}… 1 s")
    click(page.test.button)
    assert "Asking" not in words(page.test)
    assert page.test.button.text() == "Test"
    qtbot.waitUntil(server.gone.is_set, timeout=STALL)


def test_a_test_ends_with_its_window(desk: Desk, server: ChatServer, qtbot: QtBot, click: Click) -> None:
    server.stall_models()
    desk.set(server.base_url)
    page = desk.open()
    click(page.test.button)
    server.wait_for_requests(1)
    with qtbot.waitSignal(page.dialog.destroyed):
        page.dialog.close()
    qtbot.waitUntil(server.gone.is_set, timeout=STALL)
    assert not desk.trial.running


def test_a_test_ends_when_the_address_is_another(
    desk: Desk, server: ChatServer, qtbot: QtBot, click: Click
) -> None:
    server.stall_models()
    desk.set(server.base_url)
    page = desk.open()
    click(page.test.button)
    server.wait_for_requests(1)
    change_address(page, "localhost:1", qtbot)
    assert page.test.button.text() == "Test"
    qtbot.waitUntil(server.gone.is_set, timeout=STALL)


def test_a_key_can_be_tried_before_it_is_stored(
    desk: Desk, ring: MemoryKeyring, server: ChatServer, qtbot: QtBot, click: Click
) -> None:
    desk.set(server.base_url)
    page = desk.open()
    qtbot.keyClicks(page.key.field, KEY)
    click(page.test.button)
    desk.wait_for(page.test, "The key you typed was used. It is not stored yet.")
    assert server.requests[-1].key == KEY
    assert ring.kept == {}


def test_a_model_that_is_set_elsewhere_cannot_be_chosen(
    qapp: QApplication, tmp_path: Path, qtbot: QtBot, ring: MemoryKeyring, server: ChatServer, click: Click
) -> None:
    settings = SettingsStore(tmp_path / "s.json", environ={}, flags={"vision.server_model": "tiny"})
    desk = Desk(settings, Theme(qapp, "dark"), tmp_path, qtbot)
    settings.set("vision.server_url", server.base_url)
    page = desk.open()
    click(page.test.button)
    desk.wait_for(page.test, "and has tiny.")
    assert page.test.models.isVisible()
    assert not page.test.models.isEnabled()
    desk.close()


# ---- keyboard and names


def test_every_control_is_reached_with_the_tab_key_and_has_a_name(
    desk: Desk, ring: MemoryKeyring, server: ChatServer, qtbot: QtBot, click: Click
) -> None:
    ring.kept[SERVICE, server.base_url] = KEY
    desk.set(server.base_url)
    page = desk.open()
    desk.wait_for(page.key, "is stored.")
    click(page.test.button)
    desk.wait_for(page.test, "Works:")
    qtbot.keyClicks(page.key.field, "x")
    start = page.dialog.rows["vision.server_url"].control
    start.setFocus()
    order: list[QWidget] = []
    for _ in range(12):
        focused = QApplication.focusWidget()
        assert focused is not None
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
        order.append(QApplication.focusWidget())
    remove = page.key.note_button
    assert remove is not None
    controls = [remove, page.key.field, page.key.button, page.test.button, page.test.models]
    assert [widget for widget in order if widget in controls] == controls
    assert [control.accessibleName() for control in controls] == [
        "Remove: Key of the server",
        "Key of the server",
        "Replace: Key of the server",
        "Test the server",
        "Models of the server",
    ]


def test_the_rows_are_found_by_the_search(desk: Desk) -> None:
    page = desk.open()
    page.dialog.search.setText("password")
    assert page.key.isVisible()
    assert not page.test.isVisible()
    page.dialog.search.setText("test server")
    assert page.test.isVisible()
