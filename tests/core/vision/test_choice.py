"""Which model to fetch, which one is taken, and where it would run: real catalogue, machines of all kinds."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.devices import Device
from core.engines import LLAVA, find_engine
from core.models.catalogue import KnownModel, load_catalogue
from core.models.estimate import fit_on, memory_needed
from core.settings import Vision
from core.vision.choice import needs as needs_of
from core.vision.choice import recommend, with_held
from tests.core.models.published import write_published

KINDS = ("cuda", "mps", "cpu")
GB = 1_000_000_000


def machine(ram: float, *cards: float, mps: float = 0) -> list[Device]:
    found = [Device("cpu", "CPU", 64 * GB, int(ram * GB))]
    found += [Device(f"cuda:{n}", f"Card {n}", 80 * GB, int(free * GB)) for n, free in enumerate(cards)]
    return found + ([Device("mps", "Apple GPU", 64 * GB, int(mps * GB))] if mps else [])


def recommended(devices: list[Device], asked: str = "auto", precision: str = "auto") -> str:
    found = recommend(load_catalogue(), devices, asked, KINDS, precision, quantizes=False)
    assert found is not None
    return found.name


@pytest.mark.parametrize(
    ("cards", "name"),
    [
        ((), "llava-onevision-0.5b"),
        ((2.0,), "llava-onevision-0.5b"),
        ((6.0,), "llava-onevision-0.5b"),
        ((17.0,), "llava-1.6-mistral-7b"),
        ((23.0,), "llava-onevision-7b"),
        ((40.0,), "llava-1.5-13b"),
        # the freest card is tried first
        ((5.0, 23.0), "llava-onevision-7b"),
    ],
)
def test_the_largest_that_fits_on_a_card_is_recommended_else_the_smallest(
    cards: tuple[float, ...], name: str
) -> None:
    assert recommended(machine(60, *cards)) == name


def test_a_recommendation_follows_the_settings() -> None:
    # Full precision needs twice the room, and who asks for the CPU gets what a CPU can do
    assert recommended(machine(60, 23.0), precision="fp32") == "llava-onevision-0.5b"
    assert recommended(machine(60, 35.0), precision="fp32") == "llava-1.6-mistral-7b"
    assert recommended(machine(60, 40.0), asked="cpu") == "llava-onevision-0.5b"
    assert recommended(machine(60, 40.0, 3.5), asked="cuda:1") == "llava-onevision-0.5b"
    # An Apple chip computes in full precision
    assert recommended(machine(40, mps=40.0)) == "llava-onevision-7b"


def test_nothing_is_recommended_of_nothing() -> None:
    reading = [model for model in load_catalogue() if model.role == "ocr"]
    assert recommend(reading, machine(60), "auto", KINDS, "auto") is None


def needs(model: KnownModel) -> dict[str, int]:
    """On a card in half precision, on the CPU in full."""
    return {"cuda:0": model.memory["fp16"], "cpu": model.memory["fp32"]}


def mistral() -> dict[str, int]:
    return needs(next(model for model in load_catalogue() if model.name == "llava-1.6-mistral-7b"))


def test_where_a_model_runs_is_told_with_what_the_better_device_lacks() -> None:
    need = mistral()
    fit = fit_on(need.__getitem__, machine(60, 3.2), "auto", KINDS, "auto")
    assert fit is not None
    assert (fit.device, fit.precision, fit.need, fit.free) == ("cpu", "fp32", need["cpu"], 60 * GB)
    assert fit.fits
    (card,) = fit.tight
    assert (card.device, card.precision, card.need, card.free, card.fits) == (
        "cuda:0",
        "fp16",
        need["cuda:0"],
        3_200_000_000,
        False,
    )


def test_a_model_on_the_first_device_has_none_before_it() -> None:
    fit = fit_on(mistral().__getitem__, machine(60, 20.0), "auto", KINDS, "auto")
    assert fit is not None
    assert (fit.device, fit.fits, fit.tight) == ("cuda:0", True, ())


def test_the_cpu_in_place_of_a_card_keeps_some_ram_free() -> None:
    # Given RAM that is enough, but would be nearly full
    need = mistral()["cpu"] / GB
    both = fit_on(mistral().__getitem__, machine(need * 1.1, 3.2), "auto", KINDS, "auto")
    alone = fit_on(mistral().__getitem__, machine(need * 1.1), "auto", KINDS, "auto")
    assert both is not None
    assert alone is not None
    assert (both.fits, alone.fits) == (False, True)
    assert [tight.device for tight in both.tight] == ["cuda:0"]


def test_no_fit_is_told_of_a_model_that_nobody_knows() -> None:
    assert fit_on(lambda device: 0, machine(60), "auto", KINDS, "auto") is None


def test_what_a_loaded_model_holds_does_not_count_against_it() -> None:
    devices = machine(10, 5.0)
    cpu, card = with_held(devices, {"cuda:0": 18 * GB})
    assert (cpu.free, card.free) == (10 * GB, 23 * GB)
    assert devices[1].free == 5 * GB
    assert recommended([cpu, card]) == "llava-onevision-7b"


# ---- quantized where nothing else fits


def with_library(free: float, asked: str = "auto", precision: str = "auto") -> str:
    found = recommend(load_catalogue(), machine(60, free), asked, KINDS, precision, quantizes=True)
    assert found is not None
    return found.name


@pytest.mark.parametrize(
    ("free", "name"),
    [
        (2.0, "llava-onevision-0.5b"),
        (3.5, "llava-onevision-0.5b"),
        # a large model in four bits answers better than a small one in sixteen
        (8.0, "llava-1.6-mistral-7b"),
        (12.0, "llava-onevision-7b"),
        # but not better than one of half its size in sixteen
        (17.0, "llava-1.6-mistral-7b"),
        (19.0, "llava-onevision-7b"),
        (40.0, "llava-1.5-13b"),
    ],
)
def test_a_card_gets_the_model_that_makes_the_most_of_it(free: float, name: str) -> None:
    assert with_library(free) == name


def test_nothing_is_quantized_that_was_asked_for_otherwise() -> None:
    assert with_library(12.0, precision="fp16") == "llava-onevision-0.5b"
    assert with_library(12.0, asked="cpu") == "llava-onevision-0.5b"
    assert recommended(machine(60, 8.0), precision="int4") == "llava-1.6-mistral-7b"
    mac = recommend(load_catalogue(), machine(12, mps=12.0), "auto", KINDS, "auto", quantizes=True)
    assert mac is not None
    assert mac.name == "llava-onevision-0.5b"


def test_a_model_here_is_counted_as_it_would_be_loaded(tmp_path: Path) -> None:
    # given a model on this computer, and a card on which it fits in eight bits
    folder = write_published(tmp_path / "model", "llava-1.6-mistral-7b")
    engine = find_engine(LLAVA, "vision")

    def on(free: float, quantizes: bool = True, **vision: str) -> int:
        need = needs_of(machine(60, free), Vision(**vision), engine, quantizes)
        assert need(folder, "cpu") == memory_needed(
            folder, "cpu", vision.get("precision", "auto"), engine.memory
        )
        return need(folder, "cuda:0")

    whole, eight, four = (memory_needed(folder, "cuda:0", p, engine.memory) for p in ("auto", "int8", "int4"))
    assert four < eight < whole
    assert [on(whole / GB), on(12.0), on(8.0), on(2.0)] == [whole, eight, four, whole]
    # then without the library, or where a precision was asked for, it is counted as ever
    assert on(12.0, quantizes=False) == on(12.0, precision="fp16") == whole
    assert on(2.0, precision="int4") == four


def test_a_fit_tells_the_precision_that_it_takes() -> None:
    memory = next(m for m in load_catalogue() if m.name == "llava-1.6-mistral-7b").memory

    def quantized(device: str, precision: str) -> int:
        return memory[precision]

    def fit(free: float, precision: str = "auto") -> tuple[str, str, int, bool]:
        found = fit_on(mistral().__getitem__, machine(60, free), "auto", KINDS, precision, quantized)
        assert found is not None
        return found.device, found.precision, found.need, found.fits

    assert fit(20.0) == ("cuda:0", "fp16", memory["fp16"], True)
    assert fit(12.0) == ("cuda:0", "int8", memory["int8"], True)
    assert fit(8.0) == ("cuda:0", "int4", memory["int4"], True)
    assert fit(3.2) == ("cpu", "fp32", memory["fp32"], True)
    # nothing else is taken where a precision was asked for
    assert fit(12.0, "fp16")[:2] == ("cpu", "fp16")
