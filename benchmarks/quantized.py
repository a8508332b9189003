"""Ways to hold a language model's weights in fewer bits on the CPU: speed, memory, and what they cost.

``python -m benchmarks.quantized [WAY ...] [--rounds N]``: a LLaVA with random weights, large enough that
reading them from memory takes the time. Each way runs in a process of its own, in turns with bf16, and is
compared with bf16 within a round and with the logits of fp32 for the same tokens. One thread, and its
processor time, so that other work on the machine matters less. Ways whose library is not installed are named
and left out; ``ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2`` before it measures an older CPU.
``docs/decisions/014-quantized.md`` has the figures and what was decided.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from benchmarks.report import Report
from tests.support import random_vision

SIZE = random_vision.Size(1536, 8, 12, 4096, 32000, 256, 2, 336, 14)
"""0.23 billion weights in layers that can be quantized, 0.1 in others."""
GROUP = 64
PROMPT, CHUNK, TOKENS, ROUNDS = 256, 256, 8, 5


def _linears(model: Any) -> list[tuple[Any, str, Any]]:
    """The layers that are quantized, each with the module that holds it and its name there."""
    from torch import nn

    return [
        (module, name, child)
        for module in model.model.language_model.modules()
        for name, child in module.named_children()
        if isinstance(child, nn.Linear)
    ]


def _plain(model: Any) -> None:
    del model


def _ao_dynamic(engine: str) -> Callable[[Any], None]:
    def quantize(model: Any) -> None:
        import torch

        torch.backends.quantized.engine = engine
        torch.ao.quantization.quantize_dynamic(
            model.model.language_model, {torch.nn.Linear}, dtype=torch.qint8, inplace=True
        )

    return quantize


def _torchao(name: str, **options: Any) -> Callable[[Any], None]:
    def quantize(model: Any) -> None:
        import torchao.quantization as ways

        ways.quantize_(model.model.language_model, getattr(ways, name)(**options))

    return quantize


def _bitsandbytes(bits: int) -> Callable[[Any], None]:
    def quantize(model: Any) -> None:
        import bitsandbytes
        from bitsandbytes.nn import Int8Params, Linear4bit, Linear8bitLt, Params4bit

        assert bitsandbytes
        for holder, name, linear in _linears(model):
            sizes = (linear.in_features, linear.out_features, linear.bias is not None)
            new: Any
            if bits == 4:
                new = Linear4bit(*sizes, compute_dtype=linear.weight.dtype, quant_type="nf4")
                new.weight = Params4bit(linear.weight.data, requires_grad=False, quant_type="nf4")
            else:
                new = Linear8bitLt(*sizes, has_fp16_weights=False)
                new.weight = Int8Params(linear.weight.data, requires_grad=False, has_fp16_weights=False)
            new.bias = linear.bias
            setattr(holder, name, new.to("cpu").eval())

    return quantize


def _quanto(kind: str) -> Callable[[Any], None]:
    def quantize(model: Any) -> None:
        from optimum import quanto

        quanto.quantize(model.model.language_model, weights=getattr(quanto, kind))
        quanto.freeze(model.model.language_model)

    return quantize


@dataclass(frozen=True)
class Way:
    """``dtype`` is what is loaded and computed in, ``library`` what has to be installed; ``ours``: the
    precision that is quantized while it is loaded, as Yomitori does it."""

    dtype: str
    quantize: Callable[[Any], None]
    library: str = "torch"
    ours: str = ""


WAYS: dict[str, Way] = {
    "fp32": Way("float32", _plain),
    "bf16": Way("bfloat16", _plain),
    "fp16": Way("float16", _plain),
    "torch.ao dynamic int8, x86": Way("float32", _ao_dynamic("x86")),
    "torch.ao dynamic int8, fbgemm": Way("float32", _ao_dynamic("fbgemm")),
    "torch.ao dynamic int8, onednn": Way("float32", _ao_dynamic("onednn")),
    "torch.ao dynamic int8, qnnpack": Way("float32", _ao_dynamic("qnnpack")),
    "ours int8": Way("bfloat16", _plain, ours="int8"),
    "ours int4": Way("bfloat16", _plain, ours="int4"),
    "torchao int8 weights": Way("bfloat16", _torchao("Int8WeightOnlyConfig"), "torchao"),
    "torchao int8": Way("bfloat16", _torchao("Int8DynamicActivationInt8WeightConfig"), "torchao"),
    "torchao int4 weights": Way("bfloat16", _torchao("Int4WeightOnlyConfig", group_size=GROUP), "torchao"),
    "bitsandbytes int8": Way("bfloat16", _bitsandbytes(8), "bitsandbytes"),
    "bitsandbytes nf4": Way("bfloat16", _bitsandbytes(4), "bitsandbytes"),
    "quanto int8": Way("bfloat16", _quanto("qint8"), "optimum.quanto"),
    "quanto int4": Way("bfloat16", _quanto("qint4"), "optimum.quanto"),
}
BASE, TRUTH = "bf16", "fp32"


def _work(name: str, checkpoint: str, pipe: Connection) -> None:
    """One way in a process of its own: loads, says what that took, then does a round when it is told to."""
    import warnings

    warnings.simplefilter("ignore")
    import torch
    from transformers import AutoModelForImageTextToText, DynamicCache
    from transformers.utils import logging

    from core.vision.quantized import quantization

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(1)
    way = WAYS[name]
    before = psutil.Process().memory_full_info().uss
    start = time.process_time()
    try:
        options = {"dtype": getattr(torch, way.dtype), **quantization(way.ours, "cpu")}
        model = AutoModelForImageTextToText.from_pretrained(checkpoint, **options).eval()
        with torch.inference_mode():
            way.quantize(model)
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")
        return
    gc.collect()
    ids = torch.randint(
        5, SIZE.vocabulary - 5, (1, PROMPT + TOKENS), generator=torch.Generator().manual_seed(1)
    )

    @torch.inference_mode()
    def run() -> tuple[float, float, Any]:
        cache = DynamicCache(config=model.config.get_text_config())

        def through(part: Any) -> Any:
            embedded = model.get_input_embeddings()(part)
            found = model.model.language_model(inputs_embeds=embedded, past_key_values=cache, use_cache=True)
            return model.lm_head(found.last_hidden_state[:, -1]).float()

        started = time.process_time()
        for first in range(0, PROMPT, CHUNK):
            through(ids[:, first : first + CHUNK])
        read = time.process_time()
        logits = [through(ids[:, place : place + 1]) for place in range(PROMPT, PROMPT + TOKENS)]
        return PROMPT / (read - started), TOKENS / (time.process_time() - read), torch.cat(logits)

    try:
        *_, logits = run()
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")
        return
    loading = time.process_time() - start
    with contextlib.suppress(AttributeError, TypeError, OSError):
        # What was freed while the weights were quantized, but kept for later.
        ctypes.CDLL(None).malloc_trim(0)
    info = psutil.Process().memory_full_info()
    pipe.send((loading, info.uss - before, logits.numpy()))
    while pipe.recv():
        pipe.send(run()[:2])


class Running:
    """``loaded`` is what the process said: what it took, or why it could not."""

    def __init__(self, name: str, checkpoint: Path) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(name, str(checkpoint), theirs), daemon=True)
        self._process.start()
        theirs.close()
        try:
            self.loaded: Any = self._pipe.recv()
        except EOFError:
            self.loaded = "it ended itself"

    def round(self) -> tuple[float, float]:
        """Tokens per second of a prompt, and of an answer."""
        self._pipe.send(True)
        found: tuple[float, float] = self._pipe.recv()
        return found

    def end(self) -> None:
        self._process.kill()
        self._process.join()


def measure(report: Report, checkpoint: Path, names: list[str], rounds: int) -> None:
    truth = Running(TRUTH, checkpoint)
    expected = truth.loaded[2]
    truth.end()
    base = Running(BASE, checkpoint)
    print(
        f"{'way':32}{'tokens/s':>9}{'of bf16':>8}{'reading':>9}{'of bf16':>8}{'memory':>9}{'load':>7}"
        f"{'cosine':>9}{'same':>6}"
    )
    try:
        for name in names:
            if importlib.util.find_spec(WAYS[name].library.partition(".")[0]) is None:
                report.note(f"{name}: {WAYS[name].library} is not installed")
                continue
            _one(report, base, name, checkpoint, expected, rounds)
    finally:
        base.end()


def _one(report: Report, base: Running, name: str, checkpoint: Path, expected: Any, rounds: int) -> None:
    running = Running(name, checkpoint)
    try:
        if isinstance(running.loaded, str):
            report.note(f"{name}: {running.loaded}")
            return
        seconds, memory, logits = running.loaded
        pairs = [(base.round(), running.round()) for _ in range(rounds)]
        read, answer = (statistics.median(own[kind] for _, own in pairs) for kind in (0, 1))
        read_ratio, answer_ratio = (
            statistics.median(own[kind] / theirs[kind] for theirs, own in pairs) for kind in (0, 1)
        )
        sizes = (logits**2).sum(1) ** 0.5 * (expected**2).sum(1) ** 0.5
        cosine = ((logits * expected).sum(1) / sizes).mean()
        same = (logits.argmax(1) == expected.argmax(1)).mean()
        print(
            f"{name:32}{answer:9.2f}{answer_ratio:8.2f}{read:9.1f}{read_ratio:8.2f}{memory / 1e6:6.0f} MB"
            f"{seconds:6.1f}s{cosine:9.4f}{same:6.0%}",
            flush=True,
        )
    finally:
        running.end()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "ways", nargs="*", metavar="WAY", help=f"of {', '.join(WAYS)}; all when none is named"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = random_vision.write(Path(folder) / "large", "llava", SIZE)
        measure(report, checkpoint, options.ways or list(WAYS), options.rounds)
    return bool(report.failed)


if __name__ == "__main__":
    sys.exit(main())
