"""Questions through an Engine: which model answers, what comes back as it goes, and what can go wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.chat import Answer, AnswerPiece, Finish, GenerationOptions, Message, Phase, Role
from core.devices import Device
from core.engine import Engine
from core.engines import find_engine
from core.errors import (
    Cancelled,
    FellBack,
    ImageTooLarge,
    ModelMissing,
    NotEnoughMemory,
    ProcessDied,
    ReadFailed,
    ServerNotSet,
)
from core.events import HostState, State
from core.host import HostLimits
from core.memory import MemoryJudge
from core.models.catalogue import load_catalogue
from core.settings import SettingsStore
from core.types import RgbImage
from core.vision.choice import choose, recommend
from tests.support.chat_server import ChatServer
from tests.support.fake_vision_engine import FAKE_VISION
from tests.support.local_library import LocalLibrary

STALL = 60.0
PICTURE = RgbImage(4, 3, b"\x80" * 36)
CARD = Device("cuda:0", "A card", 8_000_000_000, 6_000_000_000)
OPTIONS = GenerationOptions(temperature=0.0)


def asked(text: str, *images: RgbImage) -> list[Message]:
    return [Message(Role.USER, text, images)]


class Subject:
    """An Engine whose questions the fake answers, and a record of what was told."""

    def __init__(self, settings: SettingsStore, weights: Path, devices: list[Device]) -> None:
        self.settings = settings
        self.library = LocalLibrary(weights)
        settings.set("vision.model", str(weights))
        memory = MemoryJudge(lambda: 8_000_000_000, lambda: devices)
        engines = (FAKE_VISION, find_engine("remote", "vision"))
        limits = HostLimits(grace=0.5, forward=1.0, silence=STALL)
        self.engine = Engine(
            settings, engines=engines, library=self.library, memory=memory, limits=limits,
            server_key=lambda url: f"key-of-{url[-8:-3]}",
        )  # fmt: skip
        self.pieces: list[AnswerPiece] = []
        self.states: list[HostState] = []
        self.changed = threading.Condition()
        self.engine.subscribe(self._record)

    def _record(self, state: HostState) -> None:
        with self.changed:
            self.states.append(state)
            self.changed.notify_all()

    def came(self, piece: AnswerPiece) -> None:
        with self.changed:
            self.pieces.append(piece)
            self.changed.notify_all()

    def wait_for_text(self) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: any(piece.text for piece in self.pieces), STALL)

    def wait_for(self, state: State) -> None:
        with self.changed:
            assert self.changed.wait_for(
                lambda: any(seen.role == "vision" and seen.state is state for seen in self.states), STALL
            )

    def ask(self, text: str, *images: RgbImage) -> Answer:
        return self.engine.ask(asked(text, *images), OPTIONS, self.came).result(STALL)

    def wait_for_end(self) -> None:
        """Until a job has begun and ended."""

        def ended() -> bool:
            states = [seen.state for seen in self.states if seen.role == "vision"]
            return State.BUSY in states and State.READY in states[states.index(State.BUSY) :]

        with self.changed:
            assert self.changed.wait_for(ended, STALL)

    @property
    def told(self) -> str:
        return "".join(piece.text for piece in self.pieces)


@pytest.fixture
def devices() -> list[Device]:
    return []


@pytest.fixture
def subject(settings: SettingsStore, tmp_path: Path, devices: list[Device]) -> Iterator[Subject]:
    subject = Subject(settings, tmp_path, devices)
    yield subject
    subject.engine.close()
    assert psutil.Process().children() == []


def test_tokens_come_where_they_are_asked_for_and_an_answer_ends_before_a_stop_text(subject: Subject) -> None:
    options = GenerationOptions(stop=(" [",), top_logprobs=2)
    answer = subject.engine.ask(asked("one two"), options, subject.came).result(STALL)
    assert answer.text == subject.told == "one two"
    assert [token.text for token in answer.tokens] == ["one ", "two"]
    assert answer.tokens == tuple(token for piece in subject.pieces for token in piece.tokens)
    assert [token.text for token in answer.tokens[0].top] == ["one ", "other0"]
    assert Answer.from_json(answer.to_json()).tokens == answer.tokens
    assert GenerationOptions.from_json(options.to_json()) == options
    # and nothing of the kind in what is written for all others
    assert OPTIONS.to_json().keys() == {"temperature", "top_p", "max_tokens", "seed"}
    assert "tokens" not in subject.ask("one").to_json()


@pytest.mark.parametrize("devices", [[CARD]])
def test_tokens_of_an_answer_that_began_anew_are_those_of_the_last(subject: Subject) -> None:
    options = GenerationOptions(top_logprobs=0)
    answer = subject.engine.ask(asked("oom"), options, subject.came).result(STALL)
    assert [token.text for token in answer.tokens] == ["oom ", "[0]"]


def test_an_answer_comes_in_pieces_and_says_who_gave_it(subject: Subject) -> None:
    answer = subject.ask("What is this?", PICTURE, PICTURE)
    assert answer.text == subject.told == "What is this? [2]"
    assert (answer.engine, answer.model, answer.device, answer.precision) == (
        "llava", "fake-llava", "cpu", "fp32",
    )  # fmt: skip
    assert (answer.finish, answer.confidence, answer.notices) == (Finish.STOP, 0.5, ())
    phases = [piece.phase for piece in subject.pieces if piece.phase is not None]
    assert phases == [Phase.LOADING, Phase.ENCODING, Phase.ANSWERING]
    assert Answer.from_json(answer.to_json()).to_json() == answer.to_json()
    assert subject.library.touched == 1


def test_a_loaded_model_is_not_said_to_load(subject: Subject) -> None:
    subject.ask("one")
    subject.pieces.clear()
    subject.ask("two")
    assert Phase.LOADING not in [piece.phase for piece in subject.pieces]


def test_without_a_model_the_question_says_so(subject: Subject) -> None:
    subject.library.folder = None
    with pytest.raises(ModelMissing):
        subject.ask("What is this?")
    assert subject.engine.state("vision").state is State.UNLOADED


@pytest.mark.parametrize("devices", [[], [CARD]])
def test_the_model_that_is_missing_is_the_one_that_is_offered(
    subject: Subject, devices: list[Device]
) -> None:
    subject.settings.set("vision.model", "auto")
    known = recommend(load_catalogue(), devices, "auto", FAKE_VISION.devices, "auto")
    assert known is not None

    with pytest.raises(ModelMissing) as caught:
        subject.ask("What is this?")

    # People are told its title, commands take its name
    assert caught.value.message == f"{known.title} is not on this computer yet."
    assert caught.value.advice.endswith(f"yomitori models download {known.name}")
    subject.library.folder = None
    subject.settings.set("vision.model", known.repo)
    with pytest.raises(ModelMissing, match=known.title):
        subject.ask("What is this?")
    # And one of which nothing else is known, its name
    subject.settings.set("vision.model", "somebody/else")
    with pytest.raises(ModelMissing, match=r"^somebody/else is not"):
        subject.ask("What is this?")


def test_weights_that_must_be_converted_first_are(subject: Subject) -> None:
    subject.library.needs_conversion = True
    job = subject.engine.ask(asked("What is this?"), OPTIONS)
    (conversion,) = subject.library.conversions
    subject.library.needs_conversion = False
    conversion.finish({}, 0.0)
    assert job.result(STALL).text == "What is this? [0]"


def test_a_picture_that_is_too_large_is_told_before_it_is_sent(subject: Subject) -> None:
    huge = RgbImage(1, 1, b"\x00" * 3)
    object.__setattr__(huge, "width", 10**9)
    with pytest.raises(ImageTooLarge):
        subject.ask("What is this?", huge)
    assert psutil.Process().children() == []


def test_stopping_keeps_what_has_come_and_the_model(subject: Subject) -> None:
    job = subject.engine.ask(asked("stream 100000 every 0.01"), OPTIONS, subject.came)
    subject.wait_for_text()
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(STALL)
    assert subject.told.startswith("word0 ")
    (process,) = psutil.Process().children()
    assert subject.ask("next").text == "next [0]"
    assert [child.pid for child in psutil.Process().children()] == [process.pid]


def test_a_model_that_does_not_react_is_ended_and_the_next_question_answered(subject: Subject) -> None:
    job = subject.engine.ask(asked("hang"), OPTIONS, subject.came)
    subject.wait_for_text()
    (process,) = psutil.Process().children()
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(STALL)
    assert not process.is_running()
    assert subject.ask("next").text == "next [0]"


@pytest.mark.parametrize(("question", "error"), [("crash", ProcessDied), ("raise", ReadFailed)])
def test_what_fails_in_the_middle_costs_that_answer_only(
    subject: Subject, question: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        subject.ask(question)
    assert subject.told.startswith(question), "what had come is kept by whoever listened"
    assert subject.ask("next").text == "next [0]"


@pytest.mark.parametrize("devices", [[CARD]])
def test_a_card_that_runs_out_of_memory_gives_way_and_the_answer_starts_anew(subject: Subject) -> None:
    answer = subject.ask("oom")
    assert (answer.text, answer.device) == ("oom [0]", "cpu")
    assert isinstance(answer.notices[0], FellBack)
    again = next(number for number, piece in enumerate(subject.pieces) if piece.again)
    assert "".join(piece.text for piece in subject.pieces[again:]) == answer.text


# ---- preparing


def test_a_conversation_is_taken_in_ahead_once_the_model_is_loaded(subject: Subject) -> None:
    # given a picture that waits for a question, and no model in memory
    subject.engine.prepare_question(asked("first", PICTURE))
    assert subject.engine.state("vision").state is State.UNLOADED, "it alone loads nothing"
    # when the model is loaded
    subject.engine.load("vision")
    subject.wait_for_end()
    # then it is taken in, and the next one, too
    assert subject.ask("prepared").text == "first"
    subject.states.clear()
    subject.engine.prepare_question(asked("second", PICTURE))
    subject.wait_for_end()
    assert subject.ask("prepared").text == "first, second"


def test_a_question_does_not_wait_for_what_is_being_prepared(subject: Subject) -> None:
    subject.ask("one")
    subject.states.clear()
    subject.engine.prepare_question(asked("long", PICTURE))
    subject.wait_for(State.BUSY)
    assert subject.ask("next").text == "next [0]"


def test_what_is_being_prepared_gives_way_to_another_model(subject: Subject) -> None:
    subject.ask("one")
    subject.states.clear()
    subject.engine.prepare_question(asked("long", PICTURE))
    subject.wait_for(State.BUSY)
    with pytest.raises(NotEnoughMemory):
        subject.engine.memory.reserve("another", "x", 10**12)
    assert subject.engine.state("vision").state is State.UNLOADED


# ---- a server


def test_a_server_answers_and_is_sent_nothing_before_the_question(subject: Subject) -> None:
    with ChatServer() as server:
        server.answer(["Hel", "lo"])
        subject.settings.set("vision.server_url", server.base_url)
        subject.settings.set("vision.server_model", "big")
        subject.settings.set("vision.backend", "remote")
        subject.engine.load("vision")
        subject.wait_for(State.READY)
        subject.engine.prepare_question(asked("What is this?", PICTURE))
        time.sleep(0.3)
        assert server.requests == []
        answer = subject.ask("What is this?", PICTURE)
        assert (answer.text, answer.model, answer.engine, answer.device) == ("Hello", "big", "remote", "")
        assert subject.told == "Hello"
        (request,) = server.requests
        assert request.key == f"key-of-{server.base_url[-8:-3]}"


def test_a_server_that_is_not_named_is_asked_for(subject: Subject) -> None:
    subject.settings.set("vision.backend", "remote")
    with pytest.raises(ServerNotSet):
        subject.ask("What is this?")


# ---- the choice


@dataclass
class Known:
    name: str
    weights: Path | None


SIZES = {Path("small"): 2, Path("middle"): 10, Path("large"): 30}
MODELS = [Known("small", Path("small")), Known("large", Path("large")), Known("middle", Path("middle"))]


def chosen(models: list[Known], *devices: tuple[str, int], asked: str = "auto") -> str | None:
    there: list[Any] = [Device("cpu", "", 100, 100), *(Device(n, "", free, free) for n, free in devices)]
    return choose(models, there, asked, ("cuda", "mps", "cpu"), lambda folder, device: SIZES[folder])


def test_the_largest_model_that_fits_on_a_card_is_chosen() -> None:
    assert chosen(MODELS, ("cuda:0", 40)) == "large"
    assert chosen(MODELS, ("cuda:0", 20)) == "middle"
    assert chosen(MODELS, ("cuda:0", 5), ("cuda:1", 12)) == "middle"


def test_a_cpu_gets_the_smallest() -> None:
    assert chosen(MODELS) == "small"
    assert chosen(MODELS, ("cuda:0", 40), asked="cpu") == "small"
    assert chosen(MODELS, ("cuda:0", 1)) == "small"


def test_nothing_is_chosen_where_nothing_is() -> None:
    assert chosen([Known("small", None)], ("cuda:0", 40)) is None
