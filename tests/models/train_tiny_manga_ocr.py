"""Trains ``tiny-manga-ocr`` on the CPU: ``python -m tests.models.train_tiny_manga_ocr``.

Seeded. Crops are drawn once, then shifted, stretched and dimmed anew each time they are shown. First whole
phrases are learnt, then pieces of phrases and pairs of them as well. Two things make it quick: where each
character stands is known from the drawing, and a second loss asks every patch of the encoder which
characters it shows; and some of the decoder's input is masked, so that it has to look instead of completing
phrases by heart. Neither is left in the checkpoint. Some of the input is wrong on purpose, too, see
``Trainer._slipped``.
"""

from __future__ import annotations

import argparse
import math
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torch.nn import functional
from transformers import VisionEncoderDecoderModel

from core.types import Direction
from tests.models import checkpoint, crops, lexicon, measure
from tests.models.checkpoint import CLS, IMAGE, MASK, PAD, PATCH, SEP
from tests.models.muon import Muon

TARGET = Path(__file__).resolve().parent / "tiny-manga-ocr"
SEED = 20
THREADS = 2
BATCH = 64
WARM_UP = 100
RATE = 5e-3
# Embeddings, biases and heads go with AdamW, at this share of the rate.
ADAM_SHARE = 0.4
MASKED = 0.15
SLIPS = 0.3
GRID = IMAGE // PATCH
AVERAGE = 0.998


@dataclass(frozen=True, slots=True)
class Stage:
    """So many steps on so many drawn crops of one kind."""

    kind: str
    crops: int
    steps: int


STAGES = (Stage("whole", 30_000, 1200), Stage("mixed", 40_000, 2000))


@dataclass(frozen=True, slots=True)
class Shown:
    """A crop as the model sees it: pixels (128 x 128), token ids with [CLS] and [SEP], and for each
    character its token and box as shares of width and height."""

    pixels: NDArray[np.uint8]
    ids: list[int]
    places: list[tuple[int, float, float, float, float]]


def show(drawn: crops.Drawn, index: dict[str, int]) -> Shown:
    """The crop scaled as the checkpoint's image processor scales it."""
    width, height = drawn.image.size
    places = []
    for line in drawn.lines:
        count, box = len(line.text), line.box
        for n, character in enumerate(line.text):
            start, end = n / count, (n + 1) / count
            if drawn.direction is Direction.VERTICAL:
                left, right = box.x, box.right
                top, bottom = box.y + box.height * start, box.y + box.height * end
            else:
                left, right = box.x + box.width * start, box.x + box.width * end
                top, bottom = box.y, box.bottom
            area = (left / width, top / height, right / width, bottom / height)
            places.extend((index[token], *area) for token in lexicon.tokens(character))
    pixels = drawn.image.resize((IMAGE, IMAGE), Image.Resampling.BILINEAR)
    ids = [CLS, *(index[token] for token in lexicon.tokens(drawn.text)), SEP]
    return Shown(np.asarray(pixels), ids, places)


def _draw_one(job: tuple[str, int]) -> Shown:
    kind, number = job
    rng = random.Random(f"{SEED} {kind} {number}")
    marked = lexicon.pick_whole(rng) if kind == "whole" else lexicon.pick(rng)
    index = {token: n for n, token in enumerate(lexicon.vocabulary())}
    return show(crops.draw(rng, marked), index)


def draw_pool(stage: Stage) -> list[Shown]:
    """The crops of a stage, the same each time, drawn by ``THREADS`` processes."""
    jobs = [(stage.kind, number) for number in range(stage.crops)]
    with get_context("spawn").Pool(THREADS) as workers:
        return workers.map(_draw_one, jobs, chunksize=250)


def patch_labels(batch: Sequence[Shown], size: int) -> torch.Tensor:
    """Which tokens each patch shows: (batch, patches, size) of 0 and 1, patches row by row.

    A patch shows a character whose box covers about a third of the patch, or that fits into it.
    """
    labels = np.zeros((len(batch), GRID, GRID, size), np.float32)
    for n, shown in enumerate(batch):
        for token, left, top, right, bottom in shown.places:
            rows, columns = _span(top, bottom), _span(left, right)
            labels[n, rows[0] : rows[1], columns[0] : columns[1], token] = 1
    return torch.from_numpy(labels).flatten(1, 2)


