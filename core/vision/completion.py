"""The language of OpenAI-compatible servers: what is asked, what is answered, and what is wrong.

After the public reference of "Create chat completion", and what vLLM, Ollama, LM Studio, the llama.cpp server
and ``transformers serve`` make of it. Knows no HTTP.
"""

from __future__ import annotations

import base64
import io
import json
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from core.chat import Finish, GenerationOptions, Token, Usage
from core.types import RgbImage
from core.vision.address import ServerAddress
from core.vision.errors import (
    RemoteAsksToWait,
    RemoteBusy,
    RemoteEndedEarly,
    RemoteError,
    RemoteFailed,
    RemoteModelMissing,
    RemoteNotUnderstood,
    RemotePathWrong,
    RemoteRefused,
    RemoteRejected,
    RemoteTooLarge,
)
from core.vision.sse import EventStream, EventTooLong

MAX_PIXELS = 16 * 1024 * 1024
"""A larger picture is scaled down to this area; no model looks at more, and servers limit the request."""

MAX_JSON = 16 * 1024 * 1024
"""Bytes of an answer that comes in one piece."""

OPTIONAL = ("stream_options", "logprobs", "top_logprobs")
"""Fields of the request that only tell more about the answer: left out for a server that refuses them."""

_LONGEST_WORDS = 300


# ---- what is asked


class _Watched(io.BytesIO):
    """Asks ``check`` at every write, which may raise."""

    def __init__(self, check: Callable[[], None]) -> None:
        super().__init__()
        self._check = check

    def write(self, data: Any) -> int:
        self._check()
        return super().write(data)


