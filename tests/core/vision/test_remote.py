"""The remote engine against real servers on this machine, good ones and faulty ones."""

from __future__ import annotations

import io
import json
import random
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.chat import Answer, Finish, GenerationOptions, Token
from core.engines import LoadOptions
from core.errors import Cancelled, YomitoriError
from core.types import RgbImage
from core.vision.errors import (
    RemoteAddressInvalid,
    RemoteAsksToWait,
    RemoteElsewhere,
    RemoteEndedEarly,
    RemoteError,
    RemoteFailed,
    RemoteKeyUnusable,
    RemoteModelMissing,
    RemoteNotSecure,
    RemoteNotUnderstood,
    RemotePathWrong,
    RemoteRedirected,
    RemoteRefused,
    RemoteRejected,
    RemoteStalled,
    RemoteTooLarge,
    RemoteUnreachable,
    RemoteUntrusted,
)
from core.vision.remote import RemoteEngine
from tests.support.chat_server import (
    AUTHORITY,
    CUT,
    DONE,
    RESET,
    STALL,
    ChatServer,
    Step,
    chunk,
    closed_port,
    event,
    raw_server,
    silent_server,
    usage_chunk,
)

ELSEWHERE = "192.0.2.1"
"""An address for documentation: nobody has it."""
KEY = "sk-hunter2"
PROMPT = 2.0
"""Seconds within which a stop counts as prompt on a busy machine; the host ends the process after 3."""
RED, BLUE = RgbImage(2, 1, bytes([255, 0, 0] * 2)), RgbImage(1, 2, bytes([0, 0, 255] * 2))
QUESTION = [{"role": "user", "text": "What is it?", "images": 0}]


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Asked:
    """One job, run as the model process runs it."""

    def __init__(
        self, base_url: str, op: str = "ask", engine: RemoteEngine | None = None, **told: Any
    ) -> None:
        self.pieces: list[dict[str, Any]] = []
        self.cancelled = False
        self.on_piece: Callable[[dict[str, Any]], None] = lambda _: None
        self._op = op
        self._engine = engine or RemoteEngine()
        self._images: tuple[RgbImage, ...] = told.pop("images", ())
        self._params = {
            "server": {
                "base_url": base_url,
                "model": told.pop("model", "tiny"),
                "key": told.pop("key", ""),
                "loopback": told.pop("loopback", False),
            },
            "messages": told.pop("messages", QUESTION),
            "options": told.pop("options", GenerationOptions()).to_json(),
            "model_title": "tiny",
            "limits": told.pop("limits", {}),
        }
        assert not told

    def run(self) -> dict[str, Any]:
        steps = self._engine.run(self._op, self._params, self._images, lambda: self.cancelled)
        while True:
            try:
                piece = next(steps)
            except StopIteration as stop:
                result: dict[str, Any] = stop.value
                return result
            self.pieces.append(piece)
            self.on_piece(piece)

    @property
    def text(self) -> str:
        return "".join(piece.get("text", "") for piece in self.pieces)


def ask(base_url: str, **told: Any) -> dict[str, Any]:
    return Asked(base_url, **told).run()


def fails(base_url: str, error: type[YomitoriError], **told: Any) -> Any:
    """Ask, and have it fail with exactly that error."""
    with pytest.raises(error) as caught:
        ask(base_url, **told)
    assert type(caught.value) is error
    assert "?" not in caught.value.message
    return caught.value


# ---- answers


def test_an_answer_streams(server: ChatServer) -> None:
    # Given a server that waits for us between two pieces
    seen = threading.Event()
    server.stream(
        event(chunk("", role="assistant")), event(chunk("赤", logprobs=[-0.5])), seen,
        event(chunk("い", logprobs=[-0.1])), event(chunk(finish="stop")), event(usage_chunk(20, 5)), DONE,
    )  # fmt: skip
    asked = Asked(server.base_url)
    asked.on_piece = lambda piece: seen.set() if "text" in piece else None
    # When it is asked
    result = asked.run()
    # Then the first piece came before the second was sent
    assert asked.pieces == [
        {"phase": "reading"}, {"phase": "answering", "text": "赤"}, {"text": "い"},
    ]  # fmt: skip
    # And the result is an answer, once it is known who gave it
    answer = Answer.from_json({**result, "engine": "remote", "model": "tiny", "seconds": 1.0})
    assert (answer.text, answer.finish, answer.confidence) == ("赤い", Finish.STOP, 0.7408)
    assert (answer.usage.prompt, answer.usage.answer) == (20, 5)
    assert 0 < answer.first_seconds < 60


