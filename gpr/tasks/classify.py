"""`classify`: columns of texts and a column of their labels. It knows tables, not what is learned from them."""

from __future__ import annotations

from collections.abc import Iterable

from gpr.data.dataset import Split
from gpr.data.split import SPLIT_NAMES, split_at_random
from gpr.data.synonyms import SYNONYMS, normalise
from gpr.data.table import Table
from gpr.errors import DataError
from gpr.tasks.examples import Labelled

_LABELS = {*SYNONYMS["label"], *SYNONYMS["category"], "class", "classname", "target", "intent", "department"}
_TEXT_CHARS = 20
"""Mean length from which a column is text."""


def labelled_texts(tables: Iterable[Table], text: str, label: str, seed: int, name: str) -> list[Labelled]:
    """The rows of the first table that has the columns. Its split column counts, else a random split by text.

    Args:
        text, label: names of columns; '' finds them. Several columns of text, parted by commas, are one text together.
        name: of the data, for errors.

    Raises:
        DataError: there are no such columns; names those there are.
    """
    tables = list(tables)
    for table in tables:
        found = _columns(table, text, label)
        if found:
            return _rows(table, *found, seed)
    seen = "; ".join(", ".join(map(str, table.frame.columns[:20])) for table in tables)
    missing = f"'{text or 'texts'}' and '{label or 'labels'}'"
    raise DataError(
        f"No table has a column of {missing}; the columns are {seen[:300]}.",
        where=name,
        hint="Name both with --text COLUMN (or COLUMN,COLUMN) and --label COLUMN.",
    )


def _columns(table: Table, text: str, label: str) -> tuple[list[str], str] | None:
    names = [str(name) for name in table.frame.columns]
    texts = [text] if text in names else [name.strip() for name in text.split(",") if name.strip()]
    if texts and not label:
        label = next((name for name in names if normalise(name) in _LABELS and name not in texts), "")
    if not texts:
        lengths = {name: float(table.frame[name].str.len().mean()) for name in names if name != label}
        text = max(lengths, key=lambda name: lengths[name], default="")
        texts = [text] if text and lengths[text] >= _TEXT_CHARS else []
        label = label or next((name for name in names if normalise(name) in _LABELS and name not in texts), "")
    found = bool(texts) and {*texts, label} <= set(names) and label not in texts
    return (texts, label) if found else None


def _rows(table: Table, columns: list[str], label: str, seed: int) -> list[Labelled]:
    parts = zip(*(table.frame[column].str.strip() for column in columns), strict=True)
    texts, labels = [". ".join(filter(None, row)) for row in parts], table.frame[label].tolist()
    column = next((str(name) for name in table.frame.columns if normalise(str(name)) in SYNONYMS["split"]), "")
    said: list[Split | None] = [None] * len(texts)
    if column not in ("", *columns, label):
        said = [SPLIT_NAMES.get(value.strip().casefold()) for value in table.frame[column]]
    random = split_at_random(texts, seed)
    splits = random if all(split is None for split in said) else [split or "train" for split in said]
    return [Labelled(*row) for row in zip(texts, labels, splits, strict=True)]
