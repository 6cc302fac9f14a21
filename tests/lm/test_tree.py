"""The tree decoder against the plain way, for every family of models, any titles and any batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from gpr.errors import RequestError
from gpr.lm import tree
from gpr.lm.prompts import Prompts
from gpr.lm.tree import TreeDecoder, padded
from gpr.lm.trie import build_trie
from tests.lm.conftest import plain_log_probs, tiny
from tests.small_data import catalogue_of

RNG = np.random.default_rng(0)
END = 319
TITLES = [
    *([5, 6, 7, END], [5, 6, 7, 8, END], [5, 6, 9, END], [5, END], [10, 11, 12, 13, 14, END]),
    *([10, 11, 12, 13, 15, END], [16, END], [5, 6, 9, 9, 9, 9, 9, 9, 9, 9, 9, 20, END], [5, 6, 9, 9, 9, 9, 9, 9, 9, 9, 9, END]),
]
"""Some end where others go on; two part only after more tokens than the window of 8 holds."""
PROMPTS = [RNG.integers(20, 300, length).tolist() for length in (1, 4, 30, 11, 17)]
"""Some longer than the window."""


def same(found: torch.Tensor, expected: torch.Tensor) -> bool:
    return torch.allclose(found.double(), expected.double(), rtol=0, atol=1e-4)


def test_every_family_agrees_with_the_plain_way(family_model: Any) -> None:
    scores = TreeDecoder(family_model, build_trie(TITLES)).score_all(PROMPTS)
    assert (scores.shape, scores.dtype) == ((len(PROMPTS), len(TITLES)), torch.float32)
    for row, prompt in zip(scores, PROMPTS, strict=True):
        assert same(row, plain_log_probs(family_model, prompt, TITLES))


def test_a_request_gets_the_same_answer_alone_as_in_a_batch(family_model: Any) -> None:
    decoder = TreeDecoder(family_model, build_trie(TITLES))
    together = decoder.score_all(PROMPTS)
    for row, prompt in zip(together, PROMPTS, strict=True):
        assert same(row, decoder.score_all([prompt])[0])
