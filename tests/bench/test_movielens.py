"""The bench of MovieLens on the films: it trains, keeps what it trained, and prints a row for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpr.bench import movielens
from gpr.workspace import Workspace


@pytest.mark.usefixtures("cache")
def test_it_trains_once_and_compares(
    films_folder: Path,
    tiny_base_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(movielens, "Workspace", lambda root: Workspace(root, str(tiny_base_folder)))
    movielens.main(tmp_path, str(films_folder), 2, "sasrec")
    assert [path.name for path in (tmp_path / "bench" / "films-2").iterdir()] == ["sasrec"]
    movielens.main(tmp_path, str(films_folder), 2, "")
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("gpr", "sequence", "sasrec", "taste_next", "item_knn", "ease", "popular"))

    def never(*args: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(movielens, "train_sequence", never)
    movielens.main(tmp_path, str(films_folder), 2, "")
