"""The buttons beside a finding where there is a choice. Each presses what the dropdowns of the tab press."""

from __future__ import annotations

from html import escape

from gpr.data.choices import Choices
from gpr.data.dataset import Dataset
from gpr.data.finding import Finding
from gpr.ui.data.mapping import threshold
from gpr.ui.language import say
from gpr.ui.press import button

_TOGGLES = {
    "duplicate-title": ("equal_titles", "apart", "Keep them apart, with their id"),
    "equal-titles": ("equal_titles", "merge", "Make them one item"),
    "split-leak": ("pairs", "random", "Split at random by query"),
    "timestamp-ties": ("histories", "date", "Split by date instead"),
    "after-test": ("histories", "last", "Test on the last two items instead"),
}
"""Code of a finding -> the choice, its value, and the words on the button."""
_SWITCHES = {
    "html": ("html", {"strip": "Remove it", "keep": "Keep it"}),
    "personal-data": ("personal", {"mask": "Mask it", "keep": "Keep it"}),
}


def remedies(dataset: Dataset, finding: Finding, *, stored: bool) -> str:
    """HTML, '' where there is no choice.

    Args:
        stored: the data is kept in the workspace, where what was masked is gone.
    """
    choices = dataset.choices
    if finding.code in ("ratings-unused", "rated-bad"):
        field = threshold(choices, dataset.tables, dataset.mapping)
        return f'<label class="gpr-remedy"><span>{escape(say("Good is"))}</span>{field}</label>'
    if finding.code == "identifying-attribute":
        words = escape(say("Do not use this column"))
        return button(words, "role", style="gpr-remedy", file=finding.file, column=finding.column, value="ignore")
    if finding.code in _SWITCHES:
        name, options = _SWITCHES[finding.code]
        if name == "personal" and stored and choices.personal == "mask":
            return ""
        return "".join(_button(choices, name, value, text) for value, text in options.items())
    return _button(choices, *_TOGGLES[finding.code]) if finding.code in _TOGGLES else ""


def _button(choices: Choices, name: str, value: str, words: str) -> str:
    """Nothing where this is so already."""
    if getattr(choices, name) == value:
        return ""
    return button(escape(say(words)), "choice", style="gpr-remedy", name=name, value=value)
