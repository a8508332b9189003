"""What ``/v1/chat/completions`` takes and refuses, over a fake engine that tells what it was given."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from core.types import RgbImage
from core.vision.completion import data_url
from tests.support.http_service import TINY_LLAVA, TOKEN, Parts, app_over, client_of, fake_parts


def user(content: Any = "told") -> dict[str, Any]:
    return {"role": "user", "content": content}


def image(width: int = 8, height: int = 8) -> dict[str, Any]:
    url = data_url(RgbImage(width, height, bytes(3 * width * height)))
    return {"type": "image_url", "image_url": {"url": url, "detail": "high"}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def ask(client: TestClient, *messages: dict[str, Any], **fields: Any) -> Any:
    body = {"model": "default", "messages": list(messages) or [user()], **fields}
    return client.post("/v1/chat/completions", json=body)


def told(client: TestClient, *messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """What reaches the model."""
    answer = ask(client, *messages, **fields)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.json()["choices"][0]["message"]["content"])
    return found


def test_an_answer_has_openais_shape(client: TestClient) -> None:
    answer = ask(client, user("a cat")).json()
    assert answer.pop("id").startswith("chatcmpl-")
    assert answer.pop("created") > 1_700_000_000
    assert answer == {
        "object": "chat.completion",
        "model": "tiny-llava",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "a cat [0]", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": 3,
            "total_tokens": 13,
            "prompt_tokens_details": {"cached_tokens": 0},
        },
    }


def test_a_conversation_with_pictures_reaches_the_model(client: TestClient) -> None:
    # given turns in every shape that clients send, answers of ours among them
    answer = {"role": "assistant", "content": "A cat.", "refusal": None, "tool_calls": None, "audio": None}
    got = told(
        client,
        {"role": "developer", "content": "Be brief.", "name": "operator"},
        user([text("Who"), image(30, 20), text("is it?"), image(10, 40)]),
        answer,
        user("And here?"),
        user([text("told"), image(5, 5)]),
    )
    # then each turn has its own pictures, in order, and turns of one role are one
    assert got["messages"] == [
        {"role": "system", "text": "Be brief.", "images": 0},
        {"role": "user", "text": "Who\nis it?", "images": 2},
        {"role": "assistant", "text": "A cat.", "images": 0},
        {"role": "user", "text": "And here?\n\ntold", "images": 1},
    ]
    assert got["pictures"] == [[30, 20], [10, 40], [5, 5]]


def test_what_the_system_says_comes_first_wherever_it_stands(client: TestClient) -> None:
    refused = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    got = told(
        client,
        {"role": "system", "content": [text("a"), text("b")]},
        user("One?"),
        refused,
        {"role": "system", "content": ""},
        {"role": "system", "content": "c"},
        user(),
    )
    assert [(one["role"], one["text"]) for one in got["messages"]] == [
        ("system", "a\nb\n\nc"), ("user", "One?"), ("assistant", "No."), ("user", "told"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({}, {"temperature": 0.2, "top_p": 1.0, "max_tokens": 1024, "seed": None}),
        (
            {"temperature": 2, "top_p": 0, "max_completion_tokens": 7, "seed": -5},
            {"temperature": 2, "top_p": 0, "max_tokens": 7, "seed": -5},
        ),
        ({"max_tokens": 9, "stop": "\n"}, {"max_tokens": 9, "stop": ["\n"]}),
        ({"stop": ["。", "§", "¶", "†"]}, {"stop": ["。", "§", "¶", "†"]}),
        ({"stop": []}, {}),
        ({"stop": None, "seed": None, "temperature": None}, {"temperature": 0.2}),
        ({"logprobs": True}, {"top_logprobs": 0}),
        ({"logprobs": True, "top_logprobs": 20}, {"top_logprobs": 20}),
        ({"logprobs": False}, {}),
    ],
)
def test_options_reach_the_model(client: TestClient, fields: dict[str, Any], options: dict[str, Any]) -> None:
    got = told(client, **fields)["options"]
    assert got.items() >= options.items()
    always = {"temperature", "top_p", "max_tokens", "seed"}
    assert got.keys() - always == options.keys() - always


def test_what_changes_nothing_is_taken(client: TestClient) -> None:
    ours = {"user": "me", "store": False, "metadata": {"a": "b"}, "service_tier": "auto", "n": 1}
    neutral = {
        "frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}, "tools": [], "tool_choice": "none",
        "response_format": {"type": "text"}, "modalities": ["text"], "parallel_tool_calls": True,
    }  # fmt: skip
    assert ask(client, **ours, **neutral).status_code == 200


TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"tools": [TOOL]}, "tools", "unsupported_parameter"),
        ({"tool_choice": "required"}, "tool_choice", "unsupported_parameter"),
        ({"functions": [{"name": "f"}]}, "functions", "unsupported_parameter"),
        ({"response_format": {"type": "json_object"}}, "response_format.type", "unsupported_parameter"),
        ({"modalities": ["text", "audio"]}, "modalities", "unsupported_parameter"),
        ({"n": 2}, "n", "unsupported_parameter"),
        ({"logit_bias": {"5": 100}}, "logit_bias", "unsupported_parameter"),
        ({"presence_penalty": 0.5}, "presence_penalty", "unsupported_parameter"),
        ({"top_k": 5}, "top_k", "unknown_parameter"),
        ({"<script>": 5}, "of that name", "unknown_parameter"),
        ({"temperature": 2.1}, "temperature", "invalid_value"),
        ({"temperature": -0.1}, "temperature", "invalid_value"),
        ({"temperature": "hot"}, "temperature", "invalid_value"),
        ({"top_p": 1.5}, "top_p", "invalid_value"),
        ({"max_tokens": 0}, "max_tokens", "invalid_value"),
        ({"max_tokens": 5, "max_completion_tokens": 5}, "max_tokens", "invalid_value"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "invalid_value"),
        ({"stop": ""}, "stop", "invalid_value"),
        ({"stop": ["a", ""]}, "stop[1]", "invalid_value"),
        ({"stop": 5}, "stop", "invalid_value"),
        ({"seed": 2**63}, "seed", "invalid_value"),
        ({"seed": True}, "seed", "invalid_value"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "invalid_value"),
        ({"top_logprobs": 2}, "top_logprobs", "invalid_value"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "invalid_value"),
        ({"messages": []}, "messages", "invalid_value"),
        ({"messages": "hello"}, "messages", "invalid_value"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role", "invalid_value"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "invalid_value"),
        ({"messages": [user("a"), {"role": "assistant", "content": "b"}]}, "messages", "invalid_value"),
        ({"messages": [user([{"type": "text"}])]}, "messages[0].content[0].text", "invalid_value"),
        (
            {"messages": [user([{"type": "input_audio", "input_audio": {}}])]},
            "messages[0].content[0]",
            "unsupported_parameter",
        ),
        (
            {"messages": [user([{"type": "image_url", "image_url": {"url": 5}}])]},
            "messages[0].content[0].image_url.url",
            "invalid_value",
        ),
        (
            {"messages": [{"role": "system", "content": [image()]}, user()]},
            "messages[0].content[0]",
            "invalid_value",
        ),
        (
            {"messages": [{"role": "assistant", "content": "x", "tool_calls": [TOOL]}, user()]},
            "messages[0].tool_calls",
            "unsupported_parameter",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    client: TestClient, fields: dict[str, Any], param: str, code: str
) -> None:
    answer = client.post("/v1/chat/completions", json={"messages": [user()], **fields})
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, param, code), answer.text
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith((param, "There is no parameter"))
    assert "?" not in error["message"]
    assert "<" not in error["message"]
    # In our words, not in those of the validator
    assert not re.search(r"[Ii]nput|should|valid (string|number)|unable|instance", error["message"])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'{"messages": [}', b'"\\ud800"', b"\xff\xfe"])
def test_a_body_that_is_no_object_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/chat/completions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_numbers_and_texts_that_json_can_spell_and_nobody_can_use_are_refused(client: TestClient) -> None:
    # given half of a character, and what is no number: the model process would end from the one
    for body, param in (
        (b'{"messages": [{"role": "user", "content": "\\ud800"}]}', "messages[0].content"),
        (b'{"messages": [{"role": "user", "content": "told"}], "stop": "\\udfff"}', "stop"),
        (b'{"messages": [{"role": "user", "content": "told"}], "temperature": NaN}', "temperature"),
        (b'{"messages": [{"role": "user", "content": "told"}], "top_p": 1e999}', "top_p"),
    ):
        answer = client.post(
            "/v1/chat/completions", content=body, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("data:image/png;base64,!!!", 400, "picture_url_invalid"),
        ("data:image/png;base64,AAAA", 400, "not_an_image"),
        ("http://example.com/a.png", 403, "picture_host_not_allowed"),
    ],
)
def test_a_picture_that_cannot_be_had_is_told(client: TestClient, url: str, status: int, code: str) -> None:
    answer = ask(client, user([{"type": "image_url", "image_url": {"url": url}}]))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text


def test_more_than_is_taken_at_once_is_refused_before_it_is_decoded(parts: Parts) -> None:
    broken = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    with client_of(app_over(parts, pictures=2, prompt_chars=30)) as client:
        many = ask(client, user([broken, broken]), user([broken]))
        assert (many.status_code, many.json()["error"]["code"]) == (413, "too_many_pictures")
        long = ask(client, {"role": "system", "content": "x" * 20}, user([text("y" * 11), broken]))
        assert (long.status_code, long.json()["error"]["code"]) == (413, "prompt_too_long")


def test_likelihoods_are_told_for_every_token(client: TestClient) -> None:
    answer = ask(client, user("赤 b"), logprobs=True, top_logprobs=2).json()
    rows = answer["choices"][0]["logprobs"]["content"]
    assert "".join(row["token"] for row in rows) == "赤 b [0]"
    assert bytes(rows[0]["bytes"]).decode() == rows[0]["token"] == "赤 "
    for row in rows:
        assert [round(math.exp(one["logprob"]), 2) for one in (row, *row["top_logprobs"])] == [0.5, 0.5, 0.25]
        assert row["top_logprobs"][0]["token"] == row["token"]
    # and without the others
    alone = ask(client, user("b"), logprobs=True).json()["choices"][0]["logprobs"]["content"]
    assert [row["top_logprobs"] for row in alone] == [[], []]


def test_the_model_goes_by_its_names_and_no_other_is_loaded(client: TestClient) -> None:
    for name in ("default", "auto", "", None, "tiny-llava", str(TINY_LLAVA)):
        assert ask(client, model=name).json()["model"] == "tiny-llava"
    answer = ask(client, model="gpt-4o")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (404, "model_not_found", "model")
    assert "tiny-llava" in error["message"]
    listed = client.get("/v1/models").json()
    assert (listed["object"], [row["id"] for row in listed["data"]]) == ("list", ["tiny-llava"])
    assert client.get("/v1/models/default").json() == listed["data"][0]
    assert client.get("/v1/models/nobody/nothing").status_code == 404


def test_the_token_is_asked_for_where_it_has_to_be(parts: Parts) -> None:
    with client_of(app_over(parts, require_token=True)) as client:
        answer = ask(client)
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
        assert client.get("/v1/models").status_code == 401
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        assert ask(client).status_code == 200


def test_the_description_names_what_is_taken(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    operation = described["paths"]["/v1/chat/completions"]["post"]
    body = operation["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/ChatRequest"}
    # and its examples are answered
    for example in body["examples"].values():
        assert client.post("/v1/chat/completions", json=example["value"]).status_code == 200
    assert {"200", "400", "401", "404", "413", "503", "504"} <= operation["responses"].keys()
    assert not any(
        "422" in one["get"]["responses"] for path, one in described["paths"].items() if "{model}" in path
    )
    assert "422" not in operation["responses"]
    assert "text/event-stream" in operation["responses"]["200"]["content"]


@pytest.mark.parametrize("stream", [False, True])
def test_without_a_model_it_is_said_what_to_download(tmp_path: Path, stream: bool) -> None:
    parts = fake_parts(tmp_path, **{"vision.model": "llava-1.5-7b"})
    try:
        with client_of(app_over(parts)) as client:
            answer = ask(client, stream=stream)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_missing")
            assert "POST /models/llava-1.5-7b/download" in answer.json()["error"]["message"]
            assert client.get("/v1/models").json()["data"] == []
            assert client.get("/v1/models/default").status_code == 404
    finally:
        parts.close()
