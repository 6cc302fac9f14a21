"""`gpr evaluate --folds`: pooled, kept, and gone on with where it was broken off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpr import cross_validation
from gpr.data.dataset import Dataset
from gpr.data.folds import fold
from gpr.learn.run_folder import RunFolder
from gpr.scorers.pool import Pool
from gpr.workspace import Options, Workspace

pytestmark = pytest.mark.usefixtures("cache")


def test_folds_are_pooled_and_go_on_where_they_ended(
    films: Dataset, films_folder: Path, tiny_base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path / "ws", str(tiny_base_folder))
    options = Options(epochs=1, base=str(tiny_base_folder))
    trained, real = [], cross_validation._train

    def train(part: Dataset, options: Options, folder: RunFolder, tell: Any) -> None:
        if len(trained) == 1 and not broken:
            broken.append(True)
            raise KeyboardInterrupt
        trained.append(part)
        real(part, options, folder, tell)

    broken: list[bool] = []
    monkeypatch.setattr(cross_validation, "_train", train)
    with pytest.raises(KeyboardInterrupt):
        workspace.cross_validate(films_folder, 2, options)
    said: list[str] = []
    table = workspace.cross_validate(films_folder, 2, options, lambda share, words: said.append(words))
    assert len(trained) == 2  # the first fold was not trained again
    assert not any(words.startswith("Fold 1 of 2: training") for words in said)
    tested = [example for number in range(2) for example in fold(films, number, 2).examples["test"]]
    assert (table["n"], table["folds"], table["split"]) == (len(tested), 2, "test (2 folds)")
    asked = [request["asked"] for request in table["details"]["requests"]]
    assert asked == [example.request.query for example in tested]
    assert workspace.cross_validate(films_folder, 2, options) == table
    assert len(trained) == 2
    assert workspace.runs() == []


def test_a_part_that_does_not_count_in_every_fold_has_no_row(
    films_folder: Path, tiny_base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools = iter([Pool.same(match=1.0, plausibility=0.3), Pool.same(match=1.0)])

    def fitted(*_: Any) -> Pool:
        return pool[0]

    pool: list[Pool] = []
    real = cross_validation._train

    def train(part: Dataset, options: Options, folder: RunFolder, tell: Any) -> None:
        pool[:] = [next(pools)]
        real(part, options, folder, tell)

    monkeypatch.setattr("gpr.learn.validation.fit", fitted)
    monkeypatch.setattr(cross_validation, "_train", train)
    options = Options(epochs=1, base=str(tiny_base_folder), title_weight=0.2)
    table = Workspace(tmp_path / "ws", str(tiny_base_folder)).cross_validate(films_folder, 2, options)
    assert "plausibility" not in table["metrics"]
    assert {"gpr", "match", "generate"} <= set(table["metrics"])
