"""What each column means, with a dropdown where it can be changed, and the choices that follow from it, as HTML."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from html import escape

import pandas as pd

from gpr.data.choices import Choices
from gpr.data.columns import ALL_ROLES, Meaning
from gpr.data.table import Table
from gpr.data.times import parse_numbers
from gpr.ui.language import say
from gpr.ui.tables import table

ROLE_WORDS = {
    "item_id": "item id", "user_id": "user", "timestamp": "time", "label": "label (good or bad)",
    "other": "further column", "ignore": "not used",
}  # fmt: skip
SAMPLE, SAMPLE_CHARS = 3, 60
MANY_RATINGS = 11
"""Up to so many distinct ratings each can be the threshold; of more, eleven between the lowest and the highest."""

Meanings = Mapping[str, Mapping[str, Meaning]]
"""File -> column -> meaning."""
Roles = Mapping[str, Mapping[str, str]]
"""File -> column -> role."""


def select(press: str, options: Mapping[str, str], chosen: str, label: str, **data: str) -> str:
    """A dropdown whose choice is pressed: `value` comes along."""
    inside = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(say(words))}</option>'
        for value, words in options.items()
    )
    given = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    # The page changes what is there instead of drawing it anew, and a dropdown that was used would keep what was chosen
    # in it; inside of an element with a new name it is drawn anew.
    fresh = f"gpr-{secrets.token_hex(4)}"
    given += f' aria-label="{escape(say(label))}"'
    field = f'<select class="gpr-select" data-press="{press}"{given}>{inside}</select>'
    return f"<{fresh}>{field}</{fresh}>"


def columns_html(tables: Mapping[str, Table], meanings: Meanings, accounts: Mapping[str, Mapping[str, int]]) -> str:
    """A table for each file: column, examples, meaning, reason."""
    return "".join(_file(file, tables[file], columns, accounts.get(file)) for file, columns in meanings.items())


def _file(file: str, found: Table, columns: Mapping[str, Meaning], account: Mapping[str, int] | None) -> str:
    words = f"{found.rows:,} rows"
    if account:
        words = f"{found.rows:,} rows = {account['used']:,} used + {account['set_aside']:,} set aside"
    roles: dict[str, str] = {role: ROLE_WORDS.get(role, role) for role in ALL_ROLES}
    rows = [
        (
            column,
            select("role", roles, meaning.role, f"meaning of {column}", file=file, column=column),
            say(meaning.reason),
            _sample(found.frame[column]),
        )
        for column, meaning in columns.items()
    ]
    shown = table(("column", "means", "why", "for example"), rows, label=f"columns of {file}", raw=[1])
    return f"<h4>{escape(file)} <small>{say(words)}</small></h4>{shown}"


def _sample(values: pd.Series) -> str:
    """The first different values."""
    some = dict.fromkeys(value for value in values.iloc[:200] if value)
    return " · ".join(value[:SAMPLE_CHARS] for value in list(some)[:SAMPLE])


def choices_html(choices: Choices, roles: Roles) -> str:
    """How it is split; the other choices are beside the findings that they are about. '' where nothing is split."""
    found = {role for columns in roles.values() for role in columns.values()}
    lines = []
    if "query" in found:
        options = {"file": "as the file says, else at random", "random": "at random by query"}
        lines.append(("Queries are split", _choice("pairs", options, choices.pairs)))
    if "user_id" in found:
        options = {
            "file": "as the file says, else the last two items",
            "last": "each user's last two items for test",
            "date": "by date, the same for all",
        }
        lines.append(("Histories are split", _choice("histories", options, choices.histories)))
    inside = "".join(f"<label><span>{escape(say(words))}</span>{field}</label>" for words, field in lines)
    return f'<div class="gpr-settings">{inside}</div>' if lines else ""


def _choice(name: str, options: Mapping[str, str], chosen: str) -> str:
    return select("choice", options, chosen, name, name=name)


def threshold(choices: Choices, tables: Mapping[str, Table], roles: Roles) -> str:
    """A dropdown: from which rating on, with how many are good and bad then."""
    values = pd.concat(
        parse_numbers(tables[file].frame[column])
        for file, columns in roles.items()
        for column, role in columns.items()
        if role == "rating"
    ).dropna()
    steps = sorted(values.unique())
    if len(steps) > MANY_RATINGS:
        low, high = float(values.min()), float(values.max())
        steps = [round(low + (high - low) * place / MANY_RATINGS, 2) for place in range(1, MANY_RATINGS)]
    options = {"": "whatever they are"}
    if choices.good_from is not None and choices.good_from not in steps:
        steps = sorted([*steps, choices.good_from])
    for step in steps[1:]:
        good = int((values >= step).sum())
        options[f"{step:g}"] = f"from {step:g} on ({good:,} good, {len(values) - good:,} bad)"
    chosen = "" if choices.good_from is None else f"{choices.good_from:g}"
    return _choice("good_from", options, chosen)
