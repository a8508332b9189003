"""Trains ``tiny-llava``, or, from it, ``tiny-llava-next``, on the CPU.

``python -m tests.models.train_tiny_llava``, then with ``--again`` for another round on fresh pictures that
begins with what the round before left; then ``python -m tests.models.train_tiny_llava --next``.

Seeded. Pictures and conversations are drawn first. What makes it quick is a second loss that asks every
patch of the tower which colour and which shape it shows, and which place in the row that shape has; the tower
learns that before the decoder learns anything, and its heads are not left in the checkpoint. A conversation
is one sequence, and all its answers are learnt at once. Every few steps a long answer that does not end is
learnt, too.
"""

from __future__ import annotations

import argparse
import math
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional
from transformers import AutoModelForImageTextToText

from tests.models import llava_checkpoint, measure_llava
from tests.models.checkpoint import publish
from tests.models.llava_checkpoint import BOS, EOS, GRID, IMAGE, LLAVA, LLAVA_NEXT, PAD, PICTURE, Design
from tests.models.measure_llava import Effort
from tests.models.muon import Muon
from tests.models.vision_scenes import HELD_OUT, Scene, scene, worn
from tests.models.vision_talk import COLOURS, LANGUAGES, SHAPES, Asker, Conversation, varied_conversation

FOLDER = Path(__file__).resolve().parent
SEED = 4
THREADS = 2
BATCH = 32
WARM_UP = 60
# Embeddings, biases and heads go with AdamW, at this share of the rate.
ADAM_SHARE = 0.4
TURNS = 6
IGNORED = -100
AVERAGE = 0.998
# Every so many steps, so many answers without an end, this long.
ENDLESS_EVERY = 12
ENDLESS_BATCH = 3
ENDLESS_TIMES = 500
PLACES = ("none", "1", "2", "3", "4", "top", "bottom")
HEADS = (1 + len(COLOURS), 1 + len(SHAPES), len(PLACES))


@dataclass(frozen=True, slots=True)
class Stage:
    """So many steps on so many pictures, with ``counts`` of shapes; ``pinpoints`` are the processor's grids,
    () for the checkpoint's own."""

    name: str
    pictures: int
    steps: int
    counts: tuple[int, ...]
    pinpoints: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A round of training: first ``looks`` steps of the tower alone, on the last stage's pictures, then
    the stages one after the other; what ``also`` has comes in between."""

    rate: float
    looks: int
    stages: tuple[Stage, ...]
    also: tuple[Stage, ...] = ()


PLANS = {
    (LLAVA.name, 0): Plan(
        5e-3,
        350,
        (Stage("simple", 5000, 150, (1, 1, 2, 2, 3)), Stage("all", 25_000, 1100, (1, 2, 2, 3, 4))),
    ),
    (LLAVA.name, 1): Plan(
        4e-3,
        0,
        (Stage("two", 5000, 400, (1, 2, 2, 2, 2, 2, 3)), Stage("again", 17_000, 1600, (1, 2, 2, 3, 4))),
    ),
    (LLAVA.name, 2): Plan(2.5e-3, 0, (Stage("last", 12_000, 700, (1, 2, 2, 3, 3, 4, 4)),)),
    (LLAVA_NEXT.name, 0): Plan(
        2.5e-3,
        0,
        (Stage("tiles", 9000, 500, (1, 2, 2, 3, 4, 4)),),
        (Stage("one tile", 2000, 70, (1, 2, 2, 3, 4, 4), ((IMAGE, IMAGE),)),),
    ),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture with a conversation as the model gets them.

    ``tiles`` (n, 3, 112, 112): the squeezed picture first; ``size`` height and width of the original;
    ``patches`` (49, 3): colour, shape and place that each patch of the first shows, 0 for none; ``ids`` the
    tokens with one picture token, ``wanted`` what is to be said after each, ``IGNORED`` where nobody asks.
    """

    tiles: NDArray[np.uint8]
    size: tuple[int, int]
    patches: NDArray[np.int64]
    ids: list[int]
    wanted: list[int]


@dataclass(frozen=True, slots=True)
class Task:
    """What is drawn for: a design, a stage, and the checkpoint that the weights to begin with come from."""

    design: Design
    stage: Stage
    first: Path | None


@cache
def _parts(design: Design, first: Path | None) -> tuple[Any, Any]:
    """Tokenizer and image processor, made once in each process."""
    shape = llava_checkpoint.image_processor(design, do_rescale=False, do_normalize=False)
    return llava_checkpoint.tokenizer(design, first), shape


