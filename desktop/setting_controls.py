"""The controls of the settings dialog: one for each kind of setting in ``core.settings``.

What they have in common is ``Control``: a widget, how a value is shown in it, and whether it takes the whole
width of the page. What the user chooses goes to the ``change`` they are made with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QValidator,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QToolTip,
    QWidget,
)

from core.devices import Device
from core.settings import SettingInfo
from desktop.key_recorder import KeyRecorder
from desktop.texts import device_title, device_word
from desktop.theme import STEP, Theme, pad_spin_box


def translated(text: str) -> str:
    """A title, description or label of ``core.settings`` in the user's language."""
    return QCoreApplication.translate("settings", text) if text else ""


@dataclass(frozen=True)
class Control:
    """``locked`` is the part that a value set elsewhere locks, None for all of it; ``wide``: it stands below
    the words, as wide as the page."""

    widget: QWidget
    show: Callable[[object], None]
    locked: QWidget | None = None
    wide: bool = False


def make_control(info: SettingInfo, theme: Theme, change: Callable[[object], None]) -> Control:
    """The control for a setting; ``change`` hears of each value that the user gives it."""
    if info.kind == "bool":
        switch = Switch(theme)
        switch.toggled.connect(change)
        return Control(switch, lambda value: switch.setChecked(bool(value)))
    if info.kind == "int":
        amount = AmountBox(info)
        amount.valueChanged.connect(change)
        amount.out_of_range.connect(lambda *bounds: _tell_bounds(amount, *bounds))
        return Control(amount, lambda value: amount.setValue(int(str(value))))
    if info.kind == "float":
        number = NumberBox(info)
        number.valueChanged.connect(lambda value: change(round(value, number.decimals())))
        number.out_of_range.connect(lambda *bounds: _tell_bounds(number, *bounds))
        return Control(number, lambda value: number.setValue(float(str(value))))
    if info.kind == "choice":
        combo = ChoiceBox()
        for key, label in info.labels.items():
            combo.addItem(translated(label), key)
        combo.view().setAccessibleName(translated(info.title))
        combo.currentIndexChanged.connect(lambda index: change(combo.itemData(index)))
        return Control(combo, lambda value: combo.setCurrentIndex(combo.findData(value)))
    if info.kind == "device":
        devices = DeviceBox()
        devices.view().setAccessibleName(translated(info.title))
        devices.currentIndexChanged.connect(lambda index: change(devices.itemData(index)))
        return Control(devices, lambda value: devices.show_value(str(value)))
    if info.kind == "hotkey":
        recorder = KeyRecorder()
        recorder.set_accessible(translated(info.title), translated(info.description))
        recorder.recorded.connect(change)
        return Control(recorder, lambda value: recorder.set_combination(str(value)))
    if info.kind == "model":
        model = ModelField(info)
        model.changed.connect(change)
        # What is set elsewhere can still be looked at and downloaded with the button.
        return Control(model, lambda value: model.show_value(str(value)), model.line, wide=True)
    if info.kind == "folder":
        folder = FolderField(info)
        folder.changed.connect(change)
        return Control(folder, lambda value: folder.show_value(str(value)), wide=True)
    line = QLineEdit()
    line.setMinimumWidth(200)
    line.editingFinished.connect(lambda: change(line.text()))
    return Control(line, lambda value: line.setText(str(value)))


def _tell_bounds(control: QWidget, least: str, most: str) -> None:
    """Beside the control, and to screen readers."""
    text = QCoreApplication.translate("setting_controls", "Allowed: {0} to {1}").format(least, most)
    QToolTip.showText(control.mapToGlobal(control.rect().bottomLeft()), text, control)
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(control, text))


class WheelGuard(QObject):
    """Lets the wheel scroll the page: it must not change what happens to lie under the pointer."""

    def __init__(self, control: QWidget) -> None:
        super().__init__(control)
        self._control = control
        control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        control.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and not self._control.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


