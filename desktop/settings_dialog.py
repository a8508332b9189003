"""The settings: a form made from ``core.settings``, which alone knows what settings there are."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QValidator
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from core import __version__
from core.errors import YomitoriError
from core.paths import Paths
from core.settings import SettingInfo, Settings, SettingsStore, iter_settings, value_of
from desktop.key_recorder import KeyRecorder
from desktop.texts import error_hint, error_sentence
from desktop.theme import STEP, Theme, pad_spin_box, set_kind, set_role


def _translated(text: str) -> str:
    """A title, description or label of ``core.settings`` in the user's language."""
    return QCoreApplication.translate("settings", text) if text else ""


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
        return QSize(42, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF((self.width() - 34) / 2, (self.height() - 20) / 2, 34, 20)
        on = self.isChecked()
        fill = "accent" if on else "control_line"
        if not self.isEnabled():
            fill = "line"
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.color(fill))
        painter.drawRoundedRect(track, 10, 10)
        painter.setBrush(tokens.color("on_accent" if on and self.isEnabled() else "bg"))
        left = track.right() - 17 if on else track.left() + 3
        painter.drawEllipse(QRectF(left, track.top() + 3, 14, 14))
        if self.hasFocus():
            painter.setPen(QPen(tokens.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(track.adjusted(-3, -3, 3, 3), 13, 13)
        painter.end()


class AmountBox(QSpinBox):
    """A whole number with its unit; some numbers are shown as words ("Never")."""

    def __init__(self, info: SettingInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._unit = _translated(info.unit)
        self._words = {number: _translated(word) for number, word in info.special.items()}
        self.setRange(
            info.minimum if info.minimum is not None else -(2**31),
            info.maximum if info.maximum is not None else 2**31 - 1,
        )
        self.setKeyboardTracking(False)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft)
        self.setStepType(
            QSpinBox.StepType.AdaptiveDecimalStepType
            if self.maximum() > 1000
            else QSpinBox.StepType.DefaultStepType
        )
        pad_spin_box(self)

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


class SettingRow(QWidget):
    """One setting: title, description, what is true about it now, and its control."""

    recording_changed = Signal(bool)

    def __init__(
        self, info: SettingInfo, store: SettingsStore, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.info = info
        self._store = store
        title = _translated(info.title)
        description = _translated(info.description)
        self._haystack = f"{title}\n{description}\n{info.title}\n{info.description}".casefold()

        self.title = QLabel(title)
        set_role(self.title, "strong")
        self._description = QLabel(description)
        set_role(self._description, "muted")
        self._note = QLabel()
        set_role(self._note, "muted")
        self._error = QLabel()
        set_role(self._error, "bad")
        self.restore = QPushButton(self.tr("Restore default"))
        set_kind(self.restore, "ghost")
        self.restore.setAccessibleName(self.tr("Restore default: {0}").format(title))
        self.restore.clicked.connect(self._restore)

        self.control, self._show_value = self._make_control(theme)
        self.control.setAccessibleName(title)
        self.control.setAccessibleDescription(description)
        self.title.setBuddy(self.control)

        words = QVBoxLayout()
        words.setSpacing(2)
        for label in (self.title, self._description, self._note, self._error):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            words.addWidget(label)
        words.addStretch(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 3 * STEP, 0, 3 * STEP)
        layout.setSpacing(3 * STEP)
        layout.addLayout(words, 1)
        # The control comes first for the Tab key, "Restore default" after it.
        side = QVBoxLayout()
        side.setSpacing(STEP)
        side.addWidget(self.control, 0, Qt.AlignmentFlag.AlignRight)
        side.addWidget(self.restore, 0, Qt.AlignmentFlag.AlignRight)
        side.addStretch(1)
        layout.addLayout(side)
        self.set_note("")
        self._say("")
        self.refresh()

    def matches(self, words: list[str]) -> bool:
        """Whether title or description contain every one of the case-folded ``words``."""
        return all(word in self._haystack for word in words)

    def refresh(self) -> None:
        """Show the value in force, and what set it where it cannot be changed here."""
        value = value_of(self._store.current, self.info.key)
        self.control.blockSignals(True)
        self._show_value(value)
        self.control.blockSignals(False)
        source = self._store.overridden.get(self.info.key)
        self.control.setEnabled(source is None)
        self.restore.setVisible(source is None and value != self.info.default)
        if source is not None:
            self._say(self.tr("Set by {0} for this run.").format(source), "muted")

    def set_note(self, text: str, role: str = "muted") -> None:
        """A live fact under the description; empty for none, ``bad`` for a problem."""
        set_role(self._note, role)
        self._note.setText(text)
        self._note.setVisible(bool(text))

    def _make_control(self, theme: Theme) -> tuple[QWidget, Callable[[object], None]]:
        info = self.info
        if info.kind == "bool":
            switch = Switch(theme)
            switch.toggled.connect(self._change)
            return switch, lambda value: switch.setChecked(bool(value))
        if info.kind == "int":
            amount = AmountBox(info)
            amount.valueChanged.connect(self._change)
            amount.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            amount.installEventFilter(self)
            return amount, lambda value: amount.setValue(int(str(value)))
        if info.kind == "choice":
            combo = QComboBox()
            for key, label in info.labels.items():
                combo.addItem(_translated(label), key)
            combo.currentIndexChanged.connect(lambda index: self._change(combo.itemData(index)))
            combo.view().setAccessibleName(_translated(info.title))
            combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            combo.installEventFilter(self)
            return combo, lambda value: combo.setCurrentIndex(combo.findData(value))
        if info.kind == "hotkey":
            recorder = KeyRecorder()
            recorder.set_accessible(_translated(info.title), _translated(info.description))
            recorder.recorded.connect(self._change)
            recorder.refused.connect(self._say)
            recorder.recording_changed.connect(self.recording_changed)
            return recorder, lambda value: recorder.set_combination(str(value))
        line = QLineEdit()
        line.setMinimumWidth(200)
        line.editingFinished.connect(lambda: self._change(line.text()))
        return line, lambda value: line.setText(str(value))

    def _change(self, value: object) -> None:
        if value == value_of(self._store.current, self.info.key):
            self._say("")
            return
        self._attempt(lambda: self._store.set(self.info.key, value))

    def _restore(self) -> None:
        # The button goes when it has done its work; the keyboard stays at the setting.
        self.control.setFocus()
        self._attempt(lambda: self._store.reset(self.info.key))

    def _attempt(self, change: Callable[[], None]) -> None:
        self._say("")
        try:
            change()
        except YomitoriError as error:
            self._say(f"{error_sentence(error)} {error_hint(error)}")
        self.refresh()

    def _say(self, text: str, role: str = "bad") -> None:
        set_role(self._error, role)
        self._error.setText(text)
        self._error.setVisible(bool(text))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The wheel scrolls the page; it must not change what happens to lie under the pointer.
        if event.type() == QEvent.Type.Wheel and not self.control.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


class _Page(QScrollArea):
    """One group: its title and its rows, or other widgets."""

    def __init__(self, title: str, widgets: list[QWidget]) -> None:
        super().__init__()
        self.title = title
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows = [widget for widget in widgets if isinstance(widget, SettingRow)]
        self._lines: dict[SettingRow, QFrame] = {}
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(22, 18, 22, 18)
        layout.setSpacing(0)
        heading = QLabel(title)
        set_role(heading, "title")
        layout.addWidget(heading)
        layout.addSpacing(STEP)
        for widget in widgets:
            layout.addWidget(widget)
            if isinstance(widget, SettingRow):
                line = QFrame()
                set_role(line, "line")
                layout.addWidget(line)
                self._lines[widget] = line
        layout.addStretch(1)
        self.setWidget(content)

    def filter(self, words: list[str]) -> bool:
        """Show the rows that match; whether there are any. A match of the title shows all."""
        folded = self.title.casefold()
        whole = all(word in folded for word in words)
        shown = [row for row in self.rows if whole or row.matches(words)]
        last = shown[-1] if shown else None
        for row in self.rows:
            row.setVisible(row in shown)
            self._lines[row].setVisible(row in shown and row is not last)
        return whole or bool(shown)


class SettingsDialog(QDialog):
    """Edits every setting of ``store``; each change is in force at once.

    ``row_notes(key)`` tells what is true about a setting now ("In use: CPU") and its role (``muted``,
    ``bad``), or an empty text.
    """

    recording_changed = Signal(bool)
    """A key field waits for keys: hotkeys that are taken everywhere should be let go meanwhile."""

    def __init__(
        self,
        store: SettingsStore,
        theme: Theme,
        paths: Paths,
        row_notes: Callable[[str], tuple[str, str]] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Settings"))
        self._row_notes = row_notes
        self.rows: dict[str, SettingRow] = {}
        groups: dict[str, list[QWidget]] = {}
        for info in iter_settings():
            row = SettingRow(info, store, theme)
            row.recording_changed.connect(self.recording_changed)
            self.rows[info.key] = row
            groups.setdefault(_translated(info.group_title), []).append(row)

        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search settings"))
        self.search.setAccessibleName(self.tr("Search settings"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.navigation = QListWidget()
        self.navigation.setAccessibleName(self.tr("Groups of settings"))
        self.navigation.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        set_role(self.navigation, "nav")
        self.navigation.currentRowChanged.connect(self._open_page)

        self._pages = [_Page(title, rows) for title, rows in groups.items()]
        self._pages.append(_Page(self.tr("About"), [self._about(paths)]))
        self._nothing = QLabel()
        set_role(self._nothing, "muted")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.setTextFormat(Qt.TextFormat.PlainText)
        self.stack = QStackedWidget()
        for page in self._pages:
            self.stack.addWidget(page)
            self.navigation.addItem(QListWidgetItem(page.title))
        self.stack.addWidget(self._nothing)

        side = QFrame()
        side.setFixedWidth(176)
        left = QVBoxLayout(side)
        left.setContentsMargins(2 * STEP, 3 * STEP, 2 * STEP, 3 * STEP)
        left.setSpacing(2 * STEP)
        left.addWidget(self.search)
        left.addWidget(self.navigation, 1)
        side.setAutoFillBackground(True)
        side.setBackgroundRole(side.palette().ColorRole.Base)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(side)
        edge = QFrame()
        edge.setFixedWidth(1)
        edge.setAutoFillBackground(True)
        edge.setBackgroundRole(edge.palette().ColorRole.Midlight)
        layout.addWidget(edge)
        layout.addWidget(self.stack, 1)

        self._unsubscribe = store.subscribe(self._settings_changed)
        self.finished.connect(self._end)
        self.resize(780, 540)
        self.navigation.setCurrentRow(0)
        self._filter("")
        self.refresh_notes()

    def refresh_notes(self) -> None:
        """Ask ``row_notes`` again for every setting."""
        if self._row_notes is not None:
            for key, row in self.rows.items():
                row.set_note(*self._row_notes(key))

    def open_group(self, title: str) -> None:
        """Show the page with this (translated) title."""
        for index, page in enumerate(self._pages):
            if page.title == title:
                self.search.clear()
                self.navigation.setCurrentRow(index)

    def _settings_changed(self, settings: Settings) -> None:
        for row in self.rows.values():
            row.refresh()
        self.refresh_notes()

    def _end(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _open_page(self, index: int) -> None:
        if index >= 0:
            self.stack.setCurrentIndex(index)

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        found = [page.filter(words) for page in self._pages]
        for index, has_some in enumerate(found):
            self.navigation.item(index).setHidden(not has_some)
        if not any(found):
            self._nothing.setText(self.tr("Nothing found for “{0}”.").format(text.strip()))
            self.stack.setCurrentWidget(self._nothing)
            return
        current = self.navigation.currentRow()
        if current < 0 or not found[current]:
            current = found.index(True)
            self.navigation.setCurrentRow(current)
        self.stack.setCurrentIndex(current)

    def _about(self, paths: Paths) -> QWidget:
        page = QWidget()
        grid = QGridLayout(page)
        grid.setContentsMargins(0, 3 * STEP, 0, 0)
        grid.setHorizontalSpacing(5 * STEP)
        grid.setVerticalSpacing(3 * STEP)
        grid.setColumnStretch(1, 1)
        facts = (
            (self.tr("Version"), f"Yomitori {__version__}"),
            (self.tr("Licence"), "MIT"),
            (self.tr("Settings"), str(paths.settings_file)),
            (self.tr("History"), str(paths.history_file)),
            (self.tr("Cache"), str(paths.cache)),
            (self.tr("Log"), str(paths.log_file)),
        )
        for line, (name, value) in enumerate(facts):
            label, text = QLabel(name), QLabel(value)
            set_role(label, "muted")
            text.setTextFormat(Qt.TextFormat.PlainText)
            text.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            text.setWordWrap(True)
            text.setAccessibleName(f"{name}: {value}")
            grid.addWidget(label, line, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(text, line, 1)
        return page
