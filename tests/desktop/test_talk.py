"""Conversations of the side panel, with the real store, host and bridge; both models are registered fakes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot

from core.chat import AnswerPiece, Message, Phase, Role
from core.conversation_types import TurnState
from core.errors import FellBack, ModelMissing, NotAnImage, OnePictureOnly, ProcessDied, YomitoriError
from core.history import History
from core.settings import SettingsStore
from core.types import OcrResult
from desktop.answering import Answering, Progress
from tests.support.talk_desk import PICTURE, STALL, Desk


@pytest.fixture
def desk(qtbot: QtBot, settings: SettingsStore, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(qtbot, settings, tmp_path)
    yield desk
    desk.close()


def test_a_picture_is_kept_read_and_asked_about(desk: Desk) -> None:
    # Given a picture, whose size is what the fake reads in it
    picture = desk.add()
    assert desk.talk.text() == "6x4"

    # When it is asked about
    answer = desk.ask("what is this")

    # Then the model got the text with the question, and the answer is kept
    assert answer.text == 'Text in the picture: "6x4"\nwhat is this [1]'
    assert answer.state is TurnState.DONE
    assert answer.answer is not None
    assert answer.answer.model == "fake-llava"
    assert desk.talk.id is not None
    kept = desk.store.get(desk.talk.id)
    assert kept is not None
    assert [turn.text for turn in kept.turns] == ["what is this", answer.text]
    assert [each.id for each in kept.pictures] == [picture]


def test_nothing_is_kept_of_a_conversation_without_anything_in_it(desk: Desk) -> None:
    desk.talk.begin()
    desk.talk.ask("  ")

    assert desk.talk.id is None
    assert desk.store.count() == 0


def test_the_text_stays_away_from_the_model_when_that_is_switched_off(desk: Desk) -> None:
    desk.settings.set("panel.give_text", False)
    desk.add()

    assert desk.ask("what").text == "what [1]"


def test_the_user_s_version_of_the_text_is_what_the_model_gets(desk: Desk) -> None:
    picture = desk.add()

    desk.talk.edit_text(picture, "学校")

    assert desk.ask("what").text.startswith('Text in the picture: "学校"')


def test_a_question_waits_for_the_text_of_its_picture(desk: Desk) -> None:
    # Given a picture of which somebody else will tell the text
    ready: list[int] = []
    desk.talk.add_picture(PICTURE, "snip", then=ready.append, read=False)
    desk.until(lambda: bool(ready))
    desk.talk.expect_text(ready[0])

    # When it is asked about before that
    begun = desk.begin("what")
    assert desk.talk.waits_for_text(begun.id)
    assert desk.talk.busy

    # Then the model is asked as soon as the text is there
    desk.talk.set_read(ready[0], OcrResult("学校", (), "fake", "cpu", 0.1), None)
    desk.until_quiet()
    assert desk.talk.turns[-1].text.startswith('Text in the picture: "学校"')


def test_a_question_that_waits_for_text_can_be_stopped(desk: Desk) -> None:
    ready: list[int] = []
    desk.talk.add_picture(PICTURE, "snip", then=ready.append, read=False)
    desk.until(lambda: bool(ready))
    desk.talk.expect_text(ready[0])
    desk.begin("what")

    desk.talk.stop()
    desk.until_quiet()

    assert desk.talk.turns[-1].state is TurnState.STOPPED
    assert not desk.talk.waits_for_text(desk.talk.turns[-1].id)


def test_a_picture_that_cannot_be_read_does_not_hold_the_question_up(desk: Desk) -> None:
    ready: list[int] = []
    desk.talk.add_picture(PICTURE, "snip", then=ready.append, read=False)
    desk.until(lambda: bool(ready))
    desk.talk.expect_text(ready[0])
    desk.begin("what")

    desk.talk.set_read(ready[0], None, NotAnImage(name="it"))
    desk.until_quiet()

    assert desk.talk.turns[-1].text == "what [1]"
    assert isinstance(desk.talk.pictures[0].error, NotAnImage)


def test_a_follow_up_has_the_history_and_the_picture(desk: Desk) -> None:
    desk.add()
    desk.ask("first")
    told: list[object] = []
    ask = desk.engine.ask

    def listen(messages: object, *rest: object) -> object:
        told.append(messages)
        return ask(messages, *rest)  # type: ignore[arg-type]

    desk.engine.ask = listen  # type: ignore[method-assign, assignment]
    desk.ask("second")

    roles = [(message.role, len(message.images)) for message in told[0]]  # type: ignore[attr-defined]
    assert roles == [(Role.USER, 1), (Role.ASSISTANT, 0), (Role.USER, 0)]


def test_an_answer_grows_and_can_be_stopped(desk: Desk) -> None:
    begun = desk.begin("stream 100000 every 0.001")
    desk.wait_for_text(begun.id)

    desk.talk.stop()
    desk.until_quiet()

    stopped = desk.talk.turns[-1]
    assert stopped.state is TurnState.STOPPED
    assert stopped.text.startswith("word0 ")


def test_what_has_come_of_an_answer_survives_the_end_of_yomitori(desk: Desk, tmp_path: Path) -> None:
    # Given an answer that is on its way
    begun = desk.begin("stream 100000 every 0.001")
    desk.wait_for_text(begun.id)
    conversation = desk.talk.id
    assert conversation is not None

    # When Yomitori ends in the middle of it
    def kept() -> str:
        found = desk.store.get(conversation)
        assert found is not None
        return found.turns[-1].text

    desk.until(lambda: bool(kept()))
    desk.close()

    # Then the next one finds it, marked as interrupted
    again = History(tmp_path / "data" / "history.sqlite3")
    found = again.conversations.get(conversation)
    again.close()
    assert found is not None
    assert found.turns[-1].state is TurnState.INTERRUPTED
    assert found.turns[-1].text.startswith("word0 ")


def test_a_dying_model_process_costs_one_answer_and_what_had_come_stays(desk: Desk) -> None:
    answer = desk.ask("crash")
    assert answer.text == "crash [0]"
    assert answer.state is TurnState.FAILED
    assert isinstance(answer.error, ProcessDied)

    # The same question again, and another one.
    desk.talk.answer_again(answer.id)
    desk.until_quiet()
    assert desk.ask("hello").text.startswith("hello")


def test_a_process_killed_from_outside_in_the_middle_of_an_answer(desk: Desk) -> None:
    begun = desk.begin("stream 100000 every 0.001")
    desk.wait_for_text(begun.id)

    for child in psutil.Process().children():
        os.kill(child.pid, signal.SIGKILL)
    desk.until_quiet()

    failed = desk.talk.turns[-1]
    assert failed.state is TurnState.FAILED
    assert failed.text.startswith("word0 ")
    assert desk.ask("still there").text == "still there [0]"


def test_without_a_model_the_question_is_kept_and_can_be_asked_later(desk: Desk, tmp_path: Path) -> None:
    desk.library.folder = None
    failed = desk.ask("hello")
    assert isinstance(failed.error, ModelMissing)

    desk.library.folder = tmp_path
    desk.talk.answer_again(failed.id)
    desk.until_quiet()

    assert [turn.text for turn in desk.talk.turns] == ["hello", "hello [0]"]


def test_an_answer_given_anew_takes_the_place_of_the_old_one(desk: Desk) -> None:
    first = desk.ask("hello")

    desk.talk.answer_again(first.id)
    desk.until_quiet()

    assert [turn.role for turn in desk.talk.turns] == [Role.USER, Role.ASSISTANT]
    assert desk.talk.turns[-1].id != first.id


def test_failed_attempts_without_text_do_not_pile_up(desk: Desk, tmp_path: Path) -> None:
    desk.library.folder = None
    for _ in range(3):
        failed = desk.talk.turns[-1] if desk.talk.turns else desk.ask("hello")
        desk.talk.answer_again(failed.id)
        desk.until(lambda failed=failed: desk.talk.turn(failed.id) is None)
        desk.until_quiet()

    assert [turn.state for turn in desk.talk.turns] == [TurnState.DONE, TurnState.FAILED]


def test_what_had_come_stays_until_the_new_answer_is_there(desk: Desk, tmp_path: Path) -> None:
    # Given an answer that was stopped, and a model that has gone since
    desk.wait_for_text(desk.begin("stream 100 every 0.05").id)
    desk.talk.stop()
    desk.until_quiet()
    stopped = desk.talk.turns[-1]
    desk.library.folder = None
    desk.engine.unload()

    # When it is tried again, then only the last failure stands beside what had come
    for _ in range(2):
        before = desk.talk.turns[-1].id
        desk.talk.answer_again(before)
        desk.until(lambda before=before: desk.talk.turns[-1].id != before)
        desk.until_quiet()
    assert [turn.text for turn in desk.talk.turns[1:]] == [stopped.text, ""]
    assert desk.talk.attempts(stopped.id) == {turn.id for turn in desk.talk.turns[1:]}

    # And the answer that comes at last replaces both
    desk.library.folder = tmp_path
    desk.talk.answer_again(desk.talk.turns[-1].id)
    desk.until(lambda: len(desk.talk.turns) == 2 and not desk.talk.busy)
    assert desk.talk.turns[-1].state is TurnState.DONE
    assert desk.talk.turns[-1].text.endswith("word99 ")


def test_an_answer_again_that_is_stopped_at_once_leaves_the_old_one(desk: Desk) -> None:
    desk.add()
    old = desk.ask("hello")
    # It waits for the text, so that nothing comes of it yet
    desk.talk.expect_text(desk.talk.pictures[0].picture.id)
    desk.talk.answer_again(old.id)
    desk.until(lambda: len(desk.talk.turns) == 3)

    desk.talk.stop()
    desk.until(lambda: not desk.talk.busy)

    assert [turn.id for turn in desk.talk.turns[1:]] == [old.id]
    assert desk.talk.turns[-1].text == old.text


def test_nothing_is_sent_that_a_model_for_one_picture_cannot_answer(desk: Desk) -> None:
    # Given an answer about one picture, and another one beside it
    desk.add()
    old = desk.ask("hello")
    second = desk.add()
    desk.talk.one_picture = "tiny"

    # When more is asked, then that is refused before anything is kept
    desk.talk.ask("which is larger?")
    assert [type(problem) for problem in desk.problems] == [OnePictureOnly]
    assert "tiny" in str(desk.problems[0])
    assert not desk.talk.busy

    # What was asked about the first alone can be asked anew
    assert desk.talk.obstacle(old.id) is None
    desk.talk.answer_again(old.id)
    desk.until(lambda: desk.talk.turns[-1].id != old.id)
    desk.until_quiet()
    assert desk.talk.turns[-1].state is TurnState.DONE

    # And everything once the second is gone
    desk.talk.remove_picture(second)
    assert desk.ask("and now?").state is TurnState.DONE


def test_the_last_picture_gets_a_conversation_of_its_own(desk: Desk) -> None:
    # Given a picture that was asked about, and one that was not, both read
    desk.add()
    desk.ask("hello")
    first = desk.talk.id
    assert first is not None
    second = desk.add()
    desk.talk.edit_text(second, "学校")

    # When the last one is to be asked about alone
    desk.talk.part_with_last_picture()
    desk.until(lambda: desk.talk.id not in (None, first))

    # Then it is there with its text, and gone where it was
    (shown,) = desk.talk.pictures
    assert shown.picture.text == "学校"
    assert not shown.reading
    desk.until(lambda: len(desk.store.get(first).pictures) == 1)  # type: ignore[union-attr]
    desk.talk.one_picture = "tiny"
    assert desk.ask("what").text.endswith("what [1]")

    # One that was asked about stays in its conversation, too
    second_talk = desk.talk.id
    assert second_talk is not None
    desk.talk.part_with_last_picture()
    desk.until(lambda: desk.talk.id not in (None, second_talk))
    assert len(desk.store.get(second_talk).pictures) == 1  # type: ignore[union-attr]


def test_an_edited_question_is_asked_with_its_picture(desk: Desk) -> None:
    desk.add()
    desk.ask("first")
    desk.ask("second")

    desk.talk.edit_question(desk.talk.turns[0].id, "other")
    desk.until(lambda: len(desk.talk.turns) == 2)
    desk.until_quiet()

    assert desk.talk.turns[-1].text.endswith("other [1]")


def test_deleting_from_a_question_takes_what_follows(desk: Desk) -> None:
    desk.ask("first")
    desk.ask("second")

    desk.talk.delete_from(desk.talk.turns[2].id)

    desk.until(lambda: len(desk.talk.turns) == 2)


def test_a_conversation_is_opened_again_with_all_that_belongs_to_it(desk: Desk) -> None:
    picture = desk.add()
    desk.talk.set_options(desk.talk.options, "Be short.", "own:Short")
    desk.ask("first")
    conversation, turns = desk.talk.id, desk.talk.turns
    assert conversation is not None
    desk.talk.begin()
    assert desk.talk.turns == ()

    with desk.qtbot.waitSignal(desk.talk.opened, timeout=STALL):
        desk.talk.open(conversation)

    assert desk.talk.turns == turns
    assert [shown.picture.id for shown in desk.talk.pictures] == [picture]
    assert desk.talk.pictures[0].image == PICTURE
    assert (desk.talk.system, desk.talk.preset) == ("Be short.", "own:Short")


def test_options_that_were_kept_out_of_their_bounds_are_put_right_and_told(desk: Desk) -> None:
    desk.add()
    conversation = desk.talk.id
    assert conversation is not None
    kept = {"options": {"temperature": 5, "top_p": "much"}, "system": "Be short."}
    desk.history.conversations.set_options(conversation, kept)
    desk.talk.begin()
    told: list[YomitoriError] = []
    desk.talk.problem.connect(told.append)

    with desk.qtbot.waitSignal(desk.talk.opened, timeout=STALL):
        desk.talk.open(conversation)

    usual = desk.talk.defaults()
    assert desk.talk.options == replace(usual, temperature=1.0)
    assert desk.talk.system == "Be short."
    assert [str(error) for error in told] == [
        "The setting vision.temperature cannot be 5: say a number from 0 to 1.",
        "The setting vision.top_p cannot be much: say a number from 0.05 to 1.",
    ]


def test_an_answer_goes_on_while_another_conversation_is_open(desk: Desk) -> None:
    begun = desk.begin("stream 200 every 0.002")
    first = desk.talk.id
    assert first is not None

    desk.talk.begin()
    assert not desk.talk.busy
    assert desk.ask("other").text == "other [0]"

    def finished() -> bool:
        found = desk.store.get(first)
        return found is not None and found.turns[-1].state is TurnState.DONE

    desk.until(finished)
    found = desk.store.get(first)
    assert found is not None
    assert found.turns[-1].id == begun.id
    assert found.turns[-1].text.endswith("word199 ")


def test_without_a_history_conversations_stay_in_memory(
    qtbot: QtBot, settings: SettingsStore, tmp_path: Path
) -> None:
    desk = Desk(qtbot, settings, tmp_path, kept=False)
    try:
        desk.add()
        assert desk.ask("hello").state is TurnState.DONE
        assert desk.talk.store is not desk.store
        assert desk.store.count() == 0
    finally:
        desk.close()


def test_the_picture_is_taken_in_while_the_question_is_being_written(desk: Desk) -> None:
    # Given a loaded model, and nothing else given with the question
    desk.settings.set("panel.give_text", False)
    desk.ask("hello")
    desk.talk.begin()
    told: list[object] = []
    prepare = desk.engine.prepare_question

    def listen(messages: Sequence[Message]) -> None:
        told.append([(message.text, len(message.images)) for message in messages])
        prepare(messages)

    desk.engine.prepare_question = listen  # type: ignore[method-assign]

    # When a picture is there, and read
    desk.add()

    # Then the model takes it in, and does so again with the text when that is to be given
    assert told[-1] == [("", 1)]
    desk.settings.set("panel.give_text", True)
    desk.talk.prepare()
    assert told[-1] == [('Text in the picture: "6x4"\n', 1)]


def test_a_file_that_is_no_picture_is_told(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no picture")

    desk.talk.add_file(tmp_path / "notes.png")

    desk.until(lambda: bool(desk.problems))
    assert isinstance(desk.problems[0], NotAnImage)
    assert desk.talk.id is None


def test_pieces_are_looked_at_once_for_all_that_came() -> None:
    asked: list[Answering] = []
    answering = Answering(None, 1, 2, asked.append)  # type: ignore[arg-type]

    answering.came(AnswerPiece(phase=Phase.READING, done=1, total=4))
    answering.came(AnswerPiece("Hel"))
    notice = FellBack(reason="It is full.", engine="LLaVA", used="cpu", asked="cuda:0")
    answering.came(AnswerPiece("lo", notice=notice))

    assert len(asked) == 1
    seen = answering.look()
    assert (seen.text, seen.phase, seen.done, seen.total) == ("Hello", Phase.READING, 1, 4)
    assert seen.notices == (notice,)


def test_an_answer_that_starts_anew_forgets_what_had_come() -> None:
    answering = Answering(None, 1, 2, lambda _: None)  # type: ignore[arg-type]
    answering.came(AnswerPiece("half"))
    answering.came(AnswerPiece(again=True))
    answering.came(AnswerPiece("whole"))

    assert answering.look() == Progress("whole")
