"""Another program, as a manga reader would be: shows a picture, one pixel per pixel, at a place.

``python -P viewer.py PICTURE X Y [typing]``; with ``typing`` it has a line edit above the picture and prints
what is typed into it, so that a test can tell who has the keyboard.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QVBoxLayout, QWidget


def main() -> int:
    picture, x, y = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    app = QApplication(["viewer"])
    window = QWidget()
    window.setWindowTitle("viewer")
    window.setWindowFlag(Qt.WindowType.FramelessWindowHint)
    layout = QVBoxLayout(window)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    label = QLabel()
    label.setPixmap(QPixmap(picture))
    layout.addWidget(label)
    if "typing" in sys.argv:
        edit = QLineEdit()
        edit.textChanged.connect(lambda text: print(f"typed {text}", flush=True))
        layout.addWidget(edit)
        edit.setFocus()
    window.move(x, y)
    window.show()
    window.activateWindow()
    print("shown", flush=True)
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
