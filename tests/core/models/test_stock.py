"""What is on this computer: the library's own, and what other programs have put into the folder."""

from __future__ import annotations

import os
from pathlib import Path

from core.engines import ENGINES, find_engine
from core.models.estimate import memory_needed, memory_of, weight_bytes
from core.models.layout import RepoCache
from tests.core.models.parts import REPO, Shelf, known, write_checkpoint, write_texts

A, B = "a" * 40, "b" * 40
BESIDE = find_engine("manga-ocr", "ocr").memory


def put(shelf: Shelf, repo: str, commit: str = A, size: int = 4000) -> Path:
    """A model as the hub's own library leaves it."""
    cache = RepoCache(shelf.root, repo)
    cache.refs.mkdir(parents=True, exist_ok=True)
    (cache.refs / "main").write_text(commit)
    return write_checkpoint(cache.snapshot(commit), size)


def test_models_that_other_programs_have_fetched_are_found(fresh: Shelf) -> None:
    # given a folder with two models in this format, one of another kind, and a download of somebody else's
    put(fresh, REPO)
    put(fresh, "another/ocr")
    strange = RepoCache(fresh.root, "a/language-model")
    strange.snapshot(A).mkdir(parents=True)
    (strange.snapshot(A) / "config.json").write_text('{"model_type": "llama"}')
    strange.blobs.mkdir()
    (strange.blobs / "1234.incomplete").write_bytes(b"x")
    # and one that we have begun to fetch
    begun = RepoCache(fresh.root, "begun/ocr")
    begun.blobs.mkdir(parents=True)
    begun.partial("0" * 64).write_bytes(b"half")

    # when all of them are asked for, then the catalogue comes first, and the others are not ours to show
    found = fresh.library.all_models()
    assert [(entry.repo, entry.state) for entry in found] == [
        (REPO, "ready"),
        ("another/ocr", "ready"),
        ("begun/ocr", "partial"),
    ]
    assert [entry.repo for entry in fresh.library.models()] == [REPO]
    # And nothing was written by looking
    assert not fresh.paths.data.exists()


def test_one_that_is_listed_already_comes_once(fresh: Shelf) -> None:
    put(fresh, "someone/else")
    fresh.library.records.update("someone/else", lambda record: record.use(A))
    repos = [entry.repo for entry in fresh.library.all_models()]
    assert repos == [entry.repo for entry in fresh.library.models()] == [REPO, "someone/else"]


def test_what_is_current_is_what_would_be_loaded(fresh: Shelf) -> None:
    # given two revisions that somebody else has fetched, of which the branch means the first
    put(fresh, "someone/else", B)
    put(fresh, "someone/else", A)
    cache = RepoCache(fresh.root, "someone/else")
    for later in (A, B):
        # when either was written last
        os.utime(cache.snapshot(A), (1, 1))
        os.utime(cache.snapshot(B), (1, 1))
        os.utime(cache.snapshot(later), (2, 2))
        # then the list and the look-up agree that it is what the branch means
        entry = fresh.library.model("someone/else")
        found = fresh.library.lookup("ocr", "someone/else")
        assert entry.current is not None
        assert found is not None
        assert entry.current.commit == found.commit == A
        assert entry.weights == found.folder


# ---- memory


def test_memory_is_counted_from_what_would_be_loaded(tmp_path: Path) -> None:
    # given a model that is not here, then the catalogue says what it needs
    model = known(memory={"fp32": 1000, "fp16": 600})
    with Shelf(tmp_path, catalogue=(model,)) as shelf:
        entry = shelf.library.model(REPO)
        assert entry.weights is None
        needs = {device: memory_of(entry, device, "auto") for device in ("cpu", "mps", "cuda:0")}
        assert needs == {"cpu": 1000, "mps": 1000, "cuda:0": 600}
        assert memory_of(entry, "cpu", "bf16") == 0

        # when it is here, then its own headers do, for the same devices as for the engine that loads it
        folder = put(shelf, REPO)
        entry = shelf.library.model(REPO)
        for device, precision in (("cpu", "fp32"), ("cuda:1", "fp16")):
            need = weight_bytes(folder, precision) + BESIDE
            assert memory_of(entry, device, "auto") == need == memory_needed(folder, device, "auto", BESIDE)
        assert memory_of(entry, "cuda:0", "fp32") == memory_of(entry, "cpu", "auto")


def test_without_an_engine_for_it_the_catalogue_counts(fresh: Shelf) -> None:
    put(fresh, REPO)
    built_in = tuple(spec for spec in ENGINES if not spec.has_checkpoint)
    assert memory_of(fresh.library.model(REPO), "cpu", "fp32", built_in) == 1_000_000
    write_texts(RepoCache(fresh.root, "no/weights").snapshot(A))
    assert memory_of(fresh.library.model("no/weights"), "cpu", "fp32") == 0
