"""A missing program skips a test, but never under ``make test``."""

from __future__ import annotations

import sys

import pytest

from tests.support.requirements import skip_or_fail


def test_nothing_missing_lets_the_test_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOMITORI_TEST_REQUIRE_ALL", "1")
    skip_or_fail("")


def test_a_missing_program_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YOMITORI_TEST_REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="not installed: Xvfb"):
        skip_or_fail("not installed: Xvfb")


@pytest.mark.skipif(sys.platform != "linux", reason="make test installs programs on Linux only")
def test_it_fails_where_everything_has_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOMITORI_TEST_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="not installed: Xvfb"):
        skip_or_fail("not installed: Xvfb")
