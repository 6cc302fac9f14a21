"""No row is lost: rows in = rows used + rows set aside, and both can be taken away as files."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from gpr.data.account import account, harmless, set_aside, write_repaired, write_set_aside
from gpr.data.choices import Choices
from gpr.data.dataset import Dataset
from gpr.data.load import load
from gpr.data.report import report

FILES = {
    "items": "item_id,title\n1,Alien\n1,Again\n2,\n3,Big\n4,Alien\n5\n",
    "pairs": "query,item_id,split\nspace,1,train\nSPACE,1,test\n,3,train\nlost,9,train\n=cmd(),8,train\ntoo,many,a,b\n",
    "interactions": "user_id,item_id,rating\nu,1,5\nu,3,1\nu,1,4\n,3,5\nv,9,5\n",
    "users": "user_id,age\nu,24\nu,25\n,3\n",
}


def write(folder: Path) -> Dataset:
    for name, text in FILES.items():
        (folder / f"{name}.csv").write_text(text)
    return load(folder, cache=folder, choices=Choices(good_from=2))


def test_every_row_is_used_or_set_aside(tmp_path: Path) -> None:
    data = write(tmp_path)
    assert account(data) == {
        "items.csv": {"rows": 6, "used": 3, "set_aside": 3},
        "pairs.csv": {"rows": 6, "used": 1, "set_aside": 5},
        "interactions.csv": {"rows": 5, "used": 1, "set_aside": 4},
        "users.csv": {"rows": 3, "used": 1, "set_aside": 2},
    }
    assert sum(len(part) for part in data.examples.values()) == 1
    assert sum(len(sequence.items) for sequence in data.sequences) == 1


def test_the_rows_set_aside_with_their_reasons(tmp_path: Path) -> None:
    data = write(tmp_path)
    aside = set_aside(data)
    assert list(aside.columns[:5]) == ["file", "row", "reason", "why", "raw"]
    reasons = aside.groupby("file")["reason"].apply(list).to_dict()
    assert reasons == {
        "interactions.csv": ["rated-bad", "repeated-item", "empty-user", "unknown-item"],
        "items.csv": ["duplicate-item-id", "empty-title", "ragged-row"],
        "pairs.csv": ["split-leak", "empty-query", "unknown-item", "unknown-item", "ragged-row"],
        "users.csv": ["duplicate-user", "empty-user"],
    }
    path = tmp_path / "aside.csv"
    assert write_set_aside(data, path) == len(aside) == 14
    again = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert "'=cmd()" in set(again["query"])
    assert "too, many, a, b" in set(again["raw"])


def test_nothing_set_aside(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,title\n1,A\n2,B\n")
    assert write_set_aside(load(tmp_path / "items.csv", cache=tmp_path), tmp_path / "aside.csv") == 0


def test_repaired_data_reads_the_same_without_what_was_set_aside(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    data = write(tmp_path / "in")
    files = write_repaired(data, tmp_path / "out")
    assert sorted(file.name for file in files) == ["interactions.csv", "items.csv", "pairs.csv", "users.csv"]
    again = load(tmp_path / "out", cache=tmp_path)
    assert (again.catalogue.titles, again.examples, again.sequences) == (
        data.catalogue.titles,
        data.examples,
        data.sequences,
    )
    assert all(row["set_aside"] == 0 for row in account(again).values())


def test_the_report_has_examples_of_each_finding(tmp_path: Path) -> None:
    said = report(write(tmp_path))
    json.dumps(said)
    notes = {(note["file"], note["code"]): note for note in said["findings"]}
    assert notes["items.csv", "duplicate-item-id"]["examples"] == [{"row": 2, "value": "1"}]
    assert notes["pairs.csv", "ragged-row"]["examples"] == [{"row": 6, "value": "too, many, a, b"}]
    assert notes["pairs.csv", "unknown-item"]["aside"]
    assert said["files"]["items.csv"]["set_aside"] == 3


def test_formulas_are_harmless_and_numbers_stay() -> None:
    cells = pd.Series(["=1+1", "+49", "-3.5", "@x", "-x", "a=b", "\tq", ""], dtype="str")
    assert harmless(cells).tolist() == ["'=1+1", "+49", "-3.5", "'@x", "'-x", "a=b", "'\tq", ""]
