"""The fields of a form: what is misspelt, sent twice or no file is told, and not passed over."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.support.pictures import data_url, encoded

ROUTES = ["/ocr", "/analyze_image", "/batch/ocr", "/batch/analyze_image"]


def files_of(path: str) -> list[tuple[str, Any]]:
    return [("files" if path.startswith("/batch") else "file", ("page.png", encoded()))]


def refused(client: TestClient, path: str, **sent: Any) -> dict[str, Any]:
    answer = client.post(path, **sent)
    assert answer.status_code == 422, answer.text
    problem: dict[str, Any] = answer.json()
    return problem


@pytest.mark.parametrize("path", ROUTES)
def test_a_field_that_is_not_there_is_named(client: TestClient, app: FastAPI, path: str) -> None:
    problem = refused(client, path, files=files_of(path), data={"detail": "true"})
    assert (problem["code"], problem["detail"]) == ("FieldUnknown", "There is no field detail here.")
    # The hint names all that the description does
    described = app.openapi()
    (content,) = described["paths"][path]["post"]["requestBody"]["content"].values()
    name = content["schema"]["$ref"].rsplit("/", 1)[1]
    fields = described["components"]["schemas"][name]["properties"]
    assert {*problem["hint"].removeprefix("The fields there are: ").removesuffix(".").split(", ")} == set(
        fields
    )


@pytest.mark.parametrize("path", ROUTES)
def test_a_field_in_the_address_is_told(client: TestClient, path: str) -> None:
    problem = refused(client, f"{path}?details=true", files=files_of(path))
    assert (problem["code"], problem["detail"]) == (
        "NotInAddress", "The field details stands in the address, where it is not looked for.",
    )  # fmt: skip
    # What a proxy or a cache has put there is nobody's field
    assert client.post(f"{path}?_=1", files=files_of(path)).status_code == 200


def test_a_name_that_is_none_is_not_told_back(client: TestClient) -> None:
    problem = refused(client, "/ocr", files=files_of("/ocr"), data={"<script>": "x"})
    assert problem["detail"] == "There is no field of that name here."


@pytest.mark.parametrize("path", ["/ocr", "/analyze_image"])
def test_a_second_file_is_told(client: TestClient, path: str) -> None:
    problem = refused(client, path, files=files_of(path) * 2)
    assert (problem["code"], problem["detail"]) == (
        "FieldRepeated", "The field file came more than once.",
    )  # fmt: skip
    assert "/batch" in problem["hint"]
    assert (
        refused(client, path, files=files_of(path), data={"details": ["1", "0"]})["code"] == "FieldRepeated"
    )


def test_a_batch_has_many_of_its_pictures_and_one_of_everything_else(client: TestClient) -> None:
    urls = {"image_urls": [data_url(encoded())] * 2}
    assert client.post("/batch/ocr", files=files_of("/batch/ocr") * 2, data=urls).status_code == 200
    problem = refused(client, "/batch/ocr", data={**urls, "language": ["ja", "ja"]})
    assert problem["detail"] == "The field language came more than once."


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("plain", [False, True])
def test_the_name_of_a_file_is_not_the_file(client: TestClient, path: str, plain: bool) -> None:
    """curl -F file=page.png, without the @."""
    ((field, _),) = files_of(path)
    sent = {"data": {field: "page.png"}} if plain else {"files": [(field, (None, "page.png"))]}
    problem = refused(client, path, **sent)
    assert problem["code"] == "FileExpected"
    assert problem["detail"] == f"The field {field} has to be a file, and text came."
    assert problem["hint"].endswith(f"curl -F {field}=@page.png")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"temperature": "hot"}, "temperature: it has to be a number"),
        ({"temperature": "2.1"}, "temperature: it has to be 2 or less"),
        ({"temperature": "-1"}, "temperature: it has to be 0 or more"),
        ({"top_p": "0"}, "top_p: it has to be greater than 0"),
        ({"max_tokens": "1.5"}, "max_tokens: it has to be a whole number"),
        ({"max_tokens": "0"}, "max_tokens: it has to be 1 or more"),
        ({"details": "perhaps"}, "details: it has to be true or false"),
        ({"history": "{"}, "history: it is not valid JSON"),
        ({"history": "{}"}, "history: it has to be a list"),
        ({"history": '[{"role": "user"}]'}, "history.0.content: it is missing"),
        ({"history": '[{"role": "cat", "content": ""}]'},
         "history.0.role: it has to be 'system', 'user' or 'assistant'"),
        ({"history": '[{"role": "user", "content": "", "x": 1}]'}, "history.0.x: there is no such field"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_value_is_a_sentence(
    client: TestClient, fields: dict[str, str], reason: str
) -> None:
    problem = refused(client, "/analyze_image", files=files_of("/analyze_image"), data=fields)
    assert problem["detail"] == f"The request cannot be used: {reason}."


def test_a_file_where_text_belongs_is_told(client: TestClient) -> None:
    sent = [*files_of("/analyze_image"), ("prompt", ("question.txt", b"Who?"))]
    problem = refused(client, "/analyze_image", files=sent)
    assert problem["detail"] == "The request cannot be used: prompt: it has to be text."
