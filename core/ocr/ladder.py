"""The ladder that doubtful readings climb: other looks at the same bubble, until one is good.

Knows nothing of torch: what reads is a function. Which rungs there are is decided by ``benchmarks.ladder``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from PIL import Image, ImageOps

from core.ocr.doubt import Candidate, DoubtOptions, Judge
from core.ocr.manga_text import Read
from core.ocr.targets import Target
from core.types import Box

Y = TypeVar("Y")
S = TypeVar("S")
ReadAll = Callable[[Sequence[Image.Image]], Generator[Y, S, list[Read]]]
"""Reads pictures in one batch. What it yields, and what it is sent for that, is between it and who drives
``climb``: progress, or what is to be read."""
Rung = Callable[[Image.Image, Target], list[Image.Image]]
"""What to show of a bubble, in reading order; nothing where the rung does not apply."""

_LARGE = 200
"""A bubble with a shorter side of so many pixels is not enlarged."""
_TIGHT = 2


def crop(page: Image.Image, box: Box) -> Image.Image:
    """That part of the page; the page itself when it is all of it."""
    if (box.x, box.y, box.width, box.height) == (0, 0, *page.size):
        return page
    return page.crop((box.x, box.y, box.right, box.bottom))


def plain(page: Image.Image, target: Target) -> list[Image.Image]:
    """The first look."""
    return [crop(page, part) for part in target.parts]


def inverted(page: Image.Image, target: Target) -> list[Image.Image]:
    return [ImageOps.invert(picture) for picture in plain(page, target)]


def enlarged(page: Image.Image, target: Target) -> list[Image.Image]:
    """The text alone, without what surrounds it, at twice its size."""
    if len(target.parts) > 1 or min(target.box.width, target.box.height) > _LARGE:
        return []
    box = target.box
    left, top = max(0, box.x - _TIGHT), max(0, box.y - _TIGHT)
    right, bottom = min(page.width, box.right + _TIGHT), min(page.height, box.bottom + _TIGHT)
    tight = crop(page, Box(left, top, right - left, bottom - top))
    return [tight.resize((tight.width * 2, tight.height * 2), Image.Resampling.BICUBIC)]


RUNGS: tuple[tuple[str, Rung], ...] = (
    ("inverted", inverted),
    ("enlarged", enlarged),
)
BUILT_IN = "built-in"


@dataclass(frozen=True)
class Kept:
    """The reading that was kept, and all others of the same bubble, the best first.

    ``made_up``: as far as can be told there is no text.
    """

    best: Candidate
    others: tuple[Candidate, ...] = ()
    made_up: bool = False


def climb(
    page: Image.Image,
    found: Sequence[Target],
    read_all: ReadAll[Y, S],
    rungs: Sequence[tuple[str, Rung]] = RUNGS,
    second_engine: bool = True,
    options: DoubtOptions | None = None,
) -> Generator[Y, S, list[Kept]]:
    """Read every bubble, and the doubtful ones in other ways.

    Args:
        rungs: tried in this order, each for all bubbles that are still doubtful.
        second_engine: whether the built-in engine's reading may be kept where every look is doubtful.

    Yields what ``read_all`` yields. Returns one result for each of ``found``.
    """
    judges = [Judge(target.built_in, options) for target in found]
    tried: list[list[Candidate]] = [[] for _ in found]
    everyone = list(range(len(found)))
    yield from _look(page, found, everyone, ("", plain), read_all, tried)
    for rung in rungs:
        doubtful = [i for i in everyone if judges[i].is_doubtful(_best(tried[i], judges[i]))]
        if not doubtful:
            break
        yield from _look(page, found, doubtful, rung, read_all, tried)
    kept = []
    for target, judge, candidates in zip(found, judges, tried, strict=True):
        candidates.sort(key=judge.score, reverse=True)
        best = candidates[0]
        if target.built_in is not None:
            lost = second_engine and judge.is_doubtful(best) and judge.prefers_built_in(best)
            candidates.insert(0 if lost else len(candidates), built_in(target))
        kept.append(Kept(candidates[0], tuple(candidates[1:]), judge.is_made_up(candidates[0])))
    return kept


def _best(candidates: Sequence[Candidate], judge: Judge) -> Candidate:
    return max(candidates, key=judge.score)


def _look(
    page: Image.Image,
    found: Sequence[Target],
    which: Sequence[int],
    rung: tuple[str, Rung],
    read_all: ReadAll[Y, S],
    tried: list[list[Candidate]],
) -> Generator[Y, S, None]:
    """Show the bubbles ``which`` in one way, all in one batch, and note what was read."""
    how, show = rung
    shown = [(i, show(page, found[i])) for i in which]
    reads = iter((yield from read_all([picture for _, pictures in shown for picture in pictures])))
    for i, pictures in shown:
        if pictures:
            mine = [next(reads) for _ in pictures]
            tried[i].append(
                Candidate(
                    tuple(read.text for read in mine),
                    tuple(value for read in mine for value in read.likelihoods),
                    how,
                    mine[0].others if len(mine) == 1 else (),
                )
            )


def built_in(target: Target) -> Candidate:
    """The built-in engine's reading, line by line."""
    lines = target.built_in.lines if target.built_in else ()
    return Candidate(
        tuple(line.text for line in lines),
        tuple(value for line in lines for value in line.confidences),
        BUILT_IN,
    )
