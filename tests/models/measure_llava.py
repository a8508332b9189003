"""How many answers of ``tiny-llava`` and ``tiny-llava-next`` are right, and the cards that say so.

``python -m tests.models.measure_llava [tiny-llava-next] [--scenes 400]`` measures a checkpoint that is there;
with ``--json`` it prints what the tests ask for.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from tests.models.vision_scenes import HELD_OUT, scene, worn
from tests.models.vision_talk import ENDLESS_WORDS, LANGUAGES, Conversation, Turn, varied_conversation

if TYPE_CHECKING:
    from tests.models.llava_checkpoint import Design

FOLDER = Path(__file__).resolve().parent
SCENES = 400
TURNS = 4
BATCH = 16
LONGEST = 60
ENDLESS = 400
"""Tokens: no other answer is longer than LONGEST, and an endless one must still run on after ENDLESS."""

RECORD = "training.json"
_SPOKEN = {"en": "English", "ja": "Japanese"}

CARD = """# {name}

A small model in the format of `{published}`, for tests: a CLIP tower whose last layer
but one is looked at, a projector, and a {decoder} decoder (`{kind}`),
byte-level BPE, and a chat template that writes prompts as the published one does. It loads with
`AutoModelForImageTextToText` and `AutoProcessor`.
{tiles}

It answers questions about one to four shapes on plain paper and nothing else: colour, shape, which side,
how many, a description; follow-ups that need the history ("And the other one?"); what the recognised text
says that came with a question, if that is a phrase of `../lexicon.py` (other texts do not confuse it, but it
cannot repeat them); and "Say ha without end.", which it does. It answers English in English and Japanese in
Japanese (`../vision_talk.py` has the wordings, `../vision_scenes.py` draws the pictures). What it was not
trained for it answers with something of the same kind. It was never shown two pictures in one conversation.

{parameters} parameters, {tokens} tokens, tiles of 112 x 112 pixels in patches of 16, 4 layers of 96 (3 of
them in use) and 4 of 128, fp32. MIT, like the rest of the project; no picture, text or weight of anyone
else went into it.

## Training

{command};
seeded, on the CPU. {drawn} pictures with a conversation of 6 turns each were drawn, and {shown} shown
in {steps} steps{begun}. It took {minutes:.0f} minutes on two cores
with much other work beside it; the training process itself used {processor:.0f} minutes of processor time.
Matrices were multiplied in bf16; the weights are fp32 throughout.
`training.json` has the figures of each round.{note}

## Answers about pictures it was not shown

{scenes} pictures from other seeds (100 to 800 pixels, 1:2 to 2:1; on white, light tints and nearly black; cut
or framed by up to 15 % on each side; some as JPEG), each with a conversation of {turns} turns in varied
wording, half of them with a system prompt, 4 in 10 with recognised text before the question. The model's own
answers are the history. An answer counts when it is exactly the right one, decoded greedily; an endless one
when it still runs on after {endless} tokens.

{table}
"""


# True of the weights that are stored; to be taken out when they are trained anew.
NOTE = """ How often each
question is asked, and with it the corpus of the tokenizer, was changed after the first round, which was ended
100 steps early: the commands make a model like this one, not the same numbers."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What a round of training cost: seconds of wall and processor time, and how much was shown."""

    seconds: float
    processor: float
    drawn: int
    shown: int
    steps: int