def data_url(image: RgbImage, check: Callable[[], None] = lambda: None) -> str:
    """A picture as PNG in a ``data:`` URL, scaled down when it has more than ``MAX_PIXELS``.

    ``check`` is called every now and then; what it raises ends the work.
    """
    from PIL import Image

    picture = Image.frombytes("RGB", (image.width, image.height), image.data)
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        scale = math.sqrt(MAX_PIXELS / pixels)
        size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    file = _Watched(check)
    # The fastest: a photo of 16 megapixels takes 2.5 s, six times as long at the usual level for 1/6 less.
    picture.save(file, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def messages_json(messages: Sequence[Mapping[str, Any]], pictures: Sequence[str]) -> list[dict[str, Any]]:
    """The conversation as the server wants it; each message takes its ``images`` from the front of
    ``pictures`` (URLs), and they come before its text."""
    if sum(int(message.get("images", 0)) for message in messages) != len(pictures):
        raise ValueError(f"{len(pictures)} pictures are not those of the messages")
    waiting = iter(pictures)
    made: list[dict[str, Any]] = []
    for message in messages:
        text, role = str(message["text"]), str(message["role"])
        count = int(message.get("images", 0))
        if not count:
            # Plain text where there is nothing else: servers for text models know no parts.
            made.append({"role": role, "content": text})
            continue
        parts: list[dict[str, Any]] = [
            {"type": "image_url", "image_url": {"url": next(waiting)}} for _ in range(count)
        ]
        if text:
            parts.append({"type": "text", "text": text})
        made.append({"role": role, "content": parts})
    return made


def request_json(model: str, messages: list[dict[str, Any]], options: GenerationOptions) -> dict[str, Any]:
    """The body of a request. Defaults are left out: there are servers that refuse even those."""
    body: dict[str, Any] = {
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        "logprobs": True,
        "temperature": options.temperature,
        "max_tokens": options.max_tokens,
    }
    if model:
        body["model"] = model
    if options.top_p < 1.0:
        body["top_p"] = options.top_p
    if options.seed is not None:
        body["seed"] = options.seed
    if options.stop:
        body["stop"] = list(options.stop)
    if options.top_logprobs:
        body["top_logprobs"] = options.top_logprobs
    return body


def without_refused(body: Mapping[str, Any], words: str) -> dict[str, Any] | None:
    """The request as a server that said ``words`` may accept it; None when they are about something else."""
    refused = [name for name in OPTIONAL if name in body and re.search(rf"(?<![a-z_]){name}", words)]
    if "logprobs" in refused and "top_logprobs" in body:
        # The one means nothing without the other.
        refused.append("top_logprobs")
    changed = {name: value for name, value in body.items() if name not in refused}
    # Newer models of one vendor know the bound under another name only.
    renamed = "max_tokens" in body and "max_completion_tokens" in words and "nsupported" in words
    if renamed:
        changed["max_completion_tokens"] = changed.pop("max_tokens")
    return changed if refused or renamed else None


# ---- what is answered


class AnswerReader:
    """Takes the body of an answer in any pieces, streamed or not, and gives the text in it as it comes."""

    def __init__(self, server: ServerAddress, model: str, max_tokens: int, with_tokens: bool = False) -> None:
        self._server = server
        self._model = model
        self._max_tokens = max_tokens
        self._with_tokens = with_tokens
        self._tokens: list[Token] = []
        self._events = EventStream()
        self._kind = ""
        self._body = b""
        self._text: list[str] = []
        self._likelihoods: list[float] = []
        self._finish = ""
        self._usage = Usage()
        self.begun = False
        """Whether the model has said anything, also to itself."""
        self.done = False
        """Whether the server has said that nothing more comes."""

    @property
    def finished(self) -> bool:
        """Whether the text is whole."""
        return self.done or bool(self._finish)

    def feed(self, piece: bytes) -> str:
        """New text, possibly none.

        Raises:
            RemoteFailed, ...: the server tells of an error.
            RemoteNotUnderstood: it is no answer.
        """
        if not self._kind:
            self._body += piece
            begin = self._body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
            if not begin:
                return ""
            # The Content-Type is wrong too often to rely on.
            self._kind = {b"{": "json", b"[": "json", b"<": "page"}.get(begin, "events")
            piece = self._body
            self._body = b""
        if self._kind == "events":
            try:
                return "".join([self._take_event(data) for data in self._events.feed(piece)])
            except EventTooLong:
                raise self._not_understood(reason="it does not end") from None
        self._body += piece
        if len(self._body) > MAX_JSON:
            raise self._not_understood(reason="it does not end")
        return ""

    def end(self) -> str:
        """The body is over: what text was left.

        Raises:
            RemoteEndedEarly: the answer is not whole.
            RemoteFailed, RemoteNotUnderstood, ...: as for ``feed``.
        """
        if self._kind == "page":
            raise self._not_understood(reason="it is a web page")
        if self._kind == "json":
            return self._take_whole()
        text = ""
        rest = self._events.end()
        if rest is not None and (rest.strip() == "[DONE]" or _parsed(rest) is not None):
            text = self._take_event(rest)
        if not self.finished:
            raise RemoteEndedEarly(host=self._server.shown)
        return text

    def tokens(self) -> list[Token]:
        """Those that came since it was asked last, when it keeps them; servers may tell none."""
        new, self._tokens = self._tokens, []
        return new

    def result(self) -> dict[str, Any]:
        """What a ``core.chat.Answer`` has, but for who answered, and how long it took."""
        finish = Finish.STOP
        if self._finish == "length":
            answer = self._usage.answer
            # Fewer tokens than allowed: it was the model's context that ended.
            short = answer is not None and answer < self._max_tokens
            finish = Finish.CONTEXT if short else Finish.LENGTH
        confidence = None
        if self._likelihoods:
            confidence = round(math.exp(math.fsum(self._likelihoods) / len(self._likelihoods)), 4)
        return {
            "text": "".join(self._text),
            "finish": finish.value,
            "confidence": confidence,
            "usage": self._usage.to_json(),
            "device": "",
            "precision": "",
            "notices": [],
        }

    def _take_event(self, data: str) -> str:
        if data.strip() == "[DONE]":
            self.done = True
            return ""
        if self.done or not data.strip():
            return ""
        value = _parsed(data)
        if not isinstance(value, dict):
            if '"error"' in data:
                # Written by hand, without quoting what is in it.
                raise RemoteFailed(host=self._server.shown, reason=one_line(data))
            raise self._not_understood(reason="it is not JSON")
        return self._take(value, "delta")

    def _take_whole(self) -> str:
        value = _parsed(self._body.decode("utf-8", "replace"))
        if not isinstance(value, dict):
            raise self._not_understood(reason="it is not JSON")
        text = self._take(value, "message")
        if not value.get("choices"):
            raise self._not_understood(reason="there is no answer in it")
        self.done = True
        return text

    def _take(self, value: Mapping[str, Any], part: str) -> str:
        self._check(value)
        self._take_usage(value.get("usage"))
        choices = value.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            # A chunk that only counts tokens.
            return ""
        said = choice.get(part)
        text = ""
        if isinstance(said, dict):
            text = _text_of(said.get("content"))
            self.begun = self.begun or bool(text or said.get("reasoning_content") or said.get("reasoning"))
        if text:
            self._text.append(text)
            self._likelihoods += _likelihoods(choice.get("logprobs"))
        if self._with_tokens:
            self._tokens += _tokens(choice.get("logprobs"))
        if choice.get("finish_reason"):
            self._finish = str(choice["finish_reason"])
        return text

    def _check(self, value: Mapping[str, Any]) -> None:
        error = value.get("error")
        if not error and value.get("object") != "error":
            return
        words = words_of(value)
        if "unexpected endpoint" in words.lower():
            # How one server says "not found", with status 200.
            raise RemotePathWrong(url=self._server.url)
        code = error.get("code") if isinstance(error, dict) else value.get("code")
        if isinstance(code, int) and 400 <= code < 500:
            raise status_error(self._server, self._model, code, {}, words)
        raise RemoteFailed(host=self._server.shown, reason=words or "it does not say why")

    def _take_usage(self, usage: Any) -> None:
        if not isinstance(usage, dict):
            return
        details = usage.get("prompt_tokens_details")
        self._usage = Usage(
            prompt=_count(usage.get("prompt_tokens")),
            answer=_count(usage.get("completion_tokens")),
            reused=_count(details.get("cached_tokens")) if isinstance(details, dict) else None,
        )

    def _not_understood(self, reason: str) -> RemoteNotUnderstood:
        return RemoteNotUnderstood(host=self._server.shown, reason=reason)


def model_names(server: ServerAddress, body: bytes) -> list[str]:
    """The names in the answer to ``GET /models``.

    Raises:
        RemoteNotUnderstood: it is not such an answer.
    """
    value = _parsed(body.decode("utf-8", "replace"))
    rows = value.get("data") if isinstance(value, dict) else value
    if rows is None and isinstance(value, dict) and "data" in value:
        # A server that has none yet.
        rows = []
    if not isinstance(rows, list):
        reason = "it is a web page" if body.lstrip()[:1] == b"<" else "there is no list of models in it"
        raise RemoteNotUnderstood(host=server.shown, reason=reason)
    return [str(row["id"]) for row in rows if isinstance(row, dict) and row.get("id")]


def has_model(names: Sequence[str], model: str) -> bool:
    """Whether a server that lists ``names`` knows ``model``; a tag ``:latest`` need not be named."""
    return model in names or f"{model}:latest" in names


# ---- what is wrong


def status_error(
    server: ServerAddress, model: str, status: int, headers: Mapping[str, str], words: str
) -> RemoteError:
    """The error for an answer with that status; ``words`` are the server's own."""
    host = server.shown
    reason = words or f"it answers with the status {status}"
    if status in (401, 403):
        return RemoteRefused(host=host)
    if status == 404 and "model" in words.lower():
        return RemoteModelMissing(host=host, model=model)
    if status in (404, 405):
        return RemotePathWrong(url=server.url)
    if status == 413:
        return RemoteTooLarge(host=host)
    seconds = _seconds_to_wait(headers.get("retry-after", ""))
    if status in (429, 503) and seconds is not None:
        return RemoteAsksToWait(host=host, seconds=seconds)
    if status == 429:
        return RemoteBusy(host=host)
    if 400 <= status < 500:
        return RemoteRejected(host=host, reason=reason)
    if status >= 500:
        return RemoteFailed(host=host, reason=reason)
    return RemoteNotUnderstood(host=host, reason=reason)


def body_words(body: bytes) -> str:
    """What the body of an error says; empty when that is nothing for people."""
    text = body.decode("utf-8", "replace")
    value = _parsed(text)
    if isinstance(value, dict):
        return words_of(value)
    return "" if value is not None or "<" in text else one_line(text)


def words_of(value: Mapping[str, Any]) -> str:
    """The sentence in an error object; servers put it in many places."""
    for found in (value.get("error"), value.get("message"), value.get("detail")):
        if isinstance(found, dict):
            found = found.get("message")
        if isinstance(found, list):
            # One row for each field that was not accepted.
            rows = [row for row in found if isinstance(row, dict)]
            found = "; ".join(f"{row.get('msg', '')} {row.get('loc', '')}".strip() for row in rows)
        if isinstance(found, str) and found.strip():
            return one_line(found)
    return ""


def one_line(text: str) -> str:
    """Words that fit into a sentence."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(text) > _LONGEST_WORDS:
        text = text[: _LONGEST_WORDS - 1] + "…"
    return text.rstrip(".")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [
            part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"
        ]
        return "".join(text for text in texts if isinstance(text, str))
    return ""


def _likelihoods(logprobs: Any) -> list[float]:
    rows = logprobs.get("content") if isinstance(logprobs, dict) else None
    values = [row.get("logprob") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [min(0.0, float(v)) for v in values if isinstance(v, int | float) and math.isfinite(v)]


def _tokens(logprobs: Any) -> list[Token]:
    rows = logprobs.get("content") if isinstance(logprobs, dict) else None
    found = [_token(row) for row in rows] if isinstance(rows, list) else []
    return [token for token in found if token is not None]


def _token(row: Any) -> Token | None:
    if not isinstance(row, dict) or not isinstance(row.get("logprob"), int | float):
        return None
    data = row.get("bytes")
    try:
        # Servers that tell no bytes tell a text that may lack a part of a character.
        said = bytes(data) if isinstance(data, list) else str(row.get("token") or "").encode()
    except (ValueError, TypeError):
        return None
    top = row.get("top_logprobs")
    others = [_token({**one, "top_logprobs": None}) for one in top if isinstance(one, dict)] if top else []
    return Token(said, min(0.0, float(row["logprob"])), tuple(one for one in others if one is not None))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _seconds_to_wait(value: str) -> int | None:
    """``Retry-After``: seconds, or a date."""
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0, math.ceil(date.timestamp() - time.time()))
