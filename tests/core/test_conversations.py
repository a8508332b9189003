"""Conversations in the history: what is kept, found, deleted, and what a crash leaves of an answer."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core import search
from core.chat import Answer, Finish, Role, Usage
from core.conversation_types import Conversation, ConversationRow, TurnState
from core.conversations import Conversations
from core.errors import DiskFull, FellBack, HistoryDamaged, ProcessDied, StorageError
from core.history import History, HistoryRow
from core.types import Box, Direction, OcrResult, TextBlock, TextLine
from tests.support.environment import child_environment
from tests.support.history import Clock, damage_pages, files, in_threads, moved_aside

PNG = b"\x89PNG picture"


def result(text: str) -> OcrResult:
    line = TextLine(text, Box(0, 0, 20, 200), (0.5,) * len(text))
    return OcrResult(text, (TextBlock(Box(0, 0, 20, 200), Direction.VERTICAL, (line,)),), "fake", "cpu", 0.25)


def answer(text: str) -> Answer:
    usage = Usage(prompt=700, answer=12, images=576, reused=600, tiles=5, context=4096)
    fell_back = FellBack(engine="fake", device="cuda", reason="out of memory")
    return Answer(
        text, Finish.LENGTH, "llava", "tiny", "cpu", "fp32", 2.5, 0.5, 0.75, usage, notices=(fell_back,)
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.sqlite3"


@pytest.fixture
def history(path: Path, clock: Clock) -> Iterator[History]:
    store = History(path, clock)
    yield store
    store.close()


@pytest.fixture
def talks(history: History) -> Conversations:
    return history.conversations


def snip(history: History, text: str, image: bytes = PNG) -> int:
    row = history.add_pending(image, 10, 20, "snip")
    history.finish(row, result(text))
    return row


def add_picture(talks: Conversations, talk: int, image: bytes = PNG) -> int:
    picture = talks.add_picture(talk, image, 10, 20, "clipboard")
    assert picture is not None
    return picture


def ask(talks: Conversations, talk: int, question: str) -> int:
    turn = talks.add_question(talk, question)
    assert turn is not None
    return turn


def begin(talks: Conversations, talk: int, replacing: int | None = None) -> int:
    turn = talks.begin_answer(talk, replacing)
    assert turn is not None
    return turn


def talk_of(talks: Conversations, *texts: str, image: bytes | None = None) -> int:
    """A conversation with these questions and answers in turn."""
    talk = talks.create()
    if image is not None:
        add_picture(talks, talk, image)
    for number, text in enumerate(texts):
        if number % 2 == 0:
            ask(talks, talk, text)
        else:
            talks.finish_answer(begin(talks, talk), answer(text))
    return talk


def kept(talks: Conversations, talk: int) -> Conversation:
    found = talks.get(talk)
    assert found is not None
    return found


def said(talks: Conversations, talk: int) -> list[tuple[str, TurnState]]:
    return [(turn.text, turn.state) for turn in kept(talks, talk).turns]


def found(talks: Conversations, query: str) -> list[int]:
    return [row.id for row in talks.list(query)]


# --- what is kept ----------------------------------------------------------------------------------------


def test_a_conversation_comes_back_as_it_was(path: Path, clock: Clock) -> None:
    # Given a conversation with two pictures, a question, an answer and a follow-up
    history = History(path, clock)
    talks = history.conversations
    origin = snip(history, "学校")
    clock.now += 5
    started = clock.now
    talk = talks.create({"temperature": 0.2, "system": "Kurz, bitte. 短く"})
    first = talks.add_picture(talk, PNG + b"1", 300, 200, "snip", origin)
    assert first is not None
    talks.set_result(first, result("学校へ"))
    second = talks.add_picture(talk, PNG + b"2", 30, 20, "page.png")
    assert second is not None
    clock.now += 5
    question = ask(talks, talk, "Was steht da?")
    reply = begin(talks, talk)
    talks.finish_answer(reply, answer("Zur Schule."))
    clock.now += 5
    again = ask(talks, talk, "Und das andere?")
    # When the history is opened again
    history.close()
    history = History(path, clock)
    talks = history.conversations
    whole = kept(talks, talk)
    # Then all of it is there, in order
    assert (whole.id, whole.created, whole.updated) == (talk, started, started + 10)
    assert whole.options == {"temperature": 0.2, "system": "Kurz, bitte. 短く"}
    assert whole.title == "Was steht da?"
    assert [(p.id, p.width, p.height, p.source, p.snip, p.text, p.edited) for p in whole.pictures] == [
        (first, 300, 200, "snip", origin, "学校へ", False),
        (second, 30, 20, "page.png", None, "", False),
    ]
    assert [(t.id, t.role, t.state, t.text) for t in whole.turns] == [
        (question, Role.USER, TurnState.DONE, "Was steht da?"),
        (reply, Role.ASSISTANT, TurnState.DONE, "Zur Schule."),
        (again, Role.USER, TurnState.DONE, "Und das andere?"),
    ]
    assert [t.created for t in whole.turns] == [started + 5, started + 5, started + 10]
    assert [talks.picture(p.id) for p in whole.pictures] == [PNG + b"1", PNG + b"2"]
    assert talks.result(first) == result("学校へ")
    assert talks.result(second) is None
    # And the answer with all its details (errors compare by identity, so as JSON)
    details = whole.turns[1].answer
    assert details is not None
    assert details.to_json() == answer("Zur Schule.").to_json()
    assert isinstance(details.notices[0], FellBack)
    history.close()


def test_everything_is_committed_when_the_call_returns(talks: Conversations, path: Path) -> None:
    talk = talk_of(talks, "学校？", image=PNG)
    turn = begin(talks, talk)
    talks.grow_answer(turn, "がっこ")
    other = sqlite3.connect(path)
    assert other.execute("SELECT text, state FROM turns ORDER BY id").fetchall() == [
        ("学校？", "done"),
        ("がっこ", "streaming"),
    ]
    assert other.execute("SELECT png FROM images").fetchall() == [(PNG,)]
    other.close()


def test_the_title_is_the_users_or_else_the_first_words(talks: Conversations) -> None:
    talk = talks.create()
    assert kept(talks, talk).title == ""
    picture = add_picture(talks, talk)
    talks.set_result(picture, result("学校へ\n行く"))
    assert kept(talks, talk).title == "学校へ 行く"
    ask(talks, talk, "What  is\nthis? " + "really " * 40)
    title = kept(talks, talk).title
    assert title.startswith("What is this? really really")
    assert title.endswith("…")
    assert len(title) <= 80
    assert talks.rename(talk, " 宿題 ")
    assert kept(talks, talk).title == talks.list()[0].title == "宿題"
    assert found(talks, "宿題") == [talk]
    # Without one of the user's own, the question names it again
    talks.rename(talk, "")
    assert kept(talks, talk).title == title
    assert found(talks, "宿題") == []


def test_a_question_shows_the_pictures_that_none_before_showed(talks: Conversations) -> None:
    talk = talks.create()
    first, second = add_picture(talks, talk), add_picture(talks, talk)
    start = ask(talks, talk, "a")
    ask(talks, talk, "b")
    third = add_picture(talks, talk)
    ask(talks, talk, "c")
    talks.add_question(talk, "d", [first])
    assert [turn.pictures for turn in kept(talks, talk).turns] == [(first, second), (), (third,), (first,)]
    # A first question that is asked anew shows all that there are by now
    talks.add_question(talk, "e", replacing=start)
    assert [turn.pictures for turn in kept(talks, talk).turns] == [(first, second, third)]
    # A picture that is deleted is shown by none
    assert talks.delete_picture(second)
    assert [turn.pictures for turn in kept(talks, talk).turns] == [(first, third)]


def test_the_users_text_of_a_picture_outlives_a_late_reading(talks: Conversations) -> None:
    talk = talks.create()
    first, second = add_picture(talks, talk), add_picture(talks, talk)
    talks.update_text(first, "学校")
    talks.set_result(first, result("学枚"))
    talks.set_result(second, result("行く"))
    assert [(p.text, p.edited) for p in kept(talks, talk).pictures] == [("学校", True), ("行く", False)]
    assert kept(talks, talk).text == "学校\n行く"
    assert talks.result(first) == result("学枚")
    assert found(talks, "学校") == [talk]
    assert found(talks, "枚") == []


def test_snip_and_conversation_outlive_each_other(history: History, talks: Conversations) -> None:
    first, second = snip(history, "学校"), snip(history, "今日")
    talk = talks.create()
    picture = talks.add_picture(talk, PNG, 10, 20, "snip", first)
    talks.add_picture(talk, PNG, 10, 20, "snip", second)
    assert picture is not None
    # When one of its snips is deleted, the conversation keeps its own picture and the other link
    history.delete([first])
    assert [p.snip for p in kept(talks, talk).pictures] == [None, second]
    assert talks.picture(picture) == PNG
    # And when the conversation is deleted, its snip stays
    talks.delete([talk])
    assert [row.id for row in history.list()] == [second]
    assert history.image(second) == PNG
    assert talks.picture(picture) is None


def test_options_can_be_changed(talks: Conversations, clock: Clock) -> None:
    talk = talks.create({"seed": 1})
    clock.now += 10
    assert talks.set_options(talk, {"seed": 2, "presets": ["a"]})
    assert kept(talks, talk).options == {"seed": 2, "presets": ["a"]}
    # Which is no news of the conversation, so it does not move in the list
    assert kept(talks, talk).updated == clock.now - 10


# --- answers ---------------------------------------------------------------------------------------------


def test_an_answer_grows_and_is_found_when_it_has_ended(talks: Conversations) -> None:
    talk = talk_of(talks, "何？")
    turn = begin(talks, talk)
    assert said(talks, talk)[-1] == ("", TurnState.STREAMING)
    assert talks.grow_answer(turn, "学")
    assert talks.grow_answer(turn, "学校")
    assert said(talks, talk)[-1] == ("学校", TurnState.STREAMING)
    assert talks.finish_answer(turn, answer("学校です。"))
    assert said(talks, talk)[-1] == ("学校です。", TurnState.DONE)
    assert found(talks, "校で") == [talk]


def test_a_stopped_or_failed_answer_keeps_what_had_arrived(talks: Conversations) -> None:
    talk = talk_of(talks, "何？")
    stopped, failed = begin(talks, talk), begin(talks, talk)
    talks.grow_answer(stopped, "学")
    assert talks.stop_answer(stopped, "学校")
    assert talks.fail_answer(failed, "今日は", ProcessDied(reason="signal 9"))
    assert said(talks, talk)[1:] == [("学校", TurnState.STOPPED), ("今日は", TurnState.FAILED)]
    error = kept(talks, talk).turns[-1].error
    assert isinstance(error, ProcessDied)
    assert error.params == {"reason": "signal 9"}
    assert found(talks, "学校") == found(talks, "今日") == [talk]


def test_an_answer_ends_once(talks: Conversations) -> None:
    # Given an answer that the user has stopped
    talk = talk_of(talks, "何？")
    turn = begin(talks, talk)
    talks.stop_answer(turn, "学")
    # When the model's last words come late
    assert not talks.grow_answer(turn, "学校です")
    assert not talks.finish_answer(turn, answer("学校です"))
    assert not talks.fail_answer(turn, "学校です", ProcessDied(reason="x"))
    # Then it stays as it was
    assert said(talks, talk)[-1] == ("学", TurnState.STOPPED)


ANSWERS = """
import os, sys
from pathlib import Path
from core.history import History
history = History(Path(sys.argv[1]))
talks = history.conversations
talk = talks.create()
talks.add_picture(talk, b"picture" * 1000, 1, 1, "snip")
talks.add_question(talk, "question")
turn = talks.begin_answer(talk)
text = ""
while True:
    text += "学校"
    talks.grow_answer(turn, text)
    print(f"{len(text)}\\n", end="", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
def test_a_crash_in_an_answer_keeps_what_had_arrived_and_marks_it(path: Path) -> None:
    dice = random.Random(5)
    for run in range(4):
        # When the program is killed while an answer grows
        program = subprocess.Popen(
            [sys.executable, "-c", ANSWERS, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            env=child_environment(os.environ),
        )
        assert program.stdout is not None
        lines = [program.stdout.readline() for _ in range(dice.randrange(1, 60))]
        program.send_signal(signal.SIGKILL)
        lines += program.stdout.read().splitlines()
        program.stdout.close()
        program.wait()
        # Then the next start finds all that was reported, marked, and searchable
        history = History(path)
        talks = history.conversations
        assert history.notice is None
        rows = talks.list()
        assert [row.state for row in rows] == [TurnState.INTERRUPTED] * (run + 1)
        whole = kept(talks, rows[0].id)
        assert [turn.text for turn in whole.turns[:1]] == ["question"]
        assert whole.turns[1].text in ("学校" * (int(lines[-1]) // 2), "学校" * (int(lines[-1]) // 2 + 1))
        assert talks.picture(whole.pictures[0].id) == b"picture" * 1000
        assert found(talks, "校学") == [row.id for row in rows if len(kept(talks, row.id).turns[1].text) > 2]
        history.close()


def test_opening_does_not_make_an_interrupted_conversation_newer(path: Path, clock: Clock) -> None:
    first = History(path, clock)
    talk = talk_of(first.conversations, "何？")
    turn = begin(first.conversations, talk)
    first.conversations.grow_answer(turn, "学")
    began = clock.now
    clock.now += 1000
    second = History(path, clock)
    assert kept(second.conversations, talk).updated == began
    assert said(second.conversations, talk)[-1] == ("学", TurnState.INTERRUPTED)
    # And if the first program was alive after all, its answer is not lost
    assert first.conversations.finish_answer(turn, answer("学校"))
    assert said(second.conversations, talk)[-1] == ("学校", TurnState.DONE)
    second.close()
    first.close()


def test_an_answer_given_anew_takes_the_place_of_the_old_when_it_is_finished(talks: Conversations) -> None:
    talk = talk_of(talks, "何？", "古い")
    old = kept(talks, talk).turns[-1].id
    # Given attempts that fail and are stopped
    talks.fail_answer(begin(talks, talk, old), "失敗", ProcessDied(reason="x"))
    talks.stop_answer(begin(talks, talk, old), "停止")
    # Then nothing is lost
    assert [text for text, _ in said(talks, talk)] == ["何？", "古い", "失敗", "停止"]
    new = begin(talks, talk, old)
    assert kept(talks, talk).turns[-1].replaces == old
    assert [text for text, _ in said(talks, talk)][1] == "古い"
    # Until one is finished, which alone remains
    assert talks.finish_answer(new, answer("新しい"))
    assert said(talks, talk) == [("何？", TurnState.DONE), ("新しい", TurnState.DONE)]
    assert kept(talks, talk).turns[-1].replaces is None
    assert found(talks, "古い") == found(talks, "失敗") == found(talks, "停止") == []
    assert found(talks, "新しい") == found(talks, "何") == [talk]


def test_attempts_of_which_nothing_came_do_not_pile_up(talks: Conversations) -> None:
    talk = talks.create()
    ask(talks, talk, "何？")
    turn = begin(talks, talk)
    # Given attempts that fail or are stopped before their first word
    for _ in range(2):
        talks.fail_answer(turn, "", ProcessDied(reason="x"))
        turn = begin(talks, talk, turn)
        talks.stop_answer(turn, " \n")
        turn = begin(talks, talk, turn)
    # Then the one that runs stands in their place, as if it were the first
    assert said(talks, talk) == [("何？", TurnState.DONE), ("", TurnState.STREAMING)]
    assert kept(talks, talk).turns[-1].replaces is None
    talks.finish_answer(turn, answer("学校"))
    assert said(talks, talk)[1:] == [("学校", TurnState.DONE)]


def test_text_of_an_attempt_stays_until_a_new_answer_is_complete(talks: Conversations) -> None:
    talk = talks.create()
    ask(talks, talk, "何？")
    # Given an attempt that was stopped, and others at it that came to nothing
    first = begin(talks, talk)
    talks.stop_answer(first, "半分")
    talks.fail_answer(begin(talks, talk, first), "", ProcessDied(reason="x"))
    failed = kept(talks, talk).turns[-1].id
    talks.fail_answer(begin(talks, talk, failed), "少し", ProcessDied(reason="x"))
    # Then what has text is still there, what has none is not
    assert [text for text, _ in said(talks, talk)] == ["何？", "半分", "少し"]
    # When the last one is tried again, it is all of them that the new one replaces
    last = begin(talks, talk, kept(talks, talk).turns[-1].id)
    assert kept(talks, talk).turns[-1].replaces == first
    assert [text for text, _ in said(talks, talk)] == ["何？", "半分", "少し", ""]
    talks.finish_answer(last, answer("学校"))
    assert said(talks, talk) == [("何？", TurnState.DONE), ("学校", TurnState.DONE)]
    assert found(talks, "半分") == found(talks, "少し") == []


def test_a_new_attempt_that_is_stopped_before_its_first_word_leaves_the_old_answer(
    talks: Conversations,
) -> None:
    talk = talk_of(talks, "何？", "学校")
    turn = begin(talks, talk, kept(talks, talk).turns[-1].id)
    assert talks.stop_answer(turn, "")
    assert said(talks, talk) == [("何？", TurnState.DONE), ("学校", TurnState.DONE)]
    # While a failure says why, and of a first attempt it is kept that it was stopped
    talks.fail_answer(begin(talks, talk, kept(talks, talk).turns[-1].id), "", ProcessDied(reason="x"))
    ask(talks, talk, "どこ？")
    talks.stop_answer(begin(talks, talk), "")
    assert [state for _, state in said(talks, talk)[2:]] == [
        TurnState.FAILED,
        TurnState.DONE,
        TurnState.STOPPED,
    ]


def test_an_attempt_before_a_later_question_keeps_its_place(talks: Conversations) -> None:
    # Given an earlier question without an answer
    talk = talks.create()
    ask(talks, talk, "一番")
    failed = begin(talks, talk)
    talks.fail_answer(failed, "", ProcessDied(reason="x"))
    ask(talks, talk, "二番")
    talks.finish_answer(begin(talks, talk), answer("二"))
    # When it is tried again twice, then nobody can take that for answers to the later one
    again = begin(talks, talk, failed)
    assert kept(talks, talk).turns[-1].replaces == failed
    talks.fail_answer(again, "", ProcessDied(reason="x"))
    last = begin(talks, talk, again)
    assert kept(talks, talk).turns[-1].replaces == failed
    assert [text for text, _ in said(talks, talk)] == ["一番", "", "二番", "二", ""]
    talks.finish_answer(last, answer("一"))
    assert [text for text, _ in said(talks, talk)] == ["一番", "一"]


def test_a_question_asked_anew_removes_what_followed_it(talks: Conversations) -> None:
    talk = talk_of(talks, "一番", "二番", "三番", "四番")
    other = talk_of(talks, "三番", "四番")
    third = kept(talks, talk).turns[2].id
    turn = talks.add_question(talk, "五番", replacing=third)
    assert turn is not None
    assert [text for text, _ in said(talks, talk)] == ["一番", "二番", "五番"]
    assert found(talks, "三番") == found(talks, "四") == [other]
    assert found(talks, "番") == [talk, other] or found(talks, "番") == [other, talk]
    assert talks.truncate_from(kept(talks, talk).turns[1].id) == 2
    assert [text for text, _ in said(talks, talk)] == ["一番"]
    assert [text for text, _ in said(talks, other)] == ["三番", "四番"]
    # A running answer that is cut off has nowhere to land
    running = begin(talks, talk)
    assert talks.truncate_from(running) == 1
    assert not talks.grow_answer(running, "x")
    assert not talks.finish_answer(running, answer("x"))


def test_news_about_what_was_deleted_changes_nothing(history: History, talks: Conversations) -> None:
    talk = talks.create()
    picture, question, turn = add_picture(talks, talk), ask(talks, talk, "何？"), begin(talks, talk)
    assert talks.delete([talk, talk]) == 1
    assert not talks.rename(talk, "x")
    assert not talks.set_options(talk, {})
    assert talks.add_picture(talk, PNG, 1, 1, "x") is None
    assert not talks.set_result(picture, result("x"))
    assert not talks.update_text(picture, "x")
    assert talks.add_question(talk, "x") is None
    assert talks.begin_answer(talk) is None
    assert not talks.grow_answer(turn, "x")
    assert not talks.finish_answer(turn, answer("x"))
    assert not talks.stop_answer(turn, "x")
    assert not talks.fail_answer(turn, "x", ProcessDied(reason="x"))
    assert talks.truncate_from(question) == 0
    assert not talks.delete_picture(picture)
    assert talks.delete([talk]) == 0
    assert talks.get(talk) is None
    assert talks.picture(picture) is None
    assert talks.result(picture) is None
    assert history.find_all() == []
    # And no id comes back, for any kind, also after all was cleared
    used = {talk, picture, question, turn}
    for _ in range(2):
        fresh = talks.create()
        ids = [
            fresh,
            add_picture(talks, fresh),
            ask(talks, fresh, "a"),
            begin(talks, fresh),
            snip(history, "b"),
        ]
        assert min(ids) > max(used)
        assert len(set(ids)) == len(ids)
        used.update(ids)
        history.clear()


# --- lists and search ------------------------------------------------------------------------------------


def test_the_list_tells_what_a_row_shows(talks: Conversations) -> None:
    empty = talks.create()
    talk = talks.create()
    first = add_picture(talks, talk)
    add_picture(talks, talk)
    ask(talks, talk, "何？")
    begin(talks, talk)
    rows = {row.id: row for row in talks.list()}
    assert dataclasses.asdict(rows[talk]) == {
        "id": talk,
        "created": 1e9,
        "updated": 1e9,
        "title": "何？",
        "picture": first,
        "pictures": 2,
        "turns": 2,
        "questions": 1,
        "state": TurnState.STREAMING,
    }
    assert (rows[empty].picture, rows[empty].pictures, rows[empty].turns, rows[empty].state) == (
        None,
        0,
        0,
        None,
    )
    assert talks.count() == 2


def test_the_last_changed_comes_first_and_paging_neither_skips_nor_repeats(
    talks: Conversations, clock: Clock
) -> None:
    ids = []
    for number in range(25):
        clock.now += number % 3
        ids.append(talk_of(talks, f"{number}番"))
    for query in ("", "番"):
        seen: list[int] = []
        before: ConversationRow | None = None
        while page := talks.list(query, limit=4, before=before):
            seen += [row.id for row in page]
            before = page[-1]
            # One that is still to come changes meanwhile: it moves up, and the others stay in line
            if len(seen) == 12:
                clock.now += 1
                moved = ids[3]
                ask(talks, moved, "番")
        expected = [talk for talk in reversed(ids) if talk != moved]
        assert seen == expected
        assert talks.list(query, limit=1)[0].id == moved
        ids = [*(talk for talk in ids if talk != moved), moved]


def test_a_search_looks_through_titles_recognised_texts_questions_and_answers(talks: Conversations) -> None:
    talk = talk_of(talks, "これは何ですか", "学校という意味です", image=PNG)
    talks.set_result(kept(talks, talk).pictures[0].id, result("今日は\n学校"))
    talks.rename(talk, "日本語の宿題")
    talk_of(talks, "どこへ行くの？", "家に帰ります")
    for query in ("宿題", "今日は学", "何で", "意", "意味 宿題 今日", "　学校　", "学校 何"):
        assert found(talks, query) == [talk]
    # A word must be in one place as a whole
    assert found(talks, "ですか学校") == []
    assert found(talks, "意味 家") == []


def test_snips_and_conversations_are_listed_together_by_time(
    history: History, talks: Conversations, clock: Clock
) -> None:
    expected = []
    for number in range(30):
        clock.now += number % 2
        if number % 3:
            expected.append((HistoryRow, snip(history, f"{number}番")))
        else:
            expected.append((ConversationRow, talk_of(talks, f"{number}番")))
    clock.now += 1
    # A conversation that goes on comes up again
    ask(talks, expected[0][1], "続き")
    expected = [*expected[1:], expected[0]]
    for query in ("", "番"):
        seen: list[tuple[type, int]] = []
        before: HistoryRow | ConversationRow | None = None
        while page := history.find_all(query, limit=7, before=before):
            assert len(page) <= 7
            seen += [(type(row), row.id) for row in page]
            before = page[-1]
        assert seen == expected[::-1]
    # Each of the two lists has its own kind only
    assert [(HistoryRow, row.id) for row in history.list("番")] == [
        e for e in expected[::-1] if e[0] is HistoryRow
    ]
    assert len(talks.list("番")) == 10
    assert history.count() == 20


def test_common_words_are_found_by_another_way_alike(path: Path) -> None:
    # Given more rows with a character than are counted, and some rare ones among them
    clock = Clock()
    history = History(path, clock)
    talks = history.conversations
    expected: dict[str, list[int]] = {"の": [], "のを": []}
    for number in range(2100):
        clock.now += 1
        word = "のを" if number % 700 == 5 else "の"
        row = talks.create()
        talks.rename(row, f"{word} {number}")
        for query in expected:
            if query in word:
                expected[query].append(row)
    for query, rows in expected.items():
        assert [row.id for row in talks.list(query, 5)] == rows[::-1][:5]
        assert [row.id for row in history.find_all(query, 5)] == rows[::-1][:5]
        last = talks.list(query, 2)[-1]
        assert [row.id for row in talks.list(query, 5, last)] == rows[::-1][2:7]
    history.close()


def test_what_search_knows_is_what_is_there_after_any_changes(path: Path) -> None:
    # Given a long row of random changes
    dice = random.Random(11)
    history = History(path)
    talks = history.conversations
    alphabet = "学校今日はがガかーっ。、aAZß1… \n"

    def words() -> str:
        return "".join(dice.choice(alphabet) for _ in range(dice.randrange(9)))

    ids: list[int] = []
    for _ in range(500):
        if len(ids) < 4:
            ids.append(talks.create())
            continue
        talk = dice.choice(ids)
        whole = kept(talks, talk)
        match dice.randrange(12):
            case 0:
                talks.rename(talk, words())
            case 1 | 2:
                talks.set_result(add_picture(talks, talk), result(words()))
            case 3 if whole.pictures:
                talks.update_text(dice.choice(whole.pictures).id, words())
            case 4 if whole.pictures:
                talks.delete_picture(dice.choice(whole.pictures).id)
            case 5 | 6:
                ask(talks, talk, words())
            case 7 | 8 | 9:
                old = whole.turns[-1].id if whole.turns and dice.random() < 0.5 else None
                turn = begin(talks, talk, old)
                talks.grow_answer(turn, words())
                match dice.randrange(3):
                    case 0:
                        talks.finish_answer(turn, answer(words()))
                    case 1:
                        talks.stop_answer(turn, words())
                    case 2:
                        talks.fail_answer(turn, words(), ProcessDied(reason="x"))
            case 10 if whole.turns:
                talks.truncate_from(dice.choice(whole.turns).id)
            case 11 if dice.random() < 0.2:
                ids.remove(talk)
                talks.delete([talk])
    # Then the index has the grams of the texts that are there, and no others
    db = sqlite3.connect(path)
    for talk in ids:
        whole = kept(talks, talk)
        (title,) = db.execute("SELECT title FROM conversations WHERE id = ?", (talk,)).fetchone()
        texts = [title, *(p.text for p in whole.pictures), *(t.text for t in whole.turns)]
        expected = set().union(*(search.grams(search.fold(text)) for text in texts))
        grams = db.execute("SELECT gram FROM conversation_grams WHERE conversation = ?", (talk,))
        assert {gram for (gram,) in grams} == expected
        for text in texts:
            for word in search.query_words(text):
                assert talk in found(talks, word)
    (strays,) = db.execute(
        f"SELECT count(*) FROM conversation_grams WHERE conversation NOT IN ({','.join(map(str, ids))})"
    ).fetchone()
    assert strays == 0
    assert (
        db.execute("SELECT count(*) FROM images").fetchone()
        == db.execute("SELECT count(*) FROM pictures").fetchone()
    )
    db.close()
    history.close()


# --- deleting --------------------------------------------------------------------------------------------


def test_deleted_conversations_are_gone_from_the_files(
    history: History, talks: Conversations, path: Path
) -> None:
    # Given conversations with a mark in every text and picture, some long, answers that grew, and snips
    dice = random.Random(7)
    marked: dict[int, str] = {}
    for number in range(120):
        mark = f"<{number:04d}>"
        long = mark + "学校" * dice.choice([1, 40, 900]) + mark
        talk = talks.create({"system": mark})
        for _ in range(dice.randrange(3)):
            picture = add_picture(talks, talk, mark.encode() * dice.choice([5, 700, 3000]))
            talks.set_result(picture, result(long))
            talks.update_text(picture, mark + "今日" * dice.randrange(200))
        if dice.random() < 0.5:
            talks.rename(talk, mark * 3)
        for _ in range(dice.randrange(4)):
            ask(talks, talk, long)
            turn = begin(talks, talk)
            for grown in range(0, len(long), 300):
                talks.grow_answer(turn, long[: grown + 1])
            end = dice.randrange(4)
            if end == 0:
                talks.finish_answer(turn, answer(long))
            elif end == 1:
                talks.stop_answer(turn, long)
            elif end == 2:
                talks.fail_answer(turn, long, ProcessDied(reason=mark))
        marked[talk] = mark
        snip(history, f"[{number:04d}]")
    # When most are deleted, one by one and many at once
    gone = dice.sample(list(marked), 100)
    for talk in gone[:10]:
        assert talks.delete([talk]) == 1
    assert talks.delete(gone[10:]) == 90
    # Then nothing of them is in any file, and all else is whole
    raw = files(path.parent)
    for talk, mark in marked.items():
        assert (mark.encode() in raw) == (talk not in gone)
    assert {row.id for row in talks.list()} == set(marked) - set(gone)
    assert history.count() == 120
    for number in range(120):
        assert len(history.list(f"[{number:04d}]")) == 1


def test_deleted_turns_and_pictures_are_gone_from_the_files(talks: Conversations, path: Path) -> None:
    dice = random.Random(8)
    gone: list[str] = []
    stays: list[str] = []

    def mark(of: list[str]) -> str:
        of.append(f"<{len(gone)}-{len(stays)}-{dice.randrange(10**9):09d}>")
        return of[-1]

    for number in range(40):
        talk = talks.create()
        picture = add_picture(talks, talk, mark(stays).encode() * 900)
        talks.set_result(picture, result(mark(stays)))
        wrong = add_picture(talks, talk, mark(gone).encode() * dice.choice([2, 900]))
        talks.set_result(wrong, result(mark(gone) + "学校" * 300))
        ask(talks, talk, mark(stays) + "今日" * dice.randrange(300))
        talks.finish_answer(begin(talks, talk), answer(mark(stays) + "今日" * dice.randrange(300)))
        second = ask(talks, talk, mark(gone) + "学校" * dice.randrange(300))
        talks.fail_answer(begin(talks, talk), mark(gone), ProcessDied(reason=mark(gone)))
        talks.finish_answer(begin(talks, talk), answer(mark(gone) + "学校" * dice.randrange(300)))
        if number % 2:
            talks.add_question(talk, mark(stays), replacing=second)
        else:
            assert talks.truncate_from(second) == 3
        assert talks.delete_picture(wrong)
    raw = files(path.parent)
    assert [text for text in gone if text.encode() in raw] == []
    assert [text for text in stays if text.encode() not in raw] == []


def test_many_large_pictures_are_deleted_in_several_steps(talks: Conversations, path: Path) -> None:
    talk, other = talks.create(), talk_of(talks, "何？", image=os.urandom(3_000_000))
    for _ in range(9):
        add_picture(talks, talk, os.urandom(4_000_000))
    assert talks.delete([talk, other]) == 2
    assert talks.count() == 0
    assert path.stat().st_size < 300_000
    assert Path(f"{path}-wal").stat().st_size == 0


def test_clearing_removes_both_kinds(history: History, talks: Conversations, path: Path) -> None:
    snip(history, "<snip>")
    talk = talk_of(talks, "<question>", "<answer>", image=b"<picture>")
    turn = begin(talks, talk)
    assert history.clear() == 2
    assert history.find_all() == []
    assert talks.count() == 0
    assert not talks.finish_answer(turn, answer("<late>"))
    raw = files(path.parent)
    assert not [mark for mark in (b"<snip>", b"<question>", b"<answer>", b"<picture>") if mark in raw]


def test_a_conversation_is_as_old_as_its_last_change(
    history: History, talks: Conversations, clock: Clock
) -> None:
    old_snip, old_talk, used = (
        snip(history, "古い"),
        talk_of(talks, "古い", "はい"),
        talk_of(talks, "使う", "はい"),
    )
    running = talk_of(talks, "今", image=PNG)
    turn = begin(talks, running)
    clock.now += 20 * 86400
    ask(talks, used, "もう一度")
    fresh = snip(history, "新しい")
    clock.now += 15 * 86400
    assert history.prune(0, 0) == 0
    # When what is older than 30 days goes
    assert history.prune(30, 0) == 2
    # Then those stay that were used since, and one that is being answered
    assert history.get(old_snip) is None
    assert talks.get(old_talk) is None
    assert {row.id for row in history.find_all()} == {used, fresh, running}
    # Which may go when it has ended and grown old in turn
    talks.stop_answer(turn, "")
    clock.now += 31 * 86400
    assert history.prune(30, 0) == 3
    assert history.find_all() == []


def test_the_oldest_of_both_kinds_go_when_there_is_too_much(
    history: History, talks: Conversations, clock: Clock
) -> None:
    running = talk_of(talks, "今", image=os.urandom(200_000))
    begin(talks, running)
    ids = []
    for number in range(20):
        clock.now += 1
        if number % 2:
            ids.append(snip(history, str(number), os.urandom(150_000)))
        else:
            ids.append(talk_of(talks, str(number), "はい", image=os.urandom(150_000)))
    assert history.prune(0, 1) > 0
    assert history.size_bytes() <= 2**20
    left = [row.id for row in history.find_all()]
    assert left[-1] == running
    assert left[:-1] == ids[::-1][: len(left) - 1]
    assert len(left) >= 4


def test_conversations_without_pictures_count_by_their_texts(history: History, clock: Clock) -> None:
    talks = history.conversations
    dice = random.Random(2)
    for _ in range(80):
        clock.now += 1
        talk_of(talks, "".join(chr(dice.randrange(0x4E00, 0x9FFF)) for _ in range(1000)))
    before = history.size_bytes()
    assert before > 2 * 2**20
    assert history.prune(0, 1) > 0
    assert history.size_bytes() <= 2**20
    # Not many more than had to go
    assert history.size_bytes() > 0.6 * 2**20


def test_what_changes_while_old_rows_are_pruned_stays(path: Path) -> None:
    # Given two old conversations, and a user who turns to one of them at the moment they are to go
    inside, go_on = threading.Event(), threading.Event()
    now = 1e9

    def clock() -> float:
        if threading.current_thread() is user:
            inside.set()
            assert go_on.wait(60)
        return now

    history = History(path, clock)
    talks = history.conversations
    user = threading.Thread(target=lambda: talks.add_question(talk, "まだ？"))
    talk, other = talk_of(talks, "古い", "はい"), talk_of(talks, "別", "はい")
    now += 40 * 86400
    user.start()
    assert inside.wait(60)
    # When pruning has chosen them, and has to wait for the question
    deleted: list[int] = []
    pruning = threading.Thread(target=lambda: deleted.append(history.prune(30, 0)))
    pruning.start()
    pruning.join(0.5)
    assert pruning.is_alive()
    go_on.set()
    pruning.join()
    user.join()
    # Then the one that is used stays whole
    assert deleted == [1]
    assert [text for text, _ in said(talks, talk)] == ["古い", "はい", "まだ？"]
    assert talks.get(other) is None
    history.close()


def test_only_unchanged_conversations_are_deleted_when_asked_so(talks: Conversations, clock: Clock) -> None:
    same, changed = talk_of(talks, "同じ"), talk_of(talks, "変わる")
    rows = {row.id: row.updated for row in talks.list()}
    clock.now += 1
    turn = begin(talks, changed)
    assert talks.delete_unchanged(rows) == 1
    assert talks.get(same) is None
    assert talks.finish_answer(turn, answer("はい"))


# --- the file --------------------------------------------------------------------------------------------

WRITES: dict[str, Callable[[Conversations, int, int, int], object]] = {
    "create": lambda talks, talk, picture, turn: talks.create(),
    "rename": lambda talks, talk, picture, turn: talks.rename(talk, "x"),
    "set_options": lambda talks, talk, picture, turn: talks.set_options(talk, {"x": 1}),
    "add_picture": lambda talks, talk, picture, turn: talks.add_picture(talk, PNG, 1, 1, "x"),
    "set_result": lambda talks, talk, picture, turn: talks.set_result(picture, result("x")),
    "update_text": lambda talks, talk, picture, turn: talks.update_text(picture, "x"),
    "add_question": lambda talks, talk, picture, turn: talks.add_question(talk, "x"),
    "begin_answer": lambda talks, talk, picture, turn: talks.begin_answer(talk),
    "grow_answer": lambda talks, talk, picture, turn: talks.grow_answer(turn, "x" * 9000),
    "finish_answer": lambda talks, talk, picture, turn: talks.finish_answer(turn, answer("x")),
    "stop_answer": lambda talks, talk, picture, turn: talks.stop_answer(turn, "x"),
    "fail_answer": lambda talks, talk, picture, turn: talks.fail_answer(turn, "x", ProcessDied(reason="x")),
    "truncate_from": lambda talks, talk, picture, turn: talks.truncate_from(turn),
    "delete_picture": lambda talks, talk, picture, turn: talks.delete_picture(picture),
    "delete": lambda talks, talk, picture, turn: talks.delete([talk]),
}
READS: dict[str, Callable[[Conversations, int, int, int], object]] = {
    "get": lambda talks, talk, picture, turn: talks.get(talk),
    "picture": lambda talks, talk, picture, turn: talks.picture(picture),
    "result": lambda talks, talk, picture, turn: talks.result(picture),
    "list": lambda talks, talk, picture, turn: talks.list("x"),
    "passage": lambda talks, talk, picture, turn: talks.passage(talk, "x"),
    "count": lambda talks, talk, picture, turn: talks.count(),
    "speed": lambda talks, talk, picture, turn: talks.speed("x", "cpu"),
}
CALLS = {**WRITES, **READS}


def test_every_method_is_tried_below() -> None:
    methods = {name for name in vars(Conversations) if not name.startswith("_")}
    assert methods - {"delete_unchanged"} == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_a_closed_history_says_so(path: Path, name: str) -> None:
    history = History(path)
    history.close()
    with pytest.raises(StorageError, match="closed"):
        CALLS[name](history.conversations, 1, 2, 3)


@pytest.mark.parametrize("name", ["get", "result", "update_text", "delete"])
def test_damage_found_while_in_use_is_said_and_moved_aside(path: Path, name: str) -> None:
    # Given conversations whose recognised texts were damaged behind the history's back
    history = History(path)
    talks = history.conversations
    ids = [talk_of(talks, f"学校{number}", image=PNG) for number in range(10)]
    pictures = [kept(talks, talk).pictures[0].id for talk in ids]
    for picture in pictures:
        talks.set_result(picture, result("今日" * 50))
    turn = begin(talks, ids[0])
    history.close()
    damage_pages(path, b'"blocks"')
    history = History(path)
    talks = history.conversations
    assert history.notice is None
    assert sorted(found(talks, "学校")) == ids
    # When they are needed
    with pytest.raises(HistoryDamaged) as caught:
        CALLS[name](talks, ids[0], pictures[0], turn)
    # Then the user hears where the file went, and goes on with a new one where late news lands nowhere
    (aside,) = moved_aside(path)
    assert aside.name in caught.value.message
    assert history.notice is not None
    assert history.notice.message == caught.value.message
    assert talks.count() == 0
    assert not talks.finish_answer(turn, answer("x"))
    fresh = talk_of(talks, "新しい")
    assert fresh > turn
    assert found(talks, "新しい") == [fresh]
    history.close()


def test_damage_found_when_opening_is_said_and_moved_aside(path: Path) -> None:
    history = History(path)
    talk_of(history.conversations, "学校" * 500, "今日" * 500)
    history.close()
    damage_pages(path, b"assistantdone[]")
    history = History(path)
    (aside,) = moved_aside(path)
    assert history.notice is not None
    assert aside.name in history.notice.message
    talk = talk_of(history.conversations, "新しい")
    assert found(history.conversations, "新しい") == [talk]
    history.close()


@pytest.mark.skipif(os.name != "posix", reason="mounts a small disk")
def test_a_full_disk_is_said_and_what_is_there_stays(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("may not mount a small disk")
    try:
        # Given a disk that another program fills for the most part
        other = folder / "other"
        other.write_bytes(b"x" * 2_000_000)
        history = History(folder / "data" / "history.sqlite3")
        talks = history.conversations
        talk = talk_of(talks, "学校？", image=os.urandom(100_000))
        turn = begin(talks, talk)
        talks.grow_answer(turn, "がっこ")
        # When the answer goes on, which finds no room at some point
        text = "がっこ"
        with pytest.raises(DiskFull):  # noqa: PT012
            for _ in range(2000):
                text += "う" * 3000
                talks.grow_answer(turn, text)
        with pytest.raises(DiskFull):
            talks.add_picture(talk, os.urandom(2_000_000), 1, 1, "x")
        # Then what was kept is whole, and with room again the answer is kept after all
        whole = kept(talks, talk)
        assert whole.turns[1].state is TurnState.STREAMING
        assert whole.turns[1].text.startswith("がっこ")
        assert len(whole.pictures) == 1
        other.unlink()
        assert talks.finish_answer(turn, answer("学校です"))
        assert said(talks, talk) == [("学校？", TurnState.DONE), ("学校です", TurnState.DONE)]
        history.close()
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_many_threads_may_use_it_at_once(talks: Conversations, history: History) -> None:
    problems: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for number in range(8):
                talk = talk_of(talks, f"学校 {name} {number}", f"答え {name} {number}", image=PNG)
                turn = begin(talks, talk)
                for length in range(5):
                    assert talks.grow_answer(turn, "あ" * length)
                assert talks.stop_answer(turn, f"止 {name} {number}")
                assert [row.id for row in talks.list(f"止 {name} {number}")].count(talk) == 1
                assert len(kept(talks, talk).turns) == 3
                snip(history, f"学校 {name}")
                if number % 4 == 0:
                    assert talks.delete([talk]) == 1
        except BaseException as problem:
            problems.append(problem)

    in_threads(work, range(4))
    assert problems == []
    assert talks.count() == 4 * 6
    assert history.count() == 4 * 8


def test_reading_does_not_wait_for_writing(path: Path) -> None:
    # Given a conversation, and a writer that stands still in the middle of its transaction
    inside, go_on = threading.Event(), threading.Event()
    stand_still = False

    def clock() -> float:
        if stand_still:
            inside.set()
            assert go_on.wait(60)
        return 1.0

    history = History(path, clock)
    talks = history.conversations
    talk = talk_of(talks, "学校？", image=PNG)
    picture = kept(talks, talk).pictures[0].id
    stand_still = True
    writer = threading.Thread(target=talks.add_question, args=(talk, "今日？"))
    writer.start()
    assert inside.wait(60)
    # When another thread reads
    seen: list[object] = []

    def read() -> None:
        seen.append(said(talks, talk))
        seen.append(found(talks, "学校"))
        seen.append([row.id for row in history.find_all("学校")])
        seen.append(talks.picture(picture))
        seen.append(talks.result(picture))
        seen.append(talks.count())

    reader = threading.Thread(target=read)
    reader.start()
    reader.join(30)
    waited = reader.is_alive()
    go_on.set()
    writer.join()
    reader.join()
    # Then it was not kept waiting, and saw what was there before
    assert not waited
    assert seen == [[("学校？", TurnState.DONE)], [talk], [talk], PNG, None, 1]
    assert len(kept(talks, talk).turns) == 2
    history.close()


def test_how_fast_a_model_answered_is_remembered(talks: Conversations) -> None:
    # Given answers of two models, some too short to tell
    def answered(model: str, tokens: int, seconds: float) -> None:
        conversation = talks.create()
        talks.add_question(conversation, "?")
        turn = talks.begin_answer(conversation)
        assert turn is not None
        kept = Answer(
            "x", Finish.STOP, "llava", model, "cpu", "fp32", seconds, 1.0, None, Usage(answer=tokens)
        )
        assert talks.finish_answer(turn, kept)

    for tokens, seconds in ((11, 2.0), (31, 2.0), (21, 2.0), (2, 1.1)):
        answered("one", tokens, seconds)
    answered("other", 101, 2.0)

    # Then the time after the first word counts, and the middle of several
    assert talks.speed("one", "cpu") == 20.0
    assert talks.speed("other", "cpu") == 100.0
    assert talks.speed("one", "cuda:0") is None


def test_a_history_in_memory_leaves_no_file_and_does_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a history that is kept nowhere
    monkeypatch.chdir(tmp_path)
    history = History(None)
    talks = history.conversations

    # When several threads talk, and something is deleted
    made: list[int] = []

    def talk(number: int) -> None:
        conversation = talks.create()
        talks.add_picture(conversation, PNG, 4, 3, "snip")
        question = talks.add_question(conversation, f"question {number}")
        assert question is not None
        turn = talks.begin_answer(conversation)
        assert turn is not None
        assert talks.finish_answer(turn, answer(f"answer {number}"))
        made.append(conversation)

    in_threads(talk, range(8))
    assert talks.delete(made[:3]) == 3

    # Then it is found as in a file, and nothing was written
    assert len(talks.list("answer")) == 5
    assert history.clear() == 5
    assert talks.count() == 0
    history.close()
    assert list(tmp_path.iterdir()) == []


def test_the_passage_that_a_search_found(history: History, talks: Conversations) -> None:
    conversation = talks.create()
    picture = talks.add_picture(conversation, PNG, 10, 20, "snip")
    assert picture is not None
    talks.set_result(picture, result("学\n校の帰り\nabc"))
    talks.add_question(conversation, "Where is the cat going?")
    turn = talks.begin_answer(conversation)
    assert turn is not None
    talks.finish_answer(turn, answer("A dog, " * 100 + "and the CAT\ngoes home. " + "End. " * 100))
    talks.rename(conversation, "About pets")
    other = talks.create()
    talks.add_question(other, "home")

    # The text of a picture, over the end of a column; the rest of it in one line
    assert talks.passage(conversation, "学校") == "学校の帰り abc"
    # That which has more of the words, from shortly before the first
    assert "the CAT goes home. End." in talks.passage(conversation, "cat goes")
    assert talks.passage(conversation, "cat goes").startswith("…")
    assert len(talks.passage(conversation, "end")) <= 161
    # The first, where several have as many
    assert talks.passage(conversation, "cat") == "…is the cat going?"
    # An answer without its marks, but not what was read or typed
    marked = talks.create()
    talks.add_question(marked, "Is **this** a cat?")
    turn = talks.begin_answer(marked)
    assert turn is not None
    talks.finish_answer(turn, answer("## The **cat**\n\nIt is *very* `small`."))
    assert talks.passage(marked, "small") == "…is very small."
    assert talks.passage(marked, "the cat very") == "The cat It is very small."
    assert talks.passage(marked, "this") == "Is **this** a cat?"
    # Unless the marks are what is searched for
    assert talks.passage(marked, "**cat**") == "## The **cat** It is *very* `small`."
    kept = talks.get(marked)
    assert kept is not None
    assert kept.turns[-1].text == "## The **cat**\n\nIt is *very* `small`."
    # The title is no passage, nor is what another conversation says
    assert talks.passage(conversation, "pets") == ""
    assert talks.passage(conversation, "") == ""
    assert talks.passage(other, "cat") == ""
