"""Opening pictures: every kind of bad input has its sentence, every odd format becomes upright RGB."""

from __future__ import annotations

import io
import os
import struct
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from core import images
from core.errors import FileUnreadable, ImageDamaged, ImageTooLarge, InputError, NotAnImage
from core.images import load_image, to_png
from core.types import RgbImage
from tests.support.ordinary_user import run_as_ordinary_user


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def pixel(image: RgbImage, x: int, y: int) -> tuple[int, ...]:
    start = (y * image.width + x) * 3
    return tuple(image.data[start : start + 3])


def png_header(width: int, height: int) -> bytes:
    """A PNG that only claims its size, as a decompression bomb does."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    packed = zlib.compress(b"\0" * 1000)
    data = b"IDAT" + packed
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", len(packed)) + data + struct.pack(">I", zlib.crc32(data))
    )  # fmt: skip


def png_16_bit(colour_type: int, *channels: int) -> bytes:
    """A PNG of two pixels beside each other with 16 bits per channel; type 2 is RGB, 6 is RGBA."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 2, 1, 16, colour_type, 0, 0, 0)
    row = b"\0" + struct.pack(f">{len(channels)}H", *channels)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(row))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7 ...", b"<svg/>", b"\x00" * 100])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(NotAnImage, match=r"notes\.txt is not a picture"):
        load_image(data, "notes.txt")


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_picture_is_damaged(kind: str, share: float) -> None:
    noise = Image.frombytes("RGB", (64, 64), os.urandom(64 * 64 * 3))
    data = encoded(noise, kind)
    with pytest.raises(ImageDamaged):
        load_image(data[: int(len(data) * share)], "page")


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (60_000, 60_000), (2_000_000, 40)])
def test_huge_pictures_are_refused_before_decoding(width: int, height: int) -> None:
    with pytest.raises(ImageTooLarge, match="at most 64 megapixels"):
        load_image(png_header(width, height), "bomb.png")


def test_one_pixel_is_a_picture() -> None:
    assert load_image(encoded(Image.new("RGB", (1, 1), (1, 2, 3)))) == RgbImage(1, 1, b"\x01\x02\x03")


def test_cmyk_becomes_rgb() -> None:
    image = load_image(encoded(Image.new("CMYK", (4, 4), (0, 0, 0, 0)), "JPEG"))
    assert pixel(image, 0, 0) == (255, 255, 255)


@pytest.mark.parametrize(("value", "expected"), [(65535, 255), (32768, 127), (200, 0)])
def test_16_bit_grey_is_scaled_not_clipped(value: int, expected: int) -> None:
    image = load_image(encoded(Image.new("I;16", (2, 2), value)))
    assert abs(pixel(image, 0, 0)[0] - expected) <= 1


def test_16_bit_colour_is_scaled_to_8() -> None:
    """Given 16 bits per channel, which Pillow cannot write, then each channel keeps its brightness."""
    image = load_image(png_16_bit(2, 65535, 32768, 200, 0, 65535, 0))
    assert (pixel(image, 0, 0), pixel(image, 1, 0)) == ((255, 128, 0), (0, 255, 0))


def test_16_bit_colour_with_transparency_is_laid_over_white() -> None:
    image = load_image(png_16_bit(6, 65535, 0, 0, 65535, 65535, 0, 0, 0))
    assert (pixel(image, 0, 0), pixel(image, 1, 0)) == ((255, 0, 0), (255, 255, 255))


def test_floating_point_grey_is_scaled_to_its_brightest_pixel() -> None:
    grey = Image.new("F", (2, 1), 0.0)
    grey.putpixel((1, 0), 1000.0)
    image = load_image(encoded(grey, "TIFF"))
    assert (pixel(image, 0, 0)[0], pixel(image, 1, 0)[0]) == (0, 255)


def test_transparency_is_laid_over_white() -> None:
    image = load_image(encoded(Image.new("RGBA", (2, 2), (255, 0, 0, 0))))
    assert pixel(image, 0, 0) == (255, 255, 255)


def test_a_palette_with_a_transparent_colour_is_laid_over_white() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 0, 0])
    palette.putpixel((1, 0), 1)
    image = load_image(encoded(palette, transparency=0))
    assert pixel(image, 0, 0) == (255, 255, 255)
    assert pixel(image, 1, 0) == (200, 0, 0)


def test_an_opaque_palette_gives_its_colours() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 0, 0])
    palette.putpixel((1, 0), 1)
    data = encoded(palette)
    assert b"PLTE" in data
    assert b"tRNS" not in data
    image = load_image(data)
    assert (pixel(image, 0, 0), pixel(image, 1, 0)) == ((10, 20, 30), (200, 0, 0))


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (3, 3), colour) for colour in ("red", "blue")]
    image = load_image(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert pixel(image, 1, 1) == (255, 0, 0)


def test_exif_rotation_is_applied() -> None:
    wide = Image.new("RGB", (8, 2), "white")
    wide.paste("black", (0, 0, 4, 2))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by 90 degrees to see it upright
    image = load_image(encoded(wide, "TIFF", exif=exif))
    assert (image.width, image.height) == (2, 8)
    assert pixel(image, 0, 0) == (0, 0, 0)
    assert pixel(image, 0, 7) == (255, 255, 255)


def test_a_missing_file_and_a_folder_are_said() -> None:
    with pytest.raises(FileUnreadable, match="No such file"):
        load_image(Path("nowhere.png"))
    with pytest.raises(FileUnreadable):
        load_image(Path(__file__).parent)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_a_file_without_rights_is_said() -> None:
    done = run_as_ordinary_user(
        "from core.errors import FileUnreadable; from core.images import load_image",
        """
try:
    load_image(locked / "secret")
except FileUnreadable as error:
    print(error)
""",
    )
    assert done.stdout == "secret cannot be opened: Permission denied.\n", done.stderr


def test_every_refusal_has_a_hint_and_an_exit_code() -> None:
    for data in (b"", png_header(20_000, 20_000)):
        with pytest.raises(InputError) as caught:
            load_image(data, "x")
        assert caught.value.advice
        assert caught.value.exit_code == 3


def test_png_round_trip() -> None:
    image = RgbImage(5, 4, os.urandom(60))
    assert load_image(to_png(image)) == image


def test_a_picture_taken_in_strips_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    # given strips of two rows, and a picture of an odd number of them
    monkeypatch.setattr(images, "_STRIP", 2 * 31)
    noise = os.urandom(31 * 7 * 3)
    # then nothing of it is lost, nor of one narrower than a strip, nor of one wider
    assert load_image(encoded(Image.frombytes("RGB", (31, 7), noise))).data == noise
    assert load_image(encoded(Image.frombytes("RGB", (7, 31), noise))).data == noise
    assert load_image(encoded(Image.frombytes("RGB", (217, 1), noise))).data == noise
