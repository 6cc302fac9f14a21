"""`generate` and `match` from one pass: the decoder's own numbers, features that do not depend on the batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from gpr.data.dataset import Dataset, Request
from gpr.lm.base import Base
from gpr.lm.prompts import Prompts
from gpr.lm.tree import TreeDecoder
from gpr.scorers.gpt import Gpt, fingerprint
from tests.small_data import catalogue_of

REQUESTS = [Request("a film about dreams"), Request("", (2, 3)), Request("marines", (0,)), Request()]


def test_generate_is_the_decoders_and_prior_is_its_answer_to_the_empty_request(
    gpt: Gpt, tiny_base: Base, prompts: Prompts
) -> None:
    decoder = TreeDecoder(tiny_base.model, prompts.trie)
    expected = decoder.score_all([prompts.request(request).ids for request in REQUESTS])
    parts = gpt.score_parts(REQUESTS)
    assert set(parts) == {"generate", "match", "prior"}
    np.testing.assert_allclose(parts["generate"], expected, atol=1e-4)
    np.testing.assert_allclose(parts["prior"], np.tile(parts["generate"][3], (4, 1)), atol=1e-4)


def test_plausibility_is_what_the_request_adds_to_a_titles_likelihood(
    gpt: Gpt, titled: Gpt, prompts: Prompts, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, every = titled.score_parts(REQUESTS), np.arange(len(prompts.catalogue))
    assert set(parts) == {"generate", "match", "prior", "plausibility"}
    np.testing.assert_allclose(parts["generate"], gpt.score_parts(REQUESTS)["generate"], atol=1e-4)
    asked = [prompts.request(request).ids for request in REQUESTS]
    found = np.concatenate([titled.decoder.likelihoods(titled.decoder.read([ids]), every)[1] for ids in asked])
    np.testing.assert_allclose(parts["plausibility"], found - found[3], atol=1e-4)
    some = titled.score_parts(REQUESTS, items=every[2:5])
    for name in ("generate", "plausibility"):
        np.testing.assert_allclose(some[name], parts[name][:, 2:5], atol=1e-4)
    monkeypatch.setattr("gpr.scorers.gpt.TITLES_AT_ONCE", 1)
    np.testing.assert_allclose(titled.score_parts(REQUESTS)["plausibility"], parts["plausibility"], atol=1e-4)


def test_many_titles_are_not_read_to_their_ends(
    gpt: Gpt, tiny_base: Base, prompts: Prompts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prompts.trie.whole_tokens == sum(map(len, read_tokens(prompts))) - len(prompts.titles)
    monkeypatch.setattr("gpr.scorers.gpt.WHOLE_TITLES", prompts.trie.whole_tokens - 1)
    many = Gpt(tiny_base.model, prompts, gpt.match, gpt.item_features, titles=True)
    assert not many.reads_titles
    assert "plausibility" not in many.score_parts(REQUESTS)


def read_tokens(prompts: Prompts) -> list[set[tuple[int, ...]]]:
    """For each first token the distinct beginnings of titles that begin with it: one token of the trie each."""
    found: dict[int, set[tuple[int, ...]]] = {}
    for ids in prompts.titles:
        found.setdefault(ids[0], set()).update(tuple(ids[: end + 1]) for end in range(len(ids)))
    return list(found.values())


def test_features_of_a_text_do_not_depend_on_the_batch(gpt: Gpt, prompts: Prompts) -> None:
    for number, text in enumerate(prompts.texts):
        torch.testing.assert_close(gpt.text_features([text])[0], gpt.item_features[number], atol=1e-4, rtol=1e-3)


def test_known_features_are_not_computed_again(gpt: Gpt, tiny_base: Base, prompts: Prompts) -> None:
    shares: list[float] = []
    again = Gpt(tiny_base.model, prompts, gpt.match, gpt.item_features, shares.append)
    assert shares == []
    for name, part in gpt.score_parts(REQUESTS).items():
        np.testing.assert_allclose(again.score_parts(REQUESTS)[name], part, atol=1e-5)


def test_progress_grows_to_one(gpt: Gpt, tiny_base: Base, prompts: Prompts) -> None:
    reading: list[float] = []
    scoring: list[float] = []
    Gpt(tiny_base.model, prompts, progress=reading.append)
    gpt.score_parts(REQUESTS, scoring.append)
    assert (reading[-1], scoring[-1]) == (1, 1)
    assert scoring == sorted(scoring)


def test_a_catalogue_of_two(tiny_base: Base) -> None:
    prompts = Prompts(tiny_base.tokenizer, catalogue_of(["Good", "Bad"]))
    for part in Gpt(tiny_base.model, prompts).score_parts(REQUESTS[:1]).values():
        assert np.isfinite(part).all()
        assert np.exp(part).sum().round(4) == 1


def test_the_fingerprint_names_titles_and_texts(
    tiny_tokenizer: PreTrainedTokenizerFast, films: Dataset, prompts: Prompts
) -> None:
    def of(titles: list[str], **columns: list[str]) -> str:
        return fingerprint(Prompts(tiny_tokenizer, catalogue_of(titles, **columns)))

    assert fingerprint(Prompts(tiny_tokenizer, films.catalogue)) == fingerprint(prompts)
    names = [of(["A", "B"]), of(["B", "A"]), of(["A", "B"], genre=["x", ""]), of(["A", "B", "C"]), fingerprint(prompts)]
    assert len(set(names)) == len(names)
