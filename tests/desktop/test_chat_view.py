"""The transcript of a conversation, with real keys, mouse, input method and documents."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt, QUrl
from PySide6.QtGui import (
    QAction,
    QGuiApplication,
    QImage,
    QInputMethodEvent,
    QKeyEvent,
    QTextCursor,
    QTextDocument,
    QTextListFormat,
)
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from core.chat import Answer, Finish, Role, Usage
from core.conversation_types import Turn, TurnState
from core.errors import OutOfMemory, ProcessDied
from desktop.answer_info import AnswerInfo
from desktop.chat_document import ChatDocument, TextStyle, Writer
from desktop.chat_markdown import Kind, Piece, Splitter
from desktop.chat_turn import AnswerTurn, QuestionTurn
from desktop.chat_view import ChatView
from desktop.theme import LIGHT, Theme

MIXED = """# Forms
**ませんでした** is *polite*.
The next line
- one
- two
  and more
  ```py
  inside
  ```

- three

Text before
```python
first = 1

last = 2
```
1. a
   - b
2. c
~~~
other
~~~
2. goes on

| form | polite |
|:--|--:|
| past | 行きました |
| present | 行きます |

Under
---

---
key: value
---

> quoted
> text

    indented

    code

end **「です」**は `x
"""


def question(turn: int, text: str = "なぜ？") -> Turn:
    return Turn(turn, 0.0, Role.USER, TurnState.DONE, text)


def answer(turn: int, text: str = "", state: TurnState = TurnState.DONE, **more: object) -> Turn:
    return Turn(turn, 0.0, Role.ASSISTANT, state, text, **more)  # type: ignore[arg-type]


def facts(text: str = "", **more: object) -> Answer:
    usage = Usage(prompt=1100, answer=104, images=720, reused=600, tiles=5, context=4096)
    told = {"confidence": 0.83, "seconds": 3.7, "first_seconds": 1.2, "usage": usage} | more
    return Answer(text, Finish.STOP, "llava", "llava-v1.6-mistral-7b", "cpu", "int4", **told)  # type: ignore[arg-type]


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, "light")


@pytest.fixture
def view(theme: Theme, qtbot: QtBot) -> ChatView:
    shown = ChatView(theme)
    qtbot.addWidget(shown)
    shown.resize(400, 500)
    shown.show()
    qtbot.waitExposed(shown)
    return shown


def settled(view: ChatView, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not view.busy)


def answered(view: ChatView, turn: int) -> AnswerTurn:
    part = view.part(turn)
    assert isinstance(part, AnswerTurn)
    return part


def asked(view: ChatView, turn: int) -> QuestionTurn:
    part = view.part(turn)
    assert isinstance(part, QuestionTurn)
    return part


def in_menu(part: AnswerTurn, text: str) -> QAction:
    return next(action for action in part.menu().actions() if action.text() == text)


def shown_html(view: ChatView, turn: int) -> str:
    return str(view.part(turn).text.document().toHtml())


def words(view: ChatView, turn: int) -> str:
    return str(view.part(turn).text.document().toPlainText())


def formats(document: QTextDocument, text: str) -> QTextCursor:
    cursor = document.find(text)
    assert not cursor.isNull(), text
    return cursor


# ---- Markdown


def pieces(text: str, step: int) -> list[Piece]:
    """The pieces of a text that arrives ``step`` characters at a time."""
    splitter, found = Splitter(), []
    for end in range(0, len(text) + step, step):
        splitter.feed(text[:end])
        while (piece := splitter.settle()) is not None:
            found.append(piece)
    rest = splitter.rest()
    return found if rest is None else [*found, rest]


LINES = st.sampled_from(
    [
        *("", "word", "two words  ", "- item", "  more", "   - nested", "1. first", "7. seventh", "> quote"),
        *(
            "```",
            "```py",
            "  ```",
            "~~~",
            "---",
            "***",
            "===",
            "# Title",
            "| a | b |",
            "|---|---|",
            "| 1 | 2 |",
        ),
        *(
            "    code",
            "\t- tab",
            "x" * 700,
            "語" * 300,
            "**「です」**は",
            "<b>raw</b>",
            "|",
            "`",
            "* * *",
            "\r",
        ),
    ]
)


@given(st.lists(LINES, max_size=60).map("\n".join), st.integers(1, 40))
@settings(max_examples=300)
def test_a_text_has_the_same_pieces_however_it_arrives(text: str, step: int) -> None:
    assert pieces(text, step) == pieces(text, len(text) + 1)


@given(st.lists(LINES, max_size=60).map("\n".join))
@settings(max_examples=60)
def test_no_word_is_lost_between_pieces(text: str) -> None:
    found = "".join(piece.source for piece in pieces(text, len(text) + 1))
    for word in ("word", "nested", "seventh", "x", "語", "raw", "Title"):
        assert found.count(word) == text.count(word)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("word " * 4000, id="paragraph"),
        pytest.param("語" * 9000, id="Japanese without an end of line"),
        pytest.param("".join(f"{n}. item {n}\n" for n in range(1, 900)), id="list"),
        pytest.param("| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 800, id="table"),
        pytest.param("```\n" + "x = 1\n" * 2000, id="code"),
        pytest.param("```\n" + "x" * 9000, id="one line of code"),
        pytest.param("> " + "quoted\n> " * 900, id="quote"),
    ],
)
def test_pieces_stay_short(text: str) -> None:
    assert max(len(piece.source) for piece in pieces(text, 37)) <= 4000


