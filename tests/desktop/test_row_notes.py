"""What the settings tell about models as they are now: real engines in real processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.devices import Device
from core.errors import BackendUnavailable, ModelsFolderLocked
from core.events import State
from core.memory import format_bytes
from core.settings import SettingsStore
from core.types import RgbImage
from desktop.download_panel import Downloads
from desktop.hotkey_manager import HotkeyManager
from desktop.hotkeys.base import HotkeyBackend
from desktop.memory_row import MemoryRow
from desktop.model_tasks import Task
from desktop.row_notes import RowNotes
from desktop.theme import Theme
from tests.support.checkpoint_files import write_checkpoint
from tests.support.fake_engine import FAKE
from tests.support.fake_gpu_engine import FAKE_GPU, HOW
from tests.support.fake_manga_engine import BOTH
from tests.support.models_desk import CARD, CPU, REPO, ModelsDesk

STALL = 60_000
GPU = (replace(FAKE_GPU, name="manga-ocr", has_checkpoint=True), FAKE)
MODELS_ROWS = ("ocr_model", "device", "precision", "idle_unload", "dir")
PICTURE = RgbImage(4, 3, bytes(36))


def _no_hotkeys(name: str) -> HotkeyBackend:
    raise BackendUnavailable(name=name, reason="there is no keyboard", fix="")


class Bench:
    """Notes of a dialog that is not there."""

    def __init__(self, desk: ModelsDesk, qtbot: QtBot) -> None:
        self.desk = desk
        self._qtbot = qtbot
        self.offered = 0
        self.hotkeys = HotkeyManager(desk.settings, _no_hotkeys)
        self.notes = RowNotes(desk.settings, desk.engine, desk.tasks, self.hotkeys, self._offer)

    def _offer(self) -> None:
        self.offered += 1

    def text(self, key: str) -> str:
        return self.notes(key).text

    def look(self) -> None:
        with self._qtbot.waitSignal(self.desk.tasks.surveyed, timeout=STALL):
            self.desk.tasks.look()

    def read(self) -> None:
        job = self.desk.engine.recognize(PICTURE)
        self._qtbot.waitUntil(job.done, timeout=STALL)
        self._qtbot.waitUntil(lambda: self.desk.engine.state().state is State.READY, timeout=STALL)

    def unload(self) -> None:
        self.desk.engine.unload()
        self._qtbot.waitUntil(lambda: self.desk.engine.state().state is State.UNLOADED, timeout=STALL)


@pytest.fixture
def make(
    qapp: QApplication, tmp_path: Path, settings: SettingsStore, qtbot: QtBot
) -> Iterator[Callable[..., Bench]]:
    Theme(qapp, "light")
    desks: list[ModelsDesk] = []

    def build(with_model: bool = False, **options: object) -> Bench:
        if with_model:
            settings.set("models.ocr_model", str(write_checkpoint(tmp_path / "checkpoint", size=40_000)))
        desks.append(ModelsDesk(tmp_path / "desk", settings, **options))  # type: ignore[arg-type]
        bench = Bench(desks[-1], qtbot)
        bench.look()
        return bench

    yield build
    for desk in desks:
        desk.close()


def test_nothing_is_said_before_anything_is_known(
    tmp_path: Path, settings: SettingsStore, qtbot: QtBot
) -> None:
    desk = ModelsDesk(tmp_path / "desk", settings)
    bench = Bench(desk, qtbot)
    keys = ("reading.engine", *(f"models.{name}" for name in MODELS_ROWS if name != "idle_unload"))
    assert [bench.text(key) for key in keys] == [""] * 5
    desk.close()


def test_until_the_weights_are_there_the_rows_say_who_reads_and_offer_the_download(
    make: Callable[..., Bench],
) -> None:
    bench = make()
    note = bench.notes("reading.engine")
    assert note.text == "The built-in engine reads until MangaOCR is on this computer."
    assert note.button == "Download (444 MB)…"
    assert note.press is not None
    note.press()
    assert bench.offered == 1
    note = bench.notes("models.ocr_model")
    assert note.text.splitlines() == [
        "MangaOCR base · not on this computer yet",
        "Fits: needs 1.1 GB of memory, 8.0 GB free on CPU.",
    ]
    assert note.button == "Download (444 MB)…"
    # Who asked for MangaOCR by name is told that nothing reads
    bench.desk.settings.set("reading.engine", "manga-ocr")
    assert bench.notes("reading.engine").role == "warn"
    assert "nothing can be read with it" in bench.text("reading.engine")
    # Who chose the built-in engine is not asked to download anything
    bench.desk.settings.set("reading.engine", "ppocr")
    assert bench.notes("reading.engine").button == ""
    assert bench.text("reading.engine") == "built-in reads, and is loaded when you need it."


def test_the_model_in_use_is_told_with_what_it_needs(make: Callable[..., Bench]) -> None:
    bench = make(with_model=True)
    lines = bench.text("models.ocr_model").splitlines()
    assert lines[0] == "checkpoint"
    assert lines[1].startswith("Fits: needs ")
    assert bench.text("reading.engine") == "MangaOCR reads, and is loaded when you need it."
    assert bench.text("models.device") == "At the moment: CPU"


def test_what_runs_where_is_told_while_it_is_loaded(make: Callable[..., Bench]) -> None:
    bench = make(with_model=True, engines=BOTH)
    bench.read()
    assert bench.text("models.device") == "In use: CPU"
    assert bench.text("models.precision") == "In use: Full (fp32)"
    assert bench.text("reading.engine").startswith("MangaOCR: ready on CPU, ")
    # What it has is not counted against it
    assert "Fits" not in bench.text("models.ocr_model")
    bench.unload()
    # What it needs, not what is in use
    assert bench.text("models.precision").startswith("Full (fp32) here, needs ")


def test_a_precision_is_told_with_what_it_needs_here(make: Callable[..., Bench]) -> None:
    # Given no card: Automatic takes full precision
    bench = make()
    assert bench.text("models.precision") == "Full (fp32) here, needs 1.1 GB."
    # When half of it is asked for
    bench.desk.settings.set("models.precision", "bf16")
    bench.look()
    assert bench.text("models.precision") == "Half (bf16) here, needs 850 MB."
    # The built-in engine has none to choose
    bench.desk.settings.set("reading.engine", "ppocr")
    bench.look()
    assert bench.text("models.precision") == ""


def test_automatic_precision_follows_the_device_that_would_be_used(make: Callable[..., Bench]) -> None:
    free = [CARD.free]
    bench = make(engines=GPU, devices=lambda: [CPU, replace(CARD, free=free[0])])
    assert bench.text("models.precision") == "Half (fp16) here, needs 850 MB."
    # When the card has no room left for it, the CPU would read, with all bits
    free[0] = 100_000_000
    bench.look()
    assert bench.text("models.precision") == "Full (fp32) here, needs 1.1 GB."
    bench.desk.settings.set("models.precision", "fp16")
    bench.look()
    assert bench.text("models.precision") == "Half (fp16) here, needs 850 MB."


def test_no_precision_is_told_of_a_model_that_cannot_be_used(
    make: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = make(with_model=True)
    assert bench.text("models.precision") != ""
    bench.desk.settings.set("models.ocr_model", str(tmp_path / "gone"))
    bench.look()
    assert bench.text("models.precision") == ""


def test_what_will_be_freed_is_told_while_something_is_loaded(make: Callable[..., Bench]) -> None:
    bench = make(with_model=True)
    # As many lines as with a model, so that nothing moves when one is loaded
    lines = {key: bench.text(key).count("\n") for key in ("models.ocr_model", "models.idle_unload")}
    assert bench.text("models.idle_unload") == "Nothing is in memory now."
    bench.read()
    assert {key: bench.text(key).count("\n") for key in lines} == lines
    assert "In memory now: " in bench.text("models.ocr_model")
    held = format_bytes(bench.desk.engine.state().memory)
    assert held != "0 MB"
    assert bench.text("models.idle_unload") == f"Frees {held}."
    # What is never freed is not promised
    bench.desk.settings.set("models.idle_unload", -1)
    assert bench.text("models.idle_unload") == ""
    bench.desk.settings.set("models.idle_unload", 300)
    bench.unload()
    assert bench.text("models.idle_unload") == "Nothing is in memory now."


def test_a_card_that_failed_is_told_and_tried_again(
    make: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    # Given a card that runs out of memory
    monkeypatch.setenv(HOW, "oom")
    bench = make(with_model=True, engines=GPU, devices=lambda: [CPU, CARD])
    assert bench.text("models.device") == "At the moment: A card"
    bench.read()
    # Then the row says where it runs instead, and why
    note = bench.notes("models.device")
    assert note.text == "cuda:0 ran out of memory. fake runs on CPU instead of cuda:0."
    assert note.role == "warn"
    assert note.button == "Try again"
    # And it was told once, however many snips there were
    bench.read()
    bench.read()
    assert [type(error).__name__ for error in bench.desk.told.errors] == ["FellBack"]
    # When the card works again and the user says so
    monkeypatch.delenv(HOW)
    assert note.press is not None
    note.press()
    qtbot.waitUntil(lambda: bench.desk.engine.state().state is State.UNLOADED, timeout=STALL)
    bench.read()
    assert bench.text("models.device") == "In use: A card"
    assert bench.text("models.precision") == "In use: Half (fp16)"


def test_where_trying_again_leads_nowhere_it_is_not_offered(make: Callable[..., Bench]) -> None:
    # Given a card that was asked for by name and is not there
    bench = make(with_model=True, engines=GPU, devices=lambda: [CPU, CARD])
    bench.desk.settings.set("models.device", "cuda:1")
    bench.read()
    # Then it is told, with nothing to press
    note = bench.notes("models.device")
    assert note.text == (
        "cuda:1 cannot be used: it is not on this computer. fake runs on CPU instead of cuda:1."
    )
    assert (note.role, note.button) == ("warn", "")


def test_a_device_that_is_not_there_is_told_before_anything_is_read(make: Callable[..., Bench]) -> None:
    bench = make(with_model=True)
    bench.desk.settings.set("models.device", "cuda:1")
    bench.look()
    assert bench.text("models.device") == "cuda:1 is not there now. The CPU is used instead."
    assert bench.notes("models.device").role == "warn"


def test_a_model_that_does_not_fit_is_told_in_its_row(make: Callable[..., Bench]) -> None:
    tight = Device("cpu", "CPU", 16_000_000_000, 200_000_000)
    bench = make(devices=lambda: [tight])
    note = bench.notes("models.ocr_model")
    assert "Does not fit: needs 1.1 GB of memory, 200 MB free on CPU." in note.text
    assert note.role == "warn"


def test_a_model_that_cannot_be_used_is_told_with_the_reason(
    make: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = make()
    bench.desk.settings.set("models.ocr_model", str(tmp_path / "gone"))
    bench.look()
    assert "there is no such folder" in bench.text("models.ocr_model")
    assert bench.notes("models.ocr_model").role == "bad"


def test_a_folder_that_cannot_be_written_is_told_with_the_fix(
    make: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = make()
    assert bench.text("models.dir").startswith(f"In use: {bench.desk.root} · ")
    (tmp_path / "file").write_text("")
    bench.desk.settings.set("models.dir", str(tmp_path / "file"))
    bench.look()
    assert str(tmp_path / "file") in bench.text("models.dir")
    assert bench.notes("models.dir").role == "bad"
    assert not (tmp_path / "desk" / "hub").exists()


def test_the_command_that_opens_a_locked_folder_can_be_copied(make: Callable[..., Bench]) -> None:
    bench = make()
    survey = bench.desk.tasks.survey
    assert survey is not None
    problem = ModelsFolderLocked(path="/models", command='sudo chown -R "$USER" "/models"')
    bench.desk.tasks.survey = replace(survey, root_problem=problem)
    note = bench.notes("models.dir")
    assert "you may not write there" in note.text
    assert note.press is not None
    note.press()
    assert QApplication.clipboard().text() == 'sudo chown -R "$USER" "/models"'


def test_memory_is_shown_freed_and_said(make: Callable[..., Bench], qtbot: QtBot) -> None:
    bench = make(with_model=True)
    engine = bench.desk.engine
    row = MemoryRow(lambda: [engine.state("ocr"), engine.state("quick")], engine.unload)
    qtbot.addWidget(row)
    assert row._note.text == "Nothing. Models are loaded when you need them."
    assert not row.free.isEnabled()
    bench.read()
    row.refresh()
    assert row._note.text.startswith("MangaOCR ")
    assert row._note.text.endswith(" MB")
    assert row.free.isEnabled()
    row.free.click()
    qtbot.waitUntil(lambda: engine.state().state is State.UNLOADED, timeout=STALL)
    row.refresh()
    state = engine.state()
    assert row._note.text.startswith("Nothing, " if state.freed else "Nothing. ")
    assert not row.free.isEnabled()


def test_downloads_are_listed_in_the_settings_while_there_are_any(
    make: Callable[..., Bench], qtbot: QtBot
) -> None:
    bench = make()
    downloads = Downloads(bench.desk.tasks)
    qtbot.addWidget(downloads)
    downloads.show()
    assert downloads.panels == {}
    tasks = bench.desk.tasks
    blobs = bench.desk.root / f"models--{REPO.replace('/', '--')}" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / ("b" * 64 + ".yomitori.incomplete")).write_bytes(bytes(1_000_000))
    bench.look()
    panel = downloads.panels[REPO]
    assert panel.title.text() == "Download of MangaOCR base paused"
    assert panel.figures.text() == "1 of 444 MB"
    # It can be resumed right there, and where the engine is chosen
    assert not panel.resume.isHidden()
    assert bench.notes("models.ocr_model").button == ""
    assert bench.notes("reading.engine").button == "Resume the download…"
    tasks.cancel(REPO)
    qtbot.waitUntil(lambda: downloads.panels == {}, timeout=STALL)
    assert tasks.task(REPO) == Task()
