"""The tree decoder against the plain way, for every family of models, any titles and any batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from gpr.errors import RequestError
from gpr.lm import tree
from gpr.lm.prompts import Prompts
from gpr.lm.reading import padded
from gpr.lm.tree import TreeDecoder
from gpr.lm.trie import build_trie
from tests.small_data import catalogue_of
from tests.small_models import plain_log_probs, tiny, with_lora

RNG = np.random.default_rng(0)
END = 319
TITLES = [
    [5, 6, 7, END],
    [5, 6, 7, 8, END],
    [5, 6, 9, END],
    [5, END],
    [10, 11, 12, 13, 14, END],
    [10, 11, 12, 13, 15, END],
    [16, END],
    [5, 6, *[9] * 9, 20, END],
    [5, 6, *[9] * 9, END],
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


def test_an_adapted_model_agrees_with_the_plain_way() -> None:
    model = with_lora(tiny("llama"))
    scores = TreeDecoder(model, build_trie(TITLES)).score_all(PROMPTS[:1])
    assert same(scores[0], plain_log_probs(model, PROMPTS[0], TITLES))
    assert not same(scores[0], plain_log_probs(tiny("llama"), PROMPTS[0], TITLES))


@pytest.mark.parametrize("titles", [TITLES[:1], TITLES[:2], [[1, END], [2, END]]])
def test_one_and_two_items(tiny_llama: Any, titles: list[list[int]]) -> None:
    scores = TreeDecoder(tiny_llama, build_trie(titles)).score_all(PROMPTS[:2])
    for row, prompt in zip(scores, PROMPTS, strict=False):
        assert same(row, plain_log_probs(tiny_llama, prompt, titles))
        assert float(row.exp().sum()) == pytest.approx(1, abs=1e-5)


words = st.sampled_from(["The ", "Matrix", "盗梦", "空间", "Amélie", "ß", "🎬", "é", "Alien", "s", " ", "'", "2"])
texts = st.lists(words, min_size=1, max_size=5).map("".join) | st.text(min_size=1, max_size=12)
titles = texts.map(lambda text: " ".join(text.split())).filter(bool)


@settings(deadline=None, max_examples=25)
@given(st.lists(titles, min_size=1, max_size=12, unique=True), st.lists(st.text(max_size=20), min_size=1, max_size=3))
def test_probabilities_sum_to_one_for_any_titles(
    tiny_llama: Any, tiny_tokenizer: PreTrainedTokenizerFast, titles: list[str], queries: list[str]
) -> None:
    trie = Prompts(tiny_tokenizer, catalogue_of(titles)).trie
    prompts = [tiny_tokenizer.encode(f"Query: {query}\nTitle:") for query in queries]
    scores = TreeDecoder(tiny_llama, trie).score_all(prompts)
    assert scores.shape == (len(queries), len(titles))
    assert (scores <= 0).all()
    assert scores.double().exp().sum(1).numpy() == pytest.approx(1, abs=1e-5)


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(1, 400))
def test_batches_cover_each_row_once_within_the_bound(tiny_llama: Any, lengths: list[int], bound: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree, "TOKENS_AT_ONCE", bound)
        decoder = TreeDecoder(tiny_llama, build_trie(TITLES))
        batches = decoder.batches([[1] * length for length in lengths])
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    edges = decoder.trie.edge_tokens
    for batch in batches:
        assert len(batch) == 1 or len(batch) * (max(lengths[row] for row in batch) + edges) <= bound


def test_many_batches_give_what_one_gives(tiny_llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = TreeDecoder(tiny_llama, build_trie(TITLES))
    whole = decoder.score_all(PROMPTS)
    monkeypatch.setattr(tree, "TOKENS_AT_ONCE", 1)
    assert same(decoder.score_all(PROMPTS), whole)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_request_beyond_the_positions_that_a_model_knows_is_refused(family: str) -> None:
    decoder = TreeDecoder(tiny(family), build_trie(TITLES))
    fits = [5] * (128 - 11)  # the deepest choice is behind 11 tokens of a title
    assert float(decoder.score_all([fits]).double().exp().sum()) == pytest.approx(1, abs=1e-5)
    with pytest.raises(RequestError, match="needs 129 tokens; this base model reads 128. Shorten the query"):
        decoder.score_all([[5], [*fits, 5]])


def test_half_precision_is_close(tiny_llama: Any) -> None:
    exact = TreeDecoder(tiny_llama, build_trie(TITLES)).score_all(PROMPTS)
    half = TreeDecoder(tiny("llama").bfloat16(), build_trie(TITLES)).score_all(PROMPTS)
    assert half.dtype == torch.float32
    assert (half.exp() - exact.exp()).abs().max() < 0.1
    assert half.double().exp().sum(1).numpy() == pytest.approx(1, abs=1e-5)


def test_padding_is_on_the_right() -> None:
    ids, lengths = padded([[1, 2, 3], [4]], torch.device("cpu"))
    assert (ids.tolist(), lengths.tolist()) == ([[1, 2, 3], [4, 0, 0]], [3, 1])
