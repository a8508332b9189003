"""Draws the PNG icons from the SVG files beside it: ``python resources/icons/render.py``.

The program loads the PNGs, so that no SVG library comes into the tray's memory for one small picture.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

SIZES = (16, 24, 32, 48, 64, 128, 256)


def main() -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    app = QGuiApplication(sys.argv)
    folder = Path(__file__).resolve().parent
    for name in ("yomitori", "tray"):
        renderer = QSvgRenderer(str(folder / f"{name}.svg"))
        for size in SIZES:
            image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
            image.fill(Qt.GlobalColor.transparent)
            painter = QPainter(image)
            renderer.render(painter)
            painter.end()
            image.save(str(folder / f"{name}-{size}.png"))
    app.quit()


if __name__ == "__main__":
    main()
