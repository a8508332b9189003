"""Struts and pixels as data."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect, QSize

from desktop.docking.pixels import to_logical, to_native
from desktop.docking.struts import Strut, free_area, in_the_way, side_strut
from desktop.panel_place import Side, at_edge

ROOT = QSize(2646, 1279)
LOW, HIGH = QRect(0, 57, 1366, 768), QRect(1366, 0, 1280, 1279)
sides = st.sampled_from(["left", "right"])


def test_a_strut_is_measured_from_the_edge_of_all_monitors() -> None:
    # Given a monitor whose picture ends 200 pixels before the root window does
    narrow = QRect(1366, 0, 1080, 1279)
    strut = side_strut(narrow, ROOT, "right", at_edge(narrow, 400, "right"))
    assert strut.values == (0, 600, 0, 0, 0, 0, 0, 1278, 0, 0, 0, 0)
    assert list(strut.areas(ROOT)) == [("right", QRect(2046, 0, 600, 1279))]


@pytest.mark.parametrize(
    ("monitor", "side", "blocked"),
    [(LOW, "left", False), (LOW, "right", True), (HIGH, "left", True), (HIGH, "right", False)],
)
def test_an_edge_between_monitors_cannot_be_kept_free(monitor: QRect, side: str, blocked: bool) -> None:
    assert in_the_way(monitor, [LOW, HIGH], ROOT, cast(Side, side)) is blocked


def test_monitors_above_each_other_or_with_one_picture_are_not_in_the_way() -> None:
    upper, lower = QRect(0, 0, 1920, 1080), QRect(320, 1080, 1280, 1024)
    root = QSize(1920, 2104)
    for side in ("left", "right"):
        assert not in_the_way(lower, [upper, lower], root, cast(Side, side))
        assert not in_the_way(upper, [upper, QRect(0, 0, 1280, 720)], QSize(1920, 1080), cast(Side, side))


def test_the_short_property_holds_along_whole_edges_and_nonsense_is_none() -> None:
    strut = Strut.of([0, 0, 30, 40], ROOT)
    assert strut is not None
    assert free_area(LOW, ROOT, [strut]) == LOW
    assert free_area(HIGH, ROOT, [strut]) == QRect(1366, 30, 1280, 1279 - 70)
    assert Strut.of([1, 2, 3], ROOT) is None


def test_a_strut_that_would_take_a_whole_monitor_is_meant_for_the_next() -> None:
    strut = Strut.of([1366 + 60, 0, 0, 0], ROOT)
    assert strut is not None
    assert free_area(LOW, ROOT, [strut]) == LOW
    assert free_area(HIGH, ROOT, [strut]) == QRect(1426, 0, 1220, 1279)


@given(sides, st.integers(320, 680), st.integers(0, 100), st.integers(0, 100))
def test_what_it_keeps_free_is_its_place_and_all_that_lies_outside(
    side: str, width: int, bar: int, top: int
) -> None:
    where = cast(Side, side)
    monitor = LOW if side == "left" else HIGH
    others = Strut.of([bar, bar, top if side == "right" else 57 + top, 0], ROOT)
    assert others is not None
    before = free_area(monitor, ROOT, [others])
    place = at_edge(before, width, where)
    after = free_area(monitor, ROOT, [others, side_strut(monitor, ROOT, where, place)])
    assert not after.intersects(place)
    assert before.united(after) == before
    assert after.width() == before.width() - width
    assert after.height() == before.height()
    # The other monitor loses nothing to it.
    other = HIGH if side == "left" else LOW
    assert free_area(other, ROOT, [side_strut(monitor, ROOT, where, place)]) == other


rects = st.builds(
    QRect, st.integers(-4000, 4000), st.integers(-4000, 4000), st.integers(10, 4000), st.integers(10, 4000)
)
points = st.builds(QPoint, st.integers(-4000, 4000), st.integers(-4000, 4000))
scales = st.sampled_from([1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 3.0])


@given(rects, points, scales)
def test_pixels_go_there_and_back(rect: QRect, origin: QPoint, scale: float) -> None:
    native = to_native(rect, origin, scale)
    # Nothing that was meant is lost, and not a whole pixel too much is taken on either side.
    assert to_logical(native, origin, scale).contains(rect)
    assert rect.width() * scale <= native.width() + 1e-6
    assert native.width() < rect.width() * scale + 2
    # The other way nothing reaches beyond.
    assert rect.contains(to_native(to_logical(rect, origin, scale), origin, scale))


def test_at_whole_scales_pixels_are_exact() -> None:
    origin = QPoint(1366, 57)
    assert to_native(QRect(1366 + 10, 57 + 5, 20, 30), origin, 2.0) == QRect(1386, 67, 40, 60)
    assert to_logical(QRect(1386, 67, 41, 61), origin, 2.0) == QRect(1376, 62, 20, 30)
