"""Models that people know by the id of their original."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from core.errors import LicenceNotAccepted, ModelUnusable
from core.models.catalogue import find_model, load_catalogue
from core.models.layout import RepoCache, is_repo_id
from core.models.renamed import all_renamed, conversion_of
from tests.core.models.parts import STALL, Shelf, known
from tests.support.random_vision import write
from tests.support.stub_hub import StubHub

A = "a" * 40
OLD, NEW = "liuhaotian/llava-v1.5-7b", "llava-hf/llava-1.5-7b-hf"


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("vision") / "llava")


def test_the_table_leads_to_conversions_and_stops_there() -> None:
    assert all_renamed()
    for renamed in all_renamed():
        assert is_repo_id(renamed.old)
        assert is_repo_id(renamed.new)
        assert renamed.new.startswith("llava-hf/")
        assert conversion_of(renamed.old) == renamed
        assert conversion_of(renamed.new) is None
        assert renamed.old in renamed.why
        assert renamed.new in renamed.why
    assert conversion_of(f"{OLD}@main") == conversion_of(OLD)
    assert conversion_of("someone/llava") is None
    # No model of the catalogue hides behind an old id.
    assert not any(conversion_of(model.repo) for model in load_catalogue())


def test_an_old_id_means_the_conversion_in_the_catalogue(tmp_path: Path) -> None:
    with Shelf(tmp_path, catalogue=load_catalogue()) as shelf:
        entry = shelf.library.model("liuhaotian/llava-v1.5-13b")
        assert entry.known == find_model("llava-1.5-13b", load_catalogue())
        assert entry.role == "vision"
        # Not every one is in the catalogue.
        entry = shelf.library.model("liuhaotian/llava-v1.6-34b")
        assert (entry.known, entry.repo) == (None, "llava-hf/llava-v1.6-34b-hf")
        target = shelf.library._stock.target(OLD)
        assert target.renamed == conversion_of(OLD)
        assert shelf.library._stock.target(NEW).renamed is None


def test_a_revision_of_an_old_id_is_no_model(fresh: Shelf) -> None:
    with pytest.raises(ModelUnusable, match=f"take {re.escape(NEW)} instead"):
        fresh.library.model(f"{OLD}@main")


def test_a_setting_with_an_old_id_finds_the_conversion(fresh: Shelf, llava: Path) -> None:
    assert fresh.library.lookup("vision", OLD) is None
    shutil.copytree(llava, RepoCache(fresh.root, NEW).snapshot(A))
    found = fresh.library.lookup("vision", OLD)
    assert found is not None
    assert (found.repo, found.commit) == (NEW, A)


def test_the_conversion_is_what_is_downloaded(hub: StubHub, fresh: Shelf, llava: Path) -> None:
    hub.add_repo(NEW, llava, licence="llama2")
    plan = fresh.library.plan_download(OLD).result(STALL)
    assert (plan.repo, plan.licence_open) == (NEW, False)
    # Its terms have to be accepted as for any other name of it
    with pytest.raises(LicenceNotAccepted):
        fresh.library.download(OLD).result(STALL)
    done = fresh.library.download(OLD, accept_licence=True).result(STALL)
    assert done.repo == NEW
    assert not any("liuhaotian" in request.path for request in hub.requests)
    found = fresh.library.lookup("vision", OLD)
    assert found is not None
    assert found.commit == done.commit


def test_an_original_of_another_program_is_not_listed_as_its_conversion(fresh: Shelf, llava: Path) -> None:
    shutil.copytree(llava, RepoCache(fresh.root, OLD).snapshot(A))
    assert [entry.repo for entry in fresh.library.all_models("vision")] == [known().repo]
