"""Frames: what is sent arrives, what is no frame is refused."""

from __future__ import annotations

import contextlib
from multiprocessing.connection import Pipe

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import frames
from core.errors import PicturesTooLarge, ProtocolError
from core.types import RgbImage

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4), st.binary(max_size=200))
def test_what_is_encoded_is_decoded(header: dict[str, object], payload: bytes) -> None:
    assert frames.decode(frames.encode(header, payload)) == (header, payload)


@given(st.binary(max_size=60))
def test_random_bytes_never_raise_anything_but_a_protocol_error(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        frames.decode(data)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"Y\x01\x00",
        frames.encode({"a": 1})[:-1],
        frames.encode({"a": 1}).replace(b"Y\x01", b"Y\x02", 1),
        frames.encode({"a": 1}).replace(b"{", b"[", 1),
    ],
)
def test_damaged_frames_are_refused(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        frames.decode(frame)


def test_more_than_a_frame_holds_is_refused_before_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 3 * frames.MAX_PIXELS < frames.MAX_FRAME
    monkeypatch.setattr(frames, "MAX_PIXELS", 4_000_000)
    picture = RgbImage(1000, 1000, bytes(3_000_000))
    frames.image_fields([picture] * 4)
    with pytest.raises(PicturesTooLarge, match="5 megapixels together, at most 4"):
        frames.image_fields([picture] * 5)


def test_pictures_cross_a_pipe_unchanged() -> None:
    ours, theirs = Pipe()
    images = (RgbImage(3, 2, bytes(range(18))), RgbImage(1, 4, bytes(range(12))))
    fields, payload = frames.image_fields(images)
    frames.send(ours, {"kind": "job", **fields}, payload)
    header, data = frames.receive(theirs)
    assert frames.images_of(header, data) == images
    assert frames.images_of({"kind": "job"}, b"") == ()
    ours.close()
    theirs.close()


def test_an_image_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="3 x 2"):
        RgbImage(3, 2, b"abc")
