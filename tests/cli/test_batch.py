"""`gpr recommend --batch`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import Run, answer, refused

pytestmark = pytest.mark.usefixtures("cache", "signals")


def test_a_file_is_answered_as_single_requests_are(with_run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("query\nmarines in space\na dream\n", encoding="utf-8")
    done = with_run("recommend", "--run", "films", "--batch", tmp_path / "in.csv", "--out", tmp_path / "o.csv", "-k", 3)
    assert "2 requests answered" in done.stderr
    table = pd.read_csv(tmp_path / "o.csv")
    alone = answer(with_run("recommend", "a dream", "--run", "films", "-k", 3, "--json"))
    second = table[table["request"] == 2]
    assert second["item_id"].tolist() == [item["item_id"] for item in alone]
    assert second["probability"].tolist() == pytest.approx([item["probability"] for item in alone])


def test_batch_and_out_belong_together(with_run: Run, tmp_path: Path) -> None:
    result = with_run("recommend", "--run", "films", "--batch", tmp_path / "in.csv")
    assert result.exit_code == 2
    refused(with_run("recommend", "--run", "films", "--batch", tmp_path / "no.csv", "--out", tmp_path / "o.csv"),
            "There is no such file.")  # fmt: skip