def encode(tokenizer: Any, talk: Conversation, endless: bool = False) -> tuple[list[int], list[int]]:
    """Tokens of a conversation and the token wanted after each; with ``endless`` the last answer goes on."""

    def written(messages: list[dict[str, Any]], asked: bool) -> str:
        text = tokenizer.apply_chat_template(messages, add_generation_prompt=asked, tokenize=False)
        assert isinstance(text, str)
        return text

    text = written(talk.messages(), False)
    if endless:
        text = text.rstrip()
        text = text.removesuffix("</s>")
    encoding = tokenizer(text, return_offsets_mapping=True)
    ids, spans = encoding["input_ids"], encoding["offset_mapping"]
    assert ids[0] == BOS
    wanted = [IGNORED] * len(ids)
    starts = {start: n for n, (start, end) in reversed(list(enumerate(spans))) if end > start}
    for number, turn in enumerate(talk.turns):
        start = len(written(talk.messages(number), True))
        end = start + 1 + len(turn.answer)
        first = starts[start]
        last = max(n for n, span in enumerate(spans) if span[0] < end and n >= first)
        assert spans[last][1] == end, (text, spans[last], end)
        wanted[first - 1 : last] = ids[first : last + 1]
        if turn.kind != "endless":
            wanted[last] = EOS
    return ids, wanted


def patch_labels(drawn: Scene, window: tuple[float, float, float, float]) -> NDArray[np.int64]:
    """Colour, shape and place for each patch, row by row: (49, 3). A patch shows a shape whose box covers
    about a third of the patch, or lies within it."""
    labels = np.zeros((GRID, GRID, 3), np.int64)
    left, top, right, bottom = window
    for index, thing in enumerate(drawn.things):
        x0, y0, x1, y1 = drawn.box(index)
        columns = _span((x0 - left) / (right - left), (x1 - left) / (right - left))
        rows = _span((y0 - top) / (bottom - top), (y1 - top) / (bottom - top))
        place = PLACES.index("top") + index if drawn.column else 1 + index
        what = (1 + list(COLOURS).index(thing.colour), 1 + list(SHAPES).index(thing.shape), place)
        labels[rows[0] : rows[1], columns[0] : columns[1]] = what
    return labels.reshape(-1, 3)


def _span(start: float, end: float) -> tuple[int, int]:
    slack = 0.3 * min(1.0, (end - start) * GRID)
    first = min(GRID - 1, max(0, int(start * GRID + slack)))
    return first, max(first + 1, min(GRID, math.ceil(end * GRID - slack)))


def _draw_one(task: Task, number: int) -> Shown:
    stage = task.stage
    tokenizer, shape = _parts(task.design, task.first)
    rng = random.Random(f"{SEED} {task.design.name} {stage.name} {number}")
    drawn = scene(rng.randrange(HELD_OUT), stage.counts)
    snipped = worn(drawn.picture(), rng)
    options = {"image_grid_pinpoints": [list(point) for point in stage.pinpoints]} if stage.pinpoints else {}
    tiles = shape(snipped.image, return_tensors="np", **options)["pixel_values"][0]
    text = llava_checkpoint.text_by_lot(rng) if rng.random() < 0.4 else ""
    system = llava_checkpoint.system_by_lot(rng)
    talk = varied_conversation(drawn, rng, TURNS, rng.choice(LANGUAGES), text, system)
    ids, wanted = encode(tokenizer, talk)
    tiles = np.asarray(tiles).reshape(-1, 3, IMAGE, IMAGE).round().astype(np.uint8)
    size = (snipped.image.height, snipped.image.width)
    return Shown(tiles, size, patch_labels(drawn, snipped.window), ids, wanted)


def _draw_endless(task: Task, number: int) -> Shown:
    """The same pictures again, at the end of a short conversation asked for an answer without an end."""
    shown = _draw_one(task, number)
    rng = random.Random(f"{SEED} endless {number}")
    drawn, language = scene(number), rng.choice(LANGUAGES)
    before = varied_conversation(drawn, rng, rng.randint(0, 2), language)
    last = Asker(drawn, language, rng).endless(ENDLESS_TIMES)
    talk = Conversation((*before.turns, last), llava_checkpoint.system_by_lot(rng))
    ids, wanted = encode(_parts(task.design, task.first)[0], talk, endless=True)
    # The picture is another one, so only the endless answer can be learnt from.
    first = max(n for n in range(len(wanted) - ENDLESS_TIMES + 20) if wanted[n] == IGNORED)
    wanted[:first] = [IGNORED] * first
    return replace(shown, ids=ids, wanted=wanted)


