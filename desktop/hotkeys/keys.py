"""Key combinations: ``Ctrl+Alt+Shift+Super+Key`` as text, checked, and as Qt's key sequences.

Ctrl and Super mean what Qt's Ctrl and Meta mean: on macOS these are Command and Control.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag

from PySide6.QtCore import QCoreApplication, QKeyCombination, Qt
from PySide6.QtGui import QKeySequence

from core.errors import SettingsError


class Modifier(IntFlag):
    """In the order in which they are written."""

    CTRL = 1
    ALT = 2
    SHIFT = 4
    SUPER = 8


_MODIFIERS: tuple[tuple[str, Modifier, Qt.KeyboardModifier], ...] = (
    ("Ctrl", Modifier.CTRL, Qt.KeyboardModifier.ControlModifier),
    ("Alt", Modifier.ALT, Qt.KeyboardModifier.AltModifier),
    ("Shift", Modifier.SHIFT, Qt.KeyboardModifier.ShiftModifier),
    ("Super", Modifier.SUPER, Qt.KeyboardModifier.MetaModifier),
)
_MODIFIER_ALIASES = {"control": "ctrl", "win": "super", "meta": "super", "cmd": "super", "option": "alt"}


@dataclass(frozen=True)
class Key:
    """One key: our name, Qt's, and its X keysym by name and number (the unshifted one).

    ``types``: needed for writing and moving about, so not to be taken without a modifier.
    """

    name: str
    qt: Qt.Key
    keysym_name: str
    keysym: int
    types: bool = False


def _table() -> tuple[Key, ...]:
    keys = [Key(chr(c), Qt.Key(c), chr(c).lower(), ord(chr(c).lower()), True) for c in range(65, 91)]
    keys += [Key(chr(c), Qt.Key(c), chr(c), c, True) for c in range(48, 58)]
    keys += [Key(f"F{n}", Qt.Key(Qt.Key.Key_F1.value + n - 1), f"F{n}", 0xFFBE + n - 1) for n in range(1, 25)]
    for name, qt, keysym_name, keysym in (
        ("Space", Qt.Key.Key_Space, "space", 0x20),
        ("Apostrophe", Qt.Key.Key_Apostrophe, "apostrophe", 0x27),
        ("Comma", Qt.Key.Key_Comma, "comma", 0x2C),
        ("Minus", Qt.Key.Key_Minus, "minus", 0x2D),
        ("Period", Qt.Key.Key_Period, "period", 0x2E),
        ("Slash", Qt.Key.Key_Slash, "slash", 0x2F),
        ("Semicolon", Qt.Key.Key_Semicolon, "semicolon", 0x3B),
        ("Equal", Qt.Key.Key_Equal, "equal", 0x3D),
        ("BracketLeft", Qt.Key.Key_BracketLeft, "bracketleft", 0x5B),
        ("Backslash", Qt.Key.Key_Backslash, "backslash", 0x5C),
        ("BracketRight", Qt.Key.Key_BracketRight, "bracketright", 0x5D),
        ("Grave", Qt.Key.Key_QuoteLeft, "grave", 0x60),
        ("Backspace", Qt.Key.Key_Backspace, "BackSpace", 0xFF08),
        ("Tab", Qt.Key.Key_Tab, "Tab", 0xFF09),
        ("Enter", Qt.Key.Key_Return, "Return", 0xFF0D),
        ("Esc", Qt.Key.Key_Escape, "Escape", 0xFF1B),
        ("Insert", Qt.Key.Key_Insert, "Insert", 0xFF63),
        ("Delete", Qt.Key.Key_Delete, "Delete", 0xFFFF),
        ("Home", Qt.Key.Key_Home, "Home", 0xFF50),
        ("Left", Qt.Key.Key_Left, "Left", 0xFF51),
        ("Up", Qt.Key.Key_Up, "Up", 0xFF52),
        ("Right", Qt.Key.Key_Right, "Right", 0xFF53),
        ("Down", Qt.Key.Key_Down, "Down", 0xFF54),
        ("PgUp", Qt.Key.Key_PageUp, "Page_Up", 0xFF55),
        ("PgDown", Qt.Key.Key_PageDown, "Page_Down", 0xFF56),
        ("End", Qt.Key.Key_End, "End", 0xFF57),
        ("Print", Qt.Key.Key_Print, "Print", 0xFF61),
        ("Pause", Qt.Key.Key_Pause, "Pause", 0xFF13),
    ):
        keys.append(Key(name, qt, keysym_name, keysym, name not in ("Print", "Pause")))
    return tuple(keys)


KEYS: tuple[Key, ...] = _table()
_BY_NAME = {key.name.lower(): key for key in KEYS} | {
    alias: next(key for key in KEYS if key.name == name)
    for alias, name in (
        ("return", "Enter"),
        ("escape", "Esc"),
        ("del", "Delete"),
        ("ins", "Insert"),
        ("pageup", "PgUp"),
        ("pagedown", "PgDown"),
        ("printscreen", "Print"),
    )
}
_BY_QT = {key.qt: key for key in KEYS} | {
    Qt.Key.Key_Enter: _BY_NAME["enter"],
    Qt.Key.Key_Backtab: _BY_NAME["tab"],
}


@dataclass(frozen=True)
class KeyCombo:
    """A key with its modifiers; ``str()`` gives the canonical text."""

    modifiers: Modifier
    key: Key

    def __str__(self) -> str:
        return "+".join([name for name, flag, _ in _MODIFIERS if flag in self.modifiers] + [self.key.name])


def parse(text: str) -> KeyCombo:
    """The combination that ``text`` writes, in any order of modifiers and any case.

    Raises:
        ValueError: it is none, or one that would take a key away from typing; says so in a sentence.
    """
    flags = {name.lower(): flag for name, flag, _ in _MODIFIERS}
    modifiers, key = Modifier(0), None
    for part in text.split("+"):
        word = part.strip().lower()
        word = _MODIFIER_ALIASES.get(word, word)
        if word in flags:
            if flags[word] in modifiers:
                raise ValueError(
                    QCoreApplication.translate("Keys", "{0} is named twice.").format(part.strip())
                )
            modifiers |= flags[word]
        elif word not in _BY_NAME:
            raise ValueError(
                QCoreApplication.translate("Keys", "There is no key called “{0}”.").format(part.strip())
            )
        elif key is not None:
            raise ValueError(
                QCoreApplication.translate(
                    "Keys", "Only one key can be pressed besides Ctrl, Alt, Shift and Super."
                )
            )
        else:
            key = _BY_NAME[word]
    return _checked(modifiers, key)


def _checked(modifiers: Modifier, key: Key | None) -> KeyCombo:
    if key is None:
        raise ValueError(
            QCoreApplication.translate("Keys", "A key is missing besides Ctrl, Alt, Shift and Super.")
        )
    if key.types and not modifiers & ~Modifier.SHIFT:
        raise ValueError(
            QCoreApplication.translate("Keys", "Add Ctrl, Alt or Super: {0} is needed for typing.").format(
                key.name
            )
        )
    return KeyCombo(modifiers, key)


def to_key_sequence(combo: KeyCombo) -> QKeySequence:
    """The same combination for Qt's widgets."""
    modifiers = Qt.KeyboardModifier.NoModifier
    for _, flag, qt in _MODIFIERS:
        if flag in combo.modifiers:
            modifiers |= qt
    return QKeySequence(QKeyCombination(modifiers, combo.key.qt))


