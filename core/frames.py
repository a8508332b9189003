"""Frames between a host and its model process: a versioned JSON header and raw bytes, no pickle.

A frame is one message of a ``multiprocessing.connection.Connection`` (which prefixes the length):
magic ``Y``, version (1 byte), length of the header (4 bytes, little endian), header (UTF-8 JSON object),
payload (the rest). Pictures cross as RGB8 bytes; encoding them would cost more than the copy.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any, Protocol

from core.errors import PicturesTooLarge, ProtocolError
from core.types import RgbImage

VERSION = 1
MAX_FRAME = 1 << 30
MAX_PIXELS = 300_000_000
"""Of all pictures of a frame, which leaves room for the rest."""
_PREFIX = struct.Struct("<cBI")


class ByteConnection(Protocol):
    """The part of ``multiprocessing.connection.Connection`` that is used here."""

    def send_bytes(self, buf: bytes, /) -> None: ...
    def recv_bytes(self, maxlength: int | None = None, /) -> bytes: ...


def encode(header: dict[str, Any], payload: bytes = b"") -> bytes:
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join((_PREFIX.pack(b"Y", VERSION, len(text)), text, payload))


def decode(frame: bytes) -> tuple[dict[str, Any], bytes]:
    """Raises ProtocolError for anything that ``encode`` of this version did not make."""
    if len(frame) < _PREFIX.size:
        raise ProtocolError(reason="a frame is too short")
    magic, version, length = _PREFIX.unpack_from(frame)
    if magic != b"Y" or version != VERSION:
        raise ProtocolError(reason="a frame of another version")
    end = _PREFIX.size + length
    if len(frame) < end:
        raise ProtocolError(reason="a frame is cut off")
    try:
        header = json.loads(frame[_PREFIX.size : end])
    except ValueError as error:
        raise ProtocolError(reason="a header is no JSON") from error
    if not isinstance(header, dict):
        raise ProtocolError(reason="a header is no object")
    return header, frame[end:]


def send(connection: ByteConnection, header: dict[str, Any], payload: bytes = b"") -> None:
    connection.send_bytes(encode(header, payload))


def receive(connection: ByteConnection) -> tuple[dict[str, Any], bytes]:
    """Raises EOFError or OSError when the other side is gone, ProtocolError for a bad frame."""
    return decode(connection.recv_bytes(MAX_FRAME))


def image_fields(images: Sequence[RgbImage]) -> tuple[dict[str, Any], bytes]:
    """The header fields and the payload that carry pictures.

    Raises:
        PicturesTooLarge: they fit into no frame, and the other side would end.
    """
    pixels = sum(image.width * image.height for image in images)
    if pixels > MAX_PIXELS:
        raise PicturesTooLarge(megapixels=pixels // 1_000_000, limit=MAX_PIXELS // 1_000_000)
    sizes = [[image.width, image.height] for image in images]
    return {"images": sizes}, b"".join(image.data for image in images)


def images_of(header: dict[str, Any], payload: bytes) -> tuple[RgbImage, ...]:
    """The pictures that ``image_fields`` described."""
    images, start = [], 0
    for width, height in header.get("images", ()):
        end = start + 3 * width * height
        images.append(RgbImage(width, height, payload[start:end]))
        start = end
    return tuple(images)
