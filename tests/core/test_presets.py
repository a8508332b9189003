"""Presets: the built-in ones, the user's own, and the file that keeps them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.chat import GenerationOptions
from core.errors import SettingsDamaged, SettingsError, StorageError
from core.presets import MAX_SEED, Preset, PresetLibrary, checked, kept_options

SETTINGS = GenerationOptions(0.3, 0.9, 200, None)
MINE = GenerationOptions(0.55, 0.4, 64, 7)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "presets.json"


@pytest.fixture
def library(file: Path) -> PresetLibrary:
    return PresetLibrary(file, lambda: SETTINGS)


def own(library: PresetLibrary) -> list[Preset]:
    return [preset for preset in library.presets() if not preset.key]


def test_three_are_always_there(library: PresetLibrary) -> None:
    exact, balanced, lively = library.presets()
    assert (exact.name, exact.options.temperature) == ("Exact", 0)
    assert (balanced.name, balanced.options) == ("Balanced", SETTINGS)
    assert (lively.name, lively.options.temperature, lively.options.top_p) == ("Lively", 0.8, 0.95)
    # What they do not say is as in the settings
    assert {preset.options.max_tokens for preset in library.presets()} == {200}
    assert library.as_in_settings() == balanced


def test_the_balanced_one_follows_the_settings(file: Path) -> None:
    now = [SETTINGS]
    library = PresetLibrary(file, lambda: now[0])
    now[0] = MINE
    assert library.as_in_settings().options == MINE


def test_an_own_preset_is_there_after_a_restart_until_it_is_deleted(
    file: Path, library: PresetLibrary
) -> None:
    # Given two presets of one's own
    library.save("  Short \n one ", MINE, "一文で答えて。")
    library.save("Long", SETTINGS, "")
    # When Yomitori starts again
    again = PresetLibrary(file, lambda: SETTINGS)
    # Then both are there, after the built-in ones
    assert own(again) == [Preset("Short one", MINE, "一文で答えて。"), Preset("Long", SETTINGS, "")]
    assert not again.warnings
    # And a deleted one is gone
    again.delete("Short one")
    assert [preset.name for preset in own(PresetLibrary(file, lambda: SETTINGS))] == ["Long"]


def test_saving_under_a_name_that_is_there_replaces_it_in_its_place(library: PresetLibrary) -> None:
    for name in ("A", "B"):
        library.save(name, MINE, "old")
    library.save("A", replace(MINE, seed=None), "new")
    assert own(library) == [Preset("A", replace(MINE, seed=None), "new"), Preset("B", MINE, "old")]


def test_equal_values_under_two_names_are_two_presets(library: PresetLibrary) -> None:
    library.save("Mine", SETTINGS, "")
    library.save("balanced too", SETTINGS, "")
    ids = [preset.id for preset in library.presets()]
    assert len(set(ids)) == 5
    # A name that is a built-in one's key in another way is still another preset
    assert ids[-1] != "balanced"


def test_a_preset_is_renamed_in_its_place(file: Path, library: PresetLibrary) -> None:
    for name in ("A", "B"):
        library.save(name, MINE, name)
    assert library.rename("A", " First  one ") == Preset("First one", MINE, "A")
    assert own(PresetLibrary(file, lambda: SETTINGS)) == [
        Preset("First one", MINE, "A"),
        Preset("B", MINE, "B"),
    ]
    # Its own name again changes nothing
    assert library.rename("B", "B") == Preset("B", MINE, "B")


@pytest.mark.parametrize(("name", "to"), [("A", "B"), ("A", "exact"), ("A", " "), ("C", "D")])
def test_a_name_that_is_taken_is_refused(library: PresetLibrary, name: str, to: str) -> None:
    for each in ("A", "B"):
        library.save(each, MINE, "")
    with pytest.raises(SettingsError):
        library.rename(name, to)
    assert [preset.name for preset in own(library)] == ["A", "B"]


def test_a_deleted_preset_is_put_back_where_it_was(library: PresetLibrary) -> None:
    for name in ("A", "B", "C"):
        library.save(name, MINE, "")
    library.delete("B")
    library.save("B", MINE, "", 1)
    assert [preset.name for preset in own(library)] == ["A", "B", "C"]


def test_kept_options_that_are_allowed_stay_as_they_are() -> None:
    assert kept_options(MINE.to_json(), SETTINGS) == (MINE, [])
    assert kept_options({}, SETTINGS) == (SETTINGS, [])


def test_kept_options_out_of_their_bounds_are_brought_to_them_and_told() -> None:
    kept = {"temperature": 5, "top_p": 0, "max_tokens": 10**6, "seed": 7}
    options, problems = kept_options(kept, SETTINGS)
    assert options == GenerationOptions(1.0, 0.05, 32768, 7)
    assert [(error.params["key"], error.params["value"]) for error in problems] == [
        ("vision.temperature", 5),
        ("vision.top_p", 0),
        ("vision.max_tokens", 10**6),
    ]
    assert str(problems[0]) == "The setting vision.temperature cannot be 5: say a number from 0 to 1."


@pytest.mark.parametrize("kept", [None, [], {"temperature": "hot", "seed": -1}, {"top_p": float("nan")}])
def test_kept_options_that_make_no_sense_are_those_of_the_settings(kept: object) -> None:
    assert kept_options(kept, SETTINGS)[0] == SETTINGS


@pytest.mark.parametrize("name", ["", "  ", "Exact", "LIVELY "])
def test_a_preset_needs_a_name_of_its_own(library: PresetLibrary, name: str) -> None:
    with pytest.raises(SettingsError):
        library.save(name, MINE, "")
    assert own(library) == []


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": -0.1},
        {"temperature": 1.1},
        {"temperature": float("nan")},
        {"top_p": 0.0},
        {"top_p": 1.01},
        {"max_tokens": 0},
        {"max_tokens": 32769},
        {"max_tokens": 1.5},
        {"seed": -1},
        {"seed": MAX_SEED + 1},
        {"seed": True},
        {"seed": "7"},
    ],
)
def test_values_that_the_settings_refuse_are_refused(
    library: PresetLibrary, change: dict[str, float]
) -> None:
    with pytest.raises(SettingsError):
        library.save("Mine", replace(MINE, **change), "")
    assert own(library) == []


@pytest.mark.parametrize(
    "options",
    [GenerationOptions(0.0, 0.05, 1, 0), GenerationOptions(1.0, 1.0, 32768, MAX_SEED)],
    ids=["least", "most"],
)
def test_the_bounds_themselves_are_allowed(options: GenerationOptions) -> None:
    assert checked(options) == options


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "A"},
        {"name": "", "options": MINE.to_json(), "system": ""},
        {"name": "A", "options": {**MINE.to_json(), "temperature": 9}, "system": ""},
        {"name": "A", "options": [], "system": ""},
        {"name": "A", "options": MINE.to_json(), "system": None},
        7,
    ],
)
def test_what_is_good_in_a_file_is_taken_and_the_whole_is_kept_aside(file: Path, entry: object) -> None:
    good = {"name": "Good", "options": MINE.to_json(), "system": "s"}
    content = json.dumps({"presets": [entry, good]})
    file.parent.mkdir()
    file.write_text(content)
    library = PresetLibrary(file, lambda: SETTINGS)
    assert own(library) == [Preset("Good", MINE, "s")]
    assert [type(error) for error in library.warnings] == [SettingsDamaged]
    assert [path.read_text() for path in file.parent.glob("*.broken-*")] == [content]


def test_a_damaged_file_is_put_aside(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("{")
    library = PresetLibrary(file, lambda: SETTINGS)
    assert own(library) == []
    assert [type(error) for error in library.warnings] == [SettingsDamaged]
    library.save("Mine", MINE, "")
    assert [path.read_text() for path in file.parent.glob("*.broken-*")] == ["{"]


def test_a_preset_that_cannot_be_written_is_there_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file")
    library = PresetLibrary(tmp_path / "config" / "presets.json", lambda: SETTINGS)
    told: list[int] = []
    leave = library.subscribe(lambda: told.append(1))
    with pytest.raises(StorageError):
        library.save("Mine", MINE, "")
    assert [preset.name for preset in own(library)] == ["Mine"]
    with pytest.raises(StorageError):
        library.delete("Mine")
    assert own(library) == []
    leave()
    with pytest.raises(StorageError):
        library.save("Mine", MINE, "")
    assert told == [1, 1]
