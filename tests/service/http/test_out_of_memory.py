"""A graphics card that one picture of many is too large for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from core.engine import Engine
from core.engines import Loaded, LoadOptions
from core.errors import OutOfMemory
from core.images import to_png
from core.memory import MemoryJudge
from core.models.library import ModelLibrary
from core.paths import Paths
from core.settings import SettingsStore
from core.types import RgbImage
from tests.support.fake_engine import FAKE
from tests.support.fake_gpu_engine import CARD, CPU
from tests.support.fake_manga_engine import FAKE_MANGA, TEXT, FakeMangaEngine
from tests.support.http_service import TINY_MANGA_OCR, TOKEN, Parts, app_over, client_of

CLIENTS = 8
LARGE = to_png(RgbImage(50, 50, bytes(3 * 50 * 50)))
SMALL = to_png(RgbImage(5, 5, bytes(3 * 5 * 5)))


class SmallCard(FakeMangaEngine):
    """Has no memory for a large picture, on a card."""

    def load(self, options: LoadOptions) -> Loaded:
        self.device = options.device
        return super().load(options)

    def run(
        self,
        op: str,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Generator[dict[str, Any], None, dict[str, Any]]:
        if self.device != "cpu" and any(image.width >= 50 for image in images):
            raise OutOfMemory(device=self.device)
        return (yield from super().run(op, params, images, cancelled))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    spec = replace(
        FAKE_MANGA, target="tests.service.http.test_out_of_memory:SmallCard", devices=("cuda", "cpu")
    )
    settings = SettingsStore(
        tmp_path / "settings.json", environ={}, flags={"models.ocr_model": str(TINY_MANGA_OCR)}
    )
    library = ModelLibrary(settings, Paths.below(tmp_path), environ={"HF_HOME": str(tmp_path / "hub")})
    memory = MemoryJudge(lambda: CPU.free, lambda: [CPU, CARD], lambda name: False)
    parts = Parts(Engine(settings, engines=(spec, FAKE), library=library, memory=memory), library, settings)
    with client_of(app_over(parts)) as client:
        yield client
    parts.close()


def test_who_asks_beside_a_picture_that_is_too_large_is_answered_and_so_is_who_sent_it(
    client: TestClient,
) -> None:
    # given a service whose model is on a card
    def ask(picture: bytes) -> dict[str, Any]:
        answer = client.post("/ocr", files={"file": ("it.png", picture)}, data={"details": "true"})
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    assert ask(SMALL)["device"] == "cuda:0"

    # when many ask at once, and the card has no memory for what one of them sends
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(ask, [LARGE if number == 3 else SMALL for number in range(CLIENTS)]))

    # then all of them have their text, that one from the processor
    assert Counter(answer["text"] for answer in answers) == {TEXT: CLIENTS}
    assert answers[3]["device"] == "cpu"
    # and the service goes on, without the card until somebody has it tried again
    assert ask(SMALL)["device"] == "cpu"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert client.post("/models/ocr/unload", headers=headers).status_code == 202
    assert ask(SMALL)["device"] == "cuda:0"
