"""Key combinations as text and as Qt's key sequences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence

from core.errors import SettingsError
from core.settings import default_hotkey
from desktop.hotkeys.keys import (
    KEYS,
    KeyCombo,
    Modifier,
    from_key_sequence,
    parse,
    parse_bindings,
    to_key_sequence,
)


def _usable(modifiers: int, index: int) -> KeyCombo | None:
    combo = KeyCombo(Modifier(modifiers), KEYS[index])
    return None if combo.key.types and not combo.modifiers & ~Modifier.SHIFT else combo


combos = st.builds(_usable, st.integers(0, 15), st.integers(0, len(KEYS) - 1)).filter(lambda c: c is not None)


@given(combos)
def test_text_round_trips(combo: KeyCombo) -> None:
    assert parse(str(combo)) == combo


@given(combos)
def test_qt_key_sequences_round_trip(combo: KeyCombo) -> None:
    assert from_key_sequence(to_key_sequence(combo)) == combo


@given(combos, st.randoms(use_true_random=False), st.booleans())
def test_order_case_and_spaces_do_not_matter(combo: KeyCombo, random: object, upper: bool) -> None:
    parts = str(combo).split("+")
    random.shuffle(parts)  # type: ignore[attr-defined]
    text = " + ".join(parts)
    assert parse(text.upper() if upper else text.lower()) == combo


def test_written_in_one_order() -> None:
    assert str(parse("super+shift+alt+ctrl+s")) == "Ctrl+Alt+Shift+Super+S"
    assert str(parse("Win+Return")) == "Super+Enter"


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_default_hotkeys_are_valid(platform: str) -> None:
    text = default_hotkey("S", platform)
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "There is no key called “”."),
        ("Ctrl+Alt", "A key is missing besides Ctrl, Alt, Shift and Super."),
        ("Ctrl+Ctrl+S", "Ctrl is named twice."),
        ("Ctrl+Foo", "There is no key called “Foo”."),
        ("Ctrl+S+A", "Only one key can be pressed besides Ctrl, Alt, Shift and Super."),
        ("S", "Add Ctrl, Alt or Super: S is needed for typing."),
        ("Shift+Enter", "Add Ctrl, Alt or Super: Enter is needed for typing."),
    ],
)
def test_what_cannot_be_a_hotkey_says_why(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"\.$") as caught:
        parse(text)
    assert str(caught.value) == sentence


def test_keys_not_needed_for_typing_stand_alone() -> None:
    assert str(parse("Print")) == "Print"
    assert str(parse("shift+f9")) == "Shift+F9"


def test_the_recorder_gives_what_widgets_report() -> None:
    control = Qt.KeyboardModifier.ControlModifier
    assert (
        str(from_key_sequence(QKeySequence(QKeyCombination(control, Qt.Key.Key_Backtab)))) == "Ctrl+Shift+Tab"
    )
    with pytest.raises(ValueError, match="No key was pressed"):
        from_key_sequence(QKeySequence())
    with pytest.raises(ValueError, match="cannot be used as a hotkey"):
        from_key_sequence(QKeySequence(QKeyCombination(control, Qt.Key.Key_Hiragana)))


def test_bindings_wrong_or_double_are_told_by_action() -> None:
    good, bad = parse_bindings(
        {"snip": "ctrl+alt+s", "repeat": "Alt+Ctrl+S", "card": "", "other": "Ctrl+Nothing"}
    )
    assert {action: str(combo) for action, combo in good.items()} == {"snip": "Ctrl+Alt+S"}
    assert bad["repeat"].message == (
        "The setting repeat cannot be Alt+Ctrl+S: Another action has the same key."
    )
    assert isinstance(bad["other"], SettingsError)
    assert "card" not in bad
