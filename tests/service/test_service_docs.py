"""docs/service.md says what the code does, and the systemd unit starts what it should."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from core.errors import YomitoriError, known_errors
from core.models.catalogue import load_catalogue
from service.env_file import parse_env
from tests.support.environment import ROOT, child_environment
from tests.support.http_service import TOKEN

DOCS = ROOT / "docs" / "service.md"
PAGE = DOCS.read_text("utf-8")
UNIT = ROOT / "packaging" / "linux" / "yomitori.service"
INSTALLED = "/opt/yomitori"


def test_the_tables_are_up_to_date() -> None:
    module = runpy.run_path(str(ROOT / "packaging" / "service_tables.py"))
    assert module["guide_with_tables"](PAGE) == PAGE, "run 'make docs'"


def test_every_error_of_a_request_and_every_model_is_in_a_table() -> None:
    from core import service_errors

    told = set(re.findall(r"`(\w+)`", PAGE))
    # What the tray tells of the service is no answer of it.
    own = {
        name
        for name, cls in vars(service_errors).items()
        if isinstance(cls, type)
        and issubclass(cls, YomitoriError)
        and cls.__module__ == service_errors.__name__
    } - {"ServiceEnded"}
    assert own <= told
    # What fails with a status of its own fails in a request.
    assert {name for name, cls in known_errors().items() if cls.http_status in (502, 503, 504, 507)} <= told
    assert {model.name for model in load_catalogue()} <= set(
        re.findall(r"^\| `(\S+)` \|", PAGE, re.MULTILINE)
    )


def test_the_example_of_a_file_with_variables_is_one() -> None:
    (example,) = re.findall(r"^```\n(# A row each.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert list(parse_env(example, DOCS)) == [
        "YOMITORI_SERVICE_PORT",
        "YOMITORI_MODELS_IDLE_UNLOAD",
        "LLAVA_MODEL_ID",
    ]


# ---- systemd


def unit_values(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE)


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is for Linux")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("not installed: systemd-analyze")
    # It looks for the program; that of the tests is elsewhere.
    text = UNIT.read_text("utf-8").replace(f"{INSTALLED}/.venv/bin/python", sys.executable)
    (tmp_path / UNIT.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / UNIT.name)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is for Linux")
def test_the_unit_starts_the_service_with_its_folders_and_its_token(tmp_path: Path) -> None:
    state, credentials = tmp_path / "state", tmp_path / "credentials"
    for folder in (state / "yomitori", credentials):
        folder.mkdir(parents=True)
    (credentials / "token").write_text(TOKEN + "\n")
    own = {}
    for row in unit_values("Environment"):
        for pair in shlex.split(row):
            name, _, value = pair.partition("=")
            own[name] = value.replace("%S", str(state)).replace("%d", str(credentials))
    (command,) = unit_values("ExecStart")
    program = command.replace(f"{INSTALLED}/.venv/bin/python", sys.executable).replace(INSTALLED, str(ROOT))
    # Nothing of the one who runs the tests, as under systemd; the last ones are of EnvironmentFile.
    env = child_environment({"PATH": os.environ["PATH"], "YOMITORI_SERVICE_PORT": "0"} | own)
    process = subprocess.Popen(
        shlex.split(program), env=env, cwd="/", stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+:\d+", process.stdout.readline())
        assert found
        with httpx2.Client(base_url=found[0], trust_env=False, timeout=60) as client:
            token = {"Authorization": f"Bearer {TOKEN}"}
            assert client.post("/models/vision/unload", headers=token).status_code == 202
            assert client.get("/models").json()["models"]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, out + err
    assert f"the token is in {credentials / 'token'}" in err
    assert [folder.name for folder in state.iterdir()] == ["yomitori"]
    # A token, an address or a setting that cannot be used is not tried again and again.
    assert unit_values("RestartPreventExitStatus") == ["2"]
