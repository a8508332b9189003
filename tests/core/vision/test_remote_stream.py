"""Server-sent events and answers, cut into any pieces; no network."""

from __future__ import annotations

import io
import json
import math
from email.utils import formatdate
from itertools import pairwise
from time import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.chat import GenerationOptions
from core.types import RgbImage
from core.vision import completion
from core.vision.address import parse_address
from core.vision.completion import (
    AnswerReader,
    body_words,
    has_model,
    messages_json,
    model_names,
    request_json,
    status_error,
    without_refused,
)
from core.vision.errors import (
    RemoteAsksToWait,
    RemoteBusy,
    RemoteEndedEarly,
    RemoteFailed,
    RemoteModelMissing,
    RemoteNotUnderstood,
    RemotePathWrong,
    RemoteRefused,
    RemoteRejected,
    RemoteTooLarge,
)
from core.vision.sse import MAX_EVENT, EventStream, EventTooLong
from tests.support.chat_server import DONE, chunk, event, usage_chunk

SERVER = parse_address("http://localhost:8000")
STREAM = (
    ": keepalive\r\n\r\n"
    "event: message\r\nid: 1\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\n"
    "data:二\n\ndata\n\n: x\ndata: three \r\rretry: 5\n\ndata:  four\n\n"
).encode()  # fmt: skip
EVENTS = ['{"a":\n1}', "二", "", "three ", " four"]


def fed(pieces: list[bytes]) -> list[str]:
    stream = EventStream()
    return [data for piece in pieces for data in stream.feed(piece)]


@given(st.sets(st.integers(0, len(STREAM))), st.booleans())
def test_events_are_the_same_however_they_are_cut(cuts: set[int], bom: bool) -> None:
    whole = b"\xef\xbb\xbf" + STREAM if bom else STREAM
    edges = [0, *sorted(cuts), len(whole)]
    assert fed([whole[a:b] for a, b in pairwise(edges)]) == EVENTS


def test_events_are_the_same_byte_by_byte() -> None:
    assert fed([STREAM[i : i + 1] for i in range(len(STREAM))]) == EVENTS


def test_an_event_comes_as_soon_as_it_is_complete() -> None:
    stream = EventStream()
    assert stream.feed(b"data: a\n") == []
    assert stream.feed(b"\n") == ["a"]
    # With carriage returns alone, too: nothing more is waited for
    assert stream.feed(b"data: b\r\r") == ["b"]
    assert stream.feed(b"\ndata: c\n\n") == ["c"]


def test_half_an_event_is_told_apart() -> None:
    stream = EventStream()
    assert stream.feed(b"data: a\n\ndata: b\ndata: c") == ["a"]
    assert stream.end() == "b\nc"
    assert stream.end() is None


def test_an_event_without_an_end_is_given_up() -> None:
    stream = EventStream()
    for _ in range(MAX_EVENT // 65536):
        stream.feed(b"x" * 65536)
    with pytest.raises(EventTooLong):
        stream.feed(b"x")


# ---- answers


def reader(max_tokens: int = 100) -> AnswerReader:
    return AnswerReader(SERVER, "tiny", max_tokens)


def read(*pieces: bytes, max_tokens: int = 100) -> dict[str, Any]:
    answer = reader(max_tokens)
    text = "".join([answer.feed(piece) for piece in pieces])
    if not answer.done:
        text += answer.end()
    result = answer.result()
    assert result["text"] == text
    return result


ANSWER = b"".join(
    [
        event(chunk("", role="assistant")),
        event(chunk("あか"), "\r\n\r\n"),
        b": keepalive\n\n",
        event(chunk("い🔴", logprobs=[-0.5, -0.1])),
        event(chunk(finish="stop")),
        event(usage_chunk(20, 5)),
        DONE,
    ]
)


@given(st.sets(st.integers(0, len(ANSWER))))
def test_an_answer_is_the_same_however_it_is_cut(cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), len(ANSWER)]
    result = read(*[ANSWER[a:b] for a, b in pairwise(edges)])
    assert (result["text"], result["finish"], result["confidence"]) == ("あかい🔴", "stop", 0.7408)
    assert result["usage"]["prompt"] == 20
    assert result["usage"]["answer"] == 5


def test_an_answer_without_done_is_whole_when_it_has_finished() -> None:
    assert read(event(chunk("yes")), event(chunk(finish="stop")))["text"] == "yes"