def test_the_request_is_what_such_servers_take(server: ChatServer) -> None:
    server.answer(["yes"])
    messages = [
        {"role": "system", "text": "Be brief.", "images": 0},
        {"role": "user", "text": "これは？", "images": 1},
        {"role": "assistant", "text": "Red.", "images": 0},
        {"role": "user", "text": "And this?", "images": 1},
    ]
    options = GenerationOptions(temperature=0.5, top_p=0.9, max_tokens=64, seed=7)
    asked = Asked(server.base_url, messages=messages, images=(RED, BLUE), options=options, key=KEY)
    asked.run()
    (request,) = server.requests
    assert (request.method, request.path, request.key) == ("POST", "/v1/chat/completions", KEY)
    assert request.headers["host"] == server.host
    assert request.headers["content-type"] == "application/json"
    assert "cookie" not in request.headers
    body = request.json
    turns = body.pop("messages")
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]
    assert turns[1]["content"][1] == {"type": "text", "text": "これは？"}
    assert body == {
        "model": "tiny", "stream": True, "stream_options": {"include_usage": True}, "logprobs": True,
        "temperature": 0.5, "top_p": 0.9, "max_tokens": 64, "seed": 7,
    }  # fmt: skip
    # And the pictures arrive as they were, in their order
    for data, image in zip(request.images, (RED, BLUE), strict=True):
        with Image.open(io.BytesIO(data)) as opened:
            assert (opened.format, opened.size, opened.tobytes()) == (
                "PNG", (image.width, image.height), image.data,
            )  # fmt: skip
    assert asked.pieces[:3] == [{"phase": "encoding"}, {"phase": "encoding"}, {"phase": "reading"}]


def test_an_answer_ends_before_a_stop_text_also_where_the_server_does_not_know_it(server: ChatServer) -> None:
    # given a server that goes on and on
    server.stream(
        event(chunk("", role="assistant")), event(chunk("one E", logprobs=[-0.5])),
        event(chunk("ND two", logprobs=[-0.1])), STALL,
    )  # fmt: skip
    options = GenerationOptions(stop=("END",), top_logprobs=0)
    asked = Asked(server.base_url, options=options)
    result = asked.run()
    assert server.requests[0].json["stop"] == ["END"]
    assert asked.text == result["text"] == "one "
    assert result["finish"] == "stop"
    # and what looks like its beginning is told once the answer is over
    server.answer(["one ", "EN"])
    asked = Asked(server.base_url, options=options)
    assert asked.run()["text"] == asked.text == "one EN"


def test_tokens_are_told_where_they_are_asked_for(server: ChatServer) -> None:
    def row(token: str, logprob: float, data: Any = None) -> dict[str, Any]:
        return {"token": token, "logprob": logprob, "bytes": data}

    # given a server that tells bytes, parts of a character among them, and one that tells none
    first = chunk("赤")
    first["choices"][0]["logprobs"] = {"content": [
        row("\ufffd", -0.5, [0xE8]), {**row("\ufffd", -0.25, [0xB5, 0xA4]), "top_logprobs": [row("い", -1)]},
    ]}  # fmt: skip
    second = chunk("い")
    second["choices"][0]["logprobs"] = {"content": [row("い", -1, [999]), row("い", 0.5), {}, None]}
    server.stream(event(first), event(second), event(chunk(finish="stop")), DONE)
    asked = Asked(server.base_url, options=GenerationOptions(top_logprobs=1))
    asked.run()
    tokens = [Token.from_json(one) for piece in asked.pieces for one in piece.get("tokens", ())]
    # then what can be used of it is told
    assert tokens == [
        Token(b"\xe8", -0.5),
        Token(b"\xb5\xa4", -0.25, (Token("い".encode(), -1.0),)),
        Token("い".encode(), 0.0),
    ]
    # and nothing where nobody asked
    server.answer(["a"], logprobs=[-0.5])
    asked = Asked(server.base_url)
    asked.run()
    assert not any("tokens" in piece for piece in asked.pieces)