def test_a_long_list_keeps_its_numbers(view: ChatView) -> None:
    view.set_turns([answer(1, "".join(f"1. item {n}\n" for n in range(1, 301)))])
    # Markdown counts from the first number on
    assert "300. item 300" in view.part(1).text.shown_text()


def test_a_long_table_has_its_header_once_and_every_row(view: ChatView) -> None:
    rows = "".join(f"| {n} | row{n} |\n" for n in range(100))
    view.set_turns([answer(1, f"| number | name |\n|---|---|\n{rows}")])
    lines = view.part(1).text.shown_text().split("\n")
    assert lines == ["number\tname", *(f"{n}\trow{n}" for n in range(100))]


def test_markdown_is_rendered(view: ChatView) -> None:
    view.set_turns([answer(1, MIXED)])
    document = view.part(1).text.document()
    assert formats(document, "ませんでした").charFormat().fontWeight() == 700
    assert formats(document, "polite").charFormat().fontItalic()
    assert formats(document, "Forms").blockFormat().headingLevel() == 1
    assert formats(document, "one").currentList().format().style() == QTextListFormat.Style.ListDisc
    assert formats(document, "last = 2").charFormat().fontFixedPitch()
    assert formats(document, "行きました").currentTable().columns() == 2
    # A line that ended stays a line, and emphasis ends after a Japanese bracket.
    shown = view.part(1).text.shown_text()
    assert shown.startswith(
        "Forms\n\nませんでした is polite.\nThe next line\n\n• one\n• two\nand more\ninside\n"
    )
    assert "• three\n\nText before\n\nfirst = 1\n\nlast = 2\n\n1. a\n  • b\n2. c\n\nother\n" in shown
    assert formats(document, "「です」").charFormat().fontWeight() == 700
    assert "key: value" in words(view, 1)


def test_fences_that_are_split_between_pieces_give_the_same_document(view: ChatView, qtbot: QtBot) -> None:
    # Given an answer rendered at once
    view.set_turns([answer(1, MIXED), question(2), answer(3, "", TurnState.STREAMING)])
    at_once = shown_html(view, 1)
    # When the same one streams a few characters at a time, each of them rendered
    text = view.part(3).text
    for end in range(0, len(MIXED), 3):
        text.set_text(MIXED[:end])
        text.finish()
    view.update_turn(answer(3, MIXED))
    settled(view, qtbot)
    # Then the documents are alike
    assert shown_html(view, 3) == at_once
    assert text.shown_text() == view.part(1).text.shown_text()


def test_an_answer_that_starts_anew_forgets_the_first_one(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([answer(1, "", TurnState.STREAMING)])
    view.grow(1, "one\n\ntwo\n\nthree")
    settled(view, qtbot)
    view.grow(1, "other")
    settled(view, qtbot)
    assert words(view, 1).strip() == "other"


def test_settled_blocks_are_not_rendered_again(view: ChatView, qtbot: QtBot) -> None:
    # Given a long answer
    view.set_turns([answer(1, "settled\n\n" * 50, TurnState.STREAMING)])
    settled(view, qtbot)
    document = view.part(1).text.document()
    changes: list[int] = []
    document.contentsChange.connect(lambda position, removed, added: changes.append(position))
    settled_end = formats(document, "settled").block().position()
    for block in range(document.blockCount()):
        if document.findBlockByNumber(block).text():
            settled_end = document.findBlockByNumber(block).position()
    # When it grows
    view.grow(1, "settled\n\n" * 50 + "new words")
    settled(view, qtbot)
    # Then only its end was written
    assert changes
    assert min(changes) > settled_end


def test_raw_html_is_shown_as_it_is(view: ChatView) -> None:
    source = "<b>bold</b> <img src='http://x.invalid/a.png'>\n\n<div>\n<script>alert(1)</script>\n</div>"
    view.set_turns([answer(1, source)])
    assert "<b>bold</b>" in words(view, 1)
    assert "<script>alert(1)</script>" in words(view, 1)
    assert formats(view.part(1).text.document(), "bold").charFormat().fontWeight() == 400


def test_neither_remote_nor_local_pictures_are_loaded(view: ChatView, tmp_path: Path, qtbot: QtBot) -> None:
    # Given a server that would notice, and a picture on the disk
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)
    requests: list[bytes] = []
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            requests.append(connection.recv(100))
            connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    local = tmp_path / "local.png"
    name = local.as_uri()[:40]  # Long addresses are shortened.
    picture = QImage(8, 8, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.red)
    assert picture.save(str(local))
    remote = f"http://127.0.0.1:{server.getsockname()[1]}/a.png"
    # When an answer shows both
    view.set_turns([answer(1, f"![a cat]({remote})\n\n![]({local.as_uri()})")])
    settled(view, qtbot)
    image = view.grab().toImage()
    qtbot.wait(200)
    ended.set()
    thread.join()
    server.close()
    # Then their addresses are told, nothing was asked for and nothing red is seen
    assert requests == []
    assert f"a cat ({remote})" in words(view, 1)
    assert name in words(view, 1)
    red = sum(
        image.pixelColor(x, y) == Qt.GlobalColor.red
        for x in range(image.width())
        for y in range(image.height())
    )
    assert red == 0
    text = view.part(1).text
    for address in (QUrl(remote), QUrl(local.as_uri())):
        assert text.loadResource(2, address) is None
        assert text.document().loadResource(2, address) is None


