"""How well and how fast the built-in engine reads: ``python -m benchmarks.accuracy``.

Reads generated bubbles of every category, snips of pages and whole pages in this process, prints error rates
with their 95 % intervals, times, furigana and reading order, and ends with 1 when a limit is not met.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.error_rate import Count, Rate, count, normal, pooled, quantile
from core.engines import LoadOptions, ModelEngine, find_engine
from core.types import Box, RgbImage, TextBlock
from resources.samples.draw import CATEGORIES, Sample, bubble, page

# Look at failures and tune with TUNING; what is reported comes from seeds nobody has looked at.
TUNING, REPORTING = 1_000_000, 3_000_000
LIMITS = {"vertical": 0.03, "horizontal": 0.015}
FURIGANA_OUT, FURIGANA_ERRORS, ORDER_RIGHT = 0.95, 0.25, 0.95
LEAST_FOUND = 0.8
SNIP_MARGIN = (4, 26)

Reader = Callable[[Image.Image], list[TextBlock]]


def reader(engine: ModelEngine) -> Reader:
    """A function that reads a picture with a loaded engine."""

    def read(image: Image.Image) -> list[TextBlock]:
        picture = RgbImage(*image.size, image.tobytes())
        job = engine.run("recognize", {}, (picture,), lambda: False)
        while True:
            try:
                next(job)
            except StopIteration as end:
                return [TextBlock.from_json(block) for block in end.value["blocks"]]

    return read


def text_of(blocks: Sequence[TextBlock]) -> str:
    return "\n".join(block.text for block in blocks)


def furigana_of(blocks: Sequence[TextBlock]) -> str:
    return "".join(aid.text for block in blocks for line in block.lines for aid in line.furigana)


@dataclass(slots=True)
class Category:
    """What was measured for one category. Seconds per picture."""

    name: str
    counts: list[Count] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    furigana: list[Count] = field(default_factory=list)
    furigana_out: list[bool] = field(default_factory=list)
    order_right: list[bool] = field(default_factory=list)
    order_complete: list[bool] = field(default_factory=list)
    blocks_found: list[bool] = field(default_factory=list)

    def add(self, seed: int, truth: Sample, blocks: Sequence[TextBlock], seconds: float) -> None:
        """Compare one reading with its truth."""
        read = text_of(blocks)
        result = count(read, truth.text)
        self.counts.append(result)
        self.seconds.append(seconds)
        if result.errors:
            self.failures.append(
                {
                    "seed": seed,
                    "errors": result.errors,
                    "truth": truth.text,
                    "read": read,
                    "furigana": furigana_of(truth.blocks),
                    "read_furigana": furigana_of(blocks),
                }
            )


SMALL = str.maketrans("ぁぃぅぇぉっゃゅょ", "あいうえおつやゆよ")


def plain_kana(text: str) -> str:
    """The text with small kana made large and voice marks taken off: what a tiny kana is misread as."""
    bare = (c for c in unicodedata.normalize("NFD", normal(text)) if not unicodedata.combining(c))
    return "".join(bare).translate(SMALL)


def furigana_leaked(read: str, truth: Sample) -> bool:
    """Whether kana of a reading stand in the main text.

    They do when a reading of two kana and more is found more often than in the truth, or when the text
    holds more characters than the truth and at least half of the surplus are kana that the readings have.
    A misread character of the main text is a plain error, not a leak.
    """
    main, wanted = plain_kana(read), plain_kana(truth.text)
    aids = [plain_kana(aid.text) for block in truth.blocks for line in block.lines for aid in line.furigana]
    if any(len(aid) > 1 and main.count(aid) > wanted.count(aid) for aid in aids):
        return True
    extra = len(main) - len(wanted)
    surplus = Counter(main) - Counter(wanted)
    kana = set("".join(aids))
    return extra > 0 and sum(n for c, n in surplus.items() if c in kana) * 2 >= extra


def measure_bubbles(read: Reader, name: str, characters: int, base: int) -> Category:
    """Read fresh bubbles of a category until their truths hold that many characters."""
    found = Category(name)
    seed, done = base, 0
    while done < characters:
        sample = bubble(seed, name)
        started = time.perf_counter()
        blocks = read(sample.image)
        found.add(seed, sample, blocks, time.perf_counter() - started)
        if name == "furigana":
            found.furigana.append(count(furigana_of(blocks), furigana_of(sample.blocks)))
            found.furigana_out.append(not furigana_leaked(text_of(blocks), sample))
        done += found.counts[-1].characters
        seed += 1
    return found


def measure_snips(read: Reader, characters: int, base: int) -> Category:
    """Read the texts of fresh pages, each cut out as people do: with some of its surroundings."""
    found = Category("snip")
    seed, done = base, 0
    while done < characters:
        sample = page(seed)
        rng = random.Random(seed)
        for block in sample.blocks:
            cut = Sample(snip(rng, sample.image, block.box), (block,))
            started = time.perf_counter()
            blocks = read(cut.image)
            found.add(seed, cut, blocks, time.perf_counter() - started)
            done += found.counts[-1].characters
        seed += 1
    return found


def snip(rng: random.Random, image: Image.Image, box: Box) -> Image.Image:
    """What a rectangle around ``box`` holds that leaves 4 to 26 pixels on each side."""
    left, top, right, bottom = (rng.randint(*SNIP_MARGIN) for _ in range(4))
    left, top = max(0, box.x - left), max(0, box.y - top)
    right, bottom = min(image.width, box.right + right), min(image.height, box.bottom + bottom)
    return image.crop((left, top, right, bottom))


def overlap(left: Box, right: Box) -> float:
    """The share of the smaller box that the other covers."""
    return left.intersection(right).area / max(1, min(left.area, right.area))


def places(truth: Sequence[TextBlock], read: Sequence[TextBlock]) -> list[int] | None:
    """Which true block each block read belongs to, by overlap; None when one holds the text of two.

    What overlaps none (drawings taken for text) is left out.
    """
    found: list[int] = []
    for block in read:
        shares = [overlap(block.box, true.box) for true in truth]
        best = max(range(len(truth)), key=shares.__getitem__)
        if shares[best] < 0.3:
            continue
        if sum(block.box.intersection(t.box).area > 0.5 * t.box.area for t in truth) > 1:
            return None
        found.append(best)
    return found


def order_is_right(truth: Sequence[TextBlock], read: Sequence[TextBlock], least: float = LEAST_FOUND) -> bool:
    """Whether the blocks read come in the truth's order, with no two of them read as one.

    A block that was missed does not spoil the order of the others, as long as that share (``least``) of
    all was found: what was missed counts in the error rate.
    """
    found = places(truth, read)
    if found is None:
        return False
    return found == sorted(found) and len(set(found)) >= least * len(truth)


def measure_pages(read: Reader, pages: int, base: int) -> Category:
    """Read that many fresh pages."""
    found = Category("page")
    for seed in range(base, base + pages):
        sample = page(seed)
        started = time.perf_counter()
        blocks = read(sample.image)
        found.add(seed, sample, blocks, time.perf_counter() - started)
        found.order_right.append(order_is_right(sample.blocks, blocks))
        found.order_complete.append(order_is_right(sample.blocks, blocks, least=1.0))
        found.blocks_found.extend(
            any(overlap(true.box, block.box) >= 0.3 for block in blocks) for true in sample.blocks
        )
        if not found.order_right[-1]:
            where = places(sample.blocks, blocks)
            of = len(sample.blocks)
            print(f"  page {seed}: order {'two blocks read as one' if where is None else where} of {of}")
    return found


def share(values: Sequence[bool]) -> float:
    return sum(values) / len(values)


def verdict(value: float, limit: float, at_most: bool = True) -> tuple[str, bool]:
    """PASS or FAIL beside its limit."""
    good = value <= limit if at_most else value >= limit
    return f"{'PASS' if good else 'FAIL'} ({'<=' if at_most else '>='} {limit:.1%})", good


def report(found: Category) -> tuple[dict[str, Any], bool]:
    """Print what was measured; the figures, and whether every limit is met."""
    rate: Rate = pooled(found.counts)
    p50, p95 = quantile(found.seconds, 0.5), quantile(found.seconds, 0.95)
    line = f"{found.name:11} {rate}  {rate.samples} samples, p50 {p50:.3f} s, p95 {p95:.3f} s"
    figures: dict[str, Any] = {"error_rate": asdict(rate), "p50": p50, "p95": p95}
    passed = []
    if found.name in LIMITS:
        word, good = verdict(rate.value, LIMITS[found.name])
        line += f"  {word}"
        passed.append(good)
    print(line)
    if found.name == "snip":
        figures["wrong"] = len(found.failures) / len(found.counts)
        print(f"{'':11} snips with any error: {figures['wrong']:.1%}")
    extras: list[tuple[str, str, float, float, bool]] = []
    if found.furigana:
        aids = pooled(found.furigana)
        figures["furigana_rate"] = asdict(aids)
        print(f"{'':11} {aids} in furigana")
        extras.append(
            ("furigana_out", "furigana out of the text", share(found.furigana_out), FURIGANA_OUT, False)
        )
        extras.append(("furigana_error", "furigana's error rate", aids.value, FURIGANA_ERRORS, True))
    if found.order_right:
        extras.append(
            ("order_right", "pages in the right order", share(found.order_right), ORDER_RIGHT, False)
        )
        figures["blocks_found"] = share(found.blocks_found)
        figures["order_complete"] = share(found.order_complete)
        print(f"{'':11} pages in the right order with nothing missed: {figures['order_complete']:.1%}")
        print(f"{'':11} bubbles, captions and signs found: {figures['blocks_found']:.1%}")
    for key, title, value, limit, at_most in extras:
        word, good = verdict(value, limit, at_most)
        print(f"{'':11} {title}: {value:.1%}  {word}")
        figures[key] = value
        passed.append(good)
    figures["failures"] = sorted(found.failures, key=lambda f: -f["errors"])
    return figures, all(passed)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    names = (*CATEGORIES, "snip", "page")
    parser.add_argument("--categories", nargs="+", choices=names, default=names)
    parser.add_argument("--chars", type=int, default=2000, help="characters of truth for each category")
    parser.add_argument("--pages", type=int, default=40, help="pages for the reading order")
    parser.add_argument("--tuning", action="store_true", help="the seeds for tuning, not those for reporting")
    parser.add_argument("--show", type=int, default=0, help="print that many failures of each category")
    parser.add_argument("--json", type=Path, help="write every figure and failure to this file")
    options = parser.parse_args(arguments)
    engine = find_engine("ppocr", "ocr").create()
    engine.load(LoadOptions())
    read = reader(engine)
    base = TUNING if options.tuning else REPORTING
    # The first reading pays for buffers that every later one reuses.
    read(bubble(base - 1, "vertical").image)
    figures: dict[str, Any] = {}
    passed = True
    for name in options.categories:
        if name == "page":
            found = measure_pages(read, options.pages, base)
        elif name == "snip":
            found = measure_snips(read, options.chars, base)
        else:
            found = measure_bubbles(read, name, options.chars, base)
        figures[name], good = report(found)
        passed = passed and good
        for failure in figures[name]["failures"][: options.show]:
            print("   ", json.dumps(failure, ensure_ascii=False))
    if options.json:
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")
    print("PASS" if passed else "FAIL")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
