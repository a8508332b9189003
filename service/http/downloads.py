"""Downloads that requests have started: they go on when nobody listens, and tell whoever does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from functools import partial
from typing import Literal

import anyio.to_thread

from core.errors import Cancelled, YomitoriError
from core.jobs import Job
from core.models.entries import Downloaded, Progress
from core.models.imported import refuse_local
from core.models.library import ModelLibrary
from core.service_errors import NoDownload

DownloadState = Literal["running", "done", "paused", "failed"]
_KEPT = 64
"""Of so many downloads is remembered how they ended."""


class Download:
    """One that runs, or how it ended. Used in the event loop that made it."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.progress: Progress | None = None
        self.result: Downloaded | None = None
        self.error: YomitoriError | None = None
        self._job: Job[Downloaded] | None = None
        self._loop = asyncio.get_running_loop()
        self._news: set[asyncio.Event] = set()

    @property
    def state(self) -> DownloadState:
        if self.error is not None:
            return "paused" if isinstance(self.error, Cancelled) else "failed"
        return "running" if self.result is None else "done"

    def begin(self, library: ModelLibrary, accept_licence: bool) -> None:
        """In a thread: it reads files. Raises what the library does."""
        self._job = library.download(self.model, accept_licence, self._on_progress)
        self._job.on_done(self._on_done)

    def pause(self) -> None:
        """What was received is kept; another start goes on from there."""
        if self._job is not None:
            self._job.cancel()

    async def watch(self) -> AsyncGenerator[Progress, None]:
        """Its progress until it has ended; only the newest where it is not taken as fast as it comes."""
        news = asyncio.Event()
        self._news.add(news)
        told: Progress | None = None
        try:
            while True:
                running = self.state == "running"
                if self.progress is not told:
                    told = self.progress
                    assert told is not None
                    yield told
                if not running:
                    return
                await news.wait()
                news.clear()
        finally:
            self._news.discard(news)

    # ---- in threads of the library's

    def _on_progress(self, progress: Progress) -> None:
        def change() -> None:
            self.progress = progress

        self._change(change)

    def _on_done(self, job: Job[Downloaded]) -> None:
        def change() -> None:
            self.error = job.error()
            self.result = None if self.error is not None else job.result(0)

        self._change(change)

    def _change(self, change: Callable[[], None]) -> None:
        def both() -> None:
            change()
            self.tell()

        # The loop may have ended before the download.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(both)

    # ---- in the event loop

    def tell(self) -> None:
        """Have whoever watches look again."""
        for news in self._news:
            news.set()


class Downloads:
    """By hub id, and by revision where one was named. In the event loop."""

    def __init__(self, library: ModelLibrary) -> None:
        self._library = library
        self._known: dict[str, Download] = {}

    async def start(self, model: str, accept_licence: bool) -> Download:
        """The download of that model; one that runs already is not started again.

        Raises:
            ModelUnknown, ModelImported, ModelsFolderUnusable, LicenceNotAccepted: nothing was begun.
        """
        key = await anyio.to_thread.run_sync(self._check, model)
        known = self._known.get(key)
        if known is not None and known.state == "running":
            return known
        download = Download(model)
        # Before anything is waited for: the next request is to find it.
        before = self._known.get(key)
        self._keep(key, download)
        try:
            await anyio.to_thread.run_sync(partial(download.begin, self._library, accept_licence))
        except YomitoriError as error:
            download.error = error
        except Exception:
            # Else it would seem to run for ever.
            self._forget(key, download, before)
            raise
        # What was refused at once has told so already, in the queue of the loop.
        await asyncio.sleep(0)
        download.tell()
        if download.error is not None:
            self._forget(key, download, before)
            raise download.error
        return download

    async def find(self, model: str) -> Download:
        """The last one of that model. Raises ModelUnknown, NoDownload."""
        download = self._known.get(await anyio.to_thread.run_sync(self._key, model))
        if download is None:
            raise NoDownload(model=model)
        return download

    def _check(self, model: str) -> str:
        refuse_local(model)
        # Said before a hub is asked: without a folder there is no download.
        self._library.ensure_root(self._library.model(model).role)
        return self._key(model)

    def _key(self, model: str) -> str:
        _, at, revision = model.partition("@")
        return self._library.model(model).repo + at + revision

    def _forget(self, key: str, refused: Download, before: Download | None) -> None:
        """One that was never begun says nothing of how the model stands; the one before it does."""
        if self._known.get(key) is refused:
            del self._known[key]
            if before is not None:
                self._known[key] = before

    def _keep(self, key: str, download: Download) -> None:
        self._known.pop(key, None)
        ended = [known for known, each in self._known.items() if each.state != "running"]
        for known in ended[: max(0, len(self._known) + 1 - _KEPT)]:
            del self._known[known]
        self._known[key] = download
