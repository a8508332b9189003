"""``POST /batch/...``: many pictures in one request, one result or one problem for each, in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from pydantic import BaseModel, Field

from core.errors import Cancelled, YomitoriError
from core.service_errors import LanguageNotRead, PromptTooLong, RequestInvalid, TooManyPictures
from core.types import RgbImage
from service.http.analyze import AnalysisOut, Question, analysis_out, question_of
from service.http.context import Context, context
from service.http.jobs import Gate, finished
from service.http.ocr import DetailsField, LanguageField, OcrOut, language_of, ocr_out
from service.http.pictures import picture_of
from service.http.problem_docs import COMMON, ProblemDetails, told
from service.http.problems import problem_json, request_id

# A data: URL is a field of a form, and as long as a picture; BodyLimit bounds all of it.
router = APIRouter(form_limits={"max_part_size": 2**31})

_AT_ONCE = 8
"""Pictures of one request that are decoded and given to the engine together: enough for it to work on several
at a time, few enough for the memory that they take."""

FilesField = Annotated[
    list[UploadFile], File(default_factory=list, description="The pictures, as many parts of this name.")
]
UrlsField = Annotated[
    list[str],
    Form(
        default_factory=list,
        description="Pictures by their `data:` or http(s) URL, as `image_url`. They come after the files.",
    ),
]


class Failed(BaseModel):
    """Why a picture has no result."""

    index: int = Field(description="The place of the picture in the request, from 0.")
    error: ProblemDetails


class OcrDone(OcrOut):
    index: int = Field(description="The place of the picture in the request, from 0.")


class OcrBatch(BaseModel):
    """What was read of each picture, in the order of the request."""

    results: list[OcrDone | Failed]


class AnalysisDone(AnalysisOut):
    index: int = Field(description="The place of the picture in the request, from 0.")


class AnalysisBatch(BaseModel):
    """The answer about each picture, in the order of the request."""

    results: list[AnalysisDone | Failed]


_FAILED = {
    "index": 1,
    "error": {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "The file is damaged or not complete.",
        "hint": "Open it in a viewer to check it, or download it again.",
        "code": "ImageDamaged",
        "retryable": False,
        "instance": "a1b2c3",
    },
}
_OCR_EXAMPLE = {"results": [{"index": 0, "text": "今日は", "language": "ja"}, _FAILED]}
_ANALYSIS_EXAMPLE = {"results": [{"index": 0, "analysis": "A cat.", "confidence": 0.8}, _FAILED]}
_ERRORS = (*COMMON, TooManyPictures(count=40, limit=32))


@router.post(
    "/batch/ocr",
    tags=["reading"],
    summary="Read the text of many pictures",
    response_model=OcrBatch,
    response_model_exclude_unset=True,
    responses={
        200: {"content": {"application/json": {"example": _OCR_EXAMPLE}}},
        **told(*_ERRORS, LanguageNotRead(language="ko", known="ja")),
    },
)
async def read(
    request: Request,
    context: Annotated[Context, Depends(context)],
    files: FilesField,
    image_urls: UrlsField,
    language: LanguageField = "ja",
    details: DetailsField = False,
) -> Any:
    """Send a form with `files`, `image_urls`, or both."""
    code = await language_of(context, language)

    async def work(within: Context, picture: RgbImage) -> OcrOut:
        result = await finished(within, request, "ocr", lambda: context.engine.recognize(picture))
        return ocr_out(result, code, details)

    return {"results": await _each(context, request, "ocr", files, image_urls, work)}


@router.post(
    "/batch/analyze_image",
    tags=["asking"],
    summary="Ask the same about many pictures",
    response_model=AnalysisBatch,
    response_model_exclude_unset=True,
    responses={
        200: {"content": {"application/json": {"example": _ANALYSIS_EXAMPLE}}},
        **told(*_ERRORS, PromptTooLong(count=300000, limit=200000)),
    },
)
async def analyze(
    request: Request,
    context: Annotated[Context, Depends(context)],
    question: Annotated[Question, Depends(question_of)],
    files: FilesField,
    image_urls: UrlsField,
) -> Any:
    """Send a form with `files`, `image_urls`, or both. Each picture has a conversation of its own."""

    async def work(within: Context, picture: RgbImage) -> AnalysisOut:
        messages = question.about(picture)
        answer = await finished(
            within, request, "vision", lambda: context.engine.ask(messages, question.options)
        )
        return analysis_out(answer, question.details)

    return {"results": await _each(context, request, "vision", files, image_urls, work)}


async def _each(
    context: Context,
    request: Request,
    role: str,
    files: Sequence[UploadFile],
    urls: Sequence[str],
    work: Callable[[Context, RgbImage], Awaitable[BaseModel]],
) -> list[dict[str, Any]]:
    """What ``work`` makes of each picture, or its problem; a few at a time.

    Raises:
        RequestInvalid: there is no picture. TooManyPictures, QueueFull
        Cancelled: the client has gone.
    """
    sources: list[tuple[UploadFile | None, str | None]] = [(file, None) for file in files]
    sources += [(None, url) for url in urls if url]
    if not sources:
        raise RequestInvalid(reason="it has neither files nor image_urls")
    if len(sources) > context.config.batch:
        raise TooManyPictures(count=len(sources), limit=context.config.batch)
    # Admitted as a whole: a batch that begins is not refused in its middle.
    with _Admitted(context.gate, role, len(sources)) as gate:
        within = replace(context, gate=gate)
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(index: int) -> dict[str, Any]:
            async with places:
                try:
                    found = await work(within, await picture_of(context, *sources[index]))
                except Cancelled:
                    raise
                except YomitoriError as error:
                    return {"index": index, "error": problem_json(error, request_id(request))}
                return {"index": index, **found.model_dump(exclude_unset=True)}

        return await _together([one(index) for index in range(len(sources))])


class _Admitted(Gate):
    """Lets in the jobs of a batch, for which there is room already. What was not used of it when the batch is
    over is given back; a job gives its own place back when it ends, which may be later."""

    def __init__(self, gate: Gate, role: str, weight: int) -> None:
        gate.admit(role, weight)
        self._gate = gate
        self._role = role
        self._unused = weight

    def __enter__(self) -> _Admitted:
        return self

    def __exit__(self, *_: object) -> None:
        self._gate.release(self._role, self._unused)

    def held(self, role: str) -> int:
        return self._gate.held(role)

    def admit(self, role: str, weight: int = 1) -> None:
        self._unused -= weight

    def release(self, role: str, weight: int = 1) -> None:
        self._gate.release(role, weight)

    @contextmanager
    def until_stopped(self) -> Iterator[asyncio.Future[None]]:
        with self._gate.until_stopped() as stopped:
            yield stopped


async def _together(works: Sequence[Coroutine[Any, Any, dict[str, Any]]]) -> list[dict[str, Any]]:
    """All of them; where one is cancelled, the others are as well."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
