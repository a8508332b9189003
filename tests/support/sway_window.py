"""Another program on a Wayland desktop: a picture in the upper left corner of its window.

``python -P sway_window.py PICTURE``
"""

from __future__ import annotations

import sys

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication, QLabel


def main() -> int:
    app = QApplication(["sway-window"])
    label = QLabel()
    label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    label.setPixmap(QPixmap(sys.argv[1]))
    label.setStyleSheet("background: white")
    label.show()
    print("shown", flush=True)
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
