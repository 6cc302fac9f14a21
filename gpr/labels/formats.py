"""Labels as files that other programs read and write: CSV, JSONL, Parquet, a `datasets` folder, Argilla, Label Studio;
preference pairs, and preferences between runs. It knows rows of plain values; what they mean is in `exchange`.
"""

from __future__ import annotations

import csv
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from gpr.data.packed import unpack
from gpr.errors import DataError
from gpr.files import written_whole
from gpr.labels import layouts
from gpr.labels.label import Label, Preference

COLUMNS = (
    "request_id",
    "query",
    "history",
    "item_id",
    "title",
    "run",
    "probability",
    "verdict",
    "annotator",
    "time",
    "reason",
    "note",
)
"""Of every format, in this order. All are text but `probability`; `history` is a JSON list of ids, oldest first."""

Row = dict[str, Any]
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""A cell that starts so is run by spreadsheets; the apostrophes are those that were put in front of such a cell."""


MAX_UNPACKED = 4 * 1024**3
"""Bytes of a packed `datasets` folder."""


def export_labels(said: Sequence[Label] | Sequence[Preference], path: Path, layout: str = "") -> int:
    """Writes labels to `path`; what is there is replaced in one step.

    In CSV, a text that a spreadsheet would run as a formula gets an apostrophe in front, which reading takes off.

    Args:
        said: preferences for the layout 'preferences', labels for all others.
        layout: one of LAYOUTS; without it the suffix says it, and a name without suffix is a `datasets` folder.

    Returns:
        How many labels, pairs or preferences were written.

    Raises:
        DataError: no such format.
        WorkspaceError: the folder is not there, or cannot be written to.
    """
    path = Path(path)
    layout = layout or _BY_SUFFIX.get(path.suffix.lower(), "")
    if layout not in WRITERS:
        raise DataError(
            f"Labels cannot be written as '{layout or path.suffix}'.",
            where=str(path),
            hint=f"End the file's name with one of {', '.join(name for name in _BY_SUFFIX if name)}, "
            f"or choose one of {', '.join(WRITERS)}.",
        )
    rows = _rows(said, layout)
    with written_whole(path) as partial:
        WRITERS[layout](rows, partial)
    return len(rows)


def _rows(said: Sequence[Label] | Sequence[Preference], layout: str) -> list[Row]:
    if layout == "preferences":
        return layouts.preferred(cast("Sequence[Preference]", said))
    labels = cast("Sequence[Label]", said)
    return layouts.pairs(labels) if layout == "pairs" else [row_of(label) for label in labels]


def row_of(label: Label) -> Row:
    """A label as plain values, by column; an unknown probability is None."""
    row = {name: getattr(label, name) for name in COLUMNS}
    known = label.probability == label.probability
    return row | {"history": list(label.history), "probability": label.probability if known else None}


def read_rows(path: Path) -> list[Row]:
    """The rows of a file or folder in any of the formats, as they stand there.

    Raises:
        DataError: it is not there, or in none of the formats.
    """
    path = Path(path)
    if not path.exists():
        raise DataError("There is no such file.", where=str(path), hint="Check its name.")
    read = _read_datasets if path.is_dir() else _READERS.get(path.suffix.lower())
    if read is None:
        raise DataError(
            f"The file cannot be read as '{path.suffix}'.",
            where=str(path),
            hint=f"Use one of {', '.join(_READERS)}, or a folder of datasets.",
        )
    try:
        return read(path)
    except DataError:
        raise
    except Exception as error:  # each library has its own faults for a file that is not what its name says
        said = str(error).partition("\n")[0][:200]
        raise DataError(f"The file cannot be read ({said}).", where=str(path), hint="Export it again.") from error


def _flat(row: Row) -> Row:
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value for name, value in row.items()
    }


def _write_csv(rows: Sequence[Row], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([_harmless(_flat(row)[name]) for name in COLUMNS] for row in rows)


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _read_csv(path: Path) -> list[Row]:
    limit = csv.field_size_limit(10**9)  # of the whole process: put back, since data is read with its own
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            separator = "\t" if header.count("\t") > header.count(",") else ","
            return [
                {name: _as_it_was(value) for name, value in row.items()}
                for row in csv.DictReader(file, delimiter=separator)
            ]
    finally:
        csv.field_size_limit(limit)


def _as_it_was(value: Any) -> Any:
    return value[1:] if isinstance(value, str) and value[:1] == "'" and _FORMULA.match(value) else value


def _write_jsonl(rows: Sequence[Row], path: Path) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8", newline="\n")


def _read_jsonl(path: Path) -> list[Row]:
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    return [json.loads(line) for line in lines if line.strip()]


def _table(rows: Sequence[Row]) -> Any:
    import pyarrow as pa

    schema = pa.schema([(name, pa.float64() if name == "probability" else pa.string()) for name in COLUMNS])
    return pa.Table.from_pylist([_flat(row) for row in rows], schema=schema)


def _write_parquet(rows: Sequence[Row], path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(_table(rows), path)


def _read_parquet(path: Path) -> list[Row]:
    import pyarrow.parquet as pq

    return list(pq.read_table(path).to_pylist())


def _write_datasets(rows: Sequence[Row], path: Path) -> None:
    from datasets import Dataset

    Dataset(_table(rows)).save_to_disk(str(path))


def _read_datasets(path: Path) -> list[Row]:
    from datasets import DatasetDict, load_from_disk

    found = load_from_disk(str(path))
    parts: Iterable[Any] = found.values() if isinstance(found, DatasetDict) else [found]
    return [row for part in parts for row in part.to_list()]


def _read_zip(path: Path) -> list[Row]:
    """A `datasets` folder as the page packs it."""
    with tempfile.TemporaryDirectory() as folder:
        unpack(path, Path(folder), max_bytes=MAX_UNPACKED)
        return _read_datasets(Path(folder))


def _write_json(lay: Callable[[Sequence[Row]], list[Row]]) -> Callable[[Sequence[Row], Path], None]:
    return lambda rows, path: path.write_text(  # type: ignore[return-value]
        json.dumps(lay(rows), ensure_ascii=False, indent=1), encoding="utf-8", newline="\n"
    )


def _read_json(path: Path) -> list[Row]:
    found = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise DataError("This is no list of records.", where=str(path), hint="Export it again.")
    return layouts.flattened(found)


WRITERS: dict[str, Callable[[Sequence[Row], Path], None]] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "parquet": _write_parquet,
    "datasets": _write_datasets,
    "argilla": _write_json(layouts.argilla),
    "label-studio": _write_json(layouts.label_studio),
    "pairs": _write_jsonl,
    "preferences": _write_jsonl,
}
_BY_SUFFIX = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet", "": "datasets"}
_READERS: dict[str, Callable[[Path], list[Row]]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
    ".json": _read_json,
    ".zip": _read_zip,
    ".txt": lambda path: [{"query": line} for line in path.read_text(encoding="utf-8-sig").splitlines()],
}
