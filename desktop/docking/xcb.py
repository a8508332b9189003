"""What docking asks of an X server and its window manager, over Qt's own connection.

Qt's own, so that requests about a window arrive after the one that made it, and before the one that shows
it. Only requests and replies are used: events stay Qt's.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

import xcffib
import xcffib.randr
import xcffib.xproto as xp
from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QGuiApplication, QNativeInterface

from desktop.docking.struts import Strut

_EVERY_DESKTOP = 0xFFFFFFFF
_CLIENT_MESSAGE = 33
_LONGS = 4096


class XcbDesk:
    """The desktop under X11, in native pixels of the root window.

    Raises:
        xcffib.XcffibException: from every method, when the server refuses or is gone.
    """

    def __init__(self, connection: xcffib.Connection) -> None:
        self._connection = connection
        self._atoms: dict[str, int] = {}
        self._root = connection.setup.roots[0].root

    @classmethod
    def of_qt(cls) -> XcbDesk | None:
        """On the connection of the running application; None when that is not shown through X11."""
        application = QGuiApplication.instance()
        if not isinstance(application, QGuiApplication) or QGuiApplication.platformName() != "xcb":
            return None
        native = application.nativeInterface()
        if not isinstance(native, QNativeInterface.QX11Application):
            return None
        return cls(xcffib.wrap(native.connection()))

    def manager_supports(self, name: str) -> bool:
        """Whether a window manager runs that names ``name`` among what it supports."""
        manager = self._numbers(self._root, "_NET_SUPPORTING_WM_CHECK")
        if not manager:
            return False
        try:
            alive = self._numbers(manager[0], "_NET_SUPPORTING_WM_CHECK") == manager
        except xp.WindowError:
            return False
        return alive and self._atom(name) in self._numbers(self._root, "_NET_SUPPORTED")

    def root_size(self) -> QSize:
        geometry = self._connection.core.GetGeometry(self._root).reply()
        return QSize(geometry.width, geometry.height)

    def monitors(self) -> list[QRect]:
        """Every monitor, none where the server cannot tell."""
        try:
            randr: Any = self._connection(xcffib.randr.key)
            version = randr.QueryVersion(1, 5).reply()
            if (version.major_version, version.minor_version) < (1, 5):
                return []
            found = randr.GetMonitors(self._root, True).reply().monitors
        except xcffib.ConnectionException:
            raise
        except xcffib.XcffibException:
            return []
        return [QRect(m.x, m.y, m.width, m.height) for m in found]

    def struts_without(self, window: int) -> list[Strut]:
        """What every managed window but ``window`` keeps free."""
        root = self.root_size()
        clients = [each for each in self._numbers(self._root, "_NET_CLIENT_LIST") if each != window]
        names = ("_NET_WM_STRUT_PARTIAL", "_NET_WM_STRUT")
        # All questions first, then all answers: one round trip, however many windows there are.
        asked = [[self._ask(client, name) for name in names] for client in clients]
        found: list[Strut] = []
        for cookies in asked:
            told = [values for cookie in cookies if (values := self._answer(cookie, gone_is_empty=True))]
            strut = Strut.of(told[0], root) if told else None
            if strut is not None:
                found.append(strut)
        return found

    def work_area(self, monitor: QRect, alone: bool) -> QRect | None:
        """What the window manager says is free of ``monitor``; None where it tells nothing of use.

        The standard property is one rectangle for all monitors, of use only where there is one (``alone``).
        """
        current = (self._numbers(self._root, "_NET_CURRENT_DESKTOP") or [0])[0]
        each = self._rectangles(f"_GTK_WORKAREAS_D{current}")
        if not each and alone:
            each = self._rectangles("_NET_WORKAREA")[current : current + 1]
        inside = [area for area in each if monitor.contains(area)]
        return inside[0] if inside else None

    def keep_free(self, window: int, strut: Strut) -> None:
        """Let ``window`` keep that much free, on every desktop."""
        self._set(window, "_NET_WM_STRUT_PARTIAL", strut.values)
        self._set(window, "_NET_WM_STRUT", strut.values[:4])
        self._put_on_desktop(window, _EVERY_DESKTOP)

    def give_back(self, window: int) -> None:
        """Let ``window`` keep nothing free, and belong to the current desktop alone."""
        core = self._connection.core
        for name in ("_NET_WM_STRUT_PARTIAL", "_NET_WM_STRUT"):
            core.DeleteProperty(window, self._atom(name), is_checked=True).check()
        current = self._numbers(self._root, "_NET_CURRENT_DESKTOP")
        if current:
            self._put_on_desktop(window, current[0])

    def _put_on_desktop(self, window: int, desktop: int) -> None:
        core = self._connection.core
        if core.GetWindowAttributes(window).reply().map_state == xp.MapState.Unmapped:
            # The window manager reads it when the window is shown; afterwards it has to be asked.
            self._set(window, "_NET_WM_DESKTOP", (desktop,))
            return
        if self._numbers(window, "_NET_WM_DESKTOP") == [desktop]:
            return
        by_user = 2
        data = struct.pack(
            "=BBHII5I",
            _CLIENT_MESSAGE,
            32,
            0,
            window,
            self._atom("_NET_WM_DESKTOP"),
            desktop,
            by_user,
            0,
            0,
            0,
        )
        mask = xp.EventMask.SubstructureNotify | xp.EventMask.SubstructureRedirect
        core.SendEvent(False, self._root, mask, data, is_checked=True).check()

    def _set(self, window: int, name: str, values: Sequence[int]) -> None:
        self._connection.core.ChangeProperty(
            xp.PropMode.Replace,
            window,
            self._atom(name),
            xp.Atom.CARDINAL,
            32,
            len(values),
            list(values),
            is_checked=True,
        ).check()

    def _atom(self, name: str) -> int:
        if name not in self._atoms:
            self._atoms[name] = int(self._connection.core.InternAtom(False, len(name), name).reply().atom)
        return self._atoms[name]

    def _ask(self, window: int, name: str) -> Any:
        return self._connection.core.GetProperty(
            False, window, self._atom(name), xp.GetPropertyType.Any, 0, _LONGS
        )

    def _answer(self, cookie: Any, gone_is_empty: bool = False) -> list[int]:
        try:
            reply = cookie.reply()
        except xp.WindowError:
            if gone_is_empty:
                return []
            raise
        return list(reply.value.to_atoms()) if reply.format == 32 else []

    def _numbers(self, window: int, name: str) -> list[int]:
        return self._answer(self._ask(window, name))

    def _rectangles(self, name: str) -> list[QRect]:
        numbers: Iterable[int] = iter(self._numbers(self._root, name))
        return [QRect(*four) for four in zip(*[numbers] * 4, strict=False)]
