"""``POST /analyze_image``: a question about a picture."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.responses import Response

from core.chat import Answer, AnswerPiece, GenerationOptions, Message, OnAnswerPiece, Role
from core.errors import Cancelled, ContextFull, YomitoriError
from core.jobs import Job
from core.service_errors import PromptTooLong, RequestInvalid
from core.types import RgbImage
from service.http.context import Context, context
from service.http.events import described, event, event_stream, silence
from service.http.forms import RIGHT_FIELDS
from service.http.invalid import reason_of
from service.http.jobs import finished, streamed
from service.http.ocr import PICTURE_ERRORS, FileField, Notice, UrlField
from service.http.pictures import picture_of
from service.http.problem_docs import COMMON, told
from service.http.problems import problem_json, request_id

log = logging.getLogger(__name__)

# A data: URL is a field of a form, and as long as a picture; BodyLimit bounds all of it.
router = APIRouter(tags=["asking"], form_limits={"max_part_size": 2**31})

DEFAULT_PROMPT = "What's in this image?"


class Turn(BaseModel):
    """An earlier message of the conversation."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str


class UsageOut(BaseModel):
    """What went through the model, in tokens; null where it was not told."""

    prompt: int | None = Field(description="The whole conversation with its picture.")
    answer: int | None
    images: int | None = Field(description="Of the prompt, those of the picture.")
    reused: int | None = Field(description="Of the prompt, those that were known from before.")
    tiles: int | None = Field(description="How many pieces the picture was cut into.")
    context: int | None = Field(description="How many tokens the model can take in all.")


class AnalysisOut(BaseModel):
    """The answer. With `details` the other fields are there as well."""

    analysis: str
    confidence: float | None = Field(
        description="The geometric mean of the likelihoods that the model itself gave to its tokens, 0 to 1. "
        "It is not a calibrated probability that the answer is right; null where a server does not tell it."
    )
    finish: str | None = Field(
        default=None,
        description="Why it ended: by itself (`stop`), at `max_tokens` (`length`), at the end of what the "
        "model can take (`context`).",
    )
    engine: str | None = Field(default=None, description="`llava`, or `remote` where a server has answered.")
    model: str | None = Field(default=None, description="Which model has answered.")
    device: str | None = Field(default=None, description="Where it ran; empty for a server.")
    precision: str | None = Field(default=None, description="Of its weights.")
    seconds: float | None = Field(default=None, description="For all of it, without loading and waiting.")
    first_seconds: float | None = Field(default=None, description="Until the first piece of text.")
    usage: UsageOut | None = None
    notices: list[Notice] | None = Field(default=None, description="What had to be done to answer at all.")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about each picture of a request, and how the answer is chosen."""

    prompt: str
    history: tuple[Turn, ...]
    options: GenerationOptions
    details: bool

    def about(self, picture: RgbImage) -> list[Message]:
        """The conversation. The picture belongs to its first question: all of it is about the picture, and
        what begins alike need not be computed again."""
        turns = [*self.history, Turn(role="user", content=self.prompt)]
        first = next(index for index, turn in enumerate(turns) if turn.role == "user")
        return [
            Message(Role(turn.role), turn.content, (picture,) if index == first else ())
            for index, turn in enumerate(turns)
        ]


_turns = TypeAdapter(Annotated[list[Turn], Field(max_length=2048)])


async def question_of(
    context: Annotated[Context, Depends(context)],
    prompt: Annotated[
        str, Form(description="What you want to know.", examples=["What does the sign say?"])
    ] = DEFAULT_PROMPT,
    history: Annotated[
        str,
        Form(
            description="Earlier messages as a JSON list of objects with `role` and `content`: a system "
            "message or none, then questions and answers by turns. The first question has the picture.",
            examples=['[{"role":"user","content":"Who is this?"},{"role":"assistant","content":"A cat."}]'],
        ),
    ] = "",
    temperature: Annotated[
        float | None,
        Form(ge=0.0, le=2.0, description="0 gives the likeliest answer; by default as in the settings."),
    ] = None,
    top_p: Annotated[
        float | None,
        Form(
            gt=0.0, le=1.0, description="Only from the likeliest tokens that together have this probability."
        ),
    ] = None,
    max_tokens: Annotated[int | None, Form(ge=1, le=32768, description="Of the answer, at most.")] = None,
    seed: Annotated[
        int | None, Form(ge=0, le=2**63 - 1, description="The same seed gives the same answer.")
    ] = None,
    details: Annotated[bool, Form(description="Model, device, usage and times as well.")] = False,
) -> Question:
    """For ``Depends``: the fields of the form that are about the question.

    Raises:
        RequestInvalid, PromptTooLong
    """
    turns = _history(history)
    count = len(prompt) + sum(len(turn.content) for turn in turns)
    if count > context.config.prompt_chars:
        raise PromptTooLong(count=count, limit=context.config.prompt_chars)
    if not prompt.strip():
        prompt = DEFAULT_PROMPT
    vision = context.settings.current.vision
    options = GenerationOptions(
        vision.temperature if temperature is None else temperature,
        vision.top_p if top_p is None else top_p,
        vision.max_tokens if max_tokens is None else max_tokens,
        seed,
    )
    return Question(prompt, turns, options, details)


def _history(text: str) -> tuple[Turn, ...]:
    if not text.strip():
        return ()
    try:
        turns = _turns.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(["history", *map(str, first["loc"])])
        raise RequestInvalid(reason=f"{where}: {reason_of(first)}") from None
    spoken = turns[1:] if turns and turns[0].role == "system" else turns
    by_turns = all(turn.role == ("user", "assistant")[index % 2] for index, turn in enumerate(spoken))
    if not by_turns or len(spoken) % 2:
        raise RequestInvalid(
            reason="history: after a system message or none, user and assistant take turns, and it ends "
            "with assistant"
        )
    return tuple(turns)


_STREAM = """\
event: phase
data: {"phase":"answering","done":0,"total":0}

