"""The decode bench on a tiny model: exact ways are exact, every figure is there, the picture is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpr.bench import decode as bench
from gpr.bench.titles import recombined
from gpr.data.dataset import Dataset
from gpr.lm.base import Base

WORDS = ["The", "A", "Dark", "Blue", "Night", "Star", "Alien", "House", "Return", "Love"]
TITLES = [f"{first} {second} ({1950 + at})" for at, first in enumerate(WORDS) for second in WORDS[at:]]


def test_recombined_titles_are_distinct_and_begin_as_often_as_real_ones() -> None:
    found = recombined(TITLES, 500, seed=0)
    assert len(set(found)) == len(found) == 500
    assert found == recombined(TITLES, 500, seed=0) != recombined(TITLES, 500, seed=1)
    begin = sum(title.startswith("The ") for title in found) / len(found)
    assert begin == pytest.approx(sum(title.startswith("The ") for title in TITLES) / len(TITLES), abs=0.08)
    assert {word for title in found for word in title.split()[:-1]} <= set(WORDS)


def test_every_figure_of_a_tiny_model(
    films: Dataset, tiny_base: Base, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bench, "CURVE", (12,))
    monkeypatch.setattr(bench, "QUERIES", bench.QUERIES[:2])
    monkeypatch.setattr(bench, "K", 3)
    figures = bench.decode(films, tiny_base, lambda share, words: None)
    assert figures["recall"]["top_k"] == 1.0
    assert 0 <= figures["recall"]["generate_10"] <= 1
    for name in ("floor", "top_k", "score_all", "top_k_bias", "generate_10", "generate_50"):
        assert figures[f"{name}_s"] > 0
    assert [point["items"] for point in figures["curve"]] == [len(films.catalogue), 12]
    bench.draw(figures, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
