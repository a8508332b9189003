"""The catalogue: data in a schema, and what is said of licences."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

import core.models.catalogue
from core.memory import format_bytes
from core.models.catalogue import default_model, find_model, load_catalogue, parse_catalogue
from core.models.layout import is_commit, is_repo_id, is_revision
from core.models.licences import is_open
from core.models.tensors import BYTES_PER_WEIGHT
from tests.core.models.parts import known

TEXT = Path(core.models.catalogue.__file__).with_name("catalogue.json").read_text("utf-8")


def test_the_catalogue_is_in_its_schema_and_agrees_with_itself() -> None:
    models = load_catalogue()
    names = [name for model in models for name in (model.name, model.repo)]
    assert len(set(names)) == len(names), "a name means one model"
    for model in models:
        assert is_repo_id(model.repo)
        assert find_model(model.name, models) is find_model(model.repo, models) is model
        assert model.licence_open == is_open(model.licence)
        for revision in model.revisions():
            assert is_commit(revision.revision) or is_revision(revision.revision)
            files = [file.name for file in revision.files]
            assert "config.json" in files
            assert len(set(files)) == len(files)
            sizes = [file.size for file in revision.files]
            if all(sizes):
                total = sum(size for size in sizes if size)
                assert abs(total - model.download_size) < 0.01 * total
        for precision, need in model.memory.items():
            assert need > model.parameters * BYTES_PER_WEIGHT[precision]
        assert bool(model.unknown) == any(file.sha256 is None or file.size is None for file in model.files), (
            "what is not known is said"
        )


def test_mangaocr_is_pinned_to_safetensors_with_the_bin_to_fall_back_to() -> None:
    model = find_model("manga-ocr", load_catalogue())
    assert model is not None
    assert (model.repo, model.revision, model.licence) == (
        "kha-white/manga-ocr-base",
        "refs/pr/4",
        "apache-2.0",
    )
    assert "model.safetensors" in {file.name for file in model.files}
    assert model.fallback is not None
    assert is_commit(model.fallback.revision)
    weights = {file.name: file for file in model.fallback.files}["pytorch_model.bin"]
    assert weights.size == 444_135_475
    assert all(file.sha256 and file.size for file in model.fallback.files)
    # what is not known is said
    unknown = [file.name for file in model.files if file.sha256 is None or file.size is None]
    assert bool(unknown) == bool(model.unknown)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("repo", "no-owner"),
        ("repo", "../x/y"),
        ("revision", "../main"),
        ("role", "chat"),
        ("memory", {}),
        ("memory", {"int2": 5}),
        ("memory", {"int4": 0}),
        ("vision", {"type": "llava", "stored": "fp16", "context": 1, "image_tokens": 1, "cache_bytes": 1}),
        ("devices", ["tpu"]),
        ("licence_url", "http://example.org"),
        ("download_size", 0),
        ("files", []),
        ("files", [{"name": "../config.json", "size": 1, "sha256": None}]),
        ("files", [{"name": "config.json", "size": 1, "sha256": "abc"}]),
        ("surprise", 1),
    ],
)
def test_what_is_not_in_the_schema_is_refused(field: str, value: object) -> None:
    tree = json.loads(TEXT)
    parse_catalogue(json.dumps(tree))
    tree["models"][0][field] = value
    with pytest.raises(ValidationError):
        parse_catalogue(json.dumps(tree))


@pytest.mark.parametrize(
    ("field", "value"), [("type", "llava_llama"), ("stored", "int4"), ("context", 0), ("surprise", 1)]
)
def test_what_a_vision_model_must_say(field: str, value: object) -> None:
    tree = json.loads(TEXT)
    model = next(model for model in tree["models"] if model["role"] == "vision")
    vision = dict(model["vision"])
    for wrong in (None, vision | {field: value}):
        model["vision"] = wrong
        with pytest.raises(ValidationError):
            parse_catalogue(json.dumps(tree))


def test_vision_models_and_their_licences() -> None:
    models = [model for model in load_catalogue() if model.role == "vision"]
    # On a machine without a card, the first that is offered is the small one, and it is an open one.
    first = default_model("vision", load_catalogue())
    assert first is not None
    assert (first.name, first.licence) == ("llava-onevision-0.5b", "apache-2.0")
    assert first.parameters == min(model.parameters for model in models)
    # What was built on Vicuna comes under Meta's terms, which have to be accepted.
    assert {model.name: model.licence for model in models if not model.licence_open} == {
        "llava-1.6-vicuna-7b": "llama2",
        "llava-1.5-7b": "llama2",
        "llava-1.5-13b": "llama2",
    }


def test_the_guide_tells_the_same_of_vision_models() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "user-guide.md").read_text("utf-8")
    licences = {"apache-2.0": "Apache 2.0", "llama2": "Llama 2 community licence"}
    for model in load_catalogue():
        if model.role == "vision":
            sizes = [model.download_size, model.memory["fp16"], model.memory["fp32"]]
            cells = [f"`{model.name}`", *map(format_bytes, sizes), licences[model.licence]]
            assert f"| {' | '.join(cells)} |" in guide


def test_what_is_offered_first_is_under_an_open_licence() -> None:
    closed = known("a/closed", "closed", licence="cc-by-nc-4.0", licence_open=False)
    free = known("a/open", "open")
    assert default_model("ocr", (closed, free)) is free
    assert default_model("ocr", (closed,)) is closed
    assert default_model("vision", (closed, free)) is None
    assert default_model("ocr", load_catalogue()) is not None


@pytest.mark.parametrize("licence", ["apache-2.0", "MIT", "gpl-3.0-or-later", "cc-by-sa-4.0", "BSD-3-Clause"])
def test_open_licences_are_known(licence: str) -> None:
    assert is_open(licence)


@pytest.mark.parametrize(
    "licence", ["", "other", "llama3.1", "cc-by-nc-4.0", "gemma", "openrail", "not stated"]
)
def test_licences_with_conditions_are_not_open(licence: str) -> None:
    assert not is_open(licence)


def test_sums_look_like_sums() -> None:
    assert re.findall(r'"sha256": "([0-9a-f]+)"', TEXT)
    assert all(len(found) == 64 for found in re.findall(r'"sha256": "([0-9a-f]+)"', TEXT))
