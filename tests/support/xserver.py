"""A real X server for tests: Xvfb with any number of RandR monitors, and openbox as the window manager."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

import xcffib
import xcffib.xproto
from PIL import Image

from tests.support.display_server import DisplayServer, wait_until

NEEDED = ("Xvfb", "openbox", "xdotool", "xrandr", "xprop", "xwininfo", "xclip", "trayer")


def missing_programs() -> list[str]:
    """The programs that tests with an X server need and that are not installed."""
    return [name for name in NEEDED if shutil.which(name) is None]


class XServer(DisplayServer):
    """``with XServer() as server:`` runs Xvfb (and openbox) until the block ends.

    Args:
        screens: width and height of each monitor in pixels.
        origins: where each monitor begins; side by side from the left when not given.
        window_manager: start openbox too.
    """

    _elsewhere = ("WAYLAND_DISPLAY", "XAUTHORITY")

    def __init__(
        self,
        screens: Sequence[tuple[int, int]] = ((1920, 1080), (1280, 1024)),
        origins: Sequence[tuple[int, int]] | None = None,
        window_manager: bool = True,
    ) -> None:
        super().__init__()
        self.screens = list(screens)
        self.origins = list(origins) if origins else self._side_by_side(self.screens)
        self._window_manager = window_manager
        self._monitors: list[str] = []
        self._monitor_count = 0
        self._painter: xcffib.Connection | None = None
        self.display = ""

    @staticmethod
    def _side_by_side(screens: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        origins, x = [], 0
        for width, _ in screens:
            origins.append((x, 0))
            x += width
        return origins

    @property
    def env(self) -> dict[str, str]:
        return {"DISPLAY": self.display, "QT_QPA_PLATFORM": "xcb", "XDG_SESSION_TYPE": "x11"}

    def _start(self) -> None:
        rects = list(zip(self.screens, self.origins, strict=True))
        width = max(w + x for (w, _), (x, _) in rects)
        height = max(h + y for (_, h), (_, y) in rects)
        readable, writable = os.pipe()
        try:
            command = ["Xvfb", "-displayfd", str(writable), "-screen", "0", f"{width}x{height}x24"]
            self.spawn([*command, "-noreset", "-nolisten", "tcp"], env=dict(os.environ), pass_fds=(writable,))
        finally:
            os.close(writable)
        with os.fdopen(readable) as answer:
            number = answer.readline().strip()
        if not number:
            raise AssertionError("Xvfb did not start")
        self.display = f":{number}"
        self.set_monitors(self.screens, self.origins)
        if self._window_manager:
            self.spawn(["openbox"])
            wait_until("openbox", self._has_window_manager)

    def set_monitors(self, screens: Sequence[tuple[int, int]], origins: Sequence[tuple[int, int]]) -> None:
        """Divide the server's area anew, as plugging monitors in and out does.

        They are named ``M`` and a number that is never used twice: M0 and M1 at the start, M2 next.
        """
        old, self._monitors = self._monitors, []
        for name in old:
            self.run("xrandr", "--delmonitor", name)
        for index, ((w, h), (x, y)) in enumerate(zip(screens, origins, strict=True)):
            name, output = f"M{self._monitor_count}", "none" if index else "screen"
            self.run("xrandr", "--setmonitor", name, f"{w}/{w // 4}x{h}/{h // 4}+{x}+{y}", output)
            self._monitors.append(name)
            self._monitor_count += 1
        self.screens, self.origins = list(screens), list(origins)

    def _has_window_manager(self) -> bool:
        return "window id" in self.run("xprop", "-root", "_NET_SUPPORTING_WM_CHECK")

    def xdotool(self, *args: str | int) -> str:
        """What ``xdotool ARGS…`` prints."""
        return self.run("xdotool", *map(str, args)).strip()

    def screenshot(self) -> Image.Image:
        """The whole root window in RGB."""
        import mss

        with mss.MSS(display=self.display) as camera:
            shot = camera.grab(camera.monitors[0])
            return Image.frombytes("RGB", (shot.width, shot.height), bytes(shot.rgb))

    def rectangle(self, x: int, y: int, width: int, height: int, color: int) -> None:
        """A window of one colour (0xRRGGBB) above all others, until the server ends."""
        if self._painter is None:
            self._painter = xcffib.connect(display=self.display)
        core, screen = self._painter.core, self._painter.setup.roots[0]
        window = self._painter.generate_id()
        attributes = xcffib.xproto.CW.BackPixel | xcffib.xproto.CW.OverrideRedirect
        core.CreateWindow(
            screen.root_depth, window, screen.root, x, y, width, height, 0,
            xcffib.xproto.WindowClass.InputOutput, screen.root_visual, attributes, [color, 1],
        )  # fmt: skip
        core.MapWindow(window)
        core.GetInputFocus().reply()

    def close(self) -> None:
        if self._painter is not None:
            self._painter.disconnect()
            self._painter = None
        super().close()
