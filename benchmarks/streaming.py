"""How long the GUI thread is ever deaf while an answer streams into the transcript, and while a long
conversation is opened, scrolled and made narrower.

``python -m benchmarks.streaming``: the longest gap of a 5 ms timer while 4,000 tokens stream at 100 tokens/s,
beside the same timer in an idle process; then the longest single event while 20,000 tokens, in 60 turns and
in one answer, are scrolled through. Without a display it runs on Qt's offscreen platform.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from benchmarks.report import Report

TOKENS, PER_SECOND = 4_000, 100
LONG_TOKENS, TURNS = 20_000, 60
RUNS = 3
LIMIT_MS = 50
_STEPS = 300
_SECTION = (
    "## Polite past\n\n**ませんでした** is the *polite* negative past: 「今日は学校に行きませんでした」 "
    "means that somebody did not go to school today, and `でした` carries the past.\n\n"
    "- 行きます: goes\n- 行きません: does not go\n  1. past: 行きませんでした\n\n"
    "```python\ndef polite(verb):\n    return verb + 'ませんでした'\n```\n\n"
    "| form | polite | casual |\n|---|---|---|\n"
    "| present | 行きます | 行く |\n| past | 行きました | 行った |\n\n"
    "The second speaker answers with the casual form, for the two know each other well. "
    "その人は友達だから、もっと短く言うことができる。\n\n"
)


def tokens_of(text: str) -> list[str]:
    """About what a model's tokens are: four Latin characters, or one Japanese one."""
    tokens, word = [], ""
    for character in text:
        word += character
        if len(word) == 4 or ord(character) > 0x2E7F:
            tokens.append(word)
            word = ""
    return [*tokens, word] if word else tokens


