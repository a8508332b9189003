"""One piece of work for a model, and the promise of its result."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, Generic, TypeVar

from core.errors import Cancelled, YomitoriError
from core.types import RgbImage

T = TypeVar("T")
_ids = itertools.count(1)


class Job(Generic[T]):
    """Returned by ``Engine.recognize`` and its like; safe to use from any thread.

    ``convert`` turns the answer of the model process (result, seconds) into the value. Callbacks run in
    the host's thread. One that ``gives_way`` is done ahead of need: it is cancelled when another model needs
    the memory. Its pictures are let go when it has ended, however long the job itself is kept.
    """

    def __init__(
        self,
        op: str,
        params: dict[str, Any],
        images: Sequence[RgbImage],
        convert: Callable[[dict[str, Any], float], T],
        on_piece: Callable[[dict[str, Any]], None] | None = None,
        gives_way: bool = False,
    ) -> None:
        self.id = next(_ids)
        self.op = op
        self.params = params
        self.images = tuple(images)
        self.on_piece = on_piece
        self.gives_way = gives_way
        self._convert = convert
        self._future: Future[T] = Future()
        self._wake: Callable[[], None] = lambda: None
        self.cancel_requested = False

    def attach(self, wake: Callable[[], None]) -> None:
        """The host tells how to be woken when the job is cancelled."""
        self._wake = wake

    def cancel(self) -> None:
        """Stop it as soon as possible; ``result`` then raises Cancelled. No effect once it is done."""
        self.cancel_requested = True
        self._wake()

    def done(self) -> bool:
        return self._future.done()

    def result(self, timeout: float | None = None) -> T:
        """Wait for the value.

        Raises:
            YomitoriError: the job failed, or Cancelled.
            TimeoutError: nothing after ``timeout`` seconds; the job goes on.
        """
        return self._future.result(timeout)

    def on_done(self, callback: Callable[[Job[T]], None]) -> None:
        """Call back once, in the host's thread, or at once when it is done already."""
        # The future keeps what it has called, and with it whatever that holds.
        calls = [callback]
        self._future.add_done_callback(lambda _: calls.pop()(self))

    def error(self) -> YomitoriError | None:
        """Why it failed, None while it runs or when it did not."""
        if not self._future.done():
            return None
        error = self._future.exception()
        assert error is None or isinstance(error, YomitoriError)
        return error

    def finish(self, result: dict[str, Any], seconds: float) -> None:
        """Called by the host."""
        try:
            value = self._convert(result, seconds)
        except YomitoriError as error:
            self.fail(error)
        except Exception as error:
            # A result that cannot be read is the model process's fault, not the caller's.
            self.fail(YomitoriError(detail=f"{type(error).__name__}: {error}"))
        else:
            self.resolve(value)

    def resolve(self, value: T) -> None:
        """Done, with this value; without effect when it has ended already."""
        with suppress(InvalidStateError):
            self._future.set_result(value)
        self._let_go()

    def fail(self, error: YomitoriError) -> None:
        """Failed, with this error; without effect when it has ended already."""
        with suppress(InvalidStateError):
            self._future.set_exception(error)
        self._let_go()

    def drop(self) -> None:
        """Called by the host when the job was cancelled."""
        self.fail(Cancelled())

    def _let_go(self) -> None:
        """Of what is large. Jobs and those who wait for them refer to each other, and would keep it until the
        interpreter looks for such circles."""
        self.images = ()
