"""Pictures as files, made for tests: also ones that nobody draws."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

from PIL import Image


def encoded(width: int = 4, height: int = 3, kind: str = "PNG", **options: Any) -> bytes:
    """A white picture as a file of that kind."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(buffer, kind, **options)
    return buffer.getvalue()


def animated(count: int, kind: str) -> bytes:
    """Frames or pages that differ, so that none is left out."""
    frames = [Image.new("RGB", (8, 2), ("white", "black", "red")[index % 3]) for index in range(count)]
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def gif_of(count: int) -> bytes:
    """A GIF of one pixel with so many frames, without drawing them."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    control = b"\x21\xf9\x04\x00\x00\x00\x00\x00"
    frame = control + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame * count + b"\x3b"


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose head promises that many pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(10_000))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def data_url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


MARKED = b"\x00\x00\x01"
"""The first pixel of a picture that the fake engine reads until it is cancelled."""


def endless() -> bytes:
    """A picture that the fake engine reads until it is cancelled."""
    image = Image.new("RGB", (4, 3), "white")
    image.putpixel((0, 0), tuple(MARKED))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
