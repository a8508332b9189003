"""What this machine has."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from core.devices import physical_cores
from tests.support.environment import child_environment


def test_there_is_a_core_and_no_more_than_the_system_counts() -> None:
    assert 1 <= physical_cores() <= (os.cpu_count() or 1)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems bind processes to cores in other ways")
def test_cores_that_this_process_may_not_use_do_not_count() -> None:
    code = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from core.devices import physical_cores
print(physical_cores())
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=child_environment(os.environ), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "1\n"
