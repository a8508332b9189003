"""Several programs of a user, one engine: weights are loaded once.

The programs are engines of this process that meet over real sockets; the tray is an ``Engine`` with an
``EngineOwner``, the others are ``SharedEngine``. ``tests/e2e/test_one_engine.py`` does it with real programs.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.chat import Answer, AnswerPiece, GenerationOptions, Message, Phase, Role, Token
from core.engine import Engine
from core.errors import Cancelled, EngineGone, InstanceError, NotRunning, ProcessDied
from core.events import HostState, State
from core.jobs import Job
from core.local_socket import LocalSocket
from core.settings import SettingsStore
from core.sharing.attached import AttachedEngine
from core.sharing.identity import identity
from core.sharing.owner import SOCKET, EngineOwner, take_over
from core.sharing.shared import SharedEngine
from core.sharing.wire import piece_json, piece_of
from core.types import RgbImage
from tests.support.fake_engine import FAKE
from tests.support.fake_vision_engine import FAKE_VISION
from tests.support.local_library import LocalLibrary

STALL = 60.0
PICTURE = RgbImage(40, 30, b"\xff" * (40 * 30 * 3))
ENDLESS = RgbImage(1, 1, b"\x00\x00\x01")
OPTIONS = GenerationOptions(temperature=0.0)


def question(text: str) -> list[Message]:
    return [Message(Role.USER, text, (PICTURE,))]


def answer_begun(program: SharedEngine) -> tuple[Job[Answer], list[AnswerPiece]]:
    """An answer of eight words of which one has come, and what has come so far."""
    pieces: list[AnswerPiece] = []
    came = threading.Event()

    def on_piece(piece: AnswerPiece) -> None:
        pieces.append(piece)
        if piece.text:
            came.set()

    job = program.ask(question("stream 8 every 0.05"), OPTIONS, on_piece)
    assert came.wait(STALL)
    return job, pieces


def model_processes() -> int:
    return len(psutil.Process().children())


class Programs:
    """Starts programs of one user, and ends those that are left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ends: list[Callable[[], None]] = []

    def store(self, **values: Any) -> SettingsStore:
        flags = {"vision.model": str(self.folder)}
        flags |= {key.replace("__", "."): value for key, value in values.items()}
        return SettingsStore(self.folder / "config" / "settings.json", environ={}, flags=flags)

    def socket(self) -> LocalSocket:
        return LocalSocket(self.folder / "run", SOCKET)

    def engine(self, store: SettingsStore) -> Engine:
        return Engine(store, None, engines=(FAKE, FAKE_VISION), library=self.library())

    def library(self) -> LocalLibrary:
        return LocalLibrary(self.folder)

    def tray(self, **values: Any) -> tuple[Engine, EngineOwner]:
        store = self.store(**values)
        engine, place = self.engine(store), self.socket()
        assert take_over(place)
        owner = EngineOwner(place, engine, lambda role: identity(store, self.library(), role))
        owner.start()
        self._ends += [engine.close, owner.end]
        return engine, owner

    def program(self, offer: bool = False, **values: Any) -> SharedEngine:
        store = self.store(**values)
        shared = SharedEngine(self.engine(store), store, self.library(), self.socket(), offer)
        self._ends.append(shared.close)
        return shared

    def end(self) -> None:
        for end in reversed(self._ends):
            end()


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    programs = Programs(tmp_path)
    yield programs
    programs.end()
    assert model_processes() == 0


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STALL
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_program_reads_with_the_engine_of_the_one_that_runs(programs: Programs) -> None:
    # given a tray that has read something
    tray, _ = programs.tray()
    tray.recognize(PICTURE).result(STALL)
    assert model_processes() == 1
    # when another program reads
    other = programs.program()
    pieces: list[dict[str, Any]] = []
    result = other.recognize(PICTURE, pieces.append).result(STALL)
    # then nothing was loaded a second time, and it heard everything
    assert result.text == "40x30"
    assert [block.text for block in result.blocks] == ["40x30"]
    assert pieces == [{"lines_done": 0, "lines": 1}]
    assert other.attached
    assert model_processes() == 1
    wait_for(lambda: other.state("ocr").state is State.READY)


def test_each_program_gets_its_text_as_its_own_settings_want_it(programs: Programs) -> None:
    programs.tray(reading__full_width=False)
    other = programs.program(reading__full_width=True)
    assert other.recognize(PICTURE).result(STALL).text == "４０ｘ３０"
    assert other.attached


