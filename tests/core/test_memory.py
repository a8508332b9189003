"""The memory judge: idle hosts give way, busy ones never, promises count."""

from __future__ import annotations

import math

import pytest

from core.devices import Device
from core.errors import NotEnoughMemory
from core.memory import MemoryJudge, format_bytes


class Tenant:
    """A host that has ``gives`` bytes to give to ``free``, of which ``cache`` can be forgotten, and a record
    of what it was asked."""

    def __init__(
        self,
        role: str,
        free: list[int],
        gives: int,
        cache: int = 0,
        device: str = "cpu",
        last_used: float = 0.0,
    ) -> None:
        self.role = role
        self.device = device
        self.last_used = last_used
        self.promised = 0
        self.asked: list[str] = []
        self._free = free
        self._gives = gives
        self._cache = cache

    def outstanding(self) -> int:
        return self.promised

    def forget(self, timeout: float) -> bool:
        self.asked.append("forget")
        return self._give(self._cache)

    def give_way(self, timeout: float) -> bool:
        self.asked.append("unload")
        return self._give(self._gives)

    def _give(self, size: int) -> bool:
        self._free[0] += size
        self._gives -= size
        self._cache = 0
        return size > 0


def test_a_reservation_that_fits_asks_nobody() -> None:
    free = [100]
    judge = MemoryJudge(lambda: free[0])
    other = Tenant("vision", free, 50)
    judge.register(other)
    judge.reserve("ocr", "x", 100)
    assert other.asked == []


def test_idle_hosts_give_way_and_the_one_that_asks_is_not_asked() -> None:
    free = [100]
    judge = MemoryJudge(lambda: free[0])
    me, other = Tenant("ocr", free, 1000), Tenant("vision", free, 50)
    judge.register(me)
    judge.register(other)
    judge.reserve("ocr", "x", 140)
    assert (me.asked, other.asked) == ([], ["forget", "unload"])


def test_a_cache_is_the_first_to_go() -> None:
    # given a host with a cache, and one without that was not used for longer
    free = [100]
    judge = MemoryJudge(lambda: free[0])
    chatting, idle = Tenant("vision", free, 50, cache=20, last_used=2), Tenant("quick", free, 50, last_used=1)
    judge.register(chatting)
    judge.register(idle)
    # when the cache is enough, then nothing is unloaded
    judge.reserve("ocr", "x", 120)
    assert "unload" not in chatting.asked + idle.asked
    assert chatting.asked == ["forget"]


def test_the_least_useful_host_is_unloaded_first() -> None:
    free = [100]
    judge = MemoryJudge(lambda: free[0])
    tenants = [
        Tenant("ocr", free, 50, last_used=math.inf),
        Tenant("vision", free, 50, cache=10, last_used=5),
        Tenant("quick", free, 50, last_used=3),
    ]
    for tenant in tenants:
        judge.register(tenant)
    judge.reserve("download", "x", 190)
    assert ["unload" in tenant.asked for tenant in tenants] == [False, True, True]
    # and every cache went before
    assert all(tenant.asked[0] == "forget" for tenant in tenants)
    judge.settle("download")
    with pytest.raises(NotEnoughMemory):
        judge.reserve("download", "x", 1000)
    assert "unload" in tenants[0].asked


def test_a_host_without_a_model_in_memory_is_not_asked() -> None:
    free = [100]
    judge = MemoryJudge(lambda: free[0])
    unloaded = Tenant("vision", free, 50, device="")
    judge.register(unloaded)
    with pytest.raises(NotEnoughMemory):
        judge.reserve("ocr", "x", 120)
    assert unloaded.asked == []


def test_who_has_nothing_of_a_card_need_not_leave_for_it() -> None:
    # given a card that is full, with one model there and one in RAM
    free, vram = [1000], [10]
    judge = MemoryJudge(lambda: free[0], lambda: [Device("cuda:0", "A card", 200, vram[0])])
    there, here = Tenant("vision", vram, 100, cache=30, device="cuda:0"), Tenant("quick", free, 100, cache=5)
    judge.register(there)
    judge.register(here)
    judge.reserve("ocr", "x", 100, "cuda:0")
    assert (there.asked, here.asked) == (["forget", "unload"], [])
    # and a cache on the card is of no use to who needs RAM, but the process is
    judge.settle("ocr")
    there.asked.clear()
    with pytest.raises(NotEnoughMemory):
        judge.reserve("ocr", "x", 5000)
    assert (there.asked, here.asked) == (["unload"], ["forget", "unload"])


def test_what_a_loaded_host_will_still_need_is_not_given_to_another() -> None:
    # given a model that has loaded, without the conversation that it was promised room for
    judge = MemoryJudge(lambda: 100, lambda: [Device("cuda:0", "A card", 200, 100)])
    vision = Tenant("vision", [0], 0)
    judge.register(vision)
    judge.reserve("vision", "x", 90)
    vision.promised = 60
    assert judge.available() == 10, "promised once, not twice"
    judge.settle("vision")
    # then that room is kept for it, on its own device
    assert judge.available() == 40
    assert judge.available("cuda:0") == 100
    with pytest.raises(NotEnoughMemory):
        judge.reserve("ocr", "x", 50)
    judge.reserve("vision", "x", 90)


def test_a_busy_host_keeps_its_memory_and_the_load_is_refused() -> None:
    free = [100]
    judge = MemoryJudge(lambda: free[0])
    judge.register(Tenant("vision", free, 0))
    with pytest.raises(NotEnoughMemory) as caught:
        judge.reserve("ocr", "MangaOCR", 600_000_000)
    assert caught.value.message == "The MangaOCR engine needs 600 MB of memory, 0 MB are free."


def test_a_promise_counts_until_it_is_settled() -> None:
    judge = MemoryJudge(lambda: 100)
    judge.reserve("ocr", "x", 80)
    with pytest.raises(NotEnoughMemory):
        judge.reserve("vision", "y", 30)
    judge.settle("ocr")
    judge.reserve("vision", "y", 30)


def test_cards_have_accounts_of_their_own() -> None:
    card = Device("cuda:0", "A card", 200, 100)
    judge = MemoryJudge(lambda: 50, lambda: [card])
    judge.reserve("ocr", "x", 80, "cuda:0")
    judge.reserve("quick", "y", 50)
    assert judge.available("cuda:0") == 20
    with pytest.raises(NotEnoughMemory):
        judge.reserve("vision", "z", 30, "cuda:0")


def test_the_gpu_of_a_mac_shares_the_ram() -> None:
    judge = MemoryJudge(lambda: 100, lambda: [])
    judge.reserve("ocr", "x", 80, "mps")
    with pytest.raises(NotEnoughMemory):
        judge.reserve("vision", "y", 30)


def test_a_card_of_which_nothing_is_known_is_tried() -> None:
    judge = MemoryJudge(lambda: 100, lambda: [])
    judge.reserve("ocr", "x", 10**12, "cuda:0")
    assert judge.free("cuda:0") is None


def test_a_fallback_to_the_cpu_leaves_a_fifth_free() -> None:
    judge = MemoryJudge(lambda: 100)
    assert judge.allows_cpu_fallback(80)
    assert not judge.allows_cpu_fallback(81)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 MB"), (215e6, "215 MB"), (999.4e6, "999 MB"), (5.91e9, "5.9 GB")]
)
def test_sizes_read_like_a_file_manager(count: float, text: str) -> None:
    assert format_bytes(count) == text
