"""The settings: a form made from ``core.settings``, which alone knows what settings there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from core import __version__
from core.devices import Device
from core.paths import Paths
from core.settings import Settings, SettingsStore, iter_settings
from desktop.setting_controls import AmountBox, DeviceBox, FolderField, ModelField, Switch, translated
from desktop.setting_row import Note, Row, SettingRow
from desktop.theme import STEP, Theme, set_ring, set_role
from desktop.window_size import resize_on_screen

__all__ = ["AmountBox", "Note", "SettingRow", "SettingsDialog", "Switch"]


@dataclass
class _Group:
    title: str
    widgets: list[QWidget] = field(default_factory=list)


class _Page(QScrollArea):
    """One group: its title and its rows, or other widgets."""

    def __init__(self, title: str, widgets: list[QWidget]) -> None:
        super().__init__()
        self.title = title
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows = [widget for widget in widgets if isinstance(widget, Row)]
        self._others = [widget for widget in widgets if not isinstance(widget, Row)]
        self._lines: dict[Row, QFrame] = {}
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
            if isinstance(widget, Row):
                line = QFrame()
                set_role(line, "line")
                layout.addWidget(line)
                self._lines[widget] = line
            if isinstance(widget, Row):
                widget.told.connect(partial(self._follow, widget))
        layout.addStretch(1)
        self.setWidget(content)

    def _follow(self, row: Row) -> None:
        """What a row answers to a key that was pressed in it is seen."""
        focused = self.window().focusWidget()
        if focused is not None and row.isAncestorOf(focused):
            QTimer.singleShot(0, row, partial(self._show_whole, row))

    def _show_whole(self, row: Row) -> None:
        content = self.widget()
        # Now, not later: else the page ends where the row did before it became higher.
        content.resize(content.width(), content.heightForWidth(content.width()))
        self.ensureWidgetVisible(row, 0, 0)

    def focusNextPrevChild(self, forward: bool) -> bool:
        moved = super().focusNextPrevChild(forward)
        content, focused = self.widget(), self.focusWidget()
        if moved and focused is not None and focused.hasFocus() and content.isAncestorOf(focused):
            # Qt is content with the current row of a list; its beginning counts most.
            place = QRect(focused.mapTo(content, QPoint(0, 0)), focused.size())
            self.ensureVisible(place.left(), place.bottom(), 0, 3 * STEP)
            self.ensureVisible(place.left(), place.top(), 0, 3 * STEP)
        return moved

    def filter(self, words: list[str]) -> bool:
        """Show the rows that match; whether there are any. A match of the title shows all."""
        folded = self.title.casefold()
        whole = all(word in folded for word in words)
        shown = [row for row in self.rows if whole or row.matches(words)]
        last = shown[-1] if shown else None
        for row in self.rows:
            row.setVisible(row in shown)
            self._lines[row].setVisible(row in shown and row is not last)
        for widget in self._others:
            widget.setVisible(whole)
        return whole or bool(shown)

    def bring(self, row: Row) -> None:
        """Scroll so that the row begins in the upper third, with what stands before it in view."""
        content = self.widget()
        layout = content.layout()
        if layout is not None:
            layout.activate()
        above = self.viewport().height() // 6
        self.verticalScrollBar().setValue(row.mapTo(content, QPoint(0, 0)).y() - above)


class _Navigation(QListWidget):
    """The list of pages; the ring around it is for those who came with the keyboard."""

    def focusInEvent(self, event: QFocusEvent) -> None:
        set_ring(self, event.reason() != Qt.FocusReason.MouseFocusReason)
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        set_ring(self, True)
        super().keyPressEvent(event)


class SettingsDialog(QDialog):
    """Edits every setting of ``store``; each change is in force at once.

    ``row_notes(key)`` tells what is true about a setting now ("In use: CPU"). ``more`` holds, by the name of
    a group or the key of a setting, widgets that stand below it.
    """

    recording_changed = Signal(bool)
    """A key field waits for keys: hotkeys that are taken everywhere should be let go meanwhile."""
    models_requested = Signal(str)
    """The user wants to see the models among which the setting of this key chooses."""

    def __init__(
        self,
        store: SettingsStore,
        theme: Theme,
        paths: Paths,
        row_notes: Callable[[str], Note] | None = None,
        more: Mapping[str, Sequence[QWidget]] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Settings"))
        self._row_notes = row_notes
        # The setting that was asked for, until it could be brought into view.
        self._asked = ""
        self._bring_soon = QTimer(self, singleShot=True, interval=0)
        self._bring_soon.timeout.connect(self._bring_asked)
        self.rows: dict[str, SettingRow] = {}
        groups: dict[str, _Group] = {}
        for info in iter_settings():
            row = SettingRow(info, store, theme)
            row.recording_changed.connect(self.recording_changed)
            if isinstance(row.control, ModelField):
                row.control.change_requested.connect(self.models_requested)
            self.rows[info.key] = row
            group = groups.setdefault(info.group, _Group(translated(info.group_title)))
            group.widgets += [row, *(more or {}).get(info.key, ())]
        for name, group in groups.items():
            group.widgets += (more or {}).get(name, ())

        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search settings"))
        self.search.setAccessibleName(self.tr("Search settings"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.navigation = _Navigation()
        self.navigation.setAccessibleName(self.tr("Groups of settings"))
        self.navigation.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        set_role(self.navigation, "nav")
        self.navigation.currentRowChanged.connect(self._open_page)

        self._pages = [_Page(group.title, group.widgets) for group in groups.values()]
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
        resize_on_screen(self, 780, 540)
        self.navigation.setCurrentRow(0)
        self._filter("")
        self.refresh_notes()

    def refresh_notes(self) -> None:
        """Ask ``row_notes`` again for every setting."""
        if self._row_notes is not None:
            for key, row in self.rows.items():
                row.set_note(self._row_notes(key))

    def set_devices(self, devices: Sequence[Device]) -> None:
        """What this machine has to run models on."""
        for row in self.rows.values():
            if isinstance(row.control, DeviceBox):
                row.control.set_devices(devices)

    def set_models_folder(self, folder: str) -> None:
        """The folder that models are in while none is set."""
        for row in self.rows.values():
            if isinstance(row.control, FolderField):
                row.control.set_placeholder(folder)

    def open_group(self, title: str) -> None:
        """Show the page with this (translated) title."""
        for index, page in enumerate(self._pages):
            if page.title == title:
                self.search.clear()
                self.navigation.setCurrentRow(index)

    def open_setting(self, key: str) -> None:
        """Show the page of this setting with its row in view and the keyboard at its control; for a group
        (``panel``) its page from the top.

        Raises:
            KeyError: there is no such setting.
        """
        group = next((row for row in self.rows.values() if row.info.group == key), None)
        row = group or self.rows[key]
        index = next(index for index, page in enumerate(self._pages) if row in page.rows)
        if group is not None:
            self._asked = ""
            self.search.clear()
            self.navigation.setCurrentRow(index)
            self._pages[index].verticalScrollBar().setValue(0)
            return
        self.search.clear()
        self.navigation.setCurrentRow(index)
        self._asked = key
        self._place_asked()
        self._bring_soon.start()

    def _place_asked(self) -> None:
        if not self._asked:
            return
        row = self.rows[self._asked]
        page = next(page for page in self._pages if row in page.rows)
        row.control.setFocus(Qt.FocusReason.OtherFocusReason)
        page.bring(row)

    def _bring_asked(self) -> None:
        """A window that was just opened has found its places by now."""
        if self.isVisible():
            self._place_asked()
            self._asked = ""

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._asked:
            self._bring_soon.start()

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
