"""The conversations of the side panel: pictures come in, questions are asked, answers arrive and are kept.

It outlives the panel's window, so that an answer goes on while the window is closed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from core.chat import Answer, GenerationOptions, Message, Role, pictures_of
from core.conversation_types import Conversation, Picture, Turn, TurnState, first_attempt
from core.conversations import Conversations
from core.engine import Engine
from core.errors import Cancelled, OnePictureOnly, YomitoriError
from core.history import History
from core.images import MAX_PIXELS, load_image, to_png, too_large
from core.jobs import Job
from core.presets import kept_options
from core.settings import SettingsStore, Vision
from core.transcript import messages, superseded
from core.types import OcrResult, RgbImage
from desktop.answering import Answering, Progress
from desktop.worker import Bridge

log = logging.getLogger(__name__)

_KEEP_EVERY_MS = 500
"""So much of an answer at most is lost in a crash."""


@dataclass(slots=True)
class Shown:
    """A picture of the open conversation as it is known here. ``result`` is what was read; ``reading`` while
    it is being read, ``error`` when that failed."""

    picture: Picture
    image: RgbImage
    result: OcrResult | None = None
    reading: bool = False
    error: YomitoriError | None = None


@dataclass(slots=True)
class _Asked:
    """A question that is kept: what has to be known to answer it."""

    conversation: Conversation
    answering: Answering
    images: dict[int, RgbImage]
    options: GenerationOptions
    system: str


class Talk(QObject):
    """One conversation is open at a time, or a new one without anything in it. Lives in the GUI thread.

    Where no history is kept, conversations live in memory until Yomitori ends.
    """

    opened = Signal()
    """Another conversation is open: ``pictures`` and ``turns`` are all new."""
    pictures_changed = Signal()
    picture_read = Signal(int)
    """The text of this picture is another one."""
    turns_changed = Signal()
    """Turns were added or went."""
    turn_changed = Signal(int)
    """This turn has ended."""
    progressed = Signal(int, object)
    """The turn that is answered, and its ``Progress``."""
    busy_changed = Signal()
    listed = Signal()
    """What a list of conversations shows is another now."""
    problem = Signal(object)
    """A ``YomitoriError`` that concerns no single turn."""
    accepted = Signal()
    """The question that was asked with ``ask`` is kept, and its answer begun."""

    def __init__(
        self,
        engine: Engine,
        bridge: Bridge,
        settings: SettingsStore,
        history: History | None,
        language: str,
        keeps: Callable[[], bool] = lambda: True,
        parent: QObject | None = None,
    ) -> None:
        """``history`` is None where there is none; ``keeps`` says whether new conversations go there.

        ``language`` is ``en`` or ``ja``: that of the words around a text that the model is given.
        """
        super().__init__(parent)
        self._engine = engine
        self._bridge = bridge
        self._settings = settings
        self._history = history
        self._memory: History | None = None
        self._language = language
        self._keeps = keeps
        self._store: Conversations | None = None
        self.conversation: Conversation | None = None
        self._shown: dict[int, Shown] = {}
        self.options, self.system, self.preset = self.defaults(), "", ""
        self._options_set = False
        self._running: dict[int, Answering] = {}
        self._progress: dict[int, Progress] = {}
        # Pictures that are being read, and questions that wait for their text.
        self._reading: dict[int, Conversations] = {}
        self._waiting: list[_Asked] = []
        self._made: tuple[int, int] | None = None
        self._arriving: dict[int, int] = {}
        self._sending = False
        self._keep = QTimer(self, interval=_KEEP_EVERY_MS)
        self._keep.timeout.connect(self._keep_running)
        self._unkept: set[int] = set()
        self._number = 0
        self.one_picture = ""
        """The name of the model that answers, where that looks at one picture at a time."""

    # ---- what is open

    @property
    def id(self) -> int | None:
        """Of the open conversation; None for one without anything in it."""
        return None if self.conversation is None else self.conversation.id

    @property
    def store(self) -> Conversations | None:
        """Where the open conversation is; None for one without anything in it."""
        return self._store

    @property
    def pictures(self) -> tuple[Shown, ...]:
        return tuple(self._shown.values())

    @property
    def empty(self) -> bool:
        """Whether there is nothing in the open conversation, and nothing on its way."""
        return not (self._shown or self.turns or self._arriving.get(self._number))

    def _arrives(self, number: int, count: int) -> None:
        """So many more pictures are on their way into the ``number``-th conversation."""
        self._arriving[number] = self._arriving.get(number, 0) + count
        if not self._arriving[number]:
            del self._arriving[number]
        if number == self._number:
            self.pictures_changed.emit()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Those of the open conversation, with all that has come of answers on their way."""
        if self.conversation is None:
            return ()
        return tuple(
            replace(turn, text=self._progress[turn.id].text) if turn.id in self._progress else turn
            for turn in self.conversation.turns
        )

    def turn(self, turn: int) -> Turn | None:
        return next((each for each in self.turns if each.id == turn), None)

    def progress(self, turn: int) -> Progress | None:
        return self._progress.get(turn)

    @property
    def busy(self) -> bool:
        """Whether the open conversation is being answered, or a question is on its way."""
        return self._sending or any(each.conversation == self.id for each in self._running.values())

    def defaults(self) -> GenerationOptions:
        """The settings' options."""
        return options_of(self._settings.current.vision)

    def text(self) -> str:
        """What was read in all pictures, for prompts."""
        return "\n".join(shown.picture.text for shown in self.pictures if shown.picture.text.strip())

    # ---- opening

    def begin(self) -> None:
        """A new conversation; it is kept as soon as there is anything in it."""
        self._number += 1
        self._store, self.conversation, self._shown = None, None, {}
        self.options, self.system, self._options_set = self.defaults(), "", False
        self.preset = ""
        self.opened.emit()
        self.busy_changed.emit()

    def open(self, conversation: int) -> None:
        """Open one of the history."""
        history = self._history
        if history is None:
            return
        self._number += 1
        number, store = self._number, history.conversations

        def load() -> tuple[Conversation | None, dict[int, Shown]]:
            kept = store.get(conversation)
            return kept, {} if kept is None else _load_pictures(store, kept.pictures)

        def loaded(found: tuple[Conversation | None, dict[int, Shown]] | None, error: Any) -> None:
            if error is not None:
                self.problem.emit(error)
            if found is None or found[0] is None or number != self._number:
                return
            self._store, (self.conversation, self._shown) = store, found
            for shown in self._shown.values():
                shown.reading = shown.picture.id in self._reading
            options = self.conversation.options
            self._options_set = "options" in options
            self.options, problems = kept_options(options.get("options"), self.defaults())
            self.system, self.preset = str(options.get("system", "")), str(options.get("preset", ""))
            self.opened.emit()
            for problem in problems:
                self.problem.emit(problem)
            self.busy_changed.emit()

        self._bridge.run(load, loaded)

    def gone(self, conversations: Sequence[int]) -> None:
        """These were deleted."""
        self._stop(lambda running: running.conversation in conversations)
        if self.id in conversations:
            self.begin()

    def set_options(self, options: GenerationOptions, system: str, preset: str = "") -> None:
        """For the open conversation; ``preset`` is the id of the one they come from."""
        self.options, self.system, self.preset, self._options_set = options, system, preset, True
        if self._store is not None and self.id is not None:
            store, conversation, kept = self._store, self.id, self._kept_options()
            self._in_order(lambda: store.set_options(conversation, kept))
        self.prepare()

    def _kept_options(self) -> dict[str, Any]:
        if not self._options_set:
            return {}
        return {"options": self.options.to_json(), "system": self.system, "preset": self.preset}

    # ---- pictures

    def add_file(self, path: Path) -> None:
        """Show a picture file."""
        self.add_loaded(lambda: load_image(path), "file")

    def add_loaded(self, load: Callable[[], RgbImage], source: str) -> None:
        """Show what ``load`` gives, in a pool thread; what was open then is what gets it."""
        number = self._number

        def loaded(image: RgbImage | None, error: YomitoriError | None) -> None:
            if error is not None:
                self.problem.emit(error)
            elif image is not None and number == self._number:
                self.add_picture(image, source)
            self._arrives(number, -1)

        self._arrives(number, 1)
        self._bridge.run(load, loaded)

    def add_picture(
        self,
        image: RgbImage,
        source: str,
        snip: int | None = None,
        result: OcrResult | None = None,
        text: str | None = None,
        then: Callable[[int], None] | None = None,
        read: bool = True,
    ) -> None:
        """Show a picture in the open conversation, and read it unless ``result`` tells what was read.

        ``snip`` is its row in the history, ``text`` the user's version of what was read. ``then`` hears of
        its id. Without ``read``, ``set_read`` has to be called.
        """
        if image.width * image.height > MAX_PIXELS:
            self.problem.emit(too_large("The picture", image.width, image.height))
            return
        number, store = self._number, self._open_store()
        conversation, options = self.id, self._kept_options()

        def keep() -> tuple[Conversation | None, int | None]:
            # One after the other in one thread: two pictures at once make one conversation.
            known = conversation if conversation is not None else self._new_in(number, store, options)
            picture = store.add_picture(known, to_png(image), image.width, image.height, source, snip)
            if picture is not None and result is not None:
                store.set_result(picture, result)
            if picture is not None and text is not None and (result is None or text != result.text):
                store.update_text(picture, text)
            return store.get(known), picture

        def kept(made: tuple[Conversation | None, int | None] | None, error: YomitoriError | None) -> None:
            if error is not None:
                self.problem.emit(error)
            if made is None or made[0] is None or made[1] is None or number != self._number:
                self._arrives(number, -1)
                self.listed.emit()
                return
            self.listed.emit()
            found, picture = made
            self._store, self.conversation = store, found
            row = next(each for each in found.pictures if each.id == picture)
            self._shown[picture] = Shown(row, image, result)
            self._arrives(number, -1)
            if then is not None:
                then(picture)
            if result is not None:
                self.prepare()
            elif read:
                self.read(picture)

        self._arrives(number, 1)
        self._bridge.run_in_order(keep, kept)

    def _new_in(self, number: int, store: Conversations, options: dict[str, Any]) -> int:
        """The row of the ``number``-th conversation that was begun here, made at the first call."""
        if self._made is None or self._made[0] != number:
            self._made = (number, store.create(options))
        return self._made[1]

    def _open_store(self) -> Conversations:
        """Where the open conversation is or will be kept."""
        if self._store is not None:
            return self._store
        if self._history is not None and self._keeps():
            return self._history.conversations
        if self._memory is None:
            self._memory = History(None)
        return self._memory.conversations

    def read(self, picture: int) -> None:
        """Read a picture of the open conversation, also again."""
        shown = self._shown.get(picture)
        if shown is None or picture in self._reading:
            return
        self.expect_text(picture)
        job = self._engine.recognize(shown.image, looked_at=True)
        self._bridge.when_done(job, lambda result, error: self.set_read(picture, result, error))

    def expect_text(self, picture: int) -> None:
        """A picture of the open conversation is being read; ``set_read`` will tell the result. Questions
        about it wait for that."""
        shown, store = self._shown.get(picture), self._store
        if shown is None or store is None:
            return
        self._reading[picture] = store
        shown.reading, shown.error = True, None
        self.picture_read.emit(picture)

    def set_read(self, picture: int, result: OcrResult | None, error: YomitoriError | None) -> None:
        """What was read in a picture, or why not."""
        store = self._reading.pop(picture, None)
        shown = self._shown.get(picture)
        if shown is not None:
            shown.reading, shown.error = False, error
            if result is not None:
                shown.result = result
                if not shown.picture.edited:
                    shown.picture = replace(shown.picture, text=result.text)
            self.picture_read.emit(picture)
        if result is not None and store is not None:
            self._in_order(lambda: store.set_result(picture, result))
        self._ask_waiting()
        self.prepare()

    def edit_text(self, picture: int, text: str) -> None:
        """The user's own version of what was read."""
        shown, store = self._shown.get(picture), self._store
        if shown is None or store is None or shown.picture.text == text:
            return
        shown.picture = replace(shown.picture, text=text, edited=True)
        self._in_order(lambda: store.update_text(picture, text))
        self.prepare()

    def remove_picture(self, picture: int) -> None:
        """Take a picture out of the open conversation, for good."""
        store = self._store
        if store is None or self._shown.pop(picture, None) is None:
            return
        self.pictures_changed.emit()
        self._in_order(lambda: store.delete_picture(picture))

    def part_with_last_picture(self) -> None:
        """Begin a conversation of its own with the last picture, as it was read. It leaves the one it is in,
        unless it was asked about there."""
        if not self._shown:
            return
        last, store, conversation = self.pictures[-1], self._store, self.id
        picture, kept = last.picture, any(last.picture.id in turn.pictures for turn in self.turns)

        def added(_: int) -> None:
            if store is not None and conversation is not None and not kept:
                self._in_order(lambda: store.delete_picture(picture.id))
                self.listed.emit()

        text = picture.text if last.result is not None or picture.edited else None
        self.begin()
        self.add_picture(last.image, picture.source, picture.snip, last.result, text, then=added)

    # ---- questions and answers

    def obstacle(self, turn: int | None = None) -> YomitoriError | None:
        """What is known to keep the model from answering, before it is asked: a new question, or anew the one
        that this turn asks or answers."""
        told = self._next_question() if turn is None else self._question_again(turn)
        if self.one_picture and len(pictures_of(told)) > 1:
            return OnePictureOnly(model=self.one_picture)
        return None

    def _may_ask(self, turn: int | None = None) -> bool:
        """``problem`` says why not, unless something is being answered."""
        obstacle = self.obstacle(turn)
        if obstacle is not None and not self.busy:
            self.problem.emit(obstacle)
        return obstacle is None and not self.busy

    def attempts(self, answer: int) -> frozenset[int]:
        """The ids of all answers to the same question as this one, which was given anew or gives one anew."""
        replaces = {each.id: each.replaces for each in self.turns if each.role is Role.ASSISTANT}
        first = first_attempt(replaces, answer)
        return frozenset(each for each in replaces if first_attempt(replaces, each) == first)

    def ask(self, text: str, title: str = "") -> None:
        """Ask in the open conversation. ``accepted`` says that the question is safe.

        ``title`` is what the conversation is called when this is its first question.
        """
        if not text.strip() or not self._may_ask():
            return
        number, store = self._number, self._open_store()
        conversation, options, first = self.id, self._kept_options(), not self.turns

        def add() -> tuple[int, int | None]:
            known = conversation if conversation is not None else self._new_in(number, store, options)
            question = store.add_question(known, text)
            if first and title:
                store.rename(known, title)
            return known, store.begin_answer(known) if question is not None else None

        self._send(store, add, self.accepted.emit)

    def edit_question(self, turn: int, text: str) -> None:
        """Ask an earlier question in other words; what followed it goes."""
        store, conversation, asked = self._store, self.id, self.turn(turn)
        if store is None or conversation is None or asked is None or not text.strip():
            return
        if not self._may_ask(turn):
            return

        def add() -> tuple[int, int | None]:
            question = store.add_question(conversation, text, asked.pictures, replacing=turn)
            return conversation, store.begin_answer(conversation) if question is not None else None

        self._send(store, add)

    def answer_again(self, turn: int) -> None:
        """Have an answer given anew. What has come of the old one stays until the new one is there."""
        store, conversation = self._store, self.id
        if store is None or conversation is None or not self._may_ask(turn):
            return
        self._send(store, lambda: (conversation, store.begin_answer(conversation, replacing=turn)))

    def delete_from(self, turn: int) -> None:
        """Delete this turn and what follows it."""
        store, conversation, number = self._store, self.id, self._number
        if store is None or conversation is None:
            return
        self._stop(lambda running: running.conversation == conversation and running.turn >= turn)

        def delete() -> Conversation | None:
            store.truncate_from(turn)
            return store.get(conversation)

        def deleted(found: Conversation | None, error: YomitoriError | None) -> None:
            if error is not None:
                self.problem.emit(error)
            elif found is not None and number == self._number:
                self.conversation = found
                self.turns_changed.emit()
            self.listed.emit()

        self._bridge.run_in_order(delete, deleted)

    def stop(self) -> None:
        """Stop the answer of the open conversation."""
        if self.id is not None:
            self._stop(lambda running: running.conversation == self.id)

    def _stop(self, wanted: Callable[[Answering], bool]) -> None:
        for running in list(self._running.values()):
            if wanted(running):
                running.stop()
        self._ask_waiting()

    def _ask_waiting(self) -> None:
        """Something has changed for the questions that wait for the text of their pictures."""
        waiting, self._waiting = self._waiting, []
        for asked in waiting:
            self._ask_when_read(asked)

    def _send(
        self,
        store: Conversations,
        add: Callable[[], tuple[int, int | None]],
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """Keep a question with ``add``, which gives the conversation and the answer's turn, and ask it.
        ``then`` hears that it is safe, while the conversation is still open."""
        number, images = self._number, {shown.picture.id: shown.image for shown in self.pictures}
        options, system = self.options, self.system
        self._sending = True
        self.busy_changed.emit()

        def keep() -> tuple[Conversation, int] | None:
            conversation, answer = add()
            found = store.get(conversation)
            return None if found is None or answer is None else (found, answer)

        def kept(begun: tuple[Conversation, int] | None, error: YomitoriError | None) -> None:
            self._sending = False
            if error is not None:
                self.problem.emit(error)
            if begun is not None:
                conversation, turn = begun
                answering = Answering(store, conversation.id, turn, self._ask_for_look)
                self._running[turn], self._progress[turn] = answering, Progress()
                if number == self._number:
                    self._store, self.conversation = store, conversation
                    self.turns_changed.emit()
                    then()
                self._ask_when_read(_Asked(conversation, answering, images, options, system))
            self.listed.emit()
            self.busy_changed.emit()

        self._bridge.run_in_order(keep, kept)

    def _ask_when_read(self, asked: _Asked) -> None:
        """Ask the engine, as soon as all pictures have been read: their texts belong to the question."""
        give = self._settings.current.panel.give_text
        if give and not asked.answering.stopped and any(each in self._reading for each in asked.images):
            self._waiting.append(asked)
            self.progressed.emit(asked.answering.turn, Progress())
            return
        store, conversation = asked.answering.store, asked.conversation.id

        def again(found: Conversation | None, error: YomitoriError | None) -> None:
            # With the texts that have come since.
            self._start(asked if found is None else replace(asked, conversation=found))

        self._bridge.run_in_order(lambda: store.get(conversation), again)

    def _start(self, asked: _Asked) -> None:
        answering = asked.answering
        if answering.stopped:
            self._ended(answering, None, Cancelled())
            return
        told, options = self._messages(asked), asked.options

        def begun(job: Job[Answer] | None, error: YomitoriError | None) -> None:
            if job is None:
                self._ended(answering, None, error or YomitoriError(detail="the question was not taken"))
                return
            answering.job = job
            if answering.stopped:
                job.cancel()
            self._bridge.when_done(job, lambda answer, error: self._ended(answering, answer, error))

        self._keep.start()
        # Not here: a keyring that holds a server's key may ask the user to unlock it first.
        apart = self._settings.current.vision.backend == "remote"
        run = self._bridge.run_apart if apart else self._bridge.run
        run(lambda: self._engine.ask(told, options, answering.came), begun)

    def _messages(self, asked: _Asked) -> list[Message]:
        turns = asked.conversation.turns
        answer = next((turn for turn in turns if turn.id == asked.answering.turn), None)
        end = asked.answering.turn if answer is None or answer.replaces is None else answer.replaces
        return self._told(turns, end, asked.conversation.pictures, asked.images, asked.system)

    def _told(
        self,
        turns: Sequence[Turn],
        end: int,
        pictures: Sequence[Picture],
        images: dict[int, RgbImage],
        system: str,
    ) -> list[Message]:
        """What a model is given of the turns before ``end``."""
        before = [turn for turn in turns if turn.id < end]
        gone = superseded(before)
        before = [turn for turn in before if turn.id not in gone]
        give = self._settings.current.panel.give_text
        return messages(before, pictures, images, system, give, self._language)

    def _question_again(self, turn: int) -> list[Message]:
        """What the model is given when a question is asked anew; the question's turn, or one answer's."""
        asked = self.turn(turn)
        end = turn + 1 if asked is None or asked.role is Role.USER else min(self.attempts(turn))
        pictures = [shown.picture for shown in self.pictures]
        images = {shown.picture.id: shown.image for shown in self.pictures}
        return self._told(self.turns, end, pictures, images, self.system)

    def _next_question(self) -> list[Message]:
        """What the model is given with the next question, which is not written yet."""
        shown = {picture for turn in self.turns for picture in turn.pictures}
        fresh = tuple(picture for picture in self._shown if picture not in shown)
        last = max((turn.id for turn in self.turns), default=0) + 1
        question = Turn(last, 0.0, Role.USER, TurnState.DONE, "", fresh)
        pictures = [shown.picture for shown in self.pictures]
        images = {shown.picture.id: shown.image for shown in self.pictures}
        return self._told((*self.turns, question), last + 1, pictures, images, self.system)

    def waits_for_text(self, turn: int) -> bool:
        """Whether this answer is not begun because its pictures are still being read."""
        return any(asked.answering.turn == turn for asked in self._waiting)

    def _ask_for_look(self, answering: Answering) -> None:
        self._bridge.post(lambda: self._look(answering))

    def _look(self, answering: Answering) -> None:
        if answering.turn not in self._running:
            return
        progress = self._progress[answering.turn] = answering.look()
        self._unkept.add(answering.turn)
        if answering.conversation == self.id:
            self.progressed.emit(answering.turn, progress)

    def _keep_running(self) -> None:
        """Write what has come of every answer."""
        if not self._running:
            self._keep.stop()
        for turn in self._unkept & self._running.keys():
            store, text = self._running[turn].store, self._progress[turn].text
            if text:
                self._in_order(partial(store.grow_answer, turn, text))
        self._unkept.clear()

    def _ended(self, answering: Answering, answer: Answer | None, error: YomitoriError | None) -> None:
        turn, store = answering.turn, answering.store
        text = answering.look().text
        self._running.pop(turn, None)

        def write() -> Conversation | None:
            if answer is not None:
                store.finish_answer(turn, answer)
            elif isinstance(error, Cancelled):
                store.stop_answer(turn, text)
            elif error is not None:
                store.fail_answer(turn, text, error)
            return store.get(answering.conversation)

        def written(found: Conversation | None, problem: YomitoriError | None) -> None:
            self._progress.pop(turn, None)
            if problem is not None:
                # It is shown all the same.
                self.problem.emit(problem)
                found = self._with_end(turn, text, answer, error)
            before = self.conversation
            if found is not None and before is not None and found.id == before.id:
                self.conversation = found
                if len(found.turns) != len(before.turns):
                    self.turns_changed.emit()
                else:
                    self.turn_changed.emit(turn)
            self.listed.emit()
            self.busy_changed.emit()

        self._bridge.run_in_order(write, written)

    def _with_end(
        self, turn: int, text: str, answer: Answer | None, error: YomitoriError | None
    ) -> Conversation | None:
        """The open conversation with the end of an answer that could not be written."""
        if self.conversation is None:
            return None
        stopped = isinstance(error, Cancelled)
        state = TurnState.DONE if answer else TurnState.STOPPED if stopped else TurnState.FAILED
        turns = tuple(
            replace(
                each,
                state=state,
                text=answer.text if answer else text,
                answer=answer,
                error=None if stopped else error,
            )
            if each.id == turn
            else each
            for each in self.conversation.turns
        )
        return replace(self.conversation, turns=turns)

    def _in_order(self, write: Callable[[], object]) -> None:
        """Write off the GUI thread, after what was written before: a deletion may hold the file."""

        def written(_: object, error: YomitoriError | None) -> None:
            if error is not None:
                self.problem.emit(error)

        self._bridge.run_in_order(write, written)

    # ---- getting ready

    def prepare(self) -> None:
        """Have the model take in what is there, while the next question is being written."""
        if self.busy or not self._shown or any(shown.reading for shown in self.pictures):
            return
        if self.obstacle() is None:
            self._engine.prepare_question(self._next_question())

    def typing(self) -> None:
        """A question is being written: the model may be loaded."""
        if self._settings.current.vision.backend == "local" and not self.busy:
            self._engine.load("vision")
            self.prepare()

    def close(self) -> None:
        """Keep what has come; called before the bridge is closed."""
        self._keep.stop()
        self._keep_running()

    def forget(self) -> None:
        """Let go of what only memory holds; called after the bridge was closed."""
        if self._memory is not None:
            self._memory.close()


def options_of(vision: Vision) -> GenerationOptions:
    """What the settings choose for conversations that do not choose themselves."""
    return GenerationOptions(vision.temperature, vision.top_p, vision.max_tokens)


def _load_pictures(store: Conversations, pictures: Sequence[Picture]) -> dict[int, Shown]:
    """Those that can be opened; a damaged one is left out, the rest of the conversation can be read."""
    shown = {}
    for picture in pictures:
        data = store.picture(picture.id)
        if data is None:
            continue
        try:
            image = load_image(data)
        except YomitoriError as error:
            log.warning("Picture %d cannot be shown: %s", picture.id, error)
            continue
        shown[picture.id] = Shown(picture, image, store.result(picture.id))
    return shown
