"""One file from the hub: in ranges, continued where it stopped, checked before it gets its name.

Plain HTTP, because the hub's own library begins a file anew when its process was ended; see
``docs/decisions/008-downloads.md``. What was received lies in ``<name of the content>.yomitori.incomplete``
and is appended to, so that a process killed at any moment leaves something to go on with. The content's own
name (sha256, or git's id) is compared at the end, which makes any other guard against mixing two contents
unnecessary; a range is only appended when the server says that it begins where the file ends.
"""

from __future__ import annotations

import contextlib
import email.utils
import os
import re
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

import httpx2

from core.errors import (
    DownloadDamaged,
    HubBusy,
    HubError,
    HubNotFound,
    HubRefused,
    HubUnreachable,
    YomitoriError,
)
from core.models.hashing import Digest, Wanted, is_oid, pieces
from core.models.steps import IsCancelled, Meter, Steps, disk_errors, pause, stop_if

_SYNC_BYTES = 64 * 1024 * 1024
_REDIRECTS = 10
_BUSY = (408, 425, 429, 500, 502, 503, 504)
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_LIMIT = re.compile(r"r\s*=\s*0\s*;\s*t\s*=\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how long to try.

    ``attempts`` is how many in a row may bring nothing new. Seconds: the delay doubles from ``first_delay``
    to ``longest_delay``; a server may ask for up to ``longest_wait``; a connection may take ``connect`` to be
    made and be silent for ``read``.
    """

    attempts: int = 5
    first_delay: float = 1.0
    longest_delay: float = 30.0
    longest_wait: float = 60.0
    connect: float = 10.0
    read: float = 20.0

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Retry:
        return cls(**value)

    def delay(self, failures: int) -> float:
        return float(min(self.longest_delay, self.first_delay * 2 ** (failures - 1)))


class Again(Exception):
    """Worth another try. ``why`` is told when there is none left, ``wait`` is what the server asks for."""

    def __init__(self, why: YomitoriError, wait: float | None = None) -> None:
        super().__init__(why.message)
        self.why = why
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file comes from. ``headers`` may hold the user's token, which only ``trusted`` origins
    (scheme, host and port) get to see. ``model`` and ``revision`` are for people."""

    client: httpx2.Client
    url: str
    headers: Mapping[str, str]
    trusted: frozenset[str]
    model: str
    revision: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


def origin(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def fetch(
    source: Source,
    wanted: Wanted,
    partial: Path,
    blob: Path,
    retry: Retry,
    meter: Meter,
    cancelled: IsCancelled,
) -> Steps[int]:
    """Have the content in ``blob``; ``partial`` is continued when it is there. Returns the bytes received.

    Both lie in one folder, so the last step is a rename. ``meter`` is told of every byte that is there.

    Raises:
        Cancelled, NotEnoughDisk, ModelsFolderUnusable, HubUnreachable, HubBusy, HubRefused: what was received
            is kept.
        HubNotFound: the hub has no such file.
        DownloadDamaged: twice in a row what came was not what the hub had announced; it was thrown away.
    """
    received = 0
    for attempt in (1, 2):
        missing = wanted.size - (partial.stat().st_size if partial.is_file() else 0)
        with disk_errors(partial.parent, missing), partial.open("ab", buffering=0) as file:
            part = _Part(file, wanted, meter)
            yield from part.read_again(partial, cancelled)
            received += yield from _receive(source, part, retry, cancelled)
            if part.digest.matches:
                os.fsync(file.fileno())
                break
        meter.take_back(part.position)
        partial.unlink(missing_ok=True)
        if attempt == 2:
            raise DownloadDamaged(name=wanted.name, model=source.model)
    with disk_errors(blob.parent):
        partial.replace(blob)
    return received


class _Part:
    """The file that is being received: its length, and the sum of what is in it."""

    def __init__(self, file: IO[bytes], wanted: Wanted, meter: Meter) -> None:
        self._file = file
        self.wanted = wanted
        self.meter = meter
        self.position = 0
        self._synced = 0
        self.digest = Digest(wanted.oid, wanted.size)

    def read_again(self, path: Path, cancelled: IsCancelled) -> Steps[None]:
        """Take in what an earlier run left."""
        self.meter.file = self.wanted.name
        yield self.meter.report()
        for data in pieces(path):
            stop_if(cancelled)
            self.digest.update(data)
            self.position += len(data)
            self.meter.done += len(data)
            yield self.meter.report()
        self._synced = self.position
        if self.position > self.wanted.size:
            self.begin_anew()

    def append(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Write what came."""
        view = memoryview(data)
        while view:
            count = self._file.write(view)
            self.digest.update(view[:count])
            self.position += count
            yield from self.meter.add(count)
            view = view[count:]
        if self.position - self._synced >= _SYNC_BYTES:
            # After a loss of power the file may be as long as it was, with zeros in it. What the disk has
            # confirmed is safe; the rest is found out by the sum.
            os.fsync(self._file.fileno())
            self._synced = self.position

    def begin_anew(self) -> None:
        """Throw away what is there."""
        self._file.truncate(0)
        self.meter.take_back(self.position)
        self.position = self._synced = 0
        self.digest = Digest(self.wanted.oid, self.wanted.size)


def _receive(source: Source, part: _Part, retry: Retry, cancelled: IsCancelled) -> Steps[int]:
    """Append what is missing; the number of bytes that came."""
    failures = 0
    total = 0
    # What counts as getting on: a server that begins anew each time must not be asked for ever.
    furthest = part.position
    while part.position < part.wanted.size:
        try:
            with contextlib.closing(_answer(source, part, retry)) as answer:
                for data in answer:
                    stop_if(cancelled)
                    if part.position + len(data) > part.wanted.size:
                        part.begin_anew()
                        raise Again(DownloadDamaged(name=part.wanted.name, model=source.model))
                    total += len(data)
                    yield from part.append(data)
            if part.position < part.wanted.size:
                raise Again(HubUnreachable(host=source.host, reason="the connection broke off"))
        except Again as again:
            failures = 1 if part.position > furthest else failures + 1
            furthest = max(furthest, part.position)
            if failures >= retry.attempts:
                raise again.why from again
            if again.wait is not None and again.wait > retry.longest_wait:
                raise HubBusy(host=source.host, seconds=round(again.wait)) from again
            delay = retry.delay(failures) if again.wait is None else again.wait
            yield from pause(delay, part.meter, cancelled)
    return total


def _answer(source: Source, part: _Part, retry: Retry) -> Generator[bytes, None, None]:
    """The bytes from where the file ends. Empties the file when the server will not continue."""
    try:
        with contextlib.closing(_open(source, part, retry)) as response:
            if response.status_code == 206:
                if not _continues(response, part):
                    part.begin_anew()
                    raise Again(HubUnreachable(host=source.host, reason="it sent another part of the file"))
            else:
                _check_length(response, source, part)
                if part.position:
                    part.begin_anew()
            yield from response.iter_bytes()
    except httpx2.TransportError as error:
        raise Again(unreachable(source.host, error)) from error
    except (httpx2.DecodingError, httpx2.StreamError, httpx2.InvalidURL) as error:
        raise Again(HubUnreachable(host=source.host, reason=str(error))) from error


def _continues(response: httpx2.Response, part: _Part) -> bool:
    found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return found is not None and int(found[1]) == part.position and found[3] in ("*", str(part.wanted.size))


def _check_length(response: httpx2.Response, source: Source, part: _Part) -> None:
    """A page that wants a login, say, is another thing than a damaged file."""
    length = response.headers.get("Content-Length", "")
    packed = response.headers.get("Content-Encoding", "identity").lower() != "identity"
    if not packed and length.isdigit() and int(length) != part.wanted.size:
        reason = f"{part.wanted.name} has another size there; a proxy or a login page may be in between"
        raise Again(HubUnreachable(host=source.host, reason=reason))


def _open(source: Source, part: _Part, retry: Retry) -> httpx2.Response:
    """The answer with the bytes, redirects followed; the token goes to trusted origins alone."""
    timeout = httpx2.Timeout(retry.read, connect=retry.connect)
    url = source.url
    for _ in range(_REDIRECTS):
        headers = {
            name: value
            for name, value in source.headers.items()
            if name.lower() != "authorization" or origin(url) in source.trusted
        }
        # Another coding than the file's own would give the bytes other positions.
        headers["Accept-Encoding"] = "identity"
        if part.position:
            headers["Range"] = f"bytes={part.position}-"
        request = source.client.build_request("GET", url, headers=headers, timeout=timeout)
        response = source.client.send(request, stream=True, follow_redirects=False)
        try:
            if response.has_redirect_location:
                _check_etag(response, source, part.wanted)
                url = urljoin(url, response.headers["Location"])
                response.close()
                continue
            check_status(response, source, part)
        except BaseException:
            response.close()
            raise
        return response
    raise HubUnreachable(host=source.host, reason="it sends from one address to the next")


def _check_etag(response: httpx2.Response, source: Source, wanted: Wanted) -> None:
    """The hub says with the redirect which content it leads to."""
    etag = response.headers.get("X-Linked-ETag", "").removeprefix("W/").strip('"')
    if is_oid(etag) and len(etag) == len(wanted.oid) and etag != wanted.oid:
        raise HubError(model=source.model, reason=f"{wanted.name} was changed meanwhile")


def check_status(response: httpx2.Response, source: Source, part: _Part | None = None) -> None:
    """Raises Again, HubRefused, HubNotFound or HubError for an answer that is no success."""
    status = response.status_code
    if status in (200, 206):
        return
    code = response.headers.get("X-Error-Code", "")
    ours = origin(str(response.request.url)) in source.trusted
    said = f"it answered {status} {response.reason_phrase}".strip()
    if status == 416 and part is not None:
        part.begin_anew()
        raise Again(HubUnreachable(host=source.host, reason=said))
    if code in ("RepoNotFound", "RevisionNotFound", "EntryNotFound") or (status in (404, 410) and ours):
        raise HubNotFound(host=source.host, model=source.model, revision=source.revision)
    if status in (401, 403) and ours:
        raise HubRefused(host=source.host, model=source.model)
    if status in _BUSY:
        why: YomitoriError = HubUnreachable(host=source.host, reason=said)
        if status == 429:
            why = HubBusy(host=source.host)
        raise Again(why, asked_to_wait(response))
    if not ours:
        # The address of a store is good for a while only; the hub gives a new one.
        raise Again(HubUnreachable(host=source.host, reason=said))
    raise HubError(model=source.model, reason=said)


def asked_to_wait(response: httpx2.Response) -> float | None:
    """Seconds that ``Retry-After`` (RFC 9110, 10.2.3) or ``RateLimit`` asks for, None when neither does."""
    found = _LIMIT.search(response.headers.get("RateLimit", ""))
    if response.status_code == 429 and found:
        return float(found[1])
    value = response.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    if not value:
        return None
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


def unreachable(host: str, error: Exception) -> HubUnreachable:
    """What went wrong with a connection, in words."""
    if isinstance(error, httpx2.ProxyError):
        reason = f"the proxy refuses: {error}"
    elif isinstance(error, httpx2.TimeoutException):
        reason = "it does not answer"
    elif isinstance(error, httpx2.ConnectError):
        reason = re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or "no connection"
    else:
        reason = "the connection broke off"
    return HubUnreachable(host=host, reason=reason)
