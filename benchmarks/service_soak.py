"""Half an hour of everything at once against the HTTP service: ``python -m benchmarks.service_soak``.

Clients of a real ``yomitori serve`` with the tiny models read and ask, alone and in batches, whole and
streamed, leave in the middle, send too slowly, too much or nonsense, while its model processes are killed.
Every request has to have its answer, the right one; only those that run when a process is killed may be told
so. The front process must not keep private memory, files or model processes of all that.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil

from benchmarks.report import Report, percentile
from benchmarks.service_load import BAD, DEADLINE_S, Load, Verdict
from tests.support.http_service import Serving, serving

MINUTES, CLIENTS, KILL_EVERY_S, SEED = 30.0, 12, 20.0, 1
GROWTH_LIMIT_MB = 20.0
_WARM_UP_SHARE, _WARM_UP_MOST_S = 0.2, 120.0
_QUIET_S = 20.0
"""Longer than the service keeps a connection that is silent."""
_UNLOADED_S = 60.0
_SHOWN = 50


def soak(
    report: Report,
    load: Load,
    seconds: float,
    kill_every: float,
    quiet: float = _QUIET_S,
    growth_mb: float = GROWTH_LIMIT_MB,
) -> None:
    """The load, which is primed, for so long after a warm-up; what became of it, and what the front process
    has kept."""
    load.run(min(_WARM_UP_SHARE * seconds, _WARM_UP_MOST_S), kill_every)
    before = load.idle(quiet)
    with _every_minute(report, load):
        load.run(seconds, kill_every)
    after = load.idle(quiet)
    _tell_requests(report, load)
    report.row("growth of the front's private memory", after.memory - before.memory, "MB", growth_mb)
    report.row("more open files", after.files - before.files, "", 0)
    report.note(f"before: {before}; after: {after}")


@contextlib.contextmanager
def _every_minute(report: Report, load: Load) -> Iterator[None]:
    over = threading.Event()
    since = time.monotonic()

    def watch() -> None:
        while not over.wait(60):
            minutes = (time.monotonic() - since) / 60
            bad = sum(1 for _ in load.bad())
            now = load.front()
            report.note(f"{minutes:5.1f} min: {len(load.exchanges)} requests, {bad} bad ones, {now}")

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _tell_requests(report: Report, load: Load) -> None:
    count = load.count()
    report.row("requests", len(load.exchanges), "")
    for verdict in Verdict:
        report.row(f"  {verdict}", count[verdict], "", 0 if verdict in BAD else None)
    report.row("kills of model processes", len(load.kills), "")
    report.row("requests that were told of one kill, at most", load.told_at_most(), "", load.clients)
    times: dict[str, list[float]] = defaultdict(list)
    for exchange in load.exchanges:
        times[exchange.kind].append(exchange.ended - exchange.begun)
    report.row("longest of all", max(map(max, times.values()), default=0.0), "s", DEADLINE_S)
    for kind, taken in times.items():
        median, most = percentile(taken, 0.5), percentile(taken, 0.99)
        report.note(f"{kind:20} {len(taken):7} times, median {median:.2f} s, 99 of 100 within {most:.2f} s")
    for number, row in enumerate(load.bad()):
        if number < _SHOWN:
            report.note(row)


def end(report: Report, server: Serving) -> None:
    """Nothing is left of it: no model process once all are unloaded, and no traceback in its log."""
    front = psutil.Process(server.process.pid)
    for role in ("ocr", "vision"):
        url = f"{server.url}/models/{role}/unload"
        httpx2.post(url, headers=server.privileged, timeout=60, trust_env=False).raise_for_status()
    until = time.monotonic() + _UNLOADED_S
    while (left := front.children(recursive=True)) and time.monotonic() < until:
        time.sleep(0.1)
    report.row("model processes left", len(left), "", 0)
    report.row("exit code", abs(server.end(signal.SIGTERM)), "", 0)
    report.row("tracebacks in the log", server.log.count("Traceback"), "", 0)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--kill-every", type=float, default=KILL_EVERY_S, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "server") as server:
        print(f"{options.clients} clients for {options.minutes:g} minutes, tiny models", flush=True)
        load = Load(server, options.clients, options.seed)
        load.prime()
        soak(report, load, 60 * options.minutes, options.kill_every)
        end(report, server)
    return bool(report.failed)


if __name__ == "__main__":
    sys.exit(main())
