"""The prompt library: what variables become, and a file that is never lost."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingsDamaged, StorageError
from core.prompts import DEFAULTS, VARIABLES, Prompt, PromptLibrary, defaults, fill

ALL = {"text": "猫だ", "language": "English", "level": "beginner"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "prompts.json"


def written(file: Path, content: str) -> PromptLibrary:
    file.parent.mkdir(exist_ok=True)
    file.write_text(content, "utf-8")
    return PromptLibrary(file)


def asides(file: Path) -> list[str]:
    return [path.read_text("utf-8") for path in sorted(file.parent.glob("prompts.json.broken-*"))]


# --- variables -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Say {text} in {language}.", "Say 猫だ in English."),
        ("{text}{text}", "猫だ猫だ"),
        ("{name} { text } {} {Text} {text", "{name} { text } {} {Text} {text"),
        ('{{text}} {"a": 1}', '{猫だ} {"a": 1}'),
        ("", ""),
        ("one\n\n\ntwo", "one\n\n\ntwo"),
    ],
)
def test_known_variables_are_replaced_and_other_braces_stay(text: str, filled: str) -> None:
    assert fill(text, ALL) == filled


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("The text is: {text}\nTranslate it.", "Translate it."),
        ("Look.\nThe text is: {text}\nTranslate it.", "Look.\nTranslate it."),
        ("Look.\n\nThe text is: {text}\n\nTranslate it.", "Look.\n\nTranslate it."),
        ("Look.\n\n\nTranslate it.\n{text}", "Look.\n\n\nTranslate it."),
        ("{text}\n\n{language}", "English"),
        # A text of one line is no text at all without it.
        ("Translate {text} into {language}.", "Translate into English."),
        ("{text}", ""),
    ],
)
@pytest.mark.parametrize("empty", ["", " \n"])
def test_a_line_whose_variable_is_empty_is_left_out(text: str, filled: str, empty: str) -> None:
    assert fill(text, {**ALL, "text": empty}) == filled


def test_a_value_is_taken_as_it_is() -> None:
    # Given text of a picture that looks like a variable and has several lines
    values = {**ALL, "text": "{language}\n\n\n\\1 {text}"}
    # Then nothing in it is replaced
    assert fill("It says: {text}\n{language}", values) == "It says: {language}\n\n\n\\1 {text}\nEnglish"


PIECES = st.sampled_from(["{text}", "{language}", "{level}", "{x}", "{", "}", "word", " ", "\n"])


@given(st.lists(PIECES).map("".join))
def test_with_all_values_there_filling_is_replacing(text: str) -> None:
    expected = text
    for name in VARIABLES:
        expected = expected.replace(f"{{{name}}}", ALL[name])
    assert fill(text, ALL) == expected.strip()


# --- the defaults ----------------------------------------------------------------------------------------


def test_the_defaults_are_six_with_keys_of_their_own() -> None:
    assert [prompt.title for prompt in DEFAULTS] == [
        "Translate",
        "Explain the grammar",
        "Explain this word",
        "What is happening",
        "Who speaks to whom",
        "Describe for someone who cannot see it",
    ]
    assert len({prompt.key for prompt in DEFAULTS} - {""}) == len(DEFAULTS)


@pytest.mark.parametrize("prompt", DEFAULTS, ids=lambda prompt: prompt.key)
def test_a_default_reads_well_with_and_without_text(prompt: Prompt) -> None:
    whole, bare = fill(prompt.text, ALL), fill(prompt.text, {**ALL, "text": "", "level": ""})
    assert whole.startswith("The text in the picture is: 猫だ\n")
    for text in (whole, bare):
        assert "English" in text
        assert not re.search(r"[{}]|  |\n\n|: *$", text, re.MULTILINE)
        assert text.endswith(".")
    assert "\n" not in bare
    assert "text in the picture is" not in bare


@pytest.mark.parametrize("prompt", defaults("ja"), ids=lambda prompt: prompt.key)
def test_a_japanese_default_reads_well_with_and_without_text(prompt: Prompt) -> None:
    values = {"text": "猫だ", "language": "日本語", "level": "初級"}
    whole, bare = fill(prompt.text, values), fill(prompt.text, {**values, "text": "", "level": ""})
    assert whole.startswith("画像の文字：猫だ\n")
    for text in (whole, bare):
        assert "日本語" in text
        assert not re.search(r"[{}A-Za-z ]|\n\n|：$", text, re.MULTILINE)
        assert text.endswith("。")
    assert "\n" not in bare


def test_the_defaults_are_the_same_in_each_language_but_for_their_words() -> None:
    assert [(prompt.key, prompt.title) for prompt in defaults("ja")] == [
        (prompt.key, prompt.title) for prompt in DEFAULTS
    ]
    for english, japanese in zip(DEFAULTS, defaults("ja"), strict=True):
        for name in VARIABLES:
            assert (f"{{{name}}}" in english.text) == (f"{{{name}}}" in japanese.text)
    # What is in the reader's language already is not to be translated into it
    assert "もともと{language}の文章は" in defaults("ja")[0].text
    assert defaults() == DEFAULTS


# --- the file --------------------------------------------------------------------------------------------


def test_without_a_file_there_are_the_defaults_and_none_is_written(file: Path) -> None:
    library = PromptLibrary(file)
    assert library.prompts() == DEFAULTS
    assert not library.warnings
    assert not file.exists()


def test_what_is_set_is_there_after_a_restart(file: Path) -> None:
    # Given a new order, a changed text, a changed title and a prompt of one's own
    prompts = (
        DEFAULTS[3],
        Prompt("Translate", "Short: {text}", "translate"),
        Prompt("語彙", "単語は？"),
        Prompt("", ""),
    )
    PromptLibrary(file).set(prompts)
    # When Yomitori starts again
    again = PromptLibrary(file)
    # Then all of it is as it was
    assert again.prompts() == prompts
    assert not again.warnings
    # And only the user may read it
    assert os.name == "nt" or file.stat().st_mode & 0o777 == 0o600


def test_no_prompt_at_all_is_a_choice(file: Path) -> None:
    PromptLibrary(file).set([])
    assert PromptLibrary(file).prompts() == ()


def test_a_default_that_was_not_changed_follows_a_later_version(file: Path) -> None:
    PromptLibrary(file).set(DEFAULTS)
    assert all("text" not in entry for entry in json.loads(file.read_text("utf-8"))["prompts"])
    assert PromptLibrary(file).prompts() == DEFAULTS


def test_a_default_that_was_not_changed_follows_the_language_of_the_menus(file: Path) -> None:
    # Given another order, and one default with the user's words, all written with English menus
    mine = Prompt("Translate", "Into verse: {text}", "translate")
    PromptLibrary(file).set((DEFAULTS[3], mine, Prompt("Mine", "my words")))
    # When the menus are Japanese
    library = PromptLibrary(file, "ja")
    assert library.prompts() == (defaults("ja")[3], mine, Prompt("Mine", "my words"))
    library.set(library.prompts())
    # And English again
    assert PromptLibrary(file).prompts() == (DEFAULTS[3], mine, Prompt("Mine", "my words"))
    library.reset()
    assert library.prompts() == defaults("ja")


def test_a_default_of_another_version_is_no_damage(file: Path) -> None:
    # Given defaults that this version does not have, one of them with the user's words
    library = written(
        file,
        json.dumps(
            {
                "prompts": [
                    {"key": "poem", "title": "As a poem"},
                    {"key": "song", "title": "As a song", "text": "Sing {text}"},
                    {"key": "word", "title": "Explain this word"},
                ]
            }
        ),
    )
    # Then the user's words stay and the rest is left out
    assert library.prompts() == (Prompt("As a song", "Sing {text}"), DEFAULTS[2])
    assert not library.warnings


def test_reset_brings_the_defaults_back_for_good(file: Path) -> None:
    library = PromptLibrary(file)
    library.set([Prompt("Mine", "text")])
    library.reset()
    assert library.prompts() == DEFAULTS
    assert PromptLibrary(file).prompts() == DEFAULTS
    library.reset()


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"prompts": {}}', "null", "\x00", "[" * 100_000, '"prompts"']
)
def test_a_damaged_file_is_put_aside_and_said(file: Path, content: str) -> None:
    # When a file that holds no prompts is opened
    library = written(file, content)
    # Then there are the defaults, the file is kept under another name, and one error tells so
    assert library.prompts() == DEFAULTS
    assert asides(file) == [content]
    assert not file.exists()
    assert [type(error) for error in library.warnings] == [SettingsDamaged]
    assert "prompts.json.broken-" in library.warnings[0].message
    # And the next damage does not take the place of the first, also within one second
    written(file, "other")
    assert sorted(asides(file)) == sorted([content, "other"])


@pytest.mark.parametrize(
    "entry", [{"title": "A"}, {"title": 1, "text": "a"}, "word", None, {"key": ["word"], "title": "A"}]
)
def test_what_is_good_in_a_file_is_taken_and_the_whole_is_kept_aside(file: Path, entry: object) -> None:
    content = json.dumps({"prompts": [entry, {"title": "Mine", "text": "my text"}]})
    library = written(file, content)
    assert library.prompts() == (Prompt("Mine", "my text"),)
    assert asides(file) == [content]
    assert [type(error) for error in library.warnings] == [SettingsDamaged]
    # The next start finds nothing wrong any more
    again = PromptLibrary(file)
    assert again.prompts() == (Prompt("Mine", "my text"),)
    assert not again.warnings


def test_a_file_that_cannot_be_read_is_put_aside_before_another_is_written(file: Path) -> None:
    # Given something in the place of the file that cannot be read as one
    (file / "inside").mkdir(parents=True)
    library = PromptLibrary(file)
    assert library.prompts() == DEFAULTS
    assert [type(error) for error in library.warnings] == [StorageError]
    # When prompts are set
    library.set([Prompt("Mine", "text")])
    # Then they are kept, and what was there is still there
    assert PromptLibrary(file).prompts() == (Prompt("Mine", "text"),)
    assert [path.name for path in file.parent.glob("*.broken-*/*")] == ["inside"]


def test_prompts_that_cannot_be_written_are_in_force_all_the_same(tmp_path: Path) -> None:
    # Given a folder that cannot be made, since a file has its name
    (tmp_path / "config").write_text("a file")
    library = PromptLibrary(tmp_path / "config" / "prompts.json")
    told: list[tuple[Prompt, ...]] = []
    library.subscribe(told.append)
    with pytest.raises(StorageError):
        library.set([Prompt("Mine", "text")])
    assert library.prompts() == (Prompt("Mine", "text"),)
    assert told == [library.prompts()]


def test_listeners_hear_of_every_change_until_they_leave(file: Path) -> None:
    library = PromptLibrary(file)
    told: list[tuple[Prompt, ...]] = []
    leave = library.subscribe(told.append)
    mine = (Prompt("Mine", "text"),)
    library.set(mine)
    library.reset()
    leave()
    library.set(mine)
    assert told == [mine, DEFAULTS]
