"""Conversations about pictures: their questions, answers, pictures and texts, in the history's file.

What has arrived of an answer is kept while it grows, so that a crash loses next to nothing of it.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from core import search
from core.chat import Answer, Role
from core.conversation_types import (
    Conversation,
    ConversationRow,
    Picture,
    Turn,
    TurnState,
    first_attempt,
)
from core.errors import YomitoriError, from_json
from core.history_file import DELETE_AT_ONCE, HistoryFile, packed
from core.history_schema import CONVERSATION_TABLES, PAD
from core.history_search import GramTable, Searched
from core.plain_words import plain_words
from core.types import OcrResult

_TITLE_LENGTH = 80
_PASSAGE_LENGTH = 160
_BEFORE_MATCH = 8
_RECENT = 40
"""So many answers are looked at to tell how fast a model is."""
_ENOUGH = 8
"""An answer of fewer tokens tells little of that."""


_TITLE = f"""
coalesce(
    nullif(r.title, ''),
    (SELECT substr(text, 1, {2 * _TITLE_LENGTH}) FROM turns
        WHERE conversation = r.id AND role = 'user' AND trim(text) <> '' ORDER BY id LIMIT 1),
    (SELECT substr(text, 1, {2 * _TITLE_LENGTH}) FROM pictures
        WHERE conversation = r.id AND trim(text) <> '' ORDER BY id LIMIT 1),
    '')"""

_GRAMS = GramTable("conversation_grams", "conversation")

_SEARCHED = Searched(
    table="conversations",
    columns=f"""
        r.id, r.created, r.updated, {_TITLE},
        (SELECT min(id) FROM pictures WHERE conversation = r.id),
        (SELECT count(*) FROM pictures WHERE conversation = r.id),
        (SELECT count(*) FROM turns WHERE conversation = r.id),
        (SELECT count(*) FROM turns WHERE conversation = r.id AND role = 'user'),
        (SELECT state FROM turns WHERE conversation = r.id ORDER BY id DESC LIMIT 1)""",
    time="updated",
    grams=_GRAMS,
    # Each word may be in another turn.
    holds="EXISTS (SELECT 1 FROM passages WHERE conversation = r.id AND instr(folded, ?) > 0)",
)


class Conversations:
    """The store. Every method may be called from any thread; each takes a few milliseconds at most, except
    those that delete: ``delete``, ``delete_picture``, ``truncate_from``, ``add_question`` with ``replacing``.

    None, False or 0 is returned when what is spoken of was deleted meanwhile.

    Raises:
        DiskFull, HistoryDamaged, StorageError: as ``History`` does.
    """

    def __init__(self, file: HistoryFile, clock: Callable[[], float]) -> None:
        self._file = file
        self._clock = clock

    # --- conversations and pictures ----------------------------------------------------------------------

    def create(self, options: Mapping[str, Any] | None = None) -> int:
        """An empty conversation. Returns its id."""
        with self._file.write() as db:
            row = self._file.take_id(db)
            now = self._clock()
            insert = "INSERT INTO conversations (id, created, updated, options) VALUES (?, ?, ?, ?)"
            db.execute(insert, (row, now, now, packed(dict(options or {}))))
        return row

    def rename(self, conversation: int, title: str) -> bool:
        """The user's own title; an empty one brings the first question back."""
        with self._file.write() as db:
            update = "UPDATE conversations SET title = ? WHERE id = ?"
            found = bool(db.execute(update, (title.strip(), conversation)).rowcount)
            if found:
                _index(db, conversation, {conversation: title.strip()})
        return found

    def set_options(self, conversation: int, options: Mapping[str, Any]) -> bool:
        with self._file.write() as db:
            update = "UPDATE conversations SET options = ? WHERE id = ?"
            return bool(db.execute(update, (packed(dict(options)), conversation)).rowcount)

    def add_picture(
        self, conversation: int, image: bytes, width: int, height: int, source: str, snip: int | None = None
    ) -> int | None:
        """Keep one more picture (PNG or WebP bytes, ``width`` x ``height`` pixels). Returns its id.

        ``source`` says where it came from, as in ``History.add_pending``, and ``snip`` which one it shows.
        """
        with self._file.write() as db:
            if not self._touch(db, conversation):
                return None
            picture = self._file.add_image(db, image)
            db.execute(
                "INSERT INTO pictures (id, conversation, created, source, width, height, snip) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (picture, conversation, self._clock(), source, width, height, snip),
            )
        return picture

    def set_result(self, picture: int, result: OcrResult) -> bool:
        """What was read in the picture. A text that the user has edited stays."""
        with self._file.write() as db:
            found = db.execute("SELECT edited FROM pictures WHERE id = ?", (picture,)).fetchone()
            if found is None:
                return False
            update = "UPDATE pictures SET result = ? WHERE id = ?"
            db.execute(update, (packed(result.to_json()), picture))
            return bool(found[0]) or self._set_text(db, picture, result.text, edited=False)

    def update_text(self, picture: int, text: str) -> bool:
        """The user's own version of what was read in the picture."""
        with self._file.write() as db:
            return self._set_text(db, picture, text, edited=True)

    def _set_text(self, db: sqlite3.Connection, picture: int, text: str, *, edited: bool) -> bool:
        found = db.execute("SELECT conversation FROM pictures WHERE id = ?", (picture,)).fetchone()
        if found is None:
            return False
        db.execute("UPDATE pictures SET text = ?, edited = ? WHERE id = ?", (text, edited, picture))
        _index(db, found[0], {picture: text})
        return self._touch(db, found[0])

    def _touch(self, db: sqlite3.Connection, conversation: int) -> bool:
        update = "UPDATE conversations SET updated = ? WHERE id = ?"
        return bool(db.execute(update, (self._clock(), conversation)).rowcount)

    # --- turns -------------------------------------------------------------------------------------------

    def add_question(
        self,
        conversation: int,
        text: str,
        pictures: Sequence[int] | None = None,
        replacing: int | None = None,
    ) -> int | None:
        """The user asks. Returns the turn's id.

        ``pictures`` are those that it shows: all that no earlier question showed, unless given. With
        ``replacing``, an earlier question, that one and all that follows it are deleted for good, in the same
        transaction.
        """
        with self._file.write() as db:
            if not self._touch(db, conversation):
                return None
            deleted = 0 if replacing is None else _truncate(db, conversation, replacing)
            if pictures is None:
                pictures = _not_yet_shown(db, conversation)
            turn = self._add_turn(db, conversation, Role.USER, TurnState.DONE, tuple(pictures), None, text)
            _index(db, conversation, {turn: text})
        if deleted:
            self._file.scrub(CONVERSATION_TABLES)
        return turn

    def begin_answer(self, conversation: int, replacing: int | None = None) -> int | None:
        """The model is asked. Returns the id of the answer's turn.

        ``replacing`` is an answer to be given anew. It stays until the new one is finished; then it is gone,
        with all between the two, and so are earlier attempts that it was to replace itself. Attempts of which
        nothing came do not wait for that: the new one takes their place at once.
        """
        with self._file.write() as db:
            if not self._touch(db, conversation):
                return None
            if replacing is not None:
                replacing = _make_way(db, conversation, replacing)
            return self._add_turn(db, conversation, Role.ASSISTANT, TurnState.STREAMING, (), replacing)

    def _add_turn(
        self,
        db: sqlite3.Connection,
        conversation: int,
        role: Role,
        state: TurnState,
        pictures: Sequence[int],
        replaces: int | None,
        text: str = "",
    ) -> int:
        turn = self._file.take_id(db)
        db.execute(
            "INSERT INTO turns (id, conversation, created, role, state, pictures, replaces, text) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (turn, conversation, self._clock(), role, state, packed(pictures), replaces, text),
        )
        return turn

    def grow_answer(self, turn: int, text: str) -> bool:
        """All of the answer that has arrived. It can be searched once it has ended.

        False, too, when the answer has ended.
        """
        with self._file.write() as db:
            update = "UPDATE turns SET text = ? WHERE id = ? AND state = ?"
            return bool(db.execute(update, (text, turn, TurnState.STREAMING)).rowcount)

    def finish_answer(self, turn: int, answer: Answer) -> bool:
        """The whole answer arrived. What it was to replace is gone now.

        False, too, when the answer has ended before, unless it was interrupted.
        """
        return self._end(turn, TurnState.DONE, answer.text, answer=answer)

    def stop_answer(self, turn: int, text: str) -> bool:
        """The user stopped it after ``text``. False as for ``finish_answer``.

        Without any text, an answer that was to replace another one is gone as if it had never been begun.
        """
        return self._end(turn, TurnState.STOPPED, text)

    def fail_answer(self, turn: int, text: str, error: YomitoriError) -> bool:
        """It broke off after ``text``. False as for ``finish_answer``."""
        return self._end(turn, TurnState.FAILED, text, error=error)

    def _end(
        self,
        turn: int,
        state: TurnState,
        text: str,
        answer: Answer | None = None,
        error: YomitoriError | None = None,
    ) -> bool:
        with self._file.write() as db:
            found = db.execute(
                "SELECT conversation, replaces FROM turns WHERE id = ? AND state IN (?, ?)",
                (turn, TurnState.STREAMING, TurnState.INTERRUPTED),
            ).fetchone()
            if found is None:
                return False
            conversation, replaces = found
            if state is TurnState.STOPPED and not text.strip() and _is_there(db, replaces):
                db.execute("DELETE FROM turns WHERE id = ?", (turn,))
                _index(db, conversation, {turn: ""})
                return self._touch(db, conversation)
            db.execute(
                "UPDATE turns SET state = ?, text = ?, answer = ?, error = ? WHERE id = ?",
                (state, text, _pack_answer(answer), packed(error.to_json()) if error else None, turn),
            )
            replaced: Iterable[int] = ()
            if state is TurnState.DONE and replaces is not None:
                db.execute("UPDATE turns SET replaces = NULL WHERE id = ?", (turn,))
                replaced = _delete_turns(db, conversation, replaces, turn)
            _index(db, conversation, {turn: text, **dict.fromkeys(replaced, "")})
            return self._touch(db, conversation)

    def truncate_from(self, turn: int) -> int:
        """Delete this turn and all that follow it, for good. Returns how many there were."""
        deleted = 0
        with self._file.write() as db:
            found = db.execute("SELECT conversation FROM turns WHERE id = ?", (turn,)).fetchone()
            if found is not None:
                deleted = _truncate(db, found[0], turn)
                self._touch(db, found[0])
        if deleted:
            self._file.scrub(CONVERSATION_TABLES)
        return deleted

    # --- reading -----------------------------------------------------------------------------------------

    def get(self, conversation: int) -> Conversation | None:
        with self._file.read_at_one_moment() as db:
            found = db.execute(
                f"SELECT r.id, r.created, r.updated, {_TITLE}, r.options FROM conversations r WHERE r.id = ?",
                (conversation,),
            ).fetchone()
            pictures = db.execute(
                "SELECT id, created, source, width, height, (SELECT s.id FROM snips s WHERE s.id = p.snip), "
                "text, edited FROM pictures p WHERE conversation = ? ORDER BY id",
                (conversation,),
            ).fetchall()
            turns = db.execute(
                "SELECT id, created, role, state, text, pictures, replaces, answer, error FROM turns "
                "WHERE conversation = ? ORDER BY id",
                (conversation,),
            ).fetchall()
        if found is None:
            return None
        row, created, updated, title, options = found
        kept = tuple(_picture(values) for values in pictures)
        shown = frozenset(picture.id for picture in kept)
        return Conversation(
            id=row,
            created=created,
            updated=updated,
            title=_one_line(title),
            options=json.loads(options),
            pictures=kept,
            turns=tuple(_turn(values, shown) for values in turns),
        )

    def picture(self, picture: int) -> bytes | None:
        """The picture as it was given to ``add_picture``."""
        with self._file.read() as db:
            found = db.execute("SELECT png FROM images WHERE id = ?", (picture,)).fetchone()
        return bytes(found[0]) if found else None

    def result(self, picture: int) -> OcrResult | None:
        """All that was read in the picture; None before that, too."""
        with self._file.read() as db:
            found = db.execute("SELECT result FROM pictures WHERE id = ?", (picture,)).fetchone()
        return OcrResult.from_json(json.loads(found[0])) if found and found[0] else None

    def list(
        self, query: str = "", limit: int = 100, before: ConversationRow | None = None
    ) -> list[ConversationRow]:
        """Up to ``limit`` conversations, the last changed first, that contain every word of ``query``.

        Titles, recognised texts, questions and ended answers are looked through. ``before`` is the last row
        of the page before. One that changes between two pages moves to the top; no other is left out or
        comes twice.
        """
        with self._file.read() as db:
            return newest(db, query, limit, before.place if before else None)

    def passage(self, conversation: int, query: str) -> str:
        """One line from around the first match, of the recognised text, question or answer that contains the
        most words of ``query``; empty where none contains any. It may break off at both ends, and is without
        the marks of Markdown."""
        words = search.query_words(query)
        if not words:
            return ""
        held = " + ".join(["(instr(p.folded, ?) > 0)"] * len(words))
        with self._file.read() as db:
            found = db.execute(
                f"SELECT coalesce(t.text, c.text) AS shown, t.role, {held} AS held FROM passages p "
                "LEFT JOIN turns t ON t.id = p.id LEFT JOIN pictures c ON c.id = p.id "
                "WHERE p.conversation = ? AND held > 0 AND shown IS NOT NULL "
                "ORDER BY held DESC, p.id LIMIT 1",
                (*words, conversation),
            ).fetchone()
        if found is None:
            return ""
        text, role, _ = found
        if role == Role.ASSISTANT:
            plain = plain_words(text)
            # Unless it is the marks that were searched for.
            text = plain if search.find_spans(plain, query) else text
        return _around_match(text, query)

    def count(self) -> int:
        with self._file.read() as db:
            return int(db.execute("SELECT count(*) FROM conversations").fetchone()[0])

    def speed(self, model: str, device: str) -> float | None:
        """Tokens per second after the first word, as the median of the last answers that this model gave on
        this device; None where there are none."""
        with self._file.read() as db:
            packed_answers = db.execute(
                "SELECT answer FROM turns WHERE answer IS NOT NULL ORDER BY id DESC LIMIT ?", (_RECENT,)
            ).fetchall()
        speeds = []
        for (packed_answer,) in packed_answers:
            answer = Answer.from_json({"text": "", **json.loads(packed_answer)})
            tokens, seconds = answer.usage.answer or 0, answer.seconds - answer.first_seconds
            if (answer.model, answer.device) == (model, device) and tokens >= _ENOUGH and seconds > 0:
                speeds.append((tokens - 1) / seconds)
        return statistics.median(speeds) if speeds else None

    # --- deleting ----------------------------------------------------------------------------------------

    def delete(self, conversations: Iterable[int]) -> int:
        """Delete these for good with all that belongs to them, in the log file too; also those that are
        being answered. Returns how many there were.

        Many pictures go in several transactions; other writers get their turn in between.
        """
        return self._delete(dict.fromkeys(conversations))

    def delete_unchanged(self, updated: Mapping[int, float]) -> int:
        """Delete those of these conversations (id to ``updated``) that have not changed since."""
        return self._delete(updated)

    def _delete(self, conversations: Mapping[int, float | None]) -> int:
        deleted = 0
        waiting = deque(conversations)
        while waiting:
            with self._file.write() as db:
                room = DELETE_AT_ONCE
                while waiting and room > 0:
                    if _has_changed(db, waiting[0], conversations[waiting[0]]):
                        waiting.popleft()
                        continue
                    room -= _delete_pictures(db, waiting[0], room)
                    if room > 0:
                        deleted += _delete_rest(db, waiting.popleft())
            self._file.give_back_pages()
        if deleted:
            self._file.scrub(CONVERSATION_TABLES)
        return deleted

    def delete_picture(self, picture: int) -> bool:
        """Delete a picture and its text for good; the questions about it stay."""
        with self._file.write() as db:
            found = db.execute("SELECT conversation FROM pictures WHERE id = ?", (picture,)).fetchone()
            if found is None:
                return False
            _index(db, found[0], {picture: ""})
            _delete_picture(db, picture)
            self._touch(db, found[0])
        self._file.scrub(CONVERSATION_TABLES)
        return True


