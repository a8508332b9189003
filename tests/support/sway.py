"""A real Wayland desktop for tests: headless sway, with any number of outputs and scales.

sway refuses to run as root, so root starts it as the user ``nobody``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.display_server import DisplayServer, wait_until

NEEDED = ("sway", "swaymsg", "grim", "wl-copy", "wl-paste", "wtype")


def no_sway() -> str:
    """Why sway cannot be started here, or an empty text."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if os.getuid() == 0 and not any(entry.pw_name == "nobody" for entry in pwd.getpwall()):
        return "sway does not run as root, and there is no user called nobody"
    return ""


class Sway(DisplayServer):
    """``with Sway() as desktop:`` runs it until the block ends.

    Args:
        outputs: width, height and scale of each output, side by side; named HEADLESS-1, HEADLESS-2, …
    """

    _elsewhere = ("DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS")

    def __init__(self, outputs: Sequence[tuple[int, int, int]] = ((1280, 720, 1), (1600, 1200, 2))) -> None:
        super().__init__()
        self.outputs = list(outputs)

    @property
    def env(self) -> dict[str, str]:
        return {
            "XDG_RUNTIME_DIR": str(self._runtime),
            "WAYLAND_DISPLAY": self._display,
            "QT_QPA_PLATFORM": "wayland",
            "XDG_SESSION_TYPE": "wayland",
            "XDG_CURRENT_DESKTOP": "sway",
            "SWAYSOCK": str(self._socket),
        }

    def _start(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sway-")
        self._runtime = Path(self._folder.name)
        self._socket = self._runtime / "sway.sock"
        self._display = ""
        config, x = ["xwayland disable", "default_border none"], 0
        for number, (width, height, scale) in enumerate(self.outputs, 1):
            name = f"output HEADLESS-{number}"
            config.append(f"{name} mode {width}x{height}@60Hz position {x} 0 scale {scale}")
            config.append(f"{name} background #336699 solid_color")
            x += width // scale
        file = self._runtime / "config"
        file.write_text("\n".join(config) + "\n")
        file.chmod(0o644)
        self._runtime.chmod(0o700)
        user = group = None
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            user, group = nobody.pw_uid, nobody.pw_gid
            os.chown(self._runtime, user, group)
        settings = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self._runtime),
            "XDG_RUNTIME_DIR": str(self._runtime),
            "SWAYSOCK": str(self._socket),
            "WLR_BACKENDS": "headless",
            "WLR_LIBINPUT_NO_DEVICES": "1",
            "WLR_HEADLESS_OUTPUTS": str(len(self.outputs)),
            "WLR_RENDERER": "pixman",
        }
        process = self.spawn(["sway", "--config", str(file)], settings, user=user, group=group)
        wait_until("sway", lambda: self._is_up(process))

    def _is_up(self, process: subprocess.Popen[bytes]) -> bool:
        if process.poll() is not None:
            raise AssertionError(f"sway ended with {process.returncode}")
        displays = [p for p in self._runtime.glob("wayland-*") if p.suffix != ".lock"]
        if not displays or not self._socket.exists():
            return False
        self._display = displays[0].name
        answer = subprocess.run(
            ["swaymsg", "-t", "get_outputs", "--raw"], env=self.environment(), capture_output=True, text=True
        )
        return answer.stdout.count('"name": "HEADLESS-') == len(self.outputs)

    def close(self) -> None:
        super().close()
        self._folder.cleanup()
