"""A vision model in several parts: what is fetched of its repository, and that it can then be loaded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.engines import LoadOptions
from core.errors import HubError, ImportFailed
from core.models.estimate import memory_of, parameters
from core.models.layout import RepoCache, weight_files
from core.models.selection import choose
from tests.core.models.parts import STALL, Shelf, tree
from tests.support.random_vision import write
from tests.support.stub_hub import StubHub

REPO = "yomitori-tests/llava-hf"
A = "a" * 40
EXTRAS = ("README.md", "onnx/vision_encoder.onnx", "pytorch_model-00001-of-00002.bin", "consolidated.00.pth")
PUBLISHED = [
    *("added_tokens.json", "chat_template.json", "config.json", "generation_config.json", "merges.txt"),
    *("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"),
    *("preprocessor_config.json", "processor_config.json", "special_tokens_map.json", "tokenizer.json"),
    *("tokenizer.model", "tokenizer_config.json", "vocab.json"),
]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint in parts, with what else lies in published repositories."""
    from transformers import AutoModelForImageTextToText

    home = tmp_path_factory.mktemp("parts")
    whole = write(home / "whole", "llava_onevision")
    network = AutoModelForImageTextToText.from_pretrained(whole)
    folder = home / "repository"
    network.save_pretrained(folder, max_shard_size="200KB")
    for path in whole.iterdir():
        if path.name != "model.safetensors" and not (folder / path.name).exists():
            shutil.copyfile(path, folder / path.name)
    for name in EXTRAS:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"not needed")
    assert len(weight_files(folder)) > 2
    return folder


def test_what_published_repositories_need_is_chosen() -> None:
    others = [
        *(
            "README.md",
            ".gitattributes",
            "llava_onevision_arch.png",
            "video_processor/preprocessor_config.json",
        ),
        *("onnx/decoder_model_merged.onnx", "pytorch_model.bin", "consolidated.00.pth", "training_args.bin"),
    ]
    assert choose([*PUBLISHED, *others]) == sorted(PUBLISHED)


def test_all_parts_come_and_can_be_loaded(hub: StubHub, shelf: Shelf, repository: Path) -> None:
    from core.vision.network import VisionNetwork

    # given a repository with weights in parts, when the connection breaks in the middle of one
    commit = hub.add_repo(REPO, repository)
    parts = weight_files(repository)
    hub.drop(after=0.5, file=parts[1])
    done = shelf.library.download(REPO).result(STALL)

    # then every part is there, nothing else came, and what it is for is told by its files
    assert done.commit == commit
    snapshot = RepoCache(shelf.root, REPO).snapshot(commit)
    assert set(tree(snapshot)) == set(tree(repository)) - set(EXTRAS)
    assert {name for name in hub.sent if hub.sent[name]} == set(tree(snapshot))
    assert all(check.ok for check in shelf.library.verify(REPO).result(STALL))
    entry = shelf.library.model(REPO)
    assert (entry.role, entry.state) == ("vision", "ready")
    assert [entry.repo for entry in shelf.library.models("vision")] == [REPO]
    assert parameters(snapshot) == parameters(repository)
    assert memory_of(entry, "cpu", "fp32") > 4 * parameters(snapshot)

    # and it is whole
    found = shelf.library.lookup("vision", REPO)
    assert found is not None
    network = VisionNetwork(LoadOptions(checkpoint=str(found.folder)))
    assert network.context == 4096


@pytest.mark.parametrize("kind", ["qwen2_vl", "gemma3"])
def test_any_other_model_for_pictures_is_taken_by_its_id(
    hub: StubHub, fresh: Shelf, kind: str, tmp_path: Path
) -> None:
    from core.vision.generated import GeneratedNetwork

    # given a repository with a model of a type that the catalogue has none of
    repo = f"someone/{kind}"
    hub.add_repo(repo, write(tmp_path / kind, kind))
    # when it is downloaded by its id, then what it is for is told by its files, and it can be loaded
    fresh.library.download(repo).result(STALL)
    entry = fresh.library.model(repo)
    assert (entry.role, entry.state) == ("vision", "ready")
    assert [model.repo for model in fresh.library.models("vision")] == [repo]
    assert memory_of(entry, "cpu", "fp32") > 4 * parameters(tmp_path / kind)
    found = fresh.library.lookup("vision", repo)
    assert found is not None
    assert GeneratedNetwork(LoadOptions(checkpoint=str(found.folder))).context == 4096


def test_any_other_model_for_pictures_is_imported(fresh: Shelf, tmp_path: Path) -> None:
    folder = write(tmp_path / "smolvlm", "smolvlm")
    done = fresh.library.import_from(folder, role="vision").result(STALL)
    entry = fresh.library.model(done.repo)
    assert (entry.role, entry.state) == ("vision", "ready")
    # and one that writes captions is not
    (folder / "config.json").write_text('{"model_type": "blip"}')
    (folder / "chat_template.json").unlink()
    with pytest.raises(ImportFailed, match="it has no chat template, so it cannot be asked"):
        fresh.library.import_from(folder, role="vision").result(STALL)


def test_a_part_that_the_hub_lost_is_missed(hub: StubHub, shelf: Shelf, repository: Path) -> None:
    hub.add_repo(REPO, repository)
    hub.lose(weight_files(repository)[1])
    with pytest.raises(HubError):
        shelf.library.download(REPO).result(STALL)
    assert shelf.library.lookup("vision", REPO) is None


def test_one_that_another_program_fetched_is_found(fresh: Shelf, repository: Path) -> None:
    shutil.copytree(repository, RepoCache(fresh.root, "someone/llava").snapshot(A))
    found = {entry.repo: entry for entry in fresh.library.all_models("vision")}["someone/llava"]
    assert (found.role, found.state) == ("vision", "ready")
    lookup = fresh.library.lookup("vision", "someone/llava")
    assert lookup is not None
    assert lookup.commit == A
