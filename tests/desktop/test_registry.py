"""How a backend is chosen from an ordered registry."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest

from core.errors import BackendUnavailable
from desktop.registry import Entry, choose, survey


@dataclass
class Fake:
    name: str
    problem: BackendUnavailable | None = None

    def unavailable(self) -> BackendUnavailable | None:
        return self.problem


def broken(name: str) -> Entry[Fake]:
    problem = BackendUnavailable(name=name, reason=f"{name} is missing", fix=f"Install {name}.")
    return Entry(name, lambda: Fake(name, problem))


def working(name: str, *platforms: str) -> Entry[Fake]:
    return Entry(name, lambda: Fake(name), platforms)


def never() -> Fake:
    raise AssertionError("built on a foreign platform")


def test_auto_takes_the_first_that_works_and_logs_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        chosen = choose("capture", "auto", [broken("a"), working("b"), broken("c")])
    assert chosen.name == "b"
    assert "passing over a: a cannot be used here: a is missing." in caplog.text
    assert "c is missing" not in caplog.text


def test_a_named_backend_that_works_is_taken_whatever_the_order() -> None:
    assert choose("capture", "b", [working("a"), working("b")]).name == "b"


def test_a_named_backend_that_does_not_work_fails_with_its_hint() -> None:
    with pytest.raises(BackendUnavailable) as caught:
        choose("capture", "b", [working("a"), broken("b")])
    assert caught.value.advice == "Install b."


def test_a_name_nobody_knows() -> None:
    with pytest.raises(BackendUnavailable) as caught:
        choose("capture", "x", [working("a"), broken("b")])
    assert caught.value.advice == "Choose one of: auto, a, b."


def test_when_nothing_works_every_reason_and_fix_is_told() -> None:
    with pytest.raises(BackendUnavailable) as caught:
        choose("capture", "auto", [broken("a"), broken("b")])
    assert caught.value.message == "Screen capture cannot be used here: a: a is missing; b: b is missing."
    assert caught.value.advice == "Install a. Install b."


def test_backends_of_other_systems_are_not_even_built() -> None:
    foreign = Entry("native", never, ("win32",))
    assert choose("capture", "auto", [foreign, working("a", "linux")], platform="linux").name == "a"
    with pytest.raises(BackendUnavailable, match="another system"):
        choose("capture", "native", [foreign, working("a")], platform="linux")
    with pytest.raises(BackendUnavailable) as caught:
        choose("capture", "auto", [foreign], platform="linux")
    assert "doctor" in caught.value.advice


def test_the_survey_tells_of_every_backend() -> None:
    found = survey([broken("a"), working("b"), Entry("c", never, ("win32",))], platform="linux")
    assert [(name, problem is None) for name, problem in found] == [("a", False), ("b", True), ("c", False)]
