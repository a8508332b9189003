"""The commands, run as a user runs them: a process, its output, its exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.images import to_png
from core.settings import iter_settings
from core.types import OcrResult
from service.cli import build_parser
from tests.support.local_library import TINY_MANGA_OCR
from tests.support.manga_crops import load_crops
from tests.support.old_layout import write_old_layout
from tests.support.ordinary_user import run_as_ordinary_user

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURE = ROOT / "tests" / "data" / "two-lines.png"
TEXT = "今日は学校に行きませんでした。\nどこへ行くの？\n"


def yomitori(
    *arguments: str, stdin: bytes = b"", folder: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *arguments],
        input=stdin,
        capture_output=True,
        env=env | environ,
        cwd=folder,
        timeout=120,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_plain_text_alone_is_on_stdout() -> None:
    done = yomitori("ocr", str(PICTURE))
    assert (done.returncode, done.stdout, done.stderr) == (0, TEXT, "")


def test_a_picture_on_standard_input_is_read() -> None:
    assert yomitori("ocr", "-", stdin=PICTURE.read_bytes()).stdout == TEXT


def test_json_holds_the_whole_result() -> None:
    row = json.loads(yomitori("ocr", str(PICTURE), "--json").stdout)
    assert row.pop("file") == str(PICTURE)
    result = OcrResult.from_json(row)
    assert result.text + "\n" == TEXT
    assert len(result.blocks) == 2
    assert (result.engine, result.device) == ("ppocr", "cpu")


def test_a_folder_is_read_in_order_with_a_bar_on_stderr(tmp_path: Path) -> None:
    for name in ("b.png", "a.PNG"):
        (tmp_path / name).write_bytes(PICTURE.read_bytes())
    (tmp_path / "notes.txt").write_text("not a picture")
    done = yomitori("ocr", "--json", str(tmp_path))
    assert [json.loads(row)["file"] for row in done.stdout.splitlines()] == [
        str(tmp_path / "a.PNG"),
        str(tmp_path / "b.png"),
    ]
    assert "picture" in done.stderr


def test_one_bad_file_costs_only_itself(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    done = yomitori("ocr", str(bad), str(PICTURE))
    assert done.returncode == 3
    assert TEXT in done.stdout
    assert "is not a picture" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("ocr", "nowhere.png"), 3, "cannot be opened"),
        (("ocr", str(ROOT / "core" / "models")), 3, "There is no picture in"),
        (("ocr", str(ROOT / "docs")), 3, "only in folders inside it"),
        (("ocr", str(PICTURE), "--engine", "magic"), 2, "cannot be magic"),
        (("ocr", str(PICTURE), "--models-threads", "many"), 2, "whole number"),
        (("ocr", str(PICTURE), str(PICTURE), "--annotate", "x.png"), 2, "there are 2 pictures"),
        (("ocr", str(PICTURE), "--annotate", "/nowhere/x.png"), 5, "cannot be used"),
        (("dance",), 2, "invalid choice"),
        (("ocr", str(PICTURE), "--annotate", "x.xyz"), 2, "does not end in"),
        (("ocr", "/dev/zero"), 3, "no ordinary file"),
        (("ocr", "x" * 300), 3, "cannot be opened"),
        (("show",), 7, "Yomitori is not running"),
        (("quit",), 7, "Yomitori is not running"),
        ((), 6, "there is no display"),
        (("capture",), 6, "there is no display"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_an_exit_code(
    arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = yomitori(*arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
@pytest.mark.parametrize("name", ["locked", "locked/page.png", "locked/inner/page.png"])
def test_a_folder_without_rights_is_said(name: str) -> None:
    done = run_as_ordinary_user(
        "import sys; from service.cli import FrontEnd, main",
        f"""
