"""The HTTP service beside the tray: a child process that follows the settings. It is a fake one here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from core.errors import YomitoriError
from core.service_errors import AddressUnusable, ServiceEnded
from core.settings import SettingsStore
from desktop import service_notes, service_process
from desktop.service_log import ServiceLog
from desktop.service_notes import ServiceNotes
from desktop.service_process import ServiceProcess, State, Status, serve_command
from tests.support.environment import ROOT, child_environment

STALL = 30_000
FAKE = ROOT / "tests" / "support" / "fake_serve.py"


class Bench:
    def __init__(self, qtbot: QtBot, folder: Path, settings: SettingsStore) -> None:
        self.qtbot = qtbot
        self.folder = folder
        self.settings = settings
        self.told: list[YomitoriError] = []
        self.service = self.make([sys.executable, str(FAKE), str(folder)])

    def make(self, command: list[str]) -> ServiceProcess:
        service = ServiceProcess(
            self.settings, self.folder / "log" / "service.log", command, pauses_ms=(10, 20), settle_ms=50
        )
        service.failed.connect(self.told.append)
        return service

    def does(self, how: str) -> None:
        (self.folder / "does").write_text(how)

    def rows(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def wait_for(self, state: State) -> None:
        self.qtbot.waitUntil(lambda: self.service.status.state is state, timeout=STALL)

    def wait_for_rows(self, name: str, count: int) -> None:
        self.qtbot.waitUntil(lambda: len(self.rows(name)) >= count, timeout=STALL)


@pytest.fixture
def bench(
    qtbot: QtBot, tmp_path: Path, settings: SettingsStore, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    monkeypatch.setenv("PYTHONPATH", child_environment({})["PYTHONPATH"])
    bench = Bench(qtbot, tmp_path, settings)
    yield bench
    bench.service.close()


@pytest.fixture
def on(bench: Bench) -> Bench:
    bench.settings.set("service.enabled", True)
    bench.service.start()
    bench.wait_for(State.ON)
    return bench


def test_it_is_off_until_it_is_switched_on_and_ends_when_switched_off(bench: Bench) -> None:
    bench.service.start()
    assert bench.service.status == Status()
    assert bench.service.pid == 0
    with bench.qtbot.waitSignal(bench.service.changed):
        bench.settings.set("service.enabled", True)
    assert bench.service.status.state is State.STARTING
    bench.wait_for(State.ON)
    assert bench.service.status.address == "http://127.0.0.1:9100"
    assert bench.rows("starts") == ["--until-stdin-ends --grace=2"]
    pid = bench.service.pid
    assert psutil.pid_exists(pid)
    bench.settings.set("service.enabled", False)
    assert bench.service.status == Status()
    bench.qtbot.waitUntil(lambda: bench.service.pid == 0, timeout=STALL)
    # It was asked to, and it was not started again.
    assert bench.rows("ends") == [""]
    assert len(bench.rows("starts")) == 1
    assert not psutil.pid_exists(pid)
    assert bench.told == []


def test_switched_off_and_on_at_once_it_runs(on: Bench) -> None:
    first = on.service.pid
    on.settings.set("service.enabled", False)
    on.settings.set("service.enabled", True)
    on.qtbot.waitUntil(lambda: on.service.pid not in (0, first), timeout=STALL)
    on.wait_for(State.ON)
    assert len(on.rows("starts")) == 2


def test_its_settings_start_it_anew_once_and_others_are_only_told(on: Bench) -> None:
    first = on.service.pid
    for port in (9, 91, 9101):
        on.settings.set("service.port", port)
    on.wait_for_rows("starts", 2)
    on.wait_for(State.ON)
    assert on.service.pid != first
    assert len(on.rows("starts")) == 2
    second = on.service.pid
    on.settings.set("general.theme", "dark")
    on.wait_for_rows("orders", 1)
    assert on.rows("orders") == ["settings"]
    assert on.service.pid == second


def test_flags_of_the_tray_hold_for_it_too(bench: Bench, tmp_path: Path) -> None:
    flags = {"service.enabled": True, "service.port": 9300, "models.device": "cpu", "general.theme": "dark"}
    bench.settings = SettingsStore(tmp_path / "other.json", environ={}, flags=flags)
    bench.service = bench.make([sys.executable, str(FAKE), str(tmp_path)])
    bench.service.start()
    bench.wait_for(State.ON)
    (given,) = bench.rows("starts")
    assert given.split()[2:] == ["--models-device=cpu", "--service-enabled=true", "--service-port=9300"]


def test_what_it_refuses_is_told_once_and_not_tried_again(bench: Bench) -> None:
    bench.does("refuse")
    bench.settings.set("service.enabled", True)
    bench.service.start()
    bench.wait_for(State.FAILED)
    assert [type(error) for error in bench.told] == [AddressUnusable]
    assert bench.service.status.error is bench.told[0]
    assert "127.0.0.1, port 9100: taken" in bench.told[0].message
    assert len(bench.rows("starts")) == 1
    # Its settings may be what is wrong.
    bench.does("")
    bench.settings.set("service.port", 9101)
    bench.wait_for(State.ON)
    assert len(bench.told) == 1


def test_when_it_crashes_it_is_started_again_a_few_times(bench: Bench) -> None:
    bench.does("crash")
    bench.settings.set("service.enabled", True)
    bench.service.start()
    bench.wait_for(State.FAILED)
    assert len(bench.rows("starts")) == 3
    (error,) = bench.told
    assert isinstance(error, ServiceEnded)
    assert "exit code 7" in error.message
    assert "service.log" in error.advice
    bench.does("")
    bench.service.restart()
    bench.wait_for(State.ON)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_once_it_comes_back_unsaid(on: Bench) -> None:
    first = on.service.pid
    os.kill(first, 9)
    on.qtbot.waitUntil(lambda: on.service.pid not in (0, first), timeout=STALL)
    on.wait_for(State.ON)
    assert on.told == []


def test_a_program_that_is_not_there_is_told(bench: Bench, tmp_path: Path) -> None:
    bench.settings.set("service.enabled", True)
    bench.service = bench.make([str(tmp_path / "no-such-program")])
    bench.service.start()
    bench.wait_for(State.FAILED)
    assert isinstance(bench.told[0], ServiceEnded)
    assert bench.service.pid == 0


def test_one_that_does_not_end_is_killed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_process, "_AT_QUIT_MS", 200)
    bench.does("deaf")
    bench.settings.set("service.enabled", True)
    bench.service.start()
    bench.wait_for(State.ON)
    pid = bench.service.pid
    bench.service.close()
    assert not psutil.pid_exists(pid)
    # And what is set afterwards starts nothing.
    bench.settings.set("service.enabled", False)
    bench.settings.set("service.enabled", True)
    assert bench.service.pid == 0


def test_what_it_writes_is_in_a_log_that_is_private_and_bounded(on: Bench, tmp_path: Path) -> None:
    path = tmp_path / "log" / "service.log"
    on.qtbot.waitUntil(lambda: path.exists() and "plain words" in path.read_text(), timeout=STALL)
    rows = path.read_text().splitlines()
    assert rows[0] == '{"level": "info", "message": "hello"}'
    assert rows[1].endswith(" plain words")
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
    log = ServiceLog(tmp_path / "long" / "service.log")
    for _ in range(300):
        log.write(b"x" * 10_000 + b"\nhalf a ")
    log.close()
    sizes = [file.stat().st_size for file in (tmp_path / "long").iterdir()]
    assert len(sizes) == 2
    assert sum(sizes) <= 2_000_000
    assert (tmp_path / "long" / "service.log").read_text().endswith(" half a\n")


def test_without_a_log_it_runs_all_the_same(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("no folder")
    bench.settings.set("service.enabled", True)
    bench.service.start()
    bench.wait_for(State.ON)


def test_the_notes_tell_where_it_listens_and_what_is_wrong(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(
        service_process.QDesktopServices, "openUrl", lambda url: opened.append(url.toString())
    )
    notes = ServiceNotes(bench.service).notes
    bench.service.start()
    assert notes["service.enabled"]().text == ""
    assert notes["service.require_token"]().text == ""
    bench.settings.set("service.enabled", True)
    assert notes["service.enabled"]().text == "Starting…"
    bench.wait_for(State.ON)
    note = notes["service.enabled"]()
    assert (note.text, note.button) == ("Listens at http://127.0.0.1:9100", "Open its page")
    assert note.press is not None
    note.press()
    assert opened == ["http://127.0.0.1:9100/docs"]
    bench.does("refuse")
    bench.settings.set("service.port", 9101)
    bench.wait_for(State.FAILED)
    note = notes["service.enabled"]()
    assert note.role == "bad"
    assert "cannot listen at 127.0.0.1" in note.text
    # In a window the settings are named, on the command line its flags.
    assert "Choose another address or port in Settings, Service" in note.text
    assert "--port" not in note.text
    assert "--port" in bench.told[0].advice
    assert note.button == "Try again"
    bench.does("")
    assert note.press is not None
    note.press()
    bench.wait_for(State.ON)


def test_the_token_is_copied_when_it_is_asked_for_and_that_is_said_for_a_moment(
    on: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_notes, "_COPIED_MS", 50)
    notes = ServiceNotes(on.service)
    find = notes.notes["service.require_token"]
    note = find()
    assert note.text == f"The token is in {on.folder / 'token'}"
    assert (note.button, note.spoken) == ("Copy the token", "")
    assert note.press is not None
    shown: list[tuple[str, str]] = []
    notes.changed.connect(lambda: shown.append((find().button, find().spoken)))
    note.press()
    on.qtbot.waitUntil(lambda: len(shown) == 2, timeout=STALL)
    assert QGuiApplication.clipboard().text() == "the-token"
    assert shown == [("Copied ✓", "The token was copied."), ("Copy the token", "")]


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("", ""),
        ("http://127.0.0.1:9100", "http://127.0.0.1:9100/docs"),
        ("http://0.0.0.0:9100", "http://127.0.0.1:9100/docs"),
        ("http://[::]:9100", "http://[::1]:9100/docs"),
    ],
)
def test_its_page_can_be_opened_here_wherever_it_listens(address: str, page: str) -> None:
    status = Status(State.ON, address)
    assert status.page == page
    assert page == (f"{status.here}/docs" if address else "")
    assert status.everywhere == (status.here != address)


def test_all_addresses_are_no_address_to_ask_at(bench: Bench) -> None:
    bench.service.status = Status(State.ON, "http://0.0.0.0:9100")
    note = ServiceNotes(bench.service).notes["service.enabled"]()
    assert note.text == "Listens at every address of this computer, port 9100"


def test_a_frozen_build_starts_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert serve_command() == [sys.executable, str(ROOT / "main.py"), "serve"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert serve_command() == [sys.executable, "serve"]