def test_an_answer_without_a_reason_is_whole_when_it_is_done() -> None:
    result = read(event(chunk("yes")), DONE)
    assert (result["text"], result["finish"], result["confidence"]) == ("yes", "stop", None)


def test_done_needs_no_empty_line_after_it() -> None:
    assert read(event(chunk("yes")), b"data: [DONE]")["text"] == "yes"


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"\n"],
        [b": keepalive\n\n"],
        [event(chunk("ye"))],
        [event(chunk("ye")), event(chunk("s"))[:-9]],
        [event(chunk("ye")), event(chunk(finish="stop"))[:-9]],
    ],
)
def test_an_answer_that_breaks_off_is_told(pieces: list[bytes]) -> None:
    answer = reader()
    for piece in pieces:
        answer.feed(piece)
    with pytest.raises(RemoteEndedEarly):
        answer.end()


def test_the_end_tells_whether_the_bound_or_the_context_was_reached() -> None:
    for tokens, finish in ((100, "length"), (60, "context")):
        body = event(chunk("yes", finish="length")) + event(usage_chunk(20, tokens)) + DONE
        assert read(body)["finish"] == finish
    assert read(event(chunk("yes", finish="length")), DONE)["finish"] == "length"


def test_what_a_model_says_to_itself_is_left_out() -> None:
    answer = reader()
    assert answer.feed(event(chunk(reasoning_content="Let me see", logprobs=[-9.0]))) == ""
    assert answer.begun
    assert answer.feed(event(chunk(reasoning="once more"))) == ""
    assert answer.feed(event(chunk("red", logprobs=[-0.1]))) == "red"
    assert answer.result()["confidence"] == round(math.exp(-0.1), 4)


def test_the_confidence_is_the_geometric_mean_of_what_was_told() -> None:
    odd: list[Any] = [None, "x", float("-inf"), float("nan"), 0.3]
    pieces = [event(chunk("a", logprobs=[math.log(0.9)])), event(chunk("b", logprobs=[math.log(0.4)]))]
    assert read(*pieces, DONE)["confidence"] == 0.6
    # And what is no likelihood does not count, or counts as certain
    assert read(event(chunk("a", logprobs=odd)), DONE)["confidence"] == 1.0


@pytest.mark.parametrize(
    "strange",
    [
        {"choices": None}, {"choices": "x"}, {"choices": [None]}, {"choices": [{}]}, {},
        {"choices": [{"delta": None}]}, {"choices": [{"delta": {"content": None}}]},
        {"choices": [{"delta": {"content": 5}, "logprobs": {"content": 5}}], "usage": 5},
        {"choices": [{"delta": {"content": [None, {"type": "x"}, {"type": "text", "text": None}]}}]},
        {"usage": {"prompt_tokens": "x", "prompt_tokens_details": 5}},
    ],
)  # fmt: skip
def test_what_says_nothing_is_passed_over(strange: Any) -> None:
    assert read(event(chunk("a")), event(strange), event(chunk("b")), DONE)["text"] == "ab"


def test_text_in_parts_is_text() -> None:
    parts = {
        "choices": [{"delta": {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}}]
    }
    assert read(event(parts), DONE)["text"] == "ab"


def test_cached_tokens_are_told() -> None:
    counted = usage_chunk(20, 5)
    counted["usage"]["prompt_tokens_details"] = {"cached_tokens": 16}
    assert read(event(chunk("a")), event(counted), DONE)["usage"]["reused"] == 16