def test_nothing_is_sent_before_a_question(server: ChatServer) -> None:
    # Given an engine that is loaded, and a job that it does not know
    engine = RemoteEngine()
    engine.load(LoadOptions())
    with pytest.raises(ValueError, match="cannot prepare"):
        Asked(server.base_url, "prepare", engine, images=(RED,)).run()
    # When nothing was asked, then nobody has even connected
    assert (server.connections, server.requests) == (0, [])


def test_a_server_that_does_not_stream_is_understood(server: ChatServer) -> None:
    message = {"role": "assistant", "content": "赤い"}
    whole = {"choices": [{"index": 0, "message": message, "finish_reason": "length"}]}
    server.reply(200, whole)
    asked = Asked(server.base_url)
    result = asked.run()
    assert asked.pieces[-1] == {"phase": "answering", "text": "赤い"}
    assert (result["text"], result["finish"]) == ("赤い", "length")
    assert result["first_seconds"] > 0


@pytest.mark.parametrize("chunked", [True, False], ids=["in chunks", "until the end of the connection"])
@pytest.mark.parametrize("size", [1, 2, 7])
def test_characters_and_events_may_be_split_anywhere(server: ChatServer, chunked: bool, size: int) -> None:
    body = (
        b": hi\r\n\r\n" + event(chunk("漫画🔴"), "\r\n\r\n") + event(chunk(finish="stop"), "\r\n\r\n") + DONE
    )
    server.stream(*[body[i : i + size] for i in range(0, len(body), size)], chunked=chunked)
    assert ask(server.base_url)["text"] == "漫画🔴"


def test_the_content_type_need_not_be_right(server: ChatServer) -> None:
    server.stream(event(chunk("yes", finish="stop")), DONE, content_type="text/plain")
    assert ask(server.base_url)["text"] == "yes"


@pytest.mark.parametrize("how", [(), (STALL,), (CUT,), (RESET,)], ids=["end", "stall", "cut", "reset"])
def test_without_done_an_answer_that_has_finished_is_whole(server: ChatServer, how: tuple[Step, ...]) -> None:
    # Given a server that has said why it stopped, and then nothing, or worse
    server.stream(event(chunk("yes")), event(chunk(finish="stop")), event(usage_chunk(9, 2)), *how)
    result = ask(server.base_url, limits={"tail": 0.2})
    assert (result["text"], result["finish"], result["usage"]["answer"]) == ("yes", "stop", 2)


def test_after_the_end_a_server_cannot_hold_us_with_comments(server: ChatServer) -> None:
    keepalive: list[Step] = [b": keepalive\n\n", 0.05]
    server.stream(event(chunk("yes", finish="stop")), *keepalive * 1000)
    assert ask(server.base_url, limits={"tail": 0.2})["text"] == "yes"
    assert server.gone.wait(PROMPT)


def test_after_done_nothing_is_waited_for(server: ChatServer) -> None:
    server.stream(event(chunk("yes")), DONE, STALL)
    assert ask(server.base_url, limits={"tail": 3600.0})["text"] == "yes"


def test_comments_keep_a_slow_server_alive(server: ChatServer) -> None:
    # Given a server that needs longer than our patience, and says that it is there
    waiting: list[Step] = [b": keepalive\n\n", 0.2]
    server.stream(*waiting * 5, event(chunk("yes", finish="stop")), DONE)
    assert ask(server.base_url, limits={"first": 0.6})["text"] == "yes"


def test_an_optional_field_that_is_refused_is_left_out_from_then_on(server: ChatServer) -> None:
    # Given a server that knows no logprobs, and another that knows no stream_options either
    server.reply(400, {"error": {"message": "unknown field: logprobs"}})
    server.reply(
        422, {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]}
    )
    server.answer(["yes"])
    engine = RemoteEngine()
    # When it is asked twice
    for _ in range(2):
        assert ask(server.base_url, engine=engine)["text"] == "yes"
    # Then each field was refused once
    fields = [request.json.keys() & {"logprobs", "stream_options"} for request in server.requests]
    assert fields == [{"logprobs", "stream_options"}, {"stream_options"}, set(), set()]


# ---- the test of a server


def test_a_test_sends_nothing_of_the_user(server: ChatServer) -> None:
    result = Asked(server.base_url, "test", key=KEY, images=(RED,)).run()
    assert result == {
        "models": ["tiny"], "address": "127.0.0.1", "loopback": True, "proxy": "", "notice": None,
    }  # fmt: skip
    (request,) = server.requests
    assert (request.method, request.path, request.body, request.key) == ("GET", "/v1/models", b"", KEY)


