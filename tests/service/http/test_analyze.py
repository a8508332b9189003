"""``POST /analyze_image``."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from core.chat import Answer, AnswerPiece, Finish, GenerationOptions, Message, Phase, Role
from core.errors import OutOfMemory, SawLess
from core.jobs import Job
from service.http.analyze import AnalysisOut
from service.http.events import KEEP_ALIVE, event, event_stream
from tests.support.http_service import Parts, app_over, client_of, context_of, live, port_of
from tests.support.pictures import encoded

FILE = {"file": ("page.png", encoded(9, 8))}
STALL = 60.0
TALK = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "A cat."}]


def events_of(text: str) -> list[tuple[str, Any]]:
    """Server-sent events as a browser takes them apart; comments are left out."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            assert fields.keys() == {"event", "data"}
            found.append((fields["event"], json.loads(fields["data"])))
    return found


class Heard:
    """An engine that notes what it is asked, and answers what the test says."""

    def __init__(
        self, parts: Parts, pieces: Sequence[AnswerPiece] = (), error: Exception | None = None
    ) -> None:
        self._engine = parts.engine
        self._pieces = pieces
        self._error = error
        self.messages: Sequence[Message] = ()
        self.options = GenerationOptions()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def ask(
        self, messages: Sequence[Message], options: GenerationOptions, on_piece: Any = None
    ) -> Job[Answer]:
        self.messages, self.options = messages, options
        job: Job[Answer] = Job("ask", {}, (), lambda answer, seconds: answer)  # type: ignore[arg-type,return-value]
        for piece in self._pieces:
            on_piece(piece)
        if self._error is not None:
            job.fail(self._error)  # type: ignore[arg-type]
        else:
            job.resolve(Answer("yes", Finish.STOP, "fake", "fake", confidence=None))
        return job


def heard(parts: Parts, **fields: str) -> Heard:
    """What the engine is asked when a form with these fields comes."""
    engine = Heard(parts)
    with client_of(app_over(Parts(engine, parts.library, parts.settings))) as client:  # type: ignore[arg-type]
        answer = client.post("/analyze_image", files=FILE, data=fields)
    assert answer.status_code == 200, answer.text
    return engine


def test_the_answer_and_how_sure_the_model_was(client: TestClient) -> None:
    answer = client.post("/analyze_image", files=FILE)
    assert answer.json() == {"analysis": "What's in this image? [1]", "confidence": 0.5}
    answer = client.post("/analyze_image", files=FILE, data={"prompt": "何が見える？"})
    assert answer.json()["analysis"] == "何が見える？ [1]"


def test_details_are_there_when_asked_for(client: TestClient) -> None:
    row = client.post("/analyze_image", files=FILE, data={"prompt": "a b", "details": "true"}).json()
    assert (row["finish"], row["engine"], row["model"], row["device"]) == (
        "stop",
        "llava",
        "fake-llava",
        "cpu",
    )
    assert row["usage"]["prompt"] == 10
    assert row["usage"]["answer"] == 3
    assert row["notices"] == []


def test_a_confidence_that_nobody_told_is_null(parts: Parts) -> None:
    engine = Heard(parts)
    with client_of(app_over(Parts(engine, parts.library, parts.settings))) as client:  # type: ignore[arg-type]
        assert client.post("/analyze_image", files=FILE).json() == {"analysis": "yes", "confidence": None}


def test_options_are_those_of_the_settings_unless_the_form_says_otherwise(parts: Parts) -> None:
    vision = parts.settings.current.vision
    by_default = heard(parts).options
    assert by_default == GenerationOptions(vision.temperature, vision.top_p, vision.max_tokens, None)
    said = heard(parts, temperature="1.5", top_p="0.5", max_tokens="7", seed="3").options
    assert said == GenerationOptions(1.5, 0.5, 7, 3)


def test_the_picture_belongs_to_the_first_question(parts: Parts) -> None:
    history = [{"role": "system", "content": "Be short."}, *TALK]
    messages = heard(parts, prompt="And now?", history=json.dumps(history)).messages
    assert [(message.role, message.text, len(message.images)) for message in messages] == [
        (Role.SYSTEM, "Be short.", 0),
        (Role.USER, "Who?", 1),
        (Role.ASSISTANT, "A cat.", 0),
        (Role.USER, "And now?", 0),
    ]
    (alone,) = heard(parts, prompt="Who?").messages
    assert (alone.text, len(alone.images)) == ("Who?", 1)
    assert heard(parts, prompt="  ").messages[-1].text == "What's in this image?"


