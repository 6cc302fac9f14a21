"""The bench of what must never happen: that it sees it where it does, and that it does not on the films."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpr.bench.catalogue import faults, measure, requests_of
from gpr.data.dataset import Dataset, Request
from gpr.workspace import Workspace


def test_it_counts_what_is_wrong(films: Dataset) -> None:
    found = [("m1", "The Matrix", 0), ("m1", "The Matrix", 0), ("m2", "The Matrix", 1), ("x", "Star Wars", 3)]
    assert faults(films, Request("", (3,)), found) == {
        "recommendations": 4,
        "outside": 2,
        "twice": 1,
        "chosen_before": 1,
    }


def test_all_kinds_are_asked_and_always_the_same(films: Dataset) -> None:
    asked = requests_of(films, 50)
    assert asked == requests_of(films, 50)
    assert {(bool(request.query), bool(request.history)) for request in asked} == {(1, 0), (0, 1), (1, 1)}


@pytest.mark.usefixtures("cache")
def test_nothing_is_invented(films_folder: Path, tiny_base_folder: Path, tmp_path: Path) -> None:
    figures = measure(Workspace(tmp_path, str(tiny_base_folder)), [str(films_folder)], 200, lambda share, words: None)
    assert figures["holds"]
    assert figures["recommendations"] > 150
