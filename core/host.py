"""ModelHost: the queue, state machine and idle clock of one role's model.

``run`` is a plain loop that some thread executes: a QThread in the tray, a ``threading.Thread`` in the
command line. It waits on the model process's pipe and on its own wake-up together, so nothing polls, and
the idle unload is the timeout of that wait, so it cannot fire during a job.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Pipe, wait
from typing import Any

from core.chat import Phase
from core.devices import candidates
from core.engines import EngineSpec, LoadOptions
from core.errors import (
    Cancelled,
    DeviceAbsent,
    DeviceFailed,
    FellBack,
    FellBackForGood,
    LoadFailed,
    NotEnoughMemory,
    ProcessDied,
    ProtocolError,
    QueueFull,
    ReadFailed,
    YomitoriError,
    from_json,
)
from core.events import Events, HostState, State
from core.jobs import Job
from core.memory import MemoryJudge, format_bytes
from core.process import ModelProcess, StartProcess

log = logging.getLogger(__name__)

_INSIDE = (Phase.ENCODING, Phase.READING)
"""Phases of a job in which passes through a network are long."""


@dataclass(frozen=True, slots=True)
class HostLimits:
    """``queue``: jobs that may wait. Seconds: ``grace`` between asking a job to stop and ending its process,
    ``forward`` the same while it takes a prompt in and can stop only between passes through its network,
    ``forget`` until its process has given back a cache, ``load`` for reading weights, ``silence`` without any
    sign of life from a job, ``hold`` for which a host that was told to get ready waits for its job even when
    it should unload at once, ``vram`` until the driver has given back what a process had of the card."""

    queue: int = 64
    grace: float = 3.0
    forward: float = 10.0
    forget: float = 4.0
    load: float = 600.0
    silence: float = 180.0
    hold: float = 60.0
    vram: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What the settings ask for now.

    ``options.device`` is as it was asked for, also ``auto``; ``need`` tells for a device how many bytes of
    its memory the model takes there (None: what the engine's registration says). ``idle_seconds``: -1 never.
    """

    spec: EngineSpec
    options: LoadOptions
    idle_seconds: float
    need: Callable[[str], int] | None = None

    def bytes_on(self, device: str) -> int:
        return self.spec.memory if self.need is None else self.need(device)