def end_what_was_left(db: sqlite3.Connection) -> None:
    """Answers that a run began which has ended since are interrupted: their text is kept, and found."""
    left = db.execute(
        "SELECT id, conversation, text FROM turns WHERE state = ?", (TurnState.STREAMING,)
    ).fetchall()
    for turn, conversation, text in left:
        db.execute("UPDATE turns SET state = ? WHERE id = ?", (TurnState.INTERRUPTED, turn))
        _index(db, conversation, {turn: text})


def newest(
    db: sqlite3.Connection, query: str, limit: int, before: tuple[float, int] | None
) -> list[ConversationRow]:
    """The rows of ``Conversations.list``; ``before`` is the place of a row."""
    return [_row(values) for values in _SEARCHED.newest(db, query, limit, before)]


def oldest_settled(db: sqlite3.Connection, before: float, limit: int) -> list[tuple[float, int, int]]:
    """When changed last, id, and about how many bytes, oldest first; not those with a running answer.

    Only those changed earlier than ``before``; a ``limit`` of -1 is none.
    """
    # A text, its folded form and its grams, measured: 3 (long, English) to 13 (short, Japanese) per byte of
    # text. Rather too many: then the caller looks again, while with too few it would delete too much.
    per_byte = 12
    return db.execute(
        f"""
        SELECT updated, id,
            (SELECT coalesce(sum(length(png) + {PAD}), 0) FROM images
                WHERE id IN (SELECT id FROM pictures WHERE conversation = c.id))
            + {per_byte} * (SELECT coalesce(sum(length(CAST(folded AS BLOB))), 0) FROM passages
                WHERE conversation = c.id)
        FROM conversations c
        WHERE updated < ? AND NOT EXISTS
            (SELECT 1 FROM turns WHERE conversation = c.id AND state = '{TurnState.STREAMING}')
        ORDER BY updated, id LIMIT ?""",
        (before, limit),
    ).fetchall()


