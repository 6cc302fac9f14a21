"""A data set of the Hugging Face hub by its name -> Table, where a hub can be reached."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa

from gpr.data.columnar import texts_of
from gpr.data.layouts import adapted, joined
from gpr.data.split import SPLIT_NAMES
from gpr.data.table import Table, column_names, text_frame
from gpr.errors import DataError

PREFIX = "hf:"
_NAME = re.compile(r"hf:[\w.-]+(/[\w.-]+)?")


def is_hub_name(data: str) -> bool:
    """'hf:owner/name'."""
    return bool(_NAME.fullmatch(data.strip()))


def read_hub(data: str) -> Table:
    """All splits of the data set as one table with a column `split`.

    Raises:
        DataError: there is no such data set, or no hub can be reached.
    """
    name = data.strip().removeprefix(PREFIX)
    try:
        splits = _load(name)
    except Exception as error:  # of the hub's client, the network, or the data set itself; all mean the same here
        said = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        hint = "Check the name and the network, or download its files and give the folder."
        raise DataError(f"The data set cannot be had from a hub ({said}).", where=data, hint=hint) from error
    tables = [_table(f"{name}[{split}]", split, columns) for split, columns in splits.items() if columns.num_rows]
    if not tables:
        raise DataError("The data set has no rows.", where=data)
    return adapted(tables[0] if len(tables) == 1 else joined(tables))


def _load(name: str) -> dict[str, pa.Table]:
    """Split -> its columns."""
    import datasets

    found: Any = datasets.load_dataset(name)
    return {str(split): part.data.table for split, part in found.items()}


def _table(file: str, split: str, columns: pa.Table) -> Table:
    names = column_names(columns.column_names, file)
    frame = text_frame(
        pa.Table.from_arrays([texts_of(column) for column in columns.columns], names=names),
        np.arange(1, columns.num_rows + 1),
    )
    if "split" not in frame:
        frame["split"] = SPLIT_NAMES.get(split.casefold(), "train")
    return Table(file, frame, columns.num_rows)
