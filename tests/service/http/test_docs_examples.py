"""docs/api.md: every route and parameter is in it, and every example does what stands beside it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from core.errors import QueueFull
from service.http.metrics import watch
from service.http.problems import openai_json, problem_json
from tests.support.environment import ROOT
from tests.support.http_service import TINY_MANGA_OCR, TOKEN, Serving, serving
from tests.support.requirements import skip_or_fail
from tests.support.stub_hub import StubHub

PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")
ADDRESS = "http://127.0.0.1:9100"
PICTURES = {"page.png": "short.png", "page2.png": "vertical.png"}
STALL = 120.0

_HEADING = re.compile(r"^#{2,4} (.+)$")
_FENCE = re.compile(r"^```(\w*)$")
_ROUTE = re.compile(r"(GET|POST) (/\S*)")


@dataclass(frozen=True)
class Block:
    """What stands between two fences. ``line`` is where it begins."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Section:
    """What stands below a heading, up to the next one of whatever level."""

    title: str
    text: str
    blocks: tuple[Block, ...]

    def of(self, *languages: str) -> list[Block]:
        return [block for block in self.blocks if block.language in languages]

    @property
    def changes_models(self) -> bool:
        return any("$TOKEN" in block.text for block in self.blocks)


def sections(page: str) -> Iterator[Section]:
    title, lines, blocks = "", list[str](), list[Block]()
    inside: tuple[str, int] | None = None
    body: list[str] = []
    for number, line in enumerate(page.splitlines(), start=1):
        fence = _FENCE.match(line)
        heading = None if inside else _HEADING.match(line)
        if inside and line == "```":
            blocks.append(Block(inside[0], "\n".join(body) + "\n", inside[1]))
            inside, body = None, []
        elif inside:
            body.append(line)
        elif fence:
            inside = (fence[1], number + 1)
        elif heading:
            yield Section(title, "\n".join(lines), tuple(blocks))
            title, lines, blocks = heading[1], [], []
        else:
            lines.append(line)
    assert inside is None, f"a fence is not closed: {inside}"
    yield Section(title, "\n".join(lines), tuple(blocks))


SECTIONS = list(sections(PAGE))
WITH_EXAMPLES = [section for section in SECTIONS if section.of("sh", "python", "js")]


# ---- it is complete


def test_every_route_has_its_section_with_every_parameter(app: FastAPI) -> None:
    described = app.openapi()
    named = {(found[1], found[2]): s for s in SECTIONS if (found := _ROUTE.fullmatch(s.title))}
    routes = {
        (method.upper(), path): row
        for path, rows in described["paths"].items()
        for method, row in rows.items()
    }
    assert set(named) == set(routes)
    for route, row in routes.items():
        missing = {name for name in parameters(described, row) if f"`{name}`" not in named[route].text}
        assert not missing, f"{route} does not tell of {missing}"
        assert named[route].of("sh"), f"{route} has no example"


def parameters(described: dict[str, Any], row: dict[str, Any]) -> set[str]:
    """Names in the query, and of the fields of the body."""
    names = {parameter["name"] for parameter in row.get("parameters", ()) if parameter["in"] == "query"}
    for content in row.get("requestBody", {}).get("content", {}).values():
        name = content["schema"]["$ref"].rsplit("/", 1)[1]
        names |= set(described["components"]["schemas"][name]["properties"])
    return names


def test_every_metric_is_told(app: FastAPI) -> None:
    forget = watch(app.state.context)
    (section,) = [section for section in SECTIONS if section.title == "GET /metrics"]
    told = set(re.findall(r"`(yomitori_\w+)`", section.text))
    names = {metric.name for metric in app.state.context.metrics.registry.collect()}
    forget()
    assert {name.removesuffix("_total") for name in told} == names


def test_the_errors_that_are_shown_are_ours() -> None:
    (section,) = [section for section in SECTIONS if section.title == "Errors"]
    ours, openai = (json.loads(block.text) for block in section.of("json"))
    assert ours == problem_json(QueueFull(count=16), ours["instance"])
    assert openai == openai_json(QueueFull(count=16))