def _index(db: sqlite3.Connection, conversation: int, texts: Mapping[int, str]) -> None:
    """Let search find ``texts``, the new ones of parts of a conversation by id; an empty one is removed."""
    before: set[str] = set()
    after: set[str] = set()
    for part, text in texts.items():
        folded = search.fold(text)
        old = db.execute("SELECT folded FROM passages WHERE id = ?", (part,)).fetchone()
        if old is not None:
            before |= search.grams(old[0])
        if folded:
            after |= search.grams(folded)
            insert = "INSERT OR REPLACE INTO passages (id, conversation, folded) VALUES (?, ?, ?)"
            db.execute(insert, (part, conversation, folded))
        else:
            db.execute("DELETE FROM passages WHERE id = ?", (part,))
    if lost := before - after:
        # The others' passages may have them as well.
        for (folded,) in db.execute("SELECT folded FROM passages WHERE conversation = ?", (conversation,)):
            lost -= search.grams(folded)
        _GRAMS.remove(db, conversation, lost)
    _GRAMS.add(db, conversation, after - before)


def _not_yet_shown(db: sqlite3.Connection, conversation: int) -> Sequence[int]:
    pictures = db.execute("SELECT id FROM pictures WHERE conversation = ? ORDER BY id", (conversation,))
    every = [picture for (picture,) in pictures]
    turns = db.execute("SELECT pictures FROM turns WHERE conversation = ?", (conversation,))
    shown = {picture for (pictures,) in turns for picture in json.loads(pictures)}
    return [picture for picture in every if picture not in shown]


