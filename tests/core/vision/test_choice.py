"""Which model to fetch, which one is taken, and where it would run: real catalogue, machines of all kinds."""

from __future__ import annotations

import pytest

from core.devices import Device
from core.models.catalogue import KnownModel, load_catalogue
from core.models.estimate import fit_on
from core.vision.choice import recommend, with_held

KINDS = ("cuda", "mps", "cpu")
GB = 1_000_000_000


def machine(ram: float, *cards: float, mps: float = 0) -> list[Device]:
    found = [Device("cpu", "CPU", 64 * GB, int(ram * GB))]
    found += [Device(f"cuda:{n}", f"Card {n}", 80 * GB, int(free * GB)) for n, free in enumerate(cards)]
    return found + ([Device("mps", "Apple GPU", 64 * GB, int(mps * GB))] if mps else [])


def recommended(devices: list[Device], asked: str = "auto", precision: str = "auto") -> str:
    found = recommend(load_catalogue(), devices, asked, KINDS, precision)
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
