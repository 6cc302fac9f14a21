"""Tables to a data set: hand-made folders whose catalogue, examples and findings are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpr.data.dataset import Dataset, Example, Request, Sequence
from gpr.data.load import load
from gpr.data.report import report
from gpr.data.table import fold
from gpr.data.times import parse_times
from gpr.errors import DataError

ITEMS = "item_id,title,description\na,Alien,space\nb,Blow Out,sound\nc,Casablanca,love\n"


def dataset(folder: Path, **files: str) -> Dataset:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return load(folder, cache=folder)


def codes(data: Dataset) -> dict[str, tuple[str, int | None, str, int]]:
    return {note.code: (note.file, note.row, note.column, note.count) for note in data.findings}


def test_catalogue_alone(tmp_path: Path) -> None:
    data = dataset(tmp_path, items=ITEMS)
    assert data.name == tmp_path.name
    assert data.catalogue.item_ids == ("a", "b", "c")
    assert data.catalogue.titles == ("Alien", "Blow Out", "Casablanca")
    assert data.catalogue.details(1) == {"description": "sound"}
    assert data.examples == {"train": (), "valid": (), "test": ()}
    assert codes(data) == {"no-examples": ("", None, "", 1)}
    assert not data.sequences


def test_items_with_one_title_are_one_item(tmp_path: Path) -> None:
    data = dataset(tmp_path, items="id,title,x\n1,A,p\n2,B,q\n3, A ,r\n4,B,s\n5,C,t\n")
    assert data.catalogue.item_ids == ("1", "2", "5")
    assert data.catalogue.numbers == {"1": 0, "2": 1, "3": 0, "4": 1, "5": 2}
    assert data.catalogue.aliases == {0: ("3",), 1: ("4",)}
    assert list(data.catalogue.table["x"]) == ["p", "q", "t"]
    assert codes(data)["duplicate-title"] == ("items.csv", 3, "title", 2)


def test_faulty_items_are_set_aside(tmp_path: Path) -> None:
    data = dataset(tmp_path, items='id,title\n1,A\n1,Z\n2, \n,B\n4,"two\n\tlines"\n5,' + "x" * 301 + "\n")
    assert data.catalogue.item_ids == ("1", "row-4", "4", "5")
    assert data.catalogue.titles[:3] == ("A", "B", "two lines")
    found = codes(data)
    assert found["duplicate-item-id"] == ("items.csv", 2, "id", 1)
    assert found["empty-title"] == ("items.csv", 3, "title", 1)
    assert found["empty-item-id"] == ("items.csv", 4, "id", 1)
    assert found["long-title"] == ("items.csv", 6, "title", 1)


def test_row_numbers_stand_in_for_ids(tmp_path: Path) -> None:
    data = dataset(tmp_path, items="film\nA\nB\n")
    assert data.catalogue.item_ids == ("1", "2")
    assert set(codes(data)) == {"row-number-id", "title-or-name", "no-examples"}


@pytest.mark.parametrize("items", ["title\nA\n", "title\nA\nA\nA\n", "id,title\n1,\n2,\n"])
def test_fewer_than_two_items(tmp_path: Path, items: str) -> None:
    with pytest.raises(DataError, match="two or more"):
        dataset(tmp_path, items=items)


def test_columns_that_share_a_name_with_a_role(tmp_path: Path) -> None:
    data = dataset(tmp_path, items="title,plot,summary,Summary\nA,p,s,t\nB,p,s,t\n")
    assert data.catalogue.details(0) == {"description": "p", "summary": "s", "Summary": "t"}


def test_pairs_with_a_split(tmp_path: Path) -> None:
    pairs = (
        "query,item_id,split\nScary  film,a,train\nloud,b,Validation\nsad,c,test\nSCARY film,b,dev\n"
        f"odd,a,maybe\n,a,train\n{'q' * 2_001},a,train\nlost,aa,train\nbest,Casablanca,train\n"
    )
    data = dataset(tmp_path, items=ITEMS, pairs=pairs)
    assert data.examples == {
        "train": (Example(Request("odd"), 0), Example(Request("best"), 2)),
        "valid": (Example(Request("loud"), 1), Example(Request("SCARY film"), 1)),
        "test": (Example(Request("sad"), 2),),
    }
    found = codes(data)
    assert found["split-leak"] == ("pairs.csv", 1, "split", 1)
    assert found["bad-split"] == ("pairs.csv", 5, "split", 1)
    assert found["empty-query"] == ("pairs.csv", 6, "query", 1)
    assert found["long-query"] == ("pairs.csv", 7, "query", 1)
    assert found["unknown-item"] == ("pairs.csv", 8, "item_id", 1)
    assert "the first is 'aa', the closest is 'a'" in next(n.message for n in data.findings if n.code == "unknown-item")


def test_pairs_without_a_split_are_split_and_say_so(tmp_path: Path) -> None:
    pairs = "query,title\n" + "".join(f"q{n},Alien\n" for n in range(20))
    data = dataset(tmp_path, items=ITEMS, pairs=pairs)
    assert {split: len(found) for split, found in data.examples.items()} == {"train": 13, "valid": 2, "test": 5}
    made = next(note for note in data.findings if note.code == "split-made")
    assert "seed 0): 13 train, 2 valid, 5 test" in made.message
    assert load(tmp_path, cache=tmp_path, seed=1).examples != data.examples


def test_a_split_without_test(tmp_path: Path) -> None:
    data = dataset(tmp_path, items=ITEMS, pairs="query,item_id,split\nq,a,train\n")
    assert "no-test" in codes(data)


def test_interactions_in_time_with_users(tmp_path: Path) -> None:
    data = dataset(
        tmp_path,
        items=ITEMS + "d,Dune,sand\n",
        interactions="user_id,item_id,rating,timestamp\nu,a,5,30\nu,b,bad,10\nu,c,1,20\nu,d,2,20\nv,a,3,5\nv,zz,3,6\n"
        ",a,1,1\nv,b,4,soon\nw,d,1,1\nu,b,3,40\n",
        users="user_id,age,job,sex\nu,24,technician,F\nv,,writer,M\nv,30,x,M\n,1,x,M\n",
    )
    assert data.sequences == (
        Sequence((1, 2), "age 24, technician, sex F"),
        Sequence((1,), "writer, sex M"),
        Sequence((3,)),
    )
    u, v = "age 24, technician, sex F", "writer, sex M"
    assert data.examples == {
        "train": (),
        "valid": (Example(Request("", (1, 2), u), 3),),
        "test": (Example(Request("", (1, 2, 3), u), 0), Example(Request("", (1,), v), 0)),
    }
    assert codes(data) == {
        "duplicate-user": ("users.csv", 3, "user_id", 1),
        "empty-user": ("interactions.csv", 7, "user_id", 1),
        "unknown-item": ("interactions.csv", 6, "item_id", 1),
        "bad-rating": ("interactions.csv", 2, "rating", 1),
        "ratings-unused": ("interactions.csv", None, "rating", 1),
        "bad-timestamp": ("interactions.csv", 8, "timestamp", 1),
        "repeated-item": ("interactions.csv", 10, "", 1),
        "unknown-user": ("interactions.csv", 9, "user_id", 1),
        "timestamp-ties": ("interactions.csv", 4, "timestamp", 1),
        "single-interaction": ("interactions.csv", None, "user_id", 1),
        "few-examples": ("", None, "", 4),
        "unseen-items": ("", None, "", 1),
    }
    assert data.sequences


def test_attributes_that_identify_are_left_out(tmp_path: Path) -> None:
    users = "user_id,name,age\n" + "".join(f"{n},Name {n},{20 + n % 30}\n" for n in range(100))
    data = dataset(tmp_path, items=ITEMS, interactions="user_id,item_id\n7,a\n", users=users)
    assert data.sequences == (Sequence((0,), "age 27"),)
    assert codes(data)["identifying-attribute"] == ("users.csv", None, "name", 1)
    assert codes(data)["no-timestamp"] == ("interactions.csv", None, "", 1)


def test_one_file_of_pairs(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("query,title,split\nq1,A,train\nq2,B,test\nq3,A,valid\n")
    data = load(path, cache=tmp_path)
    assert data.name == "pairs"
    assert data.catalogue.titles == ("A", "B")
    assert data.examples["test"] == (Example(Request("q2"), 1),)
    assert data.examples["valid"] == (Example(Request("q3"), 0),)
    assert set(codes(data)) == {"row-number-id", "few-examples", "unseen-items"}


def test_one_file_of_interactions(tmp_path: Path) -> None:
    path = tmp_path / "log.tsv"
    path.write_text("user\tmovie_id\tname\tdate\n1\tx\tA\t2020年3月2日\n1\ty\tB\t2020年3月1日\n1\tx\tA\t2020年3月3日\n")
    data = load(path, cache=tmp_path)
    assert data.catalogue.item_ids == ("x", "y")
    assert data.sequences == (Sequence((1,)),)
    assert data.examples["test"] == (Example(Request("", (1,)), 0),)


def test_report_is_plain(tmp_path: Path) -> None:
    said = report(dataset(tmp_path, items=ITEMS, pairs="query,item_id,split\nq,a,train\nr,b,test\n"))
    assert (said["items"], said["examples"], said["sequences"]) == (3, {"train": 1, "valid": 0, "test": 1}, 0)
    assert said["files"]["pairs.csv"]["rows"] == 2
    assert said["files"]["pairs.csv"]["columns"]["query"] == {"role": "query", "reason": "the name 'query' means query"}
    assert [finding["code"] for finding in said["findings"]] == ["few-examples", "unseen-items"]
    assert said["files"]["pairs.csv"]["set_aside"] == 0


@pytest.mark.parametrize(
    ("values", "order", "bad"),
    [
        (["10", "9", " 11 ", ""], [3, 1, 0, 2], [3]),
        (["1e400", "2", "nan", "1"], [0, 2, 3, 1], [0, 2]),
        (["9007199254740993", "9007199254740992"], [1, 0], []),
        (["2020-01-02", "2020/1/1 10:00", "never", "2019年12月31日"], [2, 3, 1, 0], [2]),
    ],
)
def test_times(values: list[str], order: list[int], bad: list[int]) -> None:
    times = parse_times(pd.Series(values, dtype="str"))
    assert np.argsort(times.order, kind="stable").tolist() == order
    assert np.flatnonzero(times.bad).tolist() == bad


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        (" a \r\n b\tc ", "a b c"),
        ("a\x00b\u2028c", "a b c"),
        ("e\u0301", "é"),
        ("\ufeffx\u200b", "x"),
        ("深\u3000度", "深 度"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded
