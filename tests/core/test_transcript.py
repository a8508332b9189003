"""What a model is given of a kept conversation."""

from __future__ import annotations

from core.chat import Message, Role
from core.conversation_types import Picture, Turn, TurnState
from core.transcript import messages, superseded
from core.types import RgbImage

DONE, FAILED = TurnState.DONE, TurnState.FAILED
PAGE = RgbImage(1, 1, b"\1\2\3")
OTHER = RgbImage(1, 1, b"\4\5\6")


def picture(row: int, text: str = "") -> Picture:
    return Picture(row, 0.0, "snip", 1, 1, None, text, False)


def question(row: int, text: str, *pictures: int) -> Turn:
    return Turn(row, 0.0, Role.USER, DONE, text, pictures)


def answer(row: int, text: str, state: TurnState = DONE, replaces: int | None = None) -> Turn:
    return Turn(row, 0.0, Role.ASSISTANT, state, text, replaces=replaces)


def test_questions_and_answers_alternate_and_pictures_stand_where_they_were_shown() -> None:
    turns = [question(2, "What?", 1), answer(3, "A page."), question(4, "And now?")]

    told = messages(turns, [picture(1)], {1: PAGE}, system="Be short.")

    assert told == [
        Message(Role.SYSTEM, "Be short."),
        Message(Role.USER, "What?", (PAGE,)),
        Message(Role.ASSISTANT, "A page."),
        Message(Role.USER, "And now?"),
    ]


def test_the_text_that_was_read_stands_before_the_question() -> None:
    told = messages([question(2, "Why?", 1)], [picture(1, "学校\n")], {1: PAGE})

    assert told[0].text == 'Text in the picture: "学校"\nWhy?'
    assert messages([question(2, "なぜ", 1)], [picture(1, "学校")], {1: PAGE}, language="ja")[0].text == (
        "画像の文字：「学校」\nなぜ"
    )


def test_the_text_can_be_left_out() -> None:
    assert messages([question(2, "Why?", 1)], [picture(1, "学校")], {1: PAGE}, texts=False)[0].text == "Why?"


def test_a_prompt_that_quotes_the_text_is_not_told_it_twice() -> None:
    asked = question(2, "Translate 学校, please.", 1)

    assert messages([asked], [picture(1, "学校")], {1: PAGE})[0].text == "Translate 学校, please."


def test_a_question_without_an_answer_is_left_out_and_its_picture_moves_on() -> None:
    turns = [question(2, "First?", 1), answer(3, "", FAILED), question(5, "Second?", 4)]

    told = messages(turns, [picture(1), picture(4)], {1: PAGE, 4: OTHER})

    assert told == [Message(Role.USER, "Second?", (PAGE, OTHER))]


def test_what_had_come_of_a_broken_answer_counts() -> None:
    turns = [question(2, "First?"), answer(3, "Half of", TurnState.INTERRUPTED), question(4, "Go on?")]

    assert [told.text for told in messages(turns, [], {})] == ["First?", "Half of", "Go on?"]


def test_a_deleted_picture_is_not_shown_and_its_text_not_told() -> None:
    assert messages([question(2, "Why?", 1)], [picture(1, "学校")], {}) == [Message(Role.USER, "Why?")]


def test_an_answer_gives_way_while_another_takes_its_place() -> None:
    turns = [question(1, "?"), answer(2, "old"), answer(5, "new", TurnState.STREAMING, replaces=2)]

    assert superseded(turns) == {2}


def test_an_answer_stays_when_the_new_one_broke_off() -> None:
    for state in (FAILED, TurnState.STOPPED, TurnState.INTERRUPTED):
        turns = [question(1, "?"), answer(2, "old"), answer(5, "", state, replaces=2)]

        assert not superseded(turns)


def test_when_the_picture_that_was_asked_about_is_gone_those_that_are_there_are_shown() -> None:
    turns = [question(2, "What?", 1), answer(3, "", FAILED)]

    told = messages(turns[:1], [picture(4)], {4: OTHER})

    assert told == [Message(Role.USER, "What?", (OTHER,))]


def test_a_follow_up_is_not_shown_pictures_that_came_later() -> None:
    turns = [question(2, "What?", 1), answer(3, "A page."), question(4, "And now?")]

    told = messages(turns, [picture(1), picture(9)], {1: PAGE, 9: OTHER})

    assert [len(message.images) for message in told] == [1, 0, 0]
