"""Where the side panel stands: at its side, and beside what it talks about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect, QSize

from desktop.panel_place import (
    MAXIMUM_WIDTH,
    MINIMUM_WIDTH,
    at_edge,
    bounded_width,
    choose_screen,
    covered,
    place,
)

SCREEN = QRect(0, 30, 1920, 1050)

screens = st.builds(
    QRect,
    st.integers(-3000, 3000),
    st.integers(-2000, 2000),
    st.integers(320, 4000),
    st.integers(200, 2400),
)
regions = st.builds(
    QRect, st.integers(-3500, 7000), st.integers(-2500, 4500), st.integers(1, 4000), st.integers(1, 2500)
)
sides = st.sampled_from(["left", "right"])
widths = st.integers(0, 5000)


def inside(screen: QRect) -> st.SearchStrategy[QRect]:
    def region(x: int, y: int, width: int, height: int) -> QRect:
        return QRect(screen.left() + x, screen.top() + y, width, height).intersected(screen)

    return st.builds(
        region,
        st.integers(0, screen.width() - 1),
        st.integers(0, screen.height() - 1),
        st.integers(1, screen.width()),
        st.integers(1, screen.height()),
    )


# --- examples -------------------------------------------------------------------------------------------


def test_without_a_region_it_stands_at_its_side_over_the_whole_height() -> None:
    assert place(SCREEN, 420, "right", None) == ("right", QRect(1500, 30, 420, 1050))
    assert place(SCREEN, 420, "left", None) == ("left", QRect(0, 30, 420, 1050))


def test_a_region_beside_it_changes_nothing() -> None:
    assert place(SCREEN, 420, "right", QRect(1300, 200, 200, 200))[0] == "right"


def test_it_goes_to_the_other_side_rather_than_cover_the_region() -> None:
    assert place(SCREEN, 420, "right", QRect(1400, 200, 101, 200)) == ("left", QRect(0, 30, 420, 1050))


def test_it_is_narrowed_where_a_region_reaches_under_both_sides() -> None:
    # Given 350 pixels free at the left and 380 at the right
    region = QRect(350, 200, 1190, 300)
    # Then it stays on its own side, as wide as fits
    assert place(SCREEN, 420, "left", region) == ("left", QRect(0, 30, 350, 1050))
    assert place(SCREEN, 420, "right", region) == ("right", QRect(1540, 30, 380, 1050))


def test_narrowing_one_side_beats_covering_less_on_the_other() -> None:
    # Given a region that leaves 340 pixels at the left, and 310 at the right, less than the least width
    region = QRect(340, 200, 1270, 300)
    assert place(SCREEN, 420, "right", region) == ("left", QRect(0, 30, 340, 1050))


def test_without_room_it_is_as_narrow_as_it_gets_where_it_covers_least() -> None:
    region = QRect(100, 200, 1700, 300)
    assert place(SCREEN, 420, "left", region) == ("right", QRect(1600, 30, 320, 1050))


def test_it_keeps_its_width_where_narrowing_uncovers_nothing() -> None:
    # Given a region that ends with the screen on both sides, on a screen as narrow as the panel
    narrow = QRect(0, 0, 320, 800)
    assert place(narrow, 420, "left", QRect(0, 0, 320, 800)) == ("left", narrow)


@pytest.mark.parametrize(
    ("width", "room", "bounded"),
    [
        (100, 1920, 320),
        (420, 1920, 420),
        (1200, 1920, 960),
        (5000, 3840, 1600),
        (420, 600, 320),
        (420, 300, 300),
    ],
)
def test_bounds_of_the_width(width: int, room: int, bounded: int) -> None:
    assert bounded_width(width, room) == bounded


def test_it_goes_to_the_nearest_screen_with_room() -> None:
    # Given a region over all of the middle screen
    three = [QRect(0, 0, 1920, 1080), QRect(1920, 0, 1280, 1024), QRect(3200, 0, 1280, 1024)]
    everything = QRect(three[1])
    assert choose_screen(three, 1, 420, "right", everything) == 2
    # Then it stays where a narrower panel, or the other side, leaves the region free
    assert choose_screen(three, 1, 420, "right", QRect(1920 + 330, 0, 950, 1024)) == 1
    assert choose_screen(three, 1, 420, "right", None) == 1
    assert choose_screen(three[:1], 0, 420, "right", QRect(three[0])) == 0


# --- properties -----------------------------------------------------------------------------------------


@given(screens, widths, sides, st.none() | regions)
def test_it_always_stands_at_an_edge_of_the_screen(
    screen: QRect, width: int, side: str, region: QRect | None
) -> None:
    found, rect = place(screen, width, side, region)
    assert screen.contains(rect)
    assert (rect.top(), rect.bottom()) == (screen.top(), screen.bottom())
    assert rect == at_edge(screen, rect.width(), "left" if found == "left" else "right")
    assert MINIMUM_WIDTH <= rect.width() <= max(MINIMUM_WIDTH, min(MAXIMUM_WIDTH, screen.width() // 2))
    assert rect.width() <= max(width, MINIMUM_WIDTH)


@given(screens, widths, st.none() | regions)
def test_without_a_conflict_the_preferred_side_and_width_are_kept(
    screen: QRect, width: int, region: QRect | None
) -> None:
    wanted = at_edge(screen, bounded_width(width, screen.width()), "right")
    if not covered(wanted, region):
        assert place(screen, width, "right", region) == ("right", wanted)


@given(st.data())
def test_no_side_and_no_width_covers_less(data: st.DataObject) -> None:
    screen = data.draw(screens)
    region = data.draw(inside(screen))
    width, side = data.draw(widths), data.draw(sides)
    found, rect = place(screen, width, side, region)
    # A panel of the least width covers least, so nothing can be better than that on either side.
    least = [covered(at_edge(screen, MINIMUM_WIDTH, each), region) for each in ("left", "right")]
    assert covered(rect, region) == min(least)
    # It is not narrower than it must be.
    if rect.width() < bounded_width(width, screen.width()):
        wider = at_edge(screen, rect.width() + 1, "left" if found == "left" else "right")
        assert covered(wider, region) > covered(rect, region)


@given(st.lists(screens, min_size=1, max_size=4), widths, sides, st.data())
def test_a_screen_is_left_only_for_one_where_the_region_stays_free(
    several: list[QRect], width: int, side: str, data: st.DataObject
) -> None:
    preferred = data.draw(st.integers(0, len(several) - 1))
    region = data.draw(st.none() | inside(several[preferred]))
    chosen = choose_screen(several, preferred, width, side, region)
    free = [not covered(place(each, width, side, region)[1], region) for each in several]
    assert free[chosen] or not any(free)
    assert chosen == preferred or not free[preferred]


@given(screens, screens, widths, sides)
def test_moving_everything_moves_the_panel(screen: QRect, other: QRect, width: int, side: str) -> None:
    region = QRect(screen.topLeft() + QPoint(5, 5), QSize(400, 100))
    by = other.topLeft()
    found, rect = place(screen, width, side, region)
    assert place(screen.translated(by), width, side, region.translated(by)) == (found, rect.translated(by))
