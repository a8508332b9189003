"""What a server's answers mean, and which files are asked for."""

from __future__ import annotations

import email.utils
import time

import httpx2
import pytest

from core.models.selection import choose, has_weights
from core.models.transfer import Retry, asked_to_wait, origin


def answer(status: int, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("response", "seconds"),
    [
        (answer(429), None),
        (answer(429, Retry_After="30"), 30.0),
        (answer(503, Retry_After="0"), 0.0),
        (answer(429, Retry_After="soon"), None),
        (answer(429, RateLimit='"api";r=0;t=55'), 55.0),
        (answer(429, RateLimit='"api";r=10;t=55', Retry_After="7"), 7.0),
        (answer(503, RateLimit='"api";r=0;t=55'), None),
    ],
)
def test_how_long_a_server_asks_to_wait(response: httpx2.Response, seconds: float | None) -> None:
    assert asked_to_wait(response) == seconds


def test_a_date_to_wait_for_is_understood() -> None:
    later = asked_to_wait(answer(429, Retry_After=email.utils.formatdate(time.time() + 600, usegmt=True)))
    assert later is not None
    assert 500 < later <= 600
    assert asked_to_wait(answer(429, Retry_After=email.utils.formatdate(0, usegmt=True))) == 0.0


def test_the_delay_doubles_up_to_a_limit() -> None:
    retry = Retry(first_delay=1.0, longest_delay=5.0)
    assert [retry.delay(failures) for failures in range(1, 6)] == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("https://Hub.example/a") == origin("https://hub.example:443/b")
    assert len({origin(url) for url in ("https://a", "http://a", "https://a:8", "https://a.b")}) == 4


def test_one_set_of_weights_is_chosen_and_nothing_else() -> None:
    texts = ["config.json", "vocab.txt", "tokenizer_config.json"]
    others = [
        "README.md",
        "tf_model.h5",
        "model.onnx",
        "flax_model.msgpack",
        "training_args.bin",
        ".gitattributes",
    ]
    nested = ["onnx/model.safetensors", "../config.json"]
    parts = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    index = "model.safetensors.index.json"
    everything = [*texts, *others, *nested, *parts, index, "model.safetensors", "pytorch_model.bin"]
    assert choose(everything) == sorted([*texts, "model.safetensors"])
    everything.remove("model.safetensors")
    assert choose(everything) == sorted([*texts, *parts, index])
    assert choose([*texts, *others, "pytorch_model.bin"]) == sorted([*texts, "pytorch_model.bin"])
    assert not has_weights([*texts, *others, *nested])
    assert has_weights(["pytorch_model.bin"])
