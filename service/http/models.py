"""``/models``: what is in memory and on the disk, loading, unloading and downloading."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from core.engines import BUILT_IN
from core.errors import LicenceNotAccepted, ModelUnknown
from core.events import HostState
from core.models.entries import Checkpoint, Progress
from core.service_errors import NoDownload, ServiceStopping
from service.http.context import Context, context, context_of
from service.http.downloads import Download, Downloads, DownloadState
from service.http.events import described, event, event_stream
from service.http.metrics import memory_of
from service.http.ocr import Notice
from service.http.problem_docs import TOKEN, ProblemDetails, told
from service.http.problems import problem_json, request_id
from service.http.security import privileged
from service.models_choice import find_chosen, own_folders
from service.models_text import folder_json, model_json

router = APIRouter(tags=["models"])

Role = Literal["ocr", "vision"]
_ROLES: tuple[Role, ...] = ("ocr", "vision")


class RoleOut(BaseModel):
    """What a role's model is doing. `revision` and `model` are what is loaded, or would be."""

    role: Role = Field(description="`ocr` reads, `vision` answers questions.")
    state: Literal["unloaded", "loading", "ready", "busy", "failed"]
    engine: str = Field(description="Which engine runs it; empty while it is not known.")
    model: str = Field(description="Its title, or its name on the server that answers; may be empty.")
    repo: str = Field(description="Its hub id; empty for a folder, a server and the built-in engine.")
    revision: str = Field(description="Its commit; empty where it has none.")
    device: str = Field(description="Where it is loaded: `cpu`, `cuda:0`, `mps`.")
    precision: str
    memory: int = Field(description="What its process has for itself in RAM now, in bytes; 0 where none is.")
    vram: int = Field(description="What it took of the graphics card, in bytes; 0 where not known.")
    error: Notice | None = Field(default=None, description="Why it could not be loaded.")
    notice: Notice | None = Field(default=None, description="Why it does not run where it was asked to.")


class RevisionOut(BaseModel):
    commit: str
    size: int = Field(description="In bytes.")
    complete: bool
    current: bool = Field(description="It is loaded when the model is used.")
    in_use: bool = Field(description="It is what reads, or answers.")
    last_used: str | None = Field(description="ISO 8601.")
    converted: bool
    imported: bool


class ModelOut(BaseModel):
    """A model that is here or could be; sizes in bytes."""

    name: str = Field(description="Of a folder of the operator's own the last part of its path.")
    repo: str = Field(description="Its hub id; empty for a folder of the operator's own.")
    title: str
    role: str
    what_for: str
    state: str = Field(
        description="`ready`, `partial` (a download was begun), `missing`, or `unusable` for a folder of the "
        "operator's own that cannot be loaded."
    )
    chosen: bool = Field(description="The settings name it.")
    automatic: bool = Field(description="It is taken since the settings name none.")
    partial_bytes: int
    needed_bytes: int = Field(description="The whole download, rounded; 0 where not known.")
    disk_bytes: int
    memory_bytes: int = Field(description="What working with it needs on the CPU; 0 where not known.")
    licence: str | None
    licence_open: bool | None
    revisions: list[RevisionOut]


class ModelsOut(BaseModel):
    roles: list[RoleOut]
    models: list[ModelOut]


class ProgressOut(BaseModel):
    phase: str = Field(
        description="`download`, `wait` (for the hub, or before another try), `verify` or `convert`."
    )
    detail: str = Field(description="What it does, as a sentence.")
    file: str
    done: int = Field(description="Bytes of the whole job in that phase.")
    total: int
    rate: float = Field(description="Bytes per second, lately.")
    left: float | None = Field(
        description="Seconds, in the phase `wait` until the next try; null while it cannot be told."
    )


class DownloadedOut(BaseModel):
    repo: str
    commit: str
    revision: str
    total_bytes: int
    received_bytes: int = Field(description="Over the network, this time.")
    converted: bool
    licence: str


class DownloadOut(BaseModel):
    """A download, and how it stands."""

    model: str
    state: DownloadState
    progress: ProgressOut | None = None
    result: DownloadedOut | None = None
    error: ProblemDetails | None = None