def test_a_test_tells_when_the_model_is_missing(server: ChatServer) -> None:
    result = Asked(server.base_url, "test", model="other").run()
    assert result["models"] == ["tiny"]
    assert result["notice"]["error"] == "RemoteModelMissing"
    assert "other" in RemoteModelMissing(**result["notice"]["params"]).message
    # And a server that is not asked for any has none missing
    assert Asked(server.base_url, "test", model="").run()["notice"] is None
    # Nor does one that lists nothing say that it is missing
    server.reply_models(200, {"object": "list", "data": []})
    assert Asked(server.base_url, "test").run()["notice"] is None


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {}, RemoteRefused),
        (404, {"detail": "no model here"}, RemotePathWrong),
        (500, b"", RemoteFailed),
        (200, b"<html>hello</html>", RemoteNotUnderstood),
        (200, {"ok": True}, RemoteNotUnderstood),
        (200, b"not JSON", RemoteNotUnderstood),
    ],
)
def test_a_test_tells_what_is_wrong(
    server: ChatServer, status: int, body: Any, error: type[YomitoriError]
) -> None:
    server.reply_models(status, body)
    fails(server.base_url, error, op="test")


def test_a_test_gives_up_on_a_server_that_stalls(server: ChatServer) -> None:
    server.stall_models()
    fails(server.base_url, RemoteStalled, op="test", limits={"first": 0.2})
    assert server.gone.wait(PROMPT)


# ---- what can go wrong


@pytest.mark.parametrize(
    ("status", "body", "headers", "error", "words"),
    [
        (401, {"error": {"message": "Incorrect key"}}, {}, RemoteRefused, "asks for a key"),
        (404, {"error": {"message": "The model `tiny` does not exist."}}, {}, RemoteModelMissing, "tiny"),
        (404, {"detail": "Not Found"}, {}, RemotePathWrong, "/v1"),
        (404, b"<html>nginx</html>", {}, RemotePathWrong, "/v1"),
        (413, b"<html>nginx</html>", {}, RemoteTooLarge, "larger"),
        (429, {}, {"Retry-After": "7"}, RemoteAsksToWait, "for 7 s"),
        (400, {"error": {"message": "At most 1 image, please."}}, {}, RemoteRejected, "At most 1 image"),
        (500, {"error": {"message": "CUDA error"}}, {}, RemoteFailed, "CUDA error"),
        (502, b"<html>Bad gateway</html>", {}, RemoteFailed, "status 502"),
        (200, b"<!doctype html><title>Router</title>", {}, RemoteNotUnderstood, "web page"),
        (200, b"{\"choices\": [", {}, RemoteNotUnderstood, "not JSON"),
        (200, b"", {}, RemoteEndedEarly, "broke off"),
    ],
)  # fmt: skip
def test_a_refusal_is_told(
    server: ChatServer,
    status: int,
    body: Any,
    headers: dict[str, str],
    error: type[YomitoriError],
    words: str,
) -> None:
    server.reply(status, body, headers)
    assert words in fails(server.base_url, error).message
    # And it is asked once only: whether to ask again is the user's choice
    assert len(server.requests) == 1


def test_a_wrong_path_is_told_with_its_address(server: ChatServer) -> None:
    url = server.base_url.replace("/v1", "/api")
    error = fails(url, RemotePathWrong)
    assert url in error.message
    assert "/v1" in error.advice


@pytest.mark.parametrize(
    "how",
    [(b"data: {\"choi", CUT), (b"data: {\"choi", RESET), (b"data: {\"choi",), (CUT,), ()],
    ids=["half an event, cut", "half an event, reset", "half an event, end", "cut", "end"],
)  # fmt: skip
@pytest.mark.parametrize("chunked", [True, False])
def test_an_answer_that_breaks_off_keeps_what_had_come(
    server: ChatServer, how: tuple[Step, ...], chunked: bool
) -> None:
    # What is sent right before a reset may be lost on the way.
    server.stream(event(chunk("so far")), 0.3, *how, chunked=chunked)
    asked = Asked(server.base_url)
    with pytest.raises(RemoteEndedEarly) as caught:
        asked.run()
    assert asked.text == "so far"
    assert caught.value.retryable


