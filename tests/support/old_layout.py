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

    A child process writes the weights, since the caller must not load torch.

    Raises:
        FileExistsError: ``target`` is there already.
        subprocess.CalledProcessError: the child failed; its words are on stderr.
    """
    target.mkdir(parents=True)
    for name in COPIED:
        shutil.copyfile(source / name, target / name)
    config = old_config(_read(source / "config.json"), _read(source / "generation_config.json"))
    (target / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    subprocess.run(
        [sys.executable, "-P", "-m", "tests.support.old_layout", str(source), str(target)],
        env=child_environment(os.environ),
        check=True,
    )


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


def _write_weights(source: Path, target: Path) -> None:
    """``pytorch_model.bin`` from ``model.safetensors``, with the entries that were saved twice then."""
    import torch
    from safetensors.torch import load_file

    state = load_file(source / "model.safetensors")
    decoder = "decoder.cls.predictions.decoder"
    state[f"{decoder}.weight"] = state["decoder.bert.embeddings.word_embeddings.weight"]
    state[f"{decoder}.bias"] = state["decoder.cls.predictions.bias"]
    positions = state["decoder.bert.embeddings.position_embeddings.weight"].shape[0]
    state["decoder.bert.embeddings.position_ids"] = torch.arange(positions)[None]
    torch.save(state, target / "pytorch_model.bin")


if __name__ == "__main__":
    _write_weights(Path(sys.argv[1]), Path(sys.argv[2]))
