"""Questions about a picture: tokens per second, and how soon the first one comes.

``python -m benchmarks.asking [--runs N]``: a LLaVA with random weights that is large enough for its
arithmetic to take the time, in a model process as the tray has it. Against ``generate`` of transformers with
the same settings in the same process; a follow-up, and a question whose picture was prepared while it was
being written, against the first question about a picture. Everything is compared within a round, and a round
uses a picture that was not seen before.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.report import Report
from core.chat import GenerationOptions, Phase
from core.types import RgbImage
from tests.support import random_vision
from tests.support.probed_llava import PROBED
from tests.support.running import Running

RUNS, TOKENS = 5, 64
QUESTION, NEXT = "What is in this picture?", "Where are they?"


@dataclass
class Told:
    """Seconds from the question to the first token and to the end.

    The first token is there when the answering begins. Its text is not: random weights write pieces of
    characters, which are told only once they are whole.
    """

    text: str
    first: float
    whole: float

    @property
    def further(self) -> float:
        """Seconds that the tokens after the first took."""
        return self.whole - self.first


class Asker:
    def __init__(self, running: Running, tokens: int) -> None:
        self._running = running
        self._options = GenerationOptions(temperature=0.0, max_tokens=tokens).to_json()

    def ask(self, image: RgbImage, *texts: str) -> Told:
        """A conversation of questions and answers in turn; the last question is answered."""
        start = time.perf_counter()
        self._running.start("ask", self._params(*texts), (image,))
        first, pieces = 0.0, []
        while "result" not in (header := self._running.frame()):
            piece = header["piece"]
            if piece.get("phase") == Phase.ANSWERING.value:
                first = time.perf_counter() - start
            pieces.append(piece.get("text", ""))
        return Told("".join(pieces), first, time.perf_counter() - start)

    def reference(self, image: RgbImage, *texts: str) -> Told:
        start = time.perf_counter()
        answer, _ = self._running.run("reference", self._params(*texts), (image,))
        return Told(answer["text"], answer["first_seconds"], time.perf_counter() - start)

    def prepare(self, image: RgbImage) -> None:
        self._running.run("prepare", {"messages": self._params("")["messages"]}, (image,))

    def _params(self, *texts: str) -> dict[str, Any]:
        roles = ("user", "assistant")
        messages = [
            {"role": roles[number % 2], "text": text, "images": int(number == 0)}
            for number, text in enumerate(texts)
        ]
        return {"messages": messages, "options": self._options}


def measure(report: Report, checkpoint: Path, runs: int) -> None:
    running = Running(PROBED, threads=0, checkpoint=str(checkpoint))
    try:
        running.load()
        asker = Asker(running, TOKENS)
        times, rates, follow_ups, prepared, firsts = [], [], [], [], []
        asker.ask(picture(0), QUESTION)
        for run in range(1, runs + 1):
            # Whoever comes second may find the caches warmer, so they take turns.
            first, generate = picture(2 * run), picture(2 * run)
            order = [partial(asker.ask, first, QUESTION), partial(asker.reference, generate, QUESTION)]
            if run % 2:
                order.reverse()
            found = [measured() for measured in order]
            if run % 2:
                found.reverse()
            ours, theirs = found
            assert ours.text == theirs.text, "both must do the same work"
            times.append(100 * ours.whole / theirs.whole)
            rates.append(100 * ours.further / theirs.further)
            firsts.append(ours.first)
            again = asker.ask(first, QUESTION, ours.text, NEXT)
            follow_ups.append(100 * again.first / ours.first)
            other = picture(2 * run + 1)
            asker.prepare(other)
            prepared.append(100 * asker.ask(other, QUESTION).first / ours.first)
        print(f"A question about a picture, {TOKENS} tokens, {runs} rounds")
        report.row(
            "time for the tokens after the first, of what generate takes", statistics.median(rates), "%", 100
        )
        report.row("time for an answer, of what generate takes", statistics.median(times), "%", 100)
        report.row(
            "first token of a follow-up, of a first question's", statistics.median(follow_ups), "%", 20
        )
        report.row("first token with the picture prepared", statistics.median(prepared), "%", 30)
        report.note(f"first token of a first question {statistics.median(firsts):.2f} s")
    finally:
        running.end()


def picture(seed: int) -> RgbImage:
    return RgbImage(480, 640, random.Random(seed).randbytes(480 * 640 * 3))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = random_vision.write(Path(folder) / "medium", "llava", random_vision.MEDIUM)
        measure(report, checkpoint, options.runs)
    return bool(report.failed)


if __name__ == "__main__":
    sys.exit(main())
