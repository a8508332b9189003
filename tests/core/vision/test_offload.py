"""Layers that wait in RAM: on a card that is the CPU in truth, where accelerate really moves them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.chat import GenerationOptions
from core.engines import Loaded, LoadOptions
from core.errors import Cancelled, OutOfMemory, YomitoriError, from_json
from core.types import RgbImage
from core.vision.llava import LlavaEngine
from tests.support.random_vision import Size, write

KINDS = ("llava", "llava_next", "llava_onevision", "qwen2_vl")
SIZE = Size(layers=4)
QUESTION = [{"role": "user", "text": "What is in this picture?", "images": 1}]
PICTURE = RgbImage(150, 90, random.Random(1).randbytes(150 * 90 * 3))
CARD = "cuda:0"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("offload")
    return {kind: write(home / kind, kind, SIZE) for kind in KINDS}


@pytest.fixture(autouse=True)
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where what cards need for quantized weights is not installed."""
    from core.vision import held

    monkeypatch.setattr(held, "can_quantize", lambda: False)


@pytest.fixture
def library(no_library: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where it is; weights are packed for the CPU, which the card is in truth."""
    from core.vision import held
    from core.vision.quantized import quantization

    monkeypatch.setattr(held, "can_quantize", lambda: True)
    monkeypatch.setattr(
        held, "quantization", lambda precision, device, *kept: quantization(precision, "cpu", *kept)
    )


@dataclass
class Engine(LlavaEngine):
    """Runs out of memory as often as it is told to, by place: ``load``, ``chunk``, ``step``."""

    faults: dict[str, int] = field(default_factory=dict)
    free: int | None = None

    def _open(self, options: LoadOptions) -> Any:
        import torch

        engine, kind = self, self._kind(options)

        def pass_by(place: str) -> None:
            if engine.faults.get(place, 0) > 0:
                engine.faults[place] -= 1
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

        def failing(place: str, name: str) -> Callable[..., Any]:
            def method(self: Any, *arguments: Any) -> Any:
                pass_by(place)
                return getattr(super(Carded, self), name)(*arguments)

            return method

        class Carded(kind):  # type: ignore[valid-type, misc]
            def _place_on(self, device: str) -> str:
                return "cpu" if device == "cpu" else "cpu:0"

            def _free(self) -> int | None:
                return engine.free

            _from_pretrained = failing("load", "_from_pretrained")
            # Of the family, and of other types.
            _run_chunk, _begin = failing("chunk", "_run_chunk"), failing("chunk", "_begin")
            _run_ids, _go_on = failing("step", "_run_ids"), failing("step", "_go_on")

        return Carded(options)

    @property
    def network(self) -> Any:
        return self._network

    def open(self, folder: Path, device: str = CARD, precision: str = "fp32") -> Loaded:
        return self.load(LoadOptions(checkpoint=str(folder), device=device, precision=precision, threads=1))

    def answer(
        self, cancelled: Callable[[], bool] = lambda: False
    ) -> tuple[dict[str, Any], list[dict[str, Any]], list[YomitoriError]]:
        """The answer, its pieces, and what was told."""
        options = GenerationOptions(temperature=0.0, max_tokens=12).to_json()
        steps = self.run("ask", {"messages": QUESTION, "options": options}, (PICTURE,), cancelled)
        pieces = []
        while True:
            try:
                pieces.append(next(steps))
            except StopIteration as end:
                return end.value, pieces, [from_json(p["notice"]) for p in pieces if "notice" in p]


def opened(folder: Path, device: str = CARD, precision: str = "fp32") -> Engine:
    engine = Engine()
    engine.open(folder, device, precision)
    return engine


def names(notices: list[YomitoriError]) -> list[str]:
    return [type(notice).__name__ for notice in notices]


def places(engine: Engine) -> list[set[str]]:
    """Where the weights of each layer of the language model are."""
    layers = engine.network._model.get_decoder().layers
    return [{str(weight.device) for weight in layer.parameters()} for layer in layers]


def held(engine: Engine) -> int:
    """Bytes of the weights that are on the card."""
    return sum(w.numel() * w.element_size() for w in engine.network._model.parameters() if not w.is_meta)


HERE, AWAY = {"cpu"}, {"meta"}


# ---- during an answer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", ["chunk", "step"])
def test_the_answer_goes_on_with_layers_in_ram_and_is_the_same(
    kind: str, place: str, folders: dict[str, Path]
) -> None:
    # given a card on which giving back the cache does not help
    engine = opened(folders[kind])
    usual, _, _ = engine.answer()
    engine.network.forget()
    before = held(engine)
    engine.faults = {place: 2}
    # when it is asked, then the last layer waits in RAM, which is told once
    answer, pieces, notices = engine.answer()
    assert [str(notice) for notice in notices] == [
        f"cuda:0 had too little memory, so 1 of 4 layers of {kind} wait in RAM. Answers take longer."
    ]
    assert places(engine) == [HERE, HERE, HERE, AWAY]
    layer = engine.network._model.get_decoder().layers[0]
    assert before - held(engine) == sum(w.numel() * w.element_size() for w in layer.parameters())
    # and the answer is that of the whole model, told once, of the same picture in the same precision
    assert answer["text"] == usual["text"] == "".join(piece.get("text", "") for piece in pieces)
    assert answer["confidence"] == pytest.approx(usual["confidence"])
    assert answer["usage"]["tiles"] == usual["usage"]["tiles"]
    assert answer["precision"] == "fp32"
    # and stays so without a further word
    again, _, notices = engine.answer()
    assert (again["text"], notices) == (usual["text"], [])
    assert (again["usage"]["reused"] > 0) is engine.network.remembers
    assert places(engine) == [HERE, HERE, HERE, AWAY]


def test_each_step_of_the_ladder_is_told_and_the_last_is_quantized(
    folders: dict[str, Path], library: None
) -> None:
    engine = opened(folders["llava_next"])
    engine.faults = {"step": 4}
    answer, pieces, notices = engine.answer()
    assert names(notices) == ["Offloaded", "SawLess", "Quantized"]
    assert answer["text"] == "".join(piece.get("text", "") for piece in pieces)
    assert (answer["precision"], answer["usage"]["tiles"]) == ("int4", 2)
    # and the smaller weights are all on the card
    assert places(engine) == [HERE] * 4
    assert not engine.network.offload()


def test_where_nothing_can_be_quantized_half_of_the_layers_are_the_last_step(
    folders: dict[str, Path],
) -> None:
    engine = opened(folders["llava"])
    usual, _, _ = engine.answer()
    engine.faults = {"step": 3}
    answer, _, notices = engine.answer()
    assert names(notices) == ["Offloaded", "Offloaded"]
    assert [notice.params["count"] for notice in notices] == ["1", "2"]
    assert places(engine) == [HERE, HERE, AWAY, AWAY]
    assert answer["text"] == usual["text"]
    # while with half of them away there is no other step than another device
    engine.faults = {"step": 2}
    with pytest.raises(OutOfMemory):
        engine.answer()
    # after which it still answers
    again, _, notices = engine.answer()
    assert (again["text"], notices) == (usual["text"], [])


def test_memory_that_runs_out_inside_a_waiting_layer_leaves_it_usable(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """accelerate fetches a matrix before it is computed with, and puts it away only after that."""
    import torch

    engine = opened(folders["llava"])
    usual, _, _ = engine.answer()
    assert engine.network.offload()
    engine.network.forget()
    layer = engine.network._model.get_decoder().layers[-1]
    whole, calls = layer.mlp._old_forward if hasattr(layer.mlp, "_old_forward") else layer.mlp.forward, 0

    def fails_once(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            layer.mlp.gate_proj._hf_hook.pre_forward(layer.mlp.gate_proj)
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return whole(*arguments, **options)

    monkeypatch.setattr(layer.mlp, "forward", fails_once)
    answer, _, notices = engine.answer()
    assert (answer["text"], notices) == (usual["text"], [])
    assert calls > 1
    assert places(engine) == [HERE, HERE, HERE, AWAY]


def test_it_stops_between_two_tokens(folders: dict[str, Path]) -> None:
    engine = opened(folders["llava"])
    usual, _, _ = engine.answer()
    assert engine.network.offload()
    engine.network.forget()
    asked: Iterator[bool] = iter([False] * 4)
    with pytest.raises(Cancelled):
        engine.answer(lambda: next(asked, True))
    assert places(engine)[-1] == AWAY
    assert engine.answer()[0]["text"] == usual["text"]


def test_at_most_half_of_the_layers_wait(folders: dict[str, Path]) -> None:
    engine = opened(folders["llava"])
    assert [engine.network.offload() for _ in range(3)] == [True, True, False]
    assert places(engine) == [HERE, HERE, AWAY, AWAY]
    assert str(engine.network.offloaded()).startswith("cuda:0 had too little memory, so 2 of 4 layers")


@pytest.mark.parametrize(
    ("device", "precision"), [("cpu", "fp32"), ("mps", "fp32"), (CARD, "int8"), (CARD, "int4")]
)
def test_only_whole_weights_on_a_card_wait(
    device: str, precision: str, folders: dict[str, Path], library: None
) -> None:
    engine = opened(folders["llava"], device, precision)
    assert not engine.network.offload()
    assert places(engine) == [HERE] * 4


@pytest.mark.parametrize(("share", "moved"), [(0.5, False), (4.0, True)])
def test_layers_move_only_into_ram_that_stays_free(
    share: float, moved: bool, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.vision import offloading

    engine = opened(folders["llava"])
    layer = engine.network._model.get_decoder().layers[-1]
    size = sum(w.numel() * w.element_size() for w in layer.parameters())
    monkeypatch.setattr(offloading, "free_ram", lambda: int(share * size))
    assert engine.network.offload() is moved
    assert places(engine)[-1] == (AWAY if moved else HERE)


def test_ram_that_runs_out_while_layers_move_leaves_a_whole_model(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.vision import offloading

    engine = opened(folders["llava"])
    usual, _, _ = engine.answer()
    moves = iter([False] * 9 + [True] * 9)
    in_ram = offloading._in_ram

    def short(weight: Any, device: str) -> Any:
        return (None, OutOfMemory(device="cpu")) if next(moves, False) else in_ram(weight, device)

    assert engine.network.offload()
    monkeypatch.setattr(offloading, "_in_ram", short)
    # the third layer is moved; nothing is left for a further one
    assert engine.network.offload()
    assert not engine.network.offload()
    assert places(engine) == [HERE, HERE, AWAY, AWAY]
    assert engine.answer()[0]["text"] == usual["text"]


# ---- reading the weights


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_card_that_is_too_small_at_load_leaves_layers_in_ram(
    kind: str, precision: str, folders: dict[str, Path]
) -> None:
    usual, _, _ = opened(folders[kind], precision=precision).answer()
    # given a card that cannot take the whole model, of which nothing tells how much is missing
    engine = Engine(faults={"load": 1})
    loaded = engine.open(folders[kind], precision=precision)
    # then half of it waits, which is told with what was loaded
    assert (loaded.device, loaded.precision) == (CARD, precision)
    assert loaded.notice is not None
    assert str(from_json(loaded.notice)).startswith("cuda:0 had too little memory, so 2 of 4 layers")
    assert places(engine) == [HERE, HERE, AWAY, AWAY]
    assert not any(
        w.is_meta for layer in engine.network._model.get_decoder().layers[:2] for w in layer.buffers()
    )
    # and it answers the same, with its words tied as they were
    answer, _, notices = engine.answer()
    assert (answer["text"], notices) == (usual["text"], [])
    model = engine.network._model
    assert (model.lm_head.weight is model.get_input_embeddings().weight) == (
        model.config.get_text_config().tie_word_embeddings or model.config.tie_word_embeddings
    )


@pytest.mark.parametrize(("layers", "waiting"), [(0.5, 1), (1.5, 2), (9, 2)])
def test_as_many_layers_are_left_as_the_card_lacks_room_for(
    layers: float, waiting: int, folders: dict[str, Path]
) -> None:
    from core.models.estimate import memory_needed

    size = sum(
        w.numel() * w.element_size()
        for w in opened(folders["llava"]).network._model.get_decoder().layers[0].parameters()
    )
    need = memory_needed(folders["llava"], CARD, "fp32")
    engine = Engine(faults={"load": 1}, free=need - int(layers * size))
    engine.open(folders["llava"])
    assert places(engine).count(AWAY) == waiting


def test_what_was_left_at_load_counts_for_the_steps_of_an_answer(folders: dict[str, Path]) -> None:
    from core.models.estimate import memory_needed

    engine = Engine(faults={"load": 1}, free=memory_needed(folders["llava"], CARD, "fp32") - 1)
    engine.open(folders["llava"])
    engine.faults = {"step": 2}
    _, _, notices = engine.answer()
    assert [notice.params["count"] for notice in notices] == ["2"]
    assert not engine.network.offload()


def test_four_bits_come_first_where_they_are_left_to_us(folders: dict[str, Path], library: None) -> None:
    engine = Engine(faults={"load": 1})
    loaded = engine.open(folders["llava"], precision="auto")
    assert loaded.precision == "int4"
    assert loaded.notice is not None
    assert str(from_json(loaded.notice)) == "cuda:0 had too little memory, so llava goes on in int4."
    assert places(engine) == [HERE] * 4
    # while a precision that was asked for is kept
    engine = Engine(faults={"load": 1})
    assert engine.open(folders["llava"], precision="bf16").precision == "bf16"
    assert places(engine) == [HERE, HERE, AWAY, AWAY]


@pytest.mark.parametrize(
    ("device", "precision", "faults", "ram"),
    [("cpu", "fp32", 1, None), (CARD, "int4", 1, None), (CARD, "fp32", 2, None), (CARD, "fp32", 1, 1000)],
)
def test_where_that_does_not_help_the_memory_is_told(
    device: str,
    precision: str,
    faults: int,
    ram: int | None,
    folders: dict[str, Path],
    library: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from core.vision import offloading

    if ram is not None:
        monkeypatch.setattr(offloading, "free_ram", lambda: ram)
    with pytest.raises(OutOfMemory) as caught:
        Engine(faults={"load": faults}).open(folders["llava"], device, precision)
    assert caught.value.params["device"] == device


def test_nothing_is_said_of_a_card_with_room(folders: dict[str, Path]) -> None:
    engine = Engine()
    assert engine.open(folders["llava"]).notice is None
    assert places(engine) == [HERE] * 4


def test_a_map_places_every_weight(folders: dict[str, Path]) -> None:
    import torch

    from core.vision.offloading import empty_network, placement

    for kind in KINDS:
        empty = empty_network(folders[kind], torch.float32)
        map_ = placement(empty, CARD, 1)
        assert set(map_) >= set(empty.state_dict())
        apart = {name.partition(".layers.3.")[0] for name, place in map_.items() if place == "cpu"}
        assert apart == {"model.language_model"}
        assert {place for name, place in map_.items() if ".layers.3." not in name} == {CARD}
