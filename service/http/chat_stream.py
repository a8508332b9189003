"""An answer in the pieces that OpenAI's clients expect: server-sent events, each with one JSON object."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

from core.chat import Answer, AnswerPiece, Finish, Phase, Token, Usage
from core.errors import Cancelled, YomitoriError
from core.service_errors import AnswerChanged
from service.http.chat_types import (
    ChatCompletion,
    Choice,
    ChunkChoice,
    CompletionMessage,
    CompletionUsage,
    Delta,
    FinishReason,
    Logprobs,
    PromptDetails,
    TokenLogprob,
    TopLogprob,
)
from service.http.events import silence
from service.http.problems import openai_json

log = logging.getLogger(__name__)

Steps = AsyncGenerator[AnswerPiece | Answer, None]

_LEAST = -9999.0
"""OpenAI's number for what is not likely at all: JSON has no infinity."""
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Head:
    """What every object of one answer says. ``created`` is in seconds since 1970."""

    id: str
    created: int
    model: str


def completion(head: Head, answer: Answer, logprobs: bool) -> ChatCompletion:
    """A whole answer."""
    choice = Choice(
        message=CompletionMessage(content=answer.text),
        logprobs=_logprobs(answer.tokens) if logprobs else None,
        finish_reason=_reason(answer.finish),
    )
    return ChatCompletion(
        id=head.id,
        created=head.created,
        model=head.model,
        choices=[choice],
        usage=_usage(answer.usage),
    )


async def events(head: Head, steps: Steps, logprobs: bool, usage: bool) -> AsyncGenerator[bytes, None]:
    """The body of a streamed answer. Closed early, it cancels the job.

    What goes wrong before the answer begins is raised, while that can still be told by a status; later it is
    an event.
    """
    chunks = _Chunks(head, logprobs, usage)
    still_silent = silence()
    begun = False
    try:
        async with contextlib.aclosing(steps):
            async for step in steps:
                if not begun and _begins(step):
                    begun = True
                    yield chunks.role()
                for event in chunks.step(step):
                    yield event
        yield DONE
    except YomitoriError as error:
        if not begun and (still_silent() or isinstance(error, Cancelled)):
            raise
        yield _event(openai_json(error))
    except Exception as error:
        if not begun and still_silent():
            raise
        # Not its words: they may be those of the answer.
        log.error("An answer broke off: %s", type(error).__name__)
        yield _event(openai_json(YomitoriError(detail="the answer broke off")))


def _begins(step: AnswerPiece | Answer) -> bool:
    """Whether it belongs to the answer, and not to what comes before it."""
    return isinstance(step, Answer) or bool(step.text or step.tokens) or step.phase is Phase.ANSWERING


class Continued:
    """The text of an answer that may have to start anew, for a reader who cannot be told to forget: it goes
    on where it was, as long as it goes the same way."""

    def __init__(self) -> None:
        self._told = ""
        self._text: str | None = None
        """Of the answer that was started anew; None while it is the first."""

    def again(self) -> None:
        """The answer starts anew."""
        self._text = ""

    def add(self, text: str) -> str:
        """What is new to the reader.

        Raises:
            AnswerChanged: it is no continuation of what was told.
        """
        if self._text is None:
            self._told += text
            return text
        self._text += text
        if self._told.startswith(self._text):
            return ""
        if not self._text.startswith(self._told):
            raise AnswerChanged
        new = self._text[len(self._told) :]
        self._told = self._text
        return new

    def end(self) -> None:
        """The answer is whole; raises AnswerChanged where more of it was told than there is."""
        if self._text is not None and self._text != self._told:
            raise AnswerChanged


class _Chunks:
    def __init__(self, head: Head, logprobs: bool, usage: bool) -> None:
        self._head = head
        self._logprobs = logprobs
        self._usage = usage
        self._text = Continued()

    def role(self) -> bytes:
        return self._chunk(Delta(role="assistant", content=""))

    def step(self, step: AnswerPiece | Answer) -> list[bytes]:
        """The events that tell it; raises AnswerChanged."""
        if isinstance(step, Answer):
            return self._end(step)
        if step.again:
            self._text.again()
        text = self._text.add(step.text)
        tokens = step.tokens if self._logprobs and (text or not step.text) else ()
        if not text and not tokens:
            return []
        return [self._chunk(Delta(content=text), tokens)]

    def _end(self, answer: Answer) -> list[bytes]:
        self._text.end()
        made = [self._chunk(Delta(), finish=_reason(answer.finish))]
        if self._usage:
            used = _usage(answer.usage)
            made.append(self._event([], used.model_dump() if used is not None else None))
        return made

    def _chunk(self, delta: Delta, tokens: Sequence[Token] = (), finish: FinishReason | None = None) -> bytes:
        choice = ChunkChoice(
            delta=delta,
            logprobs=_logprobs(tokens) if tokens else None,
            finish_reason=finish,
        )
        return self._event([{**choice.model_dump(), "delta": delta.model_dump(exclude_none=True)}])

    def _event(self, choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
        head = self._head
        made: dict[str, Any] = {
            "id": head.id,
            "object": "chat.completion.chunk",
            "created": head.created,
            "model": head.model,
            "choices": choices,
        }
        # Where it is asked for, every piece has it, and all but the last have none.
        return _event({**made, "usage": usage} if self._usage else made)


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def _reason(finish: Finish) -> FinishReason:
    return "stop" if finish is Finish.STOP else "length"


def _usage(usage: Usage) -> CompletionUsage | None:
    if usage.prompt is None or usage.answer is None:
        return None
    return CompletionUsage(
        prompt_tokens=usage.prompt,
        completion_tokens=usage.answer,
        total_tokens=usage.prompt + usage.answer,
        prompt_tokens_details=PromptDetails(cached_tokens=usage.reused or 0),
    )


def _logprobs(tokens: Sequence[Token]) -> Logprobs:
    return Logprobs(content=[_token(token) for token in tokens])


def _token(token: Token) -> TokenLogprob:
    top = [TopLogprob(**_likelihood(one)) for one in token.top]
    return TokenLogprob(**_likelihood(token), top_logprobs=top)


def _likelihood(token: Token) -> dict[str, Any]:
    return {"token": token.text, "logprob": max(_LEAST, token.logprob), "bytes": list(token.data)}