class Switch(QAbstractButton):
    """On or off."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(38, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(0, (self.height() - 22) / 2, self.width(), 22)
        if self.hasFocus():
            # As in other controls the ring takes its room from within.
            painter.setPen(QPen(tokens.color("focus"), 2))
            painter.drawRoundedRect(track.adjusted(1, 1, -1, -1), 10, 10)
            track.adjust(4, 4, -4, -4)
        round_by, knob = track.height() / 2, track.height() - 6
        on = self.isChecked()
        fill = "accent" if on else "control_line"
        if not self.isEnabled():
            fill = "line"
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.color(fill))
        painter.drawRoundedRect(track, round_by, round_by)
        painter.setBrush(tokens.color("on_accent" if on and self.isEnabled() else "bg"))
        left = track.right() - knob - 3 if on else track.left() + 3
        painter.drawEllipse(QRectF(left, track.top() + 3, knob, knob))
        painter.end()


class _TellsBounds:
    """Of a box for numbers: one that is typed beyond the bounds is told at once, and becomes the nearest one
    that is allowed."""

    def fixup(self: Any, text: str) -> str:
        number = self._number(text)
        if number is None or self.minimum() <= number <= self.maximum():
            return text
        self._tell_bounds()
        return str(self.textFromValue(min(max(number, self.minimum()), self.maximum())))

    def _look(self: Any, text: str) -> None:
        number = self._number(text)
        # One that is too small may only be half of what is being typed.
        if number is not None and number > self.maximum():
            self._tell_bounds()


class AmountBox(_TellsBounds, QSpinBox):
    """A whole number with its unit; some numbers are shown as words ("Never")."""

    out_of_range = Signal(str, str)
    """A number was typed that is not allowed: from and to which they are."""

    def __init__(self, info: SettingInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._unit = translated(info.unit)
        self._words = {number: translated(word) for number, word in info.special.items()}
        self.setRange(
            int(info.minimum) if info.minimum is not None else -(2**31),
            int(info.maximum) if info.maximum is not None else 2**31 - 1,
        )
        self.setKeyboardTracking(False)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft)
        self.setStepType(
            QSpinBox.StepType.AdaptiveDecimalStepType
            if self.maximum() > 1000
            else QSpinBox.StepType.DefaultStepType
        )
        pad_spin_box(self)
        WheelGuard(self)
        self.lineEdit().textEdited.connect(self._look)

    def textFromValue(self, value: int) -> str:
        if value in self._words:
            return self._words[value]
        return f"{value} {self._unit}".strip()

    def valueFromText(self, text: str) -> int:
        wanted = text.strip().casefold()
        for number, word in self._words.items():
            if word.casefold() == wanted:
                return number
        match = re.match(r"-?\d+", wanted)
        return int(match.group()) if match else self.value()

    def validate(self, text: str, position: int) -> object:
        wanted = text.strip().casefold()
        if any(word.casefold() == wanted for word in self._words.values()):
            state = QValidator.State.Acceptable
        elif match := re.fullmatch(r"(-?\d+)\s*(\S*)", wanted):
            number, unit = int(match[1]), match[2]
            fits = self.minimum() <= number <= self.maximum()
            known = self._unit.casefold().startswith(unit)
            state = QValidator.State.Acceptable if fits and known else QValidator.State.Intermediate
        else:
            state = QValidator.State.Intermediate
        return state, text, position

    def _number(self, text: str) -> int | None:
        match = re.match(r"\s*(-?\d+)", text)
        return int(match[1]) if match else None

    def _tell_bounds(self) -> None:
        self.out_of_range.emit(str(self.minimum()), str(self.maximum()))


class NumberBox(_TellsBounds, QDoubleSpinBox):
    """A number between two bounds, such as a probability."""

    out_of_range = Signal(str, str)
    """A number was typed that is not allowed: from and to which they are."""

    def __init__(self, info: SettingInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(2)
        self.setSingleStep(0.05)
        self.setRange(
            info.minimum if info.minimum is not None else -(2.0**31),
            info.maximum if info.maximum is not None else 2.0**31,
        )
        self.setKeyboardTracking(False)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft)
        pad_spin_box(self)
        WheelGuard(self)
        self.lineEdit().textEdited.connect(self._look)

    def validate(self, text: str, position: int) -> object:
        state = super().validate(text, position)
        number = self._number(text)
        # Qt takes no key that leads beyond the bounds: who presses it would not know why.
        if number is not None and not self.minimum() <= number <= self.maximum():
            return QValidator.State.Intermediate, text, position
        return state

    def _number(self, text: str) -> float | None:
        number, right = self.locale().toDouble(text.strip())
        return number if right else None

    def _tell_bounds(self) -> None:
        least, most = (self.locale().toString(bound, "g") for bound in (self.minimum(), self.maximum()))
        self.out_of_range.emit(least, most)


class ChoiceBox(QComboBox):
    """One of several."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        WheelGuard(self)


