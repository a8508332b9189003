"""Weights in 8 and 4 bits: real ones on the CPU; for graphics cards, what the library there is told."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from core.chat import Role
from core.engines import LoadOptions
from core.errors import DeviceFailed, QuantizerMissing
from core.models.tensors import weight_bytes
from core.types import RgbImage
from core.vision import precision as precisions
from core.vision.precision import fitting
from tests.support.imports import CHILD_ONLY, imported_by
from tests.support.random_vision import Size, write

KINDS = ("llava", "llava_next", "llava_onevision")
SIZE = Size(width=128, layers=3, heads=4, inner=256)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("quantized")
    return {kind: write(home / kind, kind, SIZE) for kind in KINDS}


def opened(folder: Path, precision: str, device: str = "cpu") -> Any:
    from core.vision.network import VisionNetwork

    return VisionNetwork(LoadOptions(checkpoint=str(folder), precision=precision, device=device))


def logits(network: Any, seed: int = 1) -> Any:
    """Of what follows a question about a picture."""
    import random

    from core.vision.prompt import Turn

    picture = RgbImage(90, 120, random.Random(seed).randbytes(90 * 120 * 3))
    steps = network.read(
        network.prompt([Turn(Role.USER, "What is in this picture?", (picture,))]), lambda: False
    )
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value.float()


# ---- the layers


@pytest.mark.parametrize(("bits", "error"), [(8, 0.02), (4, 0.15)])
@pytest.mark.parametrize("tokens", [1, 3, 40])
@pytest.mark.parametrize("bias", [False, True])
def test_a_packed_layer_computes_nearly_the_same(bits: int, error: float, tokens: int, bias: bool) -> None:
    import torch

    from core.vision.packed import Packed

    # given a layer whose rows are of very different sizes
    torch.manual_seed(0)
    linear = torch.nn.Linear(192, 96, bias=bias).requires_grad_(False)
    linear.weight.mul_(torch.logspace(-3, 1, 96)[:, None])
    packed = Packed(192, 96, bias, bits)
    packed.pack(linear.weight.to(torch.bfloat16))
    packed.bias = linear.bias
    given = torch.randn(2, tokens, 192)

    # then each row is right as far as the bits go, for few tokens and for many
    expected, found = linear(given), packed(given)
    assert found.dtype == given.dtype
    assert found.shape == expected.shape
    usual = linear.weight.norm(dim=1) * (2 * tokens) ** 0.5
    assert ((found - expected).norm(dim=(0, 1)) < error * usual).all()


def test_what_cannot_be_grouped_is_held_in_eight_bits() -> None:
    from core.vision.packed import Packed

    assert [Packed(inputs, outputs, False, 4).bits for inputs, outputs in ((64, 16), (72, 16), (64, 24))] == [
        4, 8, 8,
    ]  # fmt: skip


@pytest.mark.parametrize(("bits", "error"), [(8, 0.02), (4, 0.15)])
@pytest.mark.parametrize("outputs", [16, 272, 592])
def test_a_layer_that_is_packed_in_parts_is_as_one(bits: int, error: float, outputs: int) -> None:
    import torch

    from core.vision.packed import Packed

    torch.manual_seed(1)
    weight = torch.randn(outputs, 128)
    packed = Packed(128, outputs, False, bits)
    packed.pack(weight)
    # given so that each row of the weights is read off
    for given in (torch.eye(128), torch.eye(128)[3:4]):
        found = packed(given)
        assert (found - given @ weight.T).norm() < error * (given @ weight.T).norm()


def test_weights_that_are_all_the_same_are_kept() -> None:
    import torch

    from core.vision.packed import Packed

    for bits in (8, 4):
        for value in (0.0, 0.5):
            packed = Packed(64, 16, False, bits)
            packed.pack(torch.full((16, 64), value))
            assert packed(torch.ones(1, 64)).tolist() == [pytest.approx([64 * value] * 16, rel=0.01)]


# ---- a whole network on the CPU


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_only_the_language_models_layers_are_quantized(
    kind: str, precision: str, folders: dict[str, Path]
) -> None:
    import torch

    from core.vision.packed import Packed

    network = opened(folders[kind], precision)
    packed = {name for name, module in network._model.named_modules() if isinstance(module, Packed)}
    linear = {name for name, module in network._model.named_modules() if type(module) is torch.nn.Linear}
    assert len(packed) == 7 * SIZE.layers
    assert all(name.startswith("model.language_model.layers.") for name in packed)
    assert not any("language_model" in name for name in linear)
    # the estimate counts what is there, but for the scales of 8 bits
    held = sum(
        part.numel() * part.element_size()
        for part in {
            id(part): part for part in (*network._model.parameters(), *network._model.buffers())
        }.values()
    )
    assert held == pytest.approx(weight_bytes(folders[kind], precision), rel=0.02)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("precision", "least"), [("bf16", 0.999), ("int8", 0.995), ("int4", 0.9)])
def test_it_expects_the_same_words(kind: str, precision: str, least: float, folders: dict[str, Path]) -> None:
    import torch

    network = opened(folders[kind], precision)
    assert network.precision == precision
    found, expected = logits(network), logits(opened(folders[kind], "fp32"))
    assert torch.nn.functional.cosine_similarity(found, expected).item() > least


def test_a_weight_that_is_missing_is_told(folders: dict[str, Path], tmp_path: Path) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    from core.errors import ModelUnusable

    folder = Path(shutil.copytree(folders["llava"], tmp_path / "damaged"))
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("layers.1.mlp.up_proj.weight"))
    del weights[name]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelUnusable, match=r"up_proj"):
        opened(folder, "int8")


# ---- on a card


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if bitsandbytes were installed."""
    import importlib.metadata

    monkeypatch.setattr("core.vision.quantized.can_quantize", lambda: True)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.50.2")


