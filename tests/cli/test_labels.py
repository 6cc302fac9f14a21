"""`gpr label export` and `gpr label stats`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpr.labels.label import Label, request_id
from gpr.workspace import Workspace
from tests.cli.conftest import Run, answer, refused

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """A workspace with two labels."""
    root = tmp_path / "ws"
    for item_id, verdict in (("m1", "good"), ("m2", "bad")):
        asked = request_id("films", "dreams")
        Workspace(root).labels.add(
            Label(asked, "dreams", (), item_id, f"Film {item_id}", "films", 0.5, -0.7, 1, verdict, "ada")  # type: ignore[arg-type]
        )
    return root


def test_label_export(gpr: Run, labelled: Path, tmp_path: Path) -> None:
    for suffix in (".csv", ".jsonl", ".parquet"):
        result = gpr("label", "export", tmp_path / f"labels{suffix}")
        assert result.exit_code == 0, result.output
        assert result.stdout == f"2 labels: {tmp_path / f'labels{suffix}'}\n"
    lines = (tmp_path / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    assert {(row["item_id"], row["verdict"]) for row in map(json.loads, lines)} == {("m1", "good"), ("m2", "bad")}


def test_label_stats(gpr: Run, labelled: Path) -> None:
    stats = answer(gpr("label", "stats", "--json"))
    assert (stats["total"], stats["by_verdict"]["good"], stats["by_verdict"]["bad"]) == (2, 1, 1)
    shown = gpr("label", "stats")
    assert shown.exit_code == 0
    assert "2 labels" in shown.stdout
    assert "ada" in shown.stdout


def test_label_stats_without_labels(gpr: Run) -> None:
    assert answer(gpr("label", "stats", "--json"))["total"] == 0
    assert "0 labels" in gpr("label", "stats").stdout


def test_label_refusals(gpr: Run, tmp_path: Path) -> None:
    refused(gpr("label", "export", tmp_path / "labels.csv"), "There are no labels yet.")
    assert not (tmp_path / "labels.csv").exists()


def test_label_export_refusals(gpr: Run, labelled: Path, tmp_path: Path) -> None:
    unknown = refused(gpr("label", "export", tmp_path / "labels.xls"), "Labels cannot be written as '.xls'")
    assert ".csv, .jsonl, .parquet" in unknown
    refused(gpr("label", "export", tmp_path / "none" / "labels.csv"), "The folder does not exist")
    assert [path.name for path in tmp_path.iterdir()] == ["ws"]