def _span(start: float, end: float) -> tuple[int, int]:
    slack = 0.3 * min(1.0, (end - start) * GRID)
    first = min(GRID - 1, max(0, int(start * GRID + slack)))
    return first, max(first + 1, min(GRID, math.ceil(end * GRID - slack)))


def pixel_values(batch: Sequence[Shown], generator: torch.Generator | None = None) -> torch.Tensor:
    """(batch, 3, 128, 128) in -1..1; with a generator, shifted, stretched and dimmed a little by lot."""
    values = torch.from_numpy(np.stack([shown.pixels for shown in batch])).float()[:, None] / 127.5 - 1
    if generator is not None:
        count = len(batch)
        lots = torch.rand(count, 6, generator=generator)
        maps = torch.zeros(count, 2, 3)
        # More often smaller than larger, and moved by no more than the room this makes: a character that
        # stands at the edge must not be cut away while the truth still has it.
        extra = lots[:, :2] * 0.14 - 0.02
        maps[:, 0, 0], maps[:, 1, 1] = 1 + extra[:, 0], 1 + extra[:, 1]
        maps[:, :, 2] = (lots[:, 2:4] * 2 - 1) * (extra + 0.01).clamp(min=0)
        grid = functional.affine_grid(maps, list(values.shape), align_corners=False)
        values = functional.grid_sample(values, grid, padding_mode="border", align_corners=False)
        values = (
            values * (1 - 0.25 * lots[:, 4, None, None, None]) + (lots[:, 5, None, None, None] - 0.5) * 0.1
        )
    return values.expand(-1, 3, -1, -1)


def place_patches(model: VisionEncoderDecoderModel) -> None:
    """Start the encoder's position embeddings as waves over rows and columns: neighbours begin alike."""
    table = model.encoder.embeddings.position_embeddings
    quarter = table.shape[-1] // 4
    rates = 1.5 * torch.exp(-torch.arange(quarter) / quarter * math.log(20))
    rows, columns = torch.meshgrid(torch.arange(GRID), torch.arange(GRID), indexing="ij")
    angles = [axis.flatten()[:, None] * rates for axis in (rows, columns)]
    waves = torch.cat([wave(angle) for angle in angles for wave in (torch.sin, torch.cos)], dim=1)
    with torch.no_grad():
        table[0, 0] = 0
        table[0, 1:] = waves * 0.3


