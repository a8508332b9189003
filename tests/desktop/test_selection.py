"""The geometry of a selection: whatever the hand does, it stays on the screen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.types import Box
from desktop.selection import (
    MIN_SIDE,
    Phase,
    Selection,
    block_at,
    place_label,
    place_magnifier,
)

WIDTH, HEIGHT = 640, 480
SCREEN = Box(0, 0, WIDTH, HEIGHT)
anywhere = st.tuples(st.integers(-2000, 3000), st.integers(-2000, 3000))
on_screen = st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1))
steps = st.tuples(st.integers(-700, 700), st.integers(-700, 700))
actions = st.lists(
    st.one_of(
        st.tuples(st.just("press"), anywhere),
        st.tuples(st.just("point"), anywhere),
        st.tuples(st.just("hold"), anywhere),
        st.tuples(st.just("let go"), anywhere),
        st.tuples(st.just("step"), steps),
        st.tuples(st.just("shift"), steps),
        st.tuples(st.just("anchor"), anywhere),
        st.tuples(st.just("release"), anywhere),
        st.tuples(st.just("reset"), anywhere),
    ),
    max_size=30,
)


def act(selection: Selection, name: str, x: int, y: int) -> None:
    match name:
        case "press":
            selection.press(x, y)
        case "point":
            selection.point(x, y)
        case "hold":
            selection.hold(True, x, y)
        case "let go":
            selection.hold(False, x, y)
        case "step":
            selection.step(x, y)
        case "shift":
            selection.shift(x, y)
        case "anchor":
            selection.anchor()
        case "release":
            selection.release()
        case "reset":
            selection.reset()


def inside(box: Box, screen: Box = SCREEN) -> bool:
    return box.intersection(screen) == box


@given(actions)
def test_whatever_happens_the_selection_is_on_the_screen(script: list[tuple[str, tuple[int, int]]]) -> None:
    selection = Selection(WIDTH, HEIGHT)

    for name, (x, y) in script:
        act(selection, name, x, y)

        assert SCREEN.contains(*selection.cursor)
        assert selection.box is None or inside(selection.box)


@given(on_screen, on_screen)
def test_a_drag_in_any_direction_covers_both_ends(start: tuple[int, int], end: tuple[int, int]) -> None:
    selection = Selection(WIDTH, HEIGHT)

    selection.press(*start)
    selection.point(*end)
    selection.release()

    box = selection.box
    assert box is not None
    assert box.contains(*start)
    assert box.contains(*end)
    assert (box.width, box.height) == (abs(start[0] - end[0]) + 1, abs(start[1] - end[1]) + 1)
    assert selection.phase is Phase.DONE
    assert selection.too_small == (min(box.width, box.height) < MIN_SIDE)


@given(on_screen, on_screen, on_screen, st.lists(anywhere, max_size=5))
def test_space_moves_a_drag_and_keeps_its_size(
    start: tuple[int, int], end: tuple[int, int], grip: tuple[int, int], way: list[tuple[int, int]]
) -> None:
    selection = Selection(WIDTH, HEIGHT)
    selection.press(*start)
    selection.point(*end)
    before = selection.box
    assert before is not None

    selection.hold(True, *grip)
    for x, y in way:
        selection.point(x, y)
        box = selection.box
        assert box is not None
        assert (box.width, box.height) == (before.width, before.height)
        assert inside(box)
    selection.point(*grip)

    assert selection.box == before, "back where it was gripped, it lies where it lay"


@given(on_screen, steps, st.lists(steps, max_size=5))
def test_shifting_by_keyboard_keeps_the_size(
    start: tuple[int, int], size: tuple[int, int], moves: list[tuple[int, int]]
) -> None:
    selection = Selection(WIDTH, HEIGHT)
    selection.point(*start)
    selection.anchor()
    selection.step(*size)
    before = selection.box
    assert before is not None

    for move in moves:
        selection.shift(*move)
        box = selection.box
        assert box is not None
        assert (box.width, box.height) == (before.width, before.height)
        assert inside(box)


def test_after_space_is_let_go_dragging_sizes_again() -> None:
    selection = Selection(WIDTH, HEIGHT)
    selection.press(10, 10)
    selection.point(60, 60)
    selection.hold(True, 60, 60)
    selection.point(160, 100)

    selection.hold(False, 160, 100)
    selection.point(170, 120)

    assert selection.box == Box(110, 50, 61, 71)


def test_a_new_press_begins_anew() -> None:
    selection = Selection(WIDTH, HEIGHT)
    selection.press(10, 10)
    selection.point(60, 60)
    selection.release()

    selection.press(200, 200)

    assert selection.phase is Phase.DRAGGING
    assert selection.box == Box(200, 200, 1, 1)


def test_finish_and_release_end_only_what_they_began() -> None:
    selection = Selection(WIDTH, HEIGHT)

    selection.finish()
    selection.release()
    assert selection.phase is Phase.IDLE

    selection.anchor()
    selection.release()
    assert selection.phase is Phase.ANCHORED
    selection.finish()
    assert selection.phase is Phase.DONE


def test_a_found_block_is_cut_to_the_screen() -> None:
    selection = Selection(WIDTH, HEIGHT)

    selection.choose(Box(600, -20, 100, 60))

    assert selection.box == Box(600, 0, 40, 40)
    assert selection.phase is Phase.DONE


def test_the_smallest_block_under_the_pointer_wins() -> None:
    page, bubble, far = Box(0, 0, 400, 400), Box(50, 50, 80, 80), Box(500, 300, 50, 50)

    assert block_at([page, bubble, far], (60, 60)) == bubble
    assert block_at([page, bubble, far], (300, 300)) == page
    assert block_at([bubble, far], (494, 310)) == far, "a near miss counts"
    assert block_at([bubble, far], (300, 200)) is None


@given(on_screen, st.one_of(st.none(), st.tuples(on_screen, on_screen)))
def test_the_magnifier_is_on_the_screen_and_off_the_pointer(
    cursor: tuple[int, int], ends: tuple[tuple[int, int], tuple[int, int]] | None
) -> None:
    box = None
    if ends is not None:
        selection = Selection(WIDTH, HEIGHT)
        selection.press(*ends[0])
        selection.point(*cursor)
        box = selection.box

    place = place_magnifier(110, cursor, box, SCREEN, 24)

    assert inside(place)
    assert not place.contains(*cursor)


@given(on_screen, on_screen)
def test_the_magnifier_leaves_the_selection_free_when_a_corner_of_the_screen_does(
    start: tuple[int, int], cursor: tuple[int, int]
) -> None:
    selection = Selection(WIDTH, HEIGHT)
    selection.press(*start)
    selection.point(*cursor)
    box = selection.box
    assert box is not None
    corners = [Box(x, y, 110, 110) for x in (24, WIDTH - 24 - 110) for y in (24, HEIGHT - 24 - 110)]

    place = place_magnifier(110, cursor, box, SCREEN, 24)

    if any(c.intersection(box).area == 0 and not c.contains(*cursor) for c in corners):
        assert place.intersection(box).area == 0


@given(on_screen, on_screen)
def test_the_size_is_written_on_the_screen_and_beside_the_selection_when_there_is_room(
    start: tuple[int, int], end: tuple[int, int]
) -> None:
    selection = Selection(WIDTH, HEIGHT)
    selection.press(*start)
    selection.point(*end)
    box = selection.box
    assert box is not None

    label = place_label(70, 18, box, SCREEN, 4)

    assert label.intersection(Box(-70, 0, WIDTH + 70, HEIGHT)).area == label.area
    if box.y >= 22 or box.bottom <= HEIGHT - 22:
        assert label.intersection(box).area == 0
        assert inside(label)