@dataclass(slots=True)
class Figures:
    """Counts of (right, all) per name; ``wrong`` says what went wrong, one line each; ``loading`` names the
    weights that the file lacked, had too much, or had in another shape."""

    scenes: int = 0
    counts: dict[str, list[int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    loading: dict[str, list[str]] = field(default_factory=dict)

    def add(self, names: Sequence[str], right: bool) -> None:
        for name in names:
            count = self.counts.setdefault(name, [0, 0])
            count[0] += right
            count[1] += 1


@dataclass(slots=True)
class Held:
    """A picture with so many shapes, a conversation about it, and what was answered so far."""

    shapes: int
    picture: Image.Image
    talk: Conversation
    said: list[str] = field(default_factory=list)

    def messages(self) -> list[dict[str, Any]]:
        """Up to the next question, with the model's own answers; an endless one as if it was stopped."""
        made = self.talk.messages(len(self.said))
        answers = [message for message in made if message["role"] == "assistant"]
        for message, said, turn in zip(answers, self.said, self.talk.turns, strict=False):
            if turn.kind != "endless":
                message["content"][0]["text"] = said
        return made


def held_out(split: str, scenes: int) -> Iterator[Held]:
    """Pictures and conversations from seeds that training does not use; ``split`` names them."""
    from tests.models.llava_checkpoint import system_by_lot, text_by_lot

    for number in range(scenes):
        rng = random.Random(f"{split} {number}")
        drawn = scene(HELD_OUT + rng.randrange(10_000_000))
        picture = worn(drawn.picture(), rng).image
        text = text_by_lot(rng) if rng.random() < 0.4 else ""
        talk = varied_conversation(drawn, rng, TURNS, LANGUAGES[number % 2], text, system_by_lot(rng))
        yield Held(len(drawn.things), picture, talk)


class Answerer:
    """A checkpoint that answers greedily; ``pinpoints`` are grids of tiles other than its own."""

    def __init__(self, folder: Path, pinpoints: Sequence[Sequence[int]] = ()) -> None:
        import torch
        from transformers import AutoModelForImageTextToText, AutoProcessor

        # So small a model gains nothing from threads.
        torch.set_num_threads(1)
        self.processor = AutoProcessor.from_pretrained(folder)
        loaded = AutoModelForImageTextToText.from_pretrained(folder, output_loading_info=True)
        self.model = loaded[0].eval()
        self.loading = {name: sorted(map(str, keys)) for name, keys in loaded[1].items()}
        if pinpoints:
            grids = [list(point) for point in pinpoints]
            self.processor.image_processor.image_grid_pinpoints = grids
            self.model.config.image_grid_pinpoints = grids

    def answer(self, batch: Sequence[Held], longest: int) -> list[tuple[str, bool]]:
        """The next answer in each conversation, and whether it came to its end."""
        import torch

        prompts = [
            self.processor.apply_chat_template(held.messages(), add_generation_prompt=True) for held in batch
        ]
        pictures = [held.picture for held in batch]
        inputs = self.processor(text=prompts, images=pictures, padding=True, return_tensors="pt")
        with torch.inference_mode():
            made = self.model.generate(**inputs, max_new_tokens=longest, do_sample=False)
        new = made[:, inputs["input_ids"].shape[1] :]
        ended = (new == self.model.generation_config.eos_token_id).any(1).tolist()
        texts = self.processor.batch_decode(new, skip_special_tokens=True)
        return [(text.strip(), end) for text, end in zip(texts, ended, strict=True)]


def is_right(turn: Turn, said: str, ended: bool) -> bool:
    """Exactly the answer; or, for an endless one, nothing but repetitions and no end."""
    if turn.kind == "endless":
        word, gap = ENDLESS_WORDS[turn.language]
        words = said.split(gap) if gap else list(said)
        return not ended and len(words) > ENDLESS // 2 and set(words[:-1]) == {word}
    return ended and said == turn.answer


def measure(
    folder: Path, scenes: int = SCENES, split: str = "held-out", pinpoints: Sequence[Sequence[int]] = ()
) -> Figures:
    """Go through the held-out conversations turn by turn."""
    answerer = Answerer(folder, pinpoints)
    figures = Figures(scenes, loading=answerer.loading)
    everything = list(held_out(split, scenes))
    endless: list[Held] = []
    for number in range(TURNS):
        _ask(answerer, figures, [h for h in everything if h.talk.turns[number].kind != "endless"], LONGEST)
        for held in everything:
            if held.talk.turns[number].kind == "endless":
                endless.append(replace(held, said=list(held.said)))
                held.said.append("")
    # They take long, and no later question needs them: all together.
    _ask(answerer, figures, endless, ENDLESS)
    return figures


def _ask(answerer: Answerer, figures: Figures, due: list[Held], longest: int) -> None:
    """Ask the next question in each; prompts of a like length go together."""
    due.sort(key=lambda held: len(str(held.messages())))
    for start in range(0, len(due), BATCH):
        batch = due[start : start + BATCH]
        answers = answerer.answer(batch, longest)
        for held, (said, ended) in zip(batch, answers, strict=True):
            _count(figures, held, said, ended)
            held.said.append(said)


def _count(figures: Figures, held: Held, said: str, ended: bool) -> None:
    turn = held.talk.turns[len(held.said)]
    right = is_right(turn, said, ended)
    names = ["all", _SPOKEN[turn.language], f"{turn.kind}, {_SPOKEN[turn.language]}"]
    names.append("one shape" if held.shapes == 1 else f"{held.shapes} shapes")
    if turn.kind in ("it", "other", "and"):
        names.append("follow-ups")
    if held.talk.turns[0].given:
        names.append("with recognised text")
    if held.talk.system:
        names.append("with a system prompt")
    figures.add(names, right)
    if not right:
        asked = " / ".join(t.prompt for t in held.talk.turns[: len(held.said) + 1])
        figures.wrong.append(f"{held.shapes} shapes, {turn.kind}: {asked!r}: {turn.answer!r}, said {said!r}")


def table(figures: Figures) -> str:
    """The counts as rows of a Markdown table, the sums first."""
    rows = ["| questions about held-out pictures | right | of | share |", "| --- | --- | --- | --- |"]
    ordered = sorted(figures.counts.items(), key=lambda item: (", " in item[0], item[0]))
    rows += [f"| {name} | {n} | {of} | {100 * n / of:.1f} % |" for name, (n, of) in ordered]
    return "\n".join(rows)


def efforts(folder: Path) -> list[Effort]:
    """What the rounds of training cost that a checkpoint has behind it."""
    rounds = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    return [Effort(**effort) for effort in rounds]


def finish(design: Design, folder: Path, rounds: Sequence[Effort]) -> None:
    """Measure a checkpoint, and write its card and the record of its training into the folder."""
    figures = measure(folder)
    one_tile = measure(folder, 100, pinpoints=[[112, 112]]) if design.tiles else None
    record = json.dumps([asdict(effort) for effort in rounds], indent=2)
    (folder / RECORD).write_text(record + "\n", encoding="utf-8")
    (folder / "README.md").write_text(card(design, figures, rounds, folder, one_tile), encoding="utf-8")
    for line in figures.wrong:
        print(line)


def card(
    design: Design, figures: Figures, rounds: Sequence[Effort], folder: Path, one_tile: Figures | None
) -> str:
    """The checkpoint's README."""
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", "pt") as file:
        sizes = [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    written = table(figures)
    if one_tile is not None:
        right, of = one_tile.counts["all"]
        written += f"\n\nWith `image_grid_pinpoints` [[112, 112]], so one tile: {right} of {of} right."
    command = f"python -m tests.models.train_tiny_llava{' --next' if design.tiles else ''}"
    times = {1: "", 2: f", then `{command} --again`"}
    again = times.get(len(rounds), f", then `{command} --again` {len(rounds) - 1} times")
    return CARD.format(
        name=design.name,
        published="llava-hf/llava-v1.6-mistral-7b-hf" if design.tiles else "llava-hf/llava-1.5-7b-hf",
        decoder="Mistral" if design.tiles else "Llama",
        kind=f"Llava{'Next' if design.tiles else ''}ForConditionalGeneration",
        tiles=(
            "It sees the whole picture squeezed into one tile, and up to four more of its parts."
            if design.tiles
            else "It squeezes the whole picture into its square; the published one cuts off what stands over."
        ),
        command=f"`{command}`{again}",
        begun=", beginning with the weights of `tiny-llava`" if design.tiles else "",
        note="" if design.tiles else NOTE,
        tokens=config["text_config"]["vocab_size"],
        parameters=sum(math.prod(size) for size in sizes),
        minutes=sum(effort.seconds for effort in rounds) / 60,
        processor=sum(effort.processor for effort in rounds) / 60,
        drawn=sum(effort.drawn for effort in rounds),
        shown=sum(effort.shown for effort in rounds),
        steps=sum(effort.steps for effort in rounds),
        scenes=figures.scenes,
        turns=TURNS,
        endless=ENDLESS,
        table=written,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", default="tiny-llava", help="folder beside this file, or a path")
    parser.add_argument("--scenes", type=int, default=SCENES)
    parser.add_argument("--split", default="held-out", help="names the seeds")
    parser.add_argument(
        "--one-tile", action="store_true", help="give tiny-llava-next one tile instead of four"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    pinpoints = [[112, 112]] if options.one_tile else []
    figures = measure(FOLDER / options.name, options.scenes, options.split, pinpoints)
    if options.json:
        print(json.dumps(asdict(figures)))
        return
    print(table(figures))
    print("\n".join(figures.wrong))


if __name__ == "__main__":
    main()
