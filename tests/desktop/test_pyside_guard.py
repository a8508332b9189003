"""PySide6 6.12.0 drops a reference to None on every void call, which kills Python 3.11 after some
thousands of them. Our upper bound keeps it out; this guard must pass before the bound moves."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject


def test_void_calls_keep_the_references_of_none() -> None:
    thing = QObject()
    before = sys.getrefcount(None)
    for _ in range(20_000):
        thing.setObjectName("x")
    assert abs(sys.getrefcount(None) - before) < 100
