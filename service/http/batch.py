"""``POST /batch/...``: many pictures in one request, one result or one problem for each, in their order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from pydantic import BaseModel, Field

from core.errors import Cancelled, YomitoriError
from core.service_errors import LanguageNotRead, PromptTooLong, RequestInvalid, TooManyPictures
from core.types import RgbImage
from service.http.analyze import AnalysisOut, Question, analysis_out, question_of
from service.http.context import Context, context
from service.http.forms import RIGHT_FIELDS
from service.http.gate import Place, Share
from service.http.jobs import finished, placed
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
    dependencies=RIGHT_FIELDS,
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

    async def work(picture: RgbImage, place: Place) -> OcrOut:
        result = await finished(context, request, "ocr", lambda: context.engine.recognize(picture), place)
        return ocr_out(result, code, details)

    return {"results": await _each(context, request, "ocr", files, image_urls, work)}


@router.post(
    "/batch/analyze_image",
    tags=["asking"],
    summary="Ask the same about many pictures",
    dependencies=RIGHT_FIELDS,
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

    async def work(picture: RgbImage, place: Place) -> AnalysisOut:
        messages = question.about(picture)
        answer = await finished(
            context, request, "vision", lambda: context.engine.ask(messages, question.options), place
        )
        return analysis_out(answer, question.details)

    return {"results": await _each(context, request, "vision", files, image_urls, work)}


async def _each(
    context: Context,
    request: Request,
    role: str,
    files: Sequence[UploadFile],
    urls: Sequence[str],
    work: Callable[[RgbImage, Place], Awaitable[BaseModel]],
) -> list[dict[str, Any]]:
    """What ``work`` makes of each picture, or its problem; a few at a time. ``work`` gives the place back.

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
    at_once = asyncio.Semaphore(_AT_ONCE)
    begun = time.monotonic()
    # Of which no job is counted yet.
    waiting = set(range(len(sources)))

    async def read(index: int, share: Share) -> BaseModel:
        place = await placed(context, request, share)
        try:
            picture = await picture_of(context, role, *sources[index])
        except BaseException as error:
            place.release()
            if not isinstance(error, asyncio.CancelledError):
                waiting.discard(index)
            raise
        waiting.discard(index)
        return await work(picture, place)

    async def one(index: int, share: Share) -> dict[str, Any]:
        async with at_once:
            try:
                found = await read(index, share)
            except Cancelled:
                raise
            except YomitoriError as error:
                return {"index": index, "error": problem_json(error, request_id(request))}
            return {"index": index, **found.model_dump(exclude_unset=True)}

    with context.gate.batch(role) as share:
        try:
            return await _together([one(index, share) for index in range(len(sources))])
        finally:
            # Those that never got in, since the client or the time was gone before.
            for _ in waiting:
                context.metrics.job_done(role, "cancelled", time.monotonic() - begun)


async def _together(works: Sequence[Coroutine[Any, Any, dict[str, Any]]]) -> list[dict[str, Any]]:
    """All of them; where one is cancelled, the others are as well."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
