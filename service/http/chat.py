"""The interface that OpenAI's clients speak: ``/v1/chat/completions`` and ``/v1/models``."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, cast

import anyio.to_thread
from fastapi import APIRouter, Body, Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from core.chat import Answer, GenerationOptions, Message, OnAnswerPiece
from core.jobs import Job
from core.service_errors import (
    InvalidValue,
    ModelNotFound,
    RequestRefused,
    UnknownParameter,
    UnsupportedParameter,
)
from service.http.chat_models import Served, served, served_as
from service.http.chat_question import messages_of, options_of, turns_of
from service.http.chat_stream import Head, Steps, completion, events
from service.http.chat_types import (
    EXAMPLES,
    NOT_TEXT,
    UNSUPPORTED,
    ChatCompletion,
    ChatRequest,
    OpenAiError,
    ServedModel,
    ServedModels,
    field_names,
)
from service.http.context import Context, context
from service.http.events import event_stream
from service.http.forms import NAME
from service.http.invalid import reason_of
from service.http.jobs import finished, streamed
from service.http.pictures import picture_from_url

_FIELDS = frozenset(field_names())
_KINDS = ("text", "image_url", "refusal")
"""Of parts: they stand in the places of errors as well."""
_OWN_WORDS = frozenset({UNSUPPORTED, NOT_TEXT})


class _OpenAiRoute(APIRoute):
    """Tells what is wrong with a request as OpenAI does: one error, which names the parameter."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                raise _refused(error) from None

        return handled


router = APIRouter(prefix="/v1", tags=["OpenAI"], route_class=_OpenAiRoute)


def _error(about: str) -> dict[str, Any]:
    return {"model": OpenAiError, "description": about}


_ERRORS: dict[int | str, dict[str, Any]] = {
    400: _error(
        "What was sent is not taken, and `param` names it; a picture cannot be read; or the conversation is "
        "too long for the model."
    ),
    401: _error("It needs the token of the service."),
    403: _error("Not from this web page, or not a picture from that host."),
    404: _error("No such model answers here."),
    413: _error("More text or pictures than are taken at once."),
    500: _error("The model failed; the next question is answered again."),
    502: _error("A picture could not be fetched, or the server that answers failed."),
    503: _error("Too many wait, or the model cannot be loaded. `Retry-After` tells when to try again."),
    504: _error("It took longer than the service allows."),
}
_STREAM = {
    "text/event-stream": {
        # Of one event, as the framework describes its own streams.
        "itemSchema": {
            "type": "object",
            "properties": {
                "data": {
                    "type": "string",
                    "description": "With `stream`: a `chat.completion.chunk` as JSON, and `[DONE]` at the "
                    "end. An error within the answer is an object with `error`.",
                }
            },
            "required": ["data"],
        },
        "example": 'data: {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1764000000, '
        '"model": "llava-onevision-0.5b", "choices": [{"index": 0, "delta": {"content": "A cat"}, '
        '"logprobs": null, "finish_reason": null}]}\n\ndata: [DONE]\n\n',
    }
}


@router.post(
    "/chat/completions",
    summary="Answer the last turn of a conversation",
    response_model=ChatCompletion,
    responses={200: {"description": "The answer.", "content": _STREAM}, **_ERRORS},
)
async def chat_completions(
    body: Annotated[ChatRequest, Body(openapi_examples=EXAMPLES)],
    request: Request,
    context: Annotated[Context, Depends(context)],
) -> Any:
    """As OpenAI's "Create chat completion", for questions about pictures.

    Without `stream` a whole answer; with it, its pieces as they come. What would change the answer and cannot
    be done here, such as tools, is refused. Closing the connection ends the answer.
    """
    options = options_of(body, context.settings.current.vision)
    turns = turns_of(body, context.config)
    model = await anyio.to_thread.run_sync(served_as, context, body.model)
    pictures = [await picture_from_url(context, "vision", url) for turn in turns for url in turn.urls]
    messages = messages_of(turns, pictures)
    # Of the settings' model where none is here: then asking tells what to download.
    name = model.name if model is not None else "default"
    head = Head(f"chatcmpl-{uuid.uuid4().hex}", int(time.time()), name)
    logprobs = bool(body.logprobs)
    ask = _asking(context, messages, options)
    if not body.stream:
        return completion(head, await finished(context, request, "vision", ask), logprobs)
    # A generator: it is closed where the answer is left early.
    steps = cast(Steps, streamed(context, request, "vision", ask))
    return await event_stream(events(head, steps, logprobs, body.wants_usage))


@router.get("/models", summary="The model that answers")
async def list_models(context: Annotated[Context, Depends(context)]) -> ServedModels:
    """One, or none while there is nothing here to answer with: models are not switched by a request."""
    found = await anyio.to_thread.run_sync(served, context)
    return ServedModels(data=[] if found is None else [_row(found)])


@router.get("/models/{model:path}", summary="One model, by a name it goes by", responses={404: _ERRORS[404]})
async def retrieve_model(model: str, context: Annotated[Context, Depends(context)]) -> ServedModel:
    found = await anyio.to_thread.run_sync(served_as, context, model)
    if found is None:
        raise ModelNotFound(param="model", served="default")
    return _row(found)


def _asking(
    context: Context, messages: list[Message], options: GenerationOptions
) -> Callable[..., Job[Answer]]:
    def ask(on_piece: OnAnswerPiece | None = None) -> Job[Answer]:
        return context.engine.ask(messages, options, on_piece)

    return ask


def _row(model: Served) -> ServedModel:
    return ServedModel(id=model.name, created=model.created, owned_by=model.owner)


def _refused(error: RequestValidationError) -> RequestRefused:
    """The deepest of what is wrong: where several shapes are possible, the one that was meant."""
    found = max(error.errors(), key=lambda one: (len(one["loc"]), not str(one["type"]).endswith("_type")))
    kind, param = str(found["type"]), _param(found["loc"])
    reason = reason_of(found, _OWN_WORDS)
    if kind == "extra_forbidden":
        name = str(found["loc"][-1])
        # It may be anything.
        return UnknownParameter(param=name if NAME.fullmatch(name) else "of that name")
    if kind == "json_invalid" or not param:
        return RequestRefused(reason="its body has to be a JSON object")
    if kind == "union_tag_invalid":
        return UnsupportedParameter(param=param, reason="only text and image_url can be parts of a turn")
    if kind == UNSUPPORTED:
        return UnsupportedParameter(param=param, reason=reason)
    return InvalidValue(param=param, reason=reason)


def _param(loc: tuple[int | str, ...]) -> str:
    """``messages[0].content`` of a place in the body; what is no parameter of ours is left out."""
    path, before = "", loc[0]
    for part in loc[1:]:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part in _FIELDS and not (isinstance(before, int) and part in _KINDS):
            path += f".{part}" if path else part
        before = part
    return path
