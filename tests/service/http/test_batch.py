"""``POST /batch/...``: each picture's result or problem, in the order of the request."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from core.jobs import Job
from core.types import OcrResult, RgbImage
from service.http import batch
from service.http.batch import AnalysisBatch, OcrBatch
from tests.support.http_service import Parts, app_over, client_of, context_of, live, port_of
from tests.support.pictures import data_url, encoded, endless

STALL = 60.0


def files(*pictures: bytes) -> list[tuple[str, tuple[str, bytes]]]:
    return [("files", ("page.png", picture)) for picture in pictures]


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STALL
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_each_picture_has_its_text_or_its_problem_in_their_order(client: TestClient) -> None:
    pictures = [encoded(width, 5) for width in range(3, 12)]
    pictures[4] = b"no picture"
    answer = client.post(
        "/batch/ocr", files=files(*pictures), data={"image_urls": [data_url(encoded(30, 5)), "ftp://x/", ""]}
    )
    assert answer.status_code == 200
    rows = answer.json()["results"]
    assert [row["index"] for row in rows] == list(range(11))
    assert [row.get("text", row.get("error", {}).get("code")) for row in rows] == [
        "3x5", "4x5", "5x5", "6x5", "NotAnImage", "8x5", "9x5", "10x5", "11x5", "30x5", "PictureUrlInvalid",
    ]  # fmt: skip
    assert rows[0] == {"index": 0, "text": "3x5", "language": "ja"}
    assert rows[4].keys() == {"index", "error"}
    assert rows[4]["error"]["status"] == 422
    assert rows[4]["error"]["instance"] == answer.headers["x-request-id"]


def test_urls_alone_are_a_batch_too(client: TestClient) -> None:
    answer = client.post("/batch/ocr", data={"image_urls": data_url(encoded(6, 5))})
    assert answer.json() == {"results": [{"index": 0, "text": "6x5", "language": "ja"}]}


def test_details_and_language_hold_for_all(client: TestClient) -> None:
    pictures = files(encoded(), encoded(), b"no")
    rows = client.post("/batch/ocr", files=pictures, data={"details": "1"}).json()["results"]
    assert [row.get("engine") for row in rows] == ["ppocr", "ppocr", None]
    assert "blocks" not in rows[2]
    answer = client.post("/batch/ocr", files=pictures, data={"language": "ko"})
    assert (answer.status_code, answer.json()["code"]) == (422, "LanguageNotRead")


def test_the_same_is_asked_about_each_picture(client: TestClient) -> None:
    answer = client.post(
        "/batch/analyze_image", files=files(encoded(), b"no", encoded()), data={"prompt": "Who?"}
    )
    rows = answer.json()["results"]
    assert rows[0] == {"index": 0, "analysis": "Who? [1]", "confidence": 0.5}
    assert rows[1]["error"]["code"] == "NotAnImage"
    assert rows[2] == {"index": 2, "analysis": "Who? [1]", "confidence": 0.5}
    assert (
        client.post("/batch/analyze_image", files=files(encoded()), data={"history": "{"}).status_code == 422
    )


def test_an_error_of_the_model_is_about_its_picture(client: TestClient) -> None:
    answer = client.post("/batch/analyze_image", files=files(encoded(), encoded()), data={"prompt": "raise"})
    assert answer.status_code == 200
    for row in answer.json()["results"]:
        assert row["error"]["code"] == "ReadFailed"
        assert row["error"]["status"] >= 500


def test_no_pictures_and_too_many_are_refused(parts: Parts) -> None:
    app = app_over(parts, batch=3)
    with client_of(app) as client:
        answer = client.post("/batch/ocr", data={"language": "ja"})
        assert (answer.status_code, answer.json()["code"]) == (422, "RequestInvalid")
        answer = client.post("/batch/ocr", files=files(*[encoded()] * 2), data={"image_urls": ["a", "b"]})
        assert (answer.status_code, answer.json()["code"]) == (413, "TooManyPictures")
        assert answer.json()["detail"] == "The request has 4 pictures, at most 3 are taken at once."
        assert client.post("/batch/ocr", files=files(*[encoded()] * 3)).status_code == 200
        assert context_of(app).gate.held("ocr") == 0


def test_a_batch_may_be_larger_than_the_queue_and_needs_room_for_one(parts: Parts) -> None:
    app = app_over(parts, queue=2)
    gate = context_of(app).gate
    with client_of(app) as client:
        rows = client.post("/batch/ocr", files=files(*[encoded()] * 20)).json()["results"]
        assert [row.get("text") for row in rows] == ["4x3"] * 20
        assert gate.held("ocr") == 0
        others = [gate.admit("ocr"), gate.admit("ocr")]
        answer = client.post("/batch/ocr", files=files(encoded()))
        assert (answer.status_code, answer.json()["code"]) == (503, "QueueFull")
        for place in others:
            place.release()
        # Whatever comes of its pictures, all places are free afterwards
        for pictures in ([b"no"] * 5, [b"no", encoded()]):
            assert client.post("/batch/ocr", files=files(*pictures)).status_code == 200
        assert gate.held("ocr") == 0


class Counting:
    """An engine whose jobs wait for one another, so that the most that run at once can be counted."""

    def __init__(self, parts: Parts, together: int) -> None:
        self._engine = parts.engine
        self._together = together
        self._jobs: list[Job[OcrResult]] = []
        self._lock = threading.Lock()
        self.most = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def recognize(self, image: RgbImage, *_: object) -> Job[OcrResult]:
        job: Job[OcrResult] = Job("recognize", {}, (), lambda answer, seconds: answer)  # type: ignore[arg-type,return-value]
        with self._lock:
            self._jobs.append(job)
            self.most = max(self.most, len(self._jobs))
            ready = self._jobs[: self._together] if len(self._jobs) == self._together else []
            self._jobs = self._jobs[len(ready) :]
        for each in ready:
            each.resolve(OcrResult("x", (), "fake", "cpu", 0.0))
        return job


def test_pictures_are_given_to_the_engine_several_at_a_time_but_not_all(parts: Parts) -> None:
    # Given an engine that ends no job before it has as many as are given at once
    engine = Counting(parts, batch._AT_ONCE)
    with client_of(app_over(Parts(engine, parts.library, parts.settings))) as client:  # type: ignore[arg-type]
        answer = client.post("/batch/ocr", files=files(*[encoded()] * 3 * batch._AT_ONCE))
    # Then it is not waited for in vain
    assert len(answer.json()["results"]) == 3 * batch._AT_ONCE
    assert engine.most == batch._AT_ONCE


@pytest.fixture(scope="module")
def live_app(parts: Parts) -> Iterator[tuple[FastAPI, str]]:
    app = app_over(parts)
    with live(app) as running:
        yield app, f"http://127.0.0.1:{port_of(running)}"


def test_a_client_that_leaves_ends_its_batch(live_app: tuple[FastAPI, str]) -> None:
    app, url = live_app
    gate = context_of(app).gate
    cancelled = {"role": "ocr", "outcome": "cancelled"}
    registry = context_of(app).metrics.registry
    before = registry.get_sample_value("yomitori_job_seconds_count", cancelled) or 0

    async def leave() -> None:
        async with httpx2.AsyncClient(trust_env=False, timeout=STALL) as client:
            asked = asyncio.create_task(client.post(f"{url}/batch/ocr", files=files(*[endless()] * 12)))
            while gate.held("ocr") < 8:
                await asyncio.sleep(0.01)
            # Others get in beside it
            assert (await client.post(f"{url}/batch/ocr", files=files(b"no"))).status_code == 200
            asked.cancel()

    asyncio.run(asyncio.wait_for(leave(), STALL))
    until(lambda: gate.held("ocr") == 0)
    # All of them are counted, also those that never got in
    until(lambda: registry.get_sample_value("yomitori_job_seconds_count", cancelled) == before + 12)
    with httpx2.Client(trust_env=False, timeout=STALL) as client:
        assert client.post(f"{url}/ocr", files={"file": encoded()}).json()["text"] == "4x3"


def test_what_is_not_done_by_the_deadline_is_told_of_each(parts: Parts) -> None:
    app = app_over(parts, deadline=0.3)
    with client_of(app) as client:
        rows = client.post("/batch/ocr", files=files(encoded(), *[endless()] * 2)).json()["results"]
        assert [row.get("text", row.get("error", {}).get("code")) for row in rows[1:]] == [
            "DeadlinePassed"
        ] * 2
        until(lambda: context_of(app).gate.held("ocr") == 0)


def test_the_examples_in_the_description_are_true(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path, model in (("/batch/ocr", OcrBatch), ("/batch/analyze_image", AnalysisBatch)):
        operation = paths[path]["post"]
        assert "multipart/form-data" in operation["requestBody"]["content"]
        model.model_validate(operation["responses"]["200"]["content"]["application/json"]["example"])
        assert (
            "TooManyPictures"
            in operation["responses"]["413"]["content"]["application/problem+json"]["examples"]
        )
