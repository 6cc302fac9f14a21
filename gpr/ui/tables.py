"""Tables, lists and figures as HTML. Every text is escaped here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape

from gpr.ui.language import say
from gpr.ui.press import button

MAX_CELL, LONG, SHORT = 120, 40, 12
"""Characters of a cell that are shown, from which on a column is wide, and up to which it stays on one line."""
SPLIT_WORDS = {"train": "training", "valid": "validation", "test": "test"}


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    numbers: Sequence[int] = (),
    label: str = "",
    raw: Collection[int] = (),
    raw_head: bool = False,
    keys: Sequence[str] = (),
    sort: str = "",
) -> str:
    """A table that scrolls by itself where it is too wide.

    Args:
        numbers: columns that are set to the right.
        label: what it holds, for a screen reader.
        raw: columns that are HTML already. raw_head: whether the head is, too.
        keys: for each column that can be sorted what its head presses for, `sort` with this in `data-by`; '-' in front
        where the largest come first, '' for none. sort: the one that is sorted by now.
    """

    def cell(tag: str, column: int, value: object) -> str:
        text = say(str(value)) if tag == "th" else str(value)
        if column in raw and (tag == "td" or raw_head):
            return f"<{tag}{' class=gpr-number' if column in numbers else ''}>{text}</{tag}>"
        kind = "gpr-number" if column in numbers else _width(text)
        return f'<{tag} class="{kind}">{escape(text if len(text) <= MAX_CELL else text[:MAX_CELL] + "…")}</{tag}>'

    def headed(column: int, name: str) -> str:
        if column >= len(keys) or not keys[column]:
            return cell("th", column, name)
        now = sort.removeprefix("-") == keys[column].removeprefix("-")
        other = sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"
        order = f' aria-sort="{"descending" if sort.startswith("-") else "ascending"}"' if now else ""
        inside = button(escape(say(name)), "sort", style="gpr-sort", by=other if now else keys[column])
        return f'<th class="{"gpr-number" if column in numbers else ""}"{order}>{inside}</th>'

    header = "".join(headed(number, name) for number, name in enumerate(head))
    body = "".join(f"<tr>{''.join(cell('td', number, value) for number, value in enumerate(row))}</tr>" for row in rows)
    return (
        f'<div class="gpr-scroll" tabindex="0" role="region" aria-label="{escape(say(label))}">'
        f'<table class="gpr-table"><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _width(text: str) -> str:
    """Words may wrap, an id may not."""
    if len(text) <= SHORT or (text.isascii() and " " not in text):
        return ""
    return "gpr-long" if len(text) > LONG else "gpr-words"


def figures(values: Mapping[str, object]) -> str:
    """A row of large numbers with their names."""
    items = "".join(
        f"<div><dd>{escape(f'{value:,}' if isinstance(value, int) else str(value))}</dd>"
        f"<dt>{escape(say(name))}</dt></div>"
        for name, value in values.items()
    )
    return f'<dl class="gpr-figures">{items}</dl>'


def progress_bar(share: float | None, label: str) -> str:
    """How much of something is done, 0 to 1; None where nobody knows yet."""
    start = f'<div class="gpr-progress" role="progressbar" aria-label="{escape(say(label))}"'
    if share is None:
        return f'{start}><span class="gpr-unknown"></span></div>'
    percent = 100 * min(max(share, 0.0), 1.0)
    return (
        f'{start} aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent:.0f}">'
        f'<span style="width:{percent:.2f}%"></span></div>'
    )
