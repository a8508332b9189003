"""The Muon optimizer: momentum whose matrices are made orthogonal before they are added.

K. Jordan and others, 2024, https://kellerjordan.github.io/posts/muon/; the update is scaled as in J. Liu and
others, "Muon is Scalable for LLM Training", 2025, so that AdamW's learning rates serve. On this model it
comes as far as AdamW in about half the steps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """For weight matrices only; vectors, embeddings and heads belong to another optimizer."""

    def __init__(
        self, params: Iterable[torch.Tensor], lr: float, momentum: float = 0.95, decay: float = 0.01
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            # Equal shapes go through the iteration together: many small products cost more than one large.
            shapes: dict[tuple[int, ...], list[torch.Tensor]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    shapes[tuple(weight.shape)].append(weight)
            for weights in shapes.values():
                self._step_equal(weights, group)

    def _step_equal(self, weights: list[torch.Tensor], group: dict[str, Any]) -> None:
        updates = []
        for weight in weights:
            state = self.state[weight]
            mean = state.setdefault("mean", torch.zeros_like(weight))
            mean.lerp_(weight.grad, 1 - group["momentum"])
            updates.append(weight.grad.lerp(mean, group["momentum"]))
        scale = 0.2 * max(weights[0].shape) ** 0.5 * group["lr"]
        for weight, update in zip(weights, orthogonal(torch.stack(updates)), strict=True):
            weight.mul_(1 - group["lr"] * group["decay"]).sub_(update, alpha=scale)


def orthogonal(matrices: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Matrices (n, rows, columns) with all singular values brought near 1, by Newton-Schulz."""
    a, b, c = _COEFFICIENTS
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x
