"""``POST /ocr``: the text in a picture."""

from __future__ import annotations

from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from pydantic import BaseModel, Field

from core.engines import ENGINES
from core.errors import ImageDamaged, ImageTooLarge, NotAnImage, YomitoriError
from core.service_errors import (
    LanguageNotRead,
    PictureHostNotAllowed,
    PictureNotFetched,
    PictureTooHeavy,
    PictureTooSlow,
    PictureUrlInvalid,
    TooManyFrames,
)
from core.types import OcrResult
from service.http.context import Context, context
from service.http.forms import RIGHT_FIELDS
from service.http.jobs import finished
from service.http.pictures import MAX_FRAMES, picture_of
from service.http.problem_docs import COMMON, told

# A data: URL is a field of a form, and as long as a picture; BodyLimit bounds all of it.
router = APIRouter(tags=["reading"], form_limits={"max_part_size": 2**31})

_Box = Annotated[
    list[int],
    Field(
        min_length=4,
        max_length=4,
        description="x, y, width and height in pixels of the picture.",
        examples=[[12, 8, 40, 160]],
    ),
]
_Likelihoods = Annotated[
    list[float],
    Field(description="Per character, 0 to 1, not calibrated; empty where the engine does not tell."),
]


class Notice(BaseModel):
    """Something that had to be done to answer at all, such as taking another device."""

    code: str
    detail: str
    hint: str

    @classmethod
    def of(cls, error: YomitoriError) -> Notice:
        return cls(code=type(error).__name__, detail=error.message, hint=error.advice)


class FuriganaOut(BaseModel):
    """A reading aid beside `text[start:end]` of its line."""

    text: str
    box: _Box
    start: int
    end: int


class Line(BaseModel):
    """One line or column, without its furigana."""

    text: str
    box: _Box
    confidences: _Likelihoods
    furigana: list[FuriganaOut]


class Reading(BaseModel):
    """Another reading of a block than the one that was kept."""

    text: str
    how: str = Field(description="`beam`, `inverted`, `enlarged` or `built-in`.")
    confidences: _Likelihoods


class Block(BaseModel):
    """Lines that belong together, such as a speech bubble."""

    box: _Box
    direction: str = Field(description="`vertical` or `horizontal`.")
    lines: list[Line]
    alternatives: list[Reading]
    how: str = Field(description="As for alternatives; empty for the engine's first look.")
    confidence: float | None = Field(description="The mean of its characters, 0 to 1, not calibrated.")


class OcrOut(BaseModel):
    """The text that was read. With `details` the other fields are there as well."""

    text: str = Field(description="All of it, in reading order, after post-processing.")
    language: str = Field(description="Of the text, as a code.")
    confidence: float | None = Field(
        default=None, description="The mean likelihood per character, 0 to 1, not calibrated."
    )
    engine: str | None = Field(default=None, description="Which engine has read.")
    device: str | None = Field(default=None, description="Where it ran: `cpu`, `cuda:0`, `mps`.")
    precision: str | None = Field(
        default=None, description="Of its weights; empty where there is none to choose."
    )
    seconds: float | None = Field(
        default=None, description="The engine took so long, without loading and waiting."
    )
    blocks: list[Block] | None = Field(default=None, description="In reading order.")
    notice: Notice | None = Field(
        default=None, description="Why another engine than the one asked for has read."
    )


FileField = Annotated[
    UploadFile | None,
    File(description="The picture: PNG, JPEG, WebP, GIF, BMP or TIFF. Of several frames the first is read."),
]
UrlField = Annotated[
    str | None,
    Form(
        description="Instead of a file: a `data:` URL, or an http(s) one of a host that the operator allows.",
        examples=["data:image/png;base64,iVBORw0KGgo="],
    ),
]
LanguageField = Annotated[
    str, Form(max_length=64, description="Of the text in the picture, as a code.", examples=["ja"])
]
DetailsField = Annotated[bool, Form(description="Blocks, lines, confidence, engine and seconds as well.")]

