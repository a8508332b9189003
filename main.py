"""The one entry point: no command starts the tray, everything else is a command."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.doctor import Check
    from core.errors import BackendUnavailable
    from core.settings import SettingsStore


def main() -> int:
    try:
        return _main()
    except KeyboardInterrupt:
        # In the imports; later each command says what it has ended.
        return 130


def _main() -> int:
    from core.process import CHILD_FLAG

    if sys.argv[1:2] == [CHILD_FLAG]:
        from core.child import main as serve_host

        serve_host(int(sys.argv[2]))
        return 0

    from service.cli import FrontEnd
    from service.cli import main as run_command

    return run_command(sys.argv[1:], FrontEnd(_start_tray, _check_desktop))


def _without_desktop() -> BackendUnavailable | None:
    """Why there can be no window: where only the service runs, Qt is left out."""
    if find_spec("PySide6") is not None:
        return None
    from core.errors import BackendUnavailable

    return BackendUnavailable(
        name="The desktop",
        reason="PySide6 is not installed",
        fix="Install it with 'pip install PySide6-Essentials', or use a command that needs no window, "
        "such as 'yomitori ocr'.",
    )


def _start_tray(flags: dict[str, Any], first: str) -> int:
    problem = _without_desktop()
    if problem is not None:
        raise problem
    from desktop.app import run

    return run(flags, first)


def _check_desktop(settings: SettingsStore) -> Iterable[Check]:
    if _without_desktop() is not None:
        from core.doctor import Check

        return [Check("Desktop", None, "not installed, commands alone")]
    from desktop.doctor import check_desktop

    return check_desktop(settings)


if __name__ == "__main__":
    sys.exit(main())