def test_an_answer_shorter_than_announced_is_not_whole(server: ChatServer) -> None:
    server.reply(200, b'{"choices": [{"message": {"content": "yes"}}]}', {"Content-Length": "1000"})
    fails(server.base_url, RemoteEndedEarly)


def test_an_error_in_the_stream_keeps_what_had_come(server: ChatServer) -> None:
    server.stream(event(chunk("so far")), event({"error": {"message": "CUDA out of memory", "code": 500}}))
    asked = Asked(server.base_url)
    with pytest.raises(RemoteFailed, match="CUDA out of memory"):
        asked.run()
    assert asked.text == "so far"


@pytest.mark.parametrize("steps", [(STALL,), (b": hi\n\n", STALL)], ids=["before the body", "in the body"])
def test_a_server_that_says_nothing_is_given_up(server: ChatServer, steps: tuple[Step, ...]) -> None:
    server.stream(*steps)
    error = fails(server.base_url, RemoteStalled, limits={"first": 0.3})
    assert "0.3 s" in error.message
    assert server.gone.wait(PROMPT)


@pytest.mark.parametrize("half", [b"", b"data: {\"choi"], ids=["between events", "in an event"])  # fmt: skip
def test_a_server_that_stalls_in_its_answer_is_given_up(server: ChatServer, half: bytes) -> None:
    # Patience is another one once it has begun
    server.stream(event(chunk("so far")), half or b"\n", STALL)
    asked = Asked(server.base_url, limits={"first": 3600.0, "quiet": 0.3})
    with pytest.raises(RemoteStalled):
        asked.run()
    assert asked.text == "so far"
    assert server.gone.wait(PROMPT)


def test_a_server_that_takes_connections_only_is_given_up() -> None:
    with silent_server() as url:
        fails(url, RemoteStalled, limits={"first": 0.3})


def test_a_port_where_nothing_listens_is_told() -> None:
    error = fails(f"http://127.0.0.1:{closed_port()}/v1", RemoteUnreachable)
    assert "no server listens there" in error.message
    assert error.retryable


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", RemoteNotUnderstood, "does not speak HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x46", RemoteNotUnderstood, "does not speak HTTP"),
        (b"", RemoteUnreachable, "without an answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", RemoteEndedEarly, "broke off"),
        (b"HTTP/1.1 413 Too Large\r\nConnection: close\r\n\r\n", RemoteTooLarge, "larger"),
        (b"HTTP/1.1 303 See Other\r\nLocation: /\r\n\r\n", RemoteNotUnderstood, "status 303"),
    ],
)
def test_what_speaks_another_language_is_told(answer: bytes, error: type[YomitoriError], words: str) -> None:
    with raw_server(answer) as url:
        assert words in fails(url, error).message