@pytest.mark.parametrize(
    "history",
    ["{", "{}", "1", '"x"', '[{"role":"user"}]', '[{"role":"nobody","content":"x"}]',
     '[{"role":"user","content":1}]', '[{"role":"user","content":"x","extra":1}]',
     json.dumps(TALK[:1]), json.dumps(TALK[1:]), json.dumps([*TALK, TALK[1]]),
     json.dumps([*TALK, {"role": "system", "content": "x"}]), "[" * 100_000, json.dumps(TALK * 2000)],
)  # fmt: skip
def test_a_history_that_is_none_is_told(client: TestClient, history: str) -> None:
    answer = client.post("/analyze_image", files=FILE, data={"history": history})
    assert (answer.status_code, answer.json()["code"]) == (422, "RequestInvalid"), answer.text
    assert "history" in answer.json()["detail"]


@pytest.mark.parametrize("history", ["", "  ", "[]", '[{"role":"system","content":"x"}]'])
def test_a_history_may_be_empty(client: TestClient, history: str) -> None:
    assert client.post("/analyze_image", files=FILE, data={"history": history}).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature", "-1"), ("temperature", "2.1"), ("temperature", "nan"), ("temperature", "warm"),
     ("top_p", "0"), ("top_p", "1.1"), ("top_p", "nan"), ("max_tokens", "0"), ("max_tokens", "1.5"),
     ("max_tokens", "99999999"), ("seed", "-1"), ("seed", str(2**63)), ("stream", "perhaps")],
)  # fmt: skip
def test_options_beyond_their_bounds_are_told(client: TestClient, name: str, value: str) -> None:
    answer = client.post("/analyze_image", files=FILE, data={name: value})
    assert (answer.status_code, answer.json()["code"]) == (422, "RequestInvalid")
    assert name in answer.json()["detail"]


def test_too_much_text_is_refused_before_the_picture_is_looked_at(parts: Parts) -> None:
    with client_of(app_over(parts, prompt_chars=20)) as client:
        for fields in ({"prompt": "x" * 21}, {"prompt": "x" * 11, "history": json.dumps(TALK)}):
            answer = client.post("/analyze_image", files={"file": ("a", b"no picture")}, data=fields)
            assert (answer.status_code, answer.json()["code"]) == (413, "PromptTooLong")
        fields = {"prompt": "x" * 10, "history": json.dumps(TALK)}
        assert client.post("/analyze_image", files=FILE, data=fields).status_code == 200


def test_an_error_of_the_model_is_a_problem_and_the_next_request_works(client: TestClient) -> None:
    for prompt, code in (("raise", "ReadFailed"), ("crash", "ProcessDied")):
        answer = client.post("/analyze_image", files=FILE, data={"prompt": prompt})
        assert answer.status_code >= 500
        assert answer.json()["code"] == code
        assert answer.json()["hint"]
    assert client.post("/analyze_image", files=FILE, data={"prompt": "well"}).status_code == 200


# ---- streams


def stream(client: TestClient, prompt: str, **fields: str) -> list[tuple[str, Any]]:
    answer = client.post("/analyze_image", files=FILE, data={"prompt": prompt, "stream": "true", **fields})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    return events_of(answer.text)


def test_a_stream_tells_what_happens_and_the_whole_answer_last(client: TestClient) -> None:
    client.post("/analyze_image", files=FILE)
    found = stream(client, "一つ two")
    assert found == [
        ("phase", {"phase": "encoding", "done": 0, "total": 0}),
        ("phase", {"phase": "answering", "done": 0, "total": 0}),
        ("text", {"text": "一つ "}),
        ("text", {"text": "two "}),
        ("text", {"text": "[1]"}),
        ("done", {"analysis": "一つ two [1]", "confidence": 0.5}),
    ]
    assert stream(client, "x", details="true")[-1][1]["usage"]["prompt"] == 10


def test_loading_is_told_first(client: TestClient, parts: Parts) -> None:
    parts.engine.unload("vision")
    deadline = time.monotonic() + STALL
    while parts.engine.state("vision").state.value != "unloaded":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert stream(client, "x")[0] == ("phase", {"phase": "loading", "done": 0, "total": 0})


def test_a_failure_within_a_stream_is_its_last_event(client: TestClient) -> None:
    *before, (name, problem) = stream(client, "raise")
    assert [name for name, _ in before][-1] == "text"
    assert name == "error"
    assert problem["code"] == "ReadFailed"
    assert problem["status"] >= 500
    assert problem["instance"]


def test_every_kind_of_piece_has_an_event(parts: Parts) -> None:
    pieces = [
        AnswerPiece(phase=Phase.READING, done=3, total=9),
        AnswerPiece(text="lost"),
        AnswerPiece(again=True, notice=SawLess(device="cuda:0")),
        AnswerPiece(text="a\nb\r\u2028\u2029\x85c"),
    ]
    engine = Heard(parts, pieces)
    with client_of(app_over(Parts(engine, parts.library, parts.settings))) as client:  # type: ignore[arg-type]
        found = stream(client, "x")
    assert [name for name, _ in found] == ["phase", "text", "again", "notice", "text", "done"]
    assert found[0][1] == {"phase": "reading", "done": 3, "total": 9}
    assert found[3][1]["code"] == "SawLess"
    assert found[4][1] == {"text": "a\nb\r\u2028\u2029\x85c"}