class ModelHost:
    """Owns the model process of one role.

    ``plan`` is asked before every load and whenever the idle clock is set, so that a changed setting
    applies to the next job without a restart.
    """

    def __init__(
        self,
        role: str,
        plan: Callable[[], Plan],
        start_process: StartProcess,
        memory: MemoryJudge,
        events: Events,
        limits: HostLimits | None = None,
    ) -> None:
        self.role = role
        self._plan = plan
        self._start_process = start_process
        self._memory = memory
        self._events = events
        self._limits = limits or HostLimits()
        self._lock = threading.Lock()
        self._jobs: deque[Job[Any]] = deque()
        self._closing = False
        self._prepare = False
        self._unload = False
        self._running: Job[Any] | None = None
        # Another host waits for the cache. Whether there may be one: a job has run since the load.
        self._forgetting: Future[bool] | None = None
        self._used = False
        self._idle = threading.Event()  # set while no process is there
        self._idle.set()
        self._wake_out, self._wake_in = Pipe(duplex=False)
        self._woken = False
        self._process: ModelProcess | None = None
        self._loaded: tuple[EngineSpec, LoadOptions] | None = None
        self._asked = ""
        # Devices that failed, and why: not tried again before the user says so.
        self._failed: dict[str, DeviceFailed] = {}
        self._retry_devices = False
        self._vram_before: int | None = None
        self._promised = 0
        self._idle_since = 0.0
        self._hold_until = 0.0
        self._state = HostState(role, State.UNLOADED)
        memory.register(self)

    # ---- any thread

    @property
    def state(self) -> HostState:
        return self._state

    def submit(self, job: Job[Any]) -> None:
        """Queue a job. When it cannot be taken, it fails at once.

        The job fails with QueueFull, or is cancelled when the host is closing.
        """
        job.attach(self.wake)
        with self._lock:
            closing, full = self._closing, len(self._jobs) >= self._limits.queue
            if not closing and not full:
                self._jobs.append(job)
        if closing:
            job.drop()
        elif full:
            job.fail(QueueFull(count=self._limits.queue))
        else:
            self.wake()

    def prepare(self) -> None:
        """Load now, since a job is about to come; a failure shows in the state and is tried again."""
        self._hold_until = time.monotonic() + self._limits.hold
        self._unload = False
        self._prepare = True
        self.wake()

    def release(self) -> None:
        """No job comes after all: the idle clock counts again."""
        self._hold_until = 0.0
        self.wake()

    def unload(self) -> None:
        """Unload as soon as no job runs or waits."""
        self._prepare = False
        self._unload = True
        self.wake()

    def retry_devices(self) -> None:
        """Try a device that failed again: at the next load, for which the model is unloaded."""
        self._retry_devices = True
        self.unload()

    @property
    def device(self) -> str:
        """For the memory judge: where the model is; empty while none is loaded."""
        return self._state.device

    @property
    def last_used(self) -> float:
        """For the memory judge: by the monotonic clock; infinite while a job is about to come."""
        return math.inf if time.monotonic() < self._hold_until else self._idle_since

    def outstanding(self) -> int:
        """For the memory judge: bytes on the model's device that are promised and not shown as used yet."""
        process, state = self._process, self._state
        if process is None or not state.device:
            return 0
        if not state.device.startswith("cuda"):
            return max(0, self._promised - process.taken_memory())
        # Nobody tells how much of a card a process has. Until its first job it is what loading took, after
        # that about all there will be, since torch keeps what it once had.
        return 0 if self._used or not state.vram else max(0, self._promised - state.vram)

    def forget(self, timeout: float) -> bool:
        """For the memory judge: have the process give back what is only a cache, and say whether it has.

        Never while somebody waits for a job; one that gives way is cancelled.
        """
        loaded = self._loaded
        if loaded is None or not loaded[0].forgets or not self._used or not self._yields():
            return False
        with self._lock:
            if self._closing:
                return False
            asked = self._forgetting = self._forgetting or Future()
        self.wake()
        with suppress(TimeoutError):
            return asked.result(timeout)
        return False

    def give_way(self, timeout: float) -> bool:
        """For the memory judge: unload when idle, and say whether the memory is free again."""
        if not self._yields():
            return False
        self.unload()
        return self._idle.wait(timeout)

    def _yields(self) -> bool:
        """Whether nobody waits for anything from it; what gives way is cancelled then."""
        if self._state.state is State.LOADING:
            return False
        with self._lock:
            jobs = [*self._jobs, *([] if self._running is None else [self._running])]
        if not all(job.gives_way for job in jobs):
            return False
        for job in jobs:
            job.cancel()
        return True

    def close(self) -> None:
        """End ``run``: the running job is cancelled, its process ended, waiting jobs are dropped."""
        with self._lock:
            self._closing = True
        self.wake()

    def wake(self) -> None:
        """Have ``run`` look again (a job was cancelled, a setting changed)."""
        with self._lock:
            if self._woken:
                return
            self._woken = True
            with suppress(OSError):
                self._wake_in.send_bytes(b"!")

    # ---- the thread that executes run()

    def run(self) -> None:
        """Serve until ``close``. Returns with no process left."""
        try:
            while not self._closing:
                self._turn()
        except BaseException:
            log.exception("The host for %s stopped", self.role)
            raise
        finally:
            self._end_process()
            with self._lock:
                self._closing = True
                left = list(self._jobs)
                self._jobs.clear()
            self._answer_forgetting(False)
            for job in left:
                job.drop()
            self._wake_in.close()
            self._wake_out.close()

    def _turn(self) -> None:
        job = self._next_job()
        if job is not None:
            self._prepare = False
            # The cache is in use again.
            self._answer_forgetting(False)
            self._serve(job)
            return
        if self._forgetting is not None:
            self._forget()
        if self._unload:
            self._unload = False
            self._forget_failures()
            self._end_process()
        if self._prepare:
            self._prepare = False
            with suppress(YomitoriError):
                self._ensure_loaded(None)
            return
        waiting: list[Any] = [self._wake_out]
        if self._process is not None:
            waiting.append(self._process.connection)
        timeout = self._idle_left()
        ready = wait(waiting, timeout)
        if self._wake_out in ready:
            self._drain_wake()
        if self._process is not None and self._process.connection in ready:
            self._idle_frame()
        elif not ready:
            log.info("%s was idle", self.role)
            self._end_process()

    def _next_job(self) -> Job[Any] | None:
        self._drop_cancelled()
        with self._lock:
            self._running = self._jobs.popleft() if self._jobs else None
            return self._running

    def _drop_cancelled(self) -> None:
        """Waiting jobs that were cancelled end at once, also while another is running."""
        with self._lock:
            dropped = [job for job in self._jobs if job.cancel_requested]
            for job in dropped:
                self._jobs.remove(job)
        for job in dropped:
            job.drop()

    def _drain_wake(self) -> None:
        with self._lock:
            self._woken = False
            self._wake_out.recv_bytes()

    def _idle_left(self) -> float | None:
        """Seconds until an idle unload; None for never."""
        if self._process is None:
            return None
        try:
            idle = self._plan().idle_seconds
        except YomitoriError:
            # The settings name nothing that can be loaded: what is loaded is of no more use.
            return 0.0
        if idle < 0:
            return None
        return max(0.0, max(self._idle_since + idle, self._hold_until) - time.monotonic())

    def _idle_frame(self) -> None:
        """Something came although no job runs: the process died, or talks nonsense."""
        assert self._process is not None
        try:
            header = self._process.receive()
            log.warning("%s: unexpected %s frame", self.role, header.get("kind"))
        except YomitoriError as error:
            log.warning("%s: %s", self.role, error)
            self._end_process()

    def _serve(self, job: Job[Any]) -> None:
        self._hold_until = 0.0
        try:
            self._ensure_loaded(job)
            if job.cancel_requested or self._closing:
                raise Cancelled
            self._set_state(State.BUSY)
            self._used = True
            result, seconds = self._run_where_it_works(job)
        except (ProcessDied, ProtocolError) as error:
            log.warning("%s: job %d: %s", self.role, job.id, error)
            self._end_process()
            job.fail(error)
        except YomitoriError as error:
            job.fail(error)
        except Exception as error:
            # A frame that is not what it should be must cost this job, not the host.
            log.exception("%s: job %d", self.role, job.id)
            self._end_process()
            job.fail(ProtocolError(reason=f"{type(error).__name__}: {error}"))
        else:
            job.finish(result, seconds)
        finally:
            self._idle_since = time.monotonic()
            with self._lock:
                self._running = None
            if self._process is not None:
                self._set_state(State.READY)

    def _forget(self) -> None:
        """Have the process give back what is only a cache. One that cannot, or is too slow, is ended: it is
        idle, and its memory is wanted."""
        try:
            if self._loaded is not None and self._loaded[0].forgets:
                self._run_job(Job("forget", {}, (), lambda result, seconds: None), self._limits.forget)
                self._used = False
        except Exception as error:
            log.warning("%s could not forget: %s: %s", self.role, type(error).__name__, error)
            self._end_process()
        self._answer_forgetting(True)

    def _answer_forgetting(self, done: bool) -> None:
        with self._lock:
            asked, self._forgetting = self._forgetting, None
        if asked is not None:
            asked.set_result(done)

    def _ensure_loaded(self, job: Job[Any] | None) -> None:
        """Have the planned engine in a process, on the first device that takes it.

        Raises:
            LoadFailed, NotEnoughMemory, DeviceFailed, ProcessDied, ...: it could not be loaded; nothing is
                left running.
            Cancelled: the host is closing.
        """
        try:
            plan = self._plan()
        except YomitoriError as error:
            self._set_failed(error)
            raise
        wanted = (plan.spec, plan.options)
        if self._process is not None:
            if self._loaded == wanted:
                return
            self._end_process()
        if self._asked != plan.options.device:
            self._asked = plan.options.device
            self._failed.clear()
        self._forget_failures()
        self._set(HostState(self.role, State.LOADING, plan.spec.name))
        try:
            self._load_somewhere(plan, job)
        except Exception as error:
            self._end_process()
            if isinstance(error, Cancelled):
                raise
            if not isinstance(error, YomitoriError):
                log.exception("%s: loading", self.role)
                error = ProtocolError(reason=f"{type(error).__name__}: {error}")
            self._set_failed(error, plan.spec.name)
            raise error from None
        finally:
            self._memory.settle(self.role)
        self._loaded = wanted
        self._idle_since = time.monotonic()

    def _load_somewhere(self, plan: Plan, job: Job[Any] | None) -> None:
        """Try one device after the other; the state tells which it is and why not the one before."""
        places = candidates(plan.options.device, plan.spec.devices, self._memory.devices())
        why: YomitoriError | None = None
        for device in places:
            known = self._failed.get(device) or self._absence(device)
            if known is not None and device != places[-1]:
                why = known
                continue
            need = plan.bytes_on(device)
            try:
                if why is not None and device == "cpu" and not self._memory.allows_cpu_fallback(need):
                    free = max(0, self._memory.available() or 0)
                    raise NotEnoughMemory(
                        engine=plan.spec.title, need=format_bytes(need), free=format_bytes(free)
                    )
                self._memory.reserve(self.role, plan.spec.title, need, device)
                self._promised = need
                loaded = self._load_on(plan, device, job)
            except (DeviceFailed, NotEnoughMemory) as error:
                self._end_process()
                if isinstance(error, DeviceFailed):
                    self._failed[device] = error
                if device == places[-1]:
                    raise
                log.warning("%s: %s", self.role, error)
                why = error
                continue
            notice = from_json(loaded["notice"]) if loaded.get("notice") else None
            if why is not None:
                fell_back = FellBackForGood if isinstance(why, DeviceAbsent) else FellBack
                notice = fell_back(engine=plan.spec.title, used=device, asked=places[0], reason=why)
            self._set_loaded(plan, loaded, notice)
            return

    def _absence(self, device: str) -> DeviceFailed | None:
        """Asked anew for every load: a card may be plugged in, and looking starts no process."""
        if not self._memory.is_absent(device):
            return None
        return DeviceAbsent(device=device, reason="it is not on this computer")

    def _load_on(self, plan: Plan, device: str, job: Job[Any] | None) -> dict[str, Any]:
        """Start a process and have it load; the ``loaded`` frame."""
        self._idle.clear()
        self._vram_before = self._memory.free(device) if device.startswith("cuda") else None
        try:
            self._process = self._start_process()
        except OSError as error:
            reason = error.strerror or str(error)
            raise LoadFailed(engine=plan.spec.title, reason=reason) from error
        self._process.load(plan.spec, replace(plan.options, device=device))
        return self._await_load(plan.spec, job)

    def _set_loaded(self, plan: Plan, loaded: dict[str, Any], notice: YomitoriError | None) -> None:
        assert self._process is not None
        device = str(loaded["device"])
        self._used = False
        vram = 0
        if self._vram_before is not None:
            vram = max(0, self._vram_before - (self._memory.free(device) or 0))
        self._set(
            HostState(
                self.role,
                State.READY,
                plan.spec.name,
                device,
                str(loaded.get("precision", "")),
                memory=self._process.private_memory(),
                vram=vram,
                notice=notice,
                detail=str(loaded.get("detail", "")),
                pid=self._process.pid,
            )
        )

    def _forget_failures(self) -> None:
        if self._retry_devices:
            self._retry_devices = False
            self._failed.clear()

    def _await_load(self, spec: EngineSpec, job: Job[Any] | None) -> dict[str, Any]:
        """The ``loaded`` frame. A ``job`` that is cancelled meanwhile ends at once; loading goes on, since
        the next job will want it."""
        deadline = time.monotonic() + self._limits.load
        while True:
            header = self._next_frame(deadline)
            if self._closing:
                raise Cancelled
            self._drop_cancelled()
            if job is not None and job.cancel_requested:
                job.drop()
            if header is None:
                if time.monotonic() < deadline:
                    continue
                raise LoadFailed(engine=spec.title, reason=f"no answer for {self._limits.load:.0f} s")
            if header["kind"] == "loaded":
                return header
            if header["kind"] == "error":
                raise from_json(header["error"])

    def _run_where_it_works(self, job: Job[Any]) -> tuple[dict[str, Any], float]:
        """Run a job; when its device fails, once more on the next one, with the same picture."""
        while True:
            device = self._state.device
            try:
                return self._run_job(job)
            except DeviceFailed as error:
                # A card that failed stays unusable for the process, and memory that ran out is only free
                # again when the process has ended.
                self._end_process()
                if device == "cpu":
                    raise
                log.warning("%s: job %d: %s", self.role, job.id, error)
                self._failed[device] = error
            self._ensure_loaded(job)
            if job.cancel_requested or self._closing:
                raise Cancelled
            self._set_state(State.BUSY)
            self._hand_piece(job, {"again": True})

    def _run_job(self, job: Job[Any], silence: float | None = None) -> tuple[dict[str, Any], float]:
        """The process's answer; it is ended after ``silence`` seconds without one (None: the usual limit)."""
        limit = self._limits.silence if silence is None else silence
        assert self._process is not None
        assert self._loaded is not None
        title = self._loaded[0].title
        self._process.run(job.id, job.op, job.params, job.images)
        deadline = time.monotonic() + limit
        asked = False
        grace = self._limits.grace
        while True:
            if not asked and (job.cancel_requested or self._closing):
                asked = True
                self._process.cancel(job.id)
                deadline = time.monotonic() + (0.0 if self._closing else grace)
            header = self._next_frame(deadline)
            self._drop_cancelled()
            if header is None:
                if time.monotonic() < deadline:
                    continue
                self._end_process()
                if asked:
                    raise Cancelled
                raise ReadFailed(engine=title, reason=f"no answer for {limit:.0f} s")
            if header.get("id") != job.id:
                continue
            if header["kind"] == "piece":
                if not asked:
                    deadline = time.monotonic() + limit
                    inside = header["piece"].get("phase") in _INSIDE
                    grace = self._limits.forward if inside else self._limits.grace
                # Of a job that is cancelled, only what it had finished before it knew.
                if not asked or "ended" in header["piece"]:
                    self._hand_piece(job, header["piece"])
            elif header["kind"] == "done":
                return header["result"], float(header["seconds"])
            elif header["kind"] == "error":
                raise from_json(header["error"])

    def _next_frame(self, deadline: float) -> dict[str, Any] | None:
        """A frame, or None after a wake-up or at the deadline."""
        assert self._process is not None
        timeout = None if math.isinf(deadline) else max(0.0, deadline - time.monotonic())
        ready = wait([self._wake_out, self._process.connection], timeout)
        if self._wake_out in ready:
            self._drain_wake()
        if self._process.connection in ready:
            header = self._process.receive()
            if not isinstance(header.get("kind"), str):
                raise ProtocolError(reason="a frame without a kind")
            return header
        return None

    @staticmethod
    def _hand_piece(job: Job[Any], piece: dict[str, Any]) -> None:
        if job.on_piece is None:
            return
        try:
            job.on_piece(piece)
        except Exception:
            log.exception("A listener failed on a piece of job %d", job.id)

    def _end_process(self) -> None:
        process, self._process, self._loaded = self._process, None, None
        if process is None:
            return
        before = self._memory.free() or 0
        device = self._state.device
        vram_before = self._memory.free(device) if self._state.vram else None
        process.end()
        freed = max(0, (self._memory.free() or 0) - before)
        freed_vram = 0
        if vram_before is not None:
            freed_vram = self._wait_for_vram(device, vram_before)
        self._idle.set()
        self._set(
            HostState(
                self.role,
                State.UNLOADED,
                self._state.engine,
                freed=freed,
                freed_vram=freed_vram,
                notice=self._state.notice if self._failed else None,
            )
        )

    def _wait_for_vram(self, device: str, before: int) -> int:
        """Bytes that the card has more of; the driver may take a moment to give them back."""
        deadline = time.monotonic() + self._limits.vram
        while True:
            freed = max(0, (self._memory.free(device) or 0) - before)
            if freed >= 0.9 * self._state.vram or time.monotonic() > deadline:
                return freed
            time.sleep(0.05)

    def _set_state(self, state: State) -> None:
        self._set(replace(self._state, state=state))

    def _set_failed(self, error: YomitoriError, engine: str = "") -> None:
        self._set(HostState(self.role, State.FAILED, engine, error=error))

    def _set(self, state: HostState) -> None:
        self._state = state
        self._events.emit(state)
