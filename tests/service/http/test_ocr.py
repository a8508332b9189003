"""``POST /ocr``."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from service.http import ocr
from tests.support.pictures import encoded

FILE = {"file": ("page.png", encoded(9, 8))}


def test_the_text_and_its_language_are_the_answer(client: TestClient) -> None:
    answer = client.post("/ocr", files=FILE)
    assert answer.status_code == 200
    assert answer.json() == {"text": "9x8", "language": "ja"}


@pytest.mark.parametrize("language", ["ja", "JA", "ja-JP", "ja_JP", " ja "])
def test_japanese_may_be_asked_for_by_any_of_its_codes(client: TestClient, language: str) -> None:
    assert client.post("/ocr", files=FILE, data={"language": language}).json()["language"] == "ja"


@pytest.mark.parametrize("language", ["ko", "en", "japanese", "zh-Hans", "x" * 60, "-", "..."])
def test_a_language_that_cannot_be_read_is_told_with_those_that_can(
    client: TestClient, language: str
) -> None:
    answer = client.post("/ocr", files=FILE, data={"language": language})
    assert (answer.status_code, answer.json()["code"]) == (422, "LanguageNotRead")
    assert answer.json()["hint"] == "Those that can: ja."
    assert "x" * 20 not in answer.text


def test_what_counts_is_what_the_engine_reads_that_would_read(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an engine that reads Korean as well, and the fake one (named as the built-in one) that reads
    import dataclasses

    other, built_in = ocr._READERS
    assert built_in.name == "ppocr"
    monkeypatch.setattr(ocr, "_READERS", [dataclasses.replace(other, languages=("ja", "ko")), built_in])
    assert client.post("/ocr", files=FILE, data={"language": "ko"}).status_code == 422
    # When it is the one that reads which knows it
    monkeypatch.setattr(ocr, "_READERS", [other, dataclasses.replace(built_in, languages=("ja", "ko"))])
    answer = client.post("/ocr", files=FILE, data={"language": "ko-KR"})
    assert answer.json() == {"text": "9x8", "language": "ko"}


def test_details_are_there_when_asked_for(client: TestClient) -> None:
    row: dict[str, Any] = client.post("/ocr", files=FILE, data={"details": "true"}).json()
    assert row.pop("seconds") >= 0
    assert row == {
        "text": "9x8",
        "language": "ja",
        "confidence": pytest.approx(0.9),
        "engine": "ppocr",
        "device": "cpu",
        "precision": "",
        "notice": None,
        "blocks": [
            {
                "box": [0, 0, 9, 8],
                "direction": "horizontal",
                "lines": [
                    {"text": "9x8", "box": [0, 0, 9, 8], "confidences": [0.9, 0.9, 0.9], "furigana": []}
                ],
                "alternatives": [],
                "how": "",
                "confidence": pytest.approx(0.9),
            }
        ],
    }


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "multipart/form-data"}, b"no boundary", 400),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--y\r\nnonsense", 400),
        (
            {"Content-Type": "multipart/form-data; boundary=x"},
            b"--x\r\nContent-Disposition: form-data\r\n\r\na",
            400,
        ),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"", 422),
        ({"Content-Type": "application/json"}, b'{"file": "x"}', 422),
        ({"Content-Type": "image/png"}, encoded(), 422),
        ({}, encoded(), 422),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"file=x&details=perhaps", 422),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"%ff=%zz&;;=", 422),
    ],
)
def test_what_is_no_form_is_a_problem(
    client: TestClient, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = client.post("/ocr", headers=headers, content=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["hint"]


def test_the_description_of_the_operation_is_complete(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/ocr"]["post"]
    assert "multipart/form-data" in operation["requestBody"]["content"]
    assert set(operation["responses"]) >= {"200", "403", "413", "422", "502", "503", "504"}
    examples = operation["responses"]["200"]["content"]["application/json"]["examples"]
    for example in examples.values():
        ocr.OcrOut.model_validate(example["value"])
    problems = operation["responses"]["422"]["content"]["application/problem+json"]
    assert set(problems["examples"]) >= {"LanguageNotRead", "NotAnImage", "RequestInvalid"}
    assert problems["schema"]["title"] == "ProblemDetails"