locked.chmod(0)
sys.exit(main(["ocr", str(locked.parent / {name!r})], FrontEnd(None, None)))
""",
    )
    assert done.returncode == 3, done.stderr
    assert f"/{name} cannot be opened: Permission denied." in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_dead_display_is_said_not_a_crash() -> None:
    done = yomitori(DISPLAY=":4999")
    assert done.returncode == 6
    assert "the display :4999 does not answer" in done.stderr


def test_settings_come_from_flags_before_the_environment_before_the_file(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "settings.json").write_text('{"reading": {"line_breaks": "drop"}}')
    joined = TEXT.replace("\n", "") + "\n"
    home = str(tmp_path)
    assert yomitori("ocr", str(PICTURE), YOMITORI_HOME=home).stdout == joined
    env = {"YOMITORI_HOME": home, "YOMITORI_READING_LINE_BREAKS": "keep"}
    assert yomitori("ocr", str(PICTURE), **env).stdout == TEXT
    assert yomitori("ocr", "--reading-line-breaks", "drop", str(PICTURE), **env).stdout == joined


def test_a_corrupt_settings_file_is_moved_aside_and_said(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "settings.json").write_text("{broken")
    done = yomitori("ocr", str(PICTURE), YOMITORI_HOME=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, TEXT)
    assert "moved to" in done.stderr
    assert [p.name.split("-")[0] for p in config.iterdir()] == ["settings.json.broken"]


def test_the_annotated_picture_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    assert yomitori("ocr", str(PICTURE), "--annotate", str(out)).stdout == TEXT
    assert out.read_bytes() != PICTURE.read_bytes()
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_home_that_cannot_be_written_does_not_stop_reading() -> None:
    done = yomitori("ocr", str(PICTURE), YOMITORI_HOME="/proc/yomitori")
    assert (done.returncode, done.stdout) == (0, TEXT)


def test_japanese_comes_out_whatever_the_locale_is() -> None:
    assert yomitori("ocr", str(PICTURE), PYTHONIOENCODING="ascii", LC_ALL="C").stdout == TEXT


def test_a_full_output_is_a_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, str(ROOT / "main.py"), "ocr", str(PICTURE)],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert done.returncode == 5
    assert "standard output cannot be used: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_picture_without_text_is_said(tmp_path: Path) -> None:
    blank = tmp_path / "blank.png"
    Image.new("RGB", (200, 100), "white").save(blank)
    done = yomitori("ocr", str(blank))
    assert (done.returncode, done.stdout) == (0, "\n")
    assert "no text was found" in done.stderr


def test_mangaocr_by_name_and_without_weights_says_how_to_get_them() -> None:
    done = yomitori("ocr", "--engine", "manga-ocr", str(PICTURE))
    assert (done.returncode, done.stdout) == (4, "")
    assert "manga-ocr is not on this computer yet." in done.stderr
    assert "yomitori models download manga-ocr" in done.stderr


def test_mangaocr_reads_where_its_weights_are_and_converts_them_first_where_they_are_old(
    tmp_path: Path,
) -> None:
    # given a folder with a .bin
    write_old_layout(TINY_MANGA_OCR, tmp_path / "old")
    crop = next(crop for crop in load_crops() if crop.category == "plain")
    # when a picture is read with it
    old = str(tmp_path / "old")
    done = yomitori("ocr", "-", "--json", stdin=to_png(crop.image), MANGAOCR_MODEL_PATH=old)
    # then a bar says on stderr what it waits for, and it is read
    assert done.returncode == 0, done.stderr
    assert "converting pytorch_model.bin" in done.stderr
    result = OcrResult.from_json(json.loads(done.stdout))
    assert (result.engine, result.device) == ("manga-ocr", "cpu")
    assert result.blocks[0].text == crop.text
    # and what read it is told beside what was asked for
    row = json.loads(done.stdout)
    assert row["precision"] == "fp32"
    assert row["asked"] == {"engine": "auto", "model": old, "device": "auto", "precision": "auto"}


@pytest.mark.parametrize(("asked", "engine"), [("auto", "ppocr"), ("manga-ocr", "manga-ocr")])
def test_mangaocr_leaves_a_text_to_the_built_in_engine_unless_it_was_asked_for(
    asked: str, engine: str
) -> None:
    # given a text that the tiny model was never shown
    tiny = str(TINY_MANGA_OCR)
    # when it is read
    done = yomitori("ocr", "--json", "--engine", asked, str(PICTURE), MANGAOCR_MODEL_PATH=tiny)
    # then the result says whose reading was kept: the other engine's only where the choice was free
    result = OcrResult.from_json(json.loads(done.stdout))
    assert result.engine == engine
    assert {block.how == "built-in" for block in result.blocks} == {engine == "ppocr"}


def test_a_folder_without_a_model_in_it_is_said() -> None:
    done = yomitori("ocr", "--models-ocr-model", str(ROOT / "docs"), "--engine", "manga-ocr", str(PICTURE))
    assert done.returncode == 4
    assert "cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_device_that_failed_is_said_once() -> None:
    # given a graphics card that is not there, when two pictures are read
    pictures = (str(PICTURE), str(PICTURE))
    done = yomitori("ocr", *pictures, "--models-device", "cuda:99", MANGAOCR_MODEL_PATH=str(TINY_MANGA_OCR))
    # then both are read, and it is said once that the CPU did it, without a hint about the desktop
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(TEXT) == 2
    assert done.stderr.count("MangaOCR runs on cpu instead of cuda:99.") == 1
    assert "Read by the" not in done.stderr
    assert "Settings" not in done.stderr


def test_a_folder_may_be_named_from_where_one_stands() -> None:
    # given a user who stands beside the folder, when a picture is read with it
    arguments = ("--models-ocr-model", "./tiny-manga-ocr", "--engine", "manga-ocr", str(PICTURE))
    done = yomitori("ocr", "--json", *arguments, folder=TINY_MANGA_OCR.parent)
    # then MangaOCR was there to read
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["engine"] == "manga-ocr"


def test_a_device_says_nothing_to_the_built_in_engine_and_that_is_told() -> None:
    done = yomitori("ocr", str(PICTURE), "--models-device", "cuda:0")
    assert (done.returncode, done.stdout) == (0, TEXT)
    assert (
        "built-in engine reads, which runs on the CPU: --models-device cuda:0 changes nothing" in done.stderr
    )


@pytest.mark.parametrize("engine", ["auto", "manga-ocr"])
def test_an_import_that_is_gone_is_told_and_no_download_is_offered(engine: str) -> None:
    done = yomitori("ocr", str(PICTURE), "--engine", engine, "--models-ocr-model", "local/gone")
    assert done.stderr.count("local/gone was imported, and is not on this computer any more.") == 1
    assert "download" not in done.stderr
    if engine == "auto":
        assert (done.returncode, done.stdout) == (0, TEXT)
        assert "The built-in engine reads instead." in done.stderr
    else:
        assert (done.returncode, done.stdout) == (4, "")
        assert "Import it again" in done.stderr


def test_pictures_in_folders_inside_a_folder_are_named(tmp_path: Path) -> None:
    for number in range(5):
        inner = tmp_path / f"volume-{number}" / "pages"
        inner.mkdir(parents=True)
        (inner / "1.PNG").touch()
    done = yomitori("ocr", str(tmp_path))
    assert done.returncode == 3
    assert f"There is no picture in {tmp_path} itself, only in folders inside it." in done.stderr
    assert done.stderr.count("volume-") == 3
    assert "without the folders inside it" in " ".join(yomitori("ocr", "--help").stdout.split())


# ---- what the commands tell of themselves


def test_a_wrong_command_is_two_lines() -> None:
    for arguments, command in (
        (("dance",), "yomitori"),
        (("ocr",), "yomitori ocr"),
        (("models", "dance"), "yomitori models"),
        (("models", "path", "--dance"), "yomitori"),
    ):
        done = yomitori(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 2, done.stderr
        assert done.stderr.endswith(f"'{command} --help' tells what can be given.\n")


def _helped(*command: str) -> dict[str, str]:
    """What is said of each flag, in one line."""
    text = yomitori(*command, "--help", COLUMNS="100").stdout
    section = text.partition("settings, for this run only:")[2].partition("\n\nExit codes")[0]
    flags = re.split(r"\n  (?=--)", section)
    return {flag.split()[0]: " ".join(flag.split()[1:]) for flag in flags[1:]}


def test_help_tells_values_units_and_what_short_titles_mean() -> None:
    helped = _helped()
    assert helped.keys() == {info.flag for info in iter_settings()}
    for info in iter_settings():
        text = helped[info.flag]
        if info.kind == "bool":
            assert text.startswith("{true,false} ")
            assert text.endswith(f"(default: {str(info.default).lower()})")
        assert "(default: )" not in text
        if info.unit:
            assert text.endswith(f"(default: {info.default} {info.unit})")
    assert helped["--models-idle-unload"].startswith("SECONDS ")
    assert helped["--vision-temperature"].startswith("X ")
    assert helped["--vision-model"].startswith("MODEL ")
    assert "How a row of dots is written" in helped["--reading-ellipsis"]
    assert helped["--models-dir"].endswith("(default: empty)")
    for command in ("ocr", "doctor"):
        assert len(yomitori(command, "--help").stdout.partition("\n\n")[0].splitlines()) == 1


def test_every_command_of_the_guide_is_one() -> None:
    guide = (ROOT / "docs" / "user-guide.md").read_text("utf-8")
    # What they do begins in the same column.
    lines = [line[:34].removeprefix("yomitori ").strip() for line in guide.splitlines()]
    wanted = [
        line
        for line, whole in zip(lines, guide.splitlines(), strict=True)
        if re.match(r"yomitori [a-z].*  \S", whole)
    ]
    commands = {line.partition(" | ")[0] for line in wanted} - {"models ..."}
    assert {"ocr FILE|-|FOLDER...", "models update [NAME...]", "show"} <= commands
    parser = build_parser()
    for command in commands:
        parser.parse_args(re.sub(r"\[.*\]", "", command).split())
        parser.parse_args(re.sub(r"[][.]", "", command).split())


def test_unload_needs_a_running_yomitori() -> None:
    done = yomitori("unload")
    assert done.returncode == 7
    assert "not running" in done.stderr


def test_doctor_says_what_works_without_a_display() -> None:
    done = yomitori("doctor")
    assert done.returncode == 0
    assert "ok  Reading engine: built-in on cpu" in done.stdout
    assert "NO  Display: The tray cannot be used here: there is no display." in done.stdout
    assert "--  Model manga-ocr: not downloaded; the built-in engine reads" in done.stdout
    assert "--  PyTorch: 2." in done.stdout
    rows = [json.loads(row) for row in yomitori("doctor", "--json").stdout.splitlines()]
    assert all(row["fix"] for row in rows if row["ok"] is False)


def test_doctor_gives_each_advice_once() -> None:
    out = yomitori("doctor").stdout
    assert out.count("Start it inside a desktop session") == 1
    assert "Display, Capture, Hotkeys, Clipboard, Tray, Notifications: Start it" in out
    assert "whatever else does not work" in " ".join(yomitori("doctor", "--help").stdout.split())


@pytest.mark.parametrize(
    ("before", "after"), [(("--models-device", "cuda:99"), ()), ((), ("--vision-device", "cuda:99"))]
)
def test_doctor_tells_of_a_device_that_is_not_there(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    done = yomitori(*before, "doctor", *after)
    assert done.returncode == 0, done.stderr
    flag, _ = before or after
    key = flag.removeprefix("--").replace("-", ".", 1)
    assert f"NO  Chosen {key}: cuda:99 cannot be used: it is not on this computer" in done.stdout
    assert f"Choose another device in Settings, or with {flag} auto." in done.stdout


def test_doctor_tells_of_an_import_that_is_gone() -> None:
    done = yomitori("doctor", "--models-ocr-model", "local/gone")
    assert (
        "NO  Model local/gone: local/gone was imported, and is not on this computer any more." in done.stdout
    )
    assert "models download" not in done.stdout


def test_version_is_the_package_s() -> None:
    from core import __version__

    assert yomitori("--version").stdout == f"yomitori {__version__}\n"


def test_a_reader_that_stops_reading_is_no_error() -> None:
    command = f'"{sys.executable}" "{ROOT / "main.py"}" ocr "{PICTURE}" "{PICTURE}" | head -c 1 >/dev/null'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr


def test_ctrl_c_before_a_command_has_begun_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import main

    def interrupted(*_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("service.cli.main", interrupted)
    assert main.main() == 130
