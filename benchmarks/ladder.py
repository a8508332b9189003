"""What each rung of MangaOCR's ladder is worth: ``python -m benchmarks.ladder``.

Reads generated crops with the small test model: as it reads them well (plain), and in ways that it, or the
real MangaOCR, finds hard. Every look at every bubble is read once and remembered, so that any choice of rungs
can be compared on the same readings: characters wrong, bubbles exactly right, looks taken, what a look costs.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from benchmarks.error_rate import count, normal, pooled
from core.engines import LoadOptions
from core.ocr.doubt import DoubtOptions
from core.ocr.ladder import RUNGS, Kept, climb, crop
from core.ocr.manga_text import Read
from core.ocr.ppocr import build_reader
from core.ocr.targets import Target, targets
from core.types import Box, Direction, RgbImage
from resources.samples import bubbles, fonts, phrases, scenery, typeset
from tests.models import crops, lexicon
from tests.support.local_library import TINY_MANGA_OCR

TUNING, REPORTING = 1_000_000, 3_000_000
PAPER = 250

WITH_READINGS = (
    "{明日/あした}|また|{会/あ}おう。",
    "{今日/きょう}は|{学校/がっこう}が|{休/やす}みだ。",
    "{絶対/ぜったい}に|{勝/か}つ！",
    "{電車/でんしゃ}が|{来/き}ちゃった。",
    "{手紙/てがみ}を|{書/か}いた。",
    "{今夜/こんや}は|{月/つき}が|{出/で}ない。",
    "{約束/やくそく}だからな。",
    "{大丈夫/だいじょうぶ}？",
    "{空/そら}が|{青/あお}い。",
    "{雨/あめ}が|やまないね。",
)


@dataclass(frozen=True)
class Crop:
    """A picture in mode RGB and its text; no text at all where there is none."""

    image: Image.Image
    text: str


def _face(rng: random.Random) -> str:
    return rng.choice(fonts.names())


def _set(
    rng: random.Random, marked: str, size: int, direction: Direction, limit: int, aids: bool = False
) -> tuple[Image.Image, str]:
    """The ink of a text (mode L, 255 = ink), and the text."""
    phrase = phrases.parse(marked)
    style = typeset.Style(
        _face(rng), size, direction, pitch=1.75 if aids else 1.4, pairs=rng.random() < 0.5, furigana=aids
    )
    return typeset.typeset(phrase, style, limit).ink, phrases.plain(phrase)


def _on_paper(rng: random.Random, ink: Image.Image, size: int) -> Image.Image:
    pad = round(size * rng.uniform(0.2, 0.8))
    sheet = Image.new("L", (ink.width + 2 * pad, ink.height + 2 * pad), PAPER)
    sheet.paste(20, (pad, pad), ink)
    return sheet


def _plain(rng: random.Random) -> Crop:
    drawn = crops.draw(rng, rng.choice(lexicon.PLAIN))
    return Crop(drawn.image.convert("RGB"), drawn.text)


def _large(rng: random.Random) -> Crop:
    """As on a screen with a high resolution."""
    crop = _plain(rng)
    size = (crop.image.width * 4, crop.image.height * 4)
    return Crop(crop.image.resize(size, Image.Resampling.BICUBIC), crop.text)


def _inverted(rng: random.Random) -> Crop:
    crop = _plain(rng)
    return Crop(ImageOps.invert(crop.image), crop.text)


def _outlined(rng: random.Random) -> Crop:
    """White letters with a black rim on a grey or toned ground."""
    size = rng.randint(24, 44)
    ink, text = _set(rng, rng.choice(lexicon.PLAIN), size, Direction.VERTICAL, 8)
    pad = size // 2
    area = (ink.width + 2 * pad, ink.height + 2 * pad)
    ground = rng.choice(("grey", "tone"))
    sheet = Image.new("L", area, rng.randint(90, 200)) if ground == "grey" else bubbles.tone(area, 5, 0.5)
    rim = max(2, size // 10)
    sheet.paste(0, (pad - rim - 2, pad - rim - 2), bubbles.grown(ink, rim, rim + 2))
    sheet.paste(255, (pad, pad), ink)
    return Crop(sheet.convert("RGB"), text)


def _small(rng: random.Random) -> Crop:
    drawn = crops.draw(rng, rng.choice(lexicon.PLAIN), largest=18)
    factor = rng.uniform(0.5, 0.7)
    size = (max(8, round(drawn.image.width * factor)), max(8, round(drawn.image.height * factor)))
    return Crop(drawn.image.resize(size, Image.Resampling.LANCZOS).convert("RGB"), drawn.text)


def _noise(rng: random.Random) -> Crop:
    drawn = crops.draw(rng, rng.choice(lexicon.PLAIN))
    image = drawn.image.filter(ImageFilter.GaussianBlur(rng.uniform(0.8, 1.6)))
    samples = [min(255, max(0, round(rng.gauss(128, rng.uniform(15, 35))))) for _ in range(4096)]
    grain = Image.frombytes("L", image.size, bytes(rng.choices(samples, k=image.width * image.height)))
    return Crop(ImageChops.add(image, grain, 1, -128).convert("RGB"), drawn.text)


def _long(rng: random.Random, direction: Direction) -> Crop:
    """Several phrases in one line."""
    text = "".join(lexicon.plain(rng.choice(lexicon.PLAIN)) for _ in range(rng.randint(3, 5)))
    size = rng.randint(16, 30)
    ink, text = _set(rng, text, size, direction, 99)
    return Crop(_on_paper(rng, ink, size).convert("RGB"), text)


def _wide(rng: random.Random) -> Crop:
    return _long(rng, Direction.HORIZONTAL)


def _tall(rng: random.Random) -> Crop:
    return _long(rng, Direction.VERTICAL)


def _furigana(rng: random.Random) -> Crop:
    size = rng.randint(24, 40)
    ink, text = _set(rng, rng.choice(WITH_READINGS), size, Direction.VERTICAL, rng.randint(4, 8), aids=True)
    return Crop(_on_paper(rng, ink, size).convert("RGB"), text)


def _scene(rng: random.Random, width: int, height: int) -> Image.Image:
    image = Image.new("L", (width, height), 255)
    pen = ImageDraw.Draw(image)
    kind = rng.choice(("person", "town", "hills", "speed", "cat", "tone"))
    if kind == "person":
        scenery.person(pen, width / 2, height / 3, width / 7, height, rng)
    elif kind == "town":
        scenery.town(pen, width, height, rng)
    elif kind == "hills":
        scenery.hills(pen, width, height, rng)
    elif kind == "speed":
        scenery.speed_lines(pen, width, height, rng)
    elif kind == "cat":
        scenery.cat(pen, width / 2, height / 2, width / 6)
    else:
        image = bubbles.tone((width, height), rng.choice((4, 6, 8)), rng.uniform(0.3, 0.7))
    return image


def _loose(rng: random.Random) -> Crop:
    """A small bubble in a panel of drawing."""
    crop = _plain(rng)
    width, height = crop.image.width * 3, crop.image.height * 2
    panel = _scene(rng, width, height).convert("RGB")
    panel.paste(crop.image, (rng.randint(0, 2 * crop.image.width), rng.randint(0, crop.image.height)))
    return Crop(panel, crop.text)


def _two(rng: random.Random) -> Crop:
    """Two bubbles side by side, the right one first."""
    first, second = _plain(rng), _plain(rng)
    gap = 40
    width = first.image.width + second.image.width + 3 * gap
    height = max(first.image.height, second.image.height) + 2 * gap
    panel = Image.new("RGB", (width, height), (PAPER,) * 3)
    panel.paste(second.image, (gap, gap))
    panel.paste(first.image, (second.image.width + 2 * gap, gap))
    return Crop(panel, first.text + second.text)


def _unknown(rng: random.Random) -> Crop:
    """A sentence the small model has never seen: it can only make something up."""
    sample = bubbles.bubble(rng.randrange(1 << 30), "vertical")
    return Crop(sample.image, sample.text)


def _empty(rng: random.Random) -> Crop:
    """A snip of a drawing without text."""
    return Crop(_scene(rng, rng.randint(80, 300), rng.randint(80, 300)).convert("RGB"), "")


SETS: dict[str, Callable[[random.Random], Crop]] = {
    "plain": _plain,
    "large": _large,
    "inverted": _inverted,
    "outlined": _outlined,
    "small": _small,
    "noise": _noise,
    "wide": _wide,
    "tall": _tall,
    "furigana": _furigana,
    "loose": _loose,
    "two": _two,
    "unknown": _unknown,
    "empty": _empty,
}


@dataclass
class Memory:
    """Reads a look the first time it is asked for, and remembers what was read and how long it took."""

    model: Any
    seen: dict[str, Read] = field(default_factory=dict)
    seconds: float = 0.0
    asked: int = 0

    def __call__(self, pictures: Sequence[Image.Image]) -> Generator[dict[str, Any], None, list[Read]]:
        self.asked += len(pictures)
        keys = [hashlib.sha1(p.tobytes() + repr(p.size).encode()).hexdigest() for p in pictures]
        for key, picture in zip(keys, pictures, strict=True):
            if key not in self.seen:
                started = time.perf_counter()
                (self.seen[key],) = next(self.model.read([picture], lambda: False))
                self.seconds += time.perf_counter() - started
        yield {}
        return [self.seen[key] for key in keys]


def split(page: Image.Image, target: Target) -> list[Image.Image]:
    """Each of the built-in engine's lines alone, with a little paper around it: a rung that was not kept."""
    lines = target.built_in.lines if target.built_in else ()
    if len(lines) < 2 or len(target.parts) > 1:
        return []
    pictures = []
    for line in lines:
        thick = line.box.width if target.direction is Direction.VERTICAL else line.box.height
        extra = max(2, round(0.12 * thick))
        left, top = max(0, line.box.x - extra), max(0, line.box.y - extra)
        right, bottom = min(page.width, line.box.right + extra), min(page.height, line.box.bottom + extra)
        pictures.append(crop(page, Box(left, top, right - left, bottom - top)))
    return pictures


