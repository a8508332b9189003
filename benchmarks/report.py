"""Figures and limits, printed alike by every benchmark."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0..1) of the values lie, by nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def median_of_runs(runs: Sequence[Sequence[float]], share: float) -> float:
    """The median over runs of each run's percentile."""
    return statistics.median(percentile(run, share) for run in runs)


class Report:
    """Prints rows and remembers whether every limit held."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def row(self, name: str, value: float, unit: str, limit: float | None = None) -> None:
        """One figure; with a limit it must not be exceeded."""
        verdict = ""
        if limit is not None:
            held = value <= limit
            verdict = f"  limit {limit:g} {unit}: {'PASS' if held else 'FAIL'}"
            if not held:
                self.failed.append(name)
        print(f"  {name:58} {value:9.1f} {unit}{verdict}", flush=True)

    def note(self, text: str) -> None:
        print(f"  {text}", flush=True)
