"""Text that is written freely: what transformers would write, streamed, and told apart from the catalogue."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gpr.data.dataset import Request
from gpr.errors import RequestError
from gpr.explain.ideas import blurb, ideas, queries
from gpr.lm.base import Base
from gpr.lm.body import Head, body_of
from gpr.lm.free import continuations
from gpr.lm.prompts import Prompts
from gpr.lm.sampling import Sampling
from gpr.scorers.gpt import Gpt


@pytest.fixture(scope="module")
def gpt(tiny_base: Base, prompts: Prompts) -> Gpt:
    return Gpt(tiny_base.model, prompts)


def written(model: Any, prompts: Prompts, sampling: Sampling) -> list[list[int]]:
    ids = prompts.request(Request("dreams")).ids
    *_, (found, _) = continuations(body_of(model), Head(model), ids, prompts.ends, sampling)
    return found


def test_without_temperature_each_goes_on_as_transformers_would(tiny_base: Base, prompts: Prompts) -> None:
    model = tiny_base.model
    found = written(model, prompts, Sampling(number=3, length=6))
    ids = prompts.request(Request("dreams")).ids
    assert len({tokens[0] for tokens in found}) == 3
    for tokens in found:
        start = torch.tensor([[*ids, tokens[0]]])
        ends = {"eos_token_id": prompts.ends, "pad_token_id": 0, "attention_mask": torch.ones_like(start)}
        expected = model.generate(start, max_new_tokens=5, do_sample=False, **ends)[0, len(ids) :].tolist()
        assert tokens == [token for token in expected if token not in prompts.ends]


def test_sampling_is_the_same_for_the_same_seed(tiny_base: Base, prompts: Prompts) -> None:
    first, again, other = (
        written(tiny_base.model, prompts, Sampling(4, temperature=1.0, seed=seed)) for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.parametrize("wrong", [{"number": 0}, {"number": 9}, {"temperature": -1.0}, {"temperature": 3.0}])
def test_settings_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="Ask for 1 to 8|Use 0 to 2"):
        Sampling(**wrong)


def test_ideas_are_streamed_and_then_matched(gpt: Gpt) -> None:
    *streamed, last = ideas(gpt, Request("dreams"), Sampling(3, length=5))
    assert [len(idea.text) for idea in streamed[0]] <= [len(idea.text) for idea in streamed[-1]]
    assert all(not idea.nearest for idea in streamed[-1])
    assert {idea.text for idea in last} == {idea.text for idea in streamed[-1] if idea.text}
    for idea in last:
        (_, first), (_, second) = idea.nearest
        assert 1 + 1e-5 >= first >= second
        assert idea.item is None or gpt.catalogue.titles[idea.item].casefold() == idea.text.casefold()


def test_a_title_of_the_catalogue_is_recognised(gpt: Gpt, monkeypatch: pytest.MonkeyPatch) -> None:
    alien = gpt.prompts.titles[2][:-1]
    monkeypatch.setattr(
        "gpr.explain.ideas.continuations", lambda *_: iter([([alien, [*alien, *alien], alien], [True] * 3)])
    )
    *_, [known, unknown] = ideas(gpt, Request("dreams"), Sampling())
    assert (known.text, known.item) == ("Alien", 2)
    assert (unknown.text, unknown.item) == ("Alien Alien", None)


def test_queries_go_on_with_what_was_begun_and_a_blurb_is_one_text(gpt: Gpt) -> None:
    *_, found = queries(gpt, ["monster on a ship", "love and war"], "a film", Sampling(2, length=4))
    assert all(idea.text.startswith("a film") for idea in found)
    *_, about = blurb(gpt, 0, Sampling(1, length=4))
    assert len(about) == 1
