"""The simulated annotator, and a whole measurement with a tiny model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gpr.bench.teach import METRIC, Oracle, draw, measure
from gpr.data.dataset import Dataset, Request
from gpr.learn.options import Options

pytestmark = pytest.mark.usefixtures("cache")


def test_the_oracle_knows_what_is_relevant(films: Dataset) -> None:
    relevant = {Request("one"): frozenset({0}), Request("two"): frozenset({9})}
    scores = np.log(np.array([[0.55, 0.2, 0.1, 0.05, 0.03] + [0.014] * 5] * 2))
    uncertain = Oracle(films, relevant).labels(scores, "uncertain", 3)
    assert [(label.query, label.item_id, label.verdict) for label in uncertain] == [
        ("one", "m1", "good"), ("two", "m1", "bad"), ("one", "m2", "bad"),
    ]  # fmt: skip
    assert [label.query for label in Oracle(films, relevant).labels(scores, "random", 6)] == ["one"] * 5 + ["two"]


def test_a_measurement_goes_on_where_it_ended(films: Dataset, tmp_path: Path, tiny_base_folder: Path) -> None:
    options = Options(epochs=1, base=str(tiny_base_folder))
    found = measure([films], tmp_path, lambda share, words: None, 3, (4,), ("random",), options)
    assert (found["known"], found["hidden"], found["tests"]) == (3, 5, 4)
    row = found["rows"][0]
    assert row["labels"] == 4
    assert set(row) >= {"feedback", "taught", "both"}
    assert row["taught"]["difference"] == pytest.approx(row["taught"][METRIC] - found[METRIC], abs=2e-4)
    said: list[str] = []
    again = measure([films], tmp_path, lambda share, words: said.append(words), 3, (4,), ("random",), options)
    assert again == found
    assert said == ["teaching random-4"]
    alone = measure([films], tmp_path, lambda *said: None, 3, (4,), ("random",), options, weights_alone=True)
    assert (alone[METRIC], alone["rows"][0]["good"]) == (found[METRIC], row["good"])
    draw(found, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 1000
