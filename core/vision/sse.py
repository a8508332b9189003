"""Server-sent events from bytes that come in any pieces.

After the event stream format of the HTML standard (section 9.2, "Server-sent events"); only the data of
events is kept, since nothing else means anything to a chat completion.
"""

from __future__ import annotations

import re

MAX_EVENT = 4 * 1024 * 1024
"""Bytes of one event, far above what any server sends for one token."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class EventTooLong(ValueError):
    """More than ``MAX_EVENT`` bytes without the end of an event."""


class EventStream:
    """Feed it what arrives; it gives the data of each event that is complete."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0
        self._after_cr = False
        self._begun = False

    def feed(self, piece: bytes) -> list[str]:
        """The data of the events that ``piece`` completes.

        Raises:
            EventTooLong: as it says.
        """
        if self._after_cr and piece:
            # A line feed that belongs to the carriage return before it.
            piece = piece.removeprefix(b"\n")
            self._after_cr = False
        buffer = self._rest + piece
        if not self._begun:
            if _BOM.startswith(buffer):
                self._rest = buffer
                return []
            buffer = buffer.removeprefix(_BOM)
            self._begun = True
        events: list[str] = []
        start = 0
        # What was searched before holds no line end.
        search = max(0, len(buffer) - len(piece))
        for end in _LINE_END.finditer(buffer, search):
            self._line(buffer[start : end.start()], events)
            start = end.end()
        self._after_cr = start == len(buffer) and buffer.endswith(b"\r")
        self._rest = buffer[start:]
        if self._size + len(self._rest) > MAX_EVENT:
            raise EventTooLong
        return events

    def end(self) -> str | None:
        """What came of an event that was not completed; None when there is nothing."""
        if self._rest:
            self._line(self._rest, [])
            self._rest = b""
        return self._take() if self._data else None

    def _line(self, line: bytes, events: list[str]) -> None:
        if not line:
            if self._data:
                events.append(self._take())
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._size += len(value)

    def _take(self) -> str:
        # Decoded as a whole: no character is ever split here.
        data = b"\n".join(self._data).decode("utf-8", "replace")
        self._data.clear()
        self._size = 0
        return data
