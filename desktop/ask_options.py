"""How one conversation is answered: a popover with presets, sampling and the system prompt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QHideEvent,
    QKeyEvent,
    QKeySequence,
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
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from core.chat import GenerationOptions
from core.errors import YomitoriError
from core.presets import Preset, PresetLibrary
from core.settings import find_setting
from desktop.keyboard import keyboard_stays, presses
from desktop.pointer import forget_pointer
from desktop.prompt_texts import preset_name
from desktop.setting_controls import AmountBox, ChoiceBox, NumberBox, translated
from desktop.texts import error_hint, error_sentence
from desktop.theme import STEP, Theme, set_kind, set_role

_WIDTH = 92 * STEP
"""Of what is inside the margins where there is room, in logical pixels."""
_MARGIN = 4 * STEP
_NARROWEST = 76 * STEP
"""With its margins; a window that has not even this room is not kept to."""
_SYSTEM_HEIGHT, _LEAST_SYSTEM_HEIGHT = 22 * STEP, 12 * STEP
_LEAST_FIELD = 30 * STEP
_LONGEST_NAME = 60


class AskOptions(QWidget):
    """Edits the options of one conversation; each change is in force at once.

    Give it what the conversation has with ``set_options``, then ``open_at`` a button.
    """

    changed = Signal()
    """The user has changed ``options()``, ``system()`` or ``chosen()``."""

    def __init__(self, theme: Theme, presets: PresetLibrary, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self._theme = theme
        self._presets = presets
        self._options = presets.as_in_settings().options
        self._chosen = ""
        self._back: Callable[[], Preset] | None = None
        self._range_told = False
        self._renamed: Preset | None = None
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
        self.preset.setMinimumContentsLength(8)
        self.preset.setSizeAdjustPolicy(
            ChoiceBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon,
        )
        # "activated" also tells of the choice that was there: chosen again, it takes changes back.
        self.preset.activated.connect(self._take_preset)
        for part in (self.preset, self.preset.view()):
            part.installEventFilter(self)
        self.rename = QPushButton(self.tr("Rename…"))
        self.rename.clicked.connect(lambda: self._begin_renaming(self._current()))
        self.delete = QPushButton(self.tr("Delete"))
        self.delete.clicked.connect(lambda: self._delete_preset(self._current()))
        for button, name in (
            (self.rename, self.tr("Rename this preset")),
            (self.delete, self.tr("Delete this preset")),
        ):
            set_kind(button, "ghost")
            button.setAccessibleName(name)

    def _make_values(self) -> None:
        self.temperature = NumberBox(find_setting("vision.temperature"))
        self.top_p = NumberBox(find_setting("vision.top_p"))
        self.max_tokens = AmountBox(find_setting("vision.max_tokens"))
        self.seed = QLineEdit()
        # Fewer digits than the largest seed has: whatever can be typed is one.
        self.seed.setValidator(QRegularExpressionValidator("[0-9]{0,9}", self.seed))
        self.seed.setPlaceholderText(self.tr("Anew each time"))
        for box, key in (
            (self.temperature, "vision.temperature"),
            (self.top_p, "vision.top_p"),
            (self.max_tokens, "vision.max_tokens"),
        ):
            box.valueChanged.connect(self._value_changed)
            box.out_of_range.connect(partial(self._tell_range, translated(find_setting(key).title)))
            box.lineEdit().textEdited.connect(partial(self._forget_range, box))
        self.seed.textEdited.connect(self._seed_changed)

    def _make_system(self) -> None:
        self.system_text = QPlainTextEdit()
        self.system_text.setTabChangesFocus(True)
        self.system_text.setFixedSize(_WIDTH, _SYSTEM_HEIGHT)
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
        self.keep.clicked.connect(self._keep_name)
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
        grid.setColumnStretch(1, 1)
        preset = QLabel(self.tr("Preset"))
        preset.setBuddy(self.preset)
        grid.addWidget(preset, 0, 0)
        grid.addWidget(self.preset, 0, 1)
        for field in (self.preset, self.temperature, self.top_p, self.max_tokens, self.seed):
            # They ask for room for values that no one gives them.
            field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            field.setMinimumWidth(_LEAST_FIELD)
        own = QHBoxLayout()
        own.setSpacing(STEP)
        own.addStretch(1)
        own.addWidget(self.rename)
        own.addWidget(self.delete)
        grid.addLayout(own, 1, 0, 1, 2)
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
        for line, (widget, title, description) in enumerate(fields, start=2):
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
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
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

    def set_options(self, options: GenerationOptions, system: str, chosen: str = "") -> None:
        """Show what a conversation has; ``changed`` is not emitted.

        ``chosen`` is the id of the preset that these come from, empty for one that is not known: it is shown
        among those with equal values.
        """
        self._options, self._chosen = options, chosen
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

    def chosen(self) -> str:
        """The id of the preset that was chosen last, whether or not its values were changed since."""
        return self._chosen

    def open_at(self, anchor: QWidget) -> None:
        """Open below ``anchor``, or above it where there is more room, with the keyboard in it. It is as wide
        as the window of ``anchor`` at most, and lies above that.

        Closed, it gives the keyboard back to what had it in the window of ``anchor``.
        """
        self._anchor, self._before = anchor, anchor.window().focusWidget()
        self._say("")
        self._end_naming()
        self._show_presets()
        self._fit(_room(anchor))
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
        before = (self._current(), self._options, self.system())
        system = preset.system
        if not system and not clear and not self._from_preset(self.system()):
            system = self.system()
        self._say("")
        self._replace_system(system)
        self.set_options(preset.options, system, preset.id)
        if (self._current(), self._options, system) != before:
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
        # Values of a preset that were changed are most often meant for that preset.
        last = next((preset for preset in self._own() if preset.id == self._chosen), None)
        self._name_for(None, last.name if last is not None else "")

    def _begin_renaming(self, preset: Preset | None) -> None:
        if preset is not None and not preset.key:
            self._name_for(preset, preset.name)

    def _name_for(self, renamed: Preset | None, name: str) -> None:
        self._renamed = renamed
        self._say("")
        self._show_ends(naming=True)
        self.name.setText(name)
        self.name.selectAll()
        self.name.setFocus(Qt.FocusReason.OtherFocusReason)
        self._show_naming()

    def _end_naming(self) -> None:
        refuge = self.save if self._renamed is None else self.preset
        self._renamed = None
        self._show_ends(naming=False, refuge=refuge)

    def _show_ends(self, naming: bool, refuge: QWidget | None = None) -> None:
        with keyboard_stays(self, lambda _: refuge):
            usual, for_name = (self.save, self.as_in_settings), (self.name, self.keep, self.cancel)
            # Never all at once: for a moment they would need more width.
            for widget in usual if naming else for_name:
                widget.hide()
            for widget in for_name if naming else usual:
                widget.show()

    def _show_naming(self) -> None:
        """The button says what it will do: a name that is there already is taken over."""
        name = " ".join(self.name.text().split())
        known = any(preset.name == name for preset in self._own())
        if self._renamed is not None:
            words = self.tr("Rename")
        else:
            words = self.tr("Replace") if known else self.tr("Save")
        self.keep.setText(words)
        self.keep.setEnabled(bool(name))

    def _keep_name(self) -> None:
        """Save or rename, under the name in the field."""
        name = " ".join(self.name.text().split())
        renamed = self._renamed
        if not name:
            return
        if any(
            preset.key and preset_name(preset).casefold() == name.casefold()
            for preset in self._presets.presets()
        ):
            self._refuse_name(self.tr("A built-in preset is called “{0}”. Choose another name.").format(name))
        elif renamed is not None and name != renamed.name and self._named(name) is not None:
            self._refuse_name(self.tr("Another preset is called “{0}”. Choose another name.").format(name))
        elif renamed is not None:
            self._rename_preset(renamed, name)
        else:
            self._save_preset(name)

    def _refuse_name(self, why: str) -> None:
        self._say(why, "bad")
        self.name.setFocus(Qt.FocusReason.OtherFocusReason)

    def _save_preset(self, name: str) -> None:
        old = self._named(name)
        self._chosen = Preset(name, self._options, self.system()).id
        words = self.tr("“{0}” replaced.") if old is not None else self.tr("“{0}” saved.")
        self._do(lambda: self._presets.save(name, self._options, self.system()), words.format(name))
        if old is not None and (old.options, old.system) != (self._options, self.system()):
            self._offer_undo(lambda: self._presets.save(name, old.options, old.system))
        self._end_naming()
        self._show_presets()
        self.changed.emit()

    def _rename_preset(self, preset: Preset, name: str) -> None:
        was_chosen = self._chosen == preset.id
        self._do(lambda: self._presets.rename(preset.name, name), self.tr("Renamed to “{0}”.").format(name))
        if was_chosen:
            self._chosen = replace(preset, name=name).id
        self._end_naming()
        self._show_presets()
        if was_chosen:
            self.changed.emit()

    def _delete_preset(self, preset: Preset | None) -> None:
        if preset is None or preset.key:
            return
        place = self._own().index(preset)
        self._end_naming()
        self._do(lambda: self._presets.delete(preset.name), self.tr("“{0}” deleted.").format(preset.name))
        self._offer_undo(lambda: self._presets.save(preset.name, preset.options, preset.system, place))
        self._show_presets()

    def _do(self, change: Callable[[], object], words: str) -> None:
        """Change the library; one that could not be written is in force all the same, until the end."""
        try:
            change()
        except YomitoriError as error:
            self._say_error(error)
        else:
            self._say(words)

    def _offer_undo(self, back: Callable[[], Preset]) -> None:
        self._back = back
        self.undo.show()

    def _undo(self) -> None:
        back = self._back
        with keyboard_stays(self, lambda _: self.preset):
            self._say("")
        if back is None:
            return
        try:
            back()
        except YomitoriError as error:
            self._say_error(error)
        self._show_presets()

    def _tell_range(self, title: str, least: str, most: str) -> None:
        self._say(self.tr("{0} can be {1} to {2}.").format(title, least, most), "bad")
        self._range_told = True

    def _forget_range(self, box: AmountBox | NumberBox, _: str) -> None:
        """A number was typed after the one that was not allowed."""
        if self._range_told and box.hasAcceptableInput():
            self._say("")

    # ---- what is shown

    def _own(self) -> list[Preset]:
        return [preset for preset in self._presets.presets() if not preset.key]

    def _named(self, name: str) -> Preset | None:
        return next((preset for preset in self._own() if preset.name == name), None)

    def _current(self) -> Preset | None:
        """The preset whose values these are: of several that one which was chosen."""
        system = self.system()
        equal = [preset for preset in self._presets.presets() if preset.options == self._options]
        # A system prompt written here does not make a built-in preset another one.
        fitting = [preset for preset in equal if preset.system == system]
        fitting += [preset for preset in equal if preset.key and preset.system != system]
        chosen = (preset for preset in fitting if preset.id == self._chosen)
        return next(chosen, None) or next(iter(fitting), None)

    def _show_presets(self) -> None:
        self.preset.blockSignals(True)
        self.preset.clear()
        for preset in self._presets.presets():
            self.preset.addItem(preset_name(preset), preset)
        current = self._current()
        ids = [preset.id for preset in self._presets.presets()]
        self.preset.setCurrentIndex(-1 if current is None else ids.index(current.id))
        self.preset.blockSignals(False)
        own = current is not None and not current.key
        hint = "" if own else self.tr("For presets of your own: choose one above")
        with keyboard_stays(self, lambda _: self.preset):
            for button, key in ((self.rename, "F2"), (self.delete, self.tr("Del"))):
                button.setEnabled(own)
                button.setToolTip(hint or f"{button.accessibleName()} ({key})")

    def _say(self, text: str, role: str = "muted") -> None:
        self._back, self._range_told = None, False
        self.undo.hide()
        set_role(self.note, role)
        if text and text != self.note.text():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _say_error(self, error: YomitoriError) -> None:
        self._say(f"{error_sentence(error)} {error_hint(error)}", "bad")

    def _fit(self, room: QRect) -> None:
        """Be no wider and, as far as that goes, no higher than ``room``."""
        width = min(_WIDTH, room.width() - 2 * _MARGIN)
        self.system_text.setFixedSize(width, _SYSTEM_HEIGHT)
        self.adjustSize()
        over = self.height() - room.height()
        if over > 0:
            self.system_text.setFixedHeight(max(_LEAST_SYSTEM_HEIGHT, _SYSTEM_HEIGHT - over))
            self.adjustSize()

    def _place(self, anchor: QWidget) -> None:
        place = QRect(anchor.mapToGlobal(QPoint(0, 0)), anchor.size())
        room = _room(anchor)
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

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # In the list of presets as well as beside it: there the row that is marked counts.
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            view = self.preset.view()
            index = view.currentIndex().row() if view.isVisible() else self.preset.currentIndex()
            if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_F2):
                preset = cast(Preset | None, self.preset.itemData(index))
                self.preset.hidePopup()
                if event.key() == Qt.Key.Key_Delete:
                    self._delete_preset(preset)
                else:
                    self._begin_renaming(preset)
                return True
            if event.matches(QKeySequence.StandardKey.Undo):
                self._undo()
                return True
        return super().eventFilter(watched, event)

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
        elif event.matches(QKeySequence.StandardKey.Undo) and self._back is not None:
            self._undo()
        elif presses(event):
            if focused is self.name:
                self._keep_name()
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


def _room(anchor: QWidget) -> QRect:
    """Where it may stand, in logical pixels of the desktop: above the window of ``anchor``, as high as the
    screen; a window that is narrow or partly outside leaves it the screen."""
    room = anchor.screen().availableGeometry()
    inside = anchor.window().geometry().intersected(room)
    if inside.width() - 2 * STEP >= _NARROWEST:
        room.setLeft(inside.left() + STEP)
        room.setRight(inside.right() - STEP)
    return room
