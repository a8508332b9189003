"""Who has the room of a low window: the enlarged picture, the conversation, or both."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from desktop.picture_pane import PicturePane

_LEAST_PICTURE = 176
"""Logical pixels for the enlarged picture with its buttons: less shows no more than the small one does."""
_LEAST_TALK = 96
"""Logical pixels in which a line of the question and some of the answer can be read."""
_ROOMY = 420
"""From this height on both have what they ask for."""

_UNBOUNDED = (1 << 24) - 1
"""Qt's QWIDGETSIZE_MAX."""


class PictureShare(QObject):
    """While the picture is enlarged, ``talk`` keeps a part of ``room``, which holds both.

    In a room that is too low for two, the picture has it alone; the button that makes it smaller says what
    comes back then, and so does an answer that arrives.
    """

    def __init__(self, pane: PicturePane, talk: QWidget, room: QWidget) -> None:
        super().__init__(room)
        self._pane = pane
        self._talk = talk
        self._room = room
        # The answers of which the user has seen that they arrive.
        self._arrived: set[int] = set()
        pane.enlarged_changed.connect(self._share)
        room.installEventFilter(self)

    @property
    def talk_hidden(self) -> bool:
        return self._pane.is_enlarged and self._talk.isHidden()

    def show_talk(self) -> None:
        """Where the picture hides the conversation, make it small again."""
        if self.talk_hidden:
            self._pane.shrink()

    def answer_arrives(self, turn: int) -> None:
        """The same, once for each answer: who enlarges the picture while reading on means it."""
        if turn not in self._arrived:
            self._arrived.add(turn)
            self.show_talk()

    def _share(self) -> None:
        height = self._room.height()
        enlarged = self._pane.is_enlarged
        alone = enlarged and height < _LEAST_PICTURE + _LEAST_TALK
        # Both ask for more than there is: without a fixed part, each would be cut by as much.
        tight = enlarged and not alone and height < _ROOMY
        self._talk.setMinimumHeight(_LEAST_TALK if enlarged and not alone else 1)
        self._talk.setMaximumHeight(_LEAST_TALK if tight else _UNBOUNDED)
        self._talk.setVisible(not alone)
        self._pane.enlarged.set_alone(alone)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._room and event.type() == QEvent.Type.Resize:
            self._share()
        return super().eventFilter(watched, event)