def test_an_answer_in_one_piece_is_read() -> None:
    whole = {
        "choices": [{"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1},
    }
    text = json.dumps(whole, indent=1).encode()
    for result in (read(text), read(b"\n ", text[:20], text[20:])):
        assert (result["text"], result["finish"], result["usage"]["prompt"]) == ("yes", "stop", 3)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<!DOCTYPE html><html>Welcome", "web page"),
        (b"{\"choices\": [", "not JSON"),
        (b"[1, 2]", "not JSON"),
        (b"{\"status\": \"ok\"}", "no answer in it"),
        (b"data: hello\n\n", "not JSON"),
        (b"data: 7\n\n", "not JSON"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_told(body: bytes, reason: str) -> None:
    with pytest.raises(RemoteNotUnderstood, match=reason):
        read(body)


@pytest.mark.parametrize(
    ("told", "error", "words"),
    [
        ({"error": {"message": "CUDA out of memory.", "code": 500}}, RemoteFailed, "CUDA out of memory"),
        ({"error": "it broke"}, RemoteFailed, "it broke"),
        ({"error": {"code": 1}}, RemoteFailed, "does not say why"),
        ({"object": "error", "message": "too long", "code": 400}, RemoteRejected, "too long"),
        ({"error": {"message": "slow down", "code": 429}}, RemoteBusy, "too much"),
        ({"error": {"message": "The model `tiny` does not exist.", "code": 404}}, RemoteModelMissing, "tiny"),
    ],
)
def test_an_error_in_the_stream_is_raised(told: Any, error: type[Exception], words: str) -> None:
    answer = reader()
    assert answer.feed(event(chunk("so far"))) == "so far"
    with pytest.raises(error, match=words):
        answer.feed(event(told))
    # And in an answer of one piece
    with pytest.raises(error, match=words):
        read(json.dumps(told).encode())


def test_an_error_that_is_not_quite_json_is_raised() -> None:
    with pytest.raises(RemoteFailed, match="bad shape"):
        read(b'data: {"error": "bad shape "x""}\n\n')


def test_an_unknown_path_with_status_200_is_told() -> None:
    with pytest.raises(RemotePathWrong):
        read(b'{"error": "Unexpected endpoint or method. (POST /chat/completions)"}')


# ---- questions


def test_messages_take_their_pictures_in_order_and_before_their_text() -> None:
    made = messages_json(
        [
            {"role": "system", "text": "Be brief.", "images": 0},
            {"role": "user", "text": "Compare.", "images": 2},
            {"role": "assistant", "text": "Same.", "images": 0},
            {"role": "user", "text": "", "images": 1},
        ],
        ["a", "b", "c"],
    )
    assert made == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "a"}},
                {"type": "image_url", "image_url": {"url": "b"}},
                {"type": "text", "text": "Compare."},
            ],
        },
        {"role": "assistant", "content": "Same."},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "c"}}]},
    ]


@pytest.mark.parametrize("count", [0, 2])
def test_pictures_that_belong_to_no_message_are_a_mistake(count: int) -> None:
    with pytest.raises(ValueError, match="pictures"):
        messages_json([{"role": "user", "text": "?", "images": 1}], ["a"] * count)


def test_only_options_that_were_chosen_are_sent() -> None:
    plain = request_json("", [], GenerationOptions(temperature=0.0, max_tokens=7))
    assert plain.keys() & {"model", "seed", "top_p"} == set()
    assert (plain["temperature"], plain["max_tokens"], plain["stream"]) == (0.0, 7, True)
    chosen = request_json("m", [], GenerationOptions(top_p=0.5, seed=0))
    assert (chosen["model"], chosen["top_p"], chosen["seed"]) == ("m", 0.5, 0)
    assert plain.keys() & {"stop", "top_logprobs"} == set()
    asked = request_json("m", [], GenerationOptions(stop=("a", "\n"), top_logprobs=3))
    assert (asked["stop"], asked["logprobs"], asked["top_logprobs"]) == (["a", "\n"], True, 3)
    assert "top_logprobs" not in request_json("m", [], GenerationOptions(top_logprobs=0))


def test_only_what_a_server_refuses_is_left_out() -> None:
    body = request_json("m", [], GenerationOptions())
    changed = without_refused(body, "Unknown field: logprobs")
    assert changed is not None
    assert body.keys() - changed.keys() == {"logprobs"}
    renamed = without_refused(
        body, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead"
    )
    assert renamed is not None
    assert renamed["max_completion_tokens"] == body["max_tokens"]
    assert "max_tokens" not in renamed
    # Likelihoods that are too many are not likelihoods at all
    asked = request_json("m", [], GenerationOptions(top_logprobs=20))
    fewer = without_refused(asked, "top_logprobs must be at most 5")
    assert fewer is not None
    assert asked.keys() - fewer.keys() == {"top_logprobs"}
    none = without_refused(asked, "logprobs are not supported")
    assert none is not None
    assert asked.keys() - none.keys() == {"logprobs", "top_logprobs"}
    # What is about something else is an error, and is not tried again
    assert without_refused(body, "the conversation is too long") is None
    assert without_refused(body, "'max_tokens' or 'max_completion_tokens' is too large: 4096") is None
    assert without_refused({"messages": []}, "logprobs") is None