def _make_way(db: sqlite3.Connection, conversation: int, answer: int) -> int | None:
    """Delete the attempts at ``answer`` without any text. Returns the first that is left, None for none; for
    an answer that is gone already its id, which still says where it stood."""
    turns = db.execute(
        "SELECT id, role, state, replaces, text FROM turns WHERE conversation = ? ORDER BY id",
        (conversation,),
    ).fetchall()
    replaces = {turn: replaced for turn, _, _, replaced, _ in turns}
    if answer not in replaces:
        return answer
    first = first_attempt(replaces, answer)
    attempts = [
        turn for turn in turns if turn[1] == Role.ASSISTANT and first_attempt(replaces, turn[0]) == first
    ]
    # One that stands before a later question is left: it shows whose answer the new one is.
    asked = max((turn for turn, role, _, _, _ in turns if role == Role.USER), default=0)
    blank = {
        turn
        for turn, _, state, _, text in attempts
        if turn > asked and state != TurnState.STREAMING and not text.strip()
    }
    db.executemany("DELETE FROM turns WHERE id = ?", [(turn,) for turn in blank])
    return next((turn for turn, *_ in attempts if turn not in blank), None)


def _is_there(db: sqlite3.Connection, turn: int | None) -> bool:
    return turn is not None and db.execute("SELECT 1 FROM turns WHERE id = ?", (turn,)).fetchone() is not None


