"""How one conversation is answered: a popover with presets, sampling and the system prompt."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QHideEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QRegularExpressionValidator,
    QResizeEvent,
    QTextCursor,
)
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from core.chat import GenerationOptions
from core.errors import SettingsError, StorageError, YomitoriError
from core.presets import Preset, PresetLibrary
from core.settings import find_setting
from desktop.keyboard import keyboard_stays, presses
from desktop.pointer import forget_pointer
from desktop.prompt_texts import preset_name
from desktop.setting_controls import AmountBox, ChoiceBox, NumberBox, translated
from desktop.texts import error_hint, error_sentence
from desktop.theme import STEP, Theme, set_kind, set_role

_WIDTH = 92 * STEP
"""Of what is inside the margins, in logical pixels."""
_LONGEST_NAME = 60


class AskOptions(QWidget):
    """Edits the options of one conversation; each change is in force at once.

    Give it what the conversation has with ``set_options``, then ``open_at`` a button.
    """

    changed = Signal()
    """The user has changed ``options()`` or ``system()``."""

    def __init__(self, theme: Theme, presets: PresetLibrary, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self._theme = theme
        self._presets = presets
        self._options = presets.as_in_settings().options
        self._deleted: Preset | None = None
        self._anchor: QWidget | None = None
        self._before: QWidget | None = None
        self._above = False
        self.setAccessibleName(self.tr("Options for this conversation"))
        theme.changed.connect(self.update)
        self._make_presets()
        self._make_values()
        self._make_system()
        self._make_ends()
        self._lay_out()
        self.set_options(self._options, "")

    # ---- parts

    def _make_presets(self) -> None:
        self.preset = ChoiceBox()
        self.preset.setAccessibleName(self.tr("Preset"))
        self.preset.view().setAccessibleName(self.tr("Preset"))
        self.preset.setPlaceholderText(self.tr("Own values"))
        self.preset.setMinimumContentsLength(12)
        self.preset.setSizeAdjustPolicy(
            ChoiceBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon,
        )
        # "activated" also tells of the choice that was there: chosen again, it takes changes back.
        self.preset.activated.connect(self._take_preset)
        self.delete = QPushButton(self.tr("Delete"))
        set_kind(self.delete, "ghost")
        self.delete.setAccessibleName(self.tr("Delete this preset"))
        self.delete.clicked.connect(self._delete_preset)
        # It comes and goes: nothing beside it may move.
        policy = self.delete.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.delete.setSizePolicy(policy)

    def _make_values(self) -> None:
        self.temperature = NumberBox(find_setting("vision.temperature"))
        self.top_p = NumberBox(find_setting("vision.top_p"))
        self.max_tokens = AmountBox(find_setting("vision.max_tokens"))
        self.seed = QLineEdit()
        # Fewer digits than the largest seed has: whatever can be typed is one.
        self.seed.setValidator(QRegularExpressionValidator("[0-9]{0,9}", self.seed))
        self.seed.setPlaceholderText(self.tr("Anew each time"))
        for box in (self.temperature, self.top_p, self.max_tokens):
            box.valueChanged.connect(self._value_changed)
        self.seed.textEdited.connect(self._seed_changed)

    def _make_system(self) -> None:
        self.system_text = QPlainTextEdit()
        self.system_text.setTabChangesFocus(True)
        self.system_text.setFixedSize(_WIDTH, 22 * STEP)
        self.system_text.setPlaceholderText(self.tr("None. Example: Answer in one sentence."))
        self.system_text.textChanged.connect(self._system_changed)

    def _make_ends(self) -> None:
        self.save = QPushButton(self.tr("Save as preset…"))
        self.save.clicked.connect(self._begin_naming)
        self.as_in_settings = QPushButton(self.tr("As in settings"))
        set_kind(self.as_in_settings, "ghost")
        self.as_in_settings.clicked.connect(self._take_settings)
        self.name = QLineEdit()
        self.name.setMaxLength(_LONGEST_NAME)
        self.name.setPlaceholderText(self.tr("Name of the preset"))
        self.name.setAccessibleName(self.tr("Name of the preset"))
        self.name.textChanged.connect(self._show_naming)
        self.keep = QPushButton(self.tr("Save"))
        set_kind(self.keep, "primary")
        self.keep.clicked.connect(self._save_preset)
        self.cancel = QPushButton(self.tr("Cancel"))
        set_kind(self.cancel, "ghost")
        self.cancel.clicked.connect(self._end_naming)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.undo = QPushButton(self.tr("Undo"))
        self.undo.clicked.connect(self._undo)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * STEP)
        grid.setVerticalSpacing(2 * STEP)
        grid.setColumnStretch(0, 1)
        top = QHBoxLayout()
        top.setSpacing(STEP)
        top.addWidget(self.preset, 1)
        top.addWidget(self.delete)
        preset = QLabel(self.tr("Preset"))
        preset.setBuddy(self.preset)
        grid.addWidget(preset, 0, 0)
        grid.addLayout(top, 0, 1)
        fields: tuple[tuple[QWidget, str, str], ...] = (
            *(
                (widget, translated(info.title), translated(info.description))
                for widget, info in (
                    (self.temperature, find_setting("vision.temperature")),
                    (self.top_p, find_setting("vision.top_p")),
                    (self.max_tokens, find_setting("vision.max_tokens")),
                )
            ),
            (
                self.seed,
                self.tr("Seed"),
                self.tr("The same number gives the same answer on the same computer."),
            ),
        )
        for line, (widget, title, description) in enumerate(fields, start=1):
            label = QLabel(title)
            label.setBuddy(widget)
            widget.setAccessibleName(title)
            widget.setAccessibleDescription(description)
            for part in (label, widget):
                part.setToolTip(description)
            grid.addWidget(label, line, 0)
            grid.addWidget(widget, line, 1)
        system = QLabel(self.tr("System prompt"))
        system.setBuddy(self.system_text)
        self.system_text.setAccessibleName(system.text())
        what = self.tr("What the model is told before the conversation.")
        self.system_text.setAccessibleDescription(what)
        for part in (system, self.system_text):
            part.setToolTip(what)
        ends = QHBoxLayout()
        ends.setSpacing(2 * STEP)
        ends.addWidget(self.name, 1)
        for button in (self.keep, self.cancel, self.save):
            ends.addWidget(button)
        ends.addStretch(0)
        ends.addWidget(self.as_in_settings)
        told = QHBoxLayout()
        told.setSpacing(2 * STEP)
        told.addWidget(self.note, 1)
        told.addWidget(self.undo)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * STEP, 4 * STEP, 4 * STEP, 4 * STEP)
        layout.setSpacing(2 * STEP)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        layout.addLayout(grid)
        layout.addSpacing(STEP)
        layout.addWidget(system)
        layout.addWidget(self.system_text)
        layout.addSpacing(STEP)
        layout.addLayout(ends)
        layout.addLayout(told)

    # ---- what a caller uses

    def set_options(self, options: GenerationOptions, system: str) -> None:
        """Show what a conversation has; ``changed`` is not emitted."""
        self._options = options
        for box, value in (
            (self.temperature, options.temperature),
            (self.top_p, options.top_p),
            (self.max_tokens, options.max_tokens),
        ):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        seed = "" if options.seed is None else str(options.seed)
        if self.seed.text() != seed:
            self.seed.setText(seed)
        if self.system() != system:
            self.system_text.blockSignals(True)
            self.system_text.setPlainText(system)
            self.system_text.blockSignals(False)
        self._show_presets()

    def options(self) -> GenerationOptions:
        """What the conversation has now."""
        return self._options

    def system(self) -> str:
        """The system prompt, empty for none."""
        return self.system_text.toPlainText()

    def open_at(self, anchor: QWidget) -> None:
        """Open below ``anchor``, or above it where there is more room, with the keyboard in it.

        Closed, it gives the keyboard back to what had it in the window of ``anchor``.
        """
        self._anchor, self._before = anchor, anchor.window().focusWidget()
        self._say("")
        self._end_naming()
        self._show_presets()
        self.adjustSize()
        self._place(anchor)
        self.show()
        self.preset.setFocus(Qt.FocusReason.PopupFocusReason)

    # ---- what the user does

    def _value_changed(self) -> None:
        # Only what was changed: a value with more decimals than a box shows stays as it was.
        old = self._options
        changes: dict[str, float | int] = {}
        for name, box in (("temperature", self.temperature), ("top_p", self.top_p)):
            value = round(box.value(), box.decimals())
            if value != round(getattr(old, name), box.decimals()):
                changes[name] = value
        if self.max_tokens.value() != old.max_tokens:
            changes["max_tokens"] = self.max_tokens.value()
        self._change(replace(old, **changes))

    def _seed_changed(self, text: str) -> None:
        self._change(replace(self._options, seed=int(text) if text else None))

    def _change(self, options: GenerationOptions) -> None:
        if options != self._options:
            self._options = options
            self._show_presets()
            self.changed.emit()

    def _system_changed(self) -> None:
        self._show_presets()
        self.changed.emit()

    def _take_preset(self, index: int) -> None:
        self._take(cast(Preset, self.preset.itemData(index)))

    def _take_settings(self) -> None:
        self._take(self._presets.as_in_settings(), clear=True)

    def _take(self, preset: Preset, clear: bool = False) -> None:
        """A preset without a system prompt leaves one that the user has written here; ``clear``: none."""
        before = (self._options, self.system())
        system = preset.system
        if not system and not clear and not self._from_preset(self.system()):
            system = self.system()
        self._say("")
        self._replace_system(system)
        self.set_options(preset.options, system)
        if (self._options, system) != before:
            self.changed.emit()

    def _replace_system(self, system: str) -> None:
        """As if it was typed: Ctrl+Z in the field brings back what was there."""
        if system == self.system():
            return
        self.system_text.blockSignals(True)
        cursor = self.system_text.textCursor()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(system)
        self.system_text.blockSignals(False)

    def _from_preset(self, system: str) -> bool:
        return any(preset.system == system for preset in self._presets.presets())

    def _begin_naming(self) -> None:
        self._say("")
        self._show_ends(naming=True)
        current = self._current()
        self.name.setText(current.name if current is not None and not current.key else "")
        self.name.selectAll()
        self.name.setFocus(Qt.FocusReason.OtherFocusReason)
        self._show_naming()

    def _end_naming(self) -> None:
        self._show_ends(naming=False)

    def _show_ends(self, naming: bool) -> None:
        with keyboard_stays(self, lambda _: self.save):
            for widget in (self.save, self.as_in_settings):
                widget.setVisible(not naming)
            for widget in (self.name, self.keep, self.cancel):
                widget.setVisible(naming)

    def _show_naming(self) -> None:
        """The button says what it will do: a name that is there already is taken over."""
        name = " ".join(self.name.text().split())
        known = any(not preset.key and preset.name == name for preset in self._presets.presets())
        self.keep.setText(self.tr("Replace") if known else self.tr("Save"))
        self.keep.setEnabled(bool(name))

    def _save_preset(self) -> None:
        name = " ".join(self.name.text().split())
        if not name:
            return
        shown = [preset_name(preset).casefold() for preset in self._presets.presets() if preset.key]
        try:
            if name.casefold() in shown:
                raise SettingsError(key="preset", value=name)
            self._presets.save(name, self._options, self.system())
        except SettingsError:
            self._say(self.tr("A built-in preset is called “{0}”. Choose another name.").format(name), "bad")
            self.name.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        except StorageError as error:
            self._say_error(error)
        else:
            self._say(self.tr("“{0}” saved.").format(name))
        self._end_naming()
        self._show_presets()

    def _delete_preset(self) -> None:
        preset = self._current()
        if preset is None or preset.key:
            return
        self._say(self.tr("“{0}” deleted.").format(preset.name))
        try:
            self._presets.delete(preset.name)
        except StorageError as error:
            self._say_error(error)
        self._deleted = preset
        self.undo.show()
        self._show_presets()

    def _undo(self) -> None:
        preset = self._deleted
        with keyboard_stays(self, lambda _: self.preset):
            self._say("")
        if preset is None:
            return
        try:
            self._presets.save(preset.name, preset.options, preset.system)
        except YomitoriError as error:
            self._say_error(error)
        self._show_presets()

    # ---- what is shown

    def _current(self) -> Preset | None:
        """The preset whose values these are."""
        system = self.system()
        equal = [preset for preset in self._presets.presets() if preset.options == self._options]
        own = [preset for preset in equal if preset.system == system]
        # A system prompt written here does not make a built-in preset another one.
        return next(iter(own), None) or next((preset for preset in equal if preset.key), None)

    def _show_presets(self) -> None:
        self.preset.blockSignals(True)
        self.preset.clear()
        for preset in self._presets.presets():
            self.preset.addItem(preset_name(preset), preset)
        current = self._current()
        names = [(preset.key, preset.name) for preset in self._presets.presets()]
        self.preset.setCurrentIndex(-1 if current is None else names.index((current.key, current.name)))
        self.preset.blockSignals(False)
        with keyboard_stays(self, lambda _: self.preset):
            self.delete.setVisible(current is not None and not current.key)

    def _say(self, text: str, role: str = "muted") -> None:
        self._deleted = None
        self.undo.hide()
        set_role(self.note, role)
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _say_error(self, error: YomitoriError) -> None:
        self._say(f"{error_sentence(error)} {error_hint(error)}", "bad")

    def _place(self, anchor: QWidget) -> None:
        place = QRect(anchor.mapToGlobal(QPoint(0, 0)), anchor.size())
        room = anchor.screen().availableGeometry()
        below, above = room.bottom() - place.bottom(), place.top() - room.top()
        top = place.bottom() + STEP
        self._above = self.height() + STEP > below and above > below
        if self._above:
            top = place.top() - STEP - self.height()
        left = place.left() if place.left() + self.width() <= room.right() else place.right() - self.width()
        left = max(room.left(), min(left, room.right() - self.width()))
        top = max(room.top(), min(top, room.bottom() - self.height()))
        self.move(left, top)

    # ---- the window

    def event(self, event: QEvent) -> bool:
        # A note that comes or goes changes the height: what does not fit below any more moves up.
        if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            done = super().event(event)
            room = self.screen().availableGeometry()
            if self.geometry().bottom() > room.bottom():
                self.move(self.x(), max(room.top(), room.bottom() - self.height()))
            return done
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Above its button it grows upwards: it would cover that.
        if self._above and self.isVisible():
            top = self.y() + event.oldSize().height() - event.size().height()
            self.move(self.x(), max(self.screen().availableGeometry().top(), top))

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        anchor, before = self._anchor, self._before
        self._anchor = self._before = None
        if anchor is not None and isValid(anchor):
            forget_pointer(anchor)
        # It may be gone by now, as an answer that was deleted.
        if before is not None and isValid(before) and before.isVisible() and before.isEnabled():
            before.setFocus(Qt.FocusReason.PopupFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        focused = self.focusWidget()
        if event.key() == Qt.Key.Key_Escape:
            if self.name.isVisible():
                self._end_naming()
                self._say("")
            else:
                self.close()
        elif presses(event):
            if focused is self.name:
                self._save_preset()
            elif isinstance(focused, QPushButton):
                focused.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.fillRect(self.rect(), tokens.color("control_line"))
        painter.fillRect(self.rect().adjusted(1, 1, -1, -1), tokens.color("raised"))
        painter.end()
