"""A checkpoint rewritten the way manga-ocr-base lies on the main revision of the hub.

That was saved by transformers of 2022: weights only as ``pytorch_model.bin``, no ``generation_config.json``,
and every setting of the search in ``config.json``, where the encoder and the decoder carry the library's
defaults of that time (one beam, 20 tokens) beside the checkpoint's own at the top.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.environment import child_environment

SEARCH = ("num_beams", "length_penalty", "no_repeat_ngram_size", "early_stopping", "max_length")
COPIED = ("preprocessor_config.json", "special_tokens_map.json", "tokenizer_config.json", "vocab.txt")
_LABELS = 1000
# What PretrainedConfig.to_dict() of transformers 4 wrote for every model that did not say otherwise.
_DEFAULTS: dict[str, Any] = {
    "_name_or_path": "",
    "add_cross_attention": False,
    "architectures": None,
    "bad_words_ids": None,
    "bos_token_id": None,
    "chunk_size_feed_forward": 0,
    "cross_attention_hidden_size": None,
    "decoder_start_token_id": None,
    "diversity_penalty": 0.0,
    "do_sample": False,
    "early_stopping": False,
    "encoder_no_repeat_ngram_size": 0,
    "eos_token_id": None,
    "finetuning_task": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "id2label": {"0": "LABEL_0", "1": "LABEL_1"},
    "is_decoder": False,
    "is_encoder_decoder": False,
    "label2id": {"LABEL_0": 0, "LABEL_1": 1},
    "length_penalty": 1.0,
    "max_length": 20,
    "min_length": 0,
    "no_repeat_ngram_size": 0,
    "num_beam_groups": 1,
    "num_beams": 1,
    "num_return_sequences": 1,
    "output_attentions": False,
    "output_hidden_states": False,
    "output_scores": False,
    "pad_token_id": None,
    "prefix": None,
    "problem_type": None,
    "pruned_heads": {},
    "remove_invalid_values": False,
    "repetition_penalty": 1.0,
    "return_dict": True,
    "return_dict_in_generate": False,
    "sep_token_id": None,
    "task_specific_params": None,
    "temperature": 1.0,
    "tie_encoder_decoder": False,
    "tie_word_embeddings": True,
    "tokenizer_class": None,
    "top_k": 50,
    "top_p": 1.0,
    "torch_dtype": None,
    "torchscript": False,
    "transformers_version": "4.16.2",
    "use_bfloat16": False,
}


def write_old_layout(source: Path, target: Path) -> None:
    """Write ``source``, a checkpoint in today's layout, into the new folder ``target`` in the old one.

    Raises:
        FileExistsError: ``target`` is there already.
        AssertionError: the child process that writes the weights failed; with its words.
    """
    _write_texts(source, target)
    _run("weights", source, target)


def write_old_layouts(source: Path, top: Path) -> Path:
    """Make ``model`` in ``top`` like ``write_old_layout``, and other ``.bin`` files beside it; the model.

    ``old.bin`` has the same weights as torch wrote them before it wrote zip files; ``program.bin`` makes the
    file ``it-ran`` when it is opened carelessly.
    """
    _write_texts(source, top / "model")
    _run("variants", source, top)
    return top / "model"


def read_noise(*folders: Path) -> list[dict[str, Any]]:
    """What the model in each folder, in whichever layout, makes of three noisy pictures (``tokens``), and how
    it searches (``search``)."""
    answer: list[dict[str, Any]] = _run("read", *folders)
    return answer


def _write_texts(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for name in COPIED:
        shutil.copyfile(source / name, target / name)
    config = old_config(_read(source / "config.json"), _read(source / "generation_config.json"))
    (target / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _run(job: str, *folders: Path) -> Any:
    """What the child process answers: whoever imports this module must not load torch."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tests.support.old_layout", job, *map(str, folders)],
        env=child_environment({**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def old_config(config: dict[str, Any], search: dict[str, Any]) -> dict[str, Any]:
    """The configuration with its search settings inside."""
    search = {name: value for name, value in search.items() if name != "transformers_version"}
    old = {name: value for name, value in config.items() if name not in ("dtype", "transformers_version")}
    old["encoder"] = {**_DEFAULTS, **config["encoder"], **_labels()}
    # Its training script set this one in the decoder as well.
    old["decoder"] = {**_DEFAULTS, **config["decoder"], "max_length": search["max_length"]}
    return {
        **old,
        **search,
        "torch_dtype": "float32",
        "transformers_version": None,
        "vocab_size": config["decoder"]["vocab_size"],
    }


def _labels() -> dict[str, dict[str, Any]]:
    """The encoder was taken from a classifier of a thousand classes; most of the file is their names."""
    names = [f"LABEL_{n}" for n in range(_LABELS)]
    return {
        "id2label": {str(n): name for n, name in enumerate(names)},
        "label2id": {name: n for n, name in enumerate(names)},
    }


def _read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


# ---- in the child


def _weights(source: Path, target: Path) -> None:
    """``pytorch_model.bin`` from ``model.safetensors``, with the entries that were saved twice then."""
    import torch

    torch.save(_old_state(source), target / "pytorch_model.bin")


def _old_state(source: Path) -> dict[str, Any]:
    import torch
    from safetensors.torch import load_file

    state: dict[str, Any] = load_file(source / "model.safetensors")
    decoder = "decoder.cls.predictions.decoder"
    state[f"{decoder}.weight"] = state["decoder.bert.embeddings.word_embeddings.weight"]
    state[f"{decoder}.bias"] = state["decoder.cls.predictions.bias"]
    positions = state["decoder.bert.embeddings.position_embeddings.weight"].shape[0]
    state["decoder.bert.embeddings.position_ids"] = torch.arange(positions)[None]
    return state


def _variants(source: Path, top: Path) -> None:
    import torch

    class Program:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (top / "it-ran",)

    _weights(source, top / "model")
    torch.save(_old_state(source), top / "old.bin", _use_new_zipfile_serialization=False)
    torch.save({"w": torch.zeros(3), "program": Program()}, top / "program.bin")


def _read_noise(*folders: Path) -> list[dict[str, Any]]:
    import torch
    from transformers import VisionEncoderDecoderModel

    answers = []
    for folder in folders:
        model = VisionEncoderDecoderModel.from_pretrained(folder, local_files_only=True).eval()
        size = model.config.encoder.image_size
        torch.manual_seed(1)
        with torch.no_grad():
            tokens = model.generate(torch.randn(3, 3, size, size), max_length=30)
        search = {name: getattr(model.generation_config, name) for name in SEARCH}
        answers.append({"tokens": tokens.tolist(), "search": search})
    return answers


def _main(job: str, *folders: str) -> None:
    # Only the answer goes to stdout, whatever the libraries print.
    output = os.dup(1)
    os.dup2(2, 1)
    jobs: dict[str, Any] = {"weights": _weights, "variants": _variants, "read": _read_noise}
    os.write(output, json.dumps(jobs[job](*map(Path, folders))).encode())


if __name__ == "__main__":
    _main(*sys.argv[1:])
