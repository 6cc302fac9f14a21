"""`gpr label`: export, import, stats and agreement."""

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


def test_label_import_takes_what_export_wrote(gpr: Run, labelled: Path, tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    gpr("label", "export", file)
    report = answer(gpr("label", "import", file, "--workspace", tmp_path / "other", "--json"))
    assert (report["rows"], report["labels"], report["left_out"]) == (2, 2, [])
    assert sorted(report["unknown_items"]) == ["m1", "m2"]
    again = gpr("label", "import", file, "--workspace", tmp_path / "other")
    assert "0 labels added, 2 known already" in again.stdout
    copy = tmp_path / "copy.jsonl"
    gpr("label", "export", copy, "--workspace", tmp_path / "other")
    assert copy.read_bytes() == file.read_bytes()


def test_label_import_finds_titles_in_the_data(gpr: Run, films_folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "judged.csv"
    table.write_text("title,verdict\nAlien,good\nNo such film,bad\nHeat,great\n")
    shown = gpr("label", "import", table, "--data", films_folder, "--annotator", "eve")
    assert shown.exit_code == 0, shown.output
    assert "2 labels added" in shown.stdout
    assert "in no data set, kept: No such film" in shown.stdout
    assert "left out: row 3: 'great' is no verdict" in shown.stdout
    assert answer(gpr("label", "stats", "--json"))["by_annotator"] == {"eve": 2}
    refused(gpr("label", "import", tmp_path / "none.csv"), "There is no such file")


def test_label_agreement(gpr: Run, labelled: Path) -> None:
    for item_id, verdict in (("m1", "good"), ("m2", "good")):
        asked = request_id("films", "dreams")
        Workspace(labelled).labels.add(
            Label(asked, "dreams", (), item_id, "Film", "films", 0.5, -0.7, 1, verdict, "bob")  # type: ignore[arg-type]
        )
    found = answer(gpr("label", "agreement", "--json"))
    assert (found["shared_items"], found["conflicts"]) == (2, 1)
    assert found["pairs"][0]["cohen"] == 0.0
    shown = gpr("label", "agreement")
    assert shown.exit_code == 0, shown.output
    assert "Krippendorff's alpha" in shown.stdout
    assert "ada and bob" in shown.stdout


def test_labels_of_another_database(gpr: Run, labelled: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'team.db'}"
    assert answer(gpr("label", "stats", "--json", "--labels-url", url))["total"] == 0
    file = tmp_path / "labels.csv"
    gpr("label", "export", file)
    gpr("label", "import", file, "--labels-url", url)
    assert answer(gpr("label", "stats", "--json", "--labels-url", url))["total"] == 2
    refused(gpr("label", "stats", "--labels-url", "nothing://x"), "This is no database that GPR can open")
