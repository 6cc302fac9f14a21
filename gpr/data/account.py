"""Where every row went: rows in = rows used + rows set aside. Both can be written to files, the latter with reasons."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pandas as pd

from gpr.data.columns import MANY
from gpr.data.dataset import Dataset
from gpr.data.finding import Finding
from gpr.files import written_whole

SHOWN_ROWS = 5
MAX_SHOWN_CHARS = 200
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that starts so is run by spreadsheets, unless it is a number."""


def account(dataset: Dataset) -> dict[str, dict[str, int]]:
    """File -> rows, used, set_aside; the last two add up to the first."""
    reasons = _reasons(dataset)
    return {
        file: {"rows": rows, "used": rows - len(reasons.get(file, {})), "set_aside": len(reasons.get(file, {}))}
        for file, rows in dataset.rows.items()
    }


def _reasons(dataset: Dataset) -> dict[str, dict[int, Finding]]:
    """File -> row -> why it is set aside; the first reason counts."""
    found: dict[str, dict[int, Finding]] = {}
    for finding in dataset.findings:
        if finding.aside and finding.rows is not None:
            rows = found.setdefault(finding.file, {})
            for row in finding.rows.tolist():
                rows.setdefault(row, finding)
    return found


def set_aside(dataset: Dataset) -> pd.DataFrame:
    """All set-aside rows: file, row, reason, then the columns of their files; `raw` for those that fit no column."""
    frames = []
    for file, reasons in _reasons(dataset).items():
        table = dataset.tables[file]
        rows = sorted(reasons)
        kept = table.frame.reindex(rows).fillna("")
        head: dict[str, Any] = {"file": file, "row": rows, "reason": [reasons[row].code for row in rows]}
        head |= {"why": [reasons[row].message for row in rows], "raw": [table.unread.get(row, "") for row in rows]}
        named = kept.rename(columns={name: f"{name} (column)" for name in head})
        frames.append(pd.concat([pd.DataFrame(head, index=kept.index), named], axis=1))
    if not frames:
        return pd.DataFrame(columns=["file", "row", "reason", "why", "raw"])
    return pd.concat(frames, ignore_index=True).fillna("")


def examples_of(dataset: Dataset, finding: Finding) -> list[dict[str, Any]]:
    """The first rows that a finding is about: their number and what is in the column, or in all."""
    table = dataset.tables.get(finding.file)
    if table is None or finding.rows is None:
        return []
    shown = []
    for row in finding.rows[:SHOWN_ROWS].tolist():
        if row in table.frame.index:
            cells = table.frame.loc[row]
            text = cells[finding.column] if finding.column in cells else ", ".join(filter(None, cells))
        else:
            text = table.unread.get(row, "")
        shown.append({"row": row, "value": str(text)[:MAX_SHOWN_CHARS]})
    return shown


def write_set_aside(dataset: Dataset, path: Path) -> int:
    """A CSV of the set-aside rows; returns how many. Cells that a spreadsheet would run get an apostrophe in front."""
    frame = set_aside(dataset)
    write_csv(frame, path)
    return len(frame)


def write_repaired(dataset: Dataset, folder: Path) -> list[Path]:
    """The data as GPR uses it, without the rows set aside, in files that GPR and others read; into a new `folder`.

    Raises:
        WorkspaceError: the disk refused.
    """
    reasons = _reasons(dataset)
    written = []
    with written_whole(folder) as partial:
        partial.mkdir(parents=True)
        for file, table in dataset.tables.items():
            kept = table.frame[~table.frame.index.isin(list(reasons.get(file, {})))]
            part = dataset.parts[file]
            name = f"{file.partition('.')[0] or 'table'}.csv" if part == "single" else f"{part}.csv"
            write_csv(_in_standard_names(kept, dataset.mapping[file]), partial / name)
            written.append(folder / name)
    return written


def _in_standard_names(frame: pd.DataFrame, roles: dict[str, str]) -> pd.DataFrame:
    """The columns that are used, those with a role of their own under its name."""
    frame = frame.drop(columns=[column for column, role in roles.items() if role == "ignore"])
    named = {column: role for column, role in roles.items() if role not in (*MANY, column)}
    others = [str(column) for column in frame.columns if column not in named]
    clashing = {column: f"{column} (column)" for column in others if column in named.values()}
    return frame.rename(columns=named | clashing)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """UTF-8 with harmless cells."""
    with written_whole(path) as partial:
        harmless_cells(frame).to_csv(partial, index=False, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")


def harmless_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """The table for a spreadsheet: `harmless` texts."""
    return pd.DataFrame({name: one if one.dtype.kind in "iuf" else harmless(one) for name, one in frame.items()})


def harmless(values: pd.Series) -> pd.Series:
    """The cells that a spreadsheet would run as a formula with an apostrophe in front; numbers as they are."""
    texts = values.astype("str")
    risky = texts.str.startswith(_FORMULA)
    if not risky.any():
        return texts
    risky &= pd.to_numeric(texts.where(risky, ""), errors="coerce").isna()
    return texts.mask(risky, "'" + texts)
