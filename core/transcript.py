"""What a model is given of a conversation that was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.chat import Message, Role
from core.conversation_types import Picture, Turn, TurnState
from core.types import RgbImage
from core.vision.question import with_text


def superseded(turns: Sequence[Turn]) -> frozenset[int]:
    """The ids of turns whose place another one is taking: an answer that is being given anew, and what
    came between the two."""
    gone: set[int] = set()
    for at, turn in enumerate(turns):
        if turn.replaces is not None and turn.state in (TurnState.STREAMING, TurnState.DONE):
            gone |= {other.id for other in turns[:at] if other.id >= turn.replaces}
    return frozenset(gone)


def messages(
    turns: Sequence[Turn],
    pictures: Sequence[Picture],
    images: Mapping[int, RgbImage],
    system: str = "",
    texts: bool = True,
    language: str = "en",
) -> list[Message]:
    """The conversation in ``turns``, which end with a question, as a model is asked.

    A question without an answer is left out, since templates want turns to alternate; its pictures go to
    the next one. Of answers that broke off, what had come counts.

    Args:
        images: the pictures by their ids. One that is missing was deleted.
        texts: whether the text that was read is given with each picture.
        language: of the words around that text, ``en`` or ``ja``.
    """
    read = {picture.id: picture.text.strip() for picture in pictures}
    asked: list[Message] = [Message(Role.SYSTEM, system)] if system.strip() else []
    waiting: tuple[int, ...] = ()
    question: Turn | None = None
    for turn in turns:
        if turn.role is Role.USER:
            if question is not None:
                waiting += question.pictures
            question = turn
        elif turn.role is Role.ASSISTANT and turn.text.strip() and question is not None:
            asked.append(_question(question, waiting, read if texts else {}, images, language))
            asked.append(Message(Role.ASSISTANT, turn.text))
            waiting, question = (), None
    if question is not None:
        if not waiting and not any(message.images for message in asked):
            shown = {*question.pictures} & images.keys()
            # The pictures that were asked about are gone: the ones that are there are what is meant.
            waiting = () if shown else tuple(picture.id for picture in pictures if picture.id in images)
        asked.append(_question(question, waiting, read if texts else {}, images, language))
    return asked


def _question(
    turn: Turn,
    before: Sequence[int],
    read: Mapping[int, str],
    images: Mapping[int, RgbImage],
    language: str,
) -> Message:
    shown = [picture for picture in (*before, *turn.pictures) if picture in images]
    texts = [read[picture] for picture in shown if read.get(picture)]
    # A prompt that quotes the text need not be told it twice.
    told = "\n".join(text for text in texts if text not in turn.text)
    return Message(Role.USER, with_text(turn.text, told, language), tuple(images[each] for each in shown))