def test_what_fails_before_the_first_event_decides_the_status(parts: Parts) -> None:
    engine = Heard(parts, error=OutOfMemory(device="cuda:0"))
    with client_of(app_over(Parts(engine, parts.library, parts.settings))) as client:  # type: ignore[arg-type]
        answer = client.post("/analyze_image", files=FILE, data={"stream": "true"})
    assert (answer.status_code, answer.json()["code"]) == (503, "OutOfMemory")


def test_the_queue_decides_the_status_of_a_stream(parts: Parts) -> None:
    app = app_over(parts, queue=1)
    context_of(app).gate.admit("vision")
    with client_of(app) as client:
        answer = client.post("/analyze_image", files=FILE, data={"stream": "true"})
        assert (answer.status_code, answer.json()["code"]) == (503, "QueueFull")
        assert answer.headers["retry-after"]
        # OCR has a queue of its own
        assert client.post("/ocr", files=FILE).status_code == 200


@pytest.fixture(scope="module")
def live_app(parts: Parts) -> Iterator[tuple[FastAPI, str]]:
    app = app_over(parts)
    with live(app) as running:
        yield app, f"http://127.0.0.1:{port_of(running)}"


def test_a_client_that_leaves_a_stream_ends_its_answer(live_app: tuple[FastAPI, str]) -> None:
    app, url = live_app
    gate = context_of(app).gate
    form = {"prompt": "stream 100000 every 0.01", "stream": "true"}
    with (
        httpx2.Client(trust_env=False, timeout=STALL) as client,
        client.stream("POST", f"{url}/analyze_image", files=FILE, data=form) as answer,
    ):
        for line in answer.iter_lines():
            if line == "event: text":
                break
        assert gate.held("vision") == 1
    deadline = time.monotonic() + STALL
    while gate.held("vision"):
        assert time.monotonic() < deadline, "the answer goes on"
        time.sleep(0.01)
    # Then the next one is answered
    with httpx2.Client(trust_env=False, timeout=STALL) as client:
        assert client.post(f"{url}/analyze_image", files=FILE, data={"prompt": "x"}).status_code == 200


# ---- keeping connections alive


def sent(source: AsyncGenerator[bytes, None], pause: float) -> list[bytes]:
    async def collected() -> list[bytes]:
        response = await event_stream(source, pause)
        return [bytes(piece) async for piece in response.body_iterator]  # type: ignore[arg-type]

    return asyncio.run(collected())


def test_a_silence_is_filled_with_comments() -> None:
    release = asyncio.Event()

    async def slow() -> AsyncGenerator[bytes, None]:
        yield event("text", {"text": "a"})
        await release.wait()
        yield event("text", {"text": "b"})

    async def collected() -> list[bytes]:
        response = await event_stream(slow(), 0.01)
        found = []
        async for piece in response.body_iterator:
            found.append(bytes(piece))  # type: ignore[arg-type]
            if found.count(KEEP_ALIVE) == 2:
                release.set()
        return found

    found = asyncio.run(collected())
    assert found[0].startswith(b"event: text")
    assert found.count(KEEP_ALIVE) >= 2
    assert found[-1] == b'event: text\ndata: {"text":"b"}\n\n'


def test_a_source_that_is_slow_to_begin_is_kept_alive_as_well() -> None:
    async def slow() -> AsyncGenerator[bytes, None]:
        await asyncio.sleep(0.05)
        yield b"x"

    found = sent(slow(), 0.01)
    assert found[0] == KEEP_ALIVE
    assert found[-1] == b"x"


def test_a_source_is_closed_when_its_reader_leaves() -> None:
    closed = []

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            yield b"x"
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async def left() -> None:
        response = await event_stream(endless(), 30.0)

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0.02)
            return {"type": "http.disconnect"}

        async def send(_: Any) -> None:
            pass

        await response({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)

    asyncio.run(asyncio.wait_for(left(), STALL))
    assert closed == [True]


def test_an_error_before_the_first_event_is_raised_and_closes_the_source() -> None:
    async def failing() -> AsyncGenerator[bytes, None]:
        raise OutOfMemory(device="cpu")
        yield b""

    with pytest.raises(OutOfMemory):
        sent(failing(), 30.0)


# ---- what is told of it


def test_the_description_of_the_operation_is_complete(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/analyze_image"]["post"]
    content = operation["responses"]["200"]["content"]
    assert content.keys() == {"application/json", "text/event-stream"}
    for example in content["application/json"]["examples"].values():
        AnalysisOut.model_validate(example["value"])
    names = [name for name, _ in events_of(content["text/event-stream"]["example"])]
    assert names == ["phase", "text", "done"]
    assert set(operation["responses"]) >= {"200", "403", "413", "422", "502", "503", "504"}
