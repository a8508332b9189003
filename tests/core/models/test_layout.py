"""The cache's layout, what counts as a checkpoint, and how much memory it needs."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from core.models import estimate
from core.models.layout import (
    RepoCache,
    checkpoint_problem,
    is_repo_id,
    is_revision,
    needs_conversion,
    repos_in,
    safetensors_header,
)
from tests.core.models.parts import REPO, write_checkpoint, write_safetensors, write_texts

A, B = "a" * 40, "b" * 40


@pytest.fixture
def cache(tmp_path: Path) -> RepoCache:
    return RepoCache(tmp_path, REPO)


def test_looking_creates_nothing(cache: RepoCache, tmp_path: Path) -> None:
    assert (cache.commits(), cache.partials(), cache.size(A), cache.disk_size()) == ([], [], 0, 0)
    assert cache.resolve("main") is None
    assert not cache.is_complete(A)
    assert repos_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_revision_means_the_commit_it_was_last_seen_at(cache: RepoCache) -> None:
    write_checkpoint(cache.snapshot(A), 100)
    (cache.refs / "refs" / "pr").mkdir(parents=True)
    (cache.refs / "refs" / "pr" / "4").write_text(A)
    (cache.refs / "main").write_text(B)
    assert cache.resolve("refs/pr/4") == cache.resolve(A) == A
    # a branch whose files are not here means nothing
    assert cache.resolve("main") is None
    assert cache.resolve(B) is None
    (cache.refs / "odd").write_text("../../..")
    assert cache.resolve("odd") is None


def test_commits_come_latest_first_and_nothing_else_counts(cache: RepoCache, tmp_path: Path) -> None:
    for commit, age in ((A, 100), (B, 10), ("temporary", 0)):
        cache.snapshot(commit).mkdir(parents=True)
        os.utime(cache.snapshot(commit), (time.time() - age,) * 2)
    assert cache.commits() == [B, A]
    (tmp_path / "models--no-owner").mkdir()
    (tmp_path / "datasets--a--b").mkdir()
    assert repos_in(tmp_path) == [REPO]


def test_sizes_count_shared_contents_once(cache: RepoCache) -> None:
    cache.blobs.mkdir(parents=True)
    (cache.blobs / "shared").write_bytes(b"x" * 1000)
    for commit in (A, B):
        cache.snapshot(commit).mkdir(parents=True)
        (cache.snapshot(commit) / "one").symlink_to("../../blobs/shared")
        (cache.snapshot(commit) / "two").symlink_to("../../blobs/shared")
    assert (cache.size(A), cache.size(B), cache.disk_size()) == (1000, 1000, 1000)


@pytest.mark.parametrize(
    "text", ["owner/..", "../owner", "a/b/c", "a", "", "a--b/c", "/a/b", "a/b\n", "a/ b", ".a/b"]
)
def test_names_that_could_lead_out_of_the_cache_are_none(text: str) -> None:
    assert not is_repo_id(text)


def test_names_of_revisions(tmp_path: Path) -> None:
    assert all(map(is_revision, ("main", "refs/pr/4", "v1.0", A)))
    assert not any(map(is_revision, ("", "../x", "/x", "a/../b", "a b", "-x")))


# ---- what can be loaded


def test_a_whole_checkpoint_has_no_problem(tmp_path: Path) -> None:
    assert checkpoint_problem(write_checkpoint(tmp_path / "x", 100)) is None
    assert not needs_conversion(tmp_path / "x")


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("config.json", None, "config.json is missing"),
        ("config.json", "{", "config.json is damaged"),
        ("config.json", "[]", "config.json is damaged"),
        ("config.json", '{"model_type": "vit"}', "it is a vit and not in MangaOCR's format"),
        ("preprocessor_config.json", None, "preprocessor_config.json is missing"),
        ("vocab.txt", None, "vocab.txt is missing"),
        ("model.safetensors", None, "model.safetensors is missing"),
        ("model.safetensors", "", "model.safetensors is not complete"),
        ("model.safetensors", "x" * 100, "model.safetensors is not complete"),
    ],
)
def test_what_is_missing_or_damaged_is_named(
    tmp_path: Path, name: str, content: str | None, problem: str
) -> None:
    folder = write_checkpoint(tmp_path / "x", 100)
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    assert checkpoint_problem(folder) == problem


def test_another_tokenizer_file_is_not_enough(tmp_path: Path) -> None:
    # MangaOCR's tokenizer needs the vocabulary itself
    folder = write_checkpoint(tmp_path / "x", 100)
    (folder / "vocab.txt").rename(folder / "tokenizer.json")
    assert checkpoint_problem(folder) == "vocab.txt is missing"


def test_weights_that_were_cut_off_do_not_count(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "x", 1000)
    path = folder / "model.safetensors"
    whole = path.stat().st_size
    for size in (whole - 1, whole // 2, 8, 3):
        os.truncate(path, size)
        assert checkpoint_problem(folder) == "model.safetensors is not complete"


def test_a_dangling_link_does_not_count(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "x", 100)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to("../../blobs/gone")
    assert checkpoint_problem(folder) == "model.safetensors is missing"


def test_every_part_of_the_weights_counts(tmp_path: Path) -> None:
    folder = write_texts(tmp_path / "x")
    names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    index = {"weight_map": {"a": names[0], "b": names[1]}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    write_safetensors(folder / names[0], 100)
    assert checkpoint_problem(folder) == f"{names[1]} is missing"
    write_safetensors(folder / names[1], 100)
    assert checkpoint_problem(folder) is None
    assert estimate.parameters(folder) == 200


def test_a_bin_counts_and_needs_a_conversion(tmp_path: Path) -> None:
    folder = write_texts(tmp_path / "x")
    (folder / "pytorch_model.bin").write_bytes(b"x" * 4000)
    assert checkpoint_problem(folder) is None
    assert needs_conversion(folder)
    assert estimate.memory_needed(folder, "cpu", "fp32", beside=5) == 4005
    # safetensors beside it are what is loaded
    write_safetensors(folder / "model.safetensors", 100)
    assert not needs_conversion(folder)


# ---- memory


def test_memory_is_counted_from_the_headers(tmp_path: Path) -> None:
    header = {
        "__metadata__": {"format": "pt"},
        "a": {"dtype": "F16", "shape": [10, 20], "data_offsets": [0, 400]},
        "b": {"dtype": "I64", "shape": [], "data_offsets": [400, 408]},
    }
    text = json.dumps(header).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(408))
    assert estimate.parameters(tmp_path) == 201
    assert estimate.weight_bytes(tmp_path) == 408
    assert estimate.weight_bytes(tmp_path, "fp32") == 804
    assert estimate.weight_bytes(tmp_path, "bf16") == 402
    assert estimate.memory_needed(tmp_path, "cpu", "fp16", beside=1000) == 1402
    # automatic is exact on the CPU, and half of that on a card
    assert (
        estimate.memory_needed(tmp_path, "cpu", "auto")
        == estimate.memory_needed(tmp_path, "mps", "auto")
        == 804
    )
    assert estimate.memory_needed(tmp_path, "cuda:1", "auto") == 402
    assert estimate.memory_needed(tmp_path, "cuda:1", "fp32") == 804
    found = safetensors_header(path)
    assert found is not None
    assert found.length == 8 + len(text)
    assert set(found.tensors) == {"a", "b"}


def test_where_there_are_no_weights_nothing_is_counted(tmp_path: Path) -> None:
    assert estimate.parameters(tmp_path) == 0
    assert estimate.weight_bytes(tmp_path) == 0
