"""Shortlists: the same numbers as for the whole catalogue, and whole titles against the plain way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gpr.errors import RequestError
from gpr.lm import blocks, tree
from gpr.lm.blocks import stretches
from gpr.lm.paths import Paths
from gpr.lm.tree import TreeDecoder
from gpr.lm.trie import build_trie
from tests.lm.test_search import catalogues
from tests.lm.test_tree import PROMPTS, TITLES
from tests.small_models import tiny, with_lora


@settings(deadline=None, max_examples=25)
@given(catalogues, st.data())
def test_a_shortlist_has_the_scores_of_the_whole(tiny_llama: Any, titles: list[list[int]], data: st.DataObject) -> None:
    decoder = TreeDecoder(tiny_llama, build_trie(titles))
    items = np.array(data.draw(st.lists(st.integers(0, len(titles) - 1), min_size=1, max_size=10)))
    scores = decoder.score_all(PROMPTS).numpy()
    reading = decoder.read(PROMPTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree, "ITEMS_AT_ONCE", data.draw(st.integers(1, 5)))
        assert decoder.score_items(reading, items) == pytest.approx(scores[:, items], abs=1e-4)
        own = np.stack([np.roll(items, row) for row in range(len(PROMPTS))])
        assert decoder.score_items(reading, own) == pytest.approx(np.take_along_axis(scores, own, 1), abs=1e-4)


@pytest.mark.parametrize("tokens", [2, 9, 128])
def test_likelihoods_are_those_of_the_whole_vocabulary(
    family_model: Any, tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK_TOKENS", tokens)
    decoder = TreeDecoder(family_model, build_trie(TITLES))
    log_probs, likelihoods = decoder.likelihoods(decoder.read(PROMPTS), np.arange(len(TITLES)), exact=True)
    assert log_probs == pytest.approx(decoder.score_all(PROMPTS).numpy(), abs=1e-4)
    for row, prompt in enumerate(PROMPTS):
        for item, title in enumerate(TITLES):
            with torch.inference_mode():
                table = family_model(input_ids=torch.tensor([[*prompt, *title]])).logits[0].double().log_softmax(-1)
            expected = sum(float(table[len(prompt) - 1 + at, token]) for at, token in enumerate(title))
            assert likelihoods[row, item] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("family", ["llama", "qwen3", "mistral", "lora"])
def test_likelihoods_with_products_in_bfloat16_are_nearly_the_same(family: str) -> None:
    model = with_lora(tiny("llama")) if family == "lora" else tiny(family)
    decoder, items = TreeDecoder(model, build_trie(TITLES)), np.arange(len(TITLES))
    reading = decoder.read(PROMPTS)
    exact = decoder.likelihoods(reading, items, exact=True)
    decoder.reader.halves = True  # whether or not this processor has the instructions
    for whole, nearly in zip(exact, decoder.likelihoods(reading, items), strict=True):
        assert not np.array_equal(nearly, whole)
        assert nearly == pytest.approx(whole, abs=0.3)
        assert np.abs(nearly - whole).mean() < 0.05
    assert np.array_equal(decoder.likelihoods(reading, items, exact=True), exact)


@settings(deadline=None, max_examples=25)
@given(catalogues, st.integers(1, 20))
def test_stretches_hold_each_item_once_in_order_and_keep_to_their_width(titles: list[list[int]], tokens: int) -> None:
    trie = build_trie(titles)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_TOKENS", tokens)
        parts = stretches(trie, trie.order)
    assert np.concatenate(parts).tolist() == list(range(len(titles)))
    assert min(map(len, parts)) > 0
    paths = [Paths(trie, trie.order[part], True) for part in parts]
    read = [int(max(path.before.max(), path.ends.max())) for path in paths]
    assert all(width <= tokens or len(part) == 1 for width, part in zip(read, parts, strict=True))


@pytest.mark.parametrize("prompts", [PROMPTS, PROMPTS[:1]])
def test_a_reading_can_be_used_again(tiny_llama: Any, prompts: list[list[int]]) -> None:
    decoder = TreeDecoder(tiny_llama, build_trie(TITLES))
    reading = decoder.read(prompts, ahead=True)
    assert (len(reading.nodes) > 0) == (len(prompts) == 1)
    if len(prompts) == 1:
        assert decoder.best_behind(reading, 3).items.tolist() == decoder.top_k(prompts, 3)[0].items.tolist()
    first = decoder.score_items(reading, np.array([2, 7]))
    whole = decoder.score(reading).numpy()
    assert first == pytest.approx(whole[:, [2, 7]], abs=1e-4)
    assert decoder.score_items(reading, np.array([2, 7])) == pytest.approx(first, abs=1e-5)


@pytest.mark.parametrize("opening", [[], PROMPTS[2][:5], PROMPTS[2][:7]])
def test_a_known_beginning_changes_nothing(family_model: Any, opening: list[int]) -> None:
    plain = TreeDecoder(family_model, build_trie(TITLES))
    prompts = [PROMPTS[2], PROMPTS[2][:9], PROMPTS[0], PROMPTS[2][:7]]
    known = TreeDecoder(family_model, build_trie(TITLES), [opening])
    assert known.score_all(prompts).numpy() == pytest.approx(plain.score_all(prompts).numpy(), abs=1e-4)
    for batch in known.batches(prompts):
        reading = known.read([prompts[row] for row in batch])
        assert reading.opening == (len(opening) if len(prompts[batch[0]]) > len(opening) else 0)
        assert reading.lengths.tolist() == [len(prompts[row]) for row in batch]


def test_a_catalogue_in_parts_has_the_same_scores(tiny_llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    titles = [[*row, 319] for row in np.unique(rng.integers(5, 9, (300, 6)), axis=0).tolist()]
    whole = TreeDecoder(tiny_llama, build_trie(titles)).score_all(PROMPTS[:2])
    monkeypatch.setattr(blocks, "BLOCK_TOKENS", 7)
    monkeypatch.setattr(tree, "PASS_TOKENS", 150)  # some blocks a pass, and several passes
    parts = TreeDecoder(tiny_llama, build_trie(titles)).score_all(PROMPTS[:2])
    assert torch.allclose(whole, parts, atol=1e-4)
    assert parts.double().exp().sum(1).numpy() == pytest.approx(1, abs=1e-5)


def test_a_title_beyond_the_positions_that_a_model_knows_is_refused() -> None:
    decoder = TreeDecoder(tiny("gpt2"), build_trie(TITLES))
    reading = decoder.read([[5] * (128 - 11)])
    with pytest.raises(RequestError, match="needs 129 tokens; this base model reads 128"):
        decoder.likelihoods(reading, np.array([7]))


def test_bias_and_filter_act_on_the_whole_catalogue(tiny_llama: Any) -> None:
    decoder = TreeDecoder(tiny_llama, build_trie(TITLES))
    plain = decoder.score_all(PROMPTS).double()
    bias = np.linspace(-3, 3, len(TITLES)).astype(np.float32)
    allowed = np.arange(len(TITLES)) % 2 == 0
    found = decoder.score_all(PROMPTS, bias, allowed).double()
    expected = (plain + torch.from_numpy(bias)).exp() * torch.from_numpy(allowed)
    assert torch.allclose(found.exp(), expected / expected.sum(1, keepdim=True), atol=1e-5)
