"""A small model hub on this machine: real sockets, real HTTP, and faults that can be switched on.

It speaks what ``huggingface_hub`` asks for, as that library's source and the hub's public answers show it:
model info, refs, tree, paths, and files under ``/resolve/``. A file kept in Git LFS is redirected
(302, absolute) to another origin, the "CDN", whose own ETag is not the file's hash; every other file is
redirected (307, relative) to ``/api/resolve-cache/``. Text may come gzipped and without a length. Chunked
("xet") transfer is not offered. A client may also use it as its HTTP proxy.

::

    with StubHub() as hub:
        commit = hub.add_repo("owner/name", folder, licence="apache-2.0")
        hub.drop(after=0.6, file="*.safetensors")
        ...  # a child process with HF_ENDPOINT=hub.url
        assert hub.sent["model.safetensors"] <= ...
"""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import json
import re
import socket
import struct
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

LFS_SUFFIXES = frozenset({".safetensors", ".bin", ".pt", ".onnx", ".msgpack", ".h5", ".zip"})
"""What the hub's usual ``.gitattributes`` keeps in Git LFS."""

TEXT_SUFFIXES = frozenset({".json", ".txt", ".md", ".py"})
CHUNK = 32 * 1024
SEND_BUFFER = 64 * 1024
"""Small, so that what counts as sent is nearly what the client has received."""

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no time: closing sends RST."""

_LOGGED = ("authorization", "range", "if-range", "user-agent", "accept-encoding", "host")


@dataclass(frozen=True)
class HubFile:
    """One file of one commit. ``etag`` is what the hub announces: SHA-256 in LFS, else git's blob hash."""

    name: str
    path: Path
    size: int
    blob_id: str
    sha256: str | None
    cdn_etag: str

    @property
    def etag(self) -> str:
        return self.sha256 or self.blob_id

    @property
    def compressible(self) -> bool:
        return Path(self.name).suffix in TEXT_SUFFIXES


