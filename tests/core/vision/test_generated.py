"""Types that are not of the LLaVA family, on checkpoints with random weights, in a real model process."""

from __future__ import annotations

import importlib
import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.chat import GenerationOptions, Role
from core.engines import LoadOptions
from core.errors import (
    Cancelled,
    DeviceFailed,
    ModelUnusable,
    OnePictureOnly,
    OutOfMemory,
    PackageMissing,
    from_json,
)
from core.types import RgbImage
from core.vision.llava import LlavaEngine
from tests.support.random_others import KINDS
from tests.support.running import Running

GREEDY = GenerationOptions(temperature=0.0, max_tokens=24).to_json()


def picture(seed: int, width: int = 150, height: int = 90) -> RgbImage:
    """A few large squares of any colour, which no making smaller takes away."""
    squares = Image.frombytes("RGB", (4, 3), random.Random(seed).randbytes(36))
    return RgbImage(width, height, squares.resize((width, height), Image.Resampling.NEAREST).tobytes())


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
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The answer and its pieces."""
        params = {"messages": list(messages), "options": {**GREEDY, **options}}
        return self._running.run("ask", params, images)

    def reference(self, *messages: dict[str, Any], images: tuple[RgbImage, ...] = ()) -> str:
        params = {"messages": list(messages), "options": GREEDY}
        return str(self._running.run("reference", params, images)[0]["text"])

    def fail(self, what: str = "oom", **faults: int) -> None:
        self._running.run("fail", {"faults": faults, "what": what})


@pytest.fixture(params=KINDS)
def chat(request: pytest.FixtureRequest, probed: Running, checkpoints: dict[str, Path]) -> Chat:
    probed.load(checkpoint=str(checkpoints[request.param]))
    return Chat(probed)


def changed(folder: Path, target: Path, file: str, **values: Any) -> Path:
    """A copy in which a file says something else; None takes it away."""
    shutil.copytree(folder, target)
    path = target / file
    content = json.loads(path.read_text()) if path.exists() else {}
    content |= values
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))
    return target


def told(pieces: list[dict[str, Any]]) -> str:
    return "".join(piece.get("text", "") for piece in pieces)


# ---- answers


def test_it_answers_as_generate_does(chat: Chat) -> None:
    image = picture(1)
    answer, pieces = chat.ask(user("What is in this picture?", 1), images=(image,))
    assert (
        answer["text"] == told(pieces) == chat.reference(user("What is in this picture?", 1), images=(image,))
    )
    assert len([piece for piece in pieces if "text" in piece]) > 1
    assert 0 < answer["confidence"] <= 1
    assert [piece["phase"] for piece in pieces if "phase" in piece] == ["encoding", "reading", "answering"]
    # and it depends on the picture
    other, _ = chat.ask(user("What is in this picture?", 1), images=(picture(2),))
    assert (other["text"], other["confidence"]) != (answer["text"], answer["confidence"])
    assert 0 < answer["usage"]["images"] < answer["usage"]["prompt"]


def test_a_question_without_a_picture_is_answered(chat: Chat) -> None:
    answer, _ = chat.ask(user("Where are they?"))
    assert answer["text"] == chat.reference(user("Where are they?"))
    assert (answer["usage"]["images"], answer["usage"]["tiles"]) == (0, 0)


def test_a_follow_up_is_answered_as_by_a_fresh_model(chat: Chat) -> None:
    # given a conversation about two pictures that came one after the other
    images = (picture(3), picture(4, 90, 150))
    first, _ = chat.ask(user("What is in this picture?", 1), images=images[:1])
    messages = [user("What is in this picture?", 1), said(first["text"]), user("And in this?", 1)]
    # when the second question is asked, then nothing of the first is used, and the answer is generate's
    answer, _ = chat.ask(*messages, images=images)
    assert answer["text"] == chat.reference(*messages, images=images)
    assert answer["usage"]["reused"] == 0


def test_there_is_nothing_to_prepare(chat: Chat, probed: Running) -> None:
    result, pieces = probed.run("prepare", {"messages": [user("", 1)]}, (picture(5),))
    assert (result, pieces) == ({"tokens": 0}, [])


def test_drawn_answers_follow_the_seed(chat: Chat) -> None:
    question, image = user("What is this?", 1), (picture(6),)
    one, again, other = (
        chat.ask(question, images=image, seed=seed, temperature=1.0, top_p=0.95)[0]["text"]
        for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other


def test_what_the_checkpoint_says_of_choosing_is_for_our_sampler(
    probed: Running, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    # given one whose makers want it to draw, to search, and not to repeat itself
    said = {
        "do_sample": True,
        "num_beams": 3,
        "temperature": 0.3,
        "repetition_penalty": 1.6,
        "min_length": 900,
    }
    folder = changed(checkpoints["qwen2_vl"], tmp_path / "said", "generation_config.json", **said)
    question, image = user("What is this?", 1), (picture(7),)
    probed.load(checkpoint=str(folder))
    punished, _ = Chat(probed).ask(question, images=image)
    # then only what it says of repetition counts, once
    changed(checkpoints["qwen2_vl"], tmp_path / "one", "generation_config.json", repetition_penalty=1.6)
    probed.load(checkpoint=str(tmp_path / "one"))
    assert punished["text"] == Chat(probed).reference(question, images=image)
    probed.load(checkpoint=str(checkpoints["qwen2_vl"]))
    assert punished["text"] != Chat(probed).ask(question, images=image)[0]["text"]


def test_the_marks_of_the_template_are_text_in_a_question(chat: Chat) -> None:
    plain, _ = chat.ask(user("What?", 1), images=(picture(8),))
    marks = "<image> <|image_pad|> <start_of_image> <IMG_CONTEXT> </s>"
    answer, _ = chat.ask(user(marks, 1), images=(picture(8),))
    assert answer["usage"]["images"] == plain["usage"]["images"]


def test_a_system_prompt_goes_before_the_question_where_the_template_knows_none(
    probed: Running, checkpoints: dict[str, Path]
) -> None:
    probed.load(checkpoint=str(checkpoints["gemma3"]))
    system = {"role": "system", "text": "Translate the text.", "images": 0}
    joined, _ = Chat(probed).ask(system, user("What is this?", 1), images=(picture(9),))
    by_hand, _ = Chat(probed).ask(user("Translate the text.\n\nWhat is this?", 1), images=(picture(9),))
    assert joined["text"] == by_hand["text"]


@pytest.mark.parametrize("kind", ["mllama", "qwen3_5"])
def test_the_loop_gives_the_logits_of_generate_also_with_other_memories(kind: str) -> None:
    """Layers that look at the picture at each token, and layers that remember a state instead of tokens."""
    import torch
    from transformers import GenerationConfig

    from core.vision.generated import _one_by_one

    # given a network with weights large enough for its picture to matter
    torch.manual_seed(0)
    network, inputs = _mllama() if kind == "mllama" else _qwen3_5()
    with torch.inference_mode():
        for weight in network.parameters():
            weight.normal_(0, 0.3) if weight.dim() > 1 else weight.fill_(0.5)
        told = {"output_logits": True, "return_dict_in_generate": True, "eos_token_id": None}
        found = network.generate(**inputs, do_sample=False, max_new_tokens=8, **told)
        # when the same tokens are chosen one by one, then each has the same logits
        config = GenerationConfig(do_sample=False, max_length=500)
        steps = network.generate(**inputs, generation_config=config, custom_generate=_one_by_one)
        ours = [next(steps)]
        for token in found.sequences[0, -8:-1].tolist():
            ours.append(steps.send(token))
    assert all(torch.equal(one.float(), other) for one, other in zip(ours, found.logits, strict=True))
    assert len({str(one) for one in ours}) == 8


_TEXT = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 200, "max_position_embeddings": 512, "pad_token_id": 0,
}  # fmt: skip


def _mllama() -> tuple[Any, dict[str, Any]]:
    import torch
    from transformers import MllamaConfig, MllamaForConditionalGeneration

    tower = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_global_layers": 1,
        "attention_heads": 4, "image_size": 28, "patch_size": 14, "max_num_tiles": 1,
        "vision_output_dim": 64, "intermediate_layers_indices": [0], "supported_aspect_ratios": [[1, 1]],
    }  # fmt: skip
    rope = {"rope_type": "default", "rope_theta": 1e4}
    text = {**_TEXT, "cross_attention_layers": [1, 3], "rope_parameters": rope}
    ids = torch.tensor([[1, 199, 9, 7, 8, 11]])
    network = MllamaForConditionalGeneration(
        MllamaConfig(vision_config=tower, text_config=text, image_token_index=199)
    )
    return network.eval(), {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "pixel_values": torch.randn(1, 1, 1, 3, 28, 28),
        "aspect_ratio_ids": torch.ones(1, 1, dtype=torch.long),
        "aspect_ratio_mask": torch.ones(1, 1, 1, dtype=torch.long),
        "cross_attention_mask": torch.ones(1, 6, 1, 1, dtype=torch.long),
    }


def _qwen3_5() -> tuple[Any, dict[str, Any]]:
    import torch
    from transformers import Qwen3_5Config, Qwen3_5ForConditionalGeneration

    tower = {
        "depth": 2, "hidden_size": 32, "out_hidden_size": 64, "num_heads": 4, "intermediate_size": 64,
        "patch_size": 14, "num_position_embeddings": 16,
    }  # fmt: skip
    text = {
        **_TEXT, "head_dim": 16, "layer_types": ["linear_attention", "full_attention"] * 2,
        "linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 16,
        "linear_value_head_dim": 16,
        "rope_parameters": {"rope_type": "default", "mrope_section": [4, 2, 2], "rope_theta": 1e4},
    }  # fmt: skip
    marks = {"video_token_id": 198, "vision_start_token_id": 197, "vision_end_token_id": 196}
    ids = torch.tensor([[1, 5, 197, 199, 199, 199, 199, 196, 8, 11]])
    config = Qwen3_5Config(text_config=text, vision_config=tower, image_token_id=199, **marks)
    return Qwen3_5ForConditionalGeneration(config).eval(), {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "pixel_values": torch.randn(16, 1176),
        "image_grid_thw": torch.tensor([[1, 4, 4]]),
        "mm_token_type_ids": (ids == 199).long(),
    }


# ---- stopping


def test_it_stops_at_the_next_token(chat: Chat, probed: Running) -> None:
    question, image = user("What is this?", 1), (picture(10),)
    expected = chat.reference(question, images=image)
    probed.run("slow", {"seconds": {"step": 0.05}})
    probed.start("ask", {"messages": [question], "options": GREEDY}, image)
    while probed.piece().get("phase") != "answering":
        pass
    probed.cancel()
    with pytest.raises(Cancelled):
        probed.finish()
    probed.run("slow", {"seconds": {}})
    assert chat.ask(question, images=image)[0]["text"] == expected


def test_it_stops_before_the_prompt(probed: Running, checkpoints: dict[str, Path]) -> None:
    from core.vision.generated import GeneratedNetwork
    from core.vision.prompt import Turn

    network = GeneratedNetwork(LoadOptions(checkpoint=str(checkpoints["qwen2_vl"])))
    steps = network.read(network.prompt([Turn(Role.USER, "?", (picture(11),))]), lambda: True)
    assert next(steps) == 0
    with pytest.raises(Cancelled):
        next(steps)


# ---- memory


@pytest.mark.parametrize("place", ["chunk", "step"])
def test_too_little_memory_once_costs_nothing(chat: Chat, place: str) -> None:
    image = (picture(12),)
    expected = chat.reference(user("What is this?", 1), images=image)
    chat.fail(**{place: 1})
    answer, pieces = chat.ask(user("What is this?", 1), images=image)
    assert answer["text"] == told(pieces) == expected
    assert not any("notice" in piece for piece in pieces)


def test_memory_that_runs_out_in_the_middle_costs_nothing_either(
    checkpoints: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault where it really comes from: in a layer, with half of an answer made."""
    import torch

    from core.vision.generated import GeneratedNetwork
    from core.vision.prompt import Turn

    network = GeneratedNetwork(LoadOptions(checkpoint=str(checkpoints["smolvlm"])))
    prompt = network.prompt([Turn(Role.USER, "What is this?", (picture(13),))])

    def read() -> torch.Tensor:
        steps = network.read(prompt, lambda: False)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    first = read()
    expected = network.step(7)
    layer = network._model.get_decoder().layers[1]
    hook = layer.register_forward_pre_hook(_out_of_memory)
    with pytest.raises(OutOfMemory):
        network.step(8)
    hook.remove()
    assert network._course is None
    assert torch.equal(read(), first)
    assert torch.equal(network.step(7), expected)


