"""What ``pip install .`` installs, built without the network."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_wheel_holds_the_command_and_everything_it_needs(tmp_path: Path) -> None:
    source = tmp_path / "source"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout.decode().split("\0")  # fmt: skip
    for name in filter(None, tracked):
        if not name.startswith(("tests/", "docs/")) and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(source)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("yomitori-*.whl")
    unpacked = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
        names = set(archive.namelist())
    assert {
        "main.py",
        "core/engine.py",
        "core/models/catalogue.json",
        "core/ocr/ppocr.py",
        "desktop/hotkeys/x11.py",
        "service/cli.py",
        "resources/icons/yomitori-64.png",
        "resources/icons/chevron-down-dark.svg",
        "resources/translations/yomitori_ja.qm",
    } <= names
    assert not {name.split("/")[0] for name in names} & {"tests", "benchmarks", "packaging", "docs"}
    (entry_points,) = unpacked.glob("*.dist-info/entry_points.txt")
    assert "yomitori = main:main" in entry_points.read_text()
    picture = ROOT / "tests" / "data" / "two-lines.png"
    code = (
        f"import sys; sys.path.insert(0, {str(unpacked)!r})\n"
        f"sys.argv = ['yomitori', 'ocr', {str(picture)!r}]\n"
        "import main; sys.exit(main.main())"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "今日は学校に行きませんでした。" in done.stdout