@dataclass
class HubRepo:
    """Commits by hash, and what each branch, tag or pull request points to."""

    repo_id: str
    licence: str
    gated: bool
    private: bool
    commits: dict[str, dict[str, HubFile]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def resolve(self, revision: str) -> str | None:
        return revision if revision in self.commits else self.refs.get(revision)


@dataclass
class Fault:
    """What goes wrong, with which files (a pattern of names) and how many times (None: always)."""

    kind: str
    file: str
    times: int | None
    where: str = "any"
    after: float = 0.0
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    rate: float = 0.0
    reset: bool = False


@dataclass
class Request:
    """One request as it came, and what it was answered with."""

    origin: str
    """``hub`` or ``cdn``."""
    method: str
    path: str
    headers: dict[str, str]
    """Those of interest, names in lower case."""
    proxied: bool
    status: int = 0
    file: str = ""
    """The name of the file that was asked for, empty for everything that is none."""
    sent: int = 0
    """Bytes of the body."""


class StubHub:
    """The server; a context manager. Everything may be changed while it runs."""

    def __init__(self, compress: bool = True, small_redirect: bool = True) -> None:
        self.compress = compress
        self.small_redirect = small_redirect
        self.granted: set[str] = set()
        """Tokens that may have what is private or gated."""
        self.sent: Counter[str] = Counter()
        """Bytes of bodies by file name."""
        self.requests: list[Request] = []
        self.errors: list[BaseException] = []
        """What failed in the stub itself; raised when it is closed."""
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self._repos: dict[str, HubRepo] = {}
        self._faults: list[Fault] = []
        self._servers = [_Server(self, "hub"), _Server(self, "cdn")]
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.02,), name=f"stub {server.origin}")
            for server in self._servers
        ]

    def __enter__(self) -> StubHub:
        for thread in self._threads:
            thread.start()
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
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            server.drop_connections()
            server.server_close()
            thread.join()

    @property
    def url(self) -> str:
        """For ``HF_ENDPOINT``, or ``HTTP_PROXY``."""
        return self._servers[0].url

    @property
    def cdn_url(self) -> str:
        return self._servers[1].url

    # ---- what it holds

    def add_repo(
        self,
        repo_id: str,
        folder: Path,
        revision: str = "main",
        licence: str = "apache-2.0",
        gated: bool = False,
        private: bool = False,
    ) -> str:
        """Serve ``folder`` as ``repo_id``; returns the commit. The folder must stay as it is."""
        self._repos[repo_id] = HubRepo(repo_id, licence, gated, private)
        return self.add_commit(repo_id, folder, revision)

    def add_commit(self, repo_id: str, folder: Path, revision: str = "main") -> str:
        """A new commit with the files of ``folder``; ``revision`` ("main", "refs/pr/4") moves to it."""
        repo = self._repos[repo_id]
        files = {file.name: file for file in _files_of(folder)}
        seed = [repo_id, str(len(repo.commits)), *(f"{f.name} {f.etag}" for f in files.values())]
        commit = hashlib.sha1("\n".join(seed).encode(), usedforsecurity=False).hexdigest()
        repo.commits[commit] = files
        repo.refs[revision] = commit
        return commit

    def remove_repo(self, repo_id: str) -> None:
        del self._repos[repo_id]

    def repo(self, repo_id: str) -> HubRepo | None:
        return self._repos.get(repo_id)

    # ---- faults

    def drop(self, after: float, file: str = "*", times: int | None = 1, reset: bool = False) -> None:
        """End the connection when a response has carried ``after`` (0 to 1) of the file's bytes.

        ``reset`` sends a TCP reset instead of an orderly end.
        """
        self._faults.append(Fault("drop", file, times, "body", after=after, reset=reset))

    def stall(self, after: float, file: str = "*", times: int | None = 1) -> None:
        """Say nothing more from there on, and keep the connection."""
        self._faults.append(Fault("stall", file, times, "body", after=after))

    def corrupt(self, file: str = "*", times: int | None = None) -> None:
        """Right length, wrong bytes."""
        self._faults.append(Fault("corrupt", file, times, "body"))

    def slow(self, rate: float, file: str = "*", times: int | None = None) -> None:
        """At most ``rate`` bytes a second in each response."""
        self._faults.append(Fault("slow", file, times, "body", rate=rate))

    def no_ranges(self, file: str = "*", times: int | None = None) -> None:
        """Answer 200 with the whole file whatever was asked for."""
        self._faults.append(Fault("no_ranges", file, times, "body"))

    def answer(
        self,
        status: int,
        file: str = "*",
        times: int | None = None,
        where: str = "any",
        headers: dict[str, str] | None = None,
    ) -> None:
        """Answer ``status`` instead; ``where``: ``api``, ``resolve``, ``body`` (where files are), ``any``.

        A request that is about no file matches only the pattern ``*``.
        """
        self._faults.append(Fault("answer", file, times, where, status=status, headers=headers or {}))

    def unauthorised(self, times: int | None = None, where: str = "any") -> None:
        """401, as for a token that is no longer good."""
        words = {"X-Error-Message": "Invalid credentials in Authorization header"}
        self.answer(401, times=times, where=where, headers=words)

    def gate(self, times: int | None = None, where: str = "resolve") -> None:
        """403, as for conditions that were not accepted."""
        words = {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to this model is restricted."}
        self.answer(403, times=times, where=where, headers=words)

    def lose(self, file: str = "*", times: int | None = None, where: str = "resolve") -> None:
        """404, as for a file that is not there."""
        words = {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
        self.answer(404, file, times, where, words)

    def ask_to_wait(self, seconds: int, times: int | None = 1, where: str = "any", file: str = "*") -> None:
        """429 with Retry-After."""
        self.answer(429, file, times, where, {"Retry-After": str(seconds)})

    def fail(self, times: int | None = 1, where: str = "any", file: str = "*", status: int = 500) -> None:
        """A server error."""
        self.answer(status, file, times, where)

    def heal(self) -> None:
        """Take all faults back."""
        with self.lock:
            self._faults.clear()

    def take_fault(self, kind: str, file: str, where: str) -> Fault | None:
        """The first fault of that kind that applies, counted as used."""
        with self.lock:
            for fault in self._faults:
                fits = fault.kind == kind and fault.where in ("any", where)
                if fits and fault.times != 0 and fnmatch.fnmatchcase(file, fault.file):
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None

    # ---- what happened

    def log(self, request: Request) -> None:
        with self.lock:
            self.requests.append(request)

    def count(self, request: Request, sent: int) -> None:
        with self.lock:
            request.sent += sent
            # One that is being answered still when all is forgotten is of no more interest.
            if request.file and any(request is each for each in self.requests):
                self.sent[request.file] += sent

    @property
    def total_sent(self) -> int:
        """Bytes of files, without the answers of the API."""
        with self.lock:
            return sum(self.sent.values())

    def asked(self, **wanted: Any) -> list[Request]:
        """The requests whose fields have these values, in order."""
        with self.lock:
            return [r for r in self.requests if all(getattr(r, k) == v for k, v in wanted.items())]

    def forget(self) -> None:
        """Start counting and logging anew."""
        with self.lock:
            self.sent.clear()
            self.requests.clear()


def received(cache: Path) -> int:
    """Bytes in a hub's cache folder of what is not whole yet."""
    count = 0
    for path in cache.glob("models--*/blobs/*.incomplete"):
        # It may have become whole just now.
        with suppress(FileNotFoundError):
            count += path.stat().st_size
    return count


def _files_of(folder: Path) -> Iterator[HubFile]:
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        size = path.stat().st_size
        name = path.relative_to(folder).as_posix()
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        blob = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                for digest in (sha256, md5, blob):
                    digest.update(chunk)
        lfs = path.suffix in LFS_SUFFIXES
        if lfs:
            # Git keeps a pointer; the blob hash is that of the pointer.
            pointer = _pointer(sha256.hexdigest(), size)
            blob = hashlib.sha1(b"blob %d\0%s" % (len(pointer), pointer), usedforsecurity=False)
        yield HubFile(
            name,
            path,
            size,
            blob.hexdigest(),
            sha256.hexdigest() if lfs else None,
            # An object store's ETag of an upload in parts: no hash of the content.
            f"{md5.hexdigest()}-1",
        )


def _pointer(sha256: str, size: int) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 64

    def __init__(self, hub: StubHub, origin: str) -> None:
        self.hub = hub
        self.origin = origin
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def server_bind(self) -> None:
        # Without the look-up of the host's name that HTTPServer does.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.hub.lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self.hub.lock:
            self._connections.discard(request)
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == RESET:
            # An orderly end would come before the reset.
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def drop_connections(self) -> None:
        with self.hub.lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        # A client that goes away, or is killed, is what this server is for.
        if error is not None and not isinstance(error, ConnectionError | TimeoutError):
            self.hub.errors.append(error)


class _Refusal(Exception):
    """Carries an HTTP error answer."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {"X-Error-Message": message, **headers}
        if code:
            self.headers["X-Error-Code"] = code


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "StubHub"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed; ``StubHub.requests`` has it all."""

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    @property
    def hub(self) -> StubHub:
        return self.server.hub

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        origin = self.server.origin
        if parts.netloc:
            # Asked as a proxy: the request line carries the whole address.
            origin = "cdn" if parts.netloc == urlsplit(self.hub.cdn_url).netloc else "hub"
        self.request_entry = Request(
            origin,
            self.command,
            parts.path + (f"?{parts.query}" if parts.query else ""),
            {name: self.headers[name] for name in _LOGGED if name in self.headers},
            bool(parts.netloc),
        )
        self.hub.log(self.request_entry)
        try:
            if origin == "cdn":
                self._serve_cdn(parts.path)
            else:
                self._serve_hub(parts.path, parse_qs(parts.query), parse_qs(form))
        except _Refusal as refusal:
            self._reply(refusal.status, refusal.headers, str(refusal).encode())

    # ---- routes

    def _serve_hub(self, path: str, query: dict[str, list[str]], form: dict[str, list[str]]) -> None:
        if found := re.fullmatch(r"/api/resolve-cache/models/([^/]+/[^/]+)/([0-9a-f]{40})/(.+)", path):
            self._check_access(self._repo(found[1]))
            self._send_file(self._file(found[1], found[2], unquote(found[3])), found[2])
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/([a-z-]+)(?:/(.+))?)?", path):
            self._raise_fault("", "api")
            self._serve_api(found[1], found[2] or "revision", found[3] or "main", query, form)
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(found[1], unquote(found[2]), unquote(found[3]))
        else:
            raise _Refusal(404, "", "Not found")

    def _serve_api(
        self, repo_id: str, what: str, rest: str, query: dict[str, list[str]], form: dict[str, list[str]]
    ) -> None:
        repo = self._repo(repo_id)
        if what == "refs":
            answer: Any = _refs_json(repo)
        elif what == "auth-check":
            self._check_access(repo)
            answer = {}
        else:
            revision, _, folder = rest.partition("/")
            commit = self._commit(repo, unquote(revision))
            files = repo.commits[commit]
            if what == "revision":
                answer = _info_json(repo, commit, blobs=query.get("blobs") == ["true"])
            elif what == "tree":
                answer = _tree_json(files, unquote(folder), recursive=query.get("recursive") == ["true"])
            elif what == "paths-info":
                answer = [_file_json(files[name]) for name in form.get("paths", ()) if name in files]
            else:
                raise _Refusal(404, "", "Not found")
        body = json.dumps(answer).encode()
        self._reply(200, {"Content-Type": "application/json; charset=utf-8"}, body)

    def _resolve(self, repo_id: str, revision: str, name: str) -> None:
        self.request_entry.file = name
        self._raise_fault(name, "resolve")
        repo = self._repo(repo_id)
        self._check_access(repo)
        commit = self._commit(repo, revision)
        file = self._file(repo_id, commit, name)
        headers = {
            "X-Repo-Commit": commit,
            "X-Linked-Size": str(file.size),
            "X-Linked-ETag": f'"{file.etag}"',
            "ETag": f'"{file.etag}"',
            "Accept-Ranges": "bytes",
        }
        if file.sha256:
            location = f"{self.hub.cdn_url}/{repo_id}/{commit}/{quote(name)}?sha256={file.sha256}"
            self._reply(302, {**headers, "Location": location})
        elif self.hub.small_redirect:
            location = f"/api/resolve-cache/models/{repo_id}/{commit}/{quote(name)}"
            self._reply(307, {**headers, "Location": location})
        else:
            self._send_file(file, commit)

    def _serve_cdn(self, path: str) -> None:
        found = re.fullmatch(r"/([^/]+/[^/]+)/([0-9a-f]{40})/(.+)", path)
        if not found:
            raise _Refusal(404, "", "Not found")
        self._send_file(self._file(found[1], found[2], unquote(found[3])), None)

    # ---- what may be asked for

    def _token(self) -> str:
        return str(self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def _repo(self, repo_id: str) -> HubRepo:
        repo = self.hub.repo(repo_id)
        if repo is None or (repo.private and self._token() not in self.hub.granted):
            # The hub does not tell what is missing from what is private.
            if self._token():
                raise _Refusal(404, "RepoNotFound", "Repository not found")
            raise _Refusal(401, "RepoNotFound", "Invalid username or password.")
        return repo

    def _check_access(self, repo: HubRepo) -> None:
        if repo.gated and self._token() not in self.hub.granted:
            words = f"Access to model {repo.repo_id} is restricted."
            raise _Refusal(403 if self._token() else 401, "GatedRepo", words)

    def _commit(self, repo: HubRepo, revision: str) -> str:
        commit = repo.resolve(revision)
        if commit is None:
            raise _Refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def _file(self, repo_id: str, commit: str, name: str) -> HubFile:
        repo = self.hub.repo(repo_id)
        file = repo.commits.get(commit, {}).get(name) if repo else None
        if file is None:
            raise _Refusal(404, "EntryNotFound", "Entry not found", **{"X-Repo-Commit": commit})
        return file

    def _raise_fault(self, name: str, where: str) -> None:
        fault = self.hub.take_fault("answer", name, where)
        if fault:
            words = fault.headers.get("X-Error-Message", "")
            headers = {k: v for k, v in fault.headers.items() if k != "X-Error-Message"}
            raise _Refusal(fault.status, "", words, **headers)

    # ---- answers

    def _reply(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.request_entry.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_file(self, file: HubFile, commit: str | None) -> None:
        """The bytes: whole, a range (206), or 416 (RFC 9110, sections 13.1.5 and 14)."""
        self.request_entry.file = file.name
        self._raise_fault(file.name, "body")
        etag = file.etag if commit else file.cdn_etag
        headers = {"ETag": f'"{etag}"', "Content-Type": "application/octet-stream"}
        if commit:
            headers |= {"X-Repo-Commit": commit}
        else:
            quoted = quote(Path(file.name).name)
            headers |= {"Content-Disposition": f"inline; filename*=UTF-8''{quoted}; filename=\"{quoted}\";"}
        ranges = not self.hub.take_fault("no_ranges", file.name, "body")
        headers["Accept-Ranges"] = "bytes" if ranges else "none"
        span = None
        if ranges and self.headers.get("If-Range", headers["ETag"]) == headers["ETag"]:
            span = _parse_range(self.headers.get("Range"), file.size)
        if span is not None and span.start >= file.size:
            self._reply(416, {**headers, "Content-Range": f"bytes */{file.size}"})
            return
        if span is None and self._may_compress(file):
            self._send_gzip(file, headers)
            return
        first, end = (span.start, span.stop) if span is not None else (0, file.size)
        if span is not None:
            headers["Content-Range"] = f"bytes {first}-{end - 1}/{file.size}"
        headers["Content-Length"] = str(end - first)
        self._send_head(206 if span is not None else 200, headers)
        if self.command != "HEAD":
            self._send_body(file, first, end)

    def _may_compress(self, file: HubFile) -> bool:
        accepted = self.headers.get("Accept-Encoding") or ""
        return self.hub.compress and file.compressible and self.command == "GET" and "gzip" in accepted

    def _send_gzip(self, file: HubFile, headers: dict[str, str]) -> None:
        """As the hub sends text: packed, in HTTP chunks, without a length."""
        content = file.path.read_bytes()
        if self.hub.take_fault("corrupt", file.name, "body"):
            content = _spoil(content, 0)
        packed = gzip.compress(content)
        self._send_head(200, {**headers, "Content-Encoding": "gzip", "Transfer-Encoding": "chunked"})
        drop = self.hub.take_fault("drop", file.name, "body")
        if drop:
            packed = packed[: int(len(packed) * drop.after)]
        for start in range(0, len(packed), CHUNK):
            piece = packed[start : start + CHUNK]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.hub.count(self.request_entry, len(piece))
        if drop:
            self._break_off(drop.reset)
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _send_head(self, status: int, headers: dict[str, str]) -> None:
        self.request_entry.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_body(self, file: HubFile, first: int, end: int) -> None:
        drop = self.hub.take_fault("drop", file.name, "body")
        stall = self.hub.take_fault("stall", file.name, "body")
        slow = self.hub.take_fault("slow", file.name, "body")
        corrupt = self.hub.take_fault("corrupt", file.name, "body")
        limit = end
        for fault in (drop, stall):
            if fault:
                limit = min(limit, first + int(file.size * fault.after))
        # Twenty pieces a second keep a slow transfer even.
        step = max(1, min(CHUNK, int(slow.rate / 20))) if slow else CHUNK
        with file.path.open("rb") as source:
            source.seek(first)
            position = first
            while position < limit and not self.hub.closing.is_set():
                piece = source.read(min(step, limit - position))
                if corrupt:
                    piece = _spoil(piece, position)
                self.wfile.write(piece)
                self.hub.count(self.request_entry, len(piece))
                position += len(piece)
                if slow:
                    self.hub.closing.wait(len(piece) / slow.rate)
        if stall and position < end:
            self.hub.closing.wait()
        if position < end:
            self._break_off(bool(drop and drop.reset))

    def _break_off(self, reset: bool) -> None:
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def _spoil(piece: bytes, position: int) -> bytes:
    """Every thousandth byte of the file turned around, wherever a response begins."""
    wrong = bytearray(piece)
    for index in range(-position % 1000, len(wrong), 1000):
        wrong[index] ^= 0x55
    return bytes(wrong)


def _parse_range(value: str | None, size: int) -> range | None:
    """The bytes that ``Range`` names; None when it is absent or not one plain range."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", value or "")
    if not found or found[0] == "bytes=-":
        return None
    if not found[1]:
        return range(max(0, size - int(found[2])), size)
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    return range(int(found[1]), max(last + 1, int(found[1])))


def _refs_json(repo: HubRepo) -> dict[str, Any]:
    rows = [
        {
            "name": name.removeprefix("refs/"),
            "ref": name if name.startswith("refs/") else f"refs/heads/{name}",
        }
        | {"targetCommit": commit}
        for name, commit in repo.refs.items()
    ]
    pulls = [row for row in rows if row["ref"].startswith("refs/pr/")]
    return {"branches": [row for row in rows if row not in pulls], "converts": [], "tags": []} | (
        {"pullRequests": pulls} if pulls else {}
    )


def _info_json(repo: HubRepo, commit: str, blobs: bool) -> dict[str, Any]:
    return {
        "_id": commit[:24],
        "id": repo.repo_id,
        "modelId": repo.repo_id,
        "author": repo.repo_id.split("/")[0],
        "sha": commit,
        "lastModified": "2024-05-01T12:00:00.000Z",
        "createdAt": "2022-03-02T23:29:04.000Z",
        "private": repo.private,
        "gated": "auto" if repo.gated else False,
        "disabled": False,
        "downloads": 1,
        "likes": 1,
        "tags": ["transformers", *([f"license:{repo.licence}"] if repo.licence else [])],
        "cardData": {"license": repo.licence} if repo.licence else {},
        "siblings": [_sibling_json(file, blobs) for file in repo.commits[commit].values()],
    }


def _sibling_json(file: HubFile, blobs: bool) -> dict[str, Any]:
    if not blobs:
        return {"rfilename": file.name}
    row: dict[str, Any] = {"rfilename": file.name, "size": file.size, "blobId": file.blob_id}
    if file.sha256:
        size = len(_pointer(file.sha256, file.size))
        row["lfs"] = {"sha256": file.sha256, "size": file.size, "pointerSize": size}
    return row


def _file_json(file: HubFile) -> dict[str, Any]:
    row: dict[str, Any] = {"type": "file", "oid": file.blob_id, "size": file.size, "path": file.name}
    if file.sha256:
        size = len(_pointer(file.sha256, file.size))
        row["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": size}
    return row


def _tree_json(files: dict[str, HubFile], folder: str, recursive: bool) -> list[dict[str, Any]]:
    prefix = f"{folder}/" if folder else ""
    rows: dict[str, dict[str, Any]] = {}
    for name, file in files.items():
        if not name.startswith(prefix):
            continue
        steps = name.removeprefix(prefix).split("/")[:-1]
        for depth in range(1, len(steps) + 1 if recursive else min(len(steps), 1) + 1):
            path = prefix + "/".join(steps[:depth])
            oid = hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest()
            rows[path] = {"type": "directory", "oid": oid, "size": 0, "path": path}
        if recursive or not steps:
            rows[name] = _file_json(file)
    return list(rows.values())
