"""What is repaired in a table before it is used: cells that only say that they are missing, HTML, personal data.

Each repair is a finding. No row is set aside here.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd

from gpr.data.choices import Choices
from gpr.data.columns import Meaning
from gpr.data.dataset import Finding
from gpr.data.personal import mask_all, unnamed
from gpr.data.synonyms import Role
from gpr.data.table import Table

MISSING = ("nan", "NaN", "NAN", "null", "NULL", "None", "N/A", "n/a", "#N/A", "<NA>", "NaT", "inf", "-inf", "undefined")
"""What programs write for nothing."""
_KEYS: tuple[Role, ...] = ("item_id", "title", "query", "user_id", "category", "description", "summary")
TEXTS: tuple[Role, ...] = ("title", "description", "summary", "query", "category", "other", "user attribute")
"""Where personal data is looked for."""
_PROSE: tuple[Role, ...] = ("description", "summary")
_TAG = r"</?(?:p|br|b|i|u|ul|ol|li|div|span|a|strong|em|h[1-6]|table|tr|td|th|img|script|style|font|hr)\b[^<>]{0,1000}>"
_ENTITY = r"&(?:amp|lt|gt|quot|nbsp|#\d{1,6}|#x[0-9a-fA-F]{1,5});"
_SCRIPT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAGS = re.compile(r"</?[a-zA-Z][^<>]{0,1000}>|<!--.*?-->", re.DOTALL)


def clean(table: Table, meanings: dict[str, Meaning], choices: Choices) -> Table:
    """The table as it is used, with what was repaired among its findings."""
    frame = table.frame.copy(deep=False)
    findings: list[Finding] = []
    for name, meaning in meanings.items():
        role, values = meaning.role, frame[name]
        if role in _KEYS:
            values, found = _without_missing(table, name, values)
            findings += found
        if role in _PROSE:
            values, found = _without_html(table, name, values, choices)
            findings += found
        if role in TEXTS:
            values = unnamed(values)
            hidden, kinds, rows = mask_all(values)
            if rows.any():
                findings += on_personal(table, kinds, rows, name, choices)
                values = hidden if choices.personal == "mask" else values
        if values is not frame[name]:
            frame[name] = values
    return replace(table, frame=frame, findings=(*table.findings, *findings))


def _without_missing(table: Table, name: str, values: pd.Series) -> tuple[pd.Series, list[Finding]]:
    says_missing = values.isin(MISSING)
    if not says_missing.any():
        return values, []
    first = values[says_missing].iloc[0]
    message = f"Cells such as '{first}' say that there is nothing; they are read as empty."
    found = table.finding("info", "missing-word", message, values.index[says_missing], name)
    return values.mask(says_missing, ""), found


def _without_html(table: Table, name: str, values: pd.Series, choices: Choices) -> tuple[pd.Series, list[Finding]]:
    marked = values.str.contains(f"(?i){_TAG}|{_ENTITY}", regex=True).to_numpy(dtype=bool)
    if not marked.any():
        return values, []
    done = "it is removed" if choices.html == "strip" else "it is kept, as you chose"
    found = table.finding("info", "html", f"Texts with HTML; {done}.", values.index[marked], name)
    if choices.html == "keep":
        return values, found
    changed = values.to_numpy(dtype=object, copy=True)
    changed[marked] = [plain(text) for text in changed[marked]]
    return pd.Series(changed, index=values.index, dtype="str"), found


def plain(text: str) -> str:
    """The text of a piece of HTML, without scripts, tags and entities."""
    return html.unescape(_TAGS.sub(" ", _SCRIPT.sub(" ", text)))


def on_personal(table: Table, kinds: Counter[str], rows: np.ndarray, column: str, choices: Choices) -> list[Finding]:
    """What was found in (rows,) of a column and what is done about it."""
    counts = ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())
    if choices.personal == "mask":
        message = f"Personal data in {column}: {counts}. It is masked, as in '[e-mail]'."
        return table.finding("info", "personal-data", message, table.frame.index[rows], column)
    message = f"Personal data in {column}: {counts}. It is kept, as you chose, and the model may repeat it."
    return table.finding("hurts", "personal-data", message, table.frame.index[rows], column)
