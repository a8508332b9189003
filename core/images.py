"""Opening pictures: limits before decoding, then upright opaque RGB."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import FileUnreadable, ImageDamaged, ImageTooLarge, NotAnImage
from core.types import RgbImage

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 64_000_000
"""Larger pictures are refused before they are decoded (as RGB this is 192 MB)."""
MAX_BYTES = 256_000_000
_STRIP = 1_000_000
"""Pixels."""
_TOO_LONG = f"it is larger than {MAX_BYTES // 1_000_000} MB"
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm")


def load_image(source: Path | bytes, name: str = "") -> RgbImage:
    """Open a file, or the bytes of one.

    Animated pictures give their first frame; EXIF orientation is applied; transparency is laid over
    white; 16-bit grey is scaled to 8 bits; CMYK and palettes become RGB.

    Raises:
        FileUnreadable: it cannot be opened.
        NotAnImage: no format that is read, or empty.
        ImageTooLarge: more than ``MAX_PIXELS``.
        ImageDamaged: cut off or broken.
    """
    if isinstance(source, Path):
        name = name or source.name
        source = _read(source, name)
    if len(source) > MAX_BYTES:
        raise FileUnreadable(name=name, reason=_TOO_LONG)
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Our own limit is checked below, before decoding; Pillow's would only warn.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(source), formats=FORMATS) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise too_large(name, width, height)
                image.load()
                # In place: a copy of the largest picture takes 256 MB.
                ImageOps.exif_transpose(image, in_place=True)
                rgb = _to_rgb(image)
                return RgbImage(rgb.width, rgb.height, _bytes_of(rgb))
    except UnidentifiedImageError:
        raise NotAnImage(name=name) from None
    except Image.DecompressionBombError:
        raise too_large(name, "?", "?") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError) as error:
        # Pillow's decoders raise all of these for broken files.
        raise ImageDamaged(name=name) from error


def pixels_of(data: bytes) -> int:
    """How many pixels the picture in a file claims to have; 0 where that cannot be told."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                return image.width * image.height
    except Exception:
        # Decoders raise nearly anything; whoever decodes it says what is wrong.
        return 0


def too_large(name: str, width: object, height: object) -> ImageTooLarge:
    """The error for a picture of more than ``MAX_PIXELS``."""
    return ImageTooLarge(name=name, width=width, height=height, limit=MAX_PIXELS // 1_000_000)


def _read(path: Path, name: str) -> bytes:
    try:
        # A pipe could keep us waiting for ever, a device never end.
        if not path.is_dir() and path.exists() and not path.is_file():
            raise FileUnreadable(name=name, reason="it is no ordinary file")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileUnreadable(name=name, reason=error.strerror or str(error)) from error


def _to_rgb(image: Image.Image) -> Image.Image:
    """An RGB picture over white."""
    from PIL import Image

    if image.mode in ("I", "I;16", "I;16B", "I;16L", "F"):
        return _grey8(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _bytes_of(image: Image.Image) -> bytes:
    """Its pixels, taken in strips: at once Pillow has all of them twice for a moment, in small pieces."""
    rows = max(1, _STRIP // image.width)
    if image.height <= rows:
        return image.tobytes()
    buffer = io.BytesIO()
    for top in range(0, image.height, rows):
        buffer.write(image.crop((0, top, image.width, min(image.height, top + rows))).tobytes())
    return buffer.getvalue()


def _grey8(image: Image.Image) -> Image.Image:
    """8-bit grey from grey of 16 bits, 32 bits or floating point (scaled to its brightest pixel)."""
    grey = image.convert("F")
    _, brightest = grey.getextrema()
    top = 65535.0 if image.mode.startswith("I;16") else max(float(brightest), 255.0)  # type: ignore[arg-type]
    return grey.point(lambda value: value * (255.0 / top)).convert("L")


def to_png(image: RgbImage) -> bytes:
    """PNG bytes, packed fast rather than small."""
    from PIL import Image

    buffer = io.BytesIO()
    picture = Image.frombuffer("RGB", (image.width, image.height), image.data)
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
