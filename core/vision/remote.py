"""Questions about pictures, answered by any OpenAI-compatible server. Model process only.

It is an engine like every other: nothing of HTTP is imported in the front end, and a server that stalls in a
way nobody has thought of is ended with the process. ``load`` imports libraries and connects to nobody.

Jobs. Every job names its server::

    params["server"] = {
        "base_url": "http://host:8000/v1",  # as typed; see core.vision.address.parse_address
        "model": "name",                    # may be empty where the server has one model
        "key": "",                          # see core.vision.keys
        "loopback": False,                  # True: the user was told that it stays on this computer
    }
    params["limits"] = {"connect": ..., "first": ..., "quiet": ..., "tail": ...}  # optional, see Limits

``ask``: ``messages`` is a list of ``{"role", "text", "images": count}``, ``options`` what
``GenerationOptions.to_json`` makes, the job's images are those of all messages in order. Pieces are the
fields of ``AnswerPiece`` that are new (``{"phase": "reading"}``, ``{"phase": "answering", "text": "Hel"}``,
``{"text": "lo"}``), with ``tokens`` where the options ask for them and the server tells them. The result is
what ``Answer.from_json`` reads, but for ``engine``, ``model`` and ``seconds``, which whoever asked knows:
text, finish, confidence, usage, first_seconds, device, precision, notices.

``test``: asks for the list of models, and sends nothing of the user's. The result is ``{"models": [names],
"address": the IP address in use, "loopback": bool, "proxy": host or "", "notice": an error or None}``, where
the notice is a RemoteModelMissing as JSON when the configured model is not among them (and there are some).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.chat import Finish, GenerationOptions, Phase
from core.engines import Loaded, LoadOptions
from core.errors import Cancelled, YomitoriError
from core.types import RgbImage
from core.vision.address import ServerAddress, parse_address
from core.vision.completion import (
    OPTIONAL,
    AnswerReader,
    body_words,
    data_url,
    has_model,
    messages_json,
    model_names,
    request_json,
    status_error,
    without_refused,
)
from core.vision.errors import RemoteError, RemoteModelMissing, RemoteNotUnderstood, RemoteStalled
from core.vision.telling import Telling
from core.vision.wire import Arrival, Connected, End, Exchange, Head, Request

Pieces = Generator[dict[str, Any], None, dict[str, Any]]

_POLL = 0.05
"""Seconds between two looks at the cancel flag."""
_PULSE = 20.0
"""Seconds between two signs of life for the host while a server lets us wait."""
_TEST = 30.0
"""Seconds without anything until a server that is only tested counts as stalled."""
_ERROR_BODY = 64 * 1024
_MODELS_BODY = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: ``connect`` for each address of the server, ``first`` without anything before the first word
    (a server may have to load the model), ``quiet`` without anything between words, ``tail`` for what a
    server says after the last word."""

    connect: float = 10.0
    first: float = 300.0
    quiet: float = 120.0
    tail: float = 3.0


@dataclass(frozen=True, slots=True)
class _Server:
    address: ServerAddress
    model: str
    key: str
    told_loopback: bool
    limits: Limits

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> _Server:
        told = params["server"]
        return cls(
            parse_address(str(told["base_url"])),
            str(told.get("model") or "").strip(),
            str(told.get("key") or "").strip(),
            bool(told.get("loopback")),
            Limits(**params.get("limits") or {}),
        )


