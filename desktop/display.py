"""Is there a screen to show something on? Asked before Qt, which ends the process when there is none."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from core.errors import BackendUnavailable


def display_problem(environ: Mapping[str, str], platform: str = sys.platform) -> BackendUnavailable | None:
    """Why no window can be shown here; None when one can, or when the platform always has a display."""
    if platform != "linux" or environ.get("QT_QPA_PLATFORM", "") in ("offscreen", "minimal", "vnc"):
        return None
    if _wayland_answers(environ) or _x11_answers(environ):
        return None
    named = environ.get("WAYLAND_DISPLAY") or environ.get("DISPLAY")
    reason = f"the display {named} does not answer" if named else "there is no display"
    return BackendUnavailable(
        name="The tray",
        reason=reason,
        fix="Start it inside a desktop session, or read files with 'yomitori ocr FILE'.",
    )


def _wayland_answers(environ: Mapping[str, str]) -> bool:
    name = environ.get("WAYLAND_DISPLAY")
    if not name:
        return False
    path = Path(name)
    if not path.is_absolute():
        path = Path(environ.get("XDG_RUNTIME_DIR", "/")) / name
    return path.is_socket()


def _x11_answers(environ: Mapping[str, str]) -> bool:
    name = environ.get("DISPLAY")
    if not name:
        return False
    import xcffib
    import xcffib.xproto  # without it connect() fails

    try:
        xcffib.connect(display=name).disconnect()
    except xcffib.ConnectionException:
        return False
    return True
