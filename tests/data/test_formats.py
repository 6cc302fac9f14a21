"""More than CSV: JSON, Excel, packed files, several files at once, and the dangers that they bring."""

from __future__ import annotations

import gzip
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gpr.data import delimited, encoding, packed, records
from gpr.data.load import load
from gpr.data.read import read, read_table, stem
from gpr.errors import DataError

ITEMS = "item_id,title,year\n1,Alien,1979\n2,Big,1988\n"
ROWS = [["1", "Alien", "1979"], ["2", "Big", "1988"]]


def rows_of(path: Path) -> list[list[str]]:
    return [list(row) for row in read_table(path).frame.itertuples(index=False)]


def packed_rows(path: Path) -> list[list[str]]:
    (table,) = read(path).values()
    return [list(row) for row in table.frame.itertuples(index=False)]


@pytest.mark.parametrize(
    "content",
    [
        [{"item_id": 1, "title": "Alien", "year": 1979}, {"item_id": 2, "title": "Big", "year": 1988}],
        {"films": [{"item_id": "1", "title": "Alien", "year": 1979}, {"item_id": 2, "title": "Big", "year": 1988}]},
        {"item_id": [1, 2], "title": ["Alien", "Big"], "year": [1979, 1988]},
        {"item_id": {"0": 1, "1": 2}, "title": {"0": "Alien", "1": "Big"}, "year": {"0": 1979, "1": 1988}},
    ],
    ids=["list", "named list", "columns", "pandas columns"],
)
def test_json_documents(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content, indent=2))
    assert rows_of(path) == ROWS
    path.write_text(json.dumps(content))
    assert rows_of(path) == ROWS


def test_json_lines_under_the_name_of_a_document(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"item_id": 1, "title": "Alien", "year": 1979}\n' * 2)
    assert rows_of(tmp_path / "x.json") == [ROWS[0], ROWS[0]]


def test_what_is_no_object_in_a_json_list_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('[{"title": "A"}, 7, {"title": "B"}]')
    table = read_table(tmp_path / "x.json")
    assert (table.rows, list(table.frame.index), table.unread) == (3, [1, 3], {2: "7"})


def book(path: Path, **sheets: list[list[Any]]) -> Any:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return workbook


def test_excel_numbers_dates_merged_cells_and_formulas(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    workbook = book(path, films=[["id", "title", "genre"], [1, "Alien", "horror"], [2.0, "Aliens", None], [3, "=1+1"]])
    workbook["films"].merge_cells("C2:C3")
    workbook.save(path)
    table = read_table(path)
    assert table.frame.to_dict("index") == {
        1: {"id": "1", "title": "Alien", "genre": "horror"},
        2: {"id": "2", "title": "Aliens", "genre": "horror"},
        3: {"id": "3", "title": "", "genre": ""},
    }
    assert [(note.code, note.row) for note in table.findings] == [("unsaved-formula", 3)]


def test_sheets_are_parts_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "shop.xlsx"
    items, pairs = (
        [["item_id", "title"], [1, "Alien"], [2, "Big"]],
        [["query", "item_id"], ["space", 1], ["child", 2.0]],
    )
    book(path, items=items, pairs=pairs, notes=[["by"], ["me"]], empty=[])
    data = load(path, cache=tmp_path)
    assert data.catalogue.titles == ("Alien", "Big")
    assert sum(map(len, data.examples.values())) == 2
    assert [note.file for note in data.findings if note.code == "file-left-out"] == ["shop.xlsx[notes]"]


def test_a_cell_far_out_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    workbook = book(path, films=[["title"], ["A"], ["B"]])
    workbook["films"]["XFD200000"] = "far"
    workbook.save(path)
    table = read_table(path)
    assert (len(table.frame), table.rows, list(table.unread)) == (2, 3, [199_999])


@pytest.mark.parametrize("ending", [".csv.gz", ".json.gz", ".xlsx.gz"])
def test_gzip(tmp_path: Path, ending: str) -> None:
    plain = tmp_path / f"x{ending[:-3]}"
    if "xlsx" in ending:
        book(plain, a=[["item_id", "title", "year"], *[[int(a), b, int(c)] for a, b, c in ROWS]])
    else:
        lines = [{"item_id": a, "title": b, "year": c} for a, b, c in ROWS]
        plain.write_text(ITEMS if "csv" in ending else json.dumps(lines))
    path = tmp_path / f"my.data{ending}"
    path.write_bytes(gzip.compress(plain.read_bytes()))
    assert packed_rows(path) == ROWS
    assert stem(path) == "my.data"


def archive(path: Path, members: dict[str, str | bytes], **settings: Any) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **settings) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_a_zip_is_a_folder(tmp_path: Path) -> None:
    pairs = gzip.compress(b"query,item_id\nspace,1\nchild,2\n")
    members: dict[str, str | bytes] = {"shop/items.csv": ITEMS, "shop/pairs.csv.gz": pairs, "__MACOSX/._items.csv": "x"}
    data = load(archive(tmp_path / "shop.zip", members), cache=tmp_path)
    assert (data.name, data.catalogue.titles) == ("shop", ("Alien", "Big"))
    assert sum(map(len, data.examples.values())) == 2