@pytest.mark.skipif(sys.platform != "linux", reason="what came before a reset may be lost elsewhere")
def test_a_server_that_refuses_a_large_question_before_reading_it_is_heard() -> None:
    # Given a server that answers after the first bytes, closes, and several MB to send
    image = RgbImage(1500, 1000, random.Random(1).randbytes(4_500_000))
    messages = [{"role": "user", "text": "?", "images": 1}]
    with raw_server(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\n\r\n", listens=False) as url:
        fails(url, RemoteTooLarge, messages=messages, images=(image,))


def test_an_address_that_is_none_is_told() -> None:
    fails("ftp://127.0.0.1/v1", RemoteAddressInvalid)


def test_a_name_leads_to_the_address_that_takes_the_connection(server: ChatServer) -> None:
    # Given a name that may mean ::1 first, where nothing listens
    result = Asked(f"http://localhost:{server.port}/v1", "test").run()
    assert (result["address"], result["loopback"]) == ("127.0.0.1", True)
    assert server.requests[0].headers["host"] == f"localhost:{server.port}"


# ---- stop


@pytest.mark.parametrize(
    "steps",
    [
        (STALL,),
        (b": keepalive\n\n", STALL),
        (event(chunk("so far")), STALL),
        (event(chunk("so far")), b"data: {", STALL),
    ],
    ids=["before the first byte", "before the first word", "between words", "in an event"],
)
def test_a_stop_ends_the_wait_and_the_connection(server: ChatServer, steps: tuple[Step, ...]) -> None:
    server.stream(*steps)
    asked = Asked(server.base_url)
    stopped_at = stop_when(asked, lambda: server.wait_for_requests(1))
    with pytest.raises(Cancelled):
        asked.run()
    assert time.monotonic() - stopped_at[0] < PROMPT
    # And the server learns of it, so that it computes no more
    assert server.gone.wait(PROMPT)
    assert remote_threads() == []


def test_a_stop_ends_a_flood(server: ChatServer) -> None:
    server.stream(*[event(chunk("x"))] * 200_000)
    asked = Asked(server.base_url)

    def stop(piece: dict[str, Any]) -> None:
        asked.cancelled = "text" in piece

    asked.on_piece = stop
    with pytest.raises(Cancelled):
        asked.run()
    assert len(asked.text) < 50_000
    assert server.gone.wait(PROMPT)


def test_a_stop_ends_the_wait_for_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a computer that takes no more connections: its queue is full, and packets are dropped
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        filling = [socket.socket() for _ in range(3)]
        for one in filling:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        asked = Asked(f"http://127.0.0.1:{port}/v1")
        stopped_at = stop_when(asked, lambda: time.sleep(0.3))
        with pytest.raises(Cancelled):
            asked.run()
        assert time.monotonic() - stopped_at[0] < PROMPT
        for one in filling:
            one.close()


def test_a_stop_ends_the_wait_for_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a name server that does not answer
    over = threading.Event()

    def lookup(*_: Any, **__: Any) -> list[Any]:
        over.wait(60)
        return []

    monkeypatch.setattr("core.vision.address.socket.getaddrinfo", lookup)
    asked = Asked("http://localhost:1/v1")
    stopped_at = stop_when(asked, lambda: time.sleep(0.2))
    with pytest.raises(Cancelled):
        asked.run()
    assert time.monotonic() - stopped_at[0] < PROMPT
    over.set()


def test_a_stop_ends_the_encoding_of_an_enormous_picture(server: ChatServer) -> None:
    # Given a picture that takes seconds to encode
    image = RgbImage(4000, 4000, random.Random(1).randbytes(48_000_000))
    messages = [{"role": "user", "text": "?", "images": 1}]
    asked = Asked(server.base_url, messages=messages, images=(image,))
    begun = threading.Event()
    asked.on_piece = lambda piece: begun.set()
    # When it is stopped right after that has begun
    stopped_at = stop_when(asked, lambda: begun.wait(30))
    with pytest.raises(Cancelled):
        asked.run()
    # Then it does not go on to its end, and nothing was sent
    assert time.monotonic() - stopped_at[0] < PROMPT
    assert asked.pieces == [{"phase": "encoding"}]
    assert server.connections == 0


def test_a_stop_ends_the_wait_while_sending() -> None:
    # Given a server that reads nothing, and more to send than fits on the way
    image = RgbImage(2000, 2000, random.Random(1).randbytes(12_000_000))
    with silent_server() as url:
        asked = Asked(url, messages=[{"role": "user", "text": "?", "images": 1}], images=(image,))
        asked.on_piece = lambda piece: sent.set() if piece.get("phase") == "reading" else None
        sent = threading.Event()
        stopped_at = stop_when(asked, lambda: sent.wait(30))
        with pytest.raises(Cancelled):
            asked.run()
        assert time.monotonic() - stopped_at[0] < PROMPT
    assert remote_threads() == []


def test_a_stop_ends_the_wait_for_a_handshake() -> None:
    with silent_server() as url:
        asked = Asked(url.replace("http:", "https:"))
        stopped_at = stop_when(asked, lambda: time.sleep(0.3))
        with pytest.raises(Cancelled):
            asked.run()
        assert time.monotonic() - stopped_at[0] < PROMPT
    assert remote_threads() == []


def stop_when(asked: Asked, ready: Callable[[], Any]) -> list[float]:
    """Stop the job a moment after ``ready`` has returned; the time goes into the list."""
    at: list[float] = []

    def stop() -> None:
        ready()
        time.sleep(0.1)
        at.append(time.monotonic())
        asked.cancelled = True

    threading.Thread(target=stop).start()
    return at


def remote_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "remote"]


