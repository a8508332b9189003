"""Screen capture on wlroots desktops (sway, Hyprland, river, …) with the program grim."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QCoreApplication, QRect
from PySide6.QtGui import QImage

from core.errors import BackendUnavailable, CaptureFailed
from desktop.capture.base import ScreenInfo, Shot
from desktop.wayland import offered_interfaces

_PROTOCOLS = {"zwlr_screencopy_manager_v1", "ext_image_copy_capture_manager_v1"}


class GrimCapture:
    """``grim -o OUTPUT`` for each screen, all at once, in native pixels.

    Args:
        environ: the environment for grim; ``WAYLAND_DISPLAY`` is looked up in it.
        program: grim's name or path.
        limit: seconds until each grim has to be done.
    """

    name = "grim"

    def __init__(
        self, environ: Mapping[str, str] = os.environ, program: str = "grim", limit: float = 5
    ) -> None:
        self._environ = environ
        self._program = program
        self._limit = limit

    def unavailable(self) -> BackendUnavailable | None:
        if not self._environ.get("WAYLAND_DISPLAY"):
            return self._no(
                QCoreApplication.translate("GrimCapture", "this is no Wayland session"),
                QCoreApplication.translate("GrimCapture", "Choose Automatic in Settings."),
            )
        if shutil.which(self._program, path=self._environ.get("PATH")) is None:
            return self._no(
                QCoreApplication.translate("GrimCapture", "the program grim is not installed"),
                QCoreApplication.translate(
                    "GrimCapture", "Install it, for example with 'sudo apt install grim'."
                ),
            )
        if not _PROTOCOLS & offered_interfaces(self._environ):
            return self._no(
                QCoreApplication.translate("GrimCapture", "this desktop does not let it see the screen"),
                QCoreApplication.translate("GrimCapture", "Choose the desktop portal in Settings."),
            )
        return None

    def _no(self, reason: str, fix: str) -> BackendUnavailable:
        return BackendUnavailable(name="grim", reason=reason, fix=fix)

    def grab(self, screens: Sequence[ScreenInfo]) -> list[Shot]:
        running: list[subprocess.Popen[bytes]] = []
        try:
            for screen in screens:
                command = [self._program, "-o", screen.name, "-t", "ppm", "-"]
                running.append(
                    subprocess.Popen(
                        command,
                        env=dict(self._environ),
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE,
                    )
                )
            return [self._shot(screen, process) for screen, process in zip(screens, running, strict=True)]
        except subprocess.TimeoutExpired as error:
            raise CaptureFailed(
                reason=QCoreApplication.translate("GrimCapture", "grim did not answer in time")
            ) from error
        except OSError as error:
            raise CaptureFailed(reason=f"grim: {error.strerror}") from error
        finally:
            for process in running:
                # Leaving the block waits for the process and closes its pipes.
                with process:
                    if process.poll() is None:
                        process.kill()

    def _shot(self, screen: ScreenInfo, process: subprocess.Popen[bytes]) -> Shot:
        data, complaint = process.communicate(timeout=self._limit)
        if process.returncode != 0:
            reason = complaint.decode(errors="replace").strip().rstrip(".")
            raise CaptureFailed(reason=reason or f"grim: {process.returncode}")
        image = QImage.fromData(data)
        if image.isNull():
            raise CaptureFailed(
                reason=QCoreApplication.translate("GrimCapture", "the picture of {0} cannot be read").format(
                    screen.name
                )
            )
        image = image.convertToFormat(QImage.Format.Format_RGB32)
        return Shot(replace(screen, native=QRect(screen.native.topLeft(), image.size())), image)
