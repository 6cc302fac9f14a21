"""A data set of a hub by its name, from a small fake of the hub."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from gpr.data import hub
from gpr.data.load import load
from gpr.errors import DataError


def test_splits_become_one_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    train = pa.table({"prompt": ["space", "child"], "completion": ["Alien", "Big"], "score": [1.0, None]})
    test = pa.table({"prompt": ["monster"], "completion": ["Alien"], "score": [0.5]})
    monkeypatch.setattr(hub, "_load", lambda name: {"train": train, "test": test} if name == "me/films" else {})
    data = load("hf:me/films", cache=tmp_path)
    assert data.name == "films"
    assert {split: len(part) for split, part in data.examples.items()} == {"train": 2, "valid": 0, "test": 1}
    with pytest.raises(DataError, match="no rows"):
        load("hf:me/nothing", cache=tmp_path)


def test_no_hub_is_said_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def offline(name: str) -> None:
        raise ConnectionError("Couldn't reach the Hub\nand more")

    monkeypatch.setattr(hub, "_load", offline)
    with pytest.raises(DataError, match="cannot be had from a hub .Couldn't reach the Hub.. Check the name"):
        load("hf:me/films", cache=tmp_path)
