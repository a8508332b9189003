"""What programs that share an engine tell each other, beside ``core.frames``.

From the one that is attached: ``{"id", "do", "role", "identity", ...}`` with pictures; ``{"cancel": id}``.
From the owner: ``{"state"}``, and for each ``id`` any number of ``{"piece"}`` before ``{"done"}``,
``{"error"}`` or ``{"differs"}`` (it holds another model than the one asked for).
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from core.chat import AnswerPiece, Message, Phase, Role, Token
from core.errors import from_json
from core.types import RgbImage

COMMAND = "engine"
"""What a caller says first that wants to be attached."""
HAND_OVER = "hand over"
"""What one says first that wants to own the engine itself."""
ROLES = ("ocr", "vision")


def messages_of(value: Sequence[dict[str, Any]], images: Sequence[RgbImage]) -> list[Message]:
    """What ``core.chat.messages_json`` was made of."""
    messages, used = [], 0
    for row in value:
        count = int(row["images"])
        messages.append(Message(Role(row["role"]), str(row["text"]), tuple(images[used : used + count])))
        used += count
    return messages


def piece_json(piece: AnswerPiece) -> dict[str, Any]:
    return {
        "text": piece.text,
        "phase": None if piece.phase is None else piece.phase.value,
        "done": piece.done,
        "total": piece.total,
        "notice": None if piece.notice is None else piece.notice.to_json(),
        "again": piece.again,
        "tokens": [token.to_json() for token in piece.tokens],
    }


def piece_of(value: dict[str, Any]) -> AnswerPiece:
    return AnswerPiece(
        value["text"],
        None if value["phase"] is None else Phase(value["phase"]),
        value["done"],
        value["total"],
        None if value["notice"] is None else from_json(value["notice"]),
        value["again"],
        tuple(Token.from_json(token) for token in value["tokens"]),
    )


def shut(connection: Connection) -> None:
    """End both directions of a connection from any thread, so that whoever waits for the other side returns:
    closing alone does not do that."""
    if sys.platform == "win32":
        # A pipe has no directions to shut: whoever waits on it is told by an error.
        connection.close()
        return
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as end:
        end.shutdown(socket.SHUT_RDWR)
