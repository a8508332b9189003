"""What counts as a checkpoint that can be asked about pictures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.models.layout import RepoCache, checkpoint_problem, is_vision
from core.vision.family import FAMILY
from tests.support.random_vision import write

A = "a" * 40
ORIGINAL = {
    "architectures": ["LlavaLlamaForCausalLM"],
    "mm_vision_tower": "openai/clip-vit-large-patch14-336",
}


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("vision") / "llava")


@pytest.fixture
def folder(llava: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(llava, tmp_path / "mine"))


@pytest.mark.parametrize("kind", FAMILY)
def test_every_type_of_the_family_can_be_used(kind: str, tmp_path: Path) -> None:
    made = write(tmp_path / kind, kind)
    assert checkpoint_problem(made, "vision") is None
    assert is_vision(made)
    assert checkpoint_problem(made, "ocr") == f"it is a {kind} and not in MangaOCR's format"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("config.json", None, "config.json is missing"),
        ("config.json", '{"model_type": "qwen2_vl"}', f"it is a qwen2_vl and none of {', '.join(FAMILY)}"),
        ("config.json", "{}", f"it is a model and none of {', '.join(FAMILY)}"),
        ("tokenizer.json", None, "tokenizer.json is missing"),
        ("processor_config.json", None, "preprocessor_config.json is missing"),
        ("processor_config.json", '{"patch_size": 14}', "preprocessor_config.json is missing"),
        ("model.safetensors", None, "model.safetensors is missing"),
        ("model.safetensors", "x" * 100, "model.safetensors is not complete"),
    ],
)
def test_what_is_missing_or_damaged_is_named(
    folder: Path, name: str, content: str | None, problem: str
) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    assert checkpoint_problem(folder, "vision") == problem


def test_files_of_older_checkpoints_count(folder: Path) -> None:
    # Published ones have their tokenizer in another format, or how pictures are prepared in a file of its own
    (folder / "tokenizer.json").rename(folder / "tokenizer.model")
    (folder / "processor_config.json").rename(folder / "preprocessor_config.json")
    assert checkpoint_problem(folder, "vision") is None
    (folder / "preprocessor_config.json").write_text("{")
    assert checkpoint_problem(folder, "vision") == "preprocessor_config.json is damaged"


@pytest.mark.parametrize("kind", ["llava_llama", "llava_mistral", "llava"])
def test_the_original_format_is_named_with_what_to_take(folder: Path, tmp_path: Path, kind: str) -> None:
    # given a checkpoint of LLaVA's own code, some of which call themselves llava, too
    config = {"model_type": kind, **ORIGINAL}
    said = "it is in LLaVA's original format, take {} instead"
    (folder / "config.json").write_text(json.dumps(config))
    assert checkpoint_problem(folder, "vision") == said.format("a conversion, such as those of llava-hf")
    assert not is_vision(folder)

    # when the folder or the configuration tells which one it is, then its conversion is named
    snapshot = RepoCache(tmp_path, "liuhaotian/llava-v1.5-13b").snapshot(A)
    shutil.copytree(folder, snapshot)
    assert checkpoint_problem(snapshot, "vision") == said.format("llava-hf/llava-1.5-13b-hf")
    config["_name_or_path"] = "lmms-lab/llava-onevision-qwen2-0.5b-ov"
    (folder / "config.json").write_text(json.dumps(config))
    expected = said.format("llava-hf/llava-onevision-qwen2-0.5b-ov-hf")
    assert checkpoint_problem(folder, "vision") == expected
