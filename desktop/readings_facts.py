"""The short line that tells which engine read, how long it took and how likely it is."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt

from core.alternatives import Variant
from core.types import OcrResult
from desktop.elided_label import ElidedLabel
from desktop.readings import EDITED
from desktop.texts import engine_title
from desktop.theme import set_role


class Facts(ElidedLabel):
    """One row, cut off with an ellipsis; all of it is in the tooltip and told to screen readers."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[str, ...] = ()
        self.setAttribute(Qt.WidgetAttribute.WA_AlwaysShowToolTips)
        set_role(self, "muted")

    def show_facts(self, variant: Variant) -> None:
        result = variant.result
        engine = engine_title(result.engine)
        line = self.tr("{engine} · {seconds} s").format(engine=engine, seconds=f"{result.seconds:.1f}")
        self._lines = (line,)
        told = [
            self.tr("Engine: {engine}").format(engine=engine),
            self.tr("Device: {device}").format(device=_device(result)),
            self.tr("Time: {seconds} s").format(seconds=f"{result.seconds:.2f}"),
        ]
        if not result.device:
            del told[1]
        if variant.how == EDITED:
            told.append(self.tr("Changed by you"))
        elif result.confidence is not None:
            value = f"{result.confidence:.2f}"
            self._lines = (f"{line} · {value}", line)
            words = self.tr("Likelihood: {value} (the model's own, not a calibrated probability)")
            told.append(words.format(value=value))
        self.setText(line)
        self.setToolTip("\n".join(told))
        self.setAccessibleDescription("; ".join(told))

    def fit(self, room: int) -> None:
        """Say as much as there is room for, in logical pixels."""
        if self._lines:
            measure = self.fontMetrics().horizontalAdvance
            self.setText(next((line for line in self._lines if measure(line) <= room), self._lines[-1]))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())


def _device(result: OcrResult) -> str:
    """``CPU, fp32``"""
    name = "CPU" if result.device == "cpu" else result.device
    return f"{name}, {result.precision}" if result.precision else name
