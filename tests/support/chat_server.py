"""A small OpenAI-compatible server on this machine that records what it is asked and does what it is told.

Real sockets and real HTTP, so that what a client makes of a faulty server is seen as it is.

::

    with ChatServer() as server:
        server.answer(["Hel", "lo"])              # the next questions, the last answer again and again
        server.reply(429, {"error": ...}, {"Retry-After": "7"})
        server.stream(event({...}), 0.2, b"data: {", CUT)
        ...                                       # ask server.base_url
        assert server.requests[0].json["messages"] == ...
        assert server.gone.wait(5)                # the client has closed the connection

Steps of a body are bytes, seconds to wait, an Event to wait for, or ``STALL``, ``CUT`` or ``RESET``.
"""

from __future__ import annotations

import base64
import json
import select
import socket
import ssl
import struct
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias


class End(Enum):
    """How a body ends when it does not end well."""

    STALL = "stall"
    """Nothing more, until the client or the test is gone."""
    CUT = "cut"
    """The connection is closed before the end."""
    RESET = "reset"
    """The same, and not politely."""


STALL, CUT, RESET = End.STALL, End.CUT, End.RESET
Step: TypeAlias = bytes | float | threading.Event | End


@dataclass
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    address: str
    """The address of this machine that the client connected to."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def key(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def images(self) -> list[bytes]:
        """The picture files in the messages, in order."""
        urls = [
            part["image_url"]["url"]
            for message in self.json["messages"]
            if isinstance(message["content"], list)
            for part in message["content"]
            if part["type"] == "image_url"
        ]
        return [base64.b64decode(url.removeprefix("data:image/png;base64,"), validate=True) for url in urls]


@dataclass
class Reply:
    """What to answer. ``chunked`` sends each step as one chunk, else the end of the connection is the end."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    chunked: bool = True


def event(value: Any, end: str = "\n\n") -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + end.encode()


DONE = b"data: [DONE]\n\n"


def chunk(
    text: str | None = None,
    finish: str | None = None,
    logprobs: Sequence[float] | None = None,
    **delta: Any,
) -> dict[str, Any]:
    """A piece of a streamed answer."""
    if text is not None:
        delta["content"] = text
    choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": finish}
    if logprobs is not None:
        choice["logprobs"] = {"content": [{"token": "t", "logprob": value} for value in logprobs]}
    return {"id": "chat-1", "object": "chat.completion.chunk", "model": "tiny", "choices": [choice]}


def usage_chunk(prompt: int, answer: int) -> dict[str, Any]:
    """The piece that counts tokens, without any choice."""
    usage = {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}
    return {"id": "chat-1", "object": "chat.completion.chunk", "model": "tiny", "choices": [], "usage": usage}


