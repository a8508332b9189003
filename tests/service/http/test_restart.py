"""A service that is started again has its models, and downloads nothing anew."""

from __future__ import annotations

import signal
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from core.images import to_png
from tests.support.http_service import TINY_MANGA_OCR, Serving, serving
from tests.support.manga_crops import load_crops
from tests.support.stub_hub import StubHub

STALL = 120.0
WEIGHTS = "model.safetensors"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_what_was_downloaded_is_read_with_after_every_restart(tmp_path: Path) -> None:
    crop = load_crops("plain")[0]
    picture = {"file": ("a.png", to_png(crop.image))}
    with StubHub() as hub:
        hub.add_repo("kha-white/manga-ocr-base", TINY_MANGA_OCR, "refs/pr/4")
        environ = {"MANGAOCR_MODEL_PATH": "", "HF_ENDPOINT": hub.url, "NO_PROXY": "127.0.0.1"}

        def started() -> AbstractContextManager[Serving]:
            return serving(tmp_path / "home", environ=environ)

        # given a service without a model, which downloads one and is killed
        with started() as server, client_of(server) as client:
            assert manga_ocr(client)["state"] == "missing"
            done = client.post("/models/manga-ocr/download?stream=true", headers=server.privileged)
            assert '"state":"done"' in done.text, done.text
            assert hub.sent[WEIGHTS] == (TINY_MANGA_OCR / WEIGHTS).stat().st_size
            assert server.end(signal.SIGKILL) == -signal.SIGKILL
        hub.forget()
        # when it is started again, then it reads with that model
        with started() as server, client_of(server) as client:
            answer = client.post("/ocr", files=picture, data={"details": "true"})
            assert answer.status_code == 200, answer.text
            assert (answer.json()["text"], answer.json()["engine"]) == (crop.text, "manga-ocr")
            assert server.end() == 0
        # and once more, after it was ended in good order
        with started() as server, client_of(server) as client:
            assert manga_ocr(client)["state"] == "ready"
        # and the hub was asked for nothing
        assert hub.requests == []


def client_of(server: Serving) -> httpx2.Client:
    return httpx2.Client(base_url=server.url, trust_env=False, timeout=STALL)


def manga_ocr(client: httpx2.Client) -> dict[str, Any]:
    """Its row in the list of models."""
    (row,) = [row for row in client.get("/models").json()["models"] if row["name"] == "manga-ocr"]
    return dict(row)
