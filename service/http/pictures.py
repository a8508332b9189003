"""The picture that a request brings or names, decoded: limits first."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import re
from urllib.parse import unquote_to_bytes

import anyio.to_thread
from fastapi import UploadFile

from core.errors import ImageDamaged, OutOfMemory, YomitoriError
from core.images import MAX_PIXELS, load_image, pixels_of
from core.service_errors import (
    DeadlinePassed,
    PictureUrlCut,
    PictureUrlInvalid,
    RequestInvalid,
    TooManyFrames,
)
from core.types import RgbImage
from service.http.context import Context
from service.http.frame_count import has_more_frames
from service.http.image_url import FetchLimits, fetch
from service.http.room import LARGE, room

log = logging.getLogger(__name__)

MAX_FRAMES = 1000
"""Of an animated picture the first frame is read; with more of them it is no picture of a page."""
_NAME = "The file"
"""In errors, whatever the file is called: a file's name is the user's own."""
_decoders = anyio.CapacityLimiter(4)
"""A picture of the largest size takes 256 MB while it is decoded, and as much again when it is turned or made
opaque."""


async def picture_of(
    context: Context, role: str, upload: UploadFile | None, image_url: str | None
) -> RgbImage:
    """The one picture of a request for the model of that role: a file of its form, or an ``image_url``.

    Raises:
        RequestInvalid: neither, or both.
        NotAnImage, ImageDamaged, ImageTooLarge, TooManyFrames, and what ``picture_from_url`` raises.
    """
    if upload is not None and image_url:
        raise RequestInvalid(reason="it has a file and an image_url: send one of them")
    if upload is not None:
        return await decoded(await upload.read(), role, context.config.deadline)
    if image_url:
        return await picture_from_url(context, role, image_url)
    raise RequestInvalid(reason="it has neither a file nor an image_url")


async def picture_from_url(context: Context, role: str, url: str) -> RgbImage:
    """What a ``data:`` URL holds, or lies at an http(s) one whose host the operator allows.

    Raises:
        PictureUrlInvalid, PictureHostNotAllowed, PictureTooHeavy, PictureNotFetched, PictureTooSlow: nothing
            can be fetched.
        NotAnImage, ImageDamaged, ImageTooLarge, TooManyFrames: it is no picture that is read.
    """
    url = url.strip()
    if url[:5].lower() == "data:":
        data = await anyio.to_thread.run_sync(_from_data_url, url, limiter=_decoders)
    else:
        config = context.config
        data = await fetch(url, config.image_hosts, FetchLimits(config.body_bytes))
    return await decoded(data, role, context.config.deadline)


async def decoded(data: bytes, role: str, seconds: float | None = None) -> RgbImage:
    """A picture from the bytes of its file, decoded in a thread.

    A large one waits until there is room for it, for ``seconds`` at most, and has that room until the task
    ends that has called.

    Raises:
        NotAnImage, ImageDamaged, ImageTooLarge, TooManyFrames
        QueueFull, DeadlinePassed: there is no room.
    """
    seen = await anyio.to_thread.run_sync(_decode_unless_large, data, limiter=_decoders)
    if isinstance(seen, RgbImage):
        return seen
    try:
        async with asyncio.timeout(seconds):
            await room(role).enter(seen)
    except TimeoutError:
        raise DeadlinePassed(seconds=f"{seconds:.0f}") from None
    return await anyio.to_thread.run_sync(_decode, data, limiter=_decoders)


def _decode_unless_large(data: bytes) -> RgbImage | int:
    """The picture, or how many pixels a large one has."""
    pixels = pixels_of(data)
    # What claims to be larger is refused, and takes no room.
    return pixels if LARGE < pixels <= MAX_PIXELS else _decode(data)


def _decode(data: bytes) -> RgbImage:
    if has_more_frames(data, MAX_FRAMES):
        raise TooManyFrames(name=_NAME, limit=MAX_FRAMES)
    try:
        return load_image(data, _NAME)
    except YomitoriError:
        raise
    except MemoryError:
        raise OutOfMemory(device="The service") from None
    except Exception as error:
        # Whatever a decoder raises for what a stranger made, it is the picture that is wrong.
        log.warning("A picture could not be decoded: %s", type(error).__name__)
        raise ImageDamaged(name=_NAME) from None


def _from_data_url(url: str) -> bytes:
    """RFC 2397; base64 may have lost its padding, and have spaces in it."""
    head, comma, body = url.partition(",")
    if not comma:
        raise PictureUrlCut
    kind, *parameters = (part.strip().lower() for part in head[5:].split(";"))
    if kind and not kind.startswith("image/") and kind != "application/octet-stream":
        raise PictureUrlInvalid(reason="its data: URL does not say that it is a picture")
    data = unquote_to_bytes(body)
    if "base64" not in parameters:
        return data
    data = re.sub(rb"[\s=]", b"", data).translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
    except binascii.Error:
        raise PictureUrlInvalid(reason="its data: URL is not in base64") from None
