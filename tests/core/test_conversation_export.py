"""Conversations as files for other programs."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from core.chat import Answer, Finish
from core.conversation_export import to_json, to_markdown
from core.conversations import Conversations
from core.errors import ProcessDied, StorageError
from core.history import History
from core.images import load_image, to_png
from core.types import OcrResult, RgbImage

PICTURE = to_png(RgbImage(4, 3, b"\x80" * 36))
OTHER = to_png(RgbImage(2, 2, b"\x10" * 12))


@pytest.fixture
def store() -> Iterator[Conversations]:
    history = History(None, clock=lambda: 1_800_000_000.0)
    yield history.conversations
    history.close()


def talk(store: Conversations) -> int:
    """A question about a picture, its answer, and one that failed."""
    conversation = store.create({"system": "Be short."})
    picture = store.add_picture(conversation, PICTURE, 4, 3, "snip")
    assert picture is not None
    store.set_result(picture, OcrResult("今日は\n*学校*", (), "fake", "cpu", 0.1))
    store.add_question(conversation, "Why <b>this</b>?\n# Really")
    turn = store.begin_answer(conversation)
    assert turn is not None
    store.finish_answer(
        turn, Answer("**Because**\n\n- so", Finish.STOP, "llava", "tiny_llava", "cpu", "fp32", 2.5, 0.5, 0.75)
    )
    store.add_question(conversation, "And now?")
    turn = store.begin_answer(conversation)
    assert turn is not None
    store.fail_answer(turn, "Half of", ProcessDied(reason="killed"))
    return conversation


def test_markdown_has_pictures_beside_it_and_answers_as_they_are(
    store: Conversations, tmp_path: Path
) -> None:
    kept = store.get(talk(store))
    assert kept is not None

    written = to_markdown(kept, store, tmp_path / "my talk.md")

    assert [path.name for path in written] == ["my talk.md", "my talk-1.png"]
    assert load_image(tmp_path / "my talk-1.png").width == 4
    text = (tmp_path / "my talk.md").read_text("utf-8")
    # What the user and the picture say is shown as it is, what the model says is Markdown
    assert "![4 × 3](<my talk-1.png>)" in text
    assert "> 今日は  \n> \\*学校\\*" in text
    assert "Why \\<b\\>this\\</b\\>?  \n\\# Really" in text
    assert "**Because**\n\n- so" in text
    assert "*tiny\\_llava · cpu · fp32 · 2.5 s · likelihood 0.75*" in text
    assert "Half of" in text
    assert "Failed here. The model process ended" in text
    assert text.index("![4") < text.index("## Question") < text.index("## Answer")


def test_pictures_of_another_export_stay(store: Conversations, tmp_path: Path) -> None:
    kept = store.get(talk(store))
    assert kept is not None
    (tmp_path / "talk-1.png").write_bytes(OTHER)

    to_markdown(kept, store, tmp_path / "talk.md")
    to_markdown(kept, store, tmp_path / "talk.md")

    assert (tmp_path / "talk-1.png").read_bytes() == OTHER
    assert (tmp_path / "talk-1 (2).png").read_bytes() == PICTURE
    assert "(<talk-1 (2).png>)" in (tmp_path / "talk.md").read_text("utf-8")
    assert len(list(tmp_path.iterdir())) == 3


def test_json_has_all_of_it(store: Conversations, tmp_path: Path) -> None:
    kept = store.get(talk(store))
    assert kept is not None

    to_json(kept, store, tmp_path / "talk.json")

    document = json.loads((tmp_path / "talk.json").read_text("utf-8"))
    assert document["version"] == 1
    assert document["options"] == {"system": "Be short."}
    (picture,) = document["pictures"]
    assert base64.b64decode(picture["data"]) == PICTURE
    assert picture["result"]["text"] == "今日は\n*学校*"
    assert [turn["role"] for turn in document["turns"]] == ["user", "assistant", "user", "assistant"]
    assert Answer.from_json(document["turns"][1]["answer"]).text == "**Because**\n\n- so"
    assert document["turns"][3]["error"]["error"] == "ProcessDied"


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_left(
    store: Conversations, tmp_path: Path
) -> None:
    kept = store.get(talk(store))
    assert kept is not None

    with pytest.raises(StorageError):
        to_json(kept, store, tmp_path / "nowhere" / "talk.json")

    assert list(tmp_path.iterdir()) == []


def exported(store: Conversations, target: Path, question: str, answer: str = "so") -> str:
    """The Markdown of a question about a picture, whose answer was stopped, and one more question."""
    conversation = store.create()
    store.add_picture(conversation, PICTURE, 4, 3, "snip")
    store.add_question(conversation, question)
    turn = store.begin_answer(conversation)
    assert turn is not None
    store.stop_answer(turn, answer)
    store.add_question(conversation, "Last")
    kept = store.get(conversation)
    assert kept is not None
    to_markdown(kept, store, target)
    return target.read_text("utf-8")


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("- a", "\\- a"),
        ("12. a", "12\\. a"),
        ("1) a", "1\\) a"),
        ("+ a", "\\+ a"),
        ("Title\n===", "Title  \n\\==="),
        ("Title\n---", "Title  \n\\---"),
        ("~~~\ncode", "\\~\\~\\~  \ncode"),
        ("a &lt; b", "a \\&lt; b"),
    ],
)
def test_no_sign_of_a_question_becomes_markdown(
    store: Conversations, tmp_path: Path, question: str, shown: str
) -> None:
    assert f"## Question\n\n{shown}\n\n" in exported(store, tmp_path / "talk.md", question)


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        ("```python\nx = 1", "x = 1\n```\n\n"),
        ("~~~~\n~~~\nx", "x\n~~~~\n\n"),
        ("```\nx\n```\ny", "```\ny\n\n"),
        ("```x``` is\ny", "``` is\ny\n\n"),
    ],
)
def test_an_answer_that_was_stopped_within_code_ends_there(
    store: Conversations, tmp_path: Path, answer: str, end: str
) -> None:
    text = exported(store, tmp_path / "talk.md", "Why?", answer)

    assert f"{end}*Stopped here.*\n\n## Question\n\nLast" in text


def test_a_link_leads_to_the_picture_whatever_its_name(store: Conversations, tmp_path: Path) -> None:
    text = exported(store, tmp_path / "学校 #1 100%25.md", "Why?")

    link = text.split("](<")[1].split(">)")[0]
    assert link == "学校 %231 100%2525-1.png"
    assert (tmp_path / unquote(link)).read_bytes() == PICTURE


def test_what_bears_the_name_of_a_picture_stays(store: Conversations, tmp_path: Path) -> None:
    (tmp_path / "talk-1.png").mkdir()

    text = exported(store, tmp_path / "talk.md", "Why?")

    assert (tmp_path / "talk-1.png").is_dir()
    assert "(<talk-1 (2).png>)" in text


def test_without_the_text_no_picture_is_left(store: Conversations, tmp_path: Path) -> None:
    (tmp_path / "talk.md").mkdir()

    with pytest.raises(StorageError):
        exported(store, tmp_path / "talk.md", "Why?")

    assert [path.name for path in tmp_path.iterdir()] == ["talk.md"]


def test_others_may_read_it_as_any_new_file(store: Conversations, tmp_path: Path) -> None:
    (tmp_path / "new").touch()

    exported(store, tmp_path / "talk.md", "Why?")

    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1