@pytest.mark.parametrize(
    "name", ["../items.csv", "a/../../items.csv", "/etc/items.csv", "..\\items.csv", "C:\\items.csv"]
)
def test_paths_that_leave_the_archive(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(DataError, match="a path that leaves it"):
        read(archive(folder / "x.zip", {name: ITEMS}))
    assert [file.name for file in tmp_path.rglob("*.csv")] == []


def test_links_in_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        link = zipfile.ZipInfo("items.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="a path that leaves it"):
        read(tmp_path / "x.zip")


@pytest.mark.parametrize("name", ["x.zip", "x.xlsx", "x.csv.gz"])
def test_bombs(tmp_path: Path, name: str) -> None:
    zeros = bytes(40 * 1024**2)
    path = tmp_path / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(zeros))
    else:
        archive(path, {"items.csv": zeros})
    with pytest.raises(DataError, match="bomb|Unpacked it is more than"):
        read(path)


def test_other_faults_of_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK not really")
    (tmp_path / "y.csv.gz").write_bytes(gzip.compress(b"title\nA\nB\n")[:-9])
    for name in ("x.zip", "y.csv.gz"):
        with pytest.raises(DataError, match="damaged"):
            read(tmp_path / name)
    with pytest.raises(DataError, match="two files 'items.csv'"):
        read(archive(tmp_path / "twice.zip", {"a/items.csv": ITEMS, "b/items.csv": ITEMS}))
    with pytest.raises(DataError, match="no table in it"):
        read(archive(tmp_path / "none.zip", {"a.md": "hello", "b.md": "you"}))
    with pytest.raises(DataError, match="limit is 20"):
        read(archive(tmp_path / "large.zip", {"items.csv": ITEMS * 5}), max_bytes=20)
    monkeypatch.setattr(packed, "MAX_MEMBERS", 2)
    with pytest.raises(DataError, match="3 members; the limit is 2"):
        read(archive(tmp_path / "many.zip", dict.fromkeys("abc", "x")))


def test_one_endless_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "MAX_LINE_BYTES", 2 * 1024**2)
    (tmp_path / "x.csv").write_bytes(b"id,title\n1," + b"x" * 3 * 1024**2)
    with pytest.raises(DataError, match="x.csv, line 2: The line is longer than"):
        read(tmp_path / "x.csv")


def test_a_field_as_long_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('id,title\n1,"' + "x, y\n" * 400_000)
    with pytest.raises(DataError, match="row 1: A field is longer than"):
        read(tmp_path / "x.csv")


def test_quotes_that_are_only_characters(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text('id\ttitle\n1\t27" screen\n2\t"Open\n')
    table = read_table(tmp_path / "x.tsv")
    assert list(table.frame["title"]) == ['27" screen', '"Open']
    assert [note.code for note in table.findings] == ["open-quotes"]


def test_a_large_json_document_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_JSON_BYTES", 10)
    (tmp_path / "x.json").write_text('[{"title": "A"},\n{"title": "B"}]')
    with pytest.raises(DataError, match="one object a line"):
        read(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[1, 2]", "no list of objects"),
        ('{"a": 1}', "no list of objects"),
    ],
)
def test_json_without_a_table(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DataError, match=said):
        read_table(tmp_path / "x.json")


@pytest.mark.parametrize("content", [b"PK not really", b"", b"title\nA\n"])
def test_no_workbook(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.xlsx").write_bytes(content)
    with pytest.raises(DataError, match="Excel|0 bytes"):
        read_table(tmp_path / "x.xlsx")


def test_files_of_one_part_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "catalogue.csv").write_text("item_id,title\n1,Alien\n2,Big\n")
    (tmp_path / "log-a.csv").write_text("user_id,item_id\nu,1\nu\nu,2\n")
    (tmp_path / "log-b.csv").write_text("user_id,item_id\nv,2\nv,9\n")
    data = load(tmp_path, cache=tmp_path)
    assert data.rows == {"catalogue.csv": 2, "log-a.csv + log-b.csv": 5}
    places = {note.code: note.rows.tolist() for note in data.findings if note.aside and note.rows is not None}
    assert places == {"ragged-row": [2], "unknown-item": [5]}


@pytest.mark.parametrize(
    "text",
    [
        ITEMS,
        "item_id,title,year\n1,Alien,1979\n2,Big\n",
        "item_id,title,year\n1,Alien,1979\n\n2,Big,1988\n",
        "item_id,title,year\r\n1,Alien,\r\n,,\r\n2,霸王别姬,1993",
        "item_id,title,year\n1,Alien, 1979\n2,Big,1988,,\n",
    ],
)
def test_the_quick_way_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "x.csv").write_text(text, encoding="utf-8", newline="")
    quick = read_table(tmp_path / "x.csv")
    monkeypatch.setattr(delimited, "read_plain", lambda *_, **__: None)
    slow = read_table(tmp_path / "x.csv")
    assert quick.frame.to_dict("index") == slow.frame.to_dict("index")
    assert (quick.rows, quick.unread, quick.findings) == (slow.rows, slow.unread, slow.findings)
