"""Reading a checkpoint with the layers of its language model in 8 or 4 bits. Model process only.

On CUDA bitsandbytes does that, on the CPU ``core.vision.packed``; either weight by weight, so that there is
never more in memory than the result and one of them. What is not a layer of the language model stays in half
precision: embeddings, vision tower, projector.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from transformers.core_model_loading import ConversionOps
from transformers.quantizers.auto import register_quantization_config, register_quantizer
from transformers.quantizers.base import HfQuantizer
from transformers.quantizers.quantizers_utils import get_module_from_name, should_convert_module
from transformers.utils.quantization_config import BitsAndBytesConfig, QuantizationConfigMixin

from core.errors import DeviceFailed, QuantizerMissing
from core.vision.packed import Packed
from core.vision.precision import LIBRARY, QUANTIZED, can_quantize

KEPT = ("lm_head", "model.vision_tower", "model.multi_modal_projector")
"""Modules of the family that are not quantized, as transformers wants them: from the start of their names."""
_BITS = dict(zip(QUANTIZED, (8, 4), strict=True))
_METHOD = "packed-on-cpu"


def quantization(precision: str, device: str, kept: Sequence[str] = KEPT) -> dict[str, Any]:
    """What ``from_pretrained`` has to be told besides; nothing for a precision that is not quantized.

    ``kept`` are modules that are not quantized, by the start or the end of their names.

    Raises:
        QuantizerMissing: the library for it is not installed.
        DeviceFailed: it cannot be done on such a device.
    """
    if precision not in _BITS:
        return {}
    kind = device.partition(":")[0]
    if kind == "cpu":
        return {"quantization_config": PackedConfig(_BITS[precision], kept)}
    if kind != "cuda":
        raise DeviceFailed(device=device, reason=f"{precision} is for NVIDIA cards and the CPU")
    if not can_quantize():
        raise QuantizerMissing(precision=precision, library=LIBRARY)
    # With this package it would fetch code for the CPU from the hub, which nobody has asked for.
    sys.modules.setdefault("kernels", None)  # type: ignore[arg-type]
    # It says for each product in 8 bits that it is computed in fp16, as that always is.
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
    modules = list(kept)
    if _BITS[precision] == 8:
        config = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_8bit=True, llm_int8_skip_modules=modules
        )
    else:
        config = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=half_on(device),
            llm_int8_skip_modules=modules,
        )
    return {"quantization_config": config}


def outside_of_decoder(network: nn.Module) -> list[str]:
    """The layers of any other network that are not quantized: all but those of its language model."""
    decoder = network.get_decoder()  # type: ignore[operator]
    own = {id(module) for module in decoder.modules()}
    layers = {name: module for name, module in network.named_modules() if type(module) is nn.Linear}
    return sorted(name for name, module in layers.items() if id(module) not in own)


def half_on(device: str) -> torch.dtype:
    """What a quantized model computes in: bf16, but on cards that are too old for it."""
    old = device.startswith("cuda") and torch.cuda.is_available() and not torch.cuda.is_bf16_supported()
    return torch.float16 if old else torch.bfloat16


@register_quantization_config(_METHOD)
class PackedConfig(QuantizationConfigMixin):
    """``bits``: 8 or 4; ``kept``: modules that stay as they are."""

    def __init__(self, bits: int, kept: Sequence[str] = KEPT) -> None:
        self.quant_method = _METHOD  # type: ignore[assignment]
        self.bits = bits
        self.kept = list(kept)


@register_quantizer(_METHOD)
class _Packer(HfQuantizer):
    """Puts ``Packed`` in the place of linear layers before the weights are read, and packs each then."""

    quantization_config: PackedConfig

    def _process_model_before_weight_loading(self, model: Any, **kwargs: Any) -> None:
        kept = self.quantization_config.kept
        for name, module in list(model.named_modules()):
            if type(module) is nn.Linear and should_convert_module(name, kept):
                sizes = (module.in_features, module.out_features, module.bias is not None)
                model.set_submodule(name, Packed(*sizes, self.quantization_config.bits))

    def _process_model_after_weight_loading(self, model: Any, **kwargs: Any) -> Any:
        # Weights that are taken as they are may lie in the mapped file, all of whose pages were read by now
        # and would count as this process's memory.
        for weight in model.parameters():
            weight.data = weight.data.clone()
        return model

    def param_needs_quantization(self, model: Any, param_name: str, **kwargs: Any) -> bool:
        module, name = get_module_from_name(model, param_name)
        return isinstance(module, Packed) and name == "weight"

    def get_quantize_ops(self) -> ConversionOps:
        return _Pack()

    def is_serializable(self) -> bool:
        return False

    @property
    def is_trainable(self) -> bool:
        return False


class _Pack(ConversionOps):
    def convert(  # type: ignore[override]
        self,
        input_dict: dict[str, Any],
        *,
        model: Any,
        full_layer_name: str,
        missing_keys: set[str],
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Give a layer its weights; returns nothing that would be left to do."""
        (weight,) = input_dict.values()
        module, _ = get_module_from_name(model, full_layer_name)
        module.pack(weight[0] if isinstance(weight, list) else weight)
        module._is_hf_initialized = True
        missing_keys.discard(full_layer_name)
        return {}