def test_questions_are_answered_piece_by_piece(programs: Programs) -> None:
    programs.tray()
    other = programs.program()
    pieces: list[AnswerPiece] = []
    answer = other.ask(question("stream 5"), OPTIONS, pieces.append).result(STALL)
    assert answer.text == "word0 word1 word2 word3 word4 "
    assert answer.model == "fake-llava"
    assert "".join(piece.text for piece in pieces) == answer.text
    assert [piece.phase for piece in pieces if piece.phase] == [
        Phase.LOADING,
        Phase.ENCODING,
        Phase.ANSWERING,
    ]
    assert model_processes() == 1


def test_pieces_and_states_are_the_same_on_the_other_side() -> None:
    top = (Token(b"a", -0.1), Token(b"\xe3", -0.5))
    for piece in (
        AnswerPiece("text", tokens=(Token(b"a", -0.1, top),)),
        AnswerPiece(phase=Phase.READING, done=3, total=9),
        AnswerPiece(notice=EngineGone(), again=True),
    ):
        got = piece_of(json.loads(json.dumps(piece_json(piece))))
        assert (got.text, got.phase, got.done, got.total, got.again, got.tokens) == (
            piece.text, piece.phase, piece.done, piece.total, piece.again, piece.tokens,
        )  # fmt: skip
        assert type(got.notice) is type(piece.notice)
    state = HostState("ocr", State.FAILED, "ppocr", "cpu", "fp32", 1, 2, 3, 4, error=EngineGone())
    back = HostState.from_json(json.loads(json.dumps(state.to_json())))
    assert (back.state, back.memory, back.freed_vram, back.notice) == (State.FAILED, 1, 4, None)
    assert isinstance(back.error, EngineGone)


def test_pictures_reach_the_message_they_belong_to(programs: Programs) -> None:
    programs.tray()
    messages = [
        Message(Role.USER, "one", (PICTURE,)),
        Message(Role.ASSISTANT, "yes"),
        Message(Role.USER, "and these?", (PICTURE, PICTURE)),
    ]
    answer = programs.program().ask(messages, OPTIONS).result(STALL)
    assert answer.text == "and these? [3]"


def test_errors_and_stops_cross_over(programs: Programs) -> None:
    programs.tray()
    other = programs.program()
    with pytest.raises(ProcessDied):
        other.ask(question("crash"), OPTIONS).result(STALL)
    # A job that runs is stopped where it runs
    job = other.recognize(ENDLESS)
    wait_for(lambda: other.state("ocr").state is State.BUSY)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(STALL)
    assert other.recognize(PICTURE).result(STALL).text == "40x30"


def test_a_program_that_wants_another_model_has_its_own(programs: Programs) -> None:
    tray, _ = programs.tray()
    tray.recognize(PICTURE).result(STALL)
    other = programs.program(models__precision="bf16")
    assert other.recognize(PICTURE).result(STALL).text == "40x30"
    assert model_processes() == 2
    # But only for what differs
    other.ask(question("hello"), OPTIONS).result(STALL)
    wait_for(lambda: tray.state("vision").state is State.READY)
    assert model_processes() == 3


def test_a_program_follows_what_is_changed_in_the_tray(programs: Programs) -> None:
    # given a service beside the tray, both with the settings of the file
    store = programs.store()
    tray, place = programs.engine(store), programs.socket()
    assert take_over(place)
    owner = EngineOwner(place, tray, lambda role: identity(store, programs.library(), role))
    owner.start()
    service = programs.program(offer=True)
    service.recognize(PICTURE).result(STALL)
    # when the user chooses another precision in the tray
    store.set("models.precision", "bf16")
    # then the service still reads with the tray's engine
    assert service.recognize(PICTURE).result(STALL).text == "40x30"
    assert model_processes() == 1
    owner.end()
    tray.close()


def test_a_server_is_asked_by_each_program_itself(programs: Programs) -> None:
    programs.tray()
    other = programs.program(vision__backend="remote")
    assert other.engine_for("vision") is None
    assert other.engine_for("ocr") is not None


def test_jobs_of_a_program_that_ends_are_stopped(programs: Programs) -> None:
    tray, _ = programs.tray()
    other = programs.program()
    other.recognize(ENDLESS)
    wait_for(lambda: tray.state("ocr").state is State.BUSY)
    other.close()
    wait_for(lambda: tray.state("ocr").state is State.READY)