def _truncate(db: sqlite3.Connection, conversation: int, turn: int) -> int:
    deleted = _delete_turns(db, conversation, turn, 2**63 - 1)
    _index(db, conversation, dict.fromkeys(deleted, ""))
    return len(deleted)


def _delete_turns(db: sqlite3.Connection, conversation: int, first: int, end: int) -> Sequence[int]:
    """Delete the turns from ``first`` to before ``end``. Returns their ids; search still has their texts."""
    chosen = "FROM turns WHERE conversation = ? AND id >= ? AND id < ?"
    deleted = [turn for (turn,) in db.execute(f"SELECT id {chosen}", (conversation, first, end))]
    db.execute(f"DELETE {chosen}", (conversation, first, end))
    return deleted


def _has_changed(db: sqlite3.Connection, conversation: int, since: float | None) -> bool:
    query = "SELECT 1 FROM conversations WHERE id = ? AND updated <> ?"
    return since is not None and db.execute(query, (conversation, since)).fetchone() is not None


def _delete_pictures(db: sqlite3.Connection, conversation: int, size: int) -> int:
    """Delete pictures of a conversation until they come to ``size`` bytes. Returns how many bytes did."""
    deleted = 0
    pictures = db.execute(
        "SELECT p.id, length(i.png) FROM pictures p JOIN images i ON i.id = p.id WHERE p.conversation = ?",
        (conversation,),
    ).fetchall()
    for picture, length in pictures:
        if deleted >= size:
            break
        _delete_picture(db, picture)
        deleted += length
    return deleted


