"""A second look at a line: what was read, compared with what stands there.

The shapes of the cells know what the recogniser guesses: an upright stroke in a column is a long vowel mark
and no ``一``, a blot in the upper right corner is a comma or a full stop, a glyph three quarters as large as
its neighbours is a small kana. Model process only (for the cells); the text side is plain Python.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from core.ocr.recognizer import OTHER_SIZE, TO_SMALL, Reading
from core.ocr.typeset import Cell, Glyph

_EVEN_SIZE = 0.75
"""Where a small kana ends and a large one begins, by the longer side, in full characters."""
_EVEN_SIZES = {"つ": 0.75, "ヨ": 0.63, "ア": 0.7, "ツ": 0.71, "い": 0.74}
_SIZE_WEIGHT = 40.0
"""How much a difference in size outweighs one of the model's log likelihoods."""
_LIKE_A_BAR = frozenset("一-—―–－|｜1１lI_/丨ｰ!！,'`")
_Seen: TypeAlias = tuple[str, float, float]
GIVEN = 0.5
"""The likelihood written for a character that its shape alone tells."""


def reconcile(
    reading: Reading,
    cells: Sequence[Cell],
    cell_at: Callable[[float], int],
    em: float,
    length: float,
    mark_in: Callable[[Cell], str],
    read_cell: Callable[[int], Reading],
) -> Reading:
    """The reading with the characters that its cells contradict mended, and the missing ones put in.

    Args:
        cell_at: the cell that a place along the line falls into.
        em: the size of a full character, in pixels of the cells.
        length: of the whole line, in the same pixels.
        mark_in: ``、`` or ``。``, from the ink of a cell that holds a small blot.
        read_cell: reads one cell alone.
    """
    if not cells:
        return reading
    inside: list[list[_Seen]] = [[] for _ in cells]
    for char, confidence, place, rival in zip(
        reading.text, reading.confidences, reading.places, reading.rivals, strict=True
    ):
        inside[cell_at(place)].append((char, confidence, rival))
    _settle(inside, cells)
    text: list[str] = []
    confidences: list[float] = []
    places: list[float] = []
    rivals: list[float] = []
    for index, (cell, found) in enumerate(zip(cells, inside, strict=True)):
        mended = _mend(cell, found, em, mark_in) or _read_alone(cell, index, read_cell)
        for char, confidence, rival in mended:
            text.append(char)
            confidences.append(confidence)
            places.append((cell.top + cell.bottom) / 2 / length)
            rivals.append(rival)
    return Reading("".join(text), tuple(confidences), tuple(places), tuple(rivals))


def _settle(inside: list[list[_Seen]], cells: Sequence[Cell]) -> None:
    """A character seen just beyond the edge of its cell goes back into an empty neighbour."""
    for i, found in enumerate(inside):
        if len(found) < 2:
            continue
        if i + 1 < len(inside) and not inside[i + 1] and cells[i + 1].glyph is not Glyph.EMPTY:
            inside[i + 1].append(found.pop())
        elif i > 0 and not inside[i - 1] and cells[i - 1].glyph is not Glyph.EMPTY:
            inside[i - 1].append(found.pop(0))


def _mend(cell: Cell, found: list[_Seen], em: float, mark_in: Callable[[Cell], str]) -> list[_Seen]:
    if cell.glyph is Glyph.BAR and (not found or all(seen[0] in _LIKE_A_BAR for seen in found)):
        return [("ー", max([GIVEN, *(seen[1] for seen in found)]), 0.0)]
    if not found:
        if cell.glyph is Glyph.MARK:
            return [(mark_in(cell), GIVEN, 0.0)]
        if cell.glyph is Glyph.DOTS:
            return [("…", GIVEN, 0.0)]
        return []
    if len(found) == 1:
        ((char, confidence, rival),) = found
        return [(sized(char, confidence, rival, cell, em), confidence, rival)]
    return found


def sized(char: str, confidence: float, rival: float, cell: Cell, em: float) -> str:
    """The small or large form of a kana, by the model's likelihoods and the size of its ink together."""
    other = OTHER_SIZE.get(char)
    if other is None:
        return char
    left, top, right, bottom = cell.ink
    size = max(right - left, bottom - top) / em
    large, small = (char, other) if char in TO_SMALL else (other, char)
    likely, unlikely = math.log(confidence + 1e-4), math.log(rival + 1e-4)
    towards_large = likely - unlikely if char == large else unlikely - likely
    towards_large += _SIZE_WEIGHT * (size - _EVEN_SIZES.get(large, _EVEN_SIZE))
    return large if towards_large > 0 else small


def _read_alone(cell: Cell, index: int, read_cell: Callable[[int], Reading]) -> list[_Seen]:
    if cell.glyph is Glyph.EMPTY:
        return []
    alone = read_cell(index)
    if len(alone.text) != 1 or alone.confidence < GIVEN:
        return []
    return [(alone.text, alone.confidence, 0.0)]


_KATAKANA = "ァ-ヺー"
_ONE_FOR_A_BAR = re.compile(
    f"(?<=[{_KATAKANA}])[一—―–]|(?<=[ぁ-ん])[一—―–-](?=$|[、。！？!?…っッ〜～・」』])"
)


def long_vowels(reading: Reading) -> Reading:
    """``一`` becomes ``ー`` where only that can stand: after katakana, or after hiragana at a word's end."""
    return replace(reading, text=_ONE_FOR_A_BAR.sub("ー", reading.text))
