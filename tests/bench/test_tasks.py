"""The bench of the tasks, with the tiny model on a few texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpr.bench import tasks
from gpr.data.dataset import Dataset
from gpr.tasks.examples import Labelled


def labelled(count: int) -> list[Labelled]:
    """Texts of two labels, told apart by a word."""
    splits = ("train", "train", "train", "valid", "test")
    kinds = (("sunny dry warm", "good"), ("storm wet cold", "bad"))
    return [
        Labelled(f"{words} day number {number}", label, splits[number % 5])  # type: ignore[arg-type]
        for number in range(count)
        for words, label in kinds
    ]


def test_classify_measures_the_parts_and_the_pool_and_reads_once(
    tiny_base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_clothes", lambda place: labelled(20))
    monkeypatch.setattr(tasks, "CHUNK", 8)
    found = tasks.classify(str(tiny_base_folder), tmp_path, lambda share, words: None)
    assert set(found) == {"head", "wording", "gpr"}
    assert found["gpr"]["accuracy"] > 0.8
    monkeypatch.setattr(tasks, "load_base", None)  # all that was read is kept
    assert tasks.classify(str(tiny_base_folder), tmp_path, lambda share, words: None) == found


def test_score_measures_every_number_of_examples(
    films: Dataset, tiny_base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "judged_pairs", lambda dataset, seed: labelled(60))
    monkeypatch.setattr(tasks, "load", lambda *words, **more: films)
    monkeypatch.setattr(tasks, "SHOTS", (4, 24))
    found = tasks.score(str(tiny_base_folder), tmp_path, lambda share, words: None)
    assert found["test pairs"] == 24
    assert float(found["AUC, 24 examples"].split()[0]) > 0.7
