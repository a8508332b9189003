"""``python -m benchmarks``: every benchmark, and at the end which limits did not hold."""

from __future__ import annotations

import subprocess
import sys

from benchmarks import latency, memory, stalls, streaming
from benchmarks.report import Report


def main() -> int:
    report = Report()
    for module in (latency, stalls, memory, streaming):
        module.measure(report)
    accuracy = subprocess.run([sys.executable, "-m", "benchmarks.accuracy"], check=False).returncode
    if accuracy:
        report.failed.append("accuracy")
    print("\nEvery limit held." if not report.failed else f"\nNot held: {', '.join(report.failed)}")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
