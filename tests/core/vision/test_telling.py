"""What of an answer is told: nothing of a stop text, and everything else, however it was cut."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chat import Token
from core.vision.telling import StopSearch, Telling

_FEW = st.text("ab\n", max_size=12)
_STOPS = st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=4)


def told(pieces: list[str], stop: list[str]) -> tuple[list[str], bool]:
    search = StopSearch(stop)
    texts = [search.add(piece) for piece in pieces]
    return [*texts, "" if search.found else search.end()], search.found


def whole(text: str, stop: list[str]) -> tuple[str, bool]:
    """What is told of a text that comes character by character: the plain reading of what stop means."""
    for end in range(len(text) + 1):
        starts = [end - len(one) for one in stop if text[:end].endswith(one)]
        if starts:
            return text[: min(starts)], True
    return text, False


def row(text: str) -> dict[str, Any]:
    return Token(text.encode(), -0.5).to_json()


@pytest.mark.parametrize(
    ("pieces", "stop", "texts", "found"),
    [
        (["Red", "."], [], ["Red", ".", ""], False),
        (["Red", ". Bl", "ue"], ["."], ["Red", "", "", ""], True),
        # a beginning is held back, and told when it was none after all
        (["one ", "EN", "C", "E"], ["END"], ["one ", "", "ENC", "", "E"], False),
        (["one ", "EN", "D two"], ["END"], ["one ", "", "", ""], True),
        # and at the end of the answer
        (["one EN"], ["END"], ["one ", "EN"], False),
        # the first to be whole counts, not the first to begin
        (["abc"], ["abcd", "bc"], ["a", ""], True),
        (["赤い", "円。"], ["円"], ["赤い", "", ""], True),
        (["STOP"], ["STOP"], ["", ""], True),
    ],
)
def test_an_answer_ends_before_the_stop_text(
    pieces: list[str], stop: list[str], texts: list[str], found: bool
) -> None:
    assert told(pieces, stop) == (texts, found)


@given(st.lists(_FEW, max_size=6), _STOPS)
def test_where_an_answer_is_cut_into_pieces_changes_nothing(pieces: list[str], stop: list[str]) -> None:
    texts, found = told(pieces, stop)
    assert ("".join(texts), found) == whole("".join(pieces), stop)


@given(_FEW, st.text("ab\n", min_size=1, max_size=4))
def test_no_more_is_held_back_than_may_be_a_beginning(text: str, stop: str) -> None:
    search = StopSearch([stop])
    given_out = search.add(text)
    if not search.found:
        held = text[len(given_out) :]
        assert stop.startswith(held)
        assert len(held) < len(stop)


def test_tokens_come_with_the_text_that_they_complete() -> None:
    # given a character of three tokens, of which the third brings it
    telling = Telling([])
    assert telling.add("", [row("x")]) == {}
    assert telling.add("", [row("y")]) == {}
    piece = telling.add("赤", [row("z")])
    assert (piece["text"], [bytes(one["bytes"]) for one in piece["tokens"]]) == ("赤", [b"x", b"y", b"z"])
    # and one that adds nothing, before the end
    assert telling.add("", [row("")]) == {}
    assert telling.end() == {"tokens": [row("")]}
    assert telling.end() == {}


def test_tokens_of_a_stop_text_are_not_told() -> None:
    # given a stop text that begins inside of a token
    telling = Telling(["c\n"])
    assert telling.add("a", [row("a")]) == {"text": "a", "tokens": [row("a")]}
    assert telling.add("bc", [row("bc")]) == {"text": "b"}
    # then what is told of it is the part before
    assert telling.add("\nd", [row("\n"), row("d")]) == {"tokens": [row("b")]}
    assert (telling.stopped, telling.text, telling.end()) == (True, "ab", {})


def test_of_tokens_that_come_together_those_after_the_stop_text_are_left_out() -> None:
    telling = Telling(["。"])
    piece = telling.add("赤い。円", [row("赤"), row("い"), row("。"), row("円")])
    assert piece == {"text": "赤い", "tokens": [row("赤"), row("い")]}


@given(st.lists(st.lists(st.text("ab\n赤", min_size=1, max_size=3), max_size=3), max_size=6), _STOPS)
def test_tokens_put_together_are_what_was_told(steps: list[list[str]], stop: list[str]) -> None:
    telling, told = Telling(stop), []
    for tokens in steps:
        if not telling.stopped:
            told.append(telling.add("".join(tokens), [row(token) for token in tokens]))
    told.append(telling.end())
    rows = [bytes(one["bytes"]) for piece in told for one in piece.get("tokens", ())]
    assert b"".join(rows).decode() == "".join(piece.get("text", "") for piece in told) == telling.text
