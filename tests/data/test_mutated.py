"""Files of every format with bytes changed at random: a report or an error for the user, and nothing else."""

from __future__ import annotations

import gzip
import io
import json
import resource
import sys
import tempfile
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gpr.data.account import account, set_aside
from gpr.data.load import load
from gpr.data.report import report
from gpr.errors import GPRError

ROWS = [
    {"user_id": "u", "item_id": n, "title": f'Film {n}, "the" é霸', "rating": n, "timestamp": f"2020-01-0{n + 1}"}
    for n in range(5)
]
MAX_BYTES, MAX_MEMORY = 4 * 1024**2, 512 * 1024**2


def _peak() -> int:
    """The most memory that the process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _xlsx() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    sheet.append(list(ROWS[0]))
    for row in ROWS:
        sheet.append(list(row.values()))
    sheet.merge_cells("A2:A4")
    book.save(out)
    return out.getvalue()


def _zip(compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        archive.writestr("items.csv", pd.DataFrame(ROWS)[["item_id", "title"]].to_csv(index=False))
        archive.writestr("pairs.csv", "query,item_id\nspace,1\nchild,2\n")
    return out.getvalue()


def _parquet() -> bytes:
    out = io.BytesIO()
    pd.DataFrame(ROWS).to_parquet(out)
    return out.getvalue()


CSV = pd.DataFrame(ROWS).to_csv(index=False)
FILES: dict[str, bytes] = {
    "x.csv": CSV.encode(),
    "y.csv": CSV.encode("utf-16"),
    "z.txt": CSV.replace(",", ";").replace("\n", "\r").encode("gb18030"),
    "x.csv.gz": gzip.compress(CSV.encode()),
    "x.json": json.dumps({"rows": ROWS}).encode(),
    "x.jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
    "y.jsonl": b'{"messages": [{"role": "user", "content": "space"}, {"role": "assistant", "content": "Alien"}]}\n' * 3,
    "z.json": b'[{"fields": {"text": "a"}, "responses": {"q": [{"value": "b"}]}}, {"fields": {}, "responses": 3}]',
    "x.xlsx": _xlsx(),
    "x.zip": _zip(),
    "y.zip": _zip(zipfile.ZIP_DEFLATED),
    "x.parquet": _parquet(),
    "u.item": b"1|Net, The (1995)|01-Jan-1995||x|0|1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0\n" * 2,
    "x.inter": b"user_id:token\titem_id:token\ttimestamp:float\n1\t1\t2\n1\t2\t3\n",
}
cuts = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 12), st.binary(max_size=6)), max_size=5)


@given(st.sampled_from(sorted(FILES)), cuts)
@settings(max_examples=200, deadline=30_000, suppress_health_check=[HealthCheck.too_slow])
@example("x.csv", [(0, 0, b"")])
@example("x.xlsx", [(0, 0, b"")])
@example("x.zip", [(0, 0, b"")])
@example("z.json", [(0, 0, b"")])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_any_bytes_give_a_report_or_an_error_for_the_user(name: str, changes: list[tuple[int, int, bytes]]) -> None:
    content = FILES[name]
    for start, length, replacement in changes:
        start %= len(content) + 1
        content = content[:start] + replacement + content[start + length :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        before = _peak()
        try:
            data = load(path, cache=path.parent, max_bytes=MAX_BYTES)
        except GPRError:
            return
        finally:
            assert _peak() - before < MAX_MEMORY
    json.dumps(report(data))
    accounts = account(data)
    assert all(row["used"] >= 0 and row["used"] + row["set_aside"] == row["rows"] for row in accounts.values())
    assert len(set_aside(data)) == sum(row["set_aside"] for row in accounts.values())


def test_ten_thousand_columns(tmp_path: Path) -> None:
    names = ",".join(f"c{n}" for n in range(10_000))
    (tmp_path / "x.csv").write_text(f"{names}\n{names}\n")
    with pytest.raises(GPRError, match="10,000 columns; the limit is 1,000"):
        load(tmp_path / "x.csv", cache=tmp_path)
