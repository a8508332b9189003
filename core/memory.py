"""The one judge of memory: hosts reserve before they load, idle ones give way, busy ones never.

What is only a cache goes first, then whole models, those that were of use longest ago before others.
RAM and the memory of each graphics card are separate accounts; a Mac's GPU (``mps``) lives in RAM.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

import psutil

from core.control_group import memory_left
from core.devices import Device, is_absent, list_devices
from core.errors import NotEnoughMemory

log = logging.getLogger(__name__)

CPU_FALLBACK_SHARE = 0.8
"""A fallback to the CPU may take at most this share of the RAM that is free."""
_PATIENCE = 5.0
"""Seconds for which one host is waited for that forgets or unloads."""


class Tenant(Protocol):
    """A host, as the judge sees it. Asked from any thread."""

    role: str

    @property
    def device(self) -> str:
        """Where its model is; empty while none is loaded."""
        ...

    @property
    def last_used(self) -> float:
        """When it was last of use, by the monotonic clock; infinite while a job is about to come."""
        ...

    def outstanding(self) -> int:
        """Bytes on its device that it was promised and that the system does not show as used yet."""
        ...

    def forget(self, timeout: float) -> bool:
        """Give back what is only a cache; True when it has, False when it has none, is busy or too slow."""
        ...

    def give_way(self, timeout: float) -> bool:
        """Unload when idle; True when the memory is free again, False when busy or too slow."""
        ...


def free_ram() -> int:
    """Bytes that the system could give to this program now, a container's limit included."""
    left = memory_left()
    available = int(psutil.virtual_memory().available)
    return available if left is None else min(available, left)


def format_bytes(count: float) -> str:
    """``215 MB``, ``5.9 GB``: decimal units, as file managers show them."""
    if count >= 999.5e6:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB"


class MemoryJudge:
    """Sees every host. Thread-safe: each host asks from its own thread."""

    def __init__(
        self,
        free: Callable[[], int] = free_ram,
        devices: Callable[[], Sequence[Device]] = list_devices,
        absent: Callable[[str], bool] = is_absent,
    ) -> None:
        """``absent`` says of a device that is not among ``devices`` whether it is surely not there."""
        self._free_ram = free
        self._devices = devices
        self._absent = absent
        self._lock = threading.Lock()
        self._tenants: list[Tenant] = []
        # What was promised to hosts that are still loading: the system does not show it as used yet.
        self._promised: dict[str, tuple[str, int]] = {}

    def register(self, tenant: Tenant) -> None:
        with self._lock:
            self._tenants.append(tenant)

    def devices(self) -> Sequence[Device]:
        """What this machine has, with the memory that is free now."""
        return self._devices()

    def is_absent(self, device: str) -> bool:
        """Whether a device is surely not there; one that is not listed may be all the same."""
        return all(device != known.name for known in self._devices()) and self._absent(device)

    def free(self, device: str = "cpu") -> int | None:
        """Bytes free on a device now, as the system reports it; None where nothing tells."""
        if not device.startswith("cuda"):
            return self._free_ram()
        return next((known.free for known in self._devices() if known.name == device), None)

    def available(self, device: str = "cpu") -> int | None:
        """``free``, less what hosts were promised and have not taken yet."""
        with self._lock:
            return self._available(device, "")

    def reserve(self, role: str, title: str, need: int, device: str = "cpu") -> None:
        """Promise ``need`` bytes on ``device`` to ``role`` until ``settle``.

        Where nothing tells how much a card has free, loading itself is the test.

        Raises:
            NotEnoughMemory: not even after every idle host gave way.
        """
        if self._try(role, need, device):
            return
        # Outside the lock: the other host settles its own account while it unloads.
        for tenant in self._others(role):
            if _account(tenant.device) != _account(device) or not tenant.forget(_PATIENCE):
                continue
            log.info("%s forgets for %s", tenant.role, role)
            if self._try(role, need, device):
                return
        for tenant in self._others(role):
            # A process that uses a card has something in RAM as well, but not the other way round.
            if device.startswith("cuda") and tenant.device != device:
                continue
            log.info("%s gives way to %s", tenant.role, role)
            if tenant.give_way(_PATIENCE) and self._try(role, need, device):
                return
        free = self.available(device) or 0
        raise NotEnoughMemory(engine=title, need=format_bytes(need), free=format_bytes(max(0, free)))

    def settle(self, role: str) -> None:
        """The role has loaded (the host itself knows what is still to come) or has given up."""
        with self._lock:
            self._promised.pop(role, None)

    def allows_cpu_fallback(self, need: int) -> bool:
        """Whether a model that was meant for another device may run in RAM instead."""
        free = self.available()
        return free is not None and need <= CPU_FALLBACK_SHARE * free

    def _available(self, device: str, role: str) -> int | None:
        free = self.free(device)
        if free is None:
            return None
        here = _account(device)
        promised = sum(
            size
            for other, (where, size) in self._promised.items()
            if other != role and _account(where) == here
        )
        loaded = [tenant for tenant in self._tenants if tenant.role not in (role, *self._promised)]
        outstanding = sum(
            tenant.outstanding() for tenant in loaded if tenant.device and _account(tenant.device) == here
        )
        return free - promised - outstanding

    def _try(self, role: str, need: int, device: str) -> bool:
        with self._lock:
            available = self._available(device, role)
            if available is not None and need > available:
                return False
            self._promised[role] = (device, need)
            return True

    def _others(self, role: str) -> list[Tenant]:
        """Those with a model in memory, the least useful first."""
        with self._lock:
            loaded = [tenant for tenant in self._tenants if tenant.role != role and tenant.device]
        return sorted(loaded, key=lambda tenant: tenant.last_used)


def _account(device: str) -> str:
    """Whose memory a model on that device takes."""
    return device if device.startswith("cuda") else "ram"
