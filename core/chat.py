"""Value objects of a conversation about pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.errors import YomitoriError, from_json
from core.types import RgbImage


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. ``images`` come before the text, and belong to the user's turns only."""

    role: Role
    text: str
    images: tuple[RgbImage, ...] = ()


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """How an answer is chosen.

    ``temperature`` 0 takes the likeliest token each time; above it, tokens are drawn from the likeliest that
    together have the probability ``top_p`` (0 to 1). ``max_tokens`` bounds the answer. The same ``seed``
    gives the same answer on the same machine; None draws anew each time.

    The answer ends before the first of the ``stop`` texts, of which nothing is told. ``top_logprobs`` asks
    for the tokens of the answer, each with that many of the likeliest in its place; None for no tokens.
    """

    temperature: float = 0.2
    top_p: float = 1.0
    max_tokens: int = 1024
    seed: int | None = None
    stop: tuple[str, ...] = ()
    top_logprobs: int | None = None

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
        }
        if self.stop:
            value["stop"] = list(self.stop)
        if self.top_logprobs is not None:
            value["top_logprobs"] = self.top_logprobs
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> GenerationOptions:
        return cls(
            value["temperature"],
            value["top_p"],
            value["max_tokens"],
            value["seed"],
            tuple(value.get("stop", ())),
            value.get("top_logprobs"),
        )


class Finish(StrEnum):
    """Why an answer ended: by itself, at ``max_tokens``, or at the end of the model's context."""

    STOP = "stop"
    LENGTH = "length"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Usage:
    """What went through the model, in tokens; None where it was not told.

    ``prompt`` counts the whole conversation with its pictures, of which ``images`` belong to pictures and
    ``reused`` did not have to be computed again. ``tiles`` is how many pieces the pictures were cut into,
    ``context`` how many tokens the model can take in all.
    """

    prompt: int | None = None
    answer: int | None = None
    images: int | None = None
    reused: int | None = None
    tiles: int | None = None
    context: int | None = None

    def to_json(self) -> dict[str, int | None]:
        names = ("prompt", "answer", "images", "reused", "tiles", "context")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_json(cls, value: dict[str, int | None]) -> Usage:
        return cls(**value)


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and how likely the model itself found it (natural logarithm, before temperature and top_p).

    ``data`` are the bytes that it stands for, since a character may be spread over several tokens. ``top``
    are the likeliest ones in its place, the likeliest first; they have no ``top`` of their own.
    """

    data: bytes
    logprob: float
    top: tuple[Token, ...] = ()

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {"bytes": list(self.data), "logprob": self.logprob}
        if self.top:
            value["top"] = [token.to_json() for token in self.top]
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Token:
        top = tuple(cls.from_json(token) for token in value.get("top", ()))
        return cls(bytes(value["bytes"]), value["logprob"], top)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer.

    ``confidence`` is the geometric mean of the likelihoods that the model itself gave to its tokens (0 to 1),
    not a calibrated probability; None where it was not told. ``seconds`` is the time for all of it,
    ``first_seconds`` until the first piece of text. ``notices`` are the steps that were taken to answer it
    all the same, such as another device. ``tokens`` are there when they were asked for, and told.
    """

    text: str
    finish: Finish
    engine: str
    model: str
    device: str = ""
    precision: str = ""
    seconds: float = 0.0
    first_seconds: float = 0.0
    confidence: float | None = None
    usage: Usage = field(default_factory=Usage)
    notices: tuple[YomitoriError, ...] = ()
    tokens: tuple[Token, ...] = ()

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {
            "text": self.text,
            "finish": self.finish.value,
            "engine": self.engine,
            "model": self.model,
            "device": self.device,
            "precision": self.precision,
            "seconds": round(self.seconds, 4),
            "first_seconds": round(self.first_seconds, 4),
            "confidence": self.confidence,
            "usage": self.usage.to_json(),
            "notices": [notice.to_json() for notice in self.notices],
        }
        if self.tokens:
            value["tokens"] = [token.to_json() for token in self.tokens]
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Answer:
        return cls(
            value["text"],
            Finish(value["finish"]),
            value["engine"],
            value["model"],
            value["device"],
            value["precision"],
            value["seconds"],
            value["first_seconds"],
            value["confidence"],
            Usage.from_json(value["usage"]),
            tuple(from_json(notice) for notice in value["notices"]),
            tuple(Token.from_json(token) for token in value.get("tokens", ())),
        )


class Phase(StrEnum):
    """What a question waits for before its first word."""

    LOADING = "loading"
    ENCODING = "encoding"
    READING = "reading"
    ANSWERING = "answering"


@dataclass(frozen=True, slots=True)
class AnswerPiece:
    """What is new: more ``text``, another ``phase`` (``done`` of ``total`` tokens of the prompt while
    reading), or a step that had to be taken (``notice``). ``again``: the answer starts anew on another
    device, and what was told of it so far is no part of it. ``tokens``: those that the text is made of, when
    they were asked for."""

    text: str = ""
    phase: Phase | None = None
    done: int = 0
    total: int = 0
    notice: YomitoriError | None = None
    again: bool = False
    tokens: tuple[Token, ...] = ()


OnAnswerPiece = Callable[[AnswerPiece], None]


def pictures_of(messages: Sequence[Message]) -> tuple[RgbImage, ...]:
    """Every picture of a conversation, in order."""
    return tuple(image for message in messages for image in message.images)


def messages_json(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Messages as they cross to another process: their pictures go beside, in order."""
    return [
        {"role": message.role.value, "text": message.text, "images": len(message.images)}
        for message in messages
    ]