PICTURE_ERRORS: tuple[YomitoriError, ...] = (
    NotAnImage(name="The file"),
    ImageDamaged(name="The file"),
    ImageTooLarge(name="The file", width=20000, height=20000, limit=64),
    TooManyFrames(name="The file", limit=MAX_FRAMES),
    PictureUrlInvalid(reason="only data:, http: and https: are known"),
    PictureHostNotAllowed(host="example.org", reason="the operator has not allowed it"),
    PictureTooHeavy(host="example.org", limit=32),
    PictureNotFetched(host="example.org", reason="it answered with the status 404"),
    PictureTooSlow(host="example.org", seconds=20),
)
_READERS = [spec for spec in ENGINES if spec.role == "ocr"]
_EXAMPLES = {
    "text": {"summary": "As it comes by default", "value": {"text": "今日は学校に", "language": "ja"}},
    "details": {
        "summary": "With details=true",
        "value": {
            "text": "今日",
            "language": "ja",
            "confidence": 0.97,
            "engine": "manga-ocr",
            "device": "cuda:0",
            "precision": "fp16",
            "seconds": 0.041,
            "blocks": [
                {
                    "box": [12, 8, 40, 80],
                    "direction": "vertical",
                    "lines": [
                        {
                            "text": "今日",
                            "box": [14, 10, 30, 76],
                            "confidences": [0.99, 0.95],
                            "furigana": [{"text": "きょう", "box": [45, 10, 8, 76], "start": 0, "end": 2}],
                        }
                    ],
                    "alternatives": [],
                    "how": "",
                    "confidence": 0.97,
                }
            ],
            "notice": None,
        },
    },
}


@router.post(
    "/ocr",
    summary="Read the text of a picture",
    dependencies=RIGHT_FIELDS,
    response_model=OcrOut,
    response_model_exclude_unset=True,
    responses={
        200: {"content": {"application/json": {"examples": _EXAMPLES}}},
        **told(*COMMON, LanguageNotRead(language="ko", known="ja"), *PICTURE_ERRORS),
    },
)
async def read(
    request: Request,
    context: Annotated[Context, Depends(context)],
    file: FileField = None,
    image_url: UrlField = None,
    language: LanguageField = "ja",
    details: DetailsField = False,
) -> OcrOut:
    """Send a form with the picture as `file`, or its `image_url`."""
    code = await language_of(context, language)
    picture = await picture_of(context, "ocr", file, image_url)
    result = await finished(context, request, "ocr", lambda: context.engine.recognize(picture))
    return ocr_out(result, code, details)


async def language_of(context: Context, asked: str) -> str:
    """The code of the language that is asked for: ``ja`` also for ``ja-JP``.

    Raises:
        LanguageNotRead: the engine that would read cannot read it.
    """
    code = asked.strip().replace("_", "-").partition("-")[0].lower()
    if all(code in spec.languages for spec in _READERS):
        return code
    # Which engine it is depends on files.
    engine = await anyio.to_thread.run_sync(context.engine.reading_engine)
    # Where none can read now, the job tells why.
    chosen = [spec for spec in _READERS if spec.name == engine] or _READERS
    readable = dict.fromkeys(code for spec in chosen for code in spec.languages)
    if code not in readable:
        # What was sent is not told back at length.
        raise LanguageNotRead(language=asked.strip()[:16] or "?", known=", ".join(readable))
    return code


def ocr_out(result: OcrResult, language: str, details: bool) -> OcrOut:
    """The answer, with what ``details`` asks for."""
    if not details:
        return OcrOut(text=result.text, language=language)
    row: dict[str, Any] = result.to_json() | {
        "language": language,
        "confidence": result.confidence,
        "notice": Notice.of(result.notice) if result.notice is not None else None,
        "blocks": [block.to_json() | {"confidence": block.confidence} for block in result.blocks],
    }
    return OcrOut.model_validate(row)
