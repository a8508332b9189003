"""Choosing the next token. Model process only."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from transformers import GenerationConfig
from transformers.generation.logits_process import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from core.chat import GenerationOptions

_COLDEST = 1e-4
"""Temperatures below always take the likeliest token, as 0 does."""


class Sampler:
    """Chooses as ``generate`` of transformers does with the same settings, and keeps how likely the model
    itself found what was chosen: from its raw logits, before any of those settings."""

    def __init__(self, options: GenerationOptions, config: GenerationConfig, device: str) -> None:
        self._rules = LogitsProcessorList()
        penalty = config.repetition_penalty
        self._punishes = penalty is not None and penalty != 1.0
        if self._punishes:
            self._rules.append(RepetitionPenaltyLogitsProcessor(penalty))
        # Divided by less, logits are no numbers any more.
        self._draw = options.temperature >= _COLDEST
        if self._draw:
            self._rules.append(TemperatureLogitsWarper(options.temperature))
            if options.top_p < 1:
                self._rules.append(TopPLogitsWarper(options.top_p))
        self._random = torch.Generator(device)
        if options.seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(options.seed)
        self._log_likelihood = 0.0
        self._count = 0
        self._top = options.top_logprobs
        self.logprob = 0.0
        """Of what was chosen last."""
        self.likeliest: list[tuple[int, float]] = []
        """The likeliest tokens in its place with theirs, as many as the options ask for."""

    def choose(self, prompt: torch.Tensor, answer: Sequence[int], logits: torch.Tensor) -> int:
        """The next token.

        Args:
            prompt: its tokens, of shape (1, length).
            answer: the tokens that were chosen so far.
            logits: of the last of them, of shape (1, vocabulary).
        """
        raw = logits.float()
        ids = prompt[:, :0]
        if self._punishes:
            ids = torch.cat((prompt, torch.tensor([list(answer)], dtype=prompt.dtype)), dim=1)
        scores = self._rules(ids.to(raw.device), raw.clone())  # type: ignore[arg-type]
        if self._draw:
            shares = torch.softmax(scores, dim=-1)
            chosen = torch.multinomial(shares, 1, generator=self._random)[0, 0]
        else:
            chosen = scores[0].argmax()
        logprobs = torch.log_softmax(raw[0], dim=-1)
        self.logprob = float(logprobs[chosen])
        self._log_likelihood += self.logprob
        self._count += 1
        if self._top:
            found = logprobs.topk(min(self._top, len(logprobs)))
            self.likeliest = list(zip(found.indices.tolist(), found.values.tolist(), strict=True))
        return int(chosen)

    @property
    def confidence(self) -> float | None:
        """The geometric mean of the likelihoods of what was chosen, None before the first."""
        return math.exp(self._log_likelihood / self._count) if self._count else None
