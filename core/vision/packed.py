"""Layers of a language model whose weights are held in 8 or 4 bits, for the CPU. Model process only.

PyTorch's own products with packed weights do the arithmetic, in bf16, the only type in which they are fast;
``docs/decisions/014-quantized.md`` has what they were compared with.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.functional import linear

GROUP = 64
"""So many weights of a row share a scale and a zero in 4 bits: half a bit more for each."""
_ROWS = 16
"""The product in 4 bits takes multiples of so many rows."""
_AT_ONCE = 256
"""Rows that are packed together: a multiple of what the product in 4 bits orders together, which is 64."""
_FEW = 4
"""Up to so many tokens at once the packed product in 8 bits is faster than unpacking the weights for each."""


class Packed(nn.Module):
    """Stands in for a ``Linear`` whose weights are not there yet; ``pack`` brings them."""

    def __init__(self, inputs: int, outputs: int, bias: bool, bits: int) -> None:
        """``bits``: 8, or 4. Weights in 4 bits that cannot be grouped are held in 8."""
        super().__init__()
        self.outputs = outputs
        self.bits = 4 if bits == 4 and inputs % GROUP == 0 and outputs % _ROWS == 0 else 8
        self.weight = nn.Parameter(torch.empty(outputs, inputs, device="meta"), requires_grad=False)
        self.bias: nn.Parameter | None
        empty = nn.Parameter(torch.empty(outputs, device="meta"), requires_grad=False)
        self.register_parameter("bias", empty if bias else None)
        # No buffer: transformers fills those anew that are not in the file.
        self.register_parameter("scales", None)

    def pack(self, weight: torch.Tensor) -> None:
        """Take weights in, of shape (outputs, inputs)."""
        packed, scales = (_pack8 if self.bits == 8 else _pack4)(weight)
        self.weight = nn.Parameter(packed, requires_grad=False)
        self.scales = nn.Parameter(scales, requires_grad=False)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """The product, of shape (..., outputs), in the type of ``given``."""
        found: torch.Tensor
        flat = given.reshape(-1, given.shape[-1]).to(torch.bfloat16)
        if self.bits == 4:
            found = torch.ops.aten._weight_int4pack_mm_for_cpu(flat, self.weight, GROUP, self.scales)
        elif len(flat) <= _FEW:
            found = torch.ops.aten._weight_int8pack_mm(flat, self.weight, self.scales)
        else:
            kind = _for_many()
            found = linear(flat.to(kind), self.weight.to(kind)) * self.scales.to(kind)
        found = found.reshape(*given.shape[:-1], self.outputs).to(given.dtype)
        return found if self.bias is None else found + self.bias


def _for_many() -> torch.dtype:
    """In what many tokens at once are computed: CPUs without the newer instructions are several times slower
    in bf16 than in fp32, but for the packed products."""
    return torch.bfloat16 if torch.backends.cpu.get_cpu_capability().startswith("AVX512") else torch.float32


def _pack8(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A whole number of -127..127 for each weight, and a scale for each row."""
    scales = weight.abs().amax(1).float().clamp(min=1e-8).div(127).to(torch.bfloat16)
    packed = torch.empty(weight.shape, dtype=torch.int8)
    for rows in _slices(len(weight)):
        numbers = weight[rows].float() / scales[rows, None].float()
        packed[rows] = numbers.round().clamp(-127, 127).to(torch.int8)
    return packed, scales


def _pack4(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A number of 0..15 for each weight in the order that the product wants, and for each group its scale and
    what the number 8 stands for."""
    outputs, inputs = weight.shape
    packed = torch.empty(outputs, inputs // 2, dtype=torch.uint8)
    both = torch.empty(inputs // GROUP, outputs, 2, dtype=torch.bfloat16)
    for rows in _slices(outputs):
        groups = weight[rows].float().reshape(-1, inputs // GROUP, GROUP)
        low, high = groups.amin(2, keepdim=True), groups.amax(2, keepdim=True)
        scales = (high - low).div(15).clamp(min=1e-8).to(torch.bfloat16).float()
        middles = (low + 8 * scales).to(torch.bfloat16).float()
        numbers = ((groups - middles) / scales + 8).round().clamp(0, 15).to(torch.int32)
        packed[rows] = torch.ops.aten._convert_weight_to_int4pack_for_cpu(numbers.flatten(1), 1)
        both[:, rows] = torch.cat([scales, middles], 2).transpose(0, 1).to(torch.bfloat16)
    return packed, both


def _slices(rows: int) -> Iterator[slice]:
    """Some rows at a time: whole matrices of numbers that are needed for a moment would leave holes in memory
    which nothing fits into later, as large as all of the weights."""
    return (slice(start, start + _AT_ONCE) for start in range(0, rows, _AT_ONCE))
