"""What a row says of a model that is not used, or that no hub knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.models.entries import RevisionEntry
from core.settings import SettingsStore
from desktop.model_rows import revision_text
from desktop.models_dialog import ModelsDialog
from desktop.theme import Theme
from tests.support.checkpoint_files import write_checkpoint
from tests.support.models_desk import REPO, ModelsDesk

STALL = 60_000
LOCAL = "local/mine"


@pytest.fixture
def desk(qapp: QApplication, tmp_path: Path, settings: SettingsStore) -> Iterator[ModelsDesk]:
    Theme(qapp, "light")
    desk = ModelsDesk(tmp_path / "desk", settings)
    yield desk
    desk.close()


def look(qtbot: QtBot, desk: ModelsDesk) -> None:
    with qtbot.waitSignal(desk.tasks.surveyed, timeout=STALL):
        desk.tasks.look()


@pytest.mark.parametrize(
    ("current", "in_use", "one", "words"),
    [
        # of one alone the card's badge says it
        (True, True, True, "Revision aaaaaaa · 5 MB"),
        (True, True, False, "Revision aaaaaaa · 5 MB · in use"),
        (True, False, True, "Revision aaaaaaa · 5 MB · not used yet"),
        (True, False, False, "Revision aaaaaaa · 5 MB · current · not used yet"),
        (False, False, False, "Revision aaaaaaa · 5 MB · not used yet"),
        # a revision that the setting names, while the model's own choice is another one
        (False, True, False, "Revision aaaaaaa · 5 MB · in use"),
    ],
)
def test_only_what_reads_is_in_use(
    qapp: QApplication, current: bool, in_use: bool, one: bool, words: str
) -> None:
    revision = RevisionEntry("a" * 40, 5_000_000, True, current, "", False)
    assert revision_text(revision, in_use, one) == words


def test_an_import_is_used_kept_from_every_hub_and_replaced_when_it_is_gone(
    desk: ModelsDesk, qtbot: QtBot, tmp_path: Path
) -> None:
    # Given an import
    with qtbot.waitSignal(desk.tasks.arrived, timeout=STALL):
        desk.tasks.import_from(write_checkpoint(tmp_path / "mine"))
    dialog = ModelsDialog(desk.tasks, desk.settings, lambda repo: None)
    qtbot.addWidget(dialog)
    look(qtbot, desk)
    row = dialog.rows[LOCAL]
    # Then it is in use only once it is chosen, and no hub is offered for it
    assert row.badge.text() == ""
    assert "not used yet" in row._lines[0].text.text()
    desk.settings.set("models.ocr_model", LOCAL)
    look(qtbot, desk)
    assert row.badge.text() == "In use"
    assert "use" not in row._lines[0].text.text()
    for button in (row.download, row.check, row.again):
        assert button.isHidden()
    # And not when the built-in engine reads
    desk.settings.set("reading.engine", "ppocr")
    look(qtbot, desk)
    assert row.badge.text() == "Chosen"
    desk.settings.set("reading.engine", "auto")
    # When it is removed, then the catalogue's model is the one that can be downloaded
    with qtbot.waitSignal(desk.tasks.changed, timeout=STALL):
        desk.tasks.remove(LOCAL)
    qtbot.waitUntil(lambda: desk.tasks.task(LOCAL).doing is None, timeout=STALL)
    look(qtbot, desk)
    survey = desk.tasks.survey
    assert survey is not None
    assert survey.chosen.entry is not None
    assert (survey.chosen.entry.repo, survey.chosen.checkpoint) == (REPO, None)
    assert not dialog.rows[REPO].download.isHidden()
