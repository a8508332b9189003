"""Running a vision tower a few tiles at a time. Model process only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from transformers.modeling_outputs import BaseModelOutputWithPooling


class TileByTile(nn.Module):
    """Stands in for a vision tower and gives the same, but asks between tiles whether to go on.

    On a CPU all tiles of a picture take many seconds, and a pass through a network cannot be interrupted.
    """

    def __init__(self, tower: nn.Module, at_once: int) -> None:
        super().__init__()
        self.tower = tower
        self.at_once = at_once
        self.between: Callable[[], None] = lambda: None
        """Called before each part; raises to stop."""

    def forward(self, pixel_values: torch.Tensor, **options: Any) -> BaseModelOutputWithPooling:
        parts = []
        for tiles in torch.split(pixel_values, self.at_once):
            self.between()
            parts.append(self.tower(tiles, **options))
        if len(parts) == 1:
            only: BaseModelOutputWithPooling = parts[0]
            return only
        states = None
        if parts[0].hidden_states is not None:
            # Layers that nobody asked for are None.
            layers = zip(*(part.hidden_states for part in parts), strict=True)
            states = tuple(None if layer[0] is None else torch.cat(layer) for layer in layers)
        return BaseModelOutputWithPooling(
            last_hidden_state=torch.cat([part.last_hidden_state for part in parts]),
            hidden_states=states,  # type: ignore[arg-type]
        )

    def __getattr__(self, name: str) -> Any:
        """What the tower knows of itself, such as its data type."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("tower"), name)
