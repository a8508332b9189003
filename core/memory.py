"""The one judge of memory: hosts reserve before they load, idle ones give way, busy ones never."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

import psutil

from core.errors import NotEnoughMemory

log = logging.getLogger(__name__)

CPU_FALLBACK_SHARE = 0.8
"""A fallback to the CPU may take at most this share of the RAM that is free."""


class Tenant(Protocol):
    """A host, as the judge sees it."""

    role: str

    def give_way(self, timeout: float) -> bool:
        """Unload when idle; True when the memory is free again, False when busy or too slow."""
        ...


def free_ram() -> int:
    """Bytes that the system could give to programs now."""
    return int(psutil.virtual_memory().available)


def format_bytes(count: float) -> str:
    """``215 MB``, ``5.9 GB``: decimal units, as file managers show them."""
    if count >= 999.5e6:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB"


class MemoryJudge:
    """Sees every host. Thread-safe: each host asks from its own thread."""

    def __init__(self, free: Callable[[], int] = free_ram) -> None:
        self._free = free
        self._lock = threading.Lock()
        self._tenants: list[Tenant] = []
        # What was promised to hosts that are still loading: the system does not show it as used yet.
        self._promised: dict[str, int] = {}

    def register(self, tenant: Tenant) -> None:
        with self._lock:
            self._tenants.append(tenant)

    def available(self) -> int:
        """Bytes free now, less what loading hosts were promised."""
        with self._lock:
            return self._free() - sum(self._promised.values())

    def reserve(self, role: str, title: str, need: int) -> None:
        """Promise ``need`` bytes of RAM to ``role`` until ``settle``.

        Raises:
            NotEnoughMemory: not even after every idle host gave way.
        """
        if self._try(role, need):
            return
        for tenant in self._others(role):
            log.info("%s gives way to %s", tenant.role, role)
            # Outside the lock: the other host settles its own account while it unloads.
            if tenant.give_way(5.0) and self._try(role, need):
                return
        raise NotEnoughMemory(
            engine=title, need=format_bytes(need), free=format_bytes(max(0, self.available()))
        )

    def settle(self, role: str) -> None:
        """The role has loaded (the system now shows what it uses) or has given up."""
        with self._lock:
            self._promised.pop(role, None)

    def allows_cpu_fallback(self, need: int) -> bool:
        """Whether a model that was meant for another device may run in RAM instead."""
        return need <= CPU_FALLBACK_SHARE * self.available()

    def _try(self, role: str, need: int) -> bool:
        with self._lock:
            promised = sum(size for other, size in self._promised.items() if other != role)
            if need > self._free() - promised:
                return False
            self._promised[role] = need
            return True

    def _others(self, role: str) -> list[Tenant]:
        with self._lock:
            return [tenant for tenant in self._tenants if tenant.role != role]