class DeviceBox(ChoiceBox):
    """Where models run: automatic, the CPU, each graphics card by its name and memory.

    What there is comes later through ``set_devices``: asking the driver takes too long for a window that
    opens. A device that was chosen and is not there stays in the list and says so.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._devices: list[tuple[str, str]] | None = None
        self._value = "auto"
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        # A card's name can be longer than there is room beside the words; the list shows it whole.
        self.setMaximumWidth(220)
        self._fill()

    def set_devices(self, devices: Sequence[Device]) -> None:
        """Show what this machine has."""
        titles = [device_title(device) for device in devices]
        named = [
            # Two equal cards are told apart by their numbers.
            (device.name, f"{title} · {device.name}" if titles.count(title) > 1 else title)
            for device, title in zip(devices, titles, strict=True)
        ]
        # Free memory changes all the time: what is shown does not, and an open list must not jump.
        if named != self._devices:
            self._devices = named
            self._fill()

    def show_value(self, value: str) -> None:
        self._value = value
        self._fill()

    def _fill(self) -> None:
        self.blockSignals(True)
        self.clear()
        self.addItem(self.tr("Automatic"), "auto")
        for name, title in self._devices or ():
            self.addItem(title, name)
        if self._devices is None:
            self.addItem(device_word("cpu"), "cpu")
        # "cuda" is how the command line and the environment call the first card.
        wanted = "cuda:0" if self._value == "cuda" else self._value
        if self.findData(wanted) < 0:
            absent = self.tr("{0} (not here)").format(self._value)
            self.addItem(self._value if self._devices is None else absent, self._value)
            wanted = self._value
        self.setCurrentIndex(self.findData(wanted))
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 4 * STEP)
        self.blockSignals(False)


class _Field(QWidget):
    """A line to type in, with a button beside it."""

    changed = Signal(str)
    """What was typed or chosen."""

    def __init__(self, info: SettingInfo, button: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = QLineEdit()
        self.line.editingFinished.connect(lambda: self._finish(self.line.text()))
        self.button = QPushButton(button)
        self._title = translated(info.title)
        for part in (self.line, self.button):
            part.setAccessibleName(self._title if part is self.line else f"{button} {self._title}")
        self.line.setAccessibleDescription(translated(info.description))
        self.button.clicked.connect(self._press)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * STEP)
        layout.addWidget(self.line, 1)
        layout.addWidget(self.button)
        self.setFocusProxy(self.line)

    def show_value(self, value: str) -> None:
        # While someone types, what is there already is not written over.
        if self.line.text() != value:
            self.line.setText(value)

    def set_placeholder(self, text: str) -> None:
        """What an empty line stands for."""
        self.line.setPlaceholderText(text)

    def _finish(self, text: str) -> None:
        self.changed.emit(text.strip())

    def _press(self) -> None:
        raise NotImplementedError


class ModelField(_Field):
    """A model by its name, a hub id or a folder; the button asks for the window with all of them."""

    change_requested = Signal(str)
    """The setting's key."""

    def __init__(self, info: SettingInfo, parent: QWidget | None = None) -> None:
        super().__init__(info, self.tr("Change…"), parent)
        self._key = info.key

    def _press(self) -> None:
        self.change_requested.emit(self._key)


class FolderField(_Field):
    """A folder; empty for the one that is usual."""

    def __init__(self, info: SettingInfo, parent: QWidget | None = None) -> None:
        super().__init__(info, self.tr("Browse…"), parent)

    def _press(self) -> None:
        start = self.line.text() or self.line.placeholderText() or str(Path.home())
        dialog = QFileDialog(self, self._title, start)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._finish)
        dialog.open()
