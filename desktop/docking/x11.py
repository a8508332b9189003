"""Docking under X11: struts on an ordinary window, which any window manager of today obeys."""

from __future__ import annotations

import logging

import xcffib
from PySide6.QtCore import QObject, QRect
from PySide6.QtGui import QScreen
from PySide6.QtWidgets import QWidget

from core.errors import BackendUnavailable
from desktop.capture.screens import describe
from desktop.capture.x11 import match_monitor
from desktop.docking.edge import EdgeDock
from desktop.docking.pixels import to_logical, to_native
from desktop.docking.struts import free_area, in_the_way, side_strut
from desktop.docking.xcb import XcbDesk
from desktop.panel_place import Side
from desktop.x11 import x11_problem

log = logging.getLogger(__name__)

_STRUT = "_NET_WM_STRUT_PARTIAL"


class X11Dock(EdgeDock):
    """The window says what it keeps free; it stays a normal one, with the keyboard and its turn in Alt+Tab.

    It is on every virtual desktop. When bars of others come or go on a computer with several monitors, its
    place follows the next time that it is shown.
    """

    name = "x11"

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk: XcbDesk | None = None
        # What a shell keeps free at a side without a window that says so, measured before our own strut.
        self._shell: dict[tuple[str, Side], int] = {}

    def unavailable(self) -> BackendUnavailable | None:
        try:
            desk = self._connect()
            if desk is None:
                return self._no(self.tr("Yomitori's windows are not shown through X11"))
            reason = x11_problem()
            if reason:
                return self._no(reason)
            if not desk.manager_supports(_STRUT):
                return self._no(self.tr("the window manager does not let windows keep a place free"))
        except xcffib.XcffibException as error:
            return self._no(repr(error))
        return None

    def refusal(self, screen: QScreen, side: Side) -> BackendUnavailable | None:
        try:
            desk = self._connect()
            if desk is None:
                return self.unavailable()
            monitors = desk.monitors()
            monitor = match_monitor(describe(screen), monitors)
            blocked = in_the_way(monitor, monitors, desk.root_size(), side)
        except xcffib.XcffibException as error:
            return self._no(repr(error))
        if not blocked:
            return None
        return BackendUnavailable(
            name=self.tr("Keeping the panel's place free"),
            reason=self.tr("another screen lies beyond this side of the screen"),
            fix=self.tr("Choose the other side, or turn off 'Keep its place free'."),
        )

    def _no(self, reason: str) -> BackendUnavailable:
        fix = self.tr("Turn off 'Keep its place free' in Settings.")
        return BackendUnavailable(name=self.tr("Keeping the panel's place free"), reason=reason, fix=fix)

    def _connect(self) -> XcbDesk | None:
        if self._desk is None:
            self._desk = XcbDesk.of_qt()
        return self._desk

    def usable(self, screen: QScreen, window: int = 0, side: Side | None = None) -> QRect | None:
        """What others than ``window`` leave free of ``screen``, in logical pixels; None: it cannot be told.

        With ``side``, what a shell keeps free at that side is remembered from the first time, when there is
        no strut of ours in it yet.
        """
        info = describe(screen)
        try:
            desk = self._connect()
            if desk is None:
                return None
            monitors = desk.monitors()
            monitor = match_monitor(info, monitors)
            area = free_area(monitor, desk.root_size(), desk.struts_without(window))
            told = desk.work_area(monitor, alone=len(monitors) < 2)
        except xcffib.XcffibException as error:
            log.info("what is free of the screen is not known: %r", error)
            return None
        if told is not None:
            area.setTop(max(area.top(), told.top()))
            area.setBottom(min(area.bottom(), told.bottom()))
            if side is None:
                area = area.intersected(told)
            else:
                area = self._beside_the_shell(info.name, monitor, area, told, side)
        return to_logical(area, info.geometry.topLeft(), info.scale)

    def _beside_the_shell(self, screen: str, monitor: QRect, area: QRect, told: QRect, side: Side) -> QRect:
        key = (screen, side)
        if key not in self._shell:
            by_all = told.left() - monitor.left() if side == "left" else monitor.right() - told.right()
            by_windows = area.left() - monitor.left() if side == "left" else monitor.right() - area.right()
            self._shell[key] = by_all if by_all > by_windows else 0
        if side == "left":
            area.setLeft(max(area.left(), monitor.left() + self._shell[key]))
        else:
            area.setRight(min(area.right(), monitor.right() - self._shell[key]))
        return area

    def _usable(self, window: QWidget, screen: QScreen, side: Side) -> QRect:
        found = self.usable(screen, int(window.winId()), side)
        return found if found is not None else screen.availableGeometry()

    def _reserve(self, window: QWidget, screen: QScreen, side: Side, place: QRect) -> QRect:
        info = describe(screen)
        try:
            desk = self._connect()
            assert desk is not None
            monitor = match_monitor(info, desk.monitors())
            native = to_native(place, info.geometry.topLeft(), info.scale)
            strut = side_strut(monitor, desk.root_size(), side, native)
            desk.keep_free(int(window.winId()), strut)
        except xcffib.XcffibException as error:
            log.info("the panel's place could not be kept free: %r", error)
        return place

    def _withdraw(self, window: QWidget) -> None:
        try:
            desk = self._connect()
            if desk is not None:
                desk.give_back(int(window.winId()))
        except xcffib.XcffibException as error:
            log.info("the panel's place could not be given back: %r", error)
