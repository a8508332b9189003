"""The error tree: every error has a sentence and a hint, and crosses a process unchanged."""

from __future__ import annotations

import re

import pytest

import core.service_errors
import core.vision.errors
from core import errors


@pytest.mark.parametrize("cls", errors.known_errors().values(), ids=lambda cls: cls.__name__)
def test_every_error_tells_what_and_what_to_do(cls: type[errors.YomitoriError]) -> None:
    names = re.findall(r"{(\w+)}", cls.sentence + cls.hint)
    error = cls(**{name: f"<{name}>" for name in names})
    assert error.message.endswith((".", "?)."))
    assert "?" not in error.message.replace("?)", "")
    assert cls is errors.Cancelled or error.advice
    again = errors.from_json(error.to_json())
    assert type(again) is cls
    assert (again.message, again.advice) == (error.message, error.advice)


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    told = f"{errors.__doc__}\n{core.vision.errors.__doc__}\n{core.service_errors.__doc__}"
    drawn = set(re.findall(r"(?:── |^ *)([A-Z]\w+)", told, re.MULTILINE))
    assert set(errors.known_errors()) <= drawn


def test_a_forgotten_parameter_does_not_hide_the_error() -> None:
    assert errors.NotAnImage().message == "? is not a picture."


def test_an_error_of_a_newer_version_is_still_an_error() -> None:
    assert isinstance(errors.from_json({"error": "FromTheFuture"}), errors.YomitoriError)
