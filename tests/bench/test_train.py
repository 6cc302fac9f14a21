"""The training bench on a tiny model: both ways train on the same targets, and both are measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gpr.bench.train import train
from gpr.data.dataset import Dataset


@pytest.mark.parametrize("histories", [False, True])
def test_both_ways_are_measured(
    films: Dataset, tiny_base_folder: Path, histories: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpr.bench.train.WINDOW", 1)
    data = replace(films, examples=films.examples | {"train": ()}) if histories else films
    found = train(data, str(tiny_base_folder), lambda share, words: None, limit=4, epochs=2, tests=2)
    assert found["speedup"] == pytest.approx(found["targets_per_s"] / found["plain_targets_per_s"], rel=0.01)
    assert found["targets_per_s_of_steps"] > found["targets_per_s"] > 0
    assert found["speedup_over_bf16"] > 0
    assert found["held_out"]["n"] == 2
    assert 0 <= found["held_out"]["plain"] <= 1
    assert 0 <= found["held_out"]["ours"] <= 1


def test_the_plain_way_may_be_measured_on_a_part(films: Dataset, tiny_base_folder: Path) -> None:
    found = train(films, str(tiny_base_folder), lambda share, words: None, limit=0, epochs=1, tests=0, plain_limit=2)
    assert found["speedup"] > 0
    assert found["held_out"] == {"n": 0, "plain": None, "ours": None}
