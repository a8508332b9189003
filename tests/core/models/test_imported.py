"""Models that no hub knows: what is said of them, and what takes the place of one that is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ImportGone, ModelImported, ModelMissing
from core.models.imported import is_local, local_id, not_here
from tests.core.models.parts import REPO, STALL, Shelf, known, write_checkpoint
from tests.support.stub_hub import StubHub

LOCAL = "local/mine"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "mine", 4000)


def take_in(shelf: Shelf, source: Path, name: str = "") -> str:
    return shelf.library.import_from(source, name).result(STALL).commit


def test_a_name_says_whether_a_hub_knows_it() -> None:
    assert is_local(local_id("mine"))
    assert is_local(f"{LOCAL}@main")
    assert not is_local("someone/local")
    assert isinstance(not_here(LOCAL), ImportGone)
    assert type(not_here(REPO)) is ModelMissing
    assert "download" not in not_here(LOCAL).advice


@pytest.mark.parametrize("name", [LOCAL, f"{LOCAL}@main"])
@pytest.mark.parametrize("here", [True, False])
def test_no_hub_is_asked_for_an_import(
    hub: StubHub, shelf: Shelf, source: Path, here: bool, name: str
) -> None:
    # given an import, here or gone
    if here:
        assert take_in(shelf, source)
        assert not shelf.library.model(LOCAL).from_hub
    # when a hub would be asked for it, then that is refused
    library = shelf.library
    for call in (library.plan_download, library.download, library.update, library.check_update):
        with pytest.raises(ModelImported, match="no hub knows it"):
            call(name)
    assert hub.requests == []


def test_the_first_of_the_catalogue_takes_the_place_of_a_chosen_import_that_is_gone(
    shelf: Shelf, source: Path, tmp_path: Path
) -> None:
    library = shelf.library
    # given the model of the catalogue, and an import that is chosen
    take_in(shelf, write_checkpoint(tmp_path / "known", 5000, seed=1), "tiny")
    mine = take_in(shelf, source)
    found = library.lookup("ocr", LOCAL)
    assert found is not None
    assert (found.commit, found.instead_of, library.meant("ocr", LOCAL).repo) == (mine, "", LOCAL)
    # when it is removed, then the other one is what the setting means, and it is said
    library.remove(LOCAL).result(STALL)
    found = library.lookup("ocr", LOCAL)
    assert found is not None
    assert (found.repo, found.instead_of, library.meant("ocr", LOCAL).repo) == (REPO, LOCAL, REPO)
    # but not for questions, where a conversation would go on with another model
    assert library.lookup("vision", LOCAL) is None
    # when that one is not here either, then nothing is, and a download of it can be offered
    library.remove("tiny").result(STALL)
    assert library.lookup("ocr", LOCAL) is None
    assert library.meant("ocr", LOCAL).repo == REPO
    # when it is imported again, it reads again
    take_in(shelf, source)
    found = library.lookup("ocr", LOCAL)
    assert found is not None
    assert (found.commit, found.instead_of) == (mine, "")


def test_what_a_hub_has_is_not_replaced(shelf: Shelf, tmp_path: Path) -> None:
    take_in(shelf, write_checkpoint(tmp_path / "known", 5000, seed=1), "tiny")
    assert shelf.library.lookup("ocr", "someone/else") is None
    assert shelf.library.meant("ocr", "someone/else").repo == "someone/else"


def test_without_a_catalogue_nothing_takes_its_place(tmp_path: Path) -> None:
    with Shelf(tmp_path, catalogue=(known(role="vision"),)) as shelf:
        assert shelf.library.lookup("ocr", LOCAL) is None
        assert shelf.library.meant("ocr", LOCAL).repo == LOCAL


def test_an_import_that_is_gone_cannot_be_checked_or_converted(shelf: Shelf) -> None:
    for job in (shelf.library.verify(LOCAL), shelf.library.convert("vision", LOCAL)):
        with pytest.raises(ImportGone):
            job.result(STALL)
