"""What the catalogue says of vision models, against the networks that transformers builds for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engines import LLAVA, find_engine
from core.models.catalogue import find_model, load_catalogue
from core.models.estimate import memory_needed, parameters
from core.vision.estimate import cache_bytes, shape_of
from tests.core.models.published import PUBLISHED, write_published

BESIDE = find_engine(LLAVA, "vision").memory


def test_every_vision_model_is_checked_here() -> None:
    assert {model.name for model in load_catalogue() if model.role == "vision"} == set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_its_figures_are_those_of_its_shapes(name: str, tmp_path: Path) -> None:
    # given a folder with the published configuration and the shapes of its weights
    folder = write_published(tmp_path / "model", name)
    model = find_model(name, load_catalogue())
    shape = shape_of(folder)
    assert model is not None
    assert model.vision is not None
    assert shape is not None

    # then the catalogue agrees with what would be counted if it were here
    assert parameters(folder) == model.parameters
    weights = (folder / "model.safetensors").stat().st_size
    assert weights < model.download_size < 1.01 * weights
    assert PUBLISHED[name]["model_type"] == model.vision.type
    assert shape.context == model.vision.context
    assert shape.image_tokens == model.vision.image_tokens
    assert cache_bytes(shape, 2, 1) == model.vision.cache_bytes
    for precision, need in model.memory.items():
        assert need == pytest.approx(memory_needed(folder, "cpu", precision, BESIDE), rel=0.05)