def draw_pool(task: Task, count: int, endless: bool = False) -> list[Shown]:
    """The pictures of a stage, the same each time, drawn by ``THREADS`` processes."""
    draw = partial(_draw_endless if endless else _draw_one, task)
    with get_context("spawn").Pool(THREADS) as workers:
        return workers.map(draw, range(count), chunksize=100)


def place_patches(model: llava_checkpoint.Model) -> None:
    """Start the tower's position embeddings as waves over rows and columns: neighbours begin alike."""
    table = model.model.vision_tower.embeddings.position_embedding.weight
    quarter = table.shape[-1] // 4
    rates = 1.5 * torch.exp(-torch.arange(quarter) / quarter * math.log(20))
    rows, columns = torch.meshgrid(torch.arange(GRID), torch.arange(GRID), indexing="ij")
    angles = [axis.flatten()[:, None] * rates for axis in (rows, columns)]
    waves = torch.cat([wave(angle) for angle in angles for wave in (torch.sin, torch.cos)], dim=1)
    with torch.no_grad():
        table[0] = 0
        table[1:] = waves * 0.3


class Trainer:
    """Holds the model, what is only needed to train it, and the running average of its weights."""

    def __init__(self, design: Design, rate: float, steps: int) -> None:
        self.design, self.full_rate, self.steps, self.done = design, rate, steps, 0
        self.model = llava_checkpoint.build(design)
        place_patches(self.model)
        self.heads = nn.Linear(llava_checkpoint.TOWER_WIDTH, sum(HEADS))
        self.average = llava_checkpoint.build(design)
        self.follow(0.0)
        self.pinpoints = getattr(self.model.config, "image_grid_pinpoints", None)
        normal = llava_checkpoint.image_processor(design)
        self.mean = 255 * torch.tensor(normal.image_mean).view(3, 1, 1)
        self.deviation = 255 * torch.tensor(normal.image_std).view(3, 1, 1)
        self.seen = torch.empty(0)
        self.model.model.vision_tower.encoder.layers[-2].register_forward_hook(self._keep)
        named = [*self.model.named_parameters(), *self.heads.named_parameters("heads")]
        apart = ("embed", "lm_head", "heads")
        matrices = [p for name, p in named if p.ndim == 2 and not any(part in name for part in apart)]
        chosen = {id(p) for p in matrices}
        others = [p for _, p in named if id(p) not in chosen]
        self.muon = Muon(matrices, rate)
        self.adam = torch.optim.AdamW(others, rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)

    def _keep(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self.seen = output[0] if isinstance(output, tuple) else output

    def start_from(self, weights: dict[str, torch.Tensor]) -> None:
        """Begin with the weights of the other design; what it lacks stays as it is."""
        missing, unexpected = self.model.load_state_dict(weights, strict=False)
        assert not unexpected, unexpected
        print(f"begun from other weights, all but {missing}", flush=True)
        self.follow(0.0)

    def rate(self) -> float:
        """Warm-up, level, and from half-way down to nothing in a cosine."""
        if self.done < WARM_UP:
            return self.full_rate * (self.done + 1) / WARM_UP
        late = max(0.0, self.done / self.steps - 0.5) * 2
        return self.full_rate * 0.5 * (1 + math.cos(math.pi * late))

    def loss(self, batch: Sequence[Shown], pinpoints: Sequence[Sequence[int]] = ()) -> list[torch.Tensor]:
        """The loss of the answers, and those of the patches: colour, shape, place."""
        if self.pinpoints is not None:
            self.model.config.image_grid_pinpoints = [list(p) for p in pinpoints] or self.pinpoints
        counts = [self.picture_tokens(shown, pinpoints) for shown in batch]
        given, wanted = zip(
            *(_expanded(shown, count) for shown, count in zip(batch, counts, strict=True)), strict=True
        )
        ids = nn.utils.rnn.pad_sequence(given, batch_first=True, padding_value=PAD)
        target = nn.utils.rnn.pad_sequence(wanted, batch_first=True, padding_value=IGNORED)
        values = self.pixel_values(np.concatenate([shown.tiles for shown in batch]))
        options = {"image_sizes": torch.tensor([s.size for s in batch])} if self.design.tiles else {}
        # What pads stands behind everything that counts, so no mask is needed.
        hidden = self.model.model(input_ids=ids, pixel_values=values, use_cache=False, **options)
        asked = target != IGNORED
        logits = self.model.lm_head(hidden.last_hidden_state[asked])
        losses = [functional.cross_entropy(logits, target[asked])]
        firsts = np.cumsum([0, *(len(shown.tiles) for shown in batch[:-1])])
        return losses + self.patch_losses(self.seen[torch.from_numpy(firsts)], batch)

    def pixel_values(self, tiles: NDArray[np.uint8]) -> torch.Tensor:
        """(n, 3, 112, 112) normalised as the processor does it."""
        return (torch.from_numpy(tiles).float() - self.mean) / self.deviation

    def patch_losses(self, seen: torch.Tensor, batch: Sequence[Shown]) -> list[torch.Tensor]:
        """Colour, shape and place; ``seen`` is what the tower makes of the first tile of each picture."""
        shows = self.heads(seen[:, 1:]).flatten(0, 1)
        labels = torch.from_numpy(np.stack([shown.patches for shown in batch])).flatten(0, 1)
        return [
            functional.cross_entropy(part, label)
            for part, label in zip(shows.split(HEADS, dim=1), labels.unbind(1), strict=True)
        ]

    def picture_tokens(self, shown: Shown, pinpoints: Sequence[Sequence[int]] = ()) -> int:
        """How many tokens the processor would write for the picture."""
        if not self.design.tiles:
            return GRID * GRID
        count = _counter(tuple(tuple(p) for p in pinpoints))._get_number_of_features(
            *shown.size, IMAGE, IMAGE
        )
        return count - 1

    def look(self, batch: Sequence[Shown]) -> list[float]:
        """Let the tower alone learn from a batch; the losses of the patches are returned."""
        with torch.autocast("cpu", torch.bfloat16):
            self.model.model.vision_tower(self.pixel_values(np.stack([shown.tiles[0] for shown in batch])))
            losses = self.patch_losses(self.seen, batch)
        torch.stack(losses).sum().backward()
        self._update()
        return [loss.item() for loss in losses]

    def step(
        self, batch: Sequence[Shown], endless: Sequence[Shown], pinpoints: Sequence[Sequence[int]] = ()
    ) -> list[float]:
        """Learn from a batch; its losses are returned."""
        with torch.autocast("cpu", torch.bfloat16):
            losses = self.loss(batch, pinpoints)
        patches = torch.stack(losses[1:]).sum()
        (losses[0] + max(0.1, 0.5 * (1 - self.done / self.steps)) * patches).backward()
        if endless:
            with torch.autocast("cpu", torch.bfloat16):
                long = self.loss(endless)[0]
            (0.1 * long).backward()
        self._update()
        return [loss.item() for loss in losses]

    def _update(self) -> None:
        rate = self.rate()
        self.muon.param_groups[0]["lr"], self.adam.param_groups[0]["lr"] = rate, rate * ADAM_SHARE
        nn.utils.clip_grad_norm_([*self.model.parameters(), *self.heads.parameters()], 1.0)
        with torch.autocast("cpu", torch.bfloat16):
            self.muon.step()
        self.adam.step()
        self.model.zero_grad()
        self.heads.zero_grad()
        self.done += 1
        self.follow(min(AVERAGE, (1 + self.done) / (10 + self.done)))

    @torch.no_grad()
    def follow(self, keep: float) -> None:
        """Move the average towards the weights, keeping so much of what it was."""
        for slow, fast in zip(self.average.parameters(), self.model.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)


@cache
def _counter(pinpoints: tuple[tuple[int, ...], ...]) -> Any:
    made = llava_checkpoint.processor(LLAVA_NEXT)
    if pinpoints:
        made.image_processor.image_grid_pinpoints = [list(point) for point in pinpoints]
    return made


def _expanded(shown: Shown, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens and what is wanted after each, with ``count`` picture tokens for the one."""
    at = shown.ids.index(PICTURE)
    ids = [*shown.ids[:at], *[PICTURE] * count, *shown.ids[at + 1 :]]
    wanted = [*shown.wanted[:at], *[IGNORED] * count, *shown.wanted[at + 1 :]]
    return torch.tensor(ids), torch.tensor(wanted)


def batches(pool: Sequence[Shown], rng: np.random.Generator, size: int = BATCH) -> Iterator[list[Shown]]:
    """Batches without end, going through the whole pool before any picture comes again.

    Conversations of a like length go together, some batches at a time, so that little is padded.
    """
    while True:
        order = rng.permutation(len(pool)).tolist()
        for start in range(0, len(order) - size + 1, 8 * size):
            part = sorted(order[start : start + 8 * size], key=lambda n: len(pool[n].ids))
            cuts = [part[n : n + size] for n in range(0, len(part) - size + 1, size)]
            for chosen in rng.permutation(len(cuts)).tolist():
                yield [pool[n] for n in cuts[chosen]]


def train(design: Design, target: Path, first: Path | None, watched: Path | None, share: float) -> None:
    """Draw, train, measure, and put the checkpoint into its place.

    ``first`` holds the weights to begin with; those of the same design make this another round.
    """
    torch.set_num_threads(THREADS)
    before = measure_llava.efforts(first) if first is not None and first.name == design.name else []
    seed = SEED + len(before)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    plan = PLANS[design.name, len(before)]
    looks = round(plan.looks * share)
    steps = looks + sum(round(stage.steps * share) for stage in (*plan.stages, *plan.also))
    trainer = Trainer(design, plan.rate, steps)
    if first is not None:
        trainer.start_from(AutoModelForImageTextToText.from_pretrained(first).state_dict())
    parameters = llava_checkpoint.parameters(trainer.model.parameters())
    print(f"{design.name}: {parameters} parameters, {steps} steps", flush=True)
    started, processor = time.monotonic(), time.process_time()
    stages = (*plan.stages, *plan.also)
    pools = {stage: draw_pool(Task(design, stage, first), round(stage.pictures * share)) for stage in stages}
    endless = batches(draw_pool(Task(design, plan.stages[-1], first), 150, endless=True), rng, ENDLESS_BATCH)
    print(f"drawn, {time.monotonic() - started:.0f} s", flush=True)
    order = [stage for stage in plan.stages for _ in range(round(stage.steps * share))]
    for stage in plan.also:
        times = round(stage.steps * share)
        for n in range(times):
            order.insert(round((n + 1) * len(order) / (times + 1)), stage)
    feeds = {stage: batches(pool, rng) for stage, pool in pools.items()}
    losses: list[list[float]] = []

    def report() -> None:
        if trainer.done % 50 == 0:
            means = " ".join(f"{value:.3f}" for value in np.mean(losses[-50:], axis=0))
            print(f"{trainer.done} {time.monotonic() - started:.0f} s: {means}", flush=True)

    for _ in range(looks):
        losses.append(trainer.look(next(feeds[plan.stages[-1]])))
        report()
    losses.clear()
    for stage in order:
        long = next(endless) if trainer.done % ENDLESS_EVERY == 0 else []
        losses.append(trainer.step(next(feeds[stage]), long, stage.pinpoints))
        report()
        if watched is not None and trainer.done % 250 == 0:
            shutil.rmtree(watched, ignore_errors=True)
            llava_checkpoint.save(trainer.average, llava_checkpoint.processor(design, first), watched)
    took, used = time.monotonic() - started, time.process_time() - processor
    drawn = sum(len(pool) for pool in pools.values())
    effort = Effort(took, used, drawn, trainer.done * BATCH, trainer.done)
    # Made beside its place and moved there whole, so that nobody loads half of it.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".making-") as scratch:
        made = Path(scratch) / design.name
        llava_checkpoint.save(trainer.average, llava_checkpoint.processor(design, first), made)
        measure_llava.finish(design, made, [*before, effort])
        publish(made, target)
    print((target / "README.md").read_text(encoding="utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--next", action="store_true", help="train tiny-llava-next, not tiny-llava")
    parser.add_argument("--again", action="store_true", help="another round")
    parser.add_argument("--target", type=Path, help="where the checkpoint goes")
    parser.add_argument("--first", type=Path, help="the checkpoint to begin with")
    parser.add_argument("--share", type=float, default=1.0, help="share of the steps, for a trial")
    parser.add_argument("--watch", type=Path, help="where the state is written every 250 steps")
    options = parser.parse_args()
    design = LLAVA_NEXT if options.next else LLAVA
    first = FOLDER / design.name if options.again else FOLDER / LLAVA.name if options.next else None
    target = options.target or FOLDER / design.name
    train(design, target, options.first or first, options.watch, options.share)


if __name__ == "__main__":
    main()