_ROLE_EXAMPLE = {
    "role": "ocr",
    "state": "ready",
    "engine": "manga-ocr",
    "model": "MangaOCR base",
    "repo": "kha-white/manga-ocr-base",
    "revision": "aa6573bd10b0d446cbf622e29c3e084914df9741",
    "device": "cuda:0",
    "precision": "fp16",
    "memory": 780000000,
    "vram": 300000000,
    "error": None,
    "notice": None,
}
_PROGRESS = {
    "phase": "download",
    "detail": "Fetching model.safetensors.",
    "file": "model.safetensors",
    "done": 41000000,
    "total": 444200000,
    "rate": 9500000.0,
    "left": 42.4,
}
_RUNNING = {"model": "manga-ocr", "state": "running", "progress": _PROGRESS, "result": None, "error": None}
_STREAM = """\
event: start
data: {"model":"manga-ocr","state":"running","progress":null,"result":null,"error":null}

event: progress
data: {"phase":"download","detail":"Fetching a.bin.","file":"a.bin","done":4,"total":9,"rate":1.0,"left":5.0}

event: end
data: {"model":"manga-ocr","state":"done","progress":null,"result":null,"error":null}

"""
_UNKNOWN = ModelUnknown(model="mangaocr")
_Role = Annotated[Role, Path(description="`ocr` reads, `vision` answers questions.")]
_Name = Annotated[
    str,
    Path(
        max_length=256,
        description="A name of the list or a hub id (`owner/name`), `@revision` after it where one is meant.",
        examples=["manga-ocr"],
    ),
]


def downloads(request: Request) -> Downloads:
    """Those of the application; made by the first who asks."""
    state = request.app.state
    if not hasattr(state, "downloads"):
        state.downloads = Downloads(context_of(request).library)
    found: Downloads = state.downloads
    return found


@router.get(
    "/models",
    summary="Models in memory and on the disk",
    responses={200: {"content": {"application/json": {"example": {"roles": [_ROLE_EXAMPLE], "models": []}}}}},
)
def models(context: Annotated[Context, Depends(context)]) -> ModelsOut:
    settings = context.settings.current
    choice, loaded = find_chosen(context.library, settings)
    rows = [model_json(entry, choice) for entry in context.library.all_models()]
    # Not by its path, which is nobody else's business, but as /v1/models calls it.
    rows += [
        folder_json(own, settings) | {"name": own.folder.name}
        for own in own_folders(context.library, settings)
    ]
    return ModelsOut(
        roles=[_role_out(context, role, loaded.get(role)) for role in _ROLES],
        models=[ModelOut.model_validate(row) for row in rows],
    )


def _role_out(context: Context, role: Role, loaded: Checkpoint | None) -> RoleOut:
    state = context.engine.state(role)
    vision = context.settings.current.vision
    title = loaded.title if loaded is not None else ""
    if role == "ocr" and (state.engine or context.engine.reading_engine()) == BUILT_IN:
        loaded, title = None, ""
    if role == "vision" and vision.backend == "remote":
        title = vision.server_model
    return RoleOut(
        role=role,
        state=state.state.value,
        engine=state.engine,
        model=title,
        repo=loaded.repo if loaded is not None else "",
        revision=loaded.commit if loaded is not None else "",
        device=state.device,
        precision=state.precision,
        memory=memory_of(state),
        vram=state.vram,
        **_why(state),
    )


def _why(state: HostState) -> dict[str, Notice | None]:
    told = {"error": state.error, "notice": state.notice}
    return {name: None if error is None else Notice.of(error) for name, error in told.items()}


@router.post(
    "/models/{role}/load",
    summary="Load a role's model",
    status_code=202,
    dependencies=[Depends(privileged)],
    responses=told(*TOKEN),
)
def load(role: _Role, context: Annotated[Context, Depends(context)]) -> RoleOut:
    """It is loaded in the background; `GET /models` tells how far it is, and why where it fails."""
    context.engine.load(role)
    return _now(context, role)


@router.post(
    "/models/{role}/unload",
    summary="Free the memory of a role's model",
    status_code=202,
    dependencies=[Depends(privileged)],
    responses=told(*TOKEN),
)
def unload(role: _Role, context: Annotated[Context, Depends(context)]) -> RoleOut:
    """As soon as nothing runs. The next request loads it again, also on a device that had failed."""
    context.engine.retry_devices(role)
    context.engine.unload(role)
    return _now(context, role)


def _now(context: Context, role: Role) -> RoleOut:
    return _role_out(context, role, find_chosen(context.library, context.settings.current)[1].get(role))