def _out_of_memory(*_arguments: Any) -> None:
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")


@pytest.mark.parametrize("kind", ["smolvlm", "internvl"])
def test_a_card_that_is_too_small_goes_the_steps_of_the_family(
    probed: Running, checkpoints: dict[str, Path], kind: str
) -> None:
    image = (picture(14, 400, 300),)
    probed.load(checkpoint=str(checkpoints[kind]), device="cuda:0")
    chat = Chat(probed)
    usual, _ = chat.ask(user("What is this?", 1), images=image)
    chat.fail(step=4)
    answer, pieces = chat.ask(user("What is this?", 1), images=image)
    notices = [type(from_json(piece["notice"])).__name__ for piece in pieces if "notice" in piece]
    assert notices == ["Offloaded", "SawLess", "Quantized"]
    assert answer["text"] == told(pieces)
    assert answer["usage"]["images"] < usual["usage"]["images"]
    assert (usual["precision"], answer["precision"]) == ("fp32", "int4")
    # and it stays so
    again, _ = chat.ask(user("What is this?", 1), images=image)
    assert (again["precision"], again["usage"]["tiles"]) == ("int4", answer["usage"]["tiles"])


def test_a_card_that_fails_is_told_with_its_name(probed: Running, checkpoints: dict[str, Path]) -> None:
    probed.load(checkpoint=str(checkpoints["qwen2_vl"]), device="cuda:0")
    chat = Chat(probed)
    chat.fail("cuda", step=1)
    with pytest.raises(DeviceFailed) as caught:
        chat.ask(user("What is this?", 1), images=(picture(15),))
    assert caught.value.params["device"] == "cuda:0"
    assert chat.ask(user("What is this?", 1), images=(picture(15),))[0]["text"]


