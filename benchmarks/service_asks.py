"""What clients of a load test ask the HTTP service: every kind of request, with the answer it must have.

A client asks over a connection of its own. What it asks comes from its own seed, and of every answer it
knows whether it is right: the pictures are bubbles and shapes that the tiny models were trained on, so an
answer that belongs to somebody else is a wrong one.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import json
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from core.images import to_png
from tests.models.vision_scenes import arranged
from tests.support.http_service import Serving
from tests.support.manga_crops import load_crops

_BOUNDARY = "form-of-the-load-test"
_FORM = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
_JSON = {"Content-Type": "application/json"}
_KEPT_S = 5.0
"""How long a connection is used again: the service closes one that was silent for longer, at any moment."""
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no time: closing sends RST."""
_CHUNK = 64 * 1024

Field = tuple[str, bytes]
"""A field of a form: its name, and a picture's bytes for ``file`` and ``files``."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a request. ``status`` None: there was no answer. ``code``: of the problem that was told.

    An error in a stream or a row of a batch counts by its own status. ``wrong`` says what is not as it should
    be, apart from a status of 500 and more. ``left``: the client did not wait for an answer.
    """

    status: int | None
    code: str = ""
    wrong: str = ""
    left: bool = False


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True, slots=True)
class Bubble:
    png: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Shapes:
    png: bytes
    left: str
    """What "What colour is the left one?" is to be answered with."""

    @property
    def url(self) -> str:
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"


QUESTION = "What colour is the left one?"
ENDLESS = "Say ha without end."


@cache
def bubbles() -> tuple[Bubble, ...]:
    return tuple(Bubble(to_png(crop.image), crop.text) for crop in load_crops("plain"))


@cache
def shapes() -> tuple[Shapes, ...]:
    found = []
    for left in ("red", "blue", "green", "yellow"):
        png = io.BytesIO()
        arranged(f"{left} circle", "purple square").picture().save(png, "PNG")
        found.append(Shapes(png.getvalue(), f"{left.capitalize()}."))
    return tuple(found)


