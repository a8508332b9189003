"""Programs that some tests need: a machine without them skips these tests, ``make test`` does not."""

from __future__ import annotations

import os
import sys

import pytest


def skip_or_fail(reason: str) -> None:
    """Skip the test for ``reason`` (none when empty); fail it where everything has to be there.

    That is so under ``make test`` on Linux, which has installed all of it before.
    """
    if not reason:
        return
    if os.environ.get("YOMITORI_TEST_REQUIRE_ALL") and sys.platform == "linux":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
