"""The official ``openai`` client against the service, over loopback: nothing about it is special here."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI

from core.chat import GenerationOptions
from core.types import RgbImage
from core.vision.completion import data_url
from core.vision.remote import RemoteEngine
from tests.support.http_service import TOKEN, Parts, Serving, app_over, context_of, live, port_of

STALL = 60.0
SHAPES = RgbImage(24, 16, bytes([200, 30, 30] * 384))


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Asked:
    """A service over the fake engines, with the client that asks it."""

    def __init__(self, parts: Parts, **config: Any) -> None:
        self.app = app_over(parts, **config)
        self.gate = context_of(self.app).gate
        self._live = live(self.app)
        self.base_url = f"http://127.0.0.1:{port_of(self._live.__enter__())}/v1"
        self.client = OpenAI(base_url=self.base_url, api_key=TOKEN, max_retries=0, timeout=STALL)

    def close(self) -> None:
        self.client.close()
        self._live.__exit__(None, None, None)

    def wait_until_idle(self) -> None:
        deadline = time.monotonic() + STALL
        while self.gate.held("vision"):
            assert time.monotonic() < deadline, "its job goes on"
            time.sleep(0.01)


@pytest.fixture(scope="module")
def asked(parts: Parts) -> Iterator[Asked]:
    asked = Asked(parts)
    yield asked
    asked.close()


@pytest.fixture
def client(asked: Asked) -> OpenAI:
    return asked.client


def user(text: str, *images: RgbImage) -> Any:
    pictures = [{"type": "image_url", "image_url": {"url": data_url(image)}} for image in images]
    return {"role": "user", "content": [*pictures, {"type": "text", "text": text}]}


def ask(client: OpenAI, *messages: Any, **fields: Any) -> Any:
    return client.chat.completions.create(model="default", messages=list(messages), **fields)


def read(stream: Any, texts: list[str] | None = None) -> None:
    """Take the pieces of an answer until it breaks off."""
    for chunk in stream:
        if texts is not None:
            texts.append(chunk.choices[0].delta.content)


def test_it_is_answered(client: OpenAI) -> None:
    first = ask(client, user("What is this?", SHAPES, SHAPES))
    said = first.choices[0].message
    assert (said.content, first.choices[0].finish_reason) == ("What is this? [2]", "stop")
    assert first.usage.total_tokens == first.usage.prompt_tokens + first.usage.completion_tokens
    # and what came back can be sent as it is
    assert ask(client, user("What?", SHAPES), said, user("Sure?")).choices[0].message.content == "Sure? [1]"


def test_an_answer_streams(client: OpenAI) -> None:
    chunks = list(ask(client, user("one two"), stream=True, stream_options={"include_usage": True}))
    assert [chunk.choices[0].delta.content for chunk in chunks[:-2]] == ["", "one ", "two ", "[0]"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * 4 + ["stop"]
    assert (chunks[-1].choices, chunks[-1].usage.completion_tokens) == ([], 3)
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
    # and without the count where nobody asks for it
    chunks = list(ask(client, user("one"), stream=True))
    assert chunks[-1].choices[0].finish_reason == "stop"
    # and as the client's own helper puts it together
    with client.chat.completions.stream(model="default", messages=[user("a b")]) as stream:
        assert stream.get_final_completion().choices[0].message.content == "a b [0]"


def test_it_comes_piece_by_piece(asked: Asked) -> None:
    # given an answer that would take for ever
    stream = ask(asked.client, user("stream 100000 every 0.02"), stream=True)
    texts = (chunk.choices[0].delta.content for chunk in stream)
    # then its beginning is here, and its end is not
    assert [next(texts) for _ in range(3)] == ["", "word0 ", "word1 "]
    assert asked.gate.held("vision") == 1
    # and when nobody listens any more, it ends
    stream.close()
    asked.wait_until_idle()
    assert ask(asked.client, user("next")).choices[0].message.content == "next [0]"


def test_a_whole_answer_that_nobody_waits_for_ends_too(asked: Asked) -> None:
    with pytest.raises(openai.APITimeoutError):
        ask(asked.client, user("stream 100000 every 0.02"), timeout=0.5)
    asked.wait_until_idle()


@pytest.mark.parametrize("stream", [False, True])
def test_nothing_of_a_stop_text_is_told(client: OpenAI, stream: bool) -> None:
    answer = ask(client, user("one two three"), stop=["never", "o th"], stream=stream)
    if stream:
        chunks = list(answer)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        finish = chunks[-1].choices[0].finish_reason
    else:
        text, finish = answer.choices[0].message.content, answer.choices[0].finish_reason
    assert (text, finish) == ("one tw", "stop")


def test_likelihoods_stream_with_their_text(client: OpenAI) -> None:
    fields = {"logprobs": True, "top_logprobs": 2}
    whole = ask(client, user("a b"), **fields).choices[0].logprobs.content
    chunks = list(ask(client, user("a b"), stream=True, **fields))
    rows = []
    for chunk in chunks:
        told = chunk.choices[0].logprobs
        if told is not None:
            assert "".join(row.token for row in told.content) == chunk.choices[0].delta.content
            rows += told.content
    assert rows == whole
    assert [math.exp(row.logprob) for row in rows] == pytest.approx([0.5] * 3)


@pytest.mark.parametrize(
    ("fields", "error", "code"),
    [
        ({"temperature": 3}, openai.BadRequestError, "invalid_value"),
        ({"n": 2}, openai.BadRequestError, "unsupported_parameter"),
        ({"extra_body": {"top_k": 3}}, openai.BadRequestError, "unknown_parameter"),
        ({"model": "gpt-4o"}, openai.NotFoundError, "model_not_found"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,x"}}]}
                ]
            },
            openai.BadRequestError,
            "not_an_image",
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_are_those_that_the_client_knows(
    client: OpenAI, fields: dict[str, Any], error: type[openai.APIStatusError], code: str, stream: bool
) -> None:
    whole = {"model": "default", "messages": [user("?")], **fields}
    with pytest.raises(error) as caught:
        client.chat.completions.create(stream=stream, **whole)
    assert type(caught.value) is error
    assert caught.value.code == code


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_fails_is_told_and_the_next_question_answered(client: OpenAI, stream: bool) -> None:
    for question in ("raise", "crash"):
        # where the answer had begun, the status was told already
        with pytest.raises(openai.APIError) as caught:
            read(ask(client, user(question), stream=stream))
        assert caught.value.message
        assert "Traceback" not in str(caught.value)
    assert ask(client, user("next")).choices[0].message.content == "next [0]"


def test_a_key_is_asked_for_and_places_are_bounded(parts: Parts) -> None:
    # given a service that wants its token, and has room for one question
    asked = Asked(parts, require_token=True, queue=1)
    try:
        stranger = OpenAI(base_url=asked.base_url, api_key="wrong", max_retries=0)
        with stranger, pytest.raises(openai.AuthenticationError):
            ask(stranger, user("?"))
        # when there is one
        stream = ask(asked.client, user("stream 100000 every 0.02"), stream=True)
        next(iter(stream))
        # then the next is to come back later
        with pytest.raises(openai.InternalServerError) as caught:
            ask(asked.client, user("?"))
        assert (caught.value.status_code, caught.value.code) == (503, "queue_full")
        assert int(caught.value.response.headers["retry-after"]) >= 1
        stream.close()
        asked.wait_until_idle()
    finally:
        asked.close()


def test_a_deadline_ends_an_answer_with_a_word(parts: Parts) -> None:
    asked = Asked(parts, deadline=1.0)
    try:
        with pytest.raises(openai.APIStatusError) as caught:
            ask(asked.client, user("stream 100000 every 0.02"))
        assert (caught.value.status_code, caught.value.code) == (504, "deadline_passed")
        texts: list[str] = []
        stream = ask(asked.client, user("stream 100000 every 0.02"), stream=True)
        with pytest.raises(openai.APIError, match="not done within"):
            read(stream, texts)
        assert len(texts) > 1
        asked.wait_until_idle()
    finally:
        asked.close()


def test_models_are_listed(client: OpenAI) -> None:
    (model,) = client.models.list().data
    assert (model.id, model.object) == ("tiny-llava", "model")
    assert client.models.retrieve("tiny-llava") == model
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody/nothing")


# ---- our own client for servers


def remote(base_url: str, question: str, *images: RgbImage, **options: Any) -> tuple[dict[str, Any], Any]:
    """What the side panel's engine for servers makes of it: its result and its pieces."""
    server = {"base_url": base_url, "model": "tiny-llava", "key": TOKEN, "loopback": True}
    told = GenerationOptions(**{"temperature": 0.0, "max_tokens": 40, **options}).to_json()
    messages = [{"role": "user", "text": question, "images": len(images)}]
    params = {"server": server, "messages": messages, "options": told}
    return taken(RemoteEngine().run("ask", params, images, lambda: False))


