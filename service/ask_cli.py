"""``yomitori ask``: a question about pictures, answered on standard output as it comes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from core.chat import Answer, AnswerPiece, GenerationOptions, Message, Phase, Role
from core.memory import format_bytes
from core.models.library import ModelLibrary
from core.models.renamed import conversion_of
from core.paths import Paths
from core.settings import SettingsStore
from core.types import RgbImage
from core.vision.question import with_text
from service.engines import AnyEngine, add_standalone, open_engine


def add_parser(
    commands: argparse._SubParsersAction[Any], add_flags: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Register ``ask``; ``add_flags`` adds what every command takes."""
    parser = commands.add_parser(
        "ask",
        usage="yomitori ask [SETTINGS] [--read] [--system TEXT] [--seed N] [--json] QUESTION [FILE ...]",
        help="ask a model about pictures",
        description="Ask a model about pictures. It runs on this computer, or on a server that was chosen.",
        allow_abbrev=False,
    )
    parser.add_argument("question", metavar="QUESTION", help="what you want to know")
    parser.add_argument("files", nargs="*", metavar="FILE", help="picture, or - for stdin")
    parser.add_argument(
        "--read", action="store_true", help="read the text first, and give it to the model with the question"
    )
    parser.add_argument("--system", metavar="TEXT", default="", help="what the model should be told first")
    parser.add_argument("--seed", metavar="N", type=int, help="the same seed gives the same answer")
    parser.add_argument("--json", action="store_true", help="one JSON object with the whole answer")
    add_standalone(parser)
    add_flags(parser)


def run(
    arguments: argparse.Namespace,
    settings: SettingsStore,
    paths: Paths,
    load: Callable[[str], RgbImage],
) -> int:
    """Ask, and return the exit code. ``load`` opens a picture by what was typed for it.

    Raises:
        YomitoriError: it could not be answered; what had come stands on standard output.
    """
    images = tuple(load(name) for name in arguments.files)
    vision = settings.current.vision
    renamed = conversion_of(vision.model)
    # Of a revision nothing is taken.
    if renamed is not None and vision.backend == "local" and "@" not in vision.model:
        print(f"yomitori: {renamed.why}", file=sys.stderr)
    library = ModelLibrary(settings, paths, paths.log)
    engine = open_engine(settings, paths, library, arguments.standalone)
    try:
        question = arguments.question
        if arguments.read:
            question = with_text(question, _read(engine, images))
        _ask(engine, settings, arguments, question, images)
    finally:
        engine.close()
        library.close()
    return 0


def _read(engine: AnyEngine, images: Sequence[RgbImage]) -> str:
    texts = [engine.recognize(image).result().text for image in images]
    return "\n".join(text for text in texts if text.strip())


def _ask(
    engine: AnyEngine,
    settings: SettingsStore,
    arguments: argparse.Namespace,
    question: str,
    images: tuple[RgbImage, ...],
) -> None:
    vision = settings.current.vision
    messages = [Message(Role.USER, question, images)]
    if arguments.system:
        messages.insert(0, Message(Role.SYSTEM, arguments.system))
    options = GenerationOptions(vision.temperature, vision.top_p, vision.max_tokens, arguments.seed)
    printer = _Printer()
    job = engine.ask(messages, options, None if arguments.json else printer)
    try:
        answer = job.result()
    finally:
        printer.end()
    if arguments.json:
        row = {"question": arguments.question, "files": arguments.files, **answer.to_json()}
        print(json.dumps(row, ensure_ascii=False), flush=True)
    _tell(engine, answer)


class _Printer:
    """Writes an answer as it comes; on a terminal, what it waits for stands on standard error until then."""

    def __init__(self) -> None:
        self._waiting = ""
        self._inside = False

    def __call__(self, piece: AnswerPiece) -> None:
        if piece.again:
            self.end()
        if piece.phase in _WAITS and sys.stderr.isatty():
            self._show(_WAITS[piece.phase])
        if piece.text:
            self._show("")
            print(piece.text, end="", flush=True)
            self._inside = True

    def end(self) -> None:
        """No more comes: what follows begins on a line of its own."""
        self._show("")
        if self._inside:
            print(flush=True)
            self._inside = False

    def _show(self, words: str) -> None:
        if words != self._waiting:
            print("\r" + words.ljust(len(self._waiting)) + ("" if words else "\r"), end="", file=sys.stderr)
            sys.stderr.flush()
            self._waiting = words


_WAITS = {
    Phase.LOADING: "Loading the model…",
    Phase.ENCODING: "Looking at the picture…",
    Phase.READING: "Reading the question…",
}


def _tell(engine: AnyEngine, answer: Answer) -> None:
    """What a person should know beside the answer."""
    for notice in answer.notices:
        print(f"yomitori: {notice.message}", file=sys.stderr)
    if answer.finish != "stop":
        why = {"length": "its longest length", "context": "the end of what the model can take"}
        print(f"yomitori: the answer was cut off at {why[answer.finish]}.", file=sys.stderr)
    memory = engine.state("vision").memory
    if answer.device and sys.stderr.isatty():
        used = f", {format_bytes(memory)} of memory" if memory else ""
        print(f"yomitori: {answer.model} on {answer.device}, {answer.seconds:.1f} s{used}", file=sys.stderr)