def test_four_bits_on_a_card_are_double_quantized_nf4(library: None) -> None:
    import torch

    from core.vision.quantized import KEPT, quantization

    config = quantization("int4", "cuda:1")["quantization_config"]
    assert config.quantization_method() == "nf4"
    assert config.bnb_4bit_use_double_quant
    assert config.bnb_4bit_compute_dtype == torch.bfloat16
    assert config.llm_int8_skip_modules == list(KEPT)


def test_the_library_fetches_no_code(library: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.vision.quantized import quantization

    monkeypatch.delitem(sys.modules, "kernels", raising=False)
    quantization("int8", "cuda:0")
    with pytest.raises(ImportError):
        importlib.import_module("kernels")


def test_eight_bits_on_a_card_keep_the_same_modules(library: None) -> None:
    from core.vision.quantized import KEPT, quantization

    config = quantization("int8", "cuda:0")["quantization_config"]
    assert config.quantization_method() == "llm_int8"
    assert config.llm_int8_skip_modules == list(KEPT)


@pytest.mark.parametrize("kind", KINDS)
def test_on_a_card_the_same_layers_are_quantized(kind: str, folders: dict[str, Path]) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText
    from transformers.quantizers.quantizers_utils import should_convert_module

    from core.vision.quantized import KEPT

    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(AutoConfig.from_pretrained(folders[kind]))
    # as bitsandbytes chooses in transformers
    names = {
        name
        for name, module in model.named_modules()
        if type(module) is torch.nn.Linear and should_convert_module(name, list(KEPT))
    }
    assert len(names) == 7 * SIZE.layers
    assert all(name.startswith("model.language_model.layers.") for name in names)


def test_nothing_is_said_of_a_precision_that_is_not_quantized() -> None:
    from core.vision.quantized import quantization

    assert [quantization(name, "cuda:0") for name in ("fp32", "bf16", "fp16")] == [{}, {}, {}]


def test_without_the_library_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.vision.quantized import quantization

    monkeypatch.setattr("core.vision.quantized.can_quantize", lambda: False)
    with pytest.raises(QuantizerMissing) as caught:
        quantization("int4", "cuda:0")
    assert str(caught.value) == "int4 on a graphics card needs bitsandbytes, which is not installed."
    assert "pip install bitsandbytes" in caught.value.advice
    # while the CPU needs none
    assert quantization("int4", "cpu")["quantization_config"].bits == 4


def test_an_apple_gpu_leaves_it_to_the_cpu() -> None:
    from core.vision.quantized import quantization

    with pytest.raises(DeviceFailed, match="int4 is for NVIDIA cards and the CPU"):
        quantization("int4", "mps")


def test_looking_for_the_library_imports_nothing() -> None:
    assert imported_by("import core.vision.precision as p; p.can_quantize()") & {
        *CHILD_ONLY, "bitsandbytes", "PySide6",
    } == set()  # fmt: skip
    assert precisions.can_quantize() == (importlib.util.find_spec("bitsandbytes") is not None)


# ---- left to us


NEED = {"fp16": 17, "fp32": 33, "int8": 11, "int4": 8}


@pytest.mark.parametrize(
    ("free", "expected"), [(20, "fp16"), (17, "fp16"), (16, "int8"), (9, "int4"), (7, None), (None, "fp16")]
)
def test_a_card_takes_the_best_precision_that_fits(free: int | None, expected: str | None) -> None:
    assert fitting(NEED.__getitem__, free, "cuda:0", "auto", True) == expected


def test_weights_are_quantized_unasked_only_on_a_card_that_can() -> None:
    assert fitting(NEED.__getitem__, 16, "cuda:0", "auto", False) is None
    assert fitting(NEED.__getitem__, 16, "cpu", "auto", True) is None
    assert fitting(NEED.__getitem__, 16, "mps", "auto", True) is None
    assert fitting(NEED.__getitem__, 16, "cuda:0", "fp16", True) is None
    assert fitting(NEED.__getitem__, 8, "cpu", "int4", True) == "int4"


@pytest.mark.parametrize(
    ("share", "expected"), [(2.0, "fp32"), (0.999, "int8"), (0.5, "int4"), (0.1, "fp32")]
)
def test_a_network_is_loaded_as_what_is_free_on_its_card_allows(
    share: float, expected: str, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card is the CPU under another name, which automatically has fp32 at best."""
    from core.models.estimate import memory_needed
    from core.vision import held
    from core.vision.network import VisionNetwork
    from core.vision.quantized import quantization

    folder = folders["llava"]
    sizes = {name: memory_needed(folder, "cuda:0", name) for name in ("fp16", "int8", "int4")}
    assert 0.5 * sizes["fp16"] < sizes["int4"] < sizes["int8"] < sizes["fp16"]
    limit = {2.0: 10 * sizes["fp16"], 0.999: sizes["int8"], 0.5: sizes["int4"], 0.1: 10}[share]

    class Carded(VisionNetwork):
        def _place_on(self, device: str) -> str:
            return "cpu:0"

        def _free(self) -> int:
            return limit

    monkeypatch.setattr(held, "can_quantize", lambda: True)
    monkeypatch.setattr(held, "quantization", lambda precision, _, kept: quantization(precision, "cpu", kept))
    network = Carded(LoadOptions(checkpoint=str(folder), device="cuda:0"))
    assert network.precision == expected
    assert logits(network).shape[0] == 1
