"""The memory judge: idle hosts give way, busy ones never, promises count."""

from __future__ import annotations

import pytest

from core.devices import Device
from core.errors import NotEnoughMemory
from core.memory import MemoryJudge, format_bytes


class Tenant:
    def __init__(self, role: str, judge_free: list[int], gives: int) -> None:
        self.role = role
        self._free = judge_free
        self._gives = gives
        self.asked = 0

    def give_way(self, timeout: float) -> bool:
        self.asked += 1
        self._free[0] += self._gives
        return self._gives > 0


def test_a_reservation_that_fits_asks_nobody() -> None:
    free = [100]
    judge = MemoryJudge(lambda: free[0])
    other = Tenant("vision", free, 50)
    judge.register(other)
    judge.reserve("ocr", "x", 100)
    assert other.asked == 0


def test_idle_hosts_give_way_and_the_one_that_asks_is_not_asked() -> None:
    free = [100]
    judge = MemoryJudge(lambda: free[0])
    me, other = Tenant("ocr", free, 1000), Tenant("vision", free, 50)
    judge.register(me)
    judge.register(other)
    judge.reserve("ocr", "x", 140)
    assert (me.asked, other.asked) == (0, 1)


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