class RemoteEngine:
    """Asks a server. Keeps nothing from one job to the next but which optional fields a server refuses."""

    def __init__(self) -> None:
        self._refused: dict[tuple[str, str], set[str]] = {}

    def load(self, options: LoadOptions) -> Loaded:
        import PIL.PngImagePlugin  # noqa: F401

        return Loaded("cpu", "asks a server")

    def run(
        self,
        op: str,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Pieces:
        """Ops ``ask`` and ``test``, see the module.

        Raises:
            RemoteAddressInvalid, RemoteError and those below: as they say; pieces that came before stay.
            Cancelled: at once, whatever the server does; the connection is closed by then.
        """
        server = _Server.of(params)
        try:
            if op == "ask":
                return (yield from self._ask(server, params, images, cancelled))
            if op == "test":
                return (yield from _test(server, cancelled))
        except YomitoriError as error:
            raise _without_key(error, server.key) from None
        except Exception as error:
            if server.key and server.key in str(error):
                raise RemoteError(host=server.address.shown, reason=type(error).__name__) from None
            raise
        raise ValueError(f"a remote server cannot {op}")

    def _ask(
        self,
        server: _Server,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Pieces:
        started = time.perf_counter()
        options = GenerationOptions.from_json(dict(params["options"]))
        pictures: list[str] = []

        def check() -> None:
            if cancelled():
                raise Cancelled

        for image in images:
            yield {"phase": Phase.ENCODING.value}
            pictures.append(data_url(image, check))
        whole = request_json(server.model, messages_json(params["messages"], pictures), options)
        refused = self._refused.setdefault((server.address.url, server.model), set())
        body: dict[str, Any] | None = {name: value for name, value in whole.items() if name not in refused}
        while body is not None:
            sent = body
            question = _Question(server, sent, options, started)
            body = yield from question.stream(cancelled)
            if body is not None:
                refused.update(name for name in sent if name in OPTIONAL and name not in body)
        return question.result()


class _Question:
    """One request for an answer, and what has come of it."""

    def __init__(
        self, server: _Server, body: Mapping[str, Any], options: GenerationOptions, started: float
    ) -> None:
        self._server = server
        self._body = body
        self._started = started
        with_tokens = options.top_logprobs is not None
        self._reader = AnswerReader(server.address, server.model, options.max_tokens, with_tokens)
        # There are servers that do not know ``stop``.
        self._telling = Telling(options.stop)
        self._phase = Phase.LOADING
        self._first_seconds: float | None = None
        self._finished_at = math.inf
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._error_body = b""

    def result(self) -> dict[str, Any]:
        told = {"text": self._telling.text, "first_seconds": round(self._first_seconds or 0.0, 4)}
        if self._telling.stopped:
            told["finish"] = Finish.STOP.value
        return {**self._reader.result(), **told}

    def stream(self, cancelled: Callable[[], bool]) -> Generator[dict[str, Any], None, dict[str, Any] | None]:
        """Ask, and yield the answer. None at its end; or, before anything came, the request as the server may
        take it."""
        body = json.dumps(self._body, ensure_ascii=False).encode()
        exchange = _exchange(self._server, "/chat/completions", body)
        try:
            for arrival in _arrivals(exchange, self._server, self._patience, cancelled):
                if arrival is None:
                    yield {"phase": self._phase.value}
                elif isinstance(arrival, Connected):
                    self._phase = Phase.READING
                    yield {"phase": self._phase.value}
                else:
                    yield from self._tell(self._take(arrival))
                if self._over():
                    break
        except RemoteStalled:
            # Only what follows the answer is missing.
            if not self._reader.finished:
                raise
        finally:
            exchange.stop()
        if self._accepted:
            yield from self._told(self._telling.end())
            return None
        words = body_words(self._error_body)
        changed = without_refused(self._body, words) if self._status in (400, 422) else None
        if changed is None:
            raise status_error(self._server.address, self._server.model, self._status, self._headers, words)
        return changed

    @property
    def _accepted(self) -> bool:
        return 200 <= self._status < 300

    def _take(self, arrival: Head | bytes | End) -> str:
        if isinstance(arrival, Head):
            self._status, self._headers = arrival.status, arrival.headers
            return ""
        if isinstance(arrival, End):
            if not self._status:
                assert arrival.error is not None
                raise arrival.error
            if not self._accepted or self._reader.finished:
                return ""
            if arrival.error is not None:
                raise arrival.error
            return self._reader.end()
        if not self._accepted:
            self._error_body += arrival
            return ""
        text = self._reader.feed(arrival)
        if self._reader.finished:
            self._finished_at = min(self._finished_at, time.monotonic())
        return text

    def _tell(self, text: str) -> Iterator[dict[str, Any]]:
        rows = [token.to_json() for token in self._reader.tokens()]
        yield from self._told(self._telling.add(text, rows))

    def _told(self, piece: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if not piece:
            return
        if self._first_seconds is None:
            self._first_seconds = time.perf_counter() - self._started
            self._phase = Phase.ANSWERING
            piece = {"phase": self._phase.value, **piece}
        yield piece

    def _patience(self) -> float:
        limits = self._server.limits
        if self._reader.finished:
            return limits.tail
        return limits.quiet if self._reader.begun else limits.first

    def _over(self) -> bool:
        """Whether the rest of what the server sends is of no use."""
        late = time.monotonic() > self._finished_at + self._server.limits.tail
        return self._telling.stopped or self._reader.done or late or len(self._error_body) > _ERROR_BODY


def _test(server: _Server, cancelled: Callable[[], bool]) -> Pieces:
    exchange = _exchange(server, "/models", None)
    connected: Connected | None = None
    head = Head(0, {})
    body = b""
    try:
        for arrival in _arrivals(exchange, server, lambda: min(_TEST, server.limits.first), cancelled):
            if arrival is None:
                yield {"phase": Phase.READING.value}
            elif isinstance(arrival, Connected):
                connected = arrival
            elif isinstance(arrival, Head):
                head = arrival
            elif isinstance(arrival, bytes):
                body += arrival
                if len(body) > _MODELS_BODY:
                    raise RemoteNotUnderstood(host=server.address.shown, reason="it does not end")
            elif arrival.error is not None:
                raise arrival.error
    finally:
        exchange.stop()
    if not 200 <= head.status < 300:
        # No model was asked for: what is missing is the service.
        words = "" if head.status == 404 else body_words(body)
        raise status_error(server.address, server.model, head.status, head.headers, words)
    assert connected is not None
    names = model_names(server.address, body)
    notice = None
    # One that lists nothing, such as ``transformers serve`` with a local folder, may have it all the same.
    if server.model and names and not has_model(names, server.model):
        notice = RemoteModelMissing(host=server.address.shown, model=server.model).to_json()
    return {
        "models": names,
        "address": connected.address,
        "loopback": connected.loopback,
        "proxy": connected.proxy,
        "notice": notice,
    }


def _exchange(server: _Server, path: str, body: bytes | None) -> Exchange:
    request = Request(server.address, path, body, server.key, server.told_loopback)
    return Exchange(request, server.limits.connect)


def _arrivals(
    exchange: Exchange, server: _Server, patience: Callable[[], float], cancelled: Callable[[], bool]
) -> Iterator[Arrival | None]:
    """What comes, the End included, and now and then None as a sign of life.

    Raises:
        Cancelled: as soon as it is wanted.
        RemoteStalled: nothing for longer than ``patience()``.
    """
    exchange.start()
    heard = pulsed = time.monotonic()
    while True:
        if cancelled():
            raise Cancelled
        arrival = exchange.receive(_POLL)
        now = time.monotonic()
        if arrival is not None:
            heard = now
            yield arrival
            if isinstance(arrival, End):
                return
        elif now - heard > patience():
            raise RemoteStalled(host=server.address.shown, seconds=f"{patience():g}")
        if now - pulsed > _PULSE:
            pulsed = now
            yield None


def _without_key(error: YomitoriError, key: str) -> YomitoriError:
    """The error as it may be shown: a server can quote the key it was sent."""
    if not key:
        return error
    ours = ("host", "url", "model")
    shown = {
        name: value if name in ours else str(value).replace(key, "***")
        for name, value in error.params.items()
    }
    return type(error)(**shown)