CANDIDATES = (*RUNGS, ("split", split))


@dataclass(frozen=True)
class Ways:
    """One choice of rungs."""

    name: str
    rungs: tuple[str, ...] = ()
    second_engine: bool = False


def ways() -> list[Ways]:
    names = tuple(name for name, _ in RUNGS)
    return [
        Ways("none"),
        *(Ways(f"only {name}", (name,)) for name, _ in CANDIDATES),
        Ways("only built-in", (), True),
        *(Ways(f"all but {n}", tuple(m for m in names if m != n), True) for n in names),
        Ways("all but built-in", names),
        Ways("all", names, True),
        Ways("all and split", (*names, "split"), True),
    ]


def result_of(steps: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@dataclass(frozen=True)
class Case:
    crop: Crop
    found: list[Target]
    built_in: str


def cases(reader: Any, name: str, base: int, number: int) -> Iterator[Case]:
    from core.ocr.pixels import to_picture

    rng = random.Random(f"{name} {base}")
    for _ in range(number):
        crop = SETS[name](rng)
        picture = to_picture(RgbImage(*crop.image.size, crop.image.tobytes()))
        survey = result_of(reader.survey(picture, lambda: False))
        text = "".join(line.text for block in survey.blocks for line in block.lines)
        yield Case(crop, targets(survey, picture), text)


def read_with(case: Case, memory: Memory, way: Ways, options: DoubtOptions) -> str:
    rungs = tuple(rung for rung in CANDIDATES if rung[0] in way.rungs)
    steps = climb(case.crop.image, case.found, memory, rungs, way.second_engine, options)
    kept: list[Kept] = result_of(steps)
    return "".join(result.best.text for result in kept if not result.made_up)


def measure(name: str, found: Sequence[Case], memory: Memory, options: DoubtOptions, show: int) -> None:
    print(f"\n{name}: {len(found)} pictures")
    counts = [count(case.built_in, case.crop.text) for case in found]
    _row("built-in engine alone", counts, found, [case.built_in for case in found], 0)
    for way in ways():
        memory.asked = 0
        texts = [read_with(case, memory, way, options) for case in found]
        counts = [count(text, case.crop.text) for text, case in zip(texts, found, strict=True)]
        _row(way.name, counts, found, texts, memory.asked)
    wrong = [(c, t) for c, t in zip(found, texts, strict=True) if normal(c.crop.text) != normal(t)]
    for case, text in wrong[:show]:
        print(f"    {case.crop.text!r} read {text!r}, built-in {case.built_in!r}")


def _row(name: str, counts: Sequence[Any], found: Sequence[Case], texts: Sequence[str], asked: int) -> None:
    exact = sum(normal(c.crop.text) == normal(t) for c, t in zip(found, texts, strict=True)) / len(found)
    rate = f"{pooled(counts).value:7.2%}" if any(c.characters for c in counts) else "      -"
    print(f"  {name:22} wrong {rate}   exact {exact:6.1%}   looks {asked / len(found):5.2f} a picture")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=TINY_MANGA_OCR)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--number", type=int, default=100, help="pictures of each set")
    parser.add_argument("--tuning", action="store_true", help="the seeds for tuning, not those for reporting")
    parser.add_argument("--show", type=int, default=0, help="print that many failures of each set")
    options = parser.parse_args()
    from core.devices import physical_cores
    from core.ocr.manga_model import MangaModel

    reader = build_reader(physical_cores())
    memory = Memory(MangaModel(LoadOptions(checkpoint=str(options.checkpoint))))
    base = TUNING if options.tuning else REPORTING
    for name in options.sets:
        found = list(cases(reader, name, base, options.number))
        measure(name, found, memory, DoubtOptions(), options.show)
    print(f"\n{len(memory.seen)} looks, {memory.seconds / max(1, len(memory.seen)):.3f} s each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
