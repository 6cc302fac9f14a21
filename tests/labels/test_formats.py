from __future__ import annotations

import csv
import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gpr.errors import DataError, WorkspaceError
from gpr.labels import formats
from gpr.labels.formats import COLUMNS, export_labels, read_rows, row_of
from gpr.labels.label import Label


@pytest.fixture
def labels(label: Callable[..., Label]) -> list[Label]:
    return [
        label(note='two\nlines, "quoted"', reason="too long"),
        label(query="关于梦的电影", title="盗梦空间 🎬", history=(), verdict="bad", probability=0.1 + 0.2),
    ]


def as_text(given: Label) -> dict[str, object]:
    history = json.dumps(given.history, ensure_ascii=False)
    return {name: history if name == "history" else getattr(given, name) for name in COLUMNS}


def flat(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was read, with the values as in a label's row."""
    return [
        {name: row.get(name, "") for name in COLUMNS}
        | {
            "history": json.loads(row["history"]) if isinstance(row["history"], str) else row["history"],
            "probability": float(row["probability"]) if row["probability"] not in (None, "") else None,
        }
        for row in rows
    ]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "folder", "argilla", "label-studio"])
def test_every_format_comes_back(name: str, labels: list[Label], label: Callable[..., Label], tmp_path: Path) -> None:
    odd = ["=1", "'=1", "''-", "'quoted'", " spaces ", "tab\there", "line\r\nbreak", "\u2028", "-", "@x", "null", ""]
    labels += [label(query=text, note=text, reason=text, item_id=f"i{text}", title=text or "t") for text in odd]
    labels.append(label(probability=float("nan"), run=""))
    labels.insert(0, label(note="many\ttabs\tare no separator" * 20))
    layout, path = ("", tmp_path / name) if "." in name or name == "folder" else (name, tmp_path / f"{name}.json")
    assert export_labels(labels, path, layout) == len(labels)
    assert flat(read_rows(path)) == [row_of(given) for given in labels]
    if path.is_dir():
        packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", path))
        assert flat(read_rows(packed)) == [row_of(given) for given in labels]


def test_pairs_are_good_beside_bad_of_one_request_and_annotator(label: Callable[..., Label], tmp_path: Path) -> None:
    said = [label(item_id=str(number), title=f"t{number}", verdict=verdict) for number, verdict in
            enumerate(["good", "bad", "skip", "bad"])]  # fmt: skip
    said += [label(item_id="9", verdict="bad", annotator="bob"), label(item_id="9", verdict="bad", request_id="other")]
    assert export_labels(said, tmp_path / "pairs.jsonl", "pairs") == 2
    rows = read_rows(tmp_path / "pairs.jsonl")
    assert [(row["prompt"], row["chosen"], row["rejected"]) for row in rows] == [
        ("a film about dreams", "t0", "t1"),
        ("a film about dreams", "t0", "t3"),
    ]


def test_files_of_other_programs_are_read(tmp_path: Path) -> None:
    said = [{"value": "good", "user_id": "u1"}, {"value": "bad", "user_id": "u2"}]
    argilla = {"id": "1", "fields": {"title": "T"}, "metadata": {}, "responses": {"verdict": said}}
    task = {"data": {"title": "T"}, "annotations": [
        {"completed_by": 7, "result": [{"from_name": "verdict", "type": "choices", "value": {"choices": ["bad"]}}]},
        {"completed_by": 8, "was_cancelled": True, "result": []}]}  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps([argilla, task, {"title": "T", "verdict": "good"}]))
    rows = [(row.get("annotator"), row["verdict"]) for row in read_rows(tmp_path / "a.json")]
    assert rows == [("u1", "good"), ("u2", "bad"), ("7", "bad"), (None, "good")]


@pytest.mark.parametrize(("name", "content"), [("a.json", "{}"), ("a.json", "["), ("a.jsonl", "{"), ("a.parquet", "x")])
def test_a_file_that_is_not_what_it_says_is_named(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=name):
        read_rows(tmp_path / name)
    with pytest.raises(DataError, match="There is no such file"):
        read_rows(tmp_path / "none.csv")
    (tmp_path / "a.xlsx").write_text("")
    with pytest.raises(DataError, match="cannot be read as '.xlsx'"):
        read_rows(tmp_path / "a.xlsx")
    with pytest.raises(DataError, match="The file cannot be read"):
        read_rows(tmp_path)


def test_columns_are_as_promised() -> None:
    promised = "request_id, query, history, item_id, title, run, probability, verdict, annotator, time, reason, note"
    assert ", ".join(COLUMNS) == promised


def test_csv_comes_back(labels: list[Label], tmp_path: Path) -> None:
    export_labels(labels, tmp_path / "labels.csv")
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{name: str(value) for name, value in as_text(given).items()} for given in labels]
    assert tuple(json.loads(rows[0]["history"])) == labels[0].history
    assert float(rows[1]["probability"]) == labels[1].probability


def test_jsonl_comes_back(labels: list[Label], tmp_path: Path) -> None:
    export_labels(labels, tmp_path / "labels.jsonl")
    lines = (tmp_path / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        as_text(given) | {"history": list(given.history)} for given in labels
    ]
    assert tuple(json.loads(lines[0])) == COLUMNS


def test_parquet_comes_back(labels: list[Label], tmp_path: Path) -> None:
    export_labels(labels, tmp_path / "LABELS.PARQUET")
    table = pq.read_table(tmp_path / "LABELS.PARQUET")
    assert table.to_pylist() == [as_text(given) for given in labels]
    assert tuple(table.column_names) == COLUMNS


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_no_labels_make_a_file_all_the_same(suffix: str, tmp_path: Path) -> None:
    export_labels([], tmp_path / f"none{suffix}")
    assert os.listdir(tmp_path) == [f"none{suffix}"]
    if suffix == ".parquet":
        assert str(pq.read_schema(tmp_path / "none.parquet").field("probability").type) == "double"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_formulas_are_made_harmless_in_csv(start: str, label: Callable[..., Label], tmp_path: Path) -> None:
    given = label(query=f"{start}cmd|' /C calc'!A0", note=f"a{start}b", annotator=f"{start}ada", history=())
    export_labels([given], tmp_path / "labels.csv")
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["query"] == f"'{given.query}"
    assert row["annotator"] == f"'{given.annotator}"
    assert row["note"] == given.note


@pytest.mark.parametrize("name", ["labels.xlsx", "labels.json"])
def test_an_unknown_format_is_refused(name: str, labels: list[Label], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="End the file's name with one of .csv, .jsonl, .parquet"):
        export_labels(labels, tmp_path / name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_missing_folder_is_named(suffix: str, labels: list[Label], tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="nowhere: The folder does not exist. Make it first."):
        export_labels(labels, tmp_path / "nowhere" / f"labels{suffix}")


def test_a_full_disk_leaves_the_old_file(labels: list[Label], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(labels: list[Label], path: Path) -> None:
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    export_labels(labels, tmp_path / "labels.csv")
    old = (tmp_path / "labels.csv").read_text()
    monkeypatch.setitem(formats.WRITERS, "csv", fill)
    with pytest.raises(WorkspaceError, match="The disk is full"):
        export_labels(labels[:1], tmp_path / "labels.csv")
    assert (tmp_path / "labels.csv").read_text() == old
    assert os.listdir(tmp_path) == ["labels.csv"]