def test_when_the_owner_ends_its_work_is_done_here(programs: Programs) -> None:
    # given a program whose question is being answered by the tray
    tray, owner = programs.tray()
    other = programs.program()
    job, pieces = answer_begun(other)
    # when the tray is quit
    owner.end()
    tray.close()
    # then the answer comes all the same, from the start
    answer = job.result(STALL)
    assert answer.text == "".join(f"word{n} " for n in range(8))
    again = next(n for n, piece in enumerate(pieces) if piece.again)
    assert "".join(piece.text for piece in pieces[again:]) == answer.text
    assert not other.attached


def test_the_tray_takes_over_from_a_service(programs: Programs) -> None:
    # given a service that owns the engine, with a model loaded, and another program that uses it
    service = programs.program(offer=True)
    service.recognize(PICTURE).result(STALL)
    third = programs.program()
    assert third.recognize(PICTURE).result(STALL).text == "40x30"
    # when the tray starts
    tray, owner = programs.tray()
    # then the service reads with the tray's, and has given its memory back
    states: list[HostState] = []
    service.subscribe(states.append)
    assert service.recognize(PICTURE).result(STALL).text == "40x30"
    assert service.attached
    wait_for(lambda: model_processes() == 1)
    assert tray.state("ocr").state is State.READY
    assert State.BUSY in {state.state for state in states}
    # and so does who has used the service's, which would load it again
    wait_for(lambda: not third.attached)
    assert third.recognize(PICTURE).result(STALL).text == "40x30"
    assert third.attached
    assert model_processes() == 1
    # and when the tray is quit, the service owns it again
    owner.end()
    wait_for(lambda: not service.attached)
    assert service.recognize(PICTURE).result(STALL).text == "40x30"
    assert programs.program().attached


def test_what_runs_when_the_tray_takes_over_comes_to_its_end(programs: Programs) -> None:
    # given a program whose question is being answered by a service
    service = programs.program(offer=True)
    service.recognize(PICTURE).result(STALL)
    other = programs.program()
    job, pieces = answer_begun(other)
    # when the tray starts, then it goes on to its end, and only then is the program let go
    programs.tray()
    assert job.result(STALL).text == "".join(f"word{n} " for n in range(8))
    assert not any(piece.again for piece in pieces)
    wait_for(lambda: not other.attached)


def test_two_services_share_as_well(programs: Programs) -> None:
    first, second = programs.program(offer=True), programs.program(offer=True)
    first.recognize(PICTURE).result(STALL)
    second.recognize(PICTURE).result(STALL)
    assert (first.attached, second.attached) == (False, True)
    assert model_processes() == 1


def test_loading_and_unloading_reach_the_owner(programs: Programs) -> None:
    tray, _ = programs.tray()
    other = programs.program()
    other.load("ocr")
    wait_for(lambda: tray.state("ocr").state is State.READY)
    other.unload("ocr")
    wait_for(lambda: model_processes() == 0)
    wait_for(lambda: other.state("ocr").state is State.UNLOADED)


def test_a_tray_is_not_asked_to_hand_over(programs: Programs) -> None:
    programs.tray()
    assert not take_over(programs.socket())


def test_with_nobody_there_attaching_says_so(programs: Programs) -> None:
    with pytest.raises(NotRunning):
        AttachedEngine(programs.socket())


def test_what_cannot_be_understood_costs_only_the_one_who_says_it(programs: Programs) -> None:
    from core import frames

    programs.tray()
    with pytest.raises(InstanceError, match="does not know 'dance'"):
        programs.socket().call({"command": "dance"})
    connection, _ = programs.socket().call({"command": "engine"})
    with connection:
        frames.send(connection, {"id": 1, "do": "dance", "role": "ocr", "identity": {}})
        frames.send(connection, {"nonsense": True})
        # It is let go
        with suppress(EOFError):
            while True:
                frames.receive(connection)
    assert programs.program().recognize(PICTURE).result(STALL).text == "40x30"


def test_a_job_that_is_left_alone_fails_with_a_hint(programs: Programs) -> None:
    _, owner = programs.tray()
    attached = AttachedEngine(programs.socket())
    job: Job[Any] = attached.ask(
        question("hang"), OPTIONS, None, identity(programs.store(), programs.library(), "vision")
    )
    wait_for(lambda: attached.state("vision").state is State.BUSY)
    owner.end()
    with pytest.raises(EngineGone) as caught:
        job.result(STALL)
    assert "Try again" in caught.value.advice
    attached.close()
