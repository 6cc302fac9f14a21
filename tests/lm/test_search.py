"""Best-first search against the whole distribution: the same items in the same order, with any bias and any filter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpr.errors import RequestError
from gpr.lm import search
from gpr.lm.search import Best
from gpr.lm.tree import TreeDecoder
from gpr.lm.trie import build_trie
from tests.lm.test_tree import END, PROMPTS, TITLES
from tests.small_models import tiny

bodies = st.lists(st.integers(5, 8), max_size=6).map(tuple)
catalogues = st.lists(bodies, min_size=1, max_size=30, unique=True).map(lambda all_: [[*body, END] for body in all_])
"""Titles over four tokens: many share their beginnings, and but for the end some begin others."""


def ranked(scores: NDArray[np.float32], k: int) -> list[int]:
    """Items by score, ties by number, without those that are out."""
    order = np.lexsort((np.arange(len(scores)), -scores))
    return [int(item) for item in order if np.isfinite(scores[item])][:k]


def agrees(best: Best, scores: NDArray[np.float32], k: int) -> None:
    """The same as the first k of all scores, up to rounding among those that tie."""
    expected = ranked(scores, k)
    assert len(best.items) == len(set(best.items.tolist())) == len(expected)
    assert best.scores == pytest.approx(scores[expected], abs=1e-4)
    assert scores[best.items] == pytest.approx(scores[expected], abs=1e-4)


@settings(deadline=None, max_examples=40)
@given(catalogues, st.integers(1, 35), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1.0, 8.0]), st.booleans())
def test_top_k_is_the_beginning_of_all(
    tiny_llama: Any, titles: list[list[int]], k: int, seed: int, spread: float, filtered: bool
) -> None:
    rng = np.random.default_rng(seed)
    decoder = TreeDecoder(tiny_llama, build_trie(titles))
    shape = (len(PROMPTS), len(titles))
    bias = rng.normal(0, spread, shape).astype(np.float32) if spread else None
    allowed = rng.random(shape) < 0.6 if filtered else None
    if allowed is not None:
        allowed[:, rng.integers(len(titles))] = True
    scores = decoder.score_all(PROMPTS).numpy() + (0 if bias is None else bias)
    scores = scores if allowed is None else np.where(allowed, scores, -np.inf)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "TOKENS_A_PASS", int(rng.integers(1, 8)))
        patch.setattr(search, "ALL_AT_ONCE", float(rng.choice([0.1, 10])))
        patch.setattr(search, "TOKENS_ALONG", int(rng.integers(0, 12)))
        found = decoder.top_k(PROMPTS, k, bias, allowed)
        row = int(rng.integers(len(PROMPTS)))
        shifts = (None if bias is None else bias[row], None if allowed is None else allowed[row])
        alone = decoder.top_k(PROMPTS[row : row + 1], k, *shifts)
    for best, of_one in zip([*found, *alone], [*scores, scores[row]], strict=True):
        agrees(best, of_one, k)


@pytest.mark.parametrize("opening", [0, 2])
def test_every_family_finds_the_same_as_a_whole_distribution(family_model: Any, opening: int) -> None:
    """In a batch, and alone, where edges are read in the prompt's pass."""
    decoder = TreeDecoder(family_model, build_trie(TITLES), [PROMPTS[0][:opening]])
    scores = decoder.score_all(PROMPTS).numpy()
    found = decoder.top_k(PROMPTS, 3) + [decoder.top_k([prompt], 3)[0] for prompt in PROMPTS]
    for best, row in zip(found, [*scores, *scores], strict=True):
        assert best.items.tolist() == ranked(row, 3)
        assert best.log_probs == pytest.approx(row[best.items], abs=1e-4)


def test_alone_and_in_a_batch(tiny_llama: Any) -> None:
    decoder = TreeDecoder(tiny_llama, build_trie(TITLES))
    together = decoder.top_k(PROMPTS, 4)
    for best, prompt in zip(together, PROMPTS, strict=True):
        alone = decoder.top_k([prompt], 4)[0]
        assert alone.items.tolist() == best.items.tolist()
        assert alone.scores == pytest.approx(best.scores, abs=1e-4)


def test_ties_go_by_item_number(tiny_llama: Any) -> None:
    trie = build_trie(TITLES)
    decoder = TreeDecoder(tiny_llama, trie)
    log_probs = decoder.score_all(PROMPTS[:1]).numpy()
    level = (-log_probs).astype(np.float32)  # all items end up with the same score, 0
    best = decoder.top_k(PROMPTS[:1], 4, bias=np.round(level + log_probs, 3) - log_probs)[0]
    assert best.scores == pytest.approx(0, abs=1e-5)
    scores = np.zeros(len(TITLES), np.float32)
    agrees(best, scores, 4)


def test_equal_scores_to_the_last_bit_go_by_item_number() -> None:
    """A model that knows nothing: every child of a node is as likely as the others."""
    model = tiny("llama")
    model.get_output_embeddings().weight.data.zero_()
    titles = [[7, 1, END], [5, 1, END], [6, 1, END], [8, 2, END], [5, 2, END]]
    decoder = TreeDecoder(model, build_trie(titles))
    best = decoder.top_k([[9]], 5)[0]
    assert best.items.tolist() == [0, 2, 3, 1, 4]  # 1/4 each at the root, and half of that below 5
    two = decoder.top_k([[9]], 4, bias=np.array([0, 0, 0, 0, np.log(2)], np.float32))[0]
    assert two.items.tolist() == [0, 2, 3, 4]  # the prefix 5 bounds as much as the third item has: it is expanded


def test_it_visits_a_part_of_the_trie(tiny_llama: Any) -> None:
    rng = np.random.default_rng(1)
    titles = [[*row, END] for row in np.unique(rng.integers(5, 30, (400, 4)), axis=0).tolist()]
    decoder = TreeDecoder(tiny_llama, build_trie(titles))
    best = decoder.top_k(PROMPTS[:1], 3)[0]
    assert best.items.tolist() == ranked(decoder.score_all(PROMPTS[:1]).numpy()[0], 3)
    assert best.expanded < decoder.trie.n_nodes / 2


def test_expectations_change_no_result(tiny_llama: Any) -> None:
    decoder = TreeDecoder(tiny_llama, build_trie(TITLES))
    before = decoder.top_k(PROMPTS, 3)
    decoder.expect(np.random.default_rng(0).normal(-5, 3, len(TITLES)).astype(np.float32))
    for one, other in zip(before, decoder.top_k(PROMPTS, 3), strict=True):
        assert one.items.tolist() == other.items.tolist()


def test_a_filter_that_leaves_nothing_is_refused(tiny_llama: Any) -> None:
    decoder = TreeDecoder(tiny_llama, build_trie(TITLES))
    nothing = np.zeros(len(TITLES), np.bool_)
    with pytest.raises(RequestError, match="No item passes the filter"):
        decoder.top_k(PROMPTS, 3, allowed=nothing)
    with pytest.raises(RequestError, match="No item passes the filter"):
        decoder.score_all(PROMPTS, allowed=nothing)