class ChatServer:
    """The server; a context manager. Everything may be changed while it runs."""

    def __init__(self, tls: bool = False, models: Sequence[str] = ("tiny",)) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        """How many were made, also without a request."""
        self.gone = threading.Event()
        """Set when a client has closed its connection before its answer was over."""
        self.closing = threading.Event()
        self.errors: list[BaseException] = []
        """What failed in the server itself; raised when it is closed."""
        self.lock = threading.Lock()
        self.arrived = threading.Condition(self.lock)
        self._replies: deque[Reply] = deque()
        self._last = _json_reply(500, {"error": {"message": "the test has told no answer"}})
        self._models: Reply = _json_reply(200, {"object": "list", "data": [{"id": name} for name in models]})
        self._server = _Server(self, tls)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="chat server")
        self._scheme = "https" if tls else "http"

    def __enter__(self) -> ChatServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        if self.errors and error is None:
            raise self.errors[0]

    def close(self) -> None:
        """End every connection and thread."""
        self.closing.set()
        self._server.shutdown()
        self._server.drop_connections()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def host(self) -> str:
        """As an error names it."""
        return f"127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}/v1"

    # ---- what it answers

    def answer(
        self,
        texts: Sequence[str],
        finish: str = "stop",
        usage: tuple[int, int] | None = (20, 5),
        logprobs: Sequence[float] | None = None,
        pause: float = 0.0,
    ) -> None:
        """Stream ``texts`` as vLLM does: the role, the pieces, the end, the tokens, [DONE].

        ``logprobs`` has one number for each piece, ``pause`` is before each.
        """
        steps: list[Step] = [event(chunk("", role="assistant"))]
        for index, text in enumerate(texts):
            if pause:
                steps.append(pause)
            steps.append(event(chunk(text, logprobs=None if logprobs is None else [logprobs[index]])))
        steps.append(event(chunk(finish=finish)))
        if usage is not None:
            steps.append(event(usage_chunk(*usage)))
        self.stream(*steps, DONE)

    def stream(self, *steps: Step, content_type: str = "text/event-stream", chunked: bool = True) -> None:
        """Any body, with the status 200."""
        self._replies.append(Reply(200, {"Content-Type": content_type}, steps, chunked))

    def reply(self, status: int, body: Any = b"", headers: Mapping[str, str] | None = None) -> None:
        """A whole answer; what is not bytes is sent as JSON."""
        self._replies.append(_json_reply(status, body, headers))

    def reply_models(self, status: int, body: Any = b"", headers: Mapping[str, str] | None = None) -> None:
        """What the list of models is answered with."""
        self._models = _json_reply(status, body, headers)

    def stall_models(self) -> None:
        self._models = Reply(steps=(STALL,))

    def wait_for_requests(self, count: int, timeout: float = 30.0) -> None:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, timeout), "not asked"

    def next_reply(self, request: Request) -> Reply:
        """Called by the handler."""
        with self.arrived:
            self.requests.append(request)
            self.arrived.notify_all()
            if request.method == "GET" and request.path.endswith("/models"):
                return self._models
            if not request.path.split("?")[0].endswith("/v1/chat/completions"):
                return _json_reply(404, {"detail": "Not Found"})
            if self._replies:
                self._last = self._replies.popleft()
            return self._last


def _json_reply(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}
    return Reply(status, told, (content,), chunked=False)


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, chat: ChatServer, tls: bool) -> None:
        self.chat = chat
        self._context: ssl.SSLContext | None = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "server.pem"
                file.write_text(CERTIFICATE_AND_KEY)
                self._context.load_cert_chain(file)
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        # In the connection's own thread: a handshake may take for ever.
        if self._context is not None:
            request.settimeout(30)
            try:
                request = self._context.wrap_socket(request, server_side=True)
            except OSError:
                return
        with self.chat.lock:
            self._open.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            with self.chat.lock:
                self._open.discard(request)
            if self._context is not None:
                request.close()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.chat.connections += 1
        super().process_request(request, client_address)

    def drop_connections(self) -> None:
        with self.chat.lock:
            for connection in self._open:
                with suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, ConnectionError | ssl.SSLError):
            self.chat.gone.set()
        elif error is not None and not self.chat.closing.is_set():
            self.chat.errors.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        address = str(self.connection.getsockname()[0])
        request = Request(self.command, self.path, headers, body, address)
        self._send(self.server.chat.next_reply(request))

    do_POST = do_GET
    do_CONNECT = do_GET

    def _send(self, reply: Reply) -> None:
        self.close_connection = True
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        if reply.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for step in reply.steps:
            if isinstance(step, End):
                self._break_off(step)
                return
            if isinstance(step, bytes):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(step), step) if reply.chunked else step)
            else:
                self._wait(step)
        if reply.chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _break_off(self, how: End) -> None:
        if how is STALL:
            self._wait(None)
        elif how is RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _wait(self, until: float | threading.Event | None) -> None:
        """For some seconds, an event or for ever, but not longer than the client is there."""
        start = time.monotonic()
        while not self.server.chat.closing.is_set():
            if isinstance(until, threading.Event) and until.is_set():
                return
            if isinstance(until, float | int) and time.monotonic() - start >= until:
                return
            if select.select([self.connection], [], [], 0.01)[0]:
                # Clients send nothing more: this is their end of the connection.
                raise ConnectionAbortedError