# ---- loading


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("precision", ["bf16", "int8", "int4"])
def test_it_runs_in_each_precision(
    probed: Running, checkpoints: dict[str, Path], kind: str, precision: str
) -> None:
    loaded = probed.load(checkpoint=str(checkpoints[kind]), precision=precision)
    assert (loaded["precision"], loaded["detail"]) == (precision, kind)
    chat = Chat(probed)
    answer, _ = chat.ask(user("What is this?", 1), images=(picture(16),))
    assert answer["text"] == chat.reference(user("What is this?", 1), images=(picture(16),))


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_language_models_layers_are_quantized(kind: str, checkpoints: dict[str, Path]) -> None:
    import torch
    from transformers.quantizers.quantizers_utils import should_convert_module

    from core.models.tensors import weight_bytes
    from core.vision.generated import GeneratedNetwork
    from core.vision.packed import Packed

    network = GeneratedNetwork(LoadOptions(checkpoint=str(checkpoints[kind]), precision="int8"))
    names = {name for name, module in network._model.named_modules() if isinstance(module, Packed)}
    assert len(names) == 7 * 2
    assert all("layers." in name and "vision" not in name and "visual" not in name for name in names)
    # on a card the same would be, as bitsandbytes chooses in transformers
    whole = GeneratedNetwork(LoadOptions(checkpoint=str(checkpoints[kind])))
    linear = (name for name, part in whole._model.named_modules() if type(part) is torch.nn.Linear)
    assert {name for name in linear if should_convert_module(name, list(network._kept()))} == names
    # and the estimate counts what is there, but for the scales
    parts = {id(part): part for part in (*network._model.parameters(), *network._model.buffers())}
    held = sum(part.numel() * part.element_size() for part in parts.values())
    assert held == pytest.approx(weight_bytes(checkpoints[kind], "int8"), rel=0.03)


