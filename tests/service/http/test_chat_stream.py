"""A streamed answer whose model starts anew within it, and what is told when it breaks off."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from core.chat import Answer, AnswerPiece, Finish, Phase, Token, Usage
from core.devices import Device
from core.engine import Engine
from core.errors import Cancelled, OutOfMemory
from core.memory import MemoryJudge
from core.models.library import ModelLibrary
from core.paths import Paths
from core.service_errors import AnswerChanged
from core.settings import SettingsStore
from service.http import events as sent_events
from service.http.chat_stream import Continued, Head, events
from tests.support.fake_vision_engine import FAKE_VISION
from tests.support.http_service import TINY_LLAVA, Parts, app_over, client_of

HEAD = Head("chatcmpl-1", 5, "tiny")
CARD = Device("cuda:0", "A card", 8_000_000_000, 6_000_000_000)


def answer(text: str, **fields: Any) -> Answer:
    return Answer(text, Finish.STOP, "llava", "tiny", **fields)


def told(
    *steps: AnswerPiece | Answer | Exception, logprobs: bool = False, usage: bool = False
) -> list[dict[str, Any] | str]:
    """The events of an answer that comes in these steps."""

    async def given() -> AsyncGenerator[AnswerPiece | Answer, None]:
        for step in steps:
            if isinstance(step, Exception):
                raise step
            yield step

    async def collected() -> list[bytes]:
        return [event async for event in events(HEAD, given(), logprobs, usage)]

    found: list[dict[str, Any] | str] = []
    for event in anyio.run(collected):
        assert event.startswith(b"data: ")
        assert event.endswith(b"\n\n")
        data = event[6:-2].decode()
        found.append(data if data == "[DONE]" else json.loads(data))
    return found


def contents(found: Sequence[dict[str, Any] | str]) -> list[str]:
    chunks = [one for one in found if isinstance(one, dict) and one.get("choices")]
    return [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks]


def texts(*words: str) -> list[AnswerPiece]:
    return [AnswerPiece(text=word) for word in words]


AGAIN = AnswerPiece(again=True)


def test_an_answer_that_starts_anew_and_goes_the_same_way_goes_on_where_it_was() -> None:
    found = told(*texts("a ", "cat "), AGAIN, *texts("a c", "at on", " it"), answer("a cat on it"))
    assert contents(found) == ["", "a ", "cat ", "on", " it", ""]
    assert found[-1] == "[DONE]"


@pytest.mark.parametrize("anew", [("a d", "og"), ("a ",), ("a cot",)])
def test_one_that_goes_another_way_is_told_to_have_changed(anew: tuple[str, ...]) -> None:
    found = told(*texts("a ", "cat"), AGAIN, *texts(*anew), answer("".join(anew)))
    assert contents(found) == ["", "a ", "cat"]
    assert isinstance(found[-1], dict)
    assert found[-1]["error"]["code"] == "answer_changed"
    assert found[-1]["error"]["type"] == "server_error"


def test_what_was_told_before_it_is_not_told_again_as_tokens_either() -> None:
    def piece(text: str) -> AnswerPiece:
        return AnswerPiece(text=text, tokens=(Token(text.encode(), -math.inf),))

    found = told(
        piece("a"), piece("b"), AGAIN, piece("a"), piece("b"), piece("c"), answer("abc"), logprobs=True
    )
    rows = [
        row
        for one in found
        if isinstance(one, dict) and one["choices"][0]["logprobs"]
        for row in one["choices"][0]["logprobs"]["content"]
    ]
    assert [row["token"] for row in rows] == ["a", "b", "c"]
    # and JSON has no infinity
    assert rows[0]["logprob"] == -9999.0


def test_continued_text_may_start_anew_more_than_once() -> None:
    text = Continued()
    assert (text.add("ab"), text.add("cd")) == ("ab", "cd")
    text.again()
    assert [text.add(word) for word in ("a", "bc")] == ["", ""]
    text.again()
    assert [text.add(word) for word in ("abcd", "ef")] == ["", "ef"]
    text.end()
    text.again()
    text.add("abc")
    with pytest.raises(AnswerChanged):
        text.end()


def test_what_goes_wrong_before_the_answer_is_raised_and_later_it_is_an_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = OutOfMemory(device="cuda:0")
    waits = (AnswerPiece(phase=Phase.LOADING), AnswerPiece(phase=Phase.ENCODING, total=5))
    with pytest.raises(OutOfMemory):
        told(*waits, error)
    found = told(*waits, AnswerPiece(phase=Phase.ANSWERING), error)
    assert contents(found) == [""]
    assert isinstance(found[-1], dict)
    assert found[-1]["error"]["code"] == "out_of_memory"
    # and what nobody has thought of tells nothing of the answer
    found = told(*texts("a"), ValueError("the secret"))
    assert isinstance(found[-1], dict)
    assert "secret" not in json.dumps(found)
    with pytest.raises(ValueError, match="secret"):
        told(*waits, ValueError("the secret"))
    # while after a while something has been sent to keep the connection, and with it the status
    monkeypatch.setattr(sent_events, "PAUSE", -1.0)
    found = told(*waits, error)
    assert isinstance(found[-1], dict)
    assert found[-1]["error"]["code"] == "out_of_memory"
    found = told(*waits, ValueError("the secret"))
    assert isinstance(found[-1], dict)
    assert "broke off" in found[-1]["error"]["message"]
    assert "secret" not in json.dumps(found)
    with pytest.raises(Cancelled):
        told(*waits, Cancelled())


def test_usage_that_a_server_does_not_tell_is_none() -> None:
    last = told(answer("a"), usage=True)[-2]
    assert isinstance(last, dict)
    assert (last["choices"], last["usage"]) == ([], None)
    last = told(answer("a", usage=Usage(prompt=5, answer=2, reused=3)), usage=True)[-2]
    assert isinstance(last, dict)
    assert last["usage"]["prompt_tokens_details"] == {"cached_tokens": 3}


def test_a_card_that_fails_within_an_answer_is_not_seen_by_the_client(tmp_path: Path) -> None:
    # given a card that runs out of memory after the first word
    settings = SettingsStore(tmp_path / "settings.json", environ={}, flags={"vision.model": str(TINY_LLAVA)})
    library = ModelLibrary(settings, Paths.below(tmp_path), environ={"HF_HOME": str(tmp_path / "hub")})
    memory = MemoryJudge(lambda: 8_000_000_000, lambda: [CARD])
    parts = Parts(Engine(settings, engines=(FAKE_VISION,), library=library, memory=memory), library, settings)
    try:
        with client_of(app_over(parts)) as client:
            body = {"messages": [{"role": "user", "content": "oom"}], "stream": True}
            lines = client.post("/v1/chat/completions", json=body).text.splitlines()
    finally:
        parts.close()
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    # then the CPU goes on with it
    assert contents(events) == ["", "oom ", "[0]", ""]
    assert lines[-2] == "data: [DONE]"