def click(view: ChatView, qtbot: QtBot, turn: int, word: str) -> None:
    text = view.part(turn).text
    cursor = formats(text.document(), word)
    cursor.setPosition(cursor.selectionStart() + 1)
    place = text.cursorRect(cursor).center()
    qtbot.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_link_is_only_told_of_when_it_is_clicked(view: ChatView, qtbot: QtBot) -> None:
    # Given an answer with a link to the web and one to a file
    links: list[str] = []
    view.link_activated.connect(links.append)
    source = "[grammar](https://example.org/a?b=c), [secret](file:///etc/passwd), [run](javascript:x)"
    view.set_turns([answer(1, source)])
    settled(view, qtbot)
    assert links == []
    before = words(view, 1)
    # When both are clicked
    click(view, qtbot, 1, "secret")
    click(view, qtbot, 1, "run")
    assert links == []
    click(view, qtbot, 1, "grammar")
    # Then the panel is told of the one to the web, and the text stays
    assert links == ["https://example.org/a?b=c"]
    assert words(view, 1) == before


def test_links_are_reached_with_the_keyboard(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([answer(1, "See [grammar](https://example.org/).")])
    settled(view, qtbot)
    text = view.part(1).text
    view.activateWindow()
    text.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(text.hasFocus)
    qtbot.keyClick(text, Qt.Key.Key_Tab)
    with qtbot.waitSignal(view.link_activated) as told:
        qtbot.keyClick(text, Qt.Key.Key_Return)
    assert told.args == ["https://example.org/"]


# ---- copying


def test_copy_gives_the_words_and_the_menu_the_markdown(view: ChatView, qtbot: QtBot) -> None:
    copied: list[str] = []
    view.copy_requested.connect(copied.append)
    view.set_turns([answer(1, "**bold**\n\n- item")])
    part = answered(view, 1)
    qtbot.mouseClick(part.copy, Qt.MouseButton.LeftButton)
    menu = part.menu()
    next(action for action in menu.actions() if action.text() == "Copy as Markdown").trigger()
    next(action for action in menu.actions() if action.text() == "Copy").trigger()
    assert copied == ["bold\n\n• item", "**bold**\n\n- item", "bold\n\n• item"]
    assert part.copy.text() == "Copy"
    assert view.show_copied()
    assert part.copy.text() == "Copied ✓"
    assert not view.show_copied(), "what is copied from elsewhere is not said there"


def test_selected_words_are_copied_with_the_keyboard(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([answer(1, "first **words** here\n\nsecond")])
    settled(view, qtbot)
    text = view.part(1).text
    view.activateWindow()
    text.setFocus()
    qtbot.waitUntil(text.hasFocus)
    for _ in range(len("first words")):
        qtbot.keyClick(text, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(text, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    clipboard = QGuiApplication.clipboard()
    assert clipboard.text() == "first words"
    assert not clipboard.mimeData().hasHtml()


def test_a_selection_stays_while_the_answer_grows(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([answer(1, "these words", TurnState.STREAMING)])
    settled(view, qtbot)
    text = view.part(1).text
    text.setTextCursor(formats(text.document(), "words"))
    view.grow(1, "these words and more")
    settled(view, qtbot)
    assert text.textCursor().selectedText() == "words"


def test_japanese_is_written_in_a_japanese_font(view: ChatView) -> None:
    from desktop.theme import japanese_font

    view.set_turns([question(1), answer(2, "語 `語`")])
    expected = japanese_font(16).families()
    for turn in (1, 2):
        assert view.part(turn).text.document().defaultFont().families() == expected
    code = formats(view.part(2).text.document(), "語")
    code = view.part(2).text.document().find("語", code)
    assert code.charFormat().fontFixedPitch()
    assert list(code.charFormat().fontFamilies())[1:] == expected


# ---- states


def test_what_an_answer_waits_for_is_shown_until_its_first_word(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([question(1), answer(2, "", TurnState.STREAMING)])
    part = answered(view, 2)
    assert part.wait.isVisible()
    assert part.wait.text() == "One moment…"
    view.set_progress(2, "Reading the question…", 40)
    assert part.wait.text() == "Reading the question… 40 %"
    assert part.bar.isVisible()
    assert part.bar.value() == 40
    view.set_progress(2, "Looking at the picture…", None)
    assert part.wait.text() == "Looking at the picture…"
    assert not part.bar.isVisible()
    # Nothing can be done with it yet
    assert not part.copy.isVisible()
    assert not part.again.isVisible()
    view.grow(2, "学校")
    settled(view, qtbot)
    assert not part.wait.isVisible()
    assert part.text.isVisible()
    assert part.text.caret


def test_a_finished_answer_tells_how_sure_and_how_fast_it_was(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([question(1), answer(2, "", TurnState.STREAMING)])
    view.grow(2, "Be")
    view.update_turn(answer(2, "Because.", answer=facts("Because.")))
    settled(view, qtbot)
    part = answered(view, 2)
    assert words(view, 2).strip() == "Because."
    assert part.facts.text() == "likelihood 0.83 · 41 tokens/s"
    assert "not whether it is right" in part.facts.toolTip()
    assert not part.text.caret
    with qtbot.waitSignal(view.regenerate_requested) as told:
        qtbot.mouseClick(part.again, Qt.MouseButton.LeftButton)
    assert told.args == [2]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (TurnState.STOPPED, "Stopped."),
        (TurnState.INTERRUPTED, "Interrupted: Yomitori ended before the answer did."),
    ],
)
def test_an_answer_that_was_cut_off_says_so_quietly(
    view: ChatView, qtbot: QtBot, state: TurnState, said: str
) -> None:
    view.set_turns([question(1), answer(2, "", TurnState.STREAMING)])
    view.grow(2, "What came")
    view.update_turn(answer(2, "", state))
    settled(view, qtbot)
    part = answered(view, 2)
    told = [label for label in (part.facts, part.status) if label.isVisible()]
    assert [label.text() for label in told] == [said]
    assert told[0].property("role") == "muted"
    # What came stays
    assert words(view, 2).strip() == "What came"


def test_a_failed_answer_tells_why_and_offers_another_try(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([question(1), answer(2, "", TurnState.STREAMING)])
    view.grow(2, "What came")
    error = ProcessDied(reason="killed")
    view.update_turn(answer(2, "", TurnState.FAILED, error=error))
    settled(view, qtbot)
    part = answered(view, 2)
    assert part.problem.text() == error.message
    assert part.problem.property("role") == "bad"
    assert part.hint.text() == error.advice
    assert words(view, 2).strip() == "What came"
    with qtbot.waitSignal(view.retry_requested) as told:
        qtbot.mouseClick(part.retry, Qt.MouseButton.LeftButton)
    assert told.args == [2]


def test_steps_that_the_engine_took_are_told_once(view: ChatView, qtbot: QtBot) -> None:
    notice = OutOfMemory(device="cuda:0")
    view.set_turns([question(1), answer(2, "", TurnState.STREAMING)])
    view.add_note(2, "The graphics card ran out of memory: answering on the CPU.")
    view.add_note(2, notice.message)
    view.update_turn(answer(2, "x", answer=facts(notices=(notice,))))
    lines = answered(view, 2).notes.text().split("\n")
    assert lines == ["The graphics card ran out of memory: answering on the CPU.", notice.message]
    # And after a restart the answer's own ones are still there
    view.set_turns([answer(2, "x", answer=facts(notices=(notice,)))])
    assert answered(view, 2).notes.text() == notice.message


def test_an_answer_is_collapsed_while_another_one_is_about_to_replace_it(
    view: ChatView, qtbot: QtBot
) -> None:
    view.set_turns([question(1), answer(2, "The **old** one")])
    view.add_turn(answer(3, "", TurnState.STREAMING, replaces=2))
    old = answered(view, 2)
    assert old.earlier.text() == "Earlier answer: The old one"
    assert not old.text.isVisible()
    # When the new one comes to nothing, the old one is back
    view.update_turn(answer(3, "", TurnState.STOPPED, replaces=2))
    assert old.text.isVisible()
    assert not old.earlier.isVisible()
    # When another one is finished, both earlier ones are gone
    view.add_turn(answer(4, "", TurnState.STREAMING, replaces=2))
    view.update_turn(answer(4, "The new one"))
    assert [turn.id for turn in view.turns] == [1, 2, 3, 4]
    view.update_turn(answer(4, "The new one", replaces=2))
    assert [turn.id for turn in view.turns] == [1, 4]


def test_turns_that_stay_are_left_as_they_are(view: ChatView, qtbot: QtBot) -> None:
    turns = [question(1), answer(2, "some words"), question(3), answer(4, "", TurnState.STREAMING)]
    view.set_turns(turns)
    settled(view, qtbot)
    part = answered(view, 2)
    part.text.setTextCursor(formats(part.text.document(), "words"))
    # When one ends, then that is told, and the rest is what it was
    view.show_turns([*turns[:3], answer(4, "The end.")])
    assert answered(view, 2) is part
    assert part.text.textCursor().selectedText() == "words"
    assert view.announcement == "Answer: The end."
    # When an attempt is stopped before its first word, it goes, and that is told
    view.show_turns([*turns[:3], answer(4, "The end."), answer(5, "", TurnState.STREAMING, replaces=4)])
    assert not answered(view, 4).text.isVisible()
    view.show_turns([*turns[:3], answer(4, "The end.")])
    assert answered(view, 4).text.isVisible()
    assert view.announcement == "Answer: Stopped."
    assert [turn.id for turn in view.turns] == [1, 2, 3, 4]


def test_only_a_new_turn_takes_the_view_to_the_end(view: ChatView, qtbot: QtBot) -> None:
    turns = [*long_conversation(), answer(41, "", TurnState.STREAMING, replaces=40)]
    view.set_turns(turns)
    settled(view, qtbot)
    view.verticalScrollBar().setValue(200)
    before = view.part(2).mapTo(view, QPoint(0, 0)).y()
    # Given somebody who reads above while an answer is replaced
    view.show_turns([*turns[:-2], answer(41, "new")])
    settled(view, qtbot)
    assert view.part(2).mapTo(view, QPoint(0, 0)).y() == before
    view.show_turns([*turns[:-2], answer(41, "new"), question(42)])
    settled(view, qtbot)
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()


def test_the_end_of_an_answer_is_announced_and_its_words_are_not(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([question(1), answer(2, "", TurnState.STREAMING)])
    for end in range(1, 8):
        view.grow(2, "Because."[:end])
    settled(view, qtbot)
    assert view.announcement == ""
    view.update_turn(answer(2, "Because."))
    assert view.announcement == "Answer: Because."


# ---- questions


def start_edit(view: ChatView, qtbot: QtBot, turn: int) -> QuestionTurn:
    part = asked(view, turn)
    view.activateWindow()
    qtbot.mouseClick(part.edit, Qt.MouseButton.LeftButton)
    assert part.editor is not None
    qtbot.waitUntil(part.editor.box.hasFocus)
    return part


def test_a_question_is_edited_in_its_place(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([question(1, "Why?"), answer(2, "Because.")])
    edits: list[tuple[int, str]] = []
    view.edit_requested.connect(lambda *told: edits.append(told))
    part = start_edit(view, qtbot, 1)
    assert part.editor is not None
    box = part.editor.box
    qtbot.keyClicks(box, " Then")
    qtbot.keyClick(box, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(box, "this")
    assert edits == []
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert edits == [(1, "Why? Then\nthis")]
    # It is written until it is asked: then its turn is another one
    assert part.editor is not None
    assert box.hasFocus()
    view.show_turns([question(3, "Why? Then\nthis"), answer(4, "", TurnState.STREAMING)])
    assert words(view, 3).strip() == "Why? Then\nthis"
    assert view.drafts == {}


def test_a_key_held_down_asks_an_edited_question_once(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([question(1, "Why?")])
    edits: list[int] = []
    view.edit_requested.connect(lambda turn, _: edits.append(turn))
    part = start_edit(view, qtbot, 1)
    assert part.editor is not None
    for again in (False, True, True):
        key = QKeyEvent(
            *(QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "\r", again, 1)
        )
        QApplication.sendEvent(part.editor.box, key)
    assert edits == [1]


def test_what_is_written_stays_while_other_turns_come_and_go(view: ChatView, qtbot: QtBot) -> None:
    turns = [question(1, "Why?"), answer(2, "Because.")]
    view.set_turns(turns)
    part = start_edit(view, qtbot, 1)
    assert part.editor is not None
    qtbot.keyClicks(part.editor.box, " Then")
    # When an answer is given anew, with all the turns told again
    view.show_turns([*turns, answer(3, "", TurnState.STREAMING, replaces=2)])
    view.show_turns([turns[0], answer(3, "New.")])
    settled(view, qtbot)
    assert view.part(1) is part
    assert part.editor is not None
    assert part.editor.box.hasFocus()
    # And when another conversation is shown in between, it is gone on with
    view.set_turns([question(7)])
    assert view.drafts == {1: "Why? Then"}
    view.set_turns(turns)
    settled(view, qtbot)
    again = asked(view, 1)
    assert again.edited == "Why? Then"
    # So it is in another window, and once it is given up, nothing is left of it
    other = ChatView(view._theme)
    qtbot.addWidget(other)
    other.set_turns(turns)
    other.set_drafts(view.drafts)
    assert asked(other, 1).edited == "Why? Then"
    assert again.editor is not None
    again.editor.given_up.emit()
    assert view.drafts == {}


def test_enter_and_esc_belong_to_an_input_method_that_composes(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([question(1, "なぜ")])
    edits: list[tuple[int, str]] = []
    view.edit_requested.connect(lambda *told: edits.append(told))
    part = start_edit(view, qtbot, 1)
    assert part.editor is not None
    box = part.editor.box
    # When something is being composed, neither key does anything
    QCoreApplication.sendEvent(box, QInputMethodEvent("でした", []))
    qtbot.keyClick(box, Qt.Key.Key_Return)
    qtbot.keyClick(box, Qt.Key.Key_Escape)
    assert edits == []
    assert part.editor is not None
    assert box.toPlainText() == "なぜ"
    # Once it is committed, Enter sends it
    commit = QInputMethodEvent()
    commit.setCommitString("でした")
    QCoreApplication.sendEvent(box, commit)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert edits == [(1, "なぜでした")]


def test_esc_gives_an_edit_up_and_nothing_else(theme: Theme, qtbot: QtBot) -> None:
    # Given a view in a window that would close at Esc
    pressed: list[int] = []

    class Window(QWidget):
        def keyPressEvent(self, event) -> None:  # type: ignore[no-untyped-def]
            pressed.append(event.key())

    window = Window()
    qtbot.addWidget(window)
    view = ChatView(theme)
    QVBoxLayout(window).addWidget(view)
    window.resize(400, 400)
    window.show()
    qtbot.waitExposed(window)
    view.set_turns([question(1, "Why?")])
    edits: list[tuple[int, str]] = []
    view.edit_requested.connect(lambda *told: edits.append(told))
    part = start_edit(view, qtbot, 1)
    assert part.editor is not None
    qtbot.keyClicks(part.editor.box, "other")
    qtbot.keyClick(part.editor.box, Qt.Key.Key_Escape)
    # Then the question is as it was, and has the keyboard
    assert part.editor is None
    assert edits == []
    assert pressed == []
    assert part.text.document().toPlainText().strip() == "Why?"
    assert part.text.hasFocus()
    # And the next Esc is the window's
    qtbot.keyClick(part.text, Qt.Key.Key_Escape)
    assert pressed == [Qt.Key.Key_Escape]


def test_an_empty_question_is_not_sent(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([question(1, "Why?")])
    edits: list[tuple[int, str]] = []
    view.edit_requested.connect(lambda *told: edits.append(told))
    part = start_edit(view, qtbot, 1)
    assert part.editor is not None
    part.editor.box.selectAll()
    qtbot.keyClick(part.editor.box, Qt.Key.Key_Delete)
    qtbot.keyClick(part.editor.box, Qt.Key.Key_Return)
    assert not part.editor.send.isEnabled()
    assert edits == []


def test_markdown_in_a_question_is_shown_as_it_was_typed(view: ChatView) -> None:
    view.set_turns([question(1, "**not bold** <b>x</b>\n- a\n\n# b")])
    assert words(view, 1).strip() == "**not bold** <b>x</b>\n- a\n\n# b"


def test_a_long_question_that_was_pasted_is_shown_whole(view: ChatView, qtbot: QtBot) -> None:
    text = "\n".join(f"line {n} of it" for n in range(2000))
    view.set_turns([question(1, text)])
    settled(view, qtbot)
    assert words(view, 1).strip() == text


# ---- turns that go


def test_remove_from_takes_all_that_follows(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([question(1), answer(2, "a"), question(3), answer(4, "b")])
    settled(view, qtbot)
    view.remove_from(3)
    assert [turn.id for turn in view.turns] == [1, 2]
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert len(view.widget().findChildren(AnswerTurn)) == 1
    # What arrives late for one that is gone does nothing
    view.grow(4, "late")
    view.update_turn(answer(4, "late"))
    view.remove_from(4)
    assert [turn.id for turn in view.turns] == [1, 2]


@pytest.mark.qt_log_ignore("does not support (raise|grabbing|propagateSizeHints)", extend=True)
def test_delete_from_here_is_in_the_menu(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([question(1), answer(2, "a")])
    deleted: list[int] = []
    view.delete_requested.connect(deleted.append)
    part = answered(view, 2)
    qtbot.mouseClick(part.more, Qt.MouseButton.LeftButton)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text() == "Delete from here").trigger()
    menu.close()
    assert deleted == [2]


def test_clear_leaves_nothing(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([question(1), answer(2, "a" * 9000)])
    view.clear()
    settled(view, qtbot)
    assert view.turns == []
    assert view.verticalScrollBar().maximum() == 0


# ---- scrolling


def long_conversation() -> list[Turn]:
    return [
        question(n, f"question {n}") if n % 2 else answer(n, f"answer {n}\n\n" + "words and more\n\n" * 10)
        for n in range(1, 41)
    ]


def test_the_view_follows_the_end_while_the_user_is_there(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([*long_conversation(), question(41), answer(42, "", TurnState.STREAMING)])
    settled(view, qtbot)
    bar = view.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    view.grow(42, "new\n\n" * 60)
    settled(view, qtbot)
    assert bar.value() == bar.maximum()
    assert not view.jump.isVisible()


def test_the_view_stays_where_the_user_reads(view: ChatView, qtbot: QtBot) -> None:
    # Given somebody who has scrolled up
    view.set_turns([*long_conversation(), question(41), answer(42, "", TurnState.STREAMING)])
    settled(view, qtbot)
    bar = view.verticalScrollBar()
    qtbot.keyClick(view, Qt.Key.Key_PageUp)
    qtbot.keyClick(view, Qt.Key.Key_PageUp)
    assert not view.following
    assert not view.jump.isVisible()
    before = bar.value()
    # When the answer grows
    view.grow(42, "new\n\n" * 60)
    settled(view, qtbot)
    # Then what they read stays, and a button leads down
    assert bar.value() == before
    assert view.jump.isVisible()
    assert view.jump.text() == "New text below"
    qtbot.mouseClick(view.jump, Qt.MouseButton.LeftButton)
    assert bar.value() == bar.maximum()
    assert not view.jump.isVisible()
    view.grow(42, "new\n\n" * 90)
    settled(view, qtbot)
    assert bar.value() == bar.maximum()


def test_what_is_read_stays_while_turns_above_get_their_heights(view: ChatView, qtbot: QtBot) -> None:
    # Given a long conversation of which only the end is rendered
    turns = [answer(n, f"answer {n}\n\n" + "- item\n" * (n % 7) * 9) for n in range(1, 80)]
    view.set_turns(turns)
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() - 300)
    # and all that begins in view: how much was rendered before depends on how busy the machine is
    part = next(view.part(n) for n in range(79, 0, -1) if view.part(n - 1).mapTo(view, QPoint(0, 0)).y() < 0)
    before = part.mapTo(view, QPoint(0, 0)).y()
    # When the rest follows
    settled(view, qtbot)
    # Then what is in view has not moved
    assert part.mapTo(view, QPoint(0, 0)).y() == before


def test_turns_do_not_overlap_and_fit_the_width(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([question(1, "w" * 300), answer(2, MIXED + "x" * 500), question(3), answer(4, "語" * 200)])
    for width in (400, 300, 640):
        view.resize(width, 500)
        settled(view, qtbot)
        bottom = 0
        for turn in (1, 2, 3, 4):
            part = view.part(turn)
            assert part.y() >= bottom
            bottom = part.geometry().bottom()
            assert part.geometry().right() < view.viewport().width()
            assert part.text.geometry().bottom() <= part.height()
            assert part.text.document().size().width() <= part.text.width()
            assert part.text.document().size().height() <= part.text.height()


def test_the_wheel_over_a_text_scrolls_the_conversation(view: ChatView, qtbot: QtBot) -> None:
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QWheelEvent

    view.set_turns(long_conversation())
    settled(view, qtbot)
    bar = view.verticalScrollBar()
    before = bar.value()
    viewport = view.part(40).text.viewport()
    centre = QPointF(20, 20)
    event = QWheelEvent(
        *(centre, viewport.mapToGlobal(centre), QPoint(0, 0), QPoint(0, 120)),
        *(Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False),
    )
    widget: QWidget | None = viewport
    while widget is not None and widget is not view.viewport():
        QCoreApplication.sendEvent(widget, event)
        if event.isAccepted():
            break
        widget = widget.parentWidget()
    if not event.isAccepted():
        QCoreApplication.sendEvent(view.viewport(), event)
    assert bar.value() < before


# ---- keyboard, names, theme


def test_tab_goes_through_the_turns_in_their_order(theme: Theme, qtbot: QtBot) -> None:
    # Given a view between two other fields
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    first, view, last = QLineEdit(), ChatView(theme), QLineEdit()
    for part in (first, view, last):
        column.addWidget(part)
    window.resize(400, 900)
    window.show()
    window.activateWindow()
    qtbot.waitExposed(window)
    # When its turns are made, in whatever order, and one is added
    view.set_turns([question(1), answer(2, "a"), question(3), answer(4, "b")])
    view.add_turn(question(5))
    settled(view, qtbot)
    first.setFocus()
    qtbot.waitUntil(first.hasFocus)
    reached = []
    while not last.hasFocus() and len(reached) < 40:
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        reached.append(window.focusWidget())
    # Then Tab visits them from top to bottom, and goes on to what follows
    expected: list[QWidget] = []
    for turn in (1, 2, 3, 4, 5):
        expected += [part for part in view.part(turn).focus_parts if part.isVisible()]
    assert reached == [*expected, last]


@pytest.mark.parametrize("back", [False, True])
def test_tab_shows_the_whole_turn_that_it_comes_to(theme: Theme, qtbot: QtBot, back: bool) -> None:
    # Given a long conversation between two fields
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    first, view, last = QLineEdit(), ChatView(theme), QLineEdit()
    for part in (first, view, last):
        column.addWidget(part)
    window.resize(400, 500)
    window.show()
    window.activateWindow()
    qtbot.waitExposed(window)
    turns = [turn for n in range(1, 9, 2) for turn in (question(n), answer(n + 1, "words and more " * 12))]
    # One that is higher than the view
    turns[3] = answer(4, "high\n\n" * 40)
    view.set_turns(turns)
    settled(view, qtbot)
    view.part(4).text.moveCursor(QTextCursor.MoveOperation.End)
    view.verticalScrollBar().setValue(0 if back else view.verticalScrollBar().maximum())
    start, end = (last, first) if back else (first, last)
    start.setFocus()
    qtbot.waitUntil(start.hasFocus)
    seen = []
    while not end.hasFocus() and len(seen) < 60:
        qtbot.keyClick(
            window.focusWidget(),
            Qt.Key.Key_Tab,
            Qt.KeyboardModifier.ShiftModifier if back else Qt.KeyboardModifier.NoModifier,
        )
        part = window.focusWidget()
        turn = part.parentWidget()
        if not isinstance(turn, QuestionTurn | AnswerTurn):
            continue
        seen.append(turn.turn.id)
        shown = turn if turn.height() < view.viewport().height() else part
        top = shown.mapTo(view.viewport(), QPoint(0, 0)).y()
        assert top >= 0
        # Of one that is higher, the beginning
        assert top + shown.height() <= view.viewport().height() or (top < 20 and shown is part)
    assert sorted(set(seen)) == list(range(1, 9))


def test_every_control_has_a_name(view: ChatView, qtbot: QtBot) -> None:
    failed = answer(4, "b", TurnState.FAILED, error=ProcessDied(reason="killed"))
    view.set_turns([question(1), answer(2, "a", answer=facts()), question(3), failed])
    settled(view, qtbot)
    asked(view, 3).start_edit()
    controls = [w for w in view.findChildren(QWidget) if w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert len(controls) > 10
    for control in controls:
        name = control.accessibleName() or (control.text() if isinstance(control, QPushButton) else "")
        assert name not in ("", "…"), control


def test_another_theme_and_size_are_used_at_once(view: ChatView, theme: Theme, qtbot: QtBot) -> None:
    view.set_turns([question(1), answer(2, "[link](https://example.org/)")])
    theme.set_choice("dark")
    settled(view, qtbot)
    link = formats(view.part(2).text.document(), "link").charFormat()
    assert link.foreground().color() == theme.tokens.color("accent")
    before = view.part(2).height()
    view.set_text_size(24)
    settled(view, qtbot)
    assert view.part(2).text.document().defaultFont().pixelSize() == 24
    assert view.part(2).height() > before


# ---- details


def test_the_details_tell_what_is_known(theme: Theme, qtbot: QtBot) -> None:
    info = AnswerInfo(answer(1, "x", answer=facts()), theme)
    qtbot.addWidget(info)
    rows = dict(info.rows)
    assert rows["Model"] == "llava-v1.6-mistral-7b"
    assert rows["Device"] == "CPU"
    assert rows["Precision"] == "int4"
    assert rows["Tokens of pictures"] == "720"
    assert rows["Tiles"] == "5"
    assert rows["Of these reused"] == "600"
    assert rows["Context used"] == "1,204 of 4,096"
    assert rows["Time to the first word"] == "1.2 s"
    assert rows["Speed"] == "41 tokens/s"
    assert rows["Ended because"] == "the model was done"
    assert rows["Likelihood"] == "0.83"
    assert "not whether it is right" in info.accessibleDescription()


def test_the_details_leave_out_what_was_not_told(theme: Theme, qtbot: QtBot) -> None:
    bare = Answer("x", Finish.LENGTH, "llava", "a-model")
    info = AnswerInfo(answer(1, "x", answer=bare), theme)
    qtbot.addWidget(info)
    assert [name for name, _ in info.rows] == ["Model", "Engine", "Ended because"]
    assert "right" not in info.accessibleDescription()


@pytest.mark.qt_log_ignore("does not support (raise|grabbing|propagateSizeHints)", extend=True)
def test_the_details_open_from_the_menu_and_close_at_esc(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([question(1), answer(2, "a", answer=facts())])
    info = answered(view, 2).show_details()
    qtbot.waitExposed(info)
    qtbot.keyClick(info, Qt.Key.Key_Escape)
    assert not info.isVisible()


@pytest.mark.parametrize(
    ("state", "because"),
    [
        (TurnState.STOPPED, "you stopped it"),
        (TurnState.INTERRUPTED, "Yomitori ended first"),
        (TurnState.FAILED, ProcessDied(reason="killed").message),
    ],
)
def test_the_details_of_an_unfinished_answer_tell_why_it_ended(
    view: ChatView, qtbot: QtBot, state: TurnState, because: str
) -> None:
    error = ProcessDied(reason="killed") if state is TurnState.FAILED else None
    view.set_turns([question(1), answer(2, "a", state, error=error)])
    part = answered(view, 2)
    assert in_menu(part, "Details").isEnabled()
    info = AnswerInfo(part.turn, part.theme)
    qtbot.addWidget(info)
    assert info.rows == [("Ended because", because)]
    assert "finished" in info.accessibleDescription()


@pytest.mark.parametrize("state", [TurnState.STREAMING, TurnState.DONE])
def test_the_menu_says_why_there_are_no_details(view: ChatView, state: TurnState) -> None:
    view.set_turns([question(1), answer(2, "a", state)])
    details = in_menu(answered(view, 2), "Details")
    assert not details.isEnabled()
    assert details.toolTip() != "Details"


@pytest.mark.qt_log_ignore("does not support (raise|grabbing|propagateSizeHints)", extend=True)
def test_closed_popups_leave_no_button_that_looks_hovered(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([question(1), answer(2, "a", answer=facts())])
    part = answered(view, 2)
    # Given the menu, opened with the mouse
    part.more.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    part.more.click()
    menu = part.findChild(QMenu)
    assert menu is not None
    # When it is closed
    menu.close()
    # Then the button forgets the mouse, which Qt does not tell it of; and so with the details
    assert not part.more.underMouse()
    info = part.show_details()
    part.more.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    info.close()
    assert not part.more.underMouse()


def test_the_mouse_takes_the_keyboard_from_the_question_only_to_select(theme: Theme, qtbot: QtBot) -> None:
    # Given a field that has the keyboard, beside an answer
    window = QWidget()
    field, view = QLineEdit(), ChatView(theme)
    layout = QVBoxLayout(window)
    layout.addWidget(view)
    layout.addWidget(field)
    qtbot.addWidget(window)
    window.resize(420, 500)
    window.show()
    window.activateWindow()
    qtbot.waitActive(window)
    field.setFocus()
    view.set_turns([answer(1, "Some words.", answer=facts())])
    settled(view, qtbot)
    part = answered(view, 1)
    middle = part.text.viewport().rect().center()
    # When its buttons or the right button of the mouse are used
    qtbot.mouseClick(part.copy, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(part.text.viewport(), Qt.MouseButton.RightButton, pos=middle)
    # Then the keyboard stays
    assert window.focusWidget() is field
    # A left click brings it, without a text cursor, which comes with the first key that moves it
    qtbot.mouseClick(part.text.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert window.focusWidget() is part.text
    assert part.text.cursorWidth() == 0
    qtbot.keyClick(part.text, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert part.text.cursorWidth() == 1


def test_the_facts_of_a_narrow_answer_are_whole(view: ChatView, qtbot: QtBot) -> None:
    view.set_turns([question(1), answer(2, "a", answer=facts(confidence=1.0))])
    settled(view, qtbot)
    part = answered(view, 2)
    seen = set()
    for width in range(420, 130, -10):
        part.lay_out(width)
        seen.add(part.facts.text())
        measure = part.facts.fontMetrics().horizontalAdvance
        assert measure(part.facts.text()) <= part.facts.width()
        buttons = [part.copy, part.again, part.more]
        assert not any(part.facts.geometry().intersects(button.geometry()) for button in buttons)
    # How fast it was goes first, and a number keeps its word; all of it is still told
    assert seen == {"likelihood 1.00 · 41 tokens/s", "likelihood 1.00"}
    assert part.facts.toolTip().startswith("likelihood 1.00 · 41 tokens/s\n")


@pytest.mark.parametrize("text", ["", "-", "- ", "> ", "\n"])
def test_no_mark_stands_before_the_first_word(view: ChatView, qtbot: QtBot, text: str) -> None:
    view.set_turns([question(1), answer(2, text, TurnState.STREAMING)])
    settled(view, qtbot)
    part = answered(view, 2)
    assert part.text.caret
    assert not part.text.caret_shown
    view.grow(2, "学")
    assert not part.text.caret_shown
    settled(view, qtbot)
    assert part.text.caret_shown


def test_a_document_asks_nobody(tmp_path: Path, qapp: QApplication) -> None:
    # A picture that a document would load by its name alone
    local = tmp_path / "local.png"
    picture = QImage(8, 8, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.red)
    assert picture.save(str(local))
    plain, ours = QTextDocument(), ChatDocument()
    assert plain.resource(2, QUrl(local.as_uri())) is not None
    assert ours.resource(2, QUrl(local.as_uri())) is None
    writer = Writer(ours, TextStyle(LIGHT, 16))
    writer.write(Piece(Kind.TEXT, f"![alt]({local.as_uri()})"))
    assert "￼" not in ours.toPlainText()
