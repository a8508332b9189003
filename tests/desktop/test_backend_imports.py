"""What other systems lack must not be imported there, and nobody imports numpy."""

from __future__ import annotations

import subprocess
import sys

from tests.support.environment import child_environment

WITHOUT_LINUX = """
import sys
for absent in ("xcffib", "jeepney", "numpy"):
    sys.modules[absent] = None
import desktop.capture.native, desktop.capture.screens, desktop.capture.crop, desktop.capture.shots
import desktop.hotkeys.windows, desktop.hotkeys.macos, desktop.notify.tray
from desktop import capture, clipboard, hotkeys, notify
backends = (hotkeys.BACKENDS, capture.BACKENDS, clipboard.BACKENDS, notify.backends(None))
names = [[entry.name for entry in each] for each in backends]
print(names)
"""


def test_windows_and_macos_need_no_x11_and_no_dbus() -> None:
    """Given a Python without xcffib, jeepney and numpy, then all that Windows and macOS use is importable."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", WITHOUT_LINUX],
        env=child_environment({"PATH": "/usr/bin:/bin", "QT_QPA_PLATFORM": "offscreen"}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.strip() == str(
        [
            ["windows", "macos", "x11", "portal"],
            ["native", "x11", "grim", "portal"],
            ["wl-copy", "qt"],
            ["dbus", "tray"],
        ]
    )