def taken(steps: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The result of a job, and its pieces."""
    pieces = []
    while True:
        try:
            pieces.append(next(steps))
        except StopIteration as end:
            return end.value, pieces


def test_the_side_panel_can_ask_it_as_a_server(asked: Asked) -> None:
    result, pieces = remote(asked.base_url, "one two", SHAPES, stop=("[",), top_logprobs=1)
    assert result["text"] == "".join(piece.get("text", "") for piece in pieces) == "one two "
    assert (result["finish"], result["confidence"]) == ("stop", 0.5)
    assert (result["usage"]["prompt"], result["usage"]["answer"]) == (10, 3)
    assert [row["top"][0]["logprob"] for piece in pieces for row in piece.get("tokens", ())] == [
        pytest.approx(math.log(0.5))
    ] * 2
    # and the Test button finds its model
    server = {"base_url": asked.base_url, "model": "tiny-llava", "key": "", "loopback": True}
    tried, _ = taken(RemoteEngine().run("test", {"server": server}, (), lambda: False))
    assert (tried["models"], tried["notice"]) == (["tiny-llava"], None)


# ---- a real process, a real model


@pytest.fixture
def real(server: Serving) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{server.url}/v1", api_key=server.token, max_retries=0, timeout=120) as client:
        yield client


def scene() -> RgbImage:
    from tests.models.vision_scenes import arranged

    picture = arranged("red circle", "blue square").picture()
    return RgbImage(picture.width, picture.height, picture.tobytes())


def test_a_real_model_answers(real: OpenAI, server: Serving) -> None:
    picture = scene()
    question = user("Describe the picture.", picture)
    whole = ask(real, question, temperature=0, logprobs=True, top_logprobs=3)
    text = whole.choices[0].message.content
    assert text.endswith("a red circle and a blue square.")
    assert (whole.model, whole.choices[0].finish_reason) == ("tiny-llava", "stop")
    # and tells its tokens, the likeliest of which it took
    rows = whole.choices[0].logprobs.content
    assert bytes(byte for row in rows for byte in row.bytes).decode() == text
    assert "".join(row.token for row in rows) == text
    assert all(row.top_logprobs[0].token == row.token for row in rows)
    # and the same in pieces, which counted no picture twice
    chunks = list(ask(real, question, temperature=0, stream=True, stream_options={"include_usage": True}))
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks[:-1]]
    assert "".join(pieces) == text
    assert len([piece for piece in pieces if piece]) > 3
    assert chunks[-1].usage.prompt_tokens_details.cached_tokens > 0
    # and no further than a stop text
    stopped = ask(real, question, temperature=0, stop=" circle and", logprobs=True).choices[0]
    assert stopped.message.content + " circle and a blue square." == text
    assert "".join(row.token for row in stopped.logprobs.content) == stopped.message.content
    # and a follow-up in Japanese, as our own client for servers asks
    result, _ = remote(f"{server.url}/v1", "左は何色？", picture)
    assert result["text"] == "赤です。"
    assert 0.5 < result["confidence"] <= 1


def test_a_seed_gives_the_same_answer_of_a_real_model(real: OpenAI) -> None:
    def drawn(seed: int) -> str:
        answer = ask(real, user("Hello?"), temperature=2, seed=seed, max_tokens=12)
        return str(answer.choices[0].message.content)

    assert drawn(7) == drawn(7)
    assert len({drawn(seed) for seed in (7, 8, 9)}) > 1


def test_a_conversation_too_long_for_a_real_model_is_told(real: OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        ask(real, user("word " * 9000), max_tokens=1)
    assert caught.value.code == "context_length_exceeded"
    assert caught.value.status_code == 400


def test_questions_at_once_are_all_answered(real: OpenAI) -> None:
    question = user("What colour is the left one?", scene())
    answers: list[str] = []

    def one() -> None:
        answers.append(str(ask(real, question, temperature=0).choices[0].message.content))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(STALL)
    assert answers == ["Red."] * 4