def test_a_picture_is_sent_as_it_is() -> None:
    image = RgbImage(3, 2, bytes(range(18)))
    opened = opened_url(completion.data_url(image))
    assert (opened.format, opened.mode, opened.size) == ("PNG", "RGB", (3, 2))
    assert opened.tobytes() == image.data


def test_an_enormous_picture_is_scaled_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "MAX_PIXELS", 5000)
    image = RgbImage(200, 100, bytes(60000))
    assert opened_url(completion.data_url(image)).size == (100, 50)
    assert opened_url(completion.data_url(RgbImage(100, 50, bytes(15000)))).size == (100, 50)


def opened_url(url: str) -> Image.Image:
    import base64

    head, _, data = url.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


# ---- errors


@pytest.mark.parametrize(
    ("status", "words", "headers", "error"),
    [
        (401, "", {}, RemoteRefused),
        (403, "", {}, RemoteRefused),
        (404, "Not Found", {}, RemotePathWrong),
        (404, 'model "tiny" not found, try pulling it first', {}, RemoteModelMissing),
        (405, "Method Not Allowed", {}, RemotePathWrong),
        (413, "", {}, RemoteTooLarge),
        (429, "", {}, RemoteBusy),
        (429, "", {"retry-after": "soon"}, RemoteBusy),
        (429, "", {"retry-after": "7"}, RemoteAsksToWait),
        (503, "", {"retry-after": "7"}, RemoteAsksToWait),
        (503, "Loading model", {}, RemoteFailed),
        (400, "too long", {}, RemoteRejected),
        (418, "", {}, RemoteRejected),
        (500, "", {}, RemoteFailed),
        (303, "", {}, RemoteNotUnderstood),
    ],
)
def test_every_status_is_told_as_what_it_means(
    status: int, words: str, headers: dict[str, str], error: type[Exception]
) -> None:
    raised = status_error(SERVER, "tiny", status, headers, words)
    assert type(raised) is error
    assert "?" not in raised.message


def test_the_time_to_wait_is_told() -> None:
    assert "for 7 s" in status_error(SERVER, "m", 429, {"retry-after": " 7 "}, "").message
    later = status_error(SERVER, "m", 429, {"retry-after": formatdate(time() + 60, usegmt=True)}, "")
    assert 55 <= int(later.params["seconds"]) <= 61
    past = status_error(SERVER, "m", 429, {"retry-after": formatdate(0, usegmt=True)}, "")
    assert past.params["seconds"] == 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "no.\\nreally."}}', "no. really"),
        (b'{"error": "no"}', "no"),
        (b'{"object": "error", "message": "no"}', "no"),
        (b'{"detail": "no"}', "no"),
        (b'{"detail": [{"msg": "not permitted", "loc": ["body", "logprobs"]}]}',
         "not permitted ['body', 'logprobs']"),
        (b"Client sent an HTTP request to an HTTPS server.\n",
         "Client sent an HTTP request to an HTTPS server"),
        (b"<html>502 Bad Gateway</html>", ""),
        (b"[]", ""),
        (b"", ""),
        (b"\x1b[31mred\x00", "[31mred"),
    ],
)  # fmt: skip
def test_the_words_of_a_server_fit_into_a_sentence(body: bytes, words: str) -> None:
    assert body_words(body) == words


def test_the_words_of_a_server_are_not_endless() -> None:
    assert len(body_words(b'{"error": "' + b"x" * 10_000 + b'"}')) == 300


def test_lists_of_models_are_read() -> None:
    assert model_names(SERVER, b'{"data": [{"id": "a"}, {"id": "b"}, {}, 5]}') == ["a", "b"]
    assert model_names(SERVER, b'[{"id": "a"}]') == ["a"]
    assert model_names(SERVER, b'{"object": "list", "data": null}') == []
    for body, reason in (
        (b"<html>", "web page"),
        (b'{"ok": 1}', "no list"),
        (b"", "no list"),
        (b"5", "no list"),
    ):
        with pytest.raises(RemoteNotUnderstood, match=reason):
            model_names(SERVER, body)
    assert has_model(["llava:latest"], "llava")
    assert has_model(["llava"], "llava")
    assert not has_model(["llava:7b"], "llava")
