"""What counts as a checkpoint that can be asked about pictures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.models.layout import RepoCache, checkpoint_problem, is_vision
from core.vision.family import FAMILY, NOT_ASKED, ONE_PICTURE, OTHERS
from tests.support.imports import CHILD_ONLY, imported_by
from tests.support.random_others import KINDS
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
        (
            "config.json",
            '{"model_type": "bert"}',
            "it is of the type bert, which cannot be asked about pictures",
        ),
        ("config.json", "{}", "it is of the type unknown, which cannot be asked about pictures"),
        (
            "config.json",
            '{"model_type": "blip-2"}',
            "it is of the type blip-2, which cannot be asked about pictures",
        ),
        ("chat_template.jinja", None, "it has no chat template, so it cannot be asked"),
        ("config.json", '{"model_type": "qwen2_vl"}', None),
        ("tokenizer.json", None, "tokenizer.json is missing"),
        ("processor_config.json", None, "preprocessor_config.json is missing"),
        ("processor_config.json", '{"patch_size": 14}', "preprocessor_config.json is missing"),
        ("model.safetensors", None, "model.safetensors is missing"),
        ("model.safetensors", "x" * 100, "model.safetensors is not complete"),
    ],
)
def test_what_is_missing_or_damaged_is_named(
    folder: Path, name: str, content: str | None, problem: str | None
) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    assert checkpoint_problem(folder, "vision") == problem


def test_every_type_that_transformers_knows_is_sorted() -> None:
    """Where this fails after an update of transformers: try each new type before it is added."""
    from transformers.models.auto import modeling_auto

    known = set(modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES)
    assert {*FAMILY, *OTHERS, *NOT_ASKED, "vision-encoder-decoder"} == known
    assert len(FAMILY) + len(OTHERS) + len(NOT_ASKED) + 1 == len(known)
    assert set(ONE_PICTURE) < set(OTHERS)


def test_every_type_that_can_be_asked_generates_in_the_usual_way() -> None:
    """We take the loop of ``generate`` over, which a type with a ``generate`` of its own may not have."""
    import transformers
    from transformers.generation import GenerationMixin
    from transformers.models.auto import modeling_auto

    names = modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    kinds = {kind: getattr(transformers, names[kind]) for kind in OTHERS}
    assert all(kind.can_generate() for kind in kinds.values())
    own = {name for name, kind in kinds.items() if kind.generate is not GenerationMixin.generate}
    # The one of Janus leads to the usual one where pictures are not to be made.
    assert own == {"janus"}
    assert not [name for name, kind in kinds.items() if kind._sample is not GenerationMixin._sample]


def test_what_types_there_are_is_known_without_a_model_library() -> None:
    assert imported_by("import core.vision.family, core.models.layout") & {*CHILD_ONLY, "PySide6"} == set()


@pytest.mark.parametrize("kind", KINDS)
def test_other_types_can_be_used(kind: str, tmp_path: Path) -> None:
    made = write(tmp_path / kind, kind)
    assert checkpoint_problem(made, "vision") is None
    assert is_vision(made)


@pytest.mark.parametrize("file", ["chat_template.json", "tokenizer_config.json", "processor_config.json"])
def test_a_chat_template_counts_wherever_it_is(folder: Path, file: str) -> None:
    (folder / "chat_template.jinja").unlink()
    assert checkpoint_problem(folder, "vision") == "it has no chat template, so it cannot be asked"
    path = folder / file
    content = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**content, "chat_template": "{{ messages }}"}))
    assert checkpoint_problem(folder, "vision") is None


def test_one_that_writes_captions_cannot_be_asked(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "git"}')
    (folder / "chat_template.jinja").unlink()
    assert is_vision(folder)
    assert checkpoint_problem(folder, "vision") == "it has no chat template, so it cannot be asked"


def test_nobodys_code_is_run(folder: Path) -> None:
    # given a checkpoint of a type that only its own code knows
    code = {"AutoConfig": "configuration_own.OwnConfig", "AutoModelForCausalLM": "modeling_own.Own"}
    said = "it is of the type own_vl, which needs code of its own, and nobody's code is run here"
    (folder / "config.json").write_text(json.dumps({"model_type": "own_vl", "auto_map": code}))
    assert is_vision(folder)
    assert checkpoint_problem(folder, "vision") == said
    # while one that transformers knows as well goes without
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen2_5_vl", "auto_map": code}))
    assert checkpoint_problem(folder, "vision") is None
    # and what reads is told to be no such model
    (folder / "config.json").write_text(
        json.dumps({"model_type": "vision-encoder-decoder", "auto_map": code})
    )
    assert not is_vision(folder)


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