class Asker:
    """One client. ``deadline``: seconds after which a request that has no answer is given up for lost."""

    def __init__(self, server: Serving, seed: str, deadline: float, body_bytes: int) -> None:
        self._server = server
        self._random = random.Random(seed)
        self._deadline = deadline
        self._body_bytes = body_bytes
        self._connection: http.client.HTTPConnection | None = None
        self._used = 0.0
        self._id = ""
        self.readable = bubbles()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def wake(self) -> None:
        """Have both models loaded, as one reading and one question do.

        Raises:
            RuntimeError: the service does not work.
        """
        for kind in ("ocr with details", "question"):
            reply = self.ask(kind, "wake")
            if reply.status != 200 or reply.wrong:
                raise RuntimeError(f"{kind}, while nobody else asks: {reply}")

    def read_alone(self, count: int) -> tuple[Bubble, ...]:
        """Which of the first ``count`` bubbles are read right while nobody else asks."""
        right = []
        for bubble in bubbles()[:count]:
            self.readable = (bubble,)
            if self.ask("ocr with details", "alone") == Reply(200):
                right.append(bubble)
        return tuple(right)

    def ask(self, kind: str, request_id: str) -> Reply:
        """One request of ``KINDS``."""
        self._id = request_id
        try:
            return KINDS[kind].ask(self)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Reply(None, wrong=f"{type(error).__name__}: {error}")

    # ---- reading

    def ocr(self) -> Reply:
        bubble = self._bubble()
        return self._judged(self._post("/ocr", [("file", bubble.png)]), _has("text", bubble.text))

    def ocr_details(self) -> Reply:
        bubble = self._bubble()

        def check(row: dict[str, Any]) -> str:
            # Another engine may not stand in, as it would where MangaOCR could not be loaded.
            return _has("text", bubble.text)(row) or _has("engine", "manga-ocr")(row)

        return self._judged(self._post("/ocr", [("file", bubble.png), ("details", b"true")]), check)

    def slow_body(self) -> Reply:
        """A body that comes in pieces with pauses is taken all the same."""
        bubble = self._bubble()
        body = _form([("file", bubble.png)])
        cut = sorted(self._random.randrange(len(body)) for _ in range(3))
        pieces = [body[a:b] for a, b in zip([0, *cut], [*cut, len(body)], strict=True)]
        connection = self._new()
        self._head(connection, "/ocr", _FORM, len(body))
        for piece in pieces:
            connection.send(piece)
            time.sleep(self._random.uniform(0.05, 0.4))
        return self._judged(self._taken(connection), _has("text", bubble.text))

    def batch(self) -> Reply:
        bubbles = [self._bubble() for _ in range(self._random.randint(2, 6))]
        answer = self._post("/batch/ocr", [*(("files", one.png) for one in bubbles), ("files", b"nothing")])
        return self._of_rows(answer, [("text", one.text) for one in bubbles])

    # ---- asking

    def analyze(self) -> Reply:
        shapes = self._scene()
        answer = self._post("/analyze_image", _question(shapes, QUESTION))
        return self._judged(answer, _has("analysis", shapes.left))

    def batch_analyze(self) -> Reply:
        some = [self._scene() for _ in range(2)]
        fields = [*(("files", one.png) for one in some), ("files", b"nothing")]
        answer = self._post(
            "/batch/analyze_image", [*fields, ("prompt", QUESTION.encode()), ("temperature", b"0")]
        )
        return self._of_rows(answer, [("analysis", one.left) for one in some])

    def analyze_stream(self) -> Reply:
        shapes = self._scene()
        with self._streaming("/analyze_image", _question(shapes, QUESTION, stream=True)) as events:
            if isinstance(events, Reply):
                return events
            text = ""
            for name, data in events:
                if name == "text":
                    text += json.loads(data)["text"]
                elif name == "again":
                    text = ""
                elif name == "error":
                    row = json.loads(data)
                    return Reply(row["status"], row["code"], _problem_wrong(row))
                elif name == "done":
                    whole = json.loads(data)["analysis"]
                    return Reply(200, wrong="" if whole == text == shapes.left else f"{text!r}, {whole!r}")
        return Reply(None, wrong="a stream without an end")

    def chat(self) -> Reply:
        shapes = self._scene()

        def check(row: dict[str, Any]) -> str:
            text = row["choices"][0]["message"]["content"]
            return "" if text == shapes.left else f"{text!r} instead of {shapes.left!r}"

        return self._judged(self._post_json(_chat(shapes.url, QUESTION)), check)

    def chat_stream(self) -> Reply:
        shapes = self._scene()
        with self._streaming("/v1/chat/completions", _chat(shapes.url, QUESTION, stream=True)) as events:
            if isinstance(events, Reply):
                return events
            text = ""
            for _, data in events:
                if data == "[DONE]":
                    return Reply(200, wrong="" if text == shapes.left else f"{text!r} for {shapes.left!r}")
                row = json.loads(data)
                if "error" in row:
                    status = 503 if row["error"]["type"] == "server_error" else 400
                    return Reply(
                        status, row["error"]["code"], "" if row["error"]["message"] else "no message"
                    )
                text += row["choices"][0]["delta"].get("content") or ""
        return Reply(None, wrong="a stream without an end")

    # ---- clients that leave

    def cancelled(self) -> Reply:
        """Closes its connection while it is worked for, politely or not."""
        if self._random.random() < 0.5:
            body, headers, path = _form([("file", self._bubble().png)]), _FORM, "/ocr"
        else:
            body, headers, path = _form(_question(self._scene(), ENDLESS)), _FORM, "/analyze_image"
        connection = self._new()
        self._head(connection, path, headers, len(body))
        connection.send(body)
        time.sleep(self._random.uniform(0.0, 0.5))
        return self._leave(connection)

    def cancelled_stream(self) -> Reply:
        """Stops an answer that would go on for long, after some of it."""
        with self._streaming("/analyze_image", _question(self._scene(), ENDLESS, stream=True)) as events:
            if isinstance(events, Reply):
                return events
            wanted = self._random.randint(1, 30)
            for number, (name, data) in enumerate(events):
                if name == "error":
                    row = json.loads(data)
                    return Reply(row["status"], row["code"], _problem_wrong(row))
                if name == "done":
                    return Reply(200)
                if number == wanted:
                    return Reply(200, left=True)
        return Reply(None, wrong="a stream without an end")

    def vanished(self) -> Reply:
        """Is gone in the middle of what it sends."""
        body = _form([("file", self._bubble().png)])
        connection = self._new()
        self._head(connection, "/ocr", _FORM, len(body))
        connection.send(body[: self._random.randrange(len(body))])
        time.sleep(self._random.uniform(0.0, 0.1))
        return self._leave(connection)

    # ---- requests that are refused

    def stalled(self) -> Reply:
        """Stops in the middle of what it sends, and waits."""
        body = _form([("file", self._bubble().png)])
        connection = self._new()
        self._head(connection, "/ocr", _FORM, len(body))
        connection.send(body[: len(body) // 2])
        return self._judged(self._taken(connection), status=408)

    def oversize(self) -> Reply:
        """Too large by its head, or only as it comes."""
        connection = self._new()
        if self._random.random() < 0.7:
            self._head(connection, "/ocr", _FORM, 10 * self._body_bytes)
            return self._judged(self._taken(connection), status=413)
        self._head(connection, "/ocr", _FORM, None)
        start = _form([("file", b"")]).removesuffix(f"\r\n--{_BOUNDARY}--\r\n".encode())
        connection.send(f"{len(start):x}\r\n".encode() + start + b"\r\n")
        piece = f"{_CHUNK:x}\r\n".encode() + bytes(_CHUNK) + b"\r\n"
        for _ in range(self._body_bytes // _CHUNK + 1):
            connection.send(piece)
        return self._judged(self._taken(connection), status=413)

    def bad(self) -> Reply:
        """One of many mistakes."""
        png = self._bubble().png
        mistakes: tuple[Callable[[], tuple[_Answer, int]], ...] = (
            lambda: (self._post("/ocr", [("file", b"no picture")]), 422),
            lambda: (self._post("/ocr", [("file", png[: len(png) // 2])]), 422),
            lambda: (self._post("/ocr", [("language", b"ja")]), 422),
            lambda: (self._post("/ocr", [("file", png), ("language", b"ko")]), 422),
            lambda: (self._post("/batch/ocr", []), 422),
            lambda: (self._post("/analyze_image", [("file", png), ("temperature", b"hot")]), 422),
            lambda: (self._post("/analyze_image", [("file", png), ("history", b"[1]")]), 422),
            lambda: (self._post_json(b"{"), 400),
            lambda: (self._post_json(_chat("data:,", QUESTION, model="another")), 404),
            lambda: (self._send("GET", "/nothing"), 404),
            lambda: (self._send("DELETE", "/ocr"), 405),
            lambda: (self._send("POST", "/models/ocr/unload"), 401),
            lambda: (self._send("GET", "/models", headers={"Origin": "http://evil.example"}), 403),
        )
        answer, status = self._random.choice(mistakes)()
        return self._judged(answer, status=status)

    # ---- the rest

    def metrics(self) -> Reply:
        answer = self._send("GET", "/metrics")
        known = b"yomitori_requests_total" in answer.body
        return replace(_shaped(answer, 200), wrong="" if known else "no metrics")

    def looks(self) -> Reply:
        path = self._random.choice(("/health", "/ready", "/models", "/v1/models"))
        return self._judged(self._send("GET", path), lambda row: "" if row else "nothing")

    def load(self) -> Reply:
        role = self._random.choice(("ocr", "vision"))
        answer = self._send("POST", f"/models/{role}/load", headers=self._server.privileged)
        return self._judged(answer, _has("role", role), status=202)

    # ---- how it is asked

    def _bubble(self) -> Bubble:
        return self._random.choice(self.readable)

    def _scene(self) -> Shapes:
        return self._random.choice(shapes())

    def _post(self, path: str, fields: list[Field]) -> _Answer:
        return self._send("POST", path, _form(fields), _FORM)

    def _post_json(self, body: bytes) -> _Answer:
        return self._send("POST", "/v1/chat/completions", body, _JSON)

    def _send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> _Answer:
        connection = self._kept()
        connection.request(method, path, body or None, {**(headers or {}), "X-Request-ID": self._id})
        return self._taken(connection)

    def _kept(self) -> http.client.HTTPConnection:
        if self._connection is not None and time.monotonic() - self._used < _KEPT_S:
            return self._connection
        return self._new()

    def _new(self) -> http.client.HTTPConnection:
        self.close()
        self._connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=self._deadline)
        return self._connection

    def _head(
        self, connection: http.client.HTTPConnection, path: str, headers: dict[str, str], length: int | None
    ) -> None:
        """The head of a request whose body comes by hand; ``length`` None: in chunks."""
        connection.putrequest("POST", path)
        how = ("Transfer-Encoding", "chunked") if length is None else ("Content-Length", str(length))
        for name, value in (*headers.items(), how, ("X-Request-ID", self._id)):
            connection.putheader(name, value)
        connection.endheaders()

    def _taken(self, connection: http.client.HTTPConnection) -> _Answer:
        response = connection.getresponse()
        answer = _Answer(response.status, response.headers, response.read())
        self._used = time.monotonic()
        if connection.sock is None or response.will_close:
            self.close()
        return answer

    def _leave(self, connection: http.client.HTTPConnection) -> Reply:
        if self._random.random() < 0.5 and connection.sock is not None:
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.close()
        return Reply(None, left=True)

    @contextlib.contextmanager
    def _streaming(self, path: str, body: bytes | list[Field]) -> Iterator[Reply | Iterator[tuple[str, str]]]:
        """Names and data of the events as they come, or what was answered instead of them."""
        connection = self._new()
        data, headers = (body, _JSON) if isinstance(body, bytes) else (_form(body), _FORM)
        connection.request("POST", path, data, {**headers, "X-Request-ID": self._id})
        response = connection.getresponse()
        try:
            if response.status != 200:
                yield _shaped(_Answer(response.status, response.headers, response.read()), 200)
            else:
                yield self._events(response)
        finally:
            response.close()
            self.close()

    def _events(self, response: http.client.HTTPResponse) -> Iterator[tuple[str, str]]:
        end = time.monotonic() + self._deadline
        name = ""
        while line := response.readline():
            # What keeps the connection alive is no answer.
            if time.monotonic() > end:
                raise TimeoutError("a stream that does not end")
            text = line.decode().rstrip("\n")
            if text.startswith("event: "):
                name = text.removeprefix("event: ")
            elif text.startswith("data: "):
                yield name, text.removeprefix("data: ")
                name = ""

    def _judged(
        self, answer: _Answer, check: Callable[[dict[str, Any]], str] = lambda row: "", status: int = 200
    ) -> Reply:
        reply = _shaped(answer, status)
        if answer.status == status and status < 300:
            return replace(reply, wrong=check(json.loads(answer.body)))
        return reply

    def _of_rows(self, answer: _Answer, expected: list[tuple[str, str]]) -> Reply:
        """Of a batch whose last picture is none."""
        if answer.status != 200:
            return _shaped(answer, 200)
        rows = json.loads(answer.body)["results"]
        if [row["index"] for row in rows] != list(range(len(expected) + 1)):
            return Reply(200, wrong="not one row for each picture")
        errors = [row["error"] for row in rows[:-1] if "error" in row]
        if errors:
            worst = max(errors, key=lambda error: int(error["status"]))
            return Reply(worst["status"], worst["code"], _problem_wrong(worst))
        for row, (field, value) in zip(rows, expected, strict=False):
            if row[field] != value:
                return Reply(200, wrong=f"{row[field]!r} instead of {value!r}")
        return Reply(
            200, wrong="" if rows[-1].get("error", {}).get("code") == "NotAnImage" else str(rows[-1])
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """``weight``: how often it is asked, of the sum of all. ``slow``: takes at least ten seconds."""

    ask: Callable[[Asker], Reply]
    weight: int
    slow: bool = False


KINDS = {
    "ocr": Kind(Asker.ocr, 30),
    "ocr with details": Kind(Asker.ocr_details, 10),
    "ocr, slow body": Kind(Asker.slow_body, 3),
    "batch of ocr": Kind(Asker.batch, 6),
    "question": Kind(Asker.analyze, 8),
    "batch of questions": Kind(Asker.batch_analyze, 2),
    "question, streamed": Kind(Asker.analyze_stream, 8),
    "chat": Kind(Asker.chat, 4),
    "chat, streamed": Kind(Asker.chat_stream, 8),
    "cancelled": Kind(Asker.cancelled, 4),
    "cancelled stream": Kind(Asker.cancelled_stream, 3),
    "vanished": Kind(Asker.vanished, 3),
    "stalled body": Kind(Asker.stalled, 1, slow=True),
    "oversize": Kind(Asker.oversize, 1),
    "bad request": Kind(Asker.bad, 8),
    "metrics": Kind(Asker.metrics, 3),
    "health, models": Kind(Asker.looks, 4),
    "load": Kind(Asker.load, 1),
}


def _form(fields: list[Field]) -> bytes:
    parts = []
    for name, value in fields:
        file = '; filename="a.png"' if name in ("file", "files") else ""
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        parts.append(head.encode() + value + b"\r\n")
    return b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()


def _question(shapes: Shapes, prompt: str, stream: bool = False) -> list[Field]:
    return [
        ("file", shapes.png),
        ("prompt", prompt.encode()),
        ("temperature", b"0"),
        ("max_tokens", b"512"),
        ("stream", b"true" if stream else b"false"),
    ]


def _chat(url: str, prompt: str, stream: bool = False, model: str = "default") -> bytes:
    content = [{"type": "text", "text": prompt}, {"type": "image_url", "image_url": {"url": url}}]
    row = {"model": model, "messages": [{"role": "user", "content": content}], "temperature": 0}
    return json.dumps({**row, "stream": stream}).encode()


def _has(field: str, value: str) -> Callable[[dict[str, Any]], str]:
    return lambda row: "" if row[field] == value else f"{row[field]!r} instead of {value!r}"


def _problem_wrong(row: dict[str, Any]) -> str:
    """Empty where a problem tells what a client needs."""
    return "" if row["code"] and row["detail"] and row["hint"] else f"a problem that tells too little: {row}"


def _shaped(answer: _Answer, expected: int) -> Reply:
    """By its status; an error must be a problem, or have OpenAI's shape."""
    if answer.status < 400:
        return Reply(answer.status, wrong="" if answer.status == expected else f"status {answer.status}")
    row = json.loads(answer.body)
    if "error" in row:
        code, wrong = row["error"]["code"], "" if row["error"]["message"] else "no message"
    else:
        code, wrong = row["code"], _problem_wrong(row)
        if answer.headers.get_content_type() != "application/problem+json":
            wrong = f"an error as {answer.headers.get_content_type()}"
    if answer.status == 503 and "Retry-After" not in answer.headers:
        wrong = "503 without Retry-After"
    if answer.status not in (expected, *range(500, 600)):
        wrong = wrong or f"{answer.status} {code}"
    return Reply(answer.status, code, wrong)