def _delete_picture(db: sqlite3.Connection, picture: int) -> None:
    db.execute("DELETE FROM images WHERE id = ?", (picture,))
    db.execute("DELETE FROM pictures WHERE id = ?", (picture,))


def _delete_rest(db: sqlite3.Connection, conversation: int) -> int:
    """Delete what a conversation has besides pictures."""
    grams: set[str] = set()
    for (folded,) in db.execute("SELECT folded FROM passages WHERE conversation = ?", (conversation,)):
        grams |= search.grams(folded)
    _GRAMS.remove(db, conversation, grams)
    db.execute("DELETE FROM passages WHERE conversation = ?", (conversation,))
    db.execute("DELETE FROM turns WHERE conversation = ?", (conversation,))
    return db.execute("DELETE FROM conversations WHERE id = ?", (conversation,)).rowcount


def _around_match(text: str, query: str) -> str:
    spans = search.find_spans(text, query)
    start = max(0, spans[0][0] - _BEFORE_MATCH) if spans else 0
    lines = text[start : start + _PASSAGE_LENGTH].split("\n")
    cut = lines[0].strip()
    for line in filter(None, map(str.strip, lines[1:])):
        # Search looks over a break inside a Japanese word, so it is not to be seen either.
        cut += line if not (cut[-1:].isascii() or line[0].isascii()) else f" {line}"
    return f"…{cut}" if start else cut


def _one_line(title: str) -> str:
    line = " ".join(title.split())
    return line if len(line) <= _TITLE_LENGTH else line[: _TITLE_LENGTH - 1].rstrip() + "…"


def _row(values: tuple[Any, ...]) -> ConversationRow:
    row, created, updated, title, picture, pictures, turns, questions, state = values
    return ConversationRow(
        id=row,
        created=created,
        updated=updated,
        title=_one_line(title),
        picture=picture,
        pictures=pictures,
        turns=turns,
        questions=questions,
        state=TurnState(state) if state else None,
    )


def _picture(values: tuple[Any, ...]) -> Picture:
    row, created, source, width, height, snip, text, edited = values
    return Picture(
        id=row,
        created=created,
        source=source,
        width=width,
        height=height,
        snip=snip,
        text=text,
        edited=bool(edited),
    )


def _turn(values: tuple[Any, ...], kept_pictures: frozenset[int]) -> Turn:
    row, created, role, state, text, pictures, replaces, answer, error = values
    return Turn(
        id=row,
        created=created,
        role=Role(role),
        state=TurnState(state),
        text=text,
        pictures=tuple(picture for picture in json.loads(pictures) if picture in kept_pictures),
        replaces=replaces,
        answer=Answer.from_json({**json.loads(answer), "text": text}) if answer else None,
        error=from_json(json.loads(error)) if error else None,
    )


def _pack_answer(answer: Answer | None) -> str | None:
    """Without the text, which the turn has."""
    if answer is None:
        return None
    return packed({name: value for name, value in answer.to_json().items() if name != "text"})
