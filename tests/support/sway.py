"""A real Wayland desktop for tests: headless sway, with any number of outputs and scales.

sway refuses to run as root, so root starts it as the user ``nobody``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from tests.support.xserver import wait_until

NEEDED = ("sway", "swaymsg", "grim", "wl-copy", "wl-paste", "wtype")
_STALL = 30.0


def no_sway() -> str:
    """Why sway cannot be started here, or an empty text."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if os.getuid() == 0 and not any(entry.pw_name == "nobody" for entry in pwd.getpwall()):
        return "sway does not run as root, and there is no user called nobody"
    return ""


class Sway:
    """``with Sway() as desktop:`` runs it until the block ends.

    Args:
        outputs: width, height and scale of each output, side by side; named HEADLESS-1, HEADLESS-2, …
    """

    def __init__(self, outputs: Sequence[tuple[int, int, int]] = ((1280, 720, 1), (1600, 1200, 2))) -> None:
        self.outputs = list(outputs)
        self._process: subprocess.Popen[bytes] | None = None

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

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """A whole environment for a child: this process's, on this desktop, without X and D-Bus."""
        left_out = ("DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS")
        base = {k: v for k, v in os.environ.items() if k not in left_out}
        return {**base, **self.env, **(extra or {})}

    def __enter__(self) -> Sway:
        self._folder = tempfile.TemporaryDirectory(prefix="sway-")
        self._runtime = Path(self._folder.name)
        self._socket = self._runtime / "sway.sock"
        self._display = ""
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
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
        self._process = subprocess.Popen(
            ["sway", "--config", str(file)],
            env=settings,
            user=user,
            group=group,
            extra_groups=() if user else None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until("sway", self._is_up)

    def _is_up(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"sway ended with {self._process.returncode}")
        displays = [p for p in self._runtime.glob("wayland-*") if p.suffix != ".lock"]
        if not displays or not self._socket.exists():
            return False
        self._display = displays[0].name
        answer = subprocess.run(
            ["swaymsg", "-t", "get_outputs", "--raw"], env=self.environment(), capture_output=True, text=True
        )
        return answer.stdout.count('"name": "HEADLESS-') == len(self.outputs)

    def run(self, *command: str, input: bytes = b"") -> bytes:
        """Run a program on this desktop to its end; its standard output."""
        return subprocess.run(
            command,
            env=self.environment(),
            check=True,
            input=input,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_STALL,
        ).stdout

    def run_detached(self, *command: str, input: bytes = b"") -> None:
        """Run a program that goes on in the background by itself, such as ``wl-copy``."""
        subprocess.run(
            command,
            env=self.environment(),
            check=True,
            input=input,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_STALL,
        )

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._folder.cleanup()
