"""Value objects of the conversations that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.chat import Answer, Role
from core.errors import YomitoriError


class TurnState(StrEnum):
    """``STREAMING`` from the beginning of an answer, also before its first word.

    ``STOPPED`` by the user, ``INTERRUPTED`` because Yomitori ended. Questions are ``DONE``.
    """

    STREAMING = "streaming"
    DONE = "done"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """What a list shows of a conversation. Times are in seconds since 1970, UTC.

    ``title`` is the user's own, else the beginning of the first question, else of the first recognised text,
    else empty. ``picture`` is the id of the first picture, ``questions`` are the user's turns, ``state`` is
    that of the last turn.
    """

    id: int
    created: float
    updated: float
    title: str
    picture: int | None
    pictures: int
    turns: int
    questions: int
    state: TurnState | None

    @property
    def place(self) -> tuple[float, int]:
        """Where it stands in a list by time."""
        return (self.updated, self.id)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a conversation; sizes are in pixels.

    ``snip`` is the snip it came from while that is kept. ``text`` is what was read in it, or what the user
    made of that (``edited``).
    """

    id: int
    created: float
    source: str
    width: int
    height: int
    snip: int | None
    text: str
    edited: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """A question or an answer.

    ``pictures`` are the ids of those that a question shows. ``replaces`` is the first of the earlier answers
    that this one takes the place of once it is finished. ``answer`` is there when ``state`` is ``DONE``,
    ``error`` when it is ``FAILED``.
    """

    id: int
    created: float
    role: Role
    state: TurnState
    text: str
    pictures: tuple[int, ...] = ()
    replaces: int | None = None
    answer: Answer | None = None
    error: YomitoriError | None = None


def first_attempt(replaces: Mapping[int, int | None], answer: int) -> int:
    """The first of the answers to the same question, given what each answer ``replaces``, by its id.

    Two answers with the same first one are attempts at the same question. It may have been deleted.
    """
    while (before := replaces.get(answer)) is not None and before < answer:
        answer = before
    return answer


@dataclass(frozen=True, slots=True)
class Conversation:
    """All of a conversation but the bytes of its pictures. ``options`` are the caller's own."""

    id: int
    created: float
    updated: float
    title: str
    options: dict[str, Any]
    pictures: tuple[Picture, ...]
    turns: tuple[Turn, ...]

    @property
    def text(self) -> str:
        """The recognised texts of all pictures, in order."""
        return "\n".join(picture.text for picture in self.pictures if picture.text)