def from_key_sequence(sequence: QKeySequence) -> KeyCombo:
    """The combination a key recorder took down; only the first stroke counts.

    Raises:
        ValueError: nothing was recorded, or a combination that cannot be used; says so in a sentence.
    """
    if sequence.isEmpty():
        raise ValueError(QCoreApplication.translate("Keys", "No key was pressed."))
    stroke: QKeyCombination = sequence[0]  # type: ignore[index]
    modifiers = Modifier(0)
    for _, flag, qt in _MODIFIERS:
        if stroke.keyboardModifiers() & qt:
            modifiers |= flag
    if stroke.key() == Qt.Key.Key_Backtab:
        modifiers |= Modifier.SHIFT
    key = _BY_QT.get(stroke.key())
    if key is None:
        shown = sequence.toString(QKeySequence.SequenceFormat.NativeText)
        raise ValueError(QCoreApplication.translate("Keys", "{0} cannot be used as a hotkey.").format(shown))
    return _checked(modifiers, key)


def parse_bindings(
    bindings: Mapping[str, str],
) -> tuple[dict[str, KeyCombo], dict[str, SettingsError]]:
    """Each action's combination, and each action whose text is wrong or is taken by another action.

    Empty texts are left out of both.
    """
    good: dict[str, KeyCombo] = {}
    bad: dict[str, SettingsError] = {}
    for action, text in bindings.items():
        if not text.strip():
            continue
        try:
            combo = parse(text)
            if combo in good.values():
                raise ValueError(QCoreApplication.translate("Keys", "Another action has the same key."))
        except ValueError as error:
            bad[action] = SettingsError(key=action, value=text, reason=str(error).rstrip(".。"))
        else:
            good[action] = combo
    return good, bad
