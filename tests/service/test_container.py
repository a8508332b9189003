"""The container of the HTTP service, as far as that can be run without a container engine."""

from __future__ import annotations

import fnmatch
import importlib.metadata as metadata
import importlib.util
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import main
from core.models.library import ModelLibrary
from core.paths import Paths
from core.settings import SettingsStore
from tests.support.checkpoint_files import WEIGHTS, write_checkpoint
from tests.support.environment import GUARD, ROOT
from tests.support.requirements import skip_or_fail
from tests.support.stub_hub import StubHub, received

DOCKER = ROOT / "packaging" / "docker"
ENTRY_POINT = DOCKER / "entrypoint.sh"
DOCKERFILE = (DOCKER / "Dockerfile").read_text("utf-8")
TINY_MANGA_OCR = ROOT / "tests" / "models" / "tiny-manga-ocr"
MANGA_OCR = "kha-white/manga-ocr-base"
TOKEN = "a-token-that-only-tests-know"
NOBODY = 65534
DONE_BY_SYSTEM = {"PATH": "/usr/bin:/bin"}


def program(name: str) -> str:
    """A program that a development dependency brought along, or the system has."""
    found = shutil.which(name, path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    skip_or_fail("" if found else f"not installed: {name}")
    assert found is not None
    return found


# ---- the files


@pytest.mark.parametrize(
    ("linter", "file"), [("hadolint", DOCKER / "Dockerfile"), ("shellcheck", ENTRY_POINT)], ids=str
)
def test_the_linters_have_nothing_to_say(linter: str, file: Path) -> None:
    done = subprocess.run([program(linter), str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_everything_that_is_copied_is_there_and_sent_to_the_builder() -> None:
    sources = [
        name
        for line in re.findall(r"^COPY (.+)$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE)
        if "--from=" not in line
        for name in [word for word in line.split() if not word.startswith("--")][:-1]
    ]
    sent = [
        line.removeprefix("!")
        for line in (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    ]
    assert len(sources) > 8
    for name in sources:
        assert (ROOT / name).exists(), name
        assert any(fnmatch.fnmatch(name, pattern) for pattern in sent), name
    # no weights, settings or keys, wherever a developer keeps them
    assert not {"*", ".", "packaging", "tests"} & set(sent)


def test_the_service_gets_the_locked_versions_and_no_desktop() -> None:
    locked = _locked("requirements.txt") | _locked("requirements-dev.txt")
    service = _locked("requirements-service.txt")
    assert service.items() <= locked.items()
    assert {"torch", "transformers", "fastapi", "uvicorn", "setuptools"} <= service.keys()
    assert not {"pyside6-essentials", "shiboken6", "mss", "xcffib", "manga-ocr"} & service.keys()


def _locked(name: str) -> dict[str, str]:
    rows = (ROOT / name).read_text("utf-8").splitlines()
    return dict(row.split("==") for row in rows if "==" in row)


# ---- compose


@pytest.fixture
def compose(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``docker compose config`` on copies, which no developer's own ``.env`` lies beside."""
    folder = tmp_path / "packaging" / "docker"
    folder.mkdir(parents=True)
    for file in DOCKER.glob("compose*.yaml"):
        shutil.copy(file, folder)

    def config(*files: str, **environ: str) -> subprocess.CompletedProcess[str]:
        named = [part for file in files for part in ("-f", file)]
        return subprocess.run(
            [program("docker-compose"), *named, "config", "--format", "json"],
            cwd=folder, env={**DONE_BY_SYSTEM, "HOME": str(tmp_path), **environ},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return config


def _services(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    services: dict[str, dict[str, Any]] = json.loads(done.stdout)["services"]
    return services


def test_compose_refuses_to_start_without_a_token(compose: Callable[..., Any]) -> None:
    done = compose("compose.yaml")
    assert done.returncode != 0
    assert "YOMITORI_TOKEN_FILE is missing a value" in done.stderr


def test_models_are_fetched_into_the_volume_before_the_service_starts(compose: Callable[..., Any]) -> None:
    services = _services(compose("compose.yaml", YOMITORI_TOKEN_FILE="token", LLAVA_DEVICE="cpu"))
    assert services["models"]["command"] == ["fetch-models"]
    assert services["yomitori"]["command"] == ["serve"]
    waits = services["yomitori"]["depends_on"]["models"]
    assert (waits["condition"], waits["required"]) == ("service_completed_successfully", True)
    for service in services.values():
        volumes = {volume["target"]: (volume["type"], volume["source"]) for volume in service["volumes"]}
        assert volumes == {"/models": ("volume", "models"), "/data": ("volume", "state")}
        environment = service["environment"]
        assert environment["HF_HOME"] == "/models"
        assert environment["TRANSFORMERS_CACHE"] == "/models/hub"
        assert environment["LLAVA_DEVICE"] == "cpu"
        # not set at all, rather than set to nothing
        assert environment["LLAVA_MODEL_ID"] is None


def test_compose_gives_the_service_little(compose: Callable[..., Any]) -> None:
    services = _services(compose("compose.yaml", YOMITORI_TOKEN_FILE="token"))
    for service in services.values():
        assert (service["user"], service["read_only"]) == ("10001:10001", True)
        assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
        limits = service["deploy"]["resources"]["limits"]
        assert int(limits["memory"]) == 8 << 30
        assert limits["pids"] > 0
        assert service["build"]["args"] == {"VARIANT": "cpu"}
        assert "reservations" not in service["deploy"]["resources"]
    # only this computer reaches it, unless somebody says otherwise
    (port,) = services["yomitori"]["ports"]
    assert (port["host_ip"], port["published"], port["target"]) == ("127.0.0.1", "9100", 9100)
    assert "ports" not in services["models"]
    (secret,) = services["yomitori"]["secrets"]
    assert services["yomitori"]["environment"]["YOMITORI_SERVICE_TOKEN_FILE"] == secret["target"]


def test_what_the_operator_chooses(compose: Callable[..., Any], tmp_path: Path) -> None:
    # given the one file that holds it all, also settings that compose does not name
    (tmp_path / "packaging/docker/.env").write_text(
        "YOMITORI_TOKEN_FILE=token\nYOMITORI_MODELS=/srv/models\nYOMITORI_UID=1000\nYOMITORI_GID=1000\n"
        "YOMITORI_MEMORY=24g\nYOMITORI_CPUS=2\nYOMITORI_PUBLISH=0.0.0.0:80\nYOMITORI_GPUS=2\n"
        "LLAVA_MODEL_ID=llava-1.5-7b\nYOMITORI_VISION_MAX_TOKENS=99\nHF_HOME=/home/somebody\n"
    )
    # when it is for a graphics card
    services = _services(compose("compose.yaml", "compose.cuda.yaml"))
    # then
    service = services["yomitori"]
    assert service["user"] == "1000:1000"
    assert {volume["source"] for volume in service["volumes"]} == {"/srv/models", "state"}
    assert int(service["deploy"]["resources"]["limits"]["memory"]) == 24 << 30
    assert float(service["deploy"]["resources"]["limits"]["cpus"]) == 2
    assert (service["ports"][0]["host_ip"], service["ports"][0]["published"]) == ("0.0.0.0", "80")
    assert service["environment"]["LLAVA_MODEL_ID"] == "llava-1.5-7b"
    assert service["environment"]["YOMITORI_VISION_MAX_TOKENS"] == "99"
    assert service["environment"]["HF_HOME"] == "/models"
    (card,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert (card["driver"], card["count"], card["capabilities"]) == ("nvidia", 2, ["gpu"])
    # a download needs no card
    assert "reservations" not in services["models"]["deploy"]["resources"]
    for each in services.values():
        assert (each["image"], each["build"]["args"]) == ("yomitori:cuda", {"VARIANT": "cuda"})


def test_every_line_of_the_example_is_known_to_compose(compose: Callable[..., Any], tmp_path: Path) -> None:
    text = (DOCKER / "example.env").read_text("utf-8")
    (tmp_path / "packaging/docker/.env").write_text(text)
    assert _services(compose("compose.yaml"))
    named = set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE)) - {"COMPOSE_FILE"}
    files = "".join(file.read_text("utf-8") for file in DOCKER.glob("compose*.yaml"))
    assert named
    assert {name for name in named if not re.search(rf"\b{name}\b", files)} == set()


# ---- the entry point


@pytest.fixture
def container() -> Iterator[Path]:
    """A folder that other users can reach, with the entry point and a ``yomitori`` that tells how it was
    called."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(ENTRY_POINT, folder)
        told = folder / "bin" / "yomitori"
        told.parent.mkdir()
        told.write_text('#!/bin/sh\necho "user $(id -u):" "$@"\n')
        for path in (told, folder / ENTRY_POINT.name):
            path.chmod(0o755)
        (folder / "token").write_text(TOKEN)
        home = folder / "data"
        home.mkdir()
        if os.getuid() == 0:
            os.chown(home, NOBODY, NOBODY)
        yield folder


def enter(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The entry point, as a user who is not root."""
    variables = {
        "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
        "YOMITORI_HOME": str(folder / "data"),
        "HF_HOME": str(folder / "data" / "models"),
        "YOMITORI_SERVICE_TOKEN_FILE": str(folder / "token"),
    }
    ordinary: dict[str, Any] = (
        {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    )
    return subprocess.run(
        [str(folder / ENTRY_POINT.name), *arguments],
        env=variables | environ, cwd=folder, capture_output=True, text=True, check=False, **ordinary,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ((), "serve"),
        (("serve", "--service-queue", "4"), "serve --service-queue 4"),
        (("models", "list"), "models list"),
    ],
)
def test_the_entry_point_becomes_yomitori(container: Path, arguments: tuple[str, ...], command: str) -> None:
    done = enter(container, *arguments)
    user = NOBODY if os.getuid() == 0 else os.getuid()
    assert (done.stdout, done.stderr, done.returncode) == (f"user {user}: {command}\n", "", 0)


@pytest.mark.parametrize("what", ["unnamed", "absent", "folder", "unreadable", "empty"])
def test_the_service_is_not_started_without_a_token(container: Path, what: str) -> None:
    # given
    token, name = container / "token", str(container / "token")
    if what == "unnamed":
        name, words = "", "The service does not start without a token."
    elif what == "absent":
        token.unlink()
        words = f"There is no token at {token}."
    elif what == "folder":
        token.unlink()
        token.mkdir()
        words = f"{token} is a folder, not a file with a token."
    elif what == "unreadable":
        token.chmod(0)
        words = "may not read the token"
    else:
        token.write_text("")
        words = f"The file {token} is empty."
    # when
    done = enter(container, "serve", YOMITORI_SERVICE_TOKEN_FILE=name)
    # then a sentence and a hint, and nothing was started
    assert (done.returncode, done.stdout) == (2, "")
    told, hint = done.stderr.splitlines()
    assert words in told
    assert hint.startswith("  ")
    # other commands need none
    assert enter(container, "models", "list", YOMITORI_SERVICE_TOKEN_FILE=name).returncode == 0


@pytest.mark.parametrize("variable", ["YOMITORI_HOME", "HF_HOME"])
@pytest.mark.parametrize("there", [True, False])
def test_a_volume_of_another_user_is_told(container: Path, variable: str, there: bool) -> None:
    # given a volume that belongs to root, or a place where none was mounted
    closed = container / "closed"
    closed.mkdir(mode=0o555)
    volume = closed if there else closed / "models"
    # when
    done = enter(container, "fetch-models", **{variable: str(volume)})
    # then
    assert (done.returncode, done.stdout) == (5, "")
    told, hint = done.stderr.splitlines()
    assert str(volume) in told
    assert "user" in hint


def test_the_files_can_be_run() -> None:
    for name in ("entrypoint.sh", "fetch_models.py", "healthcheck.py"):
        assert (DOCKER / name).stat().st_mode & stat.S_IXUSR, name


# ---- without Qt


def test_without_qt_there_is_a_sentence_instead_of_a_window(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # given an installation without it, as in the image
    monkeypatch.setitem(sys.modules, "PySide6", None)
    monkeypatch.setattr(sys, "argv", ["yomitori"])
    # when the tray is asked for
    assert main.main() == 6
    # then
    told, hint = capsys.readouterr().err.splitlines()
    assert told == "yomitori: The desktop cannot be used here: PySide6 is not installed."
    assert "yomitori ocr" in hint
    # and "yomitori doctor" tells it as what it is: no fault
    (check,) = main._check_desktop(SettingsStore(Path(os.environ["YOMITORI_HOME"]) / "settings.json"))
    assert (check.name, check.ok) == ("Desktop", None)


# ---- models


def _program(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCKER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ({}, ["manga-ocr", "llava-onevision-0.5b"]),
        ({"vision.model": "llava-1.5-7b"}, ["manga-ocr", "llava-1.5-7b"]),
        ({"reading.engine": "ppocr"}, ["llava-onevision-0.5b"]),
        ({"vision.backend": "remote"}, ["manga-ocr"]),
        ({"models.ocr_model": "local/mine", "vision.model": "/somewhere/llava"}, []),
    ],
)
def test_the_models_that_the_settings_choose(
    tmp_path: Path, flags: Mapping[str, str], names: list[str]
) -> None:
    settings = SettingsStore(tmp_path / "settings.json", environ={}, flags=dict(flags))
    library = ModelLibrary(settings, Paths.below(tmp_path), environ={"HF_HOME": str(tmp_path)})
    try:
        assert _program("fetch_models").chosen(library, settings.current) == names
    finally:
        library.close()


@pytest.mark.parametrize(
    ("arguments", "environ", "codes", "asked", "code"),
    [
        # one that fails costs only itself, but the service does not start without it
        (("one", "two"), {"YOMITORI_DOWNLOAD": "three"}, (9, 0), ["one", "two"], 9),
        ((), {"YOMITORI_DOWNLOAD": "three  four"}, (0, 0), ["three", "four"], 0),
        (
            (),
            {"YOMITORI_DOWNLOAD": "", "LLAVA_MODEL_ID": "owner/llava"},
            (0, 0),
            ["manga-ocr", "owner/llava"],
            0,
        ),
        # paused is paused
        (("one", "two"), {}, (130,), ["one"], 130),
        (("one",), {"YOMITORI_ACCEPT_LICENSE": "true"}, (0,), ["one --accept-license"], 0),
    ],
)
def test_what_is_asked_of_the_hub(
    arguments: tuple[str, ...],
    environ: Mapping[str, str],
    codes: tuple[int, ...],
    asked: list[str],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given
    module = _program("fetch_models")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["fetch_models.py", *arguments])
    commands: list[str] = []

    def command() -> int:
        assert sys.argv[:3] == ["yomitori", "models", "download"]
        commands.append(" ".join(sys.argv[3:]))
        return codes[len(commands) - 1]

    monkeypatch.setattr(module, "run_command", command)
    monkeypatch.setattr(module.signal, "signal", lambda *_: None)
    # then
    assert module.main() == code
    assert commands == asked


class Container:
    """What runs in the image, run by a Python that has the locked packages of the service and no others."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        packages = folder / "packages"
        packages.mkdir()
        for name in _locked("requirements-service.txt"):
            distribution = metadata.distribution(name)
            for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
                if not (packages / top).exists():
                    (packages / top).symlink_to(str(distribution.locate_file(top)))
        # That of the environment in which the tests run sees everything that is installed there.
        self.python = getattr(sys, "_base_executable", sys.executable)
        commands = folder / "bin"
        commands.mkdir()
        (commands / "python3").symlink_to(self.python)
        (commands / "yomitori").write_text(f'#!/bin/sh\nexec {self.python} {ROOT / "main.py"} "$@"\n')
        (commands / "yomitori").chmod(0o755)
        (folder / "token").write_text(TOKEN)
        self.environ = {
            "PATH": f"{commands}:/usr/bin:/bin",
            "PYTHONPATH": os.pathsep.join(map(str, (GUARD, packages, ROOT))),
            "PYTHONDONTWRITEBYTECODE": "1",
            # The volumes.
            "HOME": str(folder / "data"),
            "YOMITORI_HOME": str(folder / "data"),
            "HF_HOME": str(folder / "models"),
            "TRANSFORMERS_CACHE": str(folder / "models" / "hub"),
            "HF_ENDPOINT": endpoint,
            "NO_PROXY": "127.0.0.1",
            "YOMITORI_SERVICE_TOKEN_FILE": str(folder / "token"),
            # The tests' network guard lets nobody listen at 0.0.0.0, for which a token is needed as well.
            "YOMITORI_SERVICE_REQUIRE_TOKEN": "true",
            "YOMITORI_SERVICE_PORT": "0",
            "YOMITORI_MODELS_DEVICE": "cpu",
            "YOMITORI_MODELS_THREADS": "1",
            "YOMITORI_READING_ENGINE": "manga-ocr",
            # As the image has it, checked below.
            "ORT_DISABLE_TELEMETRY": "1",
        }

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["/bin/sh", str(ENTRY_POINT), *arguments],
            env=self.environ | environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *arguments: str, **environ: str) -> tuple[int, str, str]:
        process = self.start(*arguments, **environ)
        try:
            out, err = process.communicate(timeout=120)
        finally:
            process.kill()
        assert "Traceback" not in err, err
        return process.returncode, out, err

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The service's address; it is ended as an engine ends a container, and has to end well."""
        process = self.start("serve")
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            assert found is not None, process.stderr.read()
            yield found[0]
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.communicate()

    def healthy(self, port: str) -> int:
        check = [self.python, str(DOCKER / "healthcheck.py")]
        environ = self.environ | {"YOMITORI_SERVICE_PORT": port, "http_proxy": "http://127.0.0.1:9"}
        return subprocess.run(check, env=environ, capture_output=True, check=False).returncode


@pytest.fixture
def image(tmp_path: Path) -> Callable[[str], Container]:
    return lambda endpoint: Container(tmp_path, endpoint)


def _ask(url: str, token: str = "", body: bytes | None = None, kind: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, body, headers | ({"Content-Type": kind} if kind else {}))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=170) as answer:
        return json.load(answer)


def _form(picture: bytes) -> bytes:
    details = b'--part\r\nContent-Disposition: form-data; name="details"\r\n\r\ntrue\r\n'
    file = b'--part\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    return details + file + picture + b"\r\n--part--\r\n"


def test_models_are_downloaded_once_and_read_with_after_every_restart(
    image: Callable[[str], Container], tmp_path: Path
) -> None:
    # given a hub, and an image in which neither Qt nor anything else of the desktop can be imported
    with StubHub() as hub:
        hub.add_repo(MANGA_OCR, TINY_MANGA_OCR, "refs/pr/4")
        container = image(hub.url)
        # when the first start fetches what the volume lacks
        code, out, err = container.run("fetch-models", YOMITORI_DOWNLOAD="manga-ocr")
        assert code == 0, err
        assert "Downloading manga-ocr ..." in out
        assert hub.sent[WEIGHTS] == (TINY_MANGA_OCR / WEIGHTS).stat().st_size
    qt = subprocess.run(
        [container.python, "-c", "import PySide6"], env=container.environ, capture_output=True
    )
    assert qt.returncode != 0
    # then the next one asks no hub, which is gone by now
    code, out, err = container.run("fetch-models", YOMITORI_DOWNLOAD="manga-ocr")
    assert (code, out) == (0, "Models that are here: manga-ocr\n"), err
    # and the service reads with it
    picture = (ROOT / "tests" / "data" / "two-lines.png").read_bytes()
    with container.serving() as url:
        port = url.rsplit(":", 1)[1]
        assert container.healthy(port) == 0
        assert _ask(f"{url}/ready?role=ocr", TOKEN) == {"status": "ready", "roles": ["ocr"]}
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            _ask(f"{url}/ready")
        refused.value.close()
        kind = "multipart/form-data; boundary=part"
        answer = _ask(f"{url}/ocr", TOKEN, _form(picture), kind)
        assert (answer["engine"], answer["language"]) == ("manga-ocr", "ja")
        assert answer["text"]
        models = {row["name"]: row for row in _ask(f"{url}/models", TOKEN)["models"]}
        assert models["manga-ocr"]["state"]
    # and is told to be dead when it is
    assert container.healthy(port) == 1
    # and ONNX Runtime has made no id of this computer to send somewhere
    assert "ORT_DISABLE_TELEMETRY=1" in DOCKERFILE
    assert not list((tmp_path / "data").rglob("deviceid"))


def test_a_download_is_paused_when_the_container_is_stopped(
    image: Callable[[str], Container], tmp_path: Path
) -> None:
    size = 2_000_000
    with StubHub() as hub:
        hub.add_repo(MANGA_OCR, write_checkpoint(tmp_path / "one", size=size), "refs/pr/4")
        hub.stall(0.6, file=WEIGHTS)
        process = image(hub.url).start("fetch-models", "manga-ocr")
        cache = tmp_path / "models" / "hub"

        for _ in range(3000):
            if received(cache) > size / 2:
                break
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        # when it is ended in the middle
        process.terminate()
        _, err = process.communicate(timeout=60)
        # then what has come is kept, and "yomitori models download" goes on from there
        assert process.returncode == 130, err
        assert received(cache) > size / 2