@router.post(
    "/models/{name:path}/download",
    summary="Download a model",
    status_code=202,
    response_model=DownloadOut,
    dependencies=[Depends(privileged)],
    responses={
        202: {
            "description": "It runs, also when nobody listens.",
            "content": {"application/json": {"example": _RUNNING}},
        },
        200: {
            "description": "With `stream=true`: the events of `/download/events`.",
            "content": described(_STREAM, "start", "progress", "end", "error"),
        },
        **told(
            *TOKEN,
            _UNKNOWN,
            LicenceNotAccepted(model="LLaVA", licence="llama2"),
        ),
    },
)
async def download(
    request: Request,
    name: _Name,
    downloads: Annotated[Downloads, Depends(downloads)],
    context: Annotated[Context, Depends(context)],
    accept_license: Annotated[
        bool, Query(description="Accept its licence, where it is not an open-source one.")
    ] = False,
    stream: Annotated[bool, Query(description="Tell its progress as it comes.")] = False,
) -> Any:
    """Goes on with one that was paused; a second request joins the one that runs."""
    started = await downloads.start(name, accept_license)
    if stream:
        return await event_stream(_events(context, request, started))
    return _download_out(request, started)


@router.get(
    "/models/{name:path}/download",
    summary="How a download stands",
    dependencies=[Depends(privileged)],
    responses={
        200: {"content": {"application/json": {"example": _RUNNING}}},
        **told(*TOKEN, _UNKNOWN, NoDownload(model="manga-ocr")),
    },
)
async def download_state(
    request: Request, name: _Name, downloads: Annotated[Downloads, Depends(downloads)]
) -> DownloadOut:
    return _download_out(request, await downloads.find(name))


@router.get(
    "/models/{name:path}/download/events",
    summary="The progress of a download as it comes",
    response_class=Response,
    dependencies=[Depends(privileged)],
    responses={
        200: {
            "description": "Server-sent events: `start` (how it stands), `progress` a few times a second, "
            "and `end` (how it has ended), or `error` when the service is shut down.",
            "content": described(_STREAM, "start", "progress", "end", "error"),
        },
        **told(*TOKEN, _UNKNOWN, NoDownload(model="manga-ocr")),
    },
)
async def download_events(
    request: Request,
    name: _Name,
    downloads: Annotated[Downloads, Depends(downloads)],
    context: Annotated[Context, Depends(context)],
) -> Response:
    return await event_stream(_events(context, request, await downloads.find(name)))


@router.post(
    "/models/{name:path}/download/pause",
    summary="Pause a download",
    status_code=202,
    dependencies=[Depends(privileged)],
    responses=told(*TOKEN, _UNKNOWN, NoDownload(model="manga-ocr")),
)
async def pause(
    request: Request, name: _Name, downloads: Annotated[Downloads, Depends(downloads)]
) -> DownloadOut:
    """What was received is kept, and the next download goes on from there."""
    found = await downloads.find(name)
    found.pause()
    return _download_out(request, found)


def _download_out(request: Request, download: Download) -> DownloadOut:
    progress, error = download.progress, download.error
    return DownloadOut(
        model=download.model,
        state=download.state,
        progress=None if progress is None else ProgressOut.model_validate(_progress_row(progress)),
        result=None
        if download.result is None
        else DownloadedOut.model_validate(download.result, from_attributes=True),
        # That it was paused is its state, and no error.
        error=None
        if error is None or download.state == "paused"
        else ProblemDetails.model_validate(problem_json(error, request_id(request))),
    )


_PHASES = {
    "download": "Fetching {file}.",
    "wait": "Waiting before the next try.",
    "verify": "Checking {file}.",
    "convert": "Converting the weights.",
}


def _progress_row(progress: Progress) -> dict[str, Any]:
    words = _PHASES.get(progress.phase, "Working.").format(file=progress.file or "files")
    return progress.to_json() | {"detail": words}


async def _events(context: Context, request: Request, download: Download) -> AsyncGenerator[bytes, None]:
    yield event("start", _download_out(request, download).model_dump())
    with context.gate.until_stopped() as stopped:
        async with contextlib.aclosing(download.watch()) as watched:
            while True:
                step = asyncio.ensure_future(anext(watched, None))
                try:
                    await asyncio.wait((step, stopped), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not step.done():
                        step.cancel()
                        await asyncio.wait((step,))
                if step.cancelled():
                    yield event("error", problem_json(ServiceStopping(), request_id(request)))
                    return
                progress = step.result()
                if progress is None:
                    break
                yield event("progress", _progress_row(progress))
    yield event("end", _download_out(request, download).model_dump())