def text_of(count: int) -> str:
    """A text of so many tokens."""
    section = tokens_of(_SECTION)
    return "".join((section * (count // len(section) + 1))[:count])


def measure(report: Report) -> None:
    print(f"Longest gap of a 5 ms timer (ms), {TOKENS:,} tokens at {PER_SECOND} tokens/s")
    busy, idle = [], []
    for _ in range(RUNS):
        control = _start("idle")
        busy.append(_result(_start("stream"))["gap"])
        idle.append(_result(control)["gap"])
    report.row("streaming, longest of all runs", max(busy), "ms")
    report.row("idle control, longest of all runs", max(idle), "ms")
    beyond = [max(0.0, b - i) for b, i in zip(busy, idle, strict=True)]
    report.row("beyond the control, median of runs", statistics.median(beyond), "ms", LIMIT_MS)
    for what, name in (("turns", f"{TURNS} turns"), ("single", "one answer")):
        print(f"Longest event (ms), {LONG_TOKENS:,} tokens in {name}")
        runs = [_result(_start(what)) for _ in range(RUNS)]
        report.row("scrolling, median of runs", statistics.median(r["scroll"] for r in runs), "ms", LIMIT_MS)
        report.row("opening, median of runs", statistics.median(r["open"] for r in runs), "ms", LIMIT_MS)
        report.row("all of it rendered after, median", statistics.median(r["ready"] for r in runs), "ms")
        report.row("made narrower, median of runs", statistics.median(r["narrow"] for r in runs), "ms")


def _start(what: str) -> subprocess.Popen[str]:
    env = dict(os.environ)
    if not env.get("DISPLAY") and not env.get("WAYLAND_DISPLAY"):
        env.setdefault("QT_QPA_PLATFORM", "offscreen")
    command = [sys.executable, "-m", "benchmarks.streaming", "--part", what]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)


def _result(process: subprocess.Popen[str]) -> dict[str, float]:
    out, _ = process.communicate(timeout=600)
    if process.returncode:
        raise RuntimeError(f"the measured process ended with {process.returncode}")
    result: dict[str, float] = json.loads(out.splitlines()[-1])
    return result


def _part(what: str) -> dict[str, float]:
    """What one process measures, in ms."""
    from PySide6.QtWidgets import QApplication

    from desktop.theme import Theme

    app = QApplication(["yomitori-streaming"])
    theme = Theme(app, "light")
    if what in ("idle", "stream"):
        return {"gap": _streaming(app, theme, what == "stream")}
    return _scrolling(app, theme, what)


def _streaming(app, theme, streams: bool) -> float:  # type: ignore[no-untyped-def]
    """The longest gap."""
    from PySide6.QtCore import Qt, QTimer

    from benchmarks.ticker import Ticker
    from core.chat import Role
    from core.conversation_types import Turn, TurnState
    from desktop.chat_view import ChatView

    tokens = tokens_of(text_of(TOKENS)) if streams else []
    view = ChatView(theme)
    view.resize(400, 800)
    view.show()
    view.set_turns([Turn(1, 0, Role.USER, TurnState.DONE, "なぜ？")])
    ticker = Ticker()
    feeder = QTimer()
    feeder.setTimerType(Qt.TimerType.PreciseTimer)
    begun, text, given = time.perf_counter(), "", 0

    def feed() -> None:
        nonlocal text, given
        due = int((time.perf_counter() - begun) * PER_SECOND)
        if streams:
            while given < min(due, len(tokens)):
                text += tokens[given]
                given += 1
                view.grow(2, text)
        if due >= TOKENS:
            app.quit()

    def start() -> None:
        nonlocal begun
        if streams:
            view.add_turn(Turn(2, 0, Role.ASSISTANT, TurnState.STREAMING, ""))
        begun = time.perf_counter()
        ticker.start()
        feeder.start(1000 // PER_SECOND)

    feeder.timeout.connect(feed)
    QTimer.singleShot(500, start)
    app.exec()
    return ticker.longest


def _scrolling(app, theme, what: str) -> dict[str, float]:  # type: ignore[no-untyped-def]
    from core.chat import Role
    from core.conversation_types import Turn, TurnState
    from desktop.chat_view import ChatView

    if what == "single":
        texts: Iterator[str] = iter(("なぜ？", text_of(LONG_TOKENS)))
        count = 2
    else:
        count = TURNS
        texts = iter([text_of(33), text_of(LONG_TOKENS * 2 // TURNS - 33)] * (TURNS // 2))
    roles = (Role.USER, Role.ASSISTANT)
    turns = [Turn(i + 1, 0, roles[i % 2], TurnState.DONE, next(texts)) for i in range(count)]
    view = ChatView(theme)
    view.resize(400, 800)
    view.show()
    app.processEvents()
    begun = time.perf_counter()
    opening = _longest(lambda: view.set_turns(turns), app)
    while view.busy:
        opening = max(opening, _longest(lambda: None, app))
    ready = (time.perf_counter() - begun) * 1000
    bar = view.verticalScrollBar()
    scroll = 0.0
    places = [bar.maximum() * step // _STEPS for step in range(_STEPS, -1, -1)]
    for place in [*places, *range(0, 40 * 120, 120)]:
        scroll = max(scroll, _longest(lambda place=place: bar.setValue(place), app))  # type: ignore[misc]
    narrow = _longest(lambda: view.resize(340, 800), app)
    while view.busy:
        narrow = max(narrow, _longest(lambda: None, app))
    return {"open": opening, "ready": ready, "scroll": scroll, "narrow": narrow}


def _longest(act: Callable[[], object], app) -> float:  # type: ignore[no-untyped-def]
    """How long ``act`` and one round of events after it, with its painting, take."""
    begun = time.perf_counter()
    act()
    app.processEvents()
    return (time.perf_counter() - begun) * 1000


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=("idle", "stream", "turns", "single"))
    part = parser.parse_args().part
    if part:
        print(json.dumps(_part(part)))
        return 0
    report = Report()
    measure(report)
    return int(bool(report.failed))


if __name__ == "__main__":
    sys.exit(main())
