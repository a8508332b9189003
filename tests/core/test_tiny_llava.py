"""The tiny vision models answer, in English and Japanese, what they were trained for."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.models import vision_scenes, vision_talk
from tests.models.vision_scenes import HELD_OUT, arranged, scene, worn
from tests.support.environment import child_environment

MODELS = Path(__file__).resolve().parent.parent / "models"
NAMES = ("tiny-llava", "tiny-llava-next")
FILES = {
    "README.md",
    "chat_template.jinja",
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "training.json",
}
SCENES = 44
ONE_TILE = "tiny-llava-next with one tile"
ASKED = {
    "tiny-llava": ("tiny-llava", SCENES, []),
    "tiny-llava-next": ("tiny-llava-next", SCENES, []),
    ONE_TILE: ("tiny-llava-next", 20, [[112, 112]]),
}
"""Folder, number of pictures, and grids of tiles other than the model's own."""
_ASK = """
import json, sys
from dataclasses import asdict
from tests.models.measure_llava import FOLDER, measure
for name, scenes, pinpoints in json.loads(sys.argv[1]):
    print(json.dumps(asdict(measure(FOLDER / name, scenes, "test", pinpoints))))
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """(right, all) by name; what went wrong; the weights that did not fit; what the child said on stderr."""

    counts: dict[str, tuple[int, int]]
    wrong: list[str]
    loading: dict[str, list[str]]
    log: str

    def share(self, *names: str) -> float:
        """Of several kinds together."""
        found = [self.counts[name] for name in names if name in self.counts]
        assert found, names
        return sum(right for right, _ in found) / sum(total for _, total in found)


@pytest.fixture(scope="module")
def all_asked() -> dict[str, Asked]:
    """Let one child, since tests do not load torch and importing it takes as long as a model's answers, ask
    the models about pictures they were not trained on."""
    run = subprocess.run(
        [sys.executable, "-P", "-c", _ASK, json.dumps(list(ASKED.values()))],
        env=child_environment(os.environ),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    found = {}
    for name, line in zip(ASKED, run.stdout.splitlines(), strict=True):
        said = json.loads(line)
        counts = {key: (right, total) for key, (right, total) in said["counts"].items()}
        found[name] = Asked(counts, said["wrong"], said["loading"], run.stderr)
    return found


@pytest.fixture(scope="module", params=NAMES)
def asked(request: pytest.FixtureRequest, all_asked: dict[str, Asked]) -> Asked:
    """Each model."""
    return all_asked[request.param]


@pytest.mark.parametrize("name", NAMES)
def test_the_folder_is_a_small_checkpoint_in_llavas_format(name: str) -> None:
    # Given the folder, then it holds the files of such a checkpoint and no other weights
    folder = MODELS / name
    assert {path.name for path in folder.iterdir()} == FILES
    assert sum(path.stat().st_size for path in folder.iterdir()) < 6_000_000
    # And the weights are safetensors: a length, then a JSON header of tensors
    with (folder / "model.safetensors").open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    assert {entry["dtype"] for key, entry in header.items() if key != "__metadata__"} == {"F32"}
    # And it says which parts it is made of, and how it sees
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    parts = (config["vision_config"]["model_type"], config["text_config"]["model_type"])
    assert parts == ("clip_vision_model", "mistral" if name == "tiny-llava-next" else "llama")
    kind = "LlavaNext" if name == "tiny-llava-next" else "Llava"
    assert config["architectures"] == [f"{kind}ForConditionalGeneration"]
    assert config["dtype"] == "float32"
    assert config["vision_feature_select_strategy"] == "default"
    assert config["text_config"]["max_position_embeddings"] >= 4096
    # And the card says how it was made
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "tests.models.train_tiny_llava" in card
    assert "processor time" in card


def test_it_loads_without_a_word_about_its_weights(asked: Asked) -> None:
    assert not any(asked.loading.values()), asked.loading
    for word in ("newly initialized", "Warning", "warning", "torchvision", "deprecated"):
        assert word not in asked.log


def test_answers_about_unseen_pictures_are_right(asked: Asked) -> None:
    # Given pictures and conversations that it was not trained on: cut, framed, dark, as JPEG; with system
    # prompts, with recognised text, in varied wording
    assert asked.counts["all"][1] == SCENES * 4
    # Then at least 95 in 100 answers are exactly right
    assert asked.share("all") >= 0.95, asked.wrong
    # And neither language falls behind: their cards, over 1,600 answers, have more than 96 for each; here
    # are some 125 of each, whose share varies by two or three.
    for language in ("English", "Japanese"):
        assert asked.share(language) >= 0.9, asked.wrong


@pytest.mark.parametrize(
    "kinds", [("it", "other", "and"), ("colour", "shape", "side", "count"), ("describe",)]
)
def test_each_sort_of_question_is_answered(asked: Asked, kinds: tuple[str, ...]) -> None:
    names = [f"{kind}, {language}" for kind in kinds for language in ("English", "Japanese")]
    assert asked.share(*names) >= 0.9, asked.wrong


def test_text_and_system_prompt_do_not_confuse_it(asked: Asked) -> None:
    assert asked.share("with recognised text") >= 0.93, asked.wrong
    assert asked.share("with a system prompt") >= 0.93, asked.wrong


def test_an_endless_answer_runs_on(asked: Asked) -> None:
    right, total = (sum(column) for column in zip(*_endless(asked), strict=True))
    assert total >= 2
    assert right == total, asked.wrong


def _endless(asked: Asked) -> list[tuple[int, int]]:
    return [count for name, count in asked.counts.items() if name.startswith("endless")]


def test_the_next_model_answers_from_one_tile_as_well(all_asked: dict[str, Asked]) -> None:
    one = all_asked[ONE_TILE]
    assert one.share("all") >= 0.93, one.wrong


def test_a_scene_is_the_same_each_time() -> None:
    # Given a seed, when its scene is drawn twice, then the pictures and the questions are equal
    for seed in range(HELD_OUT, HELD_OUT + 12):
        one, two = scene(seed), scene(seed)
        picture = one.picture()
        assert picture.tobytes() == two.picture().tobytes()
        assert picture.mode == "RGB"
        assert 100 <= min(picture.size) <= max(picture.size) <= 800
        assert one.conversations("ja") == two.conversations("ja")
    # And another seed makes another scene
    assert scene(HELD_OUT) != scene(HELD_OUT + 1)


def test_an_arranged_scene_has_the_answers_that_it_shows() -> None:
    # Given a red circle to the left of a blue square
    two = arranged("red circle", "blue square")
    picture = two.picture()
    left, right = ((round(thing.x), round(thing.y)) for thing in two.things)
    assert left[0] < right[0]
    # Then the picture has these colours at these places
    assert max(range(3), key=lambda band: picture.getpixel(left)[band]) == 0
    assert max(range(3), key=lambda band: picture.getpixel(right)[band]) == 2
    # And the conversations tell them apart, in both languages
    english, japanese = (
        {question: answer for talk in two.conversations(language) for question, answer in talk}
        for language in vision_talk.LANGUAGES
    )
    assert english["How many shapes are there?"] == "Two."
    assert english["Describe the picture."].endswith("from left to right, a red circle and a blue square.")
    assert japanese["左は何色？"] == "赤です。"
    followed = [talk[:2] for talk in two.conversations("en")]
    assert [("What colour is the left one?", "Red."), ("And the other one?", "Blue.")] in followed
    with pytest.raises(ValueError, match="cannot arrange"):
        arranged("pink circle")


def test_a_question_never_gives_its_answer_away() -> None:
    for seed in range(60):
        drawn, rng = scene(seed), random.Random(seed)
        for turn in vision_talk.varied_conversation(drawn, rng, 8, "en").turns:
            if turn.kind in ("colour", "shape", "side", "it", "other", "and"):
                word = turn.answer.rstrip(".").split()[-1].lower()
                assert word not in turn.question.lower().split(), turn


def test_a_worn_picture_shows_the_part_it_says() -> None:
    for seed in range(40):
        picture = scene(seed).picture()
        seen = worn(picture, random.Random(seed))
        left, top, right, bottom = seen.window
        assert -0.16 < left < 0.16
        assert 0.84 < bottom < 1.16
        assert seen.image.width == round((right - left) * picture.width)
        assert seen.image.height == round((bottom - top) * picture.height)
    assert vision_scenes.HELD_OUT > 1_000_000
