"""The table of `gpr evaluate`: its keys, whom it measures, and that scorers which know the answers win."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gpr.data.dataset import Dataset, Example, Request
from gpr.errors import DataError
from gpr.evaluate.metrics import NAMES
from gpr.evaluate.peers import Scales
from gpr.evaluate.table import evaluate
from gpr.lm.base import Base
from gpr.lm.prompts import Prompts
from gpr.scorers.ensemble import Ensemble, scorers_of
from gpr.scorers.gpt import Gpt
from gpr.scorers.pool import Pool
from gpr.scorers.popular import Popular
from gpr.scorers.scorer import Scorer
from gpr.scorers.words import Words
from tests.small_models import with_lora


@pytest.fixture(scope="module")
def gpt(tiny_base: Base, prompts: Prompts) -> Gpt:
    return Gpt(tiny_base.model, prompts)


@pytest.fixture(scope="module")
def other(tiny_base: Base, prompts: Prompts) -> Gpt:
    """A model that answers differently."""
    return Gpt(with_lora(copy.deepcopy(tiny_base.model)), prompts)


def both(films: Dataset, gpt: Gpt) -> Ensemble:
    """The model with the scorers that the films teach."""
    return Ensemble(gpt, scorers_of(films))


def silent(share: float, words: str) -> None:
    pass


def test_no_scale_is_fitted_on_queries_that_its_scorer_knows(
    films: Dataset, gpt: Gpt, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Scorer] = {}

    def scales(dataset: Dataset, scorers: dict[str, Scorer]) -> Scales:
        seen.update(scorers)
        return Scales(dataset, scorers)

    monkeypatch.setattr("gpr.evaluate.table.Scales", scales)
    evaluate(films, gpt, Ensemble(gpt, scorers_of(films.with_validation())), Pool(), silent)
    asked = [example.request for example in films.examples["valid"] if example.request.query]
    for name in ("words", "bm25_queries"):
        np.testing.assert_array_equal(seen[name].score_all(asked), Words(films, with_queries=True).score_all(asked))
    np.testing.assert_array_equal(seen["popular"].score_all(asked), Popular(films).score_all(asked))


@pytest.mark.parametrize("with_run", [False, True])
def test_its_keys_are_those_that_others_rely_on(films: Dataset, gpt: Gpt, other: Gpt, with_run: bool) -> None:
    table = evaluate(films, gpt, both(films, other if with_run else gpt), Pool(), silent)
    assert {"data", "split", "n", "metrics"} <= set(table)
    assert (table["data"], table["split"], table["n"]) == ("films", "test", len(films.examples["test"]))
    assert {"gpr", "generate", "match", "words", "base", "popular", "bm25", "bm25_queries"} <= set(table["metrics"])
    assert next(iter(table["metrics"])) == "gpr"
    for row in table["metrics"].values():
        assert tuple(row) == NAMES == ("R@1", "R@5", "R@10", "NDCG@10", "MRR")
        assert all(0 <= value <= 1 for value in row.values())
    assert json.loads(json.dumps(table, allow_nan=False)) == table


def test_without_a_run_what_a_user_gets_is_the_base(films: Dataset, gpt: Gpt) -> None:
    metrics = evaluate(films, gpt, both(films, gpt), Pool(), silent)["metrics"]
    assert metrics["gpr"] == metrics["base"]


def test_with_a_run_base_is_still_the_base(films: Dataset, gpt: Gpt, other: Gpt) -> None:
    alone = evaluate(films, gpt, both(films, gpt), Pool(), silent)["metrics"]
    beside = evaluate(films, gpt, both(films, other), Pool.same(generate=1.0, prior=1.0), silent)["metrics"]
    assert beside["base"] == alone["base"]
    assert (beside["popular"], beside["bm25"]) == (alone["popular"], alone["bm25"])
    assert beside["generate"] != alone["generate"]


def asking(films: Dataset, *examples: Example) -> Dataset:
    """The films with another test split."""
    return dataclasses.replace(films, examples={**films.examples, "test": examples})


def test_peers_win_where_they_know_the_answer(films: Dataset, gpt: Gpt) -> None:
    literal = evaluate(asking(films, Example(Request("casablanca"), 6)), gpt, both(films, gpt), Pool(), silent)[
        "metrics"
    ]
    assert literal["bm25"]["R@1"] == 1
    loved = evaluate(asking(films, Example(Request("zzz"), 3)), gpt, both(films, gpt), Pool(), silent)["metrics"]
    assert (loved["popular"]["R@1"], loved["bm25"]["R@1"]) == (1, 0)  # without a known word all items tie


def test_items_of_the_history_are_left_out(films: Dataset, gpt: Gpt) -> None:
    all_but_one = Example(Request("", (0, 1, 2, 3, 4, 5, 6, 7, 9)), 8)
    for row in evaluate(asking(films, all_but_one), gpt, both(films, gpt), Pool(), silent)["metrics"].values():
        assert set(row.values()) == {1.0}


def test_an_empty_test_split_is_told_in_words(films: Dataset, gpt: Gpt) -> None:
    with pytest.raises(DataError, match="films: There is nothing to evaluate on: the test split is empty."):
        evaluate(asking(films), gpt, both(films, gpt), Pool(), silent)


def test_an_evaluation_that_was_broken_off_goes_on_where_it_ended(
    films: Dataset, gpt: Gpt, other: Gpt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpr.evaluate.table.BATCH", 2)
    whole = evaluate(films, gpt, both(films, other), Pool(), silent)

    def breaks_off(share: float, words: str) -> None:
        if share > 0.8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(films, gpt, both(films, other), Pool(), breaks_off, tmp_path / "kept")
    asked: list[Request] = []
    real = Gpt.score_parts

    def counted(self: Gpt, requests: list[Request], *rest: Any) -> Any:
        asked.extend(requests)
        return real(self, requests, *rest)

    monkeypatch.setattr(Gpt, "score_parts", counted)
    (next((tmp_path / "kept").glob("peers-*"))).write_bytes(b"damaged")
    assert evaluate(films, gpt, both(films, other), Pool(), silent, tmp_path / "kept") == whole
    assert 0 < len(asked) < len(films.examples["test"])


def test_the_time_that_is_left_is_told(films: Dataset, gpt: Gpt, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count(step=40.0)
    monkeypatch.setattr("gpr.evaluate.table.BATCH", 2)
    monkeypatch.setattr("gpr.evaluate.table.time", SimpleNamespace(monotonic=lambda: next(ticks)))
    told: list[str] = []
    evaluate(films, gpt, both(films, gpt), Pool(), lambda share, words: told.append(words))
    assert any(words.endswith("about 2 min left") for words in told)
    assert any(words.endswith("s left") for words in told)


def test_nothing_of_the_test_split_reaches_a_scorer(films: Dataset, gpt: Gpt) -> None:
    """With other right answers the scores, and so the lists, stay the same."""
    changed = [dataclasses.replace(e, item=(e.item + 1) % 10) for e in films.examples["test"]]
    told = dataclasses.replace(films, examples={**films.examples, "test": tuple(changed)})
    ours, theirs = (
        evaluate(data, gpt, both(data, gpt), Pool(), silent)["details"]["requests"] for data in (films, told)
    )
    assert [request["top"] for request in ours] == [request["top"] for request in theirs]


def test_batches_do_not_change_the_table(films: Dataset, gpt: Gpt, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = evaluate(films, gpt, both(films, gpt), Pool(), silent)
    monkeypatch.setattr("gpr.evaluate.table.BATCH", 2)
    other = evaluate(films, gpt, both(films, gpt), Pool(), silent)
    assert other["metrics"] == whole["metrics"]
    assert other["details"] == whole["details"]


def test_progress_grows_to_one(films: Dataset, gpt: Gpt, other: Gpt) -> None:
    told: list[tuple[float, str]] = []
    evaluate(films, gpt, both(films, other), Pool(), lambda share, words: told.append((share, words)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert all(words for _, words in told)
    assert np.isfinite(shares).all()
