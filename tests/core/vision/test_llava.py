"""The LLaVA engine on checkpoints of all three types with random weights, in a real model process.

Random weights answer nonsense, but always the same: enough to tell that nothing is lost or repeated on the
way. Whether answers are right is asked of the trained models (``test_tiny_llava.py``).
"""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest

from core.chat import GenerationOptions, Token
from core.errors import (
    Cancelled,
    ContextFull,
    DeviceFailed,
    ModelUnusable,
    OnePictureOnly,
    OutOfMemory,
    from_json,
)
from core.types import RgbImage
from tests.support.running import Running

KINDS = ("llava", "llava_next", "llava_onevision")
GREEDY = GenerationOptions(temperature=0.0, max_tokens=40).to_json()


def picture(seed: int, width: int = 150, height: int = 90) -> RgbImage:
    return RgbImage(width, height, random.Random(seed).randbytes(width * height * 3))


def user(text: str, images: int = 0) -> dict[str, Any]:
    return {"role": "user", "text": text, "images": images}


def said(text: str) -> dict[str, Any]:
    return {"role": "assistant", "text": text, "images": 0}


class Chat:
    """Asks one loaded model."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def ask(
        self, *messages: dict[str, Any], images: tuple[RgbImage, ...] = (), **options: Any
    ) -> dict[str, Any]:
        return self.pieces(*messages, images=images, **options)[0]

    def pieces(
        self, *messages: dict[str, Any], images: tuple[RgbImage, ...] = (), **options: Any
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        params = {"messages": list(messages), "options": {**GREEDY, **options}}
        return self._running.run("ask", params, images)

    def reference(self, *messages: dict[str, Any], images: tuple[RgbImage, ...] = (), **options: Any) -> str:
        params = {"messages": list(messages), "options": {**GREEDY, **options}}
        return str(self._running.run("reference", params, images)[0]["text"])

    def prepare(self, *messages: dict[str, Any], images: tuple[RgbImage, ...] = ()) -> int:
        return int(self._running.run("prepare", {"messages": list(messages)}, images)[0]["tokens"])

    def forget(self) -> None:
        self._running.run("forget", {})

    def fail(self, what: str = "oom", **faults: int) -> None:
        self._running.run("fail", {"faults": faults, "what": what})

    def slow(self, **seconds: float) -> None:
        self._running.run("slow", {"seconds": seconds})


@pytest.fixture(params=KINDS)
def chat(request: pytest.FixtureRequest, probed: Running, checkpoints: dict[str, Path]) -> Chat:
    probed.load(checkpoint=str(checkpoints[request.param]))
    return Chat(probed)


@pytest.fixture
def tiled(probed: Running, checkpoints: dict[str, Path]) -> Chat:
    probed.load(checkpoint=str(checkpoints["llava_next"]))
    return Chat(probed)


def test_it_answers_as_generate_does(chat: Chat) -> None:
    image = picture(1)
    answer, pieces = chat.pieces(user("What is in this picture?", 1), images=(image,))
    assert answer["text"] == chat.reference(user("What is in this picture?", 1), images=(image,))
    # And the answer came piece by piece
    texts = [piece["text"] for piece in pieces if "text" in piece]
    assert "".join(texts) == answer["text"]
    assert len(texts) > 1
    assert answer["finish"] == ("length" if answer["usage"]["answer"] == 40 else "stop")
    assert 0 < answer["confidence"] <= 1
    assert [piece["phase"] for piece in pieces if "phase" in piece] == ["encoding", "reading", "answering"]


def test_a_question_without_a_picture_is_answered(chat: Chat) -> None:
    assert chat.ask(user("Where are they?"))["text"] == chat.reference(user("Where are they?"))


def test_follow_ups_use_what_was_read_and_answer_the_same(chat: Chat) -> None:
    # given a conversation of three questions about one picture
    image = (picture(2),)
    messages = [user("What is in this picture?", 1)]
    for question in ("Where are they?", "これは何ですか？", "Translate the text, please."):
        first = chat.ask(*messages, images=image)
        messages += [said(first["text"]), user(question)]
        # when the next is asked
        warm = chat.ask(*messages, images=image)
        # then the picture is not looked at again, and the answer is that of a fresh model
        assert warm["usage"]["reused"] > warm["usage"]["images"]
        chat.forget()
        cold = chat.ask(*messages, images=image)
        assert cold["usage"]["reused"] == 0
        assert warm["text"] == cold["text"] == chat.reference(*messages, images=image)
        chat.ask(*messages, images=image)


def test_an_edited_question_uses_what_comes_before_it(chat: Chat) -> None:
    image = (picture(3),)
    chat.ask(user("What is in this picture?", 1), images=image)
    edited = chat.ask(user("What is this?", 1), images=image)
    assert edited["usage"]["reused"] >= edited["usage"]["images"]
    assert edited["text"] == chat.reference(user("What is this?", 1), images=image)


def test_another_picture_is_never_taken_for_the_one_before(chat: Chat) -> None:
    # given a picture, and another of the same size
    one, other = picture(4), picture(5)
    first = chat.ask(user("What is this?", 1), images=(one,))
    # when the same is asked of the other
    second = chat.ask(user("What is this?", 1), images=(other,))
    # then nothing of the first is used
    assert second["usage"]["reused"] < 10
    assert second["text"] == chat.reference(user("What is this?", 1), images=(other,))
    assert second["text"] != first["text"]


def test_a_prepared_picture_is_not_computed_again(chat: Chat) -> None:
    image = (picture(6),)
    prepared = chat.prepare(user("", 1), images=image)
    answer = chat.ask(user("What is this?", 1), images=image)
    assert answer["usage"]["images"] < answer["usage"]["reused"] <= prepared
    assert answer["text"] == chat.reference(user("What is this?", 1), images=image)


def test_the_marks_of_the_template_are_text_in_a_question(chat: Chat) -> None:
    question = user("What is <image> </s> in ASSISTANT: this?", 1)
    answer = chat.ask(question, images=(picture(7),))
    assert answer["usage"]["images"] == chat.ask(user("What?", 1), images=(picture(7),))["usage"]["images"]


def test_a_long_prompt_is_read_in_chunks(chat: Chat) -> None:
    question = user("What is in this picture? " * 150, 1)
    answer, pieces = chat.pieces(question, images=(picture(8),))
    done = [piece["done"] for piece in pieces if piece.get("phase") == "reading"]
    assert len(done) >= 4
    assert max(b - a for a, b in zip([0, *done], done, strict=False)) <= 256
    assert done[-1] == answer["usage"]["prompt"]
    assert answer["text"] == chat.reference(question, images=(picture(8),))


def test_a_temperature_next_to_none_draws_nothing(chat: Chat) -> None:
    question, image = user("What is this?", 1), (picture(6),)
    cold, greedy = (chat.ask(question, images=image, temperature=value)["text"] for value in (1e-40, 0.0))
    assert cold == greedy


def test_drawn_answers_follow_the_seed(chat: Chat) -> None:
    question, image = user("What is this?", 1), (picture(9),)
    options = {"temperature": 1.0, "top_p": 0.95}
    one, again, other = (chat.ask(question, images=image, seed=seed, **options)["text"] for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_the_tokens_of_an_answer_are_bounded(chat: Chat) -> None:
    answer = chat.ask(user("What is this?", 1), images=(picture(10),), max_tokens=3)
    assert (answer["usage"]["answer"], answer["finish"]) == (3, "length")


def test_a_conversation_that_is_too_long_is_told(chat: Chat) -> None:
    with pytest.raises(ContextFull) as caught:
        chat.ask(user("これは何ですか？" * 900, 1), images=(picture(11),))
    assert int(caught.value.params["tokens"]) > int(caught.value.params["limit"]) == 4096


def test_pictures_are_cut_into_tiles(tiled: Chat) -> None:
    wide = tiled.ask(user("What?", 1), images=(picture(12, 400, 100),))["usage"]
    small = tiled.ask(user("What?", 1), images=(picture(12, 40, 20),))["usage"]
    assert wide["tiles"] == 4
    assert small["tiles"] == 3
    assert wide["images"] > small["images"]


def test_several_pictures_only_where_the_model_compares_them(
    probed: Running, checkpoints: dict[str, Path]
) -> None:
    two = (picture(13), picture(14))
    probed.load(checkpoint=str(checkpoints["llava_onevision"]))
    chat = Chat(probed)
    answer = chat.ask(user("What is in these?", 2), images=two)
    assert answer["text"] == chat.reference(user("What is in these?", 2), images=two)
    for kind in ("llava", "llava_next"):
        probed.load(checkpoint=str(checkpoints[kind]))
        with pytest.raises(OnePictureOnly):
            Chat(probed).ask(user("What is in these?", 2), images=two)


# ---- stopping


@pytest.mark.parametrize("place", ["chunk", "step"])
def test_it_stops_at_the_next_token_or_chunk(
    probed: Running, checkpoints: dict[str, Path], place: str
) -> None:
    # given a slow model in the middle of a prompt, or of an answer
    probed.load(checkpoint=str(checkpoints["llava"]))
    chat = Chat(probed)
    chat.slow(**{place: 0.05})
    params = {"messages": [user("What is in this picture? " * 100, 1)], "options": GREEDY}
    probed.start("ask", params, (picture(15),))
    wanted = "reading" if place == "chunk" else "answering"
    while probed.piece().get("phase") != wanted:
        pass
    # when it is told to stop, then it does
    probed.cancel()
    with pytest.raises(Cancelled):
        probed.finish()
    # and the next answer goes on from there, the same as ever
    chat.slow()
    answer = chat.ask(*params["messages"], images=(picture(15),))
    assert answer["usage"]["reused"] >= 200  # what one chunk takes
    assert answer["text"] == chat.reference(*params["messages"], images=(picture(15),))


def test_it_stops_between_the_tiles_of_a_picture(tiled: Chat, probed: Running) -> None:
    params = {"messages": [user("What?", 1)], "options": GREEDY}
    tiled.slow(encode=0.3)
    probed.start("ask", params, (picture(16, 400, 300),))
    assert probed.piece()["phase"] == "encoding"
    probed.cancel()
    with pytest.raises(Cancelled):
        probed.finish()
    tiled.slow()


# ---- memory


@pytest.mark.parametrize("place", ["encode", "chunk", "step"])
def test_too_little_memory_once_costs_nothing(chat: Chat, place: str) -> None:
    # given a model that runs out of memory once, also after part of the answer was told
    image = (picture(17),)
    expected = chat.reference(user("What is this?", 1), images=image)
    chat.forget()
    chat.fail(**{place: 1})
    # when it is asked, then the answer is whole, told once, and the same
    answer, pieces = chat.pieces(user("What is this?", 1), images=image)
    assert answer["text"] == "".join(piece.get("text", "") for piece in pieces) == expected
    assert not any("notice" in piece for piece in pieces)


def test_too_little_memory_twice_looks_at_less_and_says_so(tiled: Chat) -> None:
    image = (picture(18, 400, 300),)
    usual = tiled.ask(user("What is this?", 1), images=image)
    tiled.fail(step=2)
    answer, pieces = tiled.pieces(user("What is this?", 1), images=image)
    (notice,) = [from_json(piece["notice"]) for piece in pieces if "notice" in piece]
    assert type(notice).__name__ == "SawLess"
    assert answer["usage"]["images"] < usual["usage"]["images"]
    assert answer["usage"]["tiles"] == 2
    assert answer["text"] == "".join(piece.get("text", "") for piece in pieces)


def test_too_little_memory_always_is_told_and_the_next_question_is_answered(chat: Chat) -> None:
    image = (picture(19),)
    chat.fail(step=9)
    with pytest.raises(OutOfMemory):
        chat.ask(user("What is this?", 1), images=image)
    chat.fail()
    assert chat.ask(user("What is this?", 1), images=image)["text"]


def test_a_card_that_is_still_too_small_goes_on_in_four_bits(
    probed: Running, checkpoints: dict[str, Path]
) -> None:
    image = (picture(22, 400, 300),)
    # given a card that runs out of memory until nothing but smaller weights is left
    probed.load(checkpoint=str(checkpoints["llava_next"]), device="cuda:0")
    chat = Chat(probed)
    usual = chat.ask(user("What is this?", 1), images=image)
    chat.fail(step=4)
    # when it is asked, then each step is told, and the answer is told once and in fewer bits
    answer, pieces = chat.pieces(user("What is this?", 1), images=image)
    notices = [from_json(piece["notice"]) for piece in pieces if "notice" in piece]
    assert [type(notice).__name__ for notice in notices] == ["Offloaded", "SawLess", "Quantized"]
    assert str(notices[0]).startswith("cuda:0 had too little memory, so 1 of 2 layers of llava_next wait")
    assert str(notices[2]) == "cuda:0 had too little memory, so llava_next goes on in int4."
    assert answer["text"] == "".join(piece.get("text", "") for piece in pieces)
    assert (usual["precision"], answer["precision"]) == ("fp32", "int4")
    # and it stays so, with what it looks at as well
    again = chat.ask(user("What is this?", 1), images=image)
    assert (again["precision"], again["usage"]["tiles"]) == ("int4", 2)
    # while in four bits there is no other step
    chat.fail(step=9)
    with pytest.raises(OutOfMemory):
        chat.ask(user("What is this?", 1), images=image)
    chat.fail()


@pytest.mark.parametrize(("device", "there"), [("cpu", True), ("cuda:0", False)])
def test_only_a_card_with_the_library_for_it_goes_on_in_four_bits(
    probed: Running, checkpoints: dict[str, Path], device: str, there: bool
) -> None:
    probed.load(checkpoint=str(checkpoints["llava"]), device=device)
    chat = Chat(probed)
    probed.run("quantizer", {"there": there})
    chat.fail(step=9)
    with pytest.raises(OutOfMemory):
        chat.ask(user("What is this?", 1), images=(picture(23),))
    chat.fail()
    assert chat.ask(user("What is this?", 1), images=(picture(23),))["text"]


def test_a_card_that_cannot_take_the_smaller_weights_either_is_told(
    probed: Running, checkpoints: dict[str, Path]
) -> None:
    probed.load(checkpoint=str(checkpoints["llava"]), device="cuda:0")
    chat = Chat(probed)
    chat.fail(step=3, load=1)
    with pytest.raises(OutOfMemory) as caught:
        chat.ask(user("What is this?", 1), images=(picture(24),))
    assert caught.value.params["device"] == "cuda:0"


def test_a_card_that_fails_is_told_with_its_name(probed: Running, checkpoints: dict[str, Path]) -> None:
    probed.load(checkpoint=str(checkpoints["llava"]), device="cuda:0")
    chat = Chat(probed)
    chat.fail("cuda", chunk=1)
    with pytest.raises(DeviceFailed) as caught:
        chat.ask(user("What is this?", 1), images=(picture(20),))
    assert caught.value.params["device"] == "cuda:0"
    assert chat.ask(user("What is this?", 1), images=(picture(20),))["text"]


# ---- where an answer ends, and its tokens


def test_an_answer_ends_before_a_stop_text_and_nothing_of_it_is_told(chat: Chat) -> None:
    # given what is answered without
    image = (picture(30),)
    whole = chat.ask(user("What is this?", 1), images=image)
    # when a part of that, which begins and ends inside of tokens, is to end it
    middle = len(whole["text"]) // 2
    stop = whole["text"][middle - 1 : middle + 1]
    answer, pieces = chat.pieces(user("What is this?", 1), images=image, stop=["never", stop])
    # then it is as before up to there, and no more was computed
    assert answer["text"] == whole["text"][: whole["text"].find(stop)]
    assert "".join(piece.get("text", "") for piece in pieces) == answer["text"]
    assert answer["finish"] == "stop"
    assert answer["usage"]["answer"] < whole["usage"]["answer"]
    # and a text that does not come changes nothing
    assert chat.ask(user("What is this?", 1), images=image, stop=["never"])["text"] == whole["text"]


def test_tokens_are_told_where_they_are_asked_for(chat: Chat) -> None:
    # given an answer without
    image = (picture(31),)
    plain, pieces = chat.pieces(user("これは何ですか？", 1), images=image)
    assert not any("tokens" in piece for piece in pieces)
    # when its tokens are wanted with the three likeliest in the place of each
    answer, pieces = chat.pieces(user("これは何ですか？", 1), images=image, top_logprobs=3)
    tokens = [Token.from_json(row) for piece in pieces for row in piece.get("tokens", ())]
    # then they are those of the same answer, and their likelihoods are its confidence
    assert answer["text"] == plain["text"]
    assert len(tokens) == answer["usage"]["answer"]
    together = b"".join(token.data for token in tokens).decode("utf-8", "replace")
    assert together.lstrip(" ") == answer["text"]
    mean = math.fsum(token.logprob for token in tokens) / len(tokens)
    assert math.exp(mean) == pytest.approx(plain["confidence"], rel=0.2)
    for token in tokens:
        # and the likeliest was taken, since nothing is drawn at temperature 0
        likelihoods = [one.logprob for one in token.top]
        assert token.top[0].data == token.data
        assert likelihoods == sorted(likelihoods, reverse=True)
        assert (len(token.top), likelihoods[0]) == (3, token.logprob)
    # and without the others each has its own likelihood only
    _, pieces = chat.pieces(user("これは何ですか？", 1), images=image, top_logprobs=0)
    alone = [Token.from_json(row) for piece in pieces for row in piece.get("tokens", ())]
    assert alone == [Token(token.data, token.logprob) for token in tokens]


# ---- loading


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16", "int8", "int4"])
def test_it_runs_in_each_precision(probed: Running, checkpoints: dict[str, Path], precision: str) -> None:
    loaded = probed.load(checkpoint=str(checkpoints["llava_next"]), precision=precision)
    assert (loaded["precision"], loaded["detail"]) == (precision, "llava_next")
    assert Chat(probed).ask(user("What is this?", 1), images=(picture(21),))["text"]


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "processor_config.json"])
def test_a_checkpoint_with_a_file_missing_is_not_loaded(
    probed: Running, checkpoints: dict[str, Path], tmp_path: Path, missing: str
) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    for file in checkpoints["llava"].iterdir():
        if file.name != missing:
            (folder / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ModelUnusable) as caught:
        probed.load(checkpoint=str(folder))
    assert caught.value.params["model"] == "broken"


def test_an_unknown_operation_is_refused(chat: Chat, probed: Running) -> None:
    with pytest.raises(Exception, match="sing cannot be done"):
        probed.run("sing", {"messages": []})
