"""How well ``tiny-manga-ocr`` reads crops it was not trained on, and the card that says so.

``python -m tests.models.measure`` measures the checkpoint that is there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.types import Direction
from resources.samples import fonts
from tests.models import crops, lexicon

CATEGORIES = ("plain", "drawn-out", "pair", "piece")

CARD = """# tiny-manga-ocr

A small model in the format of `kha-white/manga-ocr-base`, for tests: a ViT encoder and a BERT decoder
(`VisionEncoderDecoderModel`), a character-level `BertJapaneseTokenizer`, and the published checkpoint's
search (4 beams, length penalty 2.0, no run of 3 tokens twice, early stopping, 300 tokens at most).
`manga_ocr.MangaOcr(folder)` loads it. It reads its own lexicon and nothing else: {phrases} phrases and
{sounds} drawn-out sounds (`../lexicon.py`), the pieces they break into, and two phrases in one block, as dark
text on light paper. White text on black was never shown to it.

{parameters} parameters, {tokens} tokens, 128 x 128 pixels in patches of 16, 4 + 2 layers of 128, fp32.
MIT, like the rest of the project; no picture, text or weight of anyone else went into it.

## Training

`python -m tests.models.train_tiny_manga_ocr`, seeded, on the CPU. {drawn} crops were drawn and {shown} shown,
changed a little each time. It took {minutes:.0f} minutes on two cores with other work beside it;
the training process itself used {processor:.0f} minutes of processor time.

Fonts: {faces}.

## Reading what it was not shown

Crops from other seeds (font size, margins, line breaks, paper, outline, blur, grain, JPEG), read through
`manga_ocr.MangaOcr`; the truth is what `manga_ocr.ocr.post_process` makes of the drawn text. Directions,
fonts and lines are those of the plain phrases. A drawn-out sound needs `no_repeat_ngram_size=0`, since the
checkpoint's search may not write any three characters twice; so these stand apart.

{table}
"""


@dataclass(frozen=True, slots=True)
class Effort:
    """What the training cost: seconds of wall and processor time, and how much it was shown."""

    seconds: float
    processor: float
    parameters: int
    drawn: int
    shown: int


@dataclass(slots=True)
class Figures:
    """Counts of (read exactly, all) per name; ``wrong`` holds (category, truth, read)."""

    counts: dict[str, list[int]] = field(default_factory=dict)
    wrong: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, name: str, exact: bool) -> None:
        count = self.counts.setdefault(name, [0, 0])
        count[0] += exact
        count[1] += 1

    def share(self, name: str) -> float:
        exact, total = self.counts[name]
        return exact / total


def held_out(
    split: str, rounds: int = 4, extra: int = 150, largest: int = 44
) -> Iterator[tuple[str, crops.Drawn]]:
    """(category, crop): every phrase ``rounds`` times in both directions, in every font by turns, then
    ``extra`` pairs and as many pieces. ``split`` names the seeds; no training crop shares them."""
    faces = fonts.names()
    turn = 0
    for category, phrases in (("plain", lexicon.PLAIN), ("drawn-out", lexicon.DRAWN_OUT)):
        for marked in phrases:
            for direction in Direction:
                for _ in range(rounds):
                    rng = random.Random(f"{split} {category} {turn}")
                    yield category, crops.draw(rng, marked, faces[turn % len(faces)], direction, largest)
                    turn += 1
    parts = [p for marked in lexicon.PLAIN for p in lexicon.pieces(marked) if p != marked]
    for category in ("pair", "piece"):
        for number in range(extra):
            rng = random.Random(f"{split} {category} {number}")
            marked = lexicon.pair(rng) if category == "pair" else rng.choice(parts)
            face, direction = faces[number % len(faces)], list(Direction)[number // len(faces) % 2]
            yield category, crops.draw(rng, marked, face, direction, largest)


def measure(folder: Path) -> Figures:
    """Read the held-out crops through ``manga_ocr.MangaOcr``, the drawn-out sounds a second time without
    the search's ban on repeated runs."""
    import torch
    from manga_ocr import MangaOcr
    from manga_ocr.ocr import post_process

    torch.set_num_threads(1)
    reader = MangaOcr(str(folder), force_cpu=True)
    figures = Figures()
    for category, drawn in held_out("held-out"):
        truth = post_process(drawn.text)
        read = reader(drawn.image)
        figures.add(category, read == truth)
        if read != truth and category != "drawn-out":
            figures.wrong.append((category, truth, read))
        if category == "plain":
            figures.add(drawn.direction.value, read == truth)
            figures.add(drawn.face, read == truth)
            figures.add("one line" if len(drawn.lines) == 1 else "several lines", read == truth)
        if category == "drawn-out":
            banned = reader.model.generation_config.no_repeat_ngram_size
            reader.model.generation_config.no_repeat_ngram_size = 0
            read = reader(drawn.image)
            reader.model.generation_config.no_repeat_ngram_size = banned
            figures.add("drawn-out, no ban", read == truth)
            if read != truth:
                figures.wrong.append(("drawn-out, no ban", truth, read))
    return figures


def table(figures: Figures) -> str:
    """The counts as rows of a Markdown table."""
    rows = ["| held-out crops | exact | of | share |", "| --- | --- | --- | --- |"]
    rows += [f"| {name} | {n} | {of} | {100 * n / of:.1f} % |" for name, (n, of) in figures.counts.items()]
    return "\n".join(rows)


def card(figures: Figures, effort: Effort, tokens: int) -> str:
    """The checkpoint's README."""
    return CARD.format(
        table=table(figures),
        parameters=effort.parameters,
        minutes=effort.seconds / 60,
        processor=effort.processor / 60,
        drawn=effort.drawn,
        shown=effort.shown,
        tokens=tokens,
        phrases=len(lexicon.PLAIN),
        sounds=len(lexicon.DRAWN_OUT),
        faces=", ".join(fonts.names()),
    )


def main() -> None:
    figures = measure(Path(__file__).resolve().parent / "tiny-manga-ocr")
    print(table(figures))
    for category, truth, read in figures.wrong:
        print(f"{category}: {truth} read as {read}")


if __name__ == "__main__":
    main()
