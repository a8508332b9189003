"""A conversation as files for other programs: Markdown with its pictures, or one JSON document."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from core.chat import Role
from core.conversation_types import Conversation, Picture, Turn, TurnState
from core.conversations import Conversations
from core.errors import StorageError

VERSION = 1
"""Of the JSON document: one more with every change that a reader has to know of."""

_KINDS = {b"\x89PNG": "png", b"RIFF": "webp", b"\xff\xd8\xff": "jpg"}
_ENDS = {
    TurnState.STOPPED: "Stopped here.",
    TurnState.INTERRUPTED: "Interrupted here.",
    TurnState.FAILED: "Failed here.",
    TurnState.STREAMING: "Still being answered.",
}


def to_markdown(conversation: Conversation, store: Conversations, target: Path) -> list[Path]:
    """Write ``target``, and beside it a file for each picture, named after it. Returns what was written.

    Raises:
        StorageError: a file could not be written; none is left half written.
    """
    pictures: list[Path] = []
    new: list[Path] = []
    names: dict[int, str] = {}
    try:
        for number, picture in enumerate(conversation.pictures, 1):
            data = store.picture(picture.id)
            if data is not None:
                path = _free(target.with_name(f"{target.stem}-{number}.{_suffix(data)}"), data)
                if not path.exists():
                    _write(path, data)
                    new.append(path)
                names[picture.id] = path.name
                pictures.append(path)
        _write(target, markdown(conversation, names).encode())
    except StorageError:
        # Pictures without the text that they belong to are of no use to anybody.
        for path in new:
            with suppress(OSError):
                path.unlink()
        raise
    return [target, *pictures]


def markdown(conversation: Conversation, names: Mapping[int, str]) -> str:
    """The conversation as Markdown; ``names`` are the files of its pictures by their ids."""
    moment = datetime.fromtimestamp(conversation.created).strftime("%Y-%m-%d %H:%M")
    parts = [f"# {_escaped(conversation.title) or 'Conversation'}", moment]
    shown: set[int] = set()
    pictures = {picture.id: picture for picture in conversation.pictures}
    for turn in conversation.turns:
        for number in turn.pictures:
            if number in pictures:
                shown.add(number)
                parts += _picture(pictures[number], names)
        parts += _turn(turn)
    for picture in conversation.pictures:
        if picture.id not in shown:
            parts += _picture(picture, names)
    return "\n\n".join(parts) + "\n"


def _picture(picture: Picture, names: Mapping[int, str]) -> list[str]:
    parts = []
    if picture.id in names:
        # In angle brackets a name may hold spaces.
        link = re.sub(r"[%#?&:<>\\\x00-\x1f]", lambda found: f"%{ord(found[0]):02X}", names[picture.id])
        parts.append(f"![{picture.width} × {picture.height}](<{link}>)")
    if picture.text.strip():
        parts.append(_quoted(_escaped_lines(picture.text.strip())))
    return parts


def _turn(turn: Turn) -> list[str]:
    if turn.role is Role.USER:
        return ["## Question", _escaped_lines(turn.text)]
    facts = []
    if turn.answer is not None:
        answer = turn.answer
        facts = [answer.model, answer.device, answer.precision, f"{answer.seconds:.1f} s"]
        if answer.confidence is not None:
            facts.append(f"likelihood {answer.confidence:.2f}")
    parts = ["## Answer"]
    if turn.text.strip():
        # As the model wrote it: it is Markdown already.
        parts.append(_closed(turn.text.strip()))
    if facts:
        parts.append(f"*{_escaped(' · '.join(filter(None, facts)))}*")
    if turn.state in _ENDS:
        reason = turn.error.message if turn.error is not None else ""
        parts.append(f"*{_escaped(f'{_ENDS[turn.state]} {reason}')}*")
    return parts


def _escaped(text: str) -> str:
    """``text`` as one line that Markdown shows as it is."""
    line = re.sub(r"[\\`*_\[\]<>#|~&]", r"\\\g<0>", " ".join(text.split()))
    # What begins a list, a rule or a line under a heading.
    return re.sub(r"^(\d*)([-+=.)])", r"\1\\\2", line)


def _escaped_lines(text: str) -> str:
    """The same with its lines, each of which stays one."""
    return "  \n".join(_escaped(line) for line in text.strip().splitlines())


def _closed(text: str) -> str:
    """An answer that ended inside a block of code, which would else go on over all that follows."""
    fence = ""
    for line in text.splitlines():
        found = re.match(r" {0,3}(`{3,}|~{3,})(.*)", line)
        if found is None:
            continue
        if not fence:
            # Backticks on the rest of the line make it code within a sentence.
            fence = "" if found[1][0] == "`" and "`" in found[2] else found[1]
        elif found[1].startswith(fence) and not found[2].strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def to_json(conversation: Conversation, store: Conversations, target: Path) -> list[Path]:
    """Write ``target`` with all that is kept, pictures in base64. Returns what was written.

    Raises:
        StorageError: the file could not be written; it is as it was.
    """
    document = document_of(conversation, store)
    _write(target, (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode())
    return [target]


def document_of(conversation: Conversation, store: Conversations) -> dict[str, Any]:
    """All that is kept of the conversation, as JSON has it. Times are in seconds since 1970, UTC."""
    return {
        "version": VERSION,
        "kind": "yomitori conversation",
        "created": conversation.created,
        "updated": conversation.updated,
        "title": conversation.title,
        "options": conversation.options,
        "pictures": [_picture_json(picture, store) for picture in conversation.pictures],
        "turns": [
            {
                "id": turn.id,
                "created": turn.created,
                "role": turn.role.value,
                "state": turn.state.value,
                "text": turn.text,
                "pictures": list(turn.pictures),
                "replaces": turn.replaces,
                "answer": None if turn.answer is None else turn.answer.to_json(),
                "error": None if turn.error is None else turn.error.to_json(),
            }
            for turn in conversation.turns
        ],
    }


def _picture_json(picture: Picture, store: Conversations) -> dict[str, Any]:
    data, result = store.picture(picture.id), store.result(picture.id)
    return {
        "id": picture.id,
        "created": picture.created,
        "source": picture.source,
        "width": picture.width,
        "height": picture.height,
        "text": picture.text,
        "edited": picture.edited,
        "result": None if result is None else result.to_json(),
        "format": None if data is None else _suffix(data),
        "data": None if data is None else base64.b64encode(data).decode("ascii"),
    }


def _suffix(data: bytes) -> str:
    return next((suffix for start, suffix in _KINDS.items() if data.startswith(start)), "png")


def _free(path: Path, data: bytes) -> Path:
    """``path``, or the next name that is not taken by another picture."""
    number = 1
    free = path
    while free.exists() and not _holds(free, data):
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        # A folder, or another's file: it is not ours.
        return False


def _write(path: Path, data: bytes) -> None:
    """Replace ``path`` in one step."""
    # Not made by tempfile: others may read what the user exports, as any new file of the user's.
    temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise StorageError(path=path, reason=error.strerror or str(error)) from error
