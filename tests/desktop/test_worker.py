"""The bridge from other threads into the GUI thread, and the QThread of a host."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from core.engine import Engine
from core.errors import ImageDamaged, YomitoriError
from core.events import HostState, State
from core.settings import SettingsStore
from core.types import RgbImage
from desktop.worker import Bridge, HostThread
from tests.support.fake_engine import FAKE

STALL = 30_000


@pytest.fixture
def bridge(qtbot: QtBot) -> Iterator[Bridge]:
    bridge = Bridge()
    yield bridge
    bridge.close()


def test_work_runs_elsewhere_and_its_answer_comes_back_here(qtbot: QtBot, bridge: Bridge) -> None:
    seen: list[object] = []
    here = threading.get_ident()
    bridge.run(threading.get_ident, lambda value, error: seen.extend([value, threading.get_ident(), error]))
    qtbot.waitUntil(lambda: bool(seen), timeout=STALL)
    assert seen[0] != here
    assert seen[1:] == [here, None]


def test_an_error_of_ours_arrives_as_it_is(qtbot: QtBot, bridge: Bridge) -> None:
    seen: list[YomitoriError | None] = []

    def fail() -> None:
        raise ImageDamaged(name="x.png")

    bridge.run(fail, lambda value, error: seen.append(error))
    qtbot.waitUntil(lambda: bool(seen), timeout=STALL)
    assert isinstance(seen[0], ImageDamaged)


def test_any_other_exception_is_logged_and_told(
    qtbot: QtBot, bridge: Bridge, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[YomitoriError | None] = []
    bridge.run(lambda: 1 / 0, lambda value, error: seen.append(error))
    qtbot.waitUntil(lambda: bool(seen), timeout=STALL)
    assert "ZeroDivisionError" in str(seen[0])
    assert "ZeroDivisionError" in caplog.text


def test_after_closing_nothing_is_called_any_more(qtbot: QtBot) -> None:
    bridge = Bridge()
    seen: list[object] = []
    bridge.run(lambda: 1, lambda value, error: seen.append(value))
    bridge.close()
    qtbot.wait(50)
    assert seen == []


def test_work_that_waits_for_somebody_holds_up_neither_other_work_nor_closing(
    qtbot: QtBot, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.worker._PATIENCE", 0.02)
    gate, ended = threading.Event(), threading.Event()
    waiting: list[threading.Thread] = []
    seen: list[object] = []

    def wait() -> None:
        waiting.append(threading.current_thread())
        assert gate.wait(60.0)
        ended.set()

    try:
        for _ in range(9):
            bridge.run_apart(wait, lambda value, error: seen.append("too late"))
        bridge.run(lambda: 1, lambda value, error: seen.append(value))
        qtbot.waitUntil(lambda: seen == [1] and len(waiting) == 9, timeout=STALL)
        bridge.close()
        # Then closing is over, although nobody has answered, and the interpreter's end waits for nobody
        assert all(thread.is_alive() and thread.daemon for thread in waiting)
    finally:
        gate.set()
    assert ended.wait(STALL)
    for thread in waiting:
        thread.join()
    # And what comes later is dropped
    qtbot.wait(20)
    assert seen == [1]


def test_closing_gives_work_apart_a_moment_to_end(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.worker._PATIENCE", 60.0)
    gate, done = threading.Event(), threading.Event()

    def store() -> None:
        assert gate.wait(60.0)
        done.set()

    bridge.run_apart(store, lambda value, error: None)
    threading.Timer(0.05, gate.set).start()
    bridge.close()
    assert done.is_set()


def test_a_reading_comes_back_into_the_gui_thread_and_quitting_joins_the_qthread(
    qtbot: QtBot, bridge: Bridge, settings: SettingsStore, tmp_path: Path
) -> None:
    threads: list[HostThread] = []

    def runner(host: object) -> HostThread:
        threads.append(HostThread(host))  # type: ignore[arg-type]
        return threads[-1]

    engine = Engine(settings, tmp_path, runner=runner, engines=(FAKE,))
    states: list[HostState] = []
    bridge.state_changed.connect(states.append)
    bridge.watch(engine)
    texts: list[tuple[str, bool]] = []
    here = QThread.currentThread()
    bridge.when_done(
        engine.recognize(RgbImage(4, 3, bytes(36))),
        lambda result, error: texts.append((result.text, QThread.currentThread() is here)),
    )
    qtbot.waitUntil(lambda: bool(texts), timeout=STALL)
    assert texts == [("4x3", True)]
    qtbot.waitUntil(lambda: bool(states) and states[-1].state == State.READY, timeout=STALL)
    assert [state.state for state in states] == [State.LOADING, State.READY, State.BUSY, State.READY]
    engine.close()
    assert [thread.isFinished() for thread in threads] == [True, True, True]
