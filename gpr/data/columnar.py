"""Parquet -> Table. It does not know what a column means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gpr.data.records import text_of
from gpr.data.table import Table, column_names, text_frame
from gpr.errors import DataError


def read_parquet(path: Path, *, max_bytes: int) -> Table:
    """A Parquet file of any codec.

    Raises:
        DataError: not Parquet, damaged, no rows or columns, or more than `max_bytes` when decompressed.
    """
    try:
        with pq.ParquetFile(path) as file:
            meta = file.metadata
            size = sum(meta.row_group(group).total_byte_size for group in range(meta.num_row_groups))
            if size > max_bytes:
                raise DataError(
                    f"The table is {size:,} bytes when decompressed; the limit is {max_bytes:,}.",
                    where=path.name,
                    hint="Split it, or keep fewer rows and columns.",
                )
            data = file.read()
        names = column_names(data.column_names, path)
        columns = [texts_of(column) for column in data.columns]
    except (OSError, ValueError, ArithmeticError, NotImplementedError) as error:  # pyarrow's errors derive from these
        if isinstance(error, PermissionError):
            raise
        first = str(error).partition("\n")[0][:200]
        raise DataError(f"The file cannot be read as Parquet ({first}).", where=path.name) from error
    if not names or not data.num_rows:
        raise DataError(f"The table has {len(names)} columns and {data.num_rows} rows.", where=path.name)
    frame = text_frame(pa.Table.from_arrays(columns, names=names), np.arange(1, data.num_rows + 1))
    return Table(path.name, frame, data.num_rows)


def texts_of(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as text; strings and whole numbers without a detour."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return texts_of(column.cast(kind.value_type))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind):
        return pc.fill_null(column.cast(pa.large_string()), "")
    return pa.chunked_array([pa.array([text_of(value) for value in column.to_pylist()], type=pa.large_string())])
