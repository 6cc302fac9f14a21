"""Folds: every query is tested once, and never by a part that knows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpr.data.dataset import SPLITS, Dataset, Example, Request
from gpr.data.folds import fold
from gpr.data.split import query_key
from gpr.errors import DataError


@pytest.fixture
def asked(films: Dataset) -> Dataset:
    """40 queries in two spellings each, and a request with a history."""
    pairs = [
        Example(Request(text), n % len(films.catalogue)) for n in range(40) for text in (f"Query {n}", f"query  {n}")
    ]
    past = Example(Request("", (0, 1)), 2)
    return replace(films, examples={"train": tuple(pairs[:50]), "valid": (), "test": (*pairs[50:], past)})


@pytest.mark.parametrize("folds", [2, 5, 7])
def test_every_query_is_tested_once(asked: Dataset, folds: int) -> None:
    tested: list[str] = []
    for number in range(folds):
        part = fold(asked, number, folds)
        keys = {split: {query_key(e.request.query) for e in part.examples[split]} for split in SPLITS}
        assert not keys["train"] & keys["test"]
        assert not keys["valid"] & (keys["test"] | keys["train"])
        assert sum(len(part.examples[split]) for split in SPLITS) == 80
        assert len(keys["valid"]) == 4
        tested += keys["test"]
    assert sorted(tested) == sorted(f"query {number}" for number in range(40))


def test_the_seed_decides(asked: Dataset) -> None:
    assert fold(asked, 0, 5).examples == fold(asked, 0, 5).examples
    assert fold(asked, 0, 5).examples != fold(replace(asked, seed=1), 0, 5).examples


@pytest.mark.parametrize(
    ("folds", "words"), [(0, "0 folds cannot be made"), (1, "cannot be made"), (20, "there are 8")]
)
def test_refusals(asked: Dataset, folds: int, words: str) -> None:
    few = replace(asked, examples={"train": asked.examples["train"][:16], "valid": (), "test": ()})
    with pytest.raises(DataError, match=words):
        fold(few, 0, folds)
