"""`gpr train --task`, `gpr classify`, `gpr score` and `gpr evaluate` of such runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run, answer, refused
from tests.tasks.test_tasks import write_texts


@pytest.mark.usefixtures("cache", "signals")
def test_the_commands(gpr: Run, tiny_base_folder: Path, tmp_path: Path) -> None:
    data = write_texts(tmp_path)
    trained = gpr("train", data, "--run", "t", "--task", "classify", "--base", tiny_base_folder, "--epochs", 1)
    assert trained.exit_code == 0, trained.output
    assert "accuracy" in trained.stdout
    found = answer(gpr("classify", "a loud thing with some engine", "--run", "t", "-k", 2, "--json"))
    assert found[0]["label"] == "cars"
    assert len(found) == 2
    table = answer(gpr("evaluate", data, "--run", "t", "--json"))
    assert table["task"] == "classify"
    assert table["metrics"]["test"]["accuracy"] > 0.8
    assert answer(gpr("runs", "--json"))[0]["task"] == "classify"
    refused(gpr("score", "--run", "t", "--item", "x", "--query", "q"), "classifies; it does not score")
