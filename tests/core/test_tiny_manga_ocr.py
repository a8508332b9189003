"""The tiny MangaOCR checkpoint reads, through the manga-ocr package, what it was trained for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.types import Direction
from tests.models import lexicon
from tests.support.manga_crops import Crop, inverted, load_crops
from tests.support.manga_ocr_reads import Reads, read_stored
from tests.support.old_layout import write_old_layout

MODELS = Path(__file__).resolve().parent.parent / "models"
TINY = MODELS / "tiny-manga-ocr"
FILES = {
    "README.md",
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "preprocessor_config.json",
    "special_tokens_map.json",
    "tokenizer_config.json",
    "vocab.txt",
}
SEARCH = {
    "num_beams": 4,
    "length_penalty": 2.0,
    "no_repeat_ngram_size": 3,
    "early_stopping": True,
    "max_length": 300,
    "decoder_start_token_id": 2,
    "eos_token_id": 3,
    "pad_token_id": 0,
}


@pytest.fixture
def reads(package_reads: Reads) -> Reads:
    """Every second stored crop, read once by the package."""
    return package_reads


def exact(crops: list[Crop], texts: dict[str, str]) -> float:
    read = [crop for crop in crops if crop.name in texts]
    assert len(read) >= 10
    return sum(texts[crop.name] == crop.text for crop in read) / len(read)


def test_the_folder_is_a_small_checkpoint_in_manga_ocrs_format() -> None:
    # Given the folder, then it holds the files of such a checkpoint and no other weights
    assert {path.name for path in TINY.iterdir()} == FILES
    assert sum(path.stat().st_size for path in TINY.iterdir()) < 8_000_000
    # And the weights are safetensors: a length, then a JSON header of tensors
    with (TINY / "model.safetensors").open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    assert {entry["dtype"] for name, entry in header.items() if name != "__metadata__"} == {"F32"}
    # And it says which parts it is made of
    config = json.loads((TINY / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["VisionEncoderDecoderModel"]
    assert (config["encoder"]["model_type"], config["decoder"]["model_type"]) == ("vit", "bert")
    assert config["decoder"]["max_position_embeddings"] >= SEARCH["max_length"]


def test_the_vocabulary_is_that_of_the_lexicon() -> None:
    assert (TINY / "vocab.txt").read_text(encoding="utf-8").splitlines() == lexicon.vocabulary()


def test_the_lexicon_keeps_drawn_out_sounds_apart() -> None:
    # The published search can write every plain phrase, and none of the drawn-out sounds
    plain = [lexicon.tokens(lexicon.plain(marked)) for marked in lexicon.PLAIN]
    sounds = [lexicon.tokens(lexicon.plain(marked)) for marked in lexicon.DRAWN_OUT]
    assert not any(map(lexicon.repeats_a_trigram, plain))
    assert all(map(lexicon.repeats_a_trigram, sounds))
    assert len(sounds) >= 6


def test_the_stored_crops_are_many_small_and_varied() -> None:
    crops = load_crops()
    assert len({crop.name for crop in crops}) == len(crops)
    assert len([crop for crop in crops if crop.category != "drawn-out"]) >= 220
    assert {crop.drawn for crop in load_crops("plain")} == {lexicon.plain(p) for p in lexicon.PLAIN}
    assert len({crop.face for crop in crops}) >= 5
    # An inverted crop has the same size, and black where there was white
    one = inverted(crops[0])
    assert all(a + b == 255 for a, b in zip(one.image.data, crops[0].image.data, strict=True))


def test_the_package_loads_it_without_a_word_about_its_weights(reads: Reads) -> None:
    assert not any(reads.loading.values()), reads.loading
    assert "OCR ready" in reads.log
    assert "newly initialized" not in reads.log
    assert reads.search.items() >= SEARCH.items()


def test_the_package_reads_held_out_crops(reads: Reads) -> None:
    # Given renderings that the model was not trained on
    plain = load_crops("plain")
    # Then at least 95 in 100 are read exactly, whichever way they run
    assert exact(plain, reads.texts) >= 0.95
    for direction in Direction:
        assert exact([crop for crop in plain if crop.direction is direction], reads.texts) >= 0.95


def test_drawn_out_sounds_need_the_ban_on_repeats_lifted(reads: Reads) -> None:
    sounds = load_crops("drawn-out")
    assert exact(sounds, reads.texts) == 0
    assert exact(sounds, reads.unbanned) >= 0.8


@pytest.mark.parametrize("category", ["pair", "piece"])
def test_two_phrases_and_parts_of_phrases_are_mostly_read(reads: Reads, category: str) -> None:
    assert exact(load_crops(category), reads.texts) >= 0.75


def test_the_old_layout_still_searches_with_four_beams(reads: Reads, tmp_path: Path) -> None:
    # Given the same model as the hub's main revision has it: a .bin, and the search in config.json
    old = tmp_path / "old"
    write_old_layout(TINY, old)
    assert not (old / "generation_config.json").exists()
    assert not list(old.glob("*.safetensors"))
    # When the package loads it and reads
    again = read_stored(old, ["pair"])
    # Then nothing is missing, the search is the same, and so is the text
    assert not any(again.loading.values()), again.loading
    assert again.search.items() >= SEARCH.items()
    assert again.texts == {name: reads.texts[name] for name in again.texts}