class Trainer:
    """Holds the model, what is only needed to train it, and the running average of its weights."""

    def __init__(self, vocabulary: Sequence[str], steps: int) -> None:
        self.size = len(vocabulary)
        self.steps = steps
        self.done = 0
        self.model = checkpoint.build(vocabulary)
        place_patches(self.model)
        self.head = nn.Linear(checkpoint.WIDTH, self.size)
        self.average = checkpoint.build(vocabulary)
        self.average.load_state_dict(self.model.state_dict())
        self.generator = torch.Generator().manual_seed(SEED)
        named = [*self.model.named_parameters(), *self.head.named_parameters("head")]
        matrices = [
            p for name, p in named if p.ndim == 2 and not name.startswith("head") and "embed" not in name
        ]
        chosen = {id(p) for p in matrices}
        others = [p for _, p in named if id(p) not in chosen]
        self.muon = Muon(matrices, RATE)
        self.adam = torch.optim.AdamW(others, RATE, betas=(0.9, 0.98), weight_decay=0.01, fused=True)

    def rate(self) -> float:
        """Warm-up, level, and from half-way down to nothing in a cosine."""
        if self.done < WARM_UP:
            return RATE * (self.done + 1) / WARM_UP
        late = max(0.0, self.done / self.steps - 0.5) * 2
        return RATE * 0.5 * (1 + math.cos(math.pi * late))

    def step(self, batch: Sequence[Shown]) -> tuple[float, float]:
        """Learn from a batch; the decoder's loss and the patches' loss are returned."""
        rate = self.rate()
        self.muon.param_groups[0]["lr"], self.adam.param_groups[0]["lr"] = rate, rate * ADAM_SHARE
        pairs = [self._slipped(shown.ids) for shown in batch]
        given, wanted = (
            nn.utils.rnn.pad_sequence([torch.tensor(ids) for ids in side], batch_first=True)
            for side in zip(*pairs, strict=True)
        )
        seen = self.model.encoder(pixel_values=pixel_values(batch, self.generator)).last_hidden_state
        lots = torch.rand(given.shape, generator=self.generator)
        given[(lots < MASKED) & (given > MASK)] = MASK
        logits = self.model.decoder(
            input_ids=given, attention_mask=(given != PAD).long(), encoder_hidden_states=seen
        ).logits
        reading = functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=PAD)
        labels = patch_labels(batch, self.size)
        shows = self.head(seen[:, 1:])
        placing = functional.binary_cross_entropy_with_logits(shows, labels, reduction="none").sum(-1).mean()
        (reading + max(0.1, 0.5 * (1 - self.done / self.steps)) * placing).backward()
        nn.utils.clip_grad_norm_([*self.model.parameters(), *self.head.parameters()], 1.0)
        for optimizer in (self.muon, self.adam):
            optimizer.step()
        self.model.zero_grad()
        self.head.zero_grad()
        self.done += 1
        self._follow()
        return reading.item(), placing.item()

    def _slipped(self, ids: list[int]) -> tuple[list[int], list[int]]:
        """What the decoder is given, and what it is to say next; now and then with a wrong token in it.

        What comes after the wrong token is the text as if it were not there. The published search stops at
        four finished texts, so it would keep a wrong one if most mistakes made the text end sooner: without
        this, one in twenty texts lost its first character to that.
        """
        given, wanted = ids[:-1], ids[1:]
        slip, place, which = torch.rand(3, generator=self.generator).tolist()
        if slip >= SLIPS:
            return given, wanted
        at = int(place * len(wanted))
        # Half of them stand in the text themselves: characters are most often mistaken for their neighbours.
        others = wanted[:-1] if which < 0.5 else range(MASK + 1, self.size)
        token = others[int(which * 2 % 1 * len(others))]
        if token == wanted[at]:
            return given, wanted
        return [*given[: at + 1], token, *given[at + 1 :]], [*wanted[: at + 1], *wanted[at:]]

    @torch.no_grad()
    def _follow(self) -> None:
        keep = min(AVERAGE, (1 + self.done) / (10 + self.done))
        for slow, fast in zip(self.average.parameters(), self.model.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)


def batches(pool: Sequence[Shown], steps: int, rng: np.random.Generator) -> Iterator[list[Shown]]:
    """``steps`` batches, going through the whole pool before any crop comes again."""
    order: list[int] = []
    for _ in range(steps):
        if len(order) < BATCH:
            order = rng.permutation(len(pool)).tolist()
        yield [pool[n] for n in order[:BATCH]]
        order = order[BATCH:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--target", type=Path, default=TARGET, help="where the checkpoint goes")
    parser.add_argument("--share", type=float, default=1.0, help="share of the steps, for a trial")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    vocabulary = lexicon.vocabulary()
    stages = [Stage(s.kind, round(s.crops * options.share), round(s.steps * options.share)) for s in STAGES]
    trainer = Trainer(vocabulary, sum(s.steps for s in stages))
    parameters = sum(p.numel() for p in trainer.model.parameters())
    print(f"{parameters} parameters, {len(vocabulary)} tokens", flush=True)
    started, processor = time.monotonic(), time.process_time()
    for stage in stages:
        pool = draw_pool(stage)
        print(f"{stage.kind}: {len(pool)} crops drawn, {time.monotonic() - started:.0f} s", flush=True)
        losses = []
        for batch in batches(pool, stage.steps, rng):
            losses.append(trainer.step(batch))
            if trainer.done % 100 == 0:
                reading, placing = np.mean(losses[-100:], axis=0)
                seconds = time.monotonic() - started
                print(f"{trainer.done} {seconds:.0f} s: {reading:.3f} {placing:.3f}", flush=True)
    took, used = time.monotonic() - started, time.process_time() - processor
    effort = measure.Effort(took, used, parameters, sum(s.crops for s in stages), trainer.done * BATCH)
    # Made beside its place and moved there whole, so that nobody loads half of it.
    with tempfile.TemporaryDirectory(dir=options.target.parent, prefix=".making-") as scratch:
        made = Path(scratch) / "made"
        checkpoint.save(trainer.average, vocabulary, made)
        card = measure.card(measure.measure(made), effort, len(vocabulary))
        (made / "README.md").write_text(card, encoding="utf-8")
        checkpoint.publish(made, options.target)
    print(card)


if __name__ == "__main__":
    main()
