"""Excel workbooks (.xlsx) -> one Table a sheet: values as they are shown, not formulas.

Only cells that are there are read, so that one far out costs nothing. It does not know what a column means.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
from openpyxl.utils.cell import range_boundaries
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

from gpr.data.packed import refuse_bomb
from gpr.data.records import text_of
from gpr.data.table import MAX_COLUMNS, Table, column_names, text_frame
from gpr.errors import DataError


def read_workbook(path: Path, *, max_bytes: int) -> dict[str, Table]:
    """The tables by the names of their sheets; sheets without a table are left out.

    A merged cell's value counts for all its cells. A formula counts with the value that was saved with it.

    Raises:
        DataError: no workbook, damaged, protected, or larger than `max_bytes` when unpacked; no sheet has rows.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            refuse_bomb(archive, path.name, max_bytes)
            tables = dict(_tables(path))
    except (DataError, PermissionError):
        raise
    except Exception as error:  # what a damaged workbook makes zip, XML and openpyxl raise has no common class
        said = str(error).partition("\n")[0][:200]
        hint = "Open it in a spreadsheet program and save it again, without a password."
        raise DataError(f"This cannot be read as an Excel workbook ({said}).", where=path.name, hint=hint) from error
    if not tables:
        raise DataError("No sheet has a header and rows.", where=path.name, hint="The first row names the columns.")
    return tables


class _Cells(WorkSheetParser):
    """Only the cells that are there, and which rows have a formula without a value."""

    def __init__(self, sheet: Any, source: Any) -> None:
        book = sheet.parent
        formats = {"date_formats": book._date_formats, "timedelta_formats": book._timedelta_formats}
        super().__init__(source, sheet._shared_strings, data_only=True, epoch=book.epoch, **formats)
        self.unsaved: dict[int, None] = {}

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        if cell["value"] is None and element.find(FORMULA_TAG) is not None:
            self.unsaved[cell["row"]] = None
        return cell


def _tables(path: Path) -> Iterator[tuple[str, Table]]:
    with warnings.catch_warnings(action="ignore"):  # of styles and extensions that openpyxl leaves out
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            for sheet in book.worksheets:
                name = path.name if len(book.worksheets) == 1 else f"{path.name}[{sheet.title}]"
                with sheet._get_source() as source:
                    table = _table(name, _Cells(sheet, source))
                if table:
                    yield sheet.title, table
        finally:
            book.close()


def _rows(cells: _Cells) -> dict[int, dict[int, str]]:
    """Row -> column -> text, from 1, of cells that say something; a merged value is repeated in rows that are there."""
    rows: dict[int, dict[int, str]] = {}
    for number, row in cells.parse():
        texts = {cell["column"]: text_of(cell["value"]) for cell in row if cell["value"] not in (None, "")}
        if texts:
            rows[number] = texts
    for merged in cells.merged_cells.mergeCell if cells.merged_cells else ():
        left, top, right, bottom = range_boundaries(merged.ref)
        value = rows.get(top, {}).get(left, "")
        if value:
            for number in rows if bottom - top > len(rows) else range(top, bottom + 1):
                if number in rows and top <= number <= bottom:
                    rows[number] |= dict.fromkeys(range(left, min(right, left + MAX_COLUMNS) + 1), value)
    return rows


def _table(name: str, cells: _Cells) -> Table | None:
    """Row numbers count from the row after the header."""
    rows = _rows(cells)
    if len(rows) < 2:
        return None
    top = min(rows)
    width = max(rows[top])
    if width > MAX_COLUMNS:
        column_names(range(width), Path(name))  # raises
    names = column_names([rows[top].get(place, "") for place in range(1, width + 1)], Path(name))
    kept: list[list[str]] = []
    numbers: list[int] = []
    ragged: dict[int, str] = {}
    for number in sorted(rows.keys() - {top}):
        if max(rows[number]) > width:
            ragged[number - top] = ", ".join(rows[number].values())
        else:
            kept.append([rows[number].get(place, "") for place in range(1, width + 1)])
            numbers.append(number - top)
    if not kept:
        return None
    arrays = [pa.array(column, type=pa.large_string()) for column in zip(*kept, strict=True)]
    frame = text_frame(pa.Table.from_arrays(arrays, names=names), np.array(numbers))
    table = Table(name, frame, len(kept) + len(ragged), unread=ragged)
    message = "Rows with cells beyond the header's last column are set aside."
    findings = table.finding("hurts", "ragged-row", message, ragged, aside=True)
    message = "Formulas without a saved value read as empty; open the file in a spreadsheet program and save it."
    findings += table.finding("hurts", "unsaved-formula", message, [row - top for row in cells.unsaved if row > top])
    return Table(name, frame, table.rows, tuple(findings), ragged)
