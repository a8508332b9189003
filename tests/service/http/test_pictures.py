"""What comes as a picture: limits before decoding, and nothing of it on a disk."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from core.errors import ImageDamaged, ImageTooLarge, NotAnImage, OutOfMemory, YomitoriError
from core.service_errors import PictureUrlCut, PictureUrlInvalid, TooManyFrames
from core.types import RgbImage
from service.http import pictures
from service.http.frame_count import has_more_frames
from service.http.pictures import MAX_FRAMES, decoded, picture_from_url
from tests.support.http_service import context_of
from tests.support.pictures import animated, data_url, encoded, gif_of, png_claiming


def decode(data: bytes) -> RgbImage:
    return asyncio.run(decoded(data, "ocr"))


def refused(data: bytes) -> type[YomitoriError]:
    with pytest.raises(YomitoriError) as raised:
        decode(data)
    return type(raised.value)


def from_url(app: FastAPI, url: str) -> RgbImage:
    return asyncio.run(picture_from_url(context_of(app), "ocr", url))


# ---- frames


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_frames_are_counted_as_far_as_asked(kind: str) -> None:
    data = animated(5, kind)
    with Image.open(io.BytesIO(data)) as image:
        assert image.n_frames == 5  # type: ignore[attr-defined]
    assert has_more_frames(data, 4)
    assert not has_more_frames(data, 5)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
def test_one_picture_is_one_frame(kind: str) -> None:
    assert not has_more_frames(encoded(kind=kind), 1)


def test_a_gif_that_pillow_wrote_counts_as_pillow_counts() -> None:
    # With comments and tables of colours of its own for each frame
    frames = [Image.effect_noise((9, 9), 90).convert("P") for _ in range(7)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], comment=b"x" * 700, loop=0)
    assert has_more_frames(buffer.getvalue(), 6)
    assert not has_more_frames(buffer.getvalue(), 7)


@pytest.mark.parametrize("end", [5, 11, 13, 20, 26, 31])
def test_what_is_cut_off_counts_as_far_as_it_goes(end: int) -> None:
    assert not has_more_frames(gif_of(3)[:end], 1)


def test_pages_that_lead_back_to_the_first_end_somewhere() -> None:
    data = bytearray(encoded(kind="TIFF"))
    first = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[first : first + 2], "little")
    after = first + 2 + 12 * entries
    data[after : after + 4] = first.to_bytes(4, "little")
    assert not has_more_frames(bytes(data), 10)


def test_a_picture_with_too_many_frames_is_refused_before_any_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def decoded_all_the_same(*_: object) -> None:
        raise AssertionError("it was decoded")

    assert decode(gif_of(MAX_FRAMES)).width == 1
    monkeypatch.setattr(pictures, "load_image", decoded_all_the_same)
    assert refused(gif_of(MAX_FRAMES + 1)) is TooManyFrames


# ---- decoding


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", NotAnImage),
        (b"hello", NotAnImage),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", NotAnImage),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", NotAnImage),
        (encoded(90, 90)[:60], ImageDamaged),
        (encoded(kind="JPEG")[:300], ImageDamaged),
        (png_claiming(60_000, 60_000), ImageTooLarge),
        (png_claiming(8001, 8000), ImageTooLarge),
        (png_claiming(100, 50_000), ImageDamaged),
    ],
)
def test_what_is_no_picture_is_told(data: bytes, error: type[YomitoriError]) -> None:
    assert refused(data) is error


@pytest.mark.parametrize("failure", [RuntimeError, AssertionError])
def test_whatever_a_decoder_raises_is_about_the_picture(
    failure: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise failure("/home/secret")

    monkeypatch.setattr(pictures, "load_image", fail)
    with pytest.raises(YomitoriError) as raised:
        decode(encoded())
    assert raised.value.http_status < 500
    assert "secret" not in raised.value.message


def test_memory_that_runs_out_is_told_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(pictures, "load_image", fail)
    with pytest.raises(OutOfMemory) as raised:
        decode(encoded())
    assert raised.value.message == "The service ran out of memory."


# ---- data: URLs


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url,
        lambda url: url.replace("data:image/png", "DATA:IMAGE/PNG"),
        lambda url: url.replace("image/png", ""),
        lambda url: url.replace("image/png", "image/png;name=a.png"),
        lambda url: url.replace("image/png", "application/octet-stream"),
        lambda url: url.rstrip("="),
        lambda url: url.replace("+", "-").replace("/", "_").replace("image_png", "image/png"),
        lambda url: url.replace("+", "%2B").replace("=", "%3D"),
        lambda url: url[:60] + "\n " + url[60:],
    ],
)
def test_a_data_url_is_read_as_browsers_read_it(app: FastAPI, change: Callable[[str], str]) -> None:
    assert from_url(app, change(data_url(encoded(7, 5)))).width == 7


def test_a_data_url_without_base64_has_its_bytes_escaped(app: FastAPI) -> None:
    escaped = "".join(f"%{byte:02x}" for byte in encoded(6, 5))
    assert from_url(app, f"data:image/png,{escaped}").width == 6


@pytest.mark.parametrize(
    "url",
    ["data:image/png;base64,A", "data:image/png;base64,ä",
     "data:text/html;base64,AAAA", "data:image/png;base64,!!!!"],
)  # fmt: skip
def test_a_data_url_that_is_none_is_told(app: FastAPI, url: str) -> None:
    with pytest.raises(PictureUrlInvalid):
        from_url(app, url)


@pytest.mark.parametrize("url", ["data:", "data:image/png", "data:image/png;base64"])
def test_a_data_url_without_its_data_is_told_with_what_may_have_cut_it(app: FastAPI, url: str) -> None:
    with pytest.raises(PictureUrlCut) as raised:
        from_url(app, url)
    assert "--form-string" in raised.value.advice


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "only data:, http: and https: are known"),
        ("ftp://host/a.png", "only data:, http: and https: are known"),
        ("javascript:alert(1)", "only data:, http: and https: are known"),
        ("page.png", "it does not begin with data:, http: or https:"),
        ("hello there", "it does not begin with data:, http: or https:"),
        ("//host/a.png", "it does not begin with data:, http: or https:"),
        ("http://", "its host or port is not valid"),
        ("http://host:99999/", "its host or port is not valid"),
        ("https://host/a b.png", "there is a space, a control character or a backslash in it"),
    ],
)
def test_what_is_wrong_with_a_url_is_told(app: FastAPI, url: str, reason: str) -> None:
    with pytest.raises(PictureUrlInvalid) as raised:
        from_url(app, url)
    assert raised.value.params["reason"] == reason


def test_a_bomb_in_a_data_url_is_refused(app: FastAPI) -> None:
    with pytest.raises(ImageTooLarge):
        from_url(app, data_url(png_claiming(60_000, 60_000)))


# ---- as requests bring them


def test_a_picture_comes_as_a_file_or_as_an_image_url(client: TestClient) -> None:
    by_file = client.post("/ocr", files={"file": ("page.png", encoded(9, 8))})
    by_url = client.post("/ocr", data={"image_url": data_url(encoded(9, 8))})
    assert by_file.json() == by_url.json() == {"text": "9x8", "language": "ja"}


def test_a_data_url_in_a_form_may_be_as_long_as_a_picture(client: TestClient) -> None:
    image = Image.effect_noise((1200, 1200), 90)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    url = data_url(buffer.getvalue())
    assert len(url) > 1_500_000
    form = client.post("/ocr", files={"image_url": (None, url)})
    assert form.json()["text"] == "1200x1200", form.text
    plain = client.post("/ocr", data={"image_url": url})
    assert plain.json()["text"] == "1200x1200", plain.text


def test_neither_and_both_are_refused(client: TestClient) -> None:
    file = {"file": ("a.png", encoded())}
    for form, files in (({}, {}), ({"image_url": ""}, {}), ({"image_url": data_url(encoded())}, file)):
        answer = client.post("/ocr", data=form, files=files)
        assert answer.status_code == 422, answer.text
        assert answer.json()["code"] == "RequestInvalid"


def test_a_large_upload_is_never_written_to_disk(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def written(*_: object, **__: object) -> None:
        raise AssertionError("a picture was written to disk")

    monkeypatch.setattr(tempfile, "TemporaryFile", written)
    data = encoded(1500, 1500, kind="BMP")
    assert len(data) > 5_000_000
    answer = client.post("/ocr", files={"file": ("page.bmp", data)})
    assert answer.json()["text"] == "1500x1500", answer.text


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"no picture", 422, "NotAnImage"),
        (encoded(90, 90)[:60], 422, "ImageDamaged"),
        (png_claiming(60_000, 60_000), 413, "ImageTooLarge"),
        (gif_of(MAX_FRAMES + 1), 413, "TooManyFrames"),
    ],
)
@pytest.mark.parametrize("path", ["/ocr", "/analyze_image"])
def test_problems_of_pictures_reach_the_client(
    client: TestClient, path: str, data: bytes, status: int, code: str
) -> None:
    answer = client.post(path, files={"file": ("private name.png", data)})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["hint"]
    assert "private" not in answer.text
