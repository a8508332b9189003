"""Lines, bubbles and reading order, by geometry alone."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from core.ocr import layout
from core.types import Box, Direction

V, H = Direction.VERTICAL, Direction.HORIZONTAL

boxes = st.lists(
    st.builds(Box, st.integers(0, 900), st.integers(0, 1200), st.integers(1, 300), st.integers(1, 300)),
    max_size=14,
)


def _order(page: list[Box], panels: list[Box] | None = None) -> list[Box]:
    return [page[i] for i in layout.reading_order(page, layout.directions(page), panels or [])]


def _groups(page: list[Box]) -> list[list[Box]]:
    found = layout.group_lines(page, layout.directions(page))
    return sorted(([page[i] for i in group] for group in found), key=repr)


@given(boxes, boxes)
def test_any_boxes_are_all_read_once(page: list[Box], panels: list[Box]) -> None:
    # Given any boxes and panels, when they are ordered, then each comes exactly once.
    order = layout.reading_order(page, layout.directions(page), panels)
    assert sorted(order) == list(range(len(page)))


@given(boxes)
def test_every_line_is_in_exactly_one_bubble(page: list[Box]) -> None:
    groups = layout.group_lines(page, layout.directions(page))
    assert sorted(i for group in groups for i in group) == list(range(len(page)))


@given(boxes, st.randoms(use_true_random=False))
def test_the_order_the_boxes_are_given_in_does_not_matter(page: list[Box], rng: random.Random) -> None:
    shuffled = list(page)
    rng.shuffle(shuffled)
    assert _order(shuffled) == _order(page)
    assert _groups(shuffled) == _groups(page)


@given(boxes, st.integers(-500, 500), st.integers(-500, 500), st.sampled_from([1, 2, 3, 7]))
@settings(max_examples=60)
def test_moving_and_enlarging_a_page_changes_nothing(page: list[Box], dx: int, dy: int, scale: int) -> None:
    moved = [Box((b.x + dx) * scale, (b.y + dy) * scale, b.width * scale, b.height * scale) for b in page]
    panels = [Box(0, 0, 450, 600), Box(450, 0, 450, 600)]
    moved_panels = [
        Box((b.x + dx) * scale, (b.y + dy) * scale, b.width * scale, b.height * scale) for b in panels
    ]
    directions = layout.directions(page)
    assert layout.directions(moved) == directions
    assert layout.furigana_hosts(moved, directions) == layout.furigana_hosts(page, directions)
    assert layout.reading_order(moved, directions, moved_panels) == layout.reading_order(
        page, directions, panels
    )


@given(boxes)
def test_a_reading_aid_never_annotates_another_reading_aid(page: list[Box]) -> None:
    hosts = layout.furigana_hosts(page, layout.directions(page))
    assert not set(hosts) & set(hosts.values())


def test_columns_of_a_bubble_are_read_from_right_to_left() -> None:
    # Given three columns of one bubble, the leftmost listed first
    page = [Box(10, 20, 30, 200), Box(55, 20, 30, 220), Box(100, 20, 30, 150)]
    # When they are grouped, then they are one bubble, read from the right
    assert layout.group_lines(page, [V, V, V]) == [[2, 1, 0]]


def test_rows_of_a_caption_are_read_from_top_to_bottom() -> None:
    page = [Box(10, 60, 300, 30), Box(10, 15, 280, 30)]
    assert layout.group_lines(page, [H, H]) == [[1, 0]]


def test_two_bubbles_side_by_side_stay_two() -> None:
    page = [Box(10, 20, 30, 200), Box(120, 20, 30, 200)]
    assert len(layout.group_lines(page, [V, V])) == 2


def test_a_column_cut_in_two_goes_on_below() -> None:
    page = [Box(10, 140, 30, 80), Box(12, 20, 30, 100)]
    assert layout.group_lines(page, [V, V]) == [[1, 0]]


def test_a_short_column_takes_the_direction_of_its_neighbours() -> None:
    # Given a last column of one character beside a long one
    page = [Box(60, 20, 30, 200), Box(20, 20, 30, 30)]
    assert layout.directions(page) == [V, V]
    # And one character alone above a row
    assert layout.directions([Box(20, 20, 200, 30), Box(20, 60, 30, 30)]) == [H, H]


def test_a_thin_column_close_at_the_right_is_a_reading_aid() -> None:
    main, aid = Box(50, 20, 30, 200), Box(82, 40, 14, 60)
    assert layout.furigana_hosts([aid, main], [V, V]) == {0: 1}


def test_a_thin_column_at_the_left_or_far_away_is_none() -> None:
    main = Box(50, 20, 30, 200)
    assert layout.furigana_hosts([Box(30, 40, 14, 60), main], [V, V]) == {}
    assert layout.furigana_hosts([Box(120, 40, 14, 60), main], [V, V]) == {}


def test_a_low_row_above_a_row_is_a_reading_aid() -> None:
    assert layout.furigana_hosts([Box(40, 5, 60, 14), Box(20, 20, 200, 30)], [H, H]) == {0: 1}


def test_bubbles_of_a_page_are_read_from_the_right_and_then_down() -> None:
    # Given two rows of two bubbles
    right_top, left_top = Box(600, 50, 100, 200), Box(100, 80, 100, 200)
    right_low, left_low = Box(620, 700, 100, 200), Box(120, 650, 100, 200)
    page = [left_low, right_top, right_low, left_top]
    # When they are ordered, then as manga is read
    assert _order(page) == [right_top, left_top, right_low, left_low]


def test_a_page_of_rows_only_is_read_from_the_left() -> None:
    left, right = Box(10, 10, 300, 40), Box(400, 12, 300, 40)
    order = layout.reading_order([right, left], [H, H])
    assert order == [1, 0]


def test_panels_come_before_the_height_of_a_bubble() -> None:
    # Given a right panel as high as two left ones, and a bubble low in the right panel
    right, left_top, left_low = Box(460, 0, 440, 1200), Box(0, 0, 440, 580), Box(0, 620, 440, 580)
    in_right, in_top, in_low = Box(600, 1000, 90, 150), Box(200, 60, 90, 150), Box(200, 700, 90, 150)
    # When the panels are known, then the right panel is read first
    assert _order([in_top, in_low, in_right], [left_low, right, left_top]) == [in_right, in_top, in_low]


def test_slanted_gutters_do_not_join_panels() -> None:
    # Given two panels whose boxes overlap because the gutter between them slants
    upper, lower = Box(0, 0, 900, 460), Box(0, 420, 900, 500)
    in_upper, in_lower = Box(100, 300, 90, 100), Box(700, 480, 90, 100)
    assert _order([in_lower, in_upper], [lower, upper]) == [in_upper, in_lower]
