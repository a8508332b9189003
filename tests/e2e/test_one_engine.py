"""The tray and the commands beside it: weights are loaded once, by whoever runs longest."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.images import to_png
from core.process import ModelProcess
from main import _check_desktop, _start_tray
from service.cli import FrontEnd
from service.cli import main as run_command
from tests.support.display_server import wait_until
from tests.support.manga_crops import load_crops
from tests.support.tray_app import TrayApp
from tests.support.xserver import XServer

pytestmark = pytest.mark.x11


def test_commands_read_with_the_model_that_the_tray_has_loaded(
    xserver: XServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # given the tray with the built-in engine, which loads soonest
    picture = tmp_path / "bubble.png"
    picture.write_bytes(to_png(load_crops("plain")[0].image))
    app = TrayApp(xserver.environment(), tmp_path / "home")
    monkeypatch.setenv("YOMITORI_HOME", str(tmp_path / "home"))
    loaded_here: list[object] = []
    start = ModelProcess.__init__

    def counting(self: ModelProcess, *arguments: object) -> None:
        loaded_here.append(self)
        start(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ModelProcess, "__init__", counting)

    def read(*flags: str) -> str:
        assert run_command(["ocr", str(picture), *flags], FrontEnd(_start_tray, _check_desktop)) == 0
        return capsys.readouterr().out.strip()

    with app:
        wait_until("the tray to share its engine", lambda: (app.paths.runtime / "engine.token").exists())
        # when commands read, one after another
        text = read()
        assert text
        (model,) = app.children()
        assert read() == text
        # then the model was loaded once, by the tray, and here never
        assert app.children() == [model]
        assert loaded_here == []
        # unless a command wants it otherwise
        assert read("--standalone") == text
        assert len(loaded_here) == 1
        assert read("--models-precision", "bf16") == text
        assert len(loaded_here) == 2
        assert app.children() == [model]
    # and without the tray it reads by itself
    assert read() == text
    assert len(loaded_here) == 3