@contextmanager
def silent_server() -> Iterator[str]:
    """A base URL where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


@contextmanager
def raw_server(answer: bytes, listens: bool = True) -> Iterator[str]:
    """A base URL where every connection gets ``answer``, HTTP or not, and is closed.

    One that does not listen has read the beginning of the question only when it closes.
    """
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)

        def serve() -> None:
            while not over.is_set():
                with suppress(OSError):
                    connection, _ = listener.accept()
                    with connection:
                        connection.settimeout(5)
                        connection.recv(65536)
                        connection.sendall(answer)
                        connection.shutdown(socket.SHUT_WR)
                        while listens and connection.recv(65536):
                            pass

        thread = threading.Thread(target=serve, name="raw server")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            over.set()
            thread.join()


def closed_port() -> int:
    """A port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


# Made for these tests alone: an authority whose own key was thrown away, and a certificate for "localhost"
# (not for 127.0.0.1), both until 2126.
AUTHORITY = """\
-----BEGIN CERTIFICATE-----
MIIBqjCCAVGgAwIBAgIUOHP4hqA0QufnFL8dhTqXtZE9exswCgYIKoZIzj0EAwIw
IjEgMB4GA1UEAwwXWW9taXRvcmkgdGVzdCBhdXRob3JpdHkwIBcNMjYxMTIzMDE0
NTEyWhgPMjEyNjEwMzAwMTQ1MTJaMCIxIDAeBgNVBAMMF1lvbWl0b3JpIHRlc3Qg
YXV0aG9yaXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEADxCErb5tMOKNoKZ
AJiQ7T4PFJ/uoGBNUUM9//2qGhH9N4yjFVrpRLLp2BVJnGivzZce370/zI9U6kwd
1jKtC6NjMGEwHQYDVR0OBBYEFGrHmxsJfBN92dEa7VLQBcwso+LIMB8GA1UdIwQY
MBaAFGrHmxsJfBN92dEa7VLQBcwso+LIMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0P
AQH/BAQDAgEGMAoGCCqGSM49BAMCA0cAMEQCIGr/S/8964CXwxiDpx7RJHWaoy0A
dV4kMJPCBTGvZfPTAiAbFskOkKDZfh80wz3SYk8cCpqTnfwmA9KnwpMtiX3KVw==
-----END CERTIFICATE-----
"""
CERTIFICATE_AND_KEY = """\
-----BEGIN CERTIFICATE-----
MIIBxzCCAW2gAwIBAgIUSNmxaL6Wl2RzbFbG8ygy+vUqRVcwCgYIKoZIzj0EAwIw
IjEgMB4GA1UEAwwXWW9taXRvcmkgdGVzdCBhdXRob3JpdHkwIBcNMjYxMTIzMDE0
NTEyWhgPMjEyNjEwMzAwMTQ1MTJaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABJlLNDb1jBpcNzJx+e7LAlgno7f0FLZHrPPv
Ozk0UDIQetJTccULy3SDDNMZLoCXQV1DTXXWg1aSZ7Jyp3l/Y2yjgYwwgYkwDAYD
VR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwEwYDVR0lBAwwCgYIKwYBBQUHAwEw
FAYDVR0RBA0wC4IJbG9jYWxob3N0MB0GA1UdDgQWBBSaydWyjpmRO5/qu6jaXBXR
Vq+3UzAfBgNVHSMEGDAWgBRqx5sbCXwTfdnRGu1S0AXMLKPiyDAKBggqhkjOPQQD
AgNIADBFAiANs6+IhYTbTneJbxXaLAb5ZEvdyFTgjGi/Wbd8B92ucAIhAKIJ6q6o
sp7onugnTM9tn9iQHLA8I985enzB8qOZTP1/
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+LnGziaMykXKil1M
b4s1BnQCVtpfSvWVTRCke7k33duhRANCAASZSzQ29YwaXDcycfnuywJYJ6O39BS2
R6zz7zs5NFAyEHrSU3HFC8t0gwzTGS6Al0FdQ0111oNWkmeycqd5f2Ns
-----END PRIVATE KEY-----
"""
