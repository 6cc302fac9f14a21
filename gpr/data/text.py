"""An item in words: what scorers read of it besides its title."""

from __future__ import annotations

from gpr.data.dataset import Catalogue

SHORT = 80
"""Characters: a longer value of a further column is left out."""


def attributes_text(catalogue: Catalogue, number: int) -> str:
    """The short columns by name, 'year: 1999. genre: Action'; '' when there are none."""
    details = catalogue.details(number).items()
    short = [f"{name}: {value}" for name, value in details if name not in _LONG and len(value) <= SHORT]
    return ". ".join(short)


def description_text(catalogue: Catalogue, number: int) -> str:
    """The description, or the summary where there is none."""
    details = catalogue.details(number)
    return details.get("description", "") or details.get("summary", "")


def item_text(catalogue: Catalogue, number: int) -> str:
    """Title, attributes and description."""
    parts = (catalogue.titles[number], attributes_text(catalogue, number), description_text(catalogue, number))
    return ". ".join(part.rstrip(".") for part in parts if part)


_LONG = {"description", "summary", "image"}
