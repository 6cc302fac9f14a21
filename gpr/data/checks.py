"""What may hurt though it can be used: odd texts in the catalogue, too few or lopsided examples. No row is lost."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from gpr.data.alike import near_duplicates
from gpr.data.columns import Meaning, column_of
from gpr.data.dataset import Catalogue, Example, Finding, Split
from gpr.data.dataset import Sequence as History
from gpr.data.table import Table, fold_all

LONG_TEXT_CHARS = 4_000
FEW_EXAMPLES = 20
MOST_OF_ALL = 0.5
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\x{200b}|\x{202a}|\x{202b}|\x{202c}|\x{202d}|\x{202e}|\x{feff}"
_LOOKALIKES = ("LATIN", "CYRILLIC", "GREEK")
_LATIN_AND = r"[A-Za-z]+[\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}]+[A-Za-z]"


def check_catalogue(table: Table, meanings: Mapping[str, Meaning], catalogue: Catalogue) -> list[Finding]:
    """Control characters, look-alike letters, very long texts."""
    found: list[Finding] = []
    meanings = dict(meanings)
    title = column_of(meanings, "title")
    values = table.frame[title]
    odd = _where(values, _CONTROL)
    message = "Titles with control or invisible characters; these are removed."
    found += table.finding("info", "control-characters", message, values.index[odd], title)
    suspicious = np.flatnonzero(_where(values, _LATIN_AND))
    mixed = [place for place in suspicious.tolist() if mixes_scripts(values.iloc[place])]
    message = "Titles that mix look-alike letters of two scripts in one word, as in a Latin 'a' among Cyrillic letters."
    found += table.finding("info", "mixed-scripts", message, values.index[mixed], title)
    earlier = near_duplicates(catalogue.titles)
    again = np.flatnonzero(earlier >= 0)
    if len(again):
        alike = {catalogue.titles[place] for place in again.tolist()}
        rows = values.index[fold_all(values).isin(list(alike)).to_numpy(dtype=bool)]
        one, other = (catalogue.titles[place][:80] for place in (again[0], earlier[again[0]]))
        message = (
            "Titles that differ from an earlier one only in case, accents, punctuation, order, a plural or a letter; "
            f"the first is '{one}' beside '{other}'."
        )
        found += table.finding("info", "near-duplicate-title", message, rows, title)
    if name := column_of(meanings, "description"):
        texts = table.frame[name]
        long = (texts.str.len() > LONG_TEXT_CHARS).to_numpy(dtype=bool)
        message = f"Descriptions of more than {LONG_TEXT_CHARS:,} characters; the model reads their beginning."
        found += table.finding("info", "long-description", message, texts.index[long], name)
    return found


def _where(values: pd.Series, pattern: str) -> np.ndarray:
    """(rows,) found by RE2, which reads millions of texts a second."""
    import pyarrow.compute as pc

    return np.asarray(pc.match_substring_regex(values.array.__arrow_array__(), pattern).to_numpy(zero_copy_only=False))


def mixes_scripts(text: str) -> bool:
    """Whether a word has letters of two scripts that look alike."""
    for word in text.split():
        scripts = {
            script
            for char in word
            if char.isalpha()
            for script in _LOOKALIKES
            if unicodedata.name(char, "").startswith(script)
        }
        if len(scripts) > 1:
            return True
    return False


def check_examples(
    catalogue: Catalogue, examples: Mapping[Split, Sequence[Example]], sequences: Sequence[History]
) -> list[Finding]:
    """Too few, lopsided, ambiguous; items that nothing mentions."""
    total = sum(len(part) for part in examples.values())
    if not total and not sequences:
        message = "There are no pairs and no interactions; training uses the items' own descriptions."
        return [Finding("info", "no-examples", message)]
    found = []
    trained = Counter(example.item for example in examples["train"])
    trained.update(item for sequence in sequences for item in sequence.items)
    size = sum(trained.values())
    if size < FEW_EXAMPLES:
        message = f"There are {size} rows to train on. Expect little: {FEW_EXAMPLES} and more teach something."
        found.append(Finding("hurts", "few-examples", message, count=max(1, size)))
    most, times = trained.most_common(1)[0] if trained else (0, 0)
    if size >= FEW_EXAMPLES and times > MOST_OF_ALL * size:
        message = f"'{catalogue.titles[most][:80]}' is the item of {times / size:.0%} of the training rows."
        found.append(Finding("hurts", "imbalance", message, count=times))
    answers: dict[str, set[int]] = {}
    for part in examples.values():
        for example in part:
            if example.request.query:
                answers.setdefault(example.request.query.casefold(), set()).add(example.item)
    several = sum(len(items) > 1 for items in answers.values())
    if several:
        message = f"Queries with more than one item: {several:,}. Each of their items counts as right."
        found.append(Finding("info", "many-items", message, count=several))
    never = len(catalogue) - len(trained)
    if never:
        message = f"Items that no training row mentions: {never:,}. They can be recommended by what their texts say."
        found.append(Finding("info", "unseen-items", message, count=never))
    return found
