"""Memory for asking about pictures, against what real networks and processors take."""

from __future__ import annotations

import json
import math
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.chat import Role
from core.engines import LoadOptions
from core.models.estimate import memory_needed
from core.models.tensors import parameters, weight_bytes
from core.types import RgbImage
from core.vision import estimate
from core.vision.estimate import cache_bytes, shape_of, working_bytes
from core.vision.family import FAMILY
from tests.core.models.parts import write_checkpoint
from tests.support.imports import CHILD_ONLY, imported_by
from tests.support.random_others import KINDS
from tests.support.random_vision import Size, write

SIZE = Size(width=64, layers=3, heads=4, inner=96)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("estimate")
    return {kind: write(home / kind, kind, SIZE) for kind in FAMILY}


def change(folder: Path, target: Path, **changed: Any) -> Path:
    """A copy whose ``text_config`` has other values; None takes one away."""
    shutil.copytree(folder, target)
    config = json.loads((target / "config.json").read_text())
    text = config["text_config"] | changed
    config["text_config"] = {name: value for name, value in text.items() if value is not None}
    (target / "config.json").write_text(json.dumps(config))
    return target


def test_it_needs_no_model_library() -> None:
    assert imported_by("import core.vision.estimate") & {*CHILD_ONLY, "PySide6"} == set()


@pytest.mark.parametrize("kind", FAMILY)
def test_the_cache_is_counted_as_it_is(kind: str, folders: dict[str, Path]) -> None:
    from core.vision.network import VisionNetwork
    from core.vision.prompt import Turn

    # given a conversation that a real network has read
    network = VisionNetwork(LoadOptions(checkpoint=str(folders[kind])))
    picture = RgbImage(90, 120, os.urandom(90 * 120 * 3))
    prompt = network.prompt([Turn(Role.USER, "What is this?", (picture,))])
    for _ in network.read(prompt, lambda: False):
        pass
    assert network._cache is not None
    held = sum(
        part.numel() * part.element_size()
        for layer in network._cache.layers
        for part in (layer.keys, layer.values)
        if part is not None
    )

    # then its keys and values take what was said
    shape = shape_of(folders[kind])
    assert shape is not None
    assert cache_bytes(shape, 4, len(prompt.keys)) == held
    assert shape.context == network.context


@pytest.mark.parametrize("kind", FAMILY)
def test_no_picture_becomes_more_tokens_or_tiles_than_said(kind: str, folders: dict[str, Path]) -> None:
    from core.vision.network import VisionNetwork
    from core.vision.prompt import Turn

    network = VisionNetwork(LoadOptions(checkpoint=str(folders[kind])))
    shape = shape_of(folders[kind])
    assert shape is not None
    found = []
    for width, height in ((112, 112), (56, 56), (168, 56), (56, 168), (500, 300), (301, 797), (20, 400)):
        picture = RgbImage(width, height, bytes(width * height * 3))
        found.append(network.prompt([Turn(Role.USER, "?", (picture,))]))
    assert max(prompt.image_tokens for prompt in found) == shape.image_tokens
    assert max(prompt.tiles for prompt in found) == shape.tiles


