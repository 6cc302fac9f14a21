"""What the rest of GPR knows of data: the catalogue, requests, examples and their splits.

It does not know where they came from (`read`, `columns`) nor how a request becomes a prompt (`gpr.lm.prompts`).
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import pandas as pd

from gpr.data.choices import Choices
from gpr.data.finding import Finding as Finding
from gpr.data.finding import Grade as Grade
from gpr.data.table import Part, Table
from gpr.errors import RequestError

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = ("train", "valid", "test")

MAX_QUERY_CHARS = 2_000
CLOSE_ITEMS = 20_000
"""In a larger catalogue a misspelt id is not compared with all of them: it takes seconds."""


@dataclass(frozen=True)
class Catalogue:
    """All items in a fixed order; an item's number is its position, 0..N-1.

    Items with equal titles are one item: the first stands for the group, the other ids are aliases.
    """

    item_ids: tuple[str, ...]
    """(N,) the id that stands for each item."""
    table: pd.DataFrame
    """(N, columns) one row an item: `title`, then any of description, category, summary and further columns.

    All strings, '' = none."""
    numbers: dict[str, int] = field(repr=False)
    """Every accepted id, aliases included -> item number."""

    def __len__(self) -> int:
        return len(self.item_ids)

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """(N,) distinct, without line breaks."""
        return tuple(self.table["title"])

    @cached_property
    def aliases(self) -> dict[int, tuple[str, ...]]:
        """Item number -> its other ids, only where there are some."""
        found: dict[int, list[str]] = {}
        for item_id, number in self.numbers.items():
            if item_id != self.item_ids[number]:
                found.setdefault(number, []).append(item_id)
        return {number: tuple(ids) for number, ids in found.items()}

    def number(self, item_id: str) -> int:
        """The item number of an id or alias, or of an exact title.

        Raises:
            RequestError: there is no such item; names the closest ids and titles.
        """
        item_id = str(item_id).strip()
        if item_id in self.numbers:
            return self.numbers[item_id]
        if item_id in self._by_title:
            return self._by_title[item_id]
        known = [*self.numbers, *self._by_title] if len(self) <= CLOSE_ITEMS else []
        close = difflib.get_close_matches(item_id, known, n=3)
        hint = f"Did you mean {', '.join(close)}?" if close else f"Ids look like {', '.join(self.item_ids[:3])}."
        raise RequestError(f"There is no item '{item_id[:80]}' in this catalogue.", hint=hint)

    @cached_property
    def _by_title(self) -> dict[str, int]:
        return {title: number for number, title in enumerate(self.titles)}

    @cached_property
    def _columns(self) -> dict[str, list[str]]:
        return {str(name): self.table[name].tolist() for name in self.table.columns if name != "title"}

    def details(self, number: int) -> dict[str, str]:
        """The filled columns of an item other than its title."""
        return {name: values[number] for name, values in self._columns.items() if values[number]}


@dataclass(frozen=True)
class Request:
    """What a user asks for: a query, a history, or both. A request with neither is the empty request."""

    query: str = ""
    history: tuple[int, ...] = ()
    """Item numbers, oldest first."""
    user: str = ""
    """Attributes of the user as text, such as 'age 24, student'."""

    def checked(self, n_items: int) -> Request:
        """The same request with its query's white space folded.

        Raises:
            RequestError: neither query nor history, the query is too long, or an item number is out of range.
        """
        query = " ".join(self.query.split())
        if not query and not self.history:
            raise RequestError("The request is empty.", hint="Type a query, or choose items for the history.")
        if len(query) > MAX_QUERY_CHARS:
            raise RequestError(
                f"The query is {len(query):,} characters long; the limit is {MAX_QUERY_CHARS:,}.", hint="Shorten it."
            )
        outside = [number for number in self.history if not 0 <= number < n_items]
        if outside:
            raise RequestError(f"Item number {outside[0]} is not in this catalogue of {n_items:,} items.")
        return Request(query, self.history, self.user)


@dataclass(frozen=True)
class Example:
    """One training or test pair: request -> item."""

    request: Request
    item: int


@dataclass(frozen=True)
class Sequence:
    """One user's training history: every item after the first is a target."""

    items: tuple[int, ...]
    user: str = ""


@dataclass(frozen=True)
class Dataset:
    """A catalogue with its examples, split, and what was noticed on the way."""

    name: str
    catalogue: Catalogue
    examples: dict[Split, tuple[Example, ...]]
    """From pairs and interactions: `valid` and `test` hold both kinds, `train` holds the pairs."""
    sequences: tuple[Sequence, ...] = ()
    """The training part of every user's history (all but the last two items)."""
    findings: tuple[Finding, ...] = ()
    mapping: dict[str, dict[str, str]] = field(default_factory=dict)
    """File name -> column -> role, as understood."""
    reasons: dict[str, dict[str, str]] = field(default_factory=dict)
    """File name -> column -> why it has its role."""
    rows: dict[str, int] = field(default_factory=dict)
    """Rows read of each file."""
    seed: int = 0
    """The seed of a split that was made, not read."""
    choices: Choices = field(default_factory=Choices, repr=False)
    """What the user decided."""
    tables: dict[str, Table] = field(default_factory=dict, compare=False, repr=False)
    """File name -> its table, repaired; set-aside rows included."""
    parts: dict[str, Part] = field(default_factory=dict, compare=False, repr=False)
    """File name -> the part of the data that it is."""

    def with_examples(self, more: Iterable[Example]) -> Dataset:
        """The same with further training examples, but for those that it has."""
        known = set(self.examples["train"])
        new = tuple(one for one in dict.fromkeys(more) if one not in known)
        return replace(self, examples={**self.examples, "train": (*self.examples["train"], *new)}) if new else self

    def with_validation(self) -> Dataset:
        """The same with its validation queries as training examples, for when nothing has to be fitted any more."""
        return self.with_examples(
            one for one in self.examples["valid"] if one.request.query and not one.request.history
        )

    @cached_property
    def hash(self) -> str:
        """16 hex digits that change with anything that is trained on or measured with."""
        digest = hashlib.blake2b(digest_size=8)
        for values in (self.catalogue.item_ids, *(self.catalogue.table[name] for name in self.catalogue.table.columns)):
            digest.update("\0".join(values).encode("utf-8", errors="surrogatepass"))
        digest.update(repr([*self.catalogue.table.columns]).encode())
        for split in SPLITS:
            digest.update(f"{split} {len(self.examples[split])}".encode())
            for example in self.examples[split]:
                digest.update(repr(example).encode("utf-8", errors="surrogatepass"))
        for sequence in self.sequences:
            digest.update(repr(sequence).encode("utf-8", errors="surrogatepass"))
        return digest.hexdigest()