# ---- what stays private


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_origin_is_refused(server: ChatServer, status: int) -> None:
    with ChatServer() as other:
        other.answer(["stolen"])
        for location in (
            f"{other.base_url}/chat/completions",
            f"http://localhost:{server.port}/v1/chat/completions",
            f"https://127.0.0.1:{server.port}/v1/chat/completions",
            f"//me:hunter2@{other.host}/",
        ):
            server.reply(status, b"", {"Location": location})
            error = fails(server.base_url, RemoteRedirected, key=KEY)
            assert "hunter2" not in error.message
        assert other.connections == 0


def test_a_redirect_within_the_origin_is_followed(server: ChatServer) -> None:
    # Given a server that sends on three times, in every way there is to say it
    server.reply(301, b"", {"Location": "/a/v1/chat/completions"})
    server.reply(302, b"", {"Location": "../../../b/v1/chat/completions?x=1"})
    server.reply(308, b"", {"Location": f"http://{server.host}/c/v1/chat/completions"})
    server.answer(["yes"])
    # When it is asked, then the same question arrives where it leads
    assert ask(server.base_url, key=KEY)["text"] == "yes"
    assert [request.path.removesuffix("/v1/chat/completions") for request in server.requests] == [
        "", "/a", "/b/v1/chat/completions?x=1", "/c",
    ]  # fmt: skip
    assert {(r.method, r.body, r.key) for r in server.requests} == {("POST", server.requests[0].body, KEY)}


def test_a_server_that_redirects_in_a_circle_is_given_up(server: ChatServer) -> None:
    server.reply(307, b"", {"Location": "/v1/chat/completions"})
    assert "again and again" in fails(server.base_url, RemoteNotUnderstood).message
    assert len(server.requests) == 4


def test_a_key_is_not_sent_unencrypted_to_another_computer() -> None:
    # The network guard of the tests would tell if anything was: it forbids to connect there.
    error = fails(f"http://{ELSEWHERE}/v1", RemoteNotSecure, key=KEY)
    assert KEY not in error.message


def test_a_server_that_has_moved_off_this_computer_is_not_asked() -> None:
    fails(f"https://{ELSEWHERE}/v1", RemoteElsewhere, loopback=True)


def test_the_name_is_looked_up_once_and_the_connection_goes_there(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a name that leads here the first time, and elsewhere when asked again
    real, asked = socket.getaddrinfo, []

    def lookup(host: str, *args: Any, **options: Any) -> Any:
        if host != "rebinding.example":
            return real(host, *args, **options)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else ELSEWHERE, *args, **options)

    monkeypatch.setattr("socket.getaddrinfo", lookup)
    server.answer(["yes"])
    # When it is asked, with a key that must stay here
    assert ask(f"http://rebinding.example:{server.port}/v1", key=KEY, loopback=True)["text"] == "yes"
    # Then it was looked up once, and the server knows by which name it was asked
    assert asked == ["rebinding.example"]
    assert server.requests[0].headers["host"] == f"rebinding.example:{server.port}"


