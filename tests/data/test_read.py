"""Reading: every format gives the same strings, every fault names its place."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpr.data.dataset import Dataset
from gpr.data.load import load
from gpr.data.read import read, read_table
from gpr.data.report import report
from gpr.errors import DataError, GPRError

TEXT = 'item_id,title,price\n01,"Cité, the ""lost"" one",1.0\n2,霸王别姬,\n'
ROWS = [["01", 'Cité, the "lost" one', "1.0"], ["2", "霸王别姬", ""]]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows_of(path: Path) -> list[list[str]]:
    return [list(row) for row in read_table(path).frame.itertuples(index=False)]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_csv_in_any_encoding_and_line_break(tmp_path: Path, encoding: str, line_break: str) -> None:
    text = TEXT.replace("Cité", "Cite") if encoding.startswith("utf-16-") else TEXT
    path = write(tmp_path / "items.csv", text.replace("\n", line_break).encode(encoding))
    expected = [
        [cell.replace("é", "e") if "-" in encoding[4:] and "sig" not in encoding else cell for cell in row]
        for row in ROWS
    ]
    assert rows_of(path) == expected


def test_latin_1_is_told_and_noted(tmp_path: Path) -> None:
    text = "id,title\n1,Das große Boot\n2,Schöne Grüße aus München\n"
    table = read_table(write(tmp_path / "items.csv", text.encode("latin-1")))
    assert list(table.frame["title"]) == ["Das große Boot", "Schöne Grüße aus München"]
    assert [(note.code, note.grade) for note in table.findings] == [("encoding", "info")]


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_separator_is_found_whatever_the_others_do_inside(tmp_path: Path, separator: str) -> None:
    header, cells = ["id", "title", "tags"], ["1", "a,b;c|d\te", "x|y"]
    line = separator.join(f'"{cell}"' for cell in cells)
    path = write(tmp_path / "x.txt", f"{separator.join(header)}\n{line}\n{line}\n")
    assert rows_of(path) == [cells, cells]


def test_a_single_column_keeps_its_commas(tmp_path: Path) -> None:
    assert rows_of(write(tmp_path / "x.csv", "title\nHello, world\n\nAlien\n")) == [["Hello, world"], ["Alien"]]


def test_ragged_rows_are_set_aside_and_counted_by_their_row(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "x.csv", "id,title\n1,A\n2\n\n3,C\n4,D,E\n5,F,,\n"))
    assert table.frame["title"].to_dict() == {1: "A", 4: "C", 6: "F"}
    assert table.rows == 5
    (note,) = table.findings
    assert (note.code, note.file, note.row, note.count) == ("ragged-row", "x.csv", 2, 2)


def test_blank_and_repeated_column_names(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "x.csv", "title,,title,\nA,1,B,\n"))
    assert list(table.frame.columns) == ["title", "column 2", "title (2)"]


def test_line_breaks_inside_quotes(tmp_path: Path) -> None:
    assert rows_of(write(tmp_path / "x.csv", 'id,title\n1,"a\nb"\n2,c\n')) == [["1", "a\nb"], ["2", "c"]]


def test_json_lines_keep_numbers_as_written(tmp_path: Path) -> None:
    lines = [
        '{"id": 1, "title": "Cité", "tags": ["a", "b"], "ok": true}',
        "",
        '{"id": 1.0, "title": "\\ud800", "more": {"x": [1]}, "none": null}',
        "[1]",
    ]
    table = read_table(write(tmp_path / "x.jsonl", "\n".join(lines)))
    assert table.frame.to_dict("index") == {
        1: {"id": "1", "title": "Cité", "tags": "a, b", "ok": "true", "more": "", "none": ""},
        3: {"id": "1.0", "title": "?", "tags": "", "ok": "", "more": '{"x": ["1"]}', "none": ""},
    }
    assert [(note.code, note.row) for note in table.findings] == [("bad-json", 4)]


@pytest.mark.parametrize(("name", "codec"), [("x.parquet", "snappy"), ("x.parquet.brotli", "brotli"), ("x.pq", "zstd")])
def test_parquet_ids_never_become_floats(tmp_path: Path, name: str, codec: str) -> None:
    frame = pd.DataFrame(
        {
            "id": [1, 2],
            "whole": [1.0, None],
            "part": [0.5, 2.0],
            "tags": [["a", "b"], []],
            "at": pd.to_datetime(["2020-01-02"] * 2),
        }
    )
    frame.to_parquet(tmp_path / name, compression=codec)
    assert rows_of(tmp_path / name) == [
        ["1", "1", "0.5", "a, b", "2020-01-02T00:00:00"],
        ["2", "", "2", "", "2020-01-02T00:00:00"],
    ]


BAD = {
    "0 bytes": ("x.csv", b"", "empty (0 bytes)"),
    "blank": ("x.csv", b"\n\n", "The file is empty"),
    "header only": ("x.csv", b"item_id,title\n", "a header (item_id, title) but no rows"),
    "image as csv": ("x.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not text but an image"),
    "excel as csv": ("x.csv", b"PK\x03\x04" + bytes(50), "Excel"),
    "binary as csv": ("x.csv", bytes(range(256)) * 9, "line 1: The file is binary"),
    "damaged utf-8": ("x.csv", "id,title\n1,霸王别姬\n".encode() + b"2,\xff\n", "x.csv, line 3: The text is UTF-8 but"),
    "truncated utf-16": ("x.csv", "id,title\n1,霸\n".encode("utf-16")[:-1], "in an encoding that GPR cannot tell"),
    "open quote": ("x.csv", b'id,title\n1,"A, B"\n2,"B\n3,C\n', "x.csv, row 2: The quotes are not balanced"),
    "text after quote": ("x.csv", b'id,title\n1,"A, B"C\n', "x.csv, row 1: The quotes are not balanced"),
    "open quote in header": ("x.csv", b'id,"title\n1,A\n', "x.csv, header: The quotes"),
    "all ragged": ("x.csv", b"id,title\n1\n2\n", "row 1: No row has the 2 fields"),
    "too many columns": ("x.csv", b"a," * 1_001 + b"\n1\n", "1,002 columns; the limit is 1,000"),
    "no json": ("x.jsonl", b"\nnope\n", "x.jsonl, line 2: No line is a JSON object"),
    "deep json": ("x.jsonl", b"[" * 100_000, "No line is a JSON object"),
    "no parquet": ("x.parquet", b"PAR1 not really", "cannot be read as Parquet"),
    "unknown type": ("x.doc", b"PK", "type '.doc' cannot be read. Save the table as one of .csv"),
    "no type": ("x", b"a", "type 'none'"),
}


@pytest.mark.parametrize(("name", "content", "said"), BAD.values(), ids=BAD)
def test_what_cannot_be_read_says_where(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    with pytest.raises(DataError) as caught:
        read_table(write(tmp_path / name, content))
    assert said in str(caught.value)
    assert name in caught.value.where


def test_parquet_without_rows(tmp_path: Path) -> None:
    pd.DataFrame({"title": []}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataError, match="1 columns and 0 rows"):
        read_table(tmp_path / "x.parquet")


@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_too_large(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    frame = pd.DataFrame({"title": ["a" * 100] * 1_000})
    frame.to_csv(path, index=False) if name == "x.csv" else frame.to_parquet(path)
    with pytest.raises(DataError, match=r"the limit is 10"):
        read_table(path, max_bytes=10)


def test_a_parquet_bomb_is_refused_by_its_decompressed_size(tmp_path: Path) -> None:
    pd.DataFrame({"n": range(100_000)}).to_parquet(tmp_path / "x.parquet", compression="brotli")
    size = (tmp_path / "x.parquet").stat().st_size
    with pytest.raises(DataError, match="when decompressed"):
        read_table(tmp_path / "x.parquet", max_bytes=size)


def test_missing_forbidden_and_special_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="There is no such file"):
        read(tmp_path / "no.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="not a file"):
        read_table(tmp_path / "pipe.csv")
    path = write(tmp_path / "x.csv", TEXT)

    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(DataError, match="GPR may not read this"):
        read(path)


def test_folder_parts_and_files_left_out(tmp_path: Path) -> None:
    write(tmp_path / "Items.csv", "title\nA\nB\n")
    write(tmp_path / "pairs.tsv", "query\ttitle\nq\tA\n")
    write(tmp_path / "notes.csv", "x\n1\n")
    write(tmp_path / "README.md", "hello")
    tables = read(tmp_path)
    assert {part: table.file for part, table in tables.items()} == {"items": "Items.csv", "pairs": "pairs.tsv"}
    assert [(note.code, note.file) for note in tables["items"].findings] == [("file-left-out", "notes.csv")]


def test_a_folder_with_one_table_is_that_table(tmp_path: Path) -> None:
    write(tmp_path / "whatever.csv", "title\nA\nB\n")
    assert list(read(tmp_path)) == ["single"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "no table"),
    ],
)
def test_folders_that_do_not_fit(tmp_path: Path, names: tuple[str, ...], said: str) -> None:
    for name in names:
        write(tmp_path / name, "title\nA\nB\n")
    with pytest.raises(DataError, match=said):
        read(tmp_path)


@pytest.mark.parametrize("data", ["", "  ", "a\0b", "~nobody-here/x", "x" * 5_000])
def test_paths_that_are_none(tmp_path: Path, data: str) -> None:
    with pytest.raises(DataError):
        load(data, cache=tmp_path)


def test_what_is_close_is_suggested(tmp_path: Path) -> None:
    write(tmp_path / "catalogue.csv", "title\nA\nB\n")
    with pytest.raises(DataError, match=r"Did you mean catalogue.csv\?"):
        load(tmp_path / "catalog.csv", cache=tmp_path)
    with pytest.raises(DataError, match=r"Did you mean movies\?"):
        load("moviess", cache=tmp_path)


FUZZED = [
    b'item_id,title,rating\n1,"Cit\xc3\xa9, x",3\n2,B,4.5\n3,"line\nbreak",\n',
    b"user_id,title,rating,timestamp\n1,A,3,2020-01-01\nu,B,4,2020/2/3 10:00 EST\n1,C,nan,x\n1,B,inf,99999-01-01\n",
    b"user,name,time\n1,A,12\nu,B,9223372036854775808\n1,C,1e400\n1,B,-1\n",
    b"query;title;split\nq one;A;train\nQ ONE;B;test\n x;C;valid\ny;A;\n",
]


@given(
    st.sampled_from(FUZZED),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 10), st.binary(max_size=4)), min_size=1, max_size=5),
)
@settings(max_examples=150, deadline=None)
def test_mutated_bytes_give_a_dataset_or_an_error_for_the_user(
    content: bytes, cuts: list[tuple[int, int, bytes]]
) -> None:
    for start, length, replacement in cuts:
        start %= len(content) + 1
        content = content[:start] + replacement + content[start + length :]
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "x.csv", content)
        try:
            dataset = load(path, cache=path.parent)
        except GPRError:
            return
    assert isinstance(dataset, Dataset)
    json.dumps(report(dataset))
