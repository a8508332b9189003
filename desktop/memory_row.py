"""What models have in memory now, in the settings, with the button that frees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QPushButton, QWidget

from core.events import HostState, State
from core.memory import format_bytes
from desktop.setting_row import Note, Row
from desktop.texts import engine_title, memory_in_use


class MemoryRow(Row):
    """``states`` tells the state of every host, ``unload`` frees what is idle."""

    def __init__(
        self,
        states: Callable[[], Sequence[HostState]],
        unload: Callable[[], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(QCoreApplication.translate("MemoryRow", "In memory now"), parent=parent)
        self._states = states
        self.free = QPushButton(self.tr("Free now"))
        self.free.setAccessibleDescription(self.tr("Models are loaded again when you need them."))
        self.free.clicked.connect(lambda: unload())
        self.side.addWidget(self.free)
        self.side.addStretch(1)
        self.title.setBuddy(self.free)
        self.refresh()

    def refresh(self) -> None:
        """Show what is so now."""
        states = self._states()
        held = [state for state in states if state.memory]
        self.free.setEnabled(bool(held))
        if any(state.state is State.LOADING for state in states):
            text = self.tr("A model is being loaded…")
        elif held:
            text = " · ".join(f"{engine_title(state.engine)} {memory_in_use(state)}" for state in held)
        else:
            freed = sum(state.freed + state.freed_vram for state in states)
            text = self.tr("Nothing. Models are loaded when you need them.")
            if freed:
                text = self.tr("Nothing, {0} freed. Models are loaded when you need them.").format(
                    format_bytes(freed)
                )
        self.set_note(Note(text))