def test_a_large_grid_is_made_smaller_as_the_processor_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LLaVA-OneVision cuts into up to 36 tiles and keeps the tokens of about nine."""
    from core.vision.processors import open_processor
    from tests.support import random_vision

    grid = [[56 * rows, 56 * columns] for rows in range(1, 7) for columns in range(1, 7)]
    monkeypatch.setattr(random_vision, "_pinpoints", lambda size: grid)
    folder = write(tmp_path / "model", "llava_onevision", SIZE)
    shape = shape_of(folder)
    assert shape is not None
    processor = open_processor(folder, "llava_onevision")
    counts = [
        processor._get_number_of_features(height, width, SIZE.tile, SIZE.tile)
        for height in range(10, 700, 13)
        for width in range(10, 700, 11)
    ]
    assert max(counts) <= shape.image_tokens < 1.1 * max(counts)
    assert shape.image_tokens < 37 * 16 / 2
    assert shape.tiles == 37


def test_shapes_come_from_the_weights_where_the_configuration_is_silent(
    tmp_path: Path, folders: dict[str, Path]
) -> None:
    # given a configuration as the published ones are: what is not there are the defaults of another size
    folder = folders["llava"]
    silent = dict.fromkeys(
        ("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim"), None
    )
    expected = shape_of(folder)
    assert expected is not None
    assert expected.layers == SIZE.layers
    assert shape_of(change(folder, tmp_path / "silent", **silent)) == expected
    # and where it says something else, the weights are what is loaded
    assert shape_of(change(folder, tmp_path / "other", num_hidden_layers=99)) == expected


def test_fewer_heads_for_keys_take_less(tmp_path: Path) -> None:
    from transformers import LlamaConfig

    from tests.support import random_vision

    folder = write(tmp_path / "all", "llava", SIZE)
    config = random_vision._config("llava", SIZE, 3)
    config.text_config = LlamaConfig(**{**config.text_config.to_dict(), "num_key_value_heads": 1})
    _save(config, tmp_path / "one")
    every, one = shape_of(folder), shape_of(tmp_path / "one")
    assert every is not None
    assert one is not None
    assert cache_bytes(one, 2, 100) * SIZE.heads == cache_bytes(every, 2, 100)


def _save(config: Any, folder: Path) -> None:
    from transformers import AutoModelForImageTextToText

    AutoModelForImageTextToText.from_config(config).save_pretrained(folder)


def test_without_headers_the_configuration_counts(tmp_path: Path, folders: dict[str, Path]) -> None:
    folder = Path(shutil.copytree(folders["llava"], tmp_path / "bin"))
    expected = shape_of(folder)
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(bytes(4000))
    assert shape_of(folder) == expected
    # The defaults of LlamaConfig are those of a 7B, with 0.5 MiB for each token
    text = {"model_type": "llama", "max_position_embeddings": 4096, "vocab_size": 32064}
    config = json.loads((folder / "config.json").read_text()) | {"text_config": text}
    (folder / "config.json").write_text(json.dumps(config))
    shape = shape_of(folder)
    assert shape is not None
    assert cache_bytes(shape, 2, 1) == 512 * 1024


def test_the_context_is_a_picture_and_a_conversation_as_far_as_it_goes(folders: dict[str, Path]) -> None:
    folder = folders["llava"]
    whole = working_bytes(folder, "fp32")
    assert whole == working_bytes(folder, "fp32", 4096) == working_bytes(folder, "fp32", 10**9)
    assert working_bytes(folder, "fp32", 1000) < whole
    # half of it in half precision, also where only the weights are smaller
    assert working_bytes(folder, "int4") == working_bytes(folder, "bf16")
    assert working_bytes(folder, "bf16") == pytest.approx(whole / 2, rel=0.2)


def test_all_of_it_is_in_what_a_load_is_judged_by(folders: dict[str, Path], tmp_path: Path) -> None:
    for folder in folders.values():
        parts = weight_bytes(folder, "fp32") + working_bytes(folder, "fp32") + 7
        assert memory_needed(folder, "cpu", "auto", 7) == parts
    # nothing is added for another kind of model, or a damaged one
    ocr = write_checkpoint(tmp_path / "ocr", 1000)
    assert memory_needed(ocr, "cpu", "fp32") == 4000
    assert working_bytes(tmp_path / "nowhere", "fp32") == 0
    damaged = change(folders["llava_next"], tmp_path / "damaged", max_position_embeddings="many")
    assert working_bytes(damaged, "fp32") == 0


@pytest.mark.parametrize("kind", KINDS)
def test_other_types_are_counted_by_what_they_have_in_common(kind: str, tmp_path: Path) -> None:
    from core.vision.generated import GeneratedNetwork
    from core.vision.prompt import Turn

    # given a conversation that a real network has read
    folder = write(tmp_path / kind, kind, SIZE)
    network = GeneratedNetwork(LoadOptions(checkpoint=str(folder)))
    picture = RgbImage(90, 120, os.urandom(90 * 120 * 3))
    prompt = network.prompt([Turn(Role.USER, "What is this?", (picture,))])
    for _ in network.read(prompt, lambda: False):
        pass
    assert network._course is not None
    inputs: dict[str, Any] = network._course.gi_frame.f_locals["inputs"]
    layers = inputs["past_key_values"].layers
    held = sum(part.numel() * part.element_size() for layer in layers for part in (layer.keys, layer.values))

    # then its keys and values take what was said, or less where only a window of them is kept
    shape = shape_of(folder)
    assert shape is not None
    told = cache_bytes(shape, 4, len(prompt.keys))
    assert (held <= told) if kind == "gemma3" else (held == told)
    assert (shape.layers, shape.width, shape.inner) == (SIZE.layers, SIZE.width, SIZE.inner)
    assert shape.context == network.context
    # and a prompt that is read as a whole takes more than one that comes in chunks
    in_chunks = replace(shape, chunk=estimate.CHUNK)
    assert estimate._reading(shape, 4, 4096) > 2 * estimate._reading(in_chunks, 4, 4096)
    # also where the configuration keeps the language model's sizes beside the rest, and there are no headers
    flat = Path(shutil.copytree(folder, tmp_path / "flat"))
    config = json.loads((flat / "config.json").read_text())
    (flat / "config.json").write_text(json.dumps({**config.pop("text_config"), **config}))
    (flat / "model.safetensors").unlink()
    assert shape_of(flat) == shape


def test_quantized_weights_are_those_of_the_language_models_layers(folders: dict[str, Path]) -> None:
    folder = folders["llava"]
    inner = SIZE.layers * (4 * SIZE.width**2 + 3 * SIZE.width * SIZE.inner)
    others = parameters(folder) - inner
    assert weight_bytes(folder, "int8") == inner + 2 * others
    assert weight_bytes(folder, "int4") == math.ceil(inner * 0.5625) + 2 * others
    assert weight_bytes(folder, "fp16") == 2 * parameters(folder)


def test_the_pieces_are_those_of_the_network() -> None:
    from core.vision import network

    assert (estimate.CHUNK, estimate.TILES_AT_ONCE) == (network.CHUNK, network._TILES)
