"""An answer on its way: what the engine tells in its own thread, handed on at the pace of a reader."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from core.chat import Answer, AnswerPiece, Phase
from core.conversations import Conversations
from core.errors import YomitoriError
from core.jobs import Job


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an answer is. ``text`` is all that has come; ``done`` of ``total`` tokens of the question are
    taken in while ``phase`` says that it is being read."""

    text: str = ""
    phase: Phase | None = None
    done: int = 0
    total: int = 0
    notices: tuple[YomitoriError, ...] = ()


class Answering:
    """One answer of one conversation. ``came`` may be called from any thread, the rest from the GUI thread.

    ``ask_for_look`` brings a call of ``look`` into the GUI thread; it is made once for all that comes until
    then.
    """

    def __init__(
        self,
        store: Conversations,
        conversation: int,
        turn: int,
        ask_for_look: Callable[[Answering], None],
    ) -> None:
        self.store = store
        self.conversation = conversation
        self.turn = turn
        self.job: Job[Answer] | None = None
        self.stopped = False
        self._ask_for_look = ask_for_look
        self._lock = threading.Lock()
        self._texts: list[str] = []
        self._last = Progress()
        self._asked = False

    def came(self, piece: AnswerPiece) -> None:
        """The engine tells what is new."""
        with self._lock:
            if piece.again:
                self._texts.clear()
            if piece.text:
                self._texts.append(piece.text)
            last = self._last
            notices = last.notices if piece.notice is None else (*last.notices, piece.notice)
            if piece.phase is None:
                self._last = Progress("", last.phase, last.done, last.total, notices)
            else:
                self._last = Progress("", piece.phase, piece.done, piece.total, notices)
            asked, self._asked = self._asked, True
        if not asked:
            self._ask_for_look(self)

    def look(self) -> Progress:
        """All that has come."""
        with self._lock:
            self._asked = False
            # Joined once for many pieces: a long answer would be copied for each of its words.
            self._texts = ["".join(self._texts)]
            last = self._last
            return Progress(self._texts[0], last.phase, last.done, last.total, last.notices)

    def stop(self) -> None:
        """End it as soon as possible."""
        self.stopped = True
        if self.job is not None:
            self.job.cancel()