# ---- the examples


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which examples are run, with the files they name."""
    folder = tmp_path_factory.mktemp("examples")
    for name, source in PICTURES.items():
        shutil.copy(ROOT / "tests" / "data" / source, folder / name)
    (folder / "notes.txt").write_text("Not a picture.\n")
    # An error is to be one for curl as well.
    (folder / ".curlrc").write_text(f"fail-with-body\nsilent\nshow-error\nmax-time = {STALL:.0f}\n")
    return folder


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service whose models may be changed: it has downloaded one from a hub on this machine."""
    home = tmp_path_factory.mktemp("keeper")
    with StubHub() as hub:
        hub.add_repo("kha-white/manga-ocr-base", TINY_MANGA_OCR, "refs/pr/4", licence="apache-2.0")
        environ = {"MANGAOCR_MODEL_PATH": "", "HF_ENDPOINT": hub.url, "NO_PROXY": "127.0.0.1"}
        with serving(home, environ=environ) as server:
            url = f"{server.url}/models/manga-ocr/download?stream=true"
            with httpx2.Client(trust_env=False, timeout=STALL) as client:
                answer = client.post(url, headers=server.privileged)
            assert '"state":"done"' in answer.text, answer.text
            yield server


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("section", WITH_EXAMPLES, ids=lambda section: section.title)
def test_examples_do_what_stands_beside_them(
    section: Section,
    desk: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server: Serving = request.getfixturevalue("keeper" if section.changes_models else "server")
    monkeypatch.chdir(desk)
    monkeypatch.setenv("TOKEN", TOKEN)
    monkeypatch.setenv("CURL_HOME", str(desk))
    printed: dict[str, list[str]] = {"python": [], "js": []}
    for place, block in enumerate(section.blocks):
        if block.language not in ("sh", "python", "js"):
            continue
        assert ADDRESS in block.text
        text = block.text.replace(ADDRESS, server.url)
        if block.language == "python":
            # With the lines of the page, should it fail.
            exec(compile("\n" * (block.line - 1) + text, "docs/api.md", "exec"), {"__name__": "__main__"})
            printed["python"].append(capsys.readouterr().out.strip())
            continue
        if block.language == "js":
            printed["js"].append(run(desk, "node", "--input-type=module", "--eval", text).strip())
            continue
        out = run(desk, "bash", "-euo", "pipefail", "-c", text)
        assert out
        shown = section.blocks[place + 1] if place + 1 < len(section.blocks) else None
        if shown is not None and shown.language == "json":
            assert not differences(json.loads(shown.text), json.loads(out)), out
        if shown is not None and shown.language == "text":
            check_events(shown.text, out)
    # They ask the same, for an answer that is the same each time.
    assert printed["python"] == printed["js"]
    assert all(printed["python"])


def run(folder: Path, program: str, *arguments: str) -> str:
    """What it prints."""
    skip_or_fail("" if shutil.which(program) else f"not installed: {program}")
    done = subprocess.run(
        [program, *arguments], cwd=folder, env=os.environ, capture_output=True, text=True,
        encoding="utf-8", timeout=STALL, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def differences(shown: Any, got: Any, where: str = "") -> list[str]:
    """Where an answer has other fields, or fields of another kind, than the one that is shown."""
    if shown is None or got is None:
        return []
    if isinstance(shown, dict) and isinstance(got, dict):
        found = [f"{where}.{name}" for name in set(shown) ^ set(got)]
        for name in set(shown) & set(got):
            found += differences(shown[name], got[name], f"{where}.{name}")
        return found
    if isinstance(shown, list) and isinstance(got, list):
        if not shown:
            return []
        best = [min((differences(one, each, f"{where}[]") for one in shown), key=len) for each in got]
        return [name for names in best for name in names]
    if isinstance(shown, bool) or isinstance(got, bool):
        return [] if isinstance(shown, bool) and isinstance(got, bool) else [where]
    same = isinstance(shown, str) == isinstance(got, str) and isinstance(got, str | int | float)
    return [] if same else [where]


def test_differences_are_found() -> None:
    shown = {"a": 1, "b": [{"c": "x", "d": True}, {"e": None}]}
    assert not differences(shown, {"a": 0.5, "b": [{"e": 1}, {"c": "y", "d": False}, {"e": "z"}]})
    assert differences(shown, {"a": 1}) == [".b"]
    assert differences(shown, {"a": "1", "b": []}) == [".a"]
    assert differences(shown, {"a": True, "b": []}) == [".a"]
    assert differences(shown, {"a": 1, "b": [{"c": {}, "d": True}]}) == [".b[].c"]


def events_of(text: str) -> list[tuple[str, Any]]:
    return [(name, json.loads(data)) for name, data in re.findall(r"^event: (.*)\ndata: (.*)$", text, re.M)]


def check_events(shown: str, out: str) -> None:
    """The same kinds of events as are shown, of which the first and the last are the same."""
    known, got = events_of(shown), events_of(out)
    examples = dict(known)
    assert (got[0][0], got[-1][0]) == (known[0][0], known[-1][0])
    for name, data in got:
        assert name in examples
        assert not differences(examples[name], data), (name, data)
