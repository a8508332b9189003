"""Screen capture: one file per backend, tried in the order of ``BACKENDS``."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.capture.base import CaptureBackend
from desktop.registry import Entry
from desktop.registry import choose as _choose


def _x11() -> CaptureBackend:
    from desktop.capture.x11 import X11Capture

    return X11Capture()


def _grim() -> CaptureBackend:
    from desktop.capture.grim import GrimCapture

    return GrimCapture()


def _portal() -> CaptureBackend:
    from desktop.capture.portal import PortalCapture

    return PortalCapture()


def _native() -> CaptureBackend:
    from desktop.capture.native import NativeCapture

    return NativeCapture()


BACKENDS: tuple[Entry[CaptureBackend], ...] = (
    Entry("native", _native, ("win32", "darwin")),
    Entry("x11", _x11, ("linux",)),
    Entry("grim", _grim, ("linux",)),
    Entry("portal", _portal, ("linux",)),
)


def choose(name: str, backends: Sequence[Entry[CaptureBackend]] = BACKENDS) -> CaptureBackend:
    """The backend called ``name``, or with ``auto`` the first that works here.

    Raises:
        BackendUnavailable: it does not work here, or none does; with what to do.
    """
    return _choose("capture", name, backends)