def test_a_key_that_cannot_be_sent_is_not_told(server: ChatServer) -> None:
    error = fails(server.base_url, RemoteKeyUnusable, key=f"{KEY}\r\nX-Other: 1")
    assert KEY not in error.message
    assert server.connections == 0


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_server_that_quotes_the_key_is_not_repeated(
    server: ChatServer, status: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    server.reply(status, {"error": {"message": f"the key {KEY} is no good"}})
    caplog.set_level(0)
    with pytest.raises(RemoteError) as caught:
        ask(server.base_url, key=KEY)
    assert "the key *** is no good" in caught.value.message
    told = json.dumps(caught.value.to_json()) + "".join(traceback.format_exception(caught.value))
    assert KEY not in told + caplog.text + "".join(capfd.readouterr())


def test_what_fails_inside_does_not_tell_the_key(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **_: Any) -> None:
        raise RuntimeError(f"cannot send {args}")

    monkeypatch.setattr("http.client.HTTPConnection.putheader", fail)
    error = fails(server.base_url, RemoteError, key=KEY)
    assert error.message.endswith("RuntimeError.")


def test_no_cookie_is_kept(server: ChatServer) -> None:
    server.reply(307, b"", {"Location": "/v1/chat/completions", "Set-Cookie": "a=b"})
    server.answer(["yes"])
    engine = RemoteEngine()
    for _ in range(2):
        ask(server.base_url, engine=engine)
    assert [request.headers.get("cookie") for request in server.requests] == [None, None, None]


# ---- proxies


def test_a_proxy_is_not_used_for_this_computer(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answer(["yes"])
    with ChatServer() as proxy:
        for name in ("http_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://{proxy.host}")
        for host in ("127.0.0.1", "localhost"):
            assert ask(f"http://{host}:{server.port}/v1")["text"] == "yes"
        assert proxy.connections == 0


def test_a_proxy_is_used_for_another_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer() as proxy:
        monkeypatch.setenv("http_proxy", f"http://me:word@{proxy.host}")
        proxy.answer(["yes"])
        assert ask(f"http://{ELSEWHERE}:8000/v1")["text"] == "yes"
        result = Asked(f"http://{ELSEWHERE}:8000/v1", "test").run()
        # What counts is where the question ends up, not where the proxy is
        assert (result["proxy"], result["loopback"]) == (proxy.host, False)
        first = proxy.requests[0]
        assert first.path == f"http://{ELSEWHERE}:8000/v1/chat/completions"
        assert first.headers["host"] == f"{ELSEWHERE}:8000"
        assert first.headers["proxy-authorization"] == "Basic bWU6d29yZA=="
        # And one that is exempt is asked directly, which the tests' network guard forbids
        monkeypatch.setenv("no_proxy", ELSEWHERE)
        fails(f"http://{ELSEWHERE}:8000/v1", RemoteUnreachable)


def test_a_proxy_that_does_not_let_https_through_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer() as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.host}")
        error = fails(f"https://{ELSEWHERE}/v1", RemoteUnreachable, key=KEY)
        assert "proxy" in error.message
        (request,) = proxy.requests
        assert (request.method, request.path) == ("CONNECT", f"{ELSEWHERE}:443")
        assert KEY not in str(request)


def test_a_kind_of_proxy_that_is_not_known_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:9050")
    assert "only proxies" in fails(f"https://{ELSEWHERE}/v1", RemoteUnreachable).message


# ---- TLS


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's trusted certificates are that of the tests alone."""
    if sys.platform != "linux":
        pytest.skip("only OpenSSL takes its trusted certificates from a variable")
    (tmp_path / "authority.pem").write_text(AUTHORITY)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@pytest.fixture
def secure_server() -> Iterator[ChatServer]:
    with ChatServer(tls=True) as server:
        server.answer(["yes"])
        yield server


def by_name(server: ChatServer) -> str:
    return f"https://localhost:{server.port}/v1"


@pytest.mark.usefixtures("trusted")
def test_a_trusted_certificate_is_checked_against_the_name(secure_server: ChatServer) -> None:
    # Given a certificate for localhost, when it is asked by that name (the connection goes to an address)
    assert ask(by_name(secure_server), key=KEY)["text"] == "yes"
    assert secure_server.requests[0].key == KEY
    # Then it answers; and by another name nothing is sent
    error = fails(secure_server.base_url, RemoteUntrusted, key=KEY)
    assert "127.0.0.1" in error.message
    assert len(secure_server.requests) == 1


def test_a_certificate_that_nobody_trusts_is_refused(secure_server: ChatServer) -> None:
    error = fails(by_name(secure_server), RemoteUntrusted, key=KEY)
    assert "certificate" in error.message
    assert secure_server.requests == []


@pytest.mark.usefixtures("trusted")
def test_a_stop_ends_an_encrypted_wait(secure_server: ChatServer) -> None:
    ask(by_name(secure_server))
    secure_server.stream(event(chunk("so far")), STALL)
    asked = Asked(by_name(secure_server))
    stopped_at = stop_when(asked, lambda: secure_server.wait_for_requests(2))
    with pytest.raises(Cancelled):
        asked.run()
    assert time.monotonic() - stopped_at[0] < PROMPT
    assert secure_server.gone.wait(PROMPT)
    assert remote_threads() == []


def test_https_to_a_server_without_it_is_told(server: ChatServer) -> None:
    error = fails(server.base_url.replace("http:", "https:"), RemoteUnreachable)
    assert "HTTPS" in error.message


def test_http_to_a_server_with_https_is_told(secure_server: ChatServer) -> None:
    with pytest.raises((RemoteUnreachable, RemoteNotUnderstood)):
        ask(secure_server.base_url.replace("https:", "http:"))