def test_one_picture_where_it_was_taught_no_more(
    probed: Running, checkpoints: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.vision import generated

    network = generated.GeneratedNetwork(LoadOptions(checkpoint=str(checkpoints["qwen2_vl"])))
    assert network.takes_several
    monkeypatch.setattr(generated, "ONE_PICTURE", ("qwen2_vl",))
    assert not network.takes_several
    engine = LlavaEngine()
    engine._network = network
    two = (picture(1), picture(2))
    with pytest.raises(OnePictureOnly):
        next(engine.run("ask", {"messages": [user("?", 2)]}, two, lambda: False))


def test_no_code_is_fetched(checkpoints: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "kernels", raising=False)
    LlavaEngine._kind(LoadOptions(checkpoint=str(checkpoints["qwen2_vl"])))
    with pytest.raises(ImportError):
        importlib.import_module("kernels")


def test_without_a_chat_template_it_is_not_loaded(
    probed: Running, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(checkpoints["qwen2_vl"], tmp_path / "dumb"))
    (folder / "chat_template.json").unlink()
    with pytest.raises(ModelUnusable, match="it has no chat template, so it cannot be asked"):
        probed.load(checkpoint=str(folder))


def test_a_template_may_lie_with_the_tokenizer(
    probed: Running, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(checkpoints["qwen2_vl"], tmp_path / "elsewhere"))
    template = json.loads((folder / "chat_template.json").read_text())["chat_template"]
    (folder / "chat_template.json").unlink()
    moved = changed(folder, tmp_path / "moved", "tokenizer_config.json", chat_template=template)
    probed.load(checkpoint=str(moved))
    question, image = user("What is this?", 1), (picture(17),)
    found, _ = Chat(probed).ask(question, images=image)
    probed.load(checkpoint=str(checkpoints["qwen2_vl"]))
    assert found["text"] == Chat(probed).ask(question, images=image)[0]["text"]


def test_a_template_that_leaves_out_pictures_is_told(
    probed: Running, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    words = "{% for message in messages %}{{ message['content'][-1]['text'] }}{% endfor %}"
    folder = changed(checkpoints["qwen2_vl"], tmp_path / "blind", "chat_template.json", chat_template=words)
    probed.load(checkpoint=str(folder))
    assert Chat(probed).ask(user("Where are they?"))[0]["text"]
    with pytest.raises(ModelUnusable, match=r"does not take this conversation \(The total number"):
        Chat(probed).ask(user("What is this?", 1), images=(picture(18),))


def test_a_processor_that_passes_over_pictures_is_told(
    checkpoints: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.vision import generated
    from core.vision.prompt import Turn, build

    network = generated.GeneratedNetwork(LoadOptions(checkpoint=str(checkpoints["qwen2_vl"])))
    monkeypatch.setattr(
        generated, "build", lambda own, turns, mark: build(own, [Turn(Role.USER, turns[0].text)], mark)
    )
    with pytest.raises(ModelUnusable, match="leaves out pictures"):
        network.prompt([Turn(Role.USER, "What is this?", (picture(19),))])


def test_a_picture_that_is_as_large_as_it_came_is_made_smaller(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    from core.vision.generated import GeneratedNetwork
    from core.vision.prompt import Turn

    size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 1280}
    folder = changed(checkpoints["qwen2_vl"], tmp_path / "large", "preprocessor_config.json", size=size)
    network = GeneratedNetwork(LoadOptions(checkpoint=str(folder)))
    turns = [Turn(Role.USER, "What is this?", (picture(20, 1200, 800),))]
    assert (network.prompt(turns).image_tokens or 0) > 1100
    assert network.see_less()
    assert 400 < (network.prompt(turns).image_tokens or 0) <= 512
    # and no less than that
    assert not network.see_less()


def test_a_template_that_refuses_is_told(
    probed: Running, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    words = "{{ raise_exception('Only in verse') }}"
    folder = changed(checkpoints["qwen2_vl"], tmp_path / "verse", "chat_template.json", chat_template=words)
    probed.load(checkpoint=str(folder))
    with pytest.raises(ModelUnusable, match=r"does not take this conversation \(Only in verse\)"):
        Chat(probed).ask(user("What is this?"))


@pytest.mark.parametrize(
    ("kind", "named"),
    [("PixtralProcessor", "PixtralImageProcessor"), ("Lfm2VlProcessor", "Lfm2VlImageProcessor")],
)
def test_a_package_that_is_missing_is_named(
    checkpoints: dict[str, Path], tmp_path: Path, kind: str, named: str
) -> None:
    from core.vision.processors import open_processor

    first = changed(checkpoints["qwen2_vl"], tmp_path / "a", "processor_config.json", processor_class=kind)
    folder = changed(first, tmp_path / "b", "preprocessor_config.json", image_processor_type=named)
    with pytest.raises(PackageMissing) as caught:
        open_processor(folder, "mistral3")
    assert str(caught.value) == "b needs torchvision, which is not installed."
    assert "pip install torchvision" in caught.value.advice