event: text
data: {"text":"A cat"}

event: done
data: {"analysis":"A cat","confidence":0.82}

"""
_EVENTS = (
    "With `stream=true`, server-sent events with a JSON object each: `phase` (what is waited for: `loading`, "
    "`encoding`, `reading` with `done` of `total` tokens, `answering`), `text` (a piece of the answer), "
    "`notice` (something that had to be done), `again` (the answer starts anew on another device: what came "
    "so far is no part of it), and at the end `done` (the whole answer) or `error` (a problem). Lines that "
    "begin with a colon keep the connection alive."
)
_EXAMPLES = {
    "answer": {
        "summary": "As it comes by default",
        "value": {"analysis": "A cat on a wall.", "confidence": 0.82},
    },
    "details": {
        "summary": "With details=true",
        "value": {
            "analysis": "A cat on a wall.",
            "confidence": 0.82,
            "finish": "stop",
            "engine": "llava",
            "model": "LLaVA 1.5 7B",
            "device": "cuda:0",
            "precision": "fp16",
            "seconds": 1.9,
            "first_seconds": 0.4,
            "usage": {
                "prompt": 592,
                "answer": 7,
                "images": 576,
                "reused": 0,
                "tiles": 1,
                "context": 4096,
            },
            "notices": [],
        },
    },
}


@router.post(
    "/analyze_image",
    summary="Ask about a picture",
    dependencies=RIGHT_FIELDS,
    response_model=AnalysisOut,
    response_model_exclude_unset=True,
    responses={
        200: {
            "description": f"The answer. {_EVENTS}",
            "content": {
                "application/json": {"examples": _EXAMPLES},
                **described(_STREAM, "phase", "text", "notice", "again", "done", "error"),
            },
        },
        **told(
            *COMMON,
            ContextFull(tokens=5000, limit=4096),
            PromptTooLong(count=300000, limit=200000),
            *PICTURE_ERRORS,
        ),
    },
)
async def analyze(
    request: Request,
    context: Annotated[Context, Depends(context)],
    question: Annotated[Question, Depends(question_of)],
    file: FileField = None,
    image_url: UrlField = None,
    stream: Annotated[bool, Form(description="Tell the answer as it comes.")] = False,
) -> Any:
    """Send a form with the picture as `file`, or its `image_url`."""
    messages = question.about(await picture_of(context, "vision", file, image_url))
    if stream:
        return await _stream(context, request, messages, question)
    answer = await finished(
        context, request, "vision", lambda: context.engine.ask(messages, question.options)
    )
    return analysis_out(answer, question.details)


def analysis_out(answer: Answer, details: bool) -> AnalysisOut:
    """The answer, with what ``details`` asks for."""
    if not details:
        return AnalysisOut(analysis=answer.text, confidence=answer.confidence)
    row = answer.to_json() | {
        "analysis": answer.text,
        "notices": [Notice.of(notice) for notice in answer.notices],
    }
    return AnalysisOut.model_validate(row)


async def _stream(
    context: Context, request: Request, messages: Sequence[Message], question: Question
) -> Response:
    def start(on_piece: OnAnswerPiece) -> Job[Answer]:
        return context.engine.ask(messages, question.options, on_piece)

    return await event_stream(_events(context, request, start, question.details))


async def _events(
    context: Context,
    request: Request,
    start: Callable[[OnAnswerPiece], Job[Answer]],
    details: bool,
) -> AsyncGenerator[bytes, None]:
    """The answer as events. An error before the first of them is raised, while it can still decide the
    status; later ones are told."""
    still_silent = silence()
    begun = False
    try:
        async with contextlib.aclosing(streamed(context, request, "vision", start)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                for told_event in _told(piece, details):
                    begun = True
                    yield told_event
    except YomitoriError as error:
        if not begun and (still_silent() or isinstance(error, Cancelled)):
            raise
        yield event("error", problem_json(error, request_id(request)))
    except Exception as error:
        if not begun and still_silent():
            raise
        log.exception("An answer broke off")
        yield event("error", problem_json(YomitoriError(detail=type(error).__name__), request_id(request)))


def _told(piece: AnswerPiece | Answer, details: bool) -> list[bytes]:
    if isinstance(piece, Answer):
        return [event("done", analysis_out(piece, details).model_dump(exclude_unset=True))]
    found = []
    if piece.again:
        found.append(event("again", {}))
    if piece.notice is not None:
        found.append(event("notice", Notice.of(piece.notice).model_dump()))
    if piece.phase is not None:
        found.append(event("phase", {"phase": piece.phase, "done": piece.done, "total": piece.total}))
    if piece.text:
        found.append(event("text", {"text": piece.text}))
    return found
