"""The MangaOCR network: checkpoint, tensors, beam search, likelihoods. Model process only.

The text is that of ``manga_ocr.MangaOcr`` on the same weights and picture: same greying, same image
processor, same search as the checkpoint asks for, same post-processing. Nothing here knows of pages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import (
    BertJapaneseTokenizer,
    DynamicCache,
    EncoderDecoderCache,
    StoppingCriteria,
    StoppingCriteriaList,
    VisionEncoderDecoderModel,
    ViTImageProcessorPil,
)
from transformers.modeling_outputs import BaseModelOutput

from core.engines import LoadOptions
from core.errors import Cancelled, OutOfMemory
from core.models.layout import name_of
from core.ocr.manga_checkpoint import check
from core.ocr.manga_text import Read, post_process, spread
from core.torch_faults import attempt, check_device, free_cache
from core.weights import TYPES, loading_options, precision_here, prepare_libraries, read_weights

MAX_LENGTH = 300
"""Tokens, as the manga-ocr package asks for."""
_BATCH, _BATCH_CPU = 16, 8
"""Pictures that are decoded together. Each takes 10 MB while it is (4 beams, the size of manga-ocr-base)."""
_ENCODED, _ENCODED_CPU = 16, 4
"""Pictures that go through the encoder together."""
_UNASKED = 1.5
"""Seconds: on a CPU only as many go through it together as it sees in that time: it cannot be stopped."""
_OTHERS = 3
"""How many of the less likely beams are told."""


class MangaModel:
    """A checkpoint in memory."""

    def __init__(self, options: LoadOptions) -> None:
        """Read the checkpoint into the device's memory.

        Raises:
            ModelUnusable: the folder does not hold such a model, or a damaged one.
            DeviceFailed, OutOfMemory: not on that device.
        """
        prepare_libraries(options.threads)
        folder = Path(options.checkpoint)
        check(folder)
        self.device = options.device
        self._place = self._place_on(options.device)
        self.precision = precision_here(options.precision, self._place)
        self._batch = _BATCH_CPU if self._place == "cpu" else _BATCH
        # How long a picture takes in the encoder, of late.
        self._encoding = _UNASKED
        self._processor = ViTImageProcessorPil.from_pretrained(folder, local_files_only=True)
        # Only decoded with, so the splitting of words is left out, which would read a dictionary of 250 MB.
        self._tokenizer = BertJapaneseTokenizer.from_pretrained(
            folder, local_files_only=True, word_tokenizer_type="basic"
        )
        self._network = read_weights(self.device, name_of(folder), partial(self._from_pretrained, folder))
        # What is kept from token to token is ours (_Beams), whatever the checkpoint says.
        config = self._network.generation_config
        config.use_cache, config.cache_implementation = True, None

    @property
    def batch(self) -> int:
        """How many pictures go through the decoder together."""
        return self._batch

    def _place_on(self, device: str) -> str:
        """What torch calls the device.

        Raises:
            DeviceFailed: torch cannot use it.
        """
        check_device(device)
        return device

    def _from_pretrained(self, folder: Path) -> Any:
        """The network and what was amiss with its weights; raises what torch and transformers raise."""
        options = loading_options(folder, self._place, self.precision)
        return VisionEncoderDecoderModel.from_pretrained(**options)

    def read(
        self, pictures: Sequence[Image.Image], cancelled: Callable[[], bool], allow_repeats: bool = False
    ) -> Iterator[list[Read]]:
        """One reading per picture, in the same order, batch by batch.

        Args:
            cancelled: asked before each token.
            allow_repeats: search without the checkpoint's ``no_repeat_ngram_size``.

        Raises:
            Cancelled: ``cancelled()`` said so.
            OutOfMemory: not even for one picture at a time.
            DeviceFailed: the device is of no more use to this process.
        """
        done = 0
        while done < len(pictures):
            part = pictures[done : done + self._batch]
            found, fault = attempt(self.device, partial(self.read_batch, part, cancelled, allow_repeats))
            if found is not None:
                done += len(part)
                yield found
            elif isinstance(fault, OutOfMemory) and len(part) > 1:
                free_cache(self._place)
                self._batch = len(part) // 2
            elif fault is not None:
                raise fault

    @torch.inference_mode()
    def read_batch(
        self, pictures: Sequence[Image.Image], cancelled: Callable[[], bool], allow_repeats: bool
    ) -> list[Read]:
        """``read`` for as many pictures as go through the decoder together; raises what torch raises."""
        encoded = self._encode(pictures, cancelled)
        if cancelled():
            raise Cancelled
        config = self._network.generation_config
        count = min(config.num_beams or 1, _OTHERS + 1)
        sequences = self._network.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=encoded),
            max_length=MAX_LENGTH,
            num_return_sequences=count,
            past_key_values=_Beams(DynamicCache(), self._seen(encoded, config.num_beams or 1)),
            stopping_criteria=StoppingCriteriaList([_Stop(cancelled)]),
            **({"no_repeat_ngram_size": 0} if allow_repeats else {}),
        )
        if cancelled():
            raise Cancelled
        likelihoods = self._likelihoods(sequences[::count], encoded)
        return [
            self._read_of(sequences[index * count : (index + 1) * count], likelihoods[index])
            for index in range(len(pictures))
        ]

    def _encode(self, pictures: Sequence[Image.Image], cancelled: Callable[[], bool]) -> torch.Tensor:
        """What the encoder sees in each picture, of shape (pictures, patches + 1, width)."""
        parts = []
        done = 0
        while done < len(pictures):
            if cancelled():
                raise Cancelled
            start = time.perf_counter()
            together = pictures[done : done + self._together()]
            # As the manga-ocr package does.
            grey = [picture.convert("L").convert("RGB") for picture in together]
            pixels = self._processor(grey, return_tensors="pt").pixel_values
            pixels = pixels.to(self._place, TYPES[self.precision])
            parts.append(self._network.encoder(pixel_values=pixels).last_hidden_state)
            done += len(together)
            self._encoding = (time.perf_counter() - start) / len(together)
        return torch.cat(parts)

    def _together(self) -> int:
        """How many pictures go through the encoder next."""
        if self._place != "cpu":
            return _ENCODED
        return max(1, min(_ENCODED_CPU, int(_UNASKED / self._encoding)))

    def _seen(self, encoded: torch.Tensor, beams: int) -> DynamicCache:
        """What the decoder keeps of each picture, computed once and not for each of its beams. For one alone
        that would take as long as it saves: the search does it."""
        seen = DynamicCache()
        if len(encoded) > 1:
            # Whatever it has written: that has no part in it.
            self._network(
                encoder_outputs=BaseModelOutput(last_hidden_state=encoded),
                decoder_input_ids=torch.zeros((len(encoded), 1), dtype=torch.long, device=encoded.device),
                past_key_values=EncoderDecoderCache(DynamicCache(), seen),
                use_cache=True,
            )
            seen.batch_repeat_interleave(beams)
        return seen

    def _read_of(self, beams: torch.Tensor, likelihoods: Sequence[float]) -> Read:
        """The text of the first of the beams, whose tokens are so likely, and the texts of the others."""
        text, values = self._text_of(beams[0].tolist(), likelihoods)
        others = []
        for beam in beams[1:]:
            squeezed = "".join(self._tokenizer.decode(beam.tolist(), skip_special_tokens=True).split())
            other, _ = post_process(squeezed, [0.0] * len(squeezed))
            if other and other != text and other not in others:
                others.append(other)
        return Read(text, values, tuple(others))

    def _likelihoods(self, sequences: torch.Tensor, encoded: torch.Tensor) -> list[list[float]]:
        """For each sequence how likely each of its tokens was, the first and what follows the end left out.

        One more pass of the decoder over all of them gives the raw logits, which the rules of the search (no
        repeats) have not changed. Shorter ones are filled up at the end, where no token before sees it.
        """
        lengths = [self._length(ids) for ids in sequences.tolist()]
        longest = max(lengths)
        if longest < 2:
            return [[] for _ in lengths]
        shown, chosen = sequences[:, : longest - 1], sequences[:, 1:longest]
        logits = self._network(
            encoder_outputs=BaseModelOutput(last_hidden_state=encoded),
            decoder_input_ids=shown,
            decoder_attention_mask=torch.ones_like(shown),
            use_cache=False,
        ).logits
        # Row by row, since each step would take as much memory again as the logits of all.
        values = [
            torch.log_softmax(row.float(), dim=-1).gather(1, tokens[:, None])[:, 0].exp()
            for row, tokens in zip(logits, chosen, strict=True)
        ]
        told = torch.stack(values).tolist()
        return [row[: length - 1] for row, length in zip(told, lengths, strict=True)]

    def _length(self, ids: Sequence[int]) -> int:
        """How many tokens there are before the one that ends the text."""
        end = self._network.generation_config.eos_token_id
        ends = {end} if isinstance(end, int) else set(end or ())
        return next((n for n, token in enumerate(ids[1:], 1) if token in ends), len(ids))

    def _text_of(self, ids: Sequence[int], likelihoods: Sequence[float]) -> tuple[str, tuple[float, ...]]:
        """The text of the tokens, and how likely each of its characters was."""
        if not likelihoods:
            return "", ()
        squeezed = "".join(self._tokenizer.decode(ids, skip_special_tokens=True).split())
        special = set(self._tokenizer.all_special_tokens)
        tokens = self._tokenizer.convert_ids_to_tokens(ids[1 : 1 + len(likelihoods)])
        pieces = ["" if token in special else token.removeprefix("##") for token in tokens]
        return post_process(squeezed, spread(squeezed, pieces, likelihoods))


class _Beams(EncoderDecoderCache):
    """Beams change places only among those of the same picture, so what is kept of the pictures stays."""

    def reorder_cache(self, beam_idx: torch.LongTensor) -> None:
        """Only what each beam has written goes with it: moving the rest takes a seventh of the time."""
        self.self_attention_cache.reorder_cache(beam_idx)


class _Stop(StoppingCriteria):
    """Ends the search at the next token once the job is cancelled."""

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self._cancelled = cancelled

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        if self._cancelled():
            raise Cancelled
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)
