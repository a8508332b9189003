"""Small checkpoints laid out as ``llava-hf/llava-1.5-7b-hf`` and ``llava-hf/llava-v1.6-mistral-7b-hf``.

A CLIP tower, of which the last layer but one is looked at, a two-layer projector, and a Llama or Mistral
decoder; a byte-level BPE tokenizer and chat templates that write prompts as the published ones do.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    GenerationConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaNextImageProcessorPil,
    LlavaNextProcessor,
    LlavaProcessor,
    MistralConfig,
    PreTrainedTokenizerFast,
)

from tests.models.vision_scenes import scene
from tests.models.vision_talk import GIVEN, LANGUAGES, NO_TEXT, READABLE, varied_conversation

IMAGE = 112
PATCH = 16
GRID = IMAGE // PATCH
TOWER_WIDTH = 96
WIDTH = 128
HEADS = 4
VOCABULARY = 768
POSITIONS = 4096
# As the published one has them, for a tile of this size.
PINPOINTS = [
    [IMAGE, 2 * IMAGE],
    [2 * IMAGE, IMAGE],
    [2 * IMAGE, 2 * IMAGE],
    [3 * IMAGE, IMAGE],
    [IMAGE, 3 * IMAGE],
]

UNK, BOS, EOS, PAD, PICTURE = range(5)
SPECIAL = ("<unk>", "<s>", "</s>", "<pad>", "<image>")
KANA = [chr(n) for n in (*range(0x3041, 0x3094), *range(0x30A1, 0x30F4), 0x30FC)]

# "{system} USER: <image>\n{question} ASSISTANT: {answer} USER: ..."
LLAVA_TEMPLATE = """\
{%- macro words(content) -%}
{%- if content is string -%}{{ content }}{%- else -%}
{%- for part in content if part['type'] == 'image' -%}{{ '<image>\\n' }}{%- endfor -%}
{%- for part in content if part['type'] == 'text' -%}{{ part['text'] }}{%- endfor -%}
{%- endif -%}
{%- endmacro -%}
{%- for message in messages -%}
{%- if message['role'] != 'system' -%}{{ message['role'] | upper + ': ' }}{%- endif -%}
{{ words(message['content']) + ' ' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ 'ASSISTANT:' }}{%- endif -%}
"""
# "<<SYS>>\n{system}\n<</SYS>>\n\n[INST] <image>\n{question} [/INST] {answer}</s>[INST] ..."
NEXT_TEMPLATE = """\
{%- macro words(content) -%}
{%- if content is string -%}{{ content }}{%- else -%}
{%- for part in content if part['type'] == 'image' -%}{{ '<image>\\n' }}{%- endfor -%}
{%- for part in content if part['type'] == 'text' -%}{{ part['text'] }}{%- endfor -%}
{%- endif -%}
{%- endmacro -%}
{%- for message in messages -%}
{%- if message['role'] == 'system' -%}{{ '<<SYS>>\\n' + words(message['content']) + '\\n<</SYS>>\\n\\n' }}
{%- elif message['role'] == 'user' -%}{{ '[INST] ' + words(message['content']) + ' [/INST]' }}
{%- elif message['role'] == 'assistant' -%}{{ ' ' + words(message['content']) + '</s>' }}
{%- else -%}{{ raise_exception('Only the roles system, user and assistant are known.') }}
{%- endif -%}
{%- endfor -%}
"""

Model = LlavaForConditionalGeneration | LlavaNextForConditionalGeneration
Processor = LlavaProcessor | LlavaNextProcessor


@dataclass(frozen=True, slots=True)
class Design:
    """One of the two checkpoints, by the name of its folder."""

    name: str
    tiles: bool
    template: str
    # Whether the template itself puts the end token behind an answer.
    ends: bool


LLAVA = Design("tiny-llava", tiles=False, template=LLAVA_TEMPLATE, ends=False)
LLAVA_NEXT = Design("tiny-llava-next", tiles=True, template=NEXT_TEMPLATE, ends=True)

SYSTEMS = (
    "You are a helpful assistant.",
    "Answer briefly.",
    "You help people to read manga.",
    "A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, "
    "detailed, and polite answers to the human's questions.",
    "You are a friendly teacher of Japanese. Be kind.",
    "短く答えてください。",
    "あなたは親切な助手です。",
    "質問に日本語か英語で答えます。",
)


def system_by_lot(rng: random.Random) -> str:
    """Often none, mostly one of those above, sometimes words that mean nothing."""
    lot = rng.random()
    if lot < 0.5:
        return ""
    if lot < 0.85:
        return rng.choice(SYSTEMS)
    words = [word for text in SYSTEMS for word in text.split()]
    words += ["picture", "colour", "left", "star", "text", "expert", "translator", "絵", "色", "形", "文字"]
    return " ".join(rng.choices(words, k=rng.randint(2, 16)))


def text_by_lot(rng: random.Random) -> str:
    """A short text as it may have been recognised: a phrase of the lexicon, or kana by lot."""
    if rng.random() < 0.6:
        return rng.choice(READABLE)
    row = KANA[:83] if rng.random() < 0.6 else KANA[83:]
    return "".join(rng.choices(row, k=rng.randint(2, 9))) + rng.choice(
        ("", "", "！", "？", "。", "…", "！？")
    )


def tokenizer(design: Design, first: Path | None = None) -> PreTrainedTokenizerFast:
    """Byte-level BPE learnt from what is said in training; or that of ``first``, with its weights."""
    made = _merges() if first is None else Tokenizer.from_file(str(first / "tokenizer.json"))
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        unk_token=SPECIAL[UNK],
        bos_token=SPECIAL[BOS],
        eos_token=SPECIAL[EOS],
        pad_token=SPECIAL[PAD],
        extra_special_tokens={"image_token": SPECIAL[PICTURE]},
        padding_side="left",
        model_max_length=POSITIONS,
        clean_up_tokenization_spaces=False,
        chat_template=design.template,
    )


def _merges() -> Tokenizer:
    made = Tokenizer(models.BPE(unk_token=SPECIAL[UNK]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in SPECIAL],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    made.train_from_iterator(_corpus(), trainer)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", BOS)]
    )
    return made


def _corpus() -> Iterator[str]:
    """Kana apart, so that each is one token; and questions and answers, without the endless ones."""
    for _ in range(700):
        yield from KANA
    rng = random.Random("corpus")
    for seed in range(2500):
        language = rng.choice(LANGUAGES)
        for turn in varied_conversation(scene(seed), rng, 4, language).turns:
            yield f"USER: {turn.question} ASSISTANT:"
            if turn.kind != "endless" and turn.answer != NO_TEXT[turn.language]:
                yield f" {turn.answer}"
        yield "USER: [INST] [/INST] ha ha"
        if seed % 2 == 0:
            yield GIVEN[language].format("ア")
        if seed % 12 == 0:
            yield from (*SYSTEMS[:3], *SYSTEMS[5:], "<<SYS>>\n", "\n<</SYS>>\n\n", *NO_TEXT.values())


def build(design: Design) -> Model:
    """The model with random weights from torch's current seed."""
    vision = CLIPVisionConfig(
        hidden_size=TOWER_WIDTH,
        intermediate_size=4 * TOWER_WIDTH,
        num_hidden_layers=4,
        num_attention_heads=HEADS,
        image_size=IMAGE,
        patch_size=PATCH,
        projection_dim=TOWER_WIDTH,
    )
    decoder: dict[str, Any] = {
        "vocab_size": VOCABULARY,
        "hidden_size": WIDTH,
        "intermediate_size": 320,
        "num_hidden_layers": 4,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS // 2,
        "max_position_embeddings": POSITIONS,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "pad_token_id": PAD,
        "tie_word_embeddings": False,
    }
    shared: dict[str, Any] = {
        "vision_config": vision,
        "image_token_index": PICTURE,
        "projector_hidden_act": "gelu",
        "vision_feature_layer": -2,
        "vision_feature_select_strategy": "default",
        "tie_word_embeddings": False,
    }
    model: Model
    if design.tiles:
        text = MistralConfig(sliding_window=None, **decoder)
        config = LlavaNextConfig(text_config=text, image_grid_pinpoints=PINPOINTS, **shared)
        config.image_seq_length = GRID * GRID
        model = LlavaNextForConditionalGeneration(config)
    else:
        config = LlavaConfig(text_config=LlamaConfig(**decoder), image_seq_length=GRID * GRID, **shared)
        model = LlavaForConditionalGeneration(config)
    model.config.dtype = torch.float32
    model.generation_config = GenerationConfig(bos_token_id=BOS, eos_token_id=EOS, pad_token_id=PAD)
    return model


def image_processor(design: Design, **changes: Any) -> CLIPImageProcessorPil | LlavaNextImageProcessorPil:
    """The whole picture squeezed into a square, so that nothing at its sides is lost; and tiles of it."""
    square = {"height": IMAGE, "width": IMAGE}
    if design.tiles:
        changes = {"image_grid_pinpoints": PINPOINTS} | changes
        return LlavaNextImageProcessorPil(size=square, crop_size=square, **changes)
    return CLIPImageProcessorPil(size=square, crop_size=square, **changes)


def processor(design: Design, first: Path | None = None) -> Processor:
    """The processor with its image processor, tokenizer and chat template; ``first`` as for the tokenizer."""
    kind = LlavaNextProcessor if design.tiles else LlavaProcessor
    return kind(
        image_processor=image_processor(design),
        tokenizer=tokenizer(design, first),
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=design.template,
    )


def save(model: Model, made: Processor, folder: Path) -> None:
    """Write the whole checkpoint into a folder that must not exist yet."""
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    made.save_pretrained(folder)
    made.image_processor.save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)


def parameters(tensors: Iterable[torch.nn.Parameter]) -> int:
    return sum(tensor.numel() for tensor in tensors)


def read_json(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded
