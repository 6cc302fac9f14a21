"""Training examples as rows of token ids with their targets. It knows prompts and the trie, and no model.

A row is one sequence with one target (query -> title) or many (a history, in which every item after the first is one).
For each target it says where the request has been read (for `match`), at which tokens the title branches (for
`generate`), and which tokens the title has (for `plausibility`).
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gpr.data.dataset import Dataset, Example, Request
from gpr.data.split import query_key
from gpr.data.text import attributes_text, description_text
from gpr.lm.prompts import Ids, Prompts

SHUFFLED = 0.1
"""How far rows of other lengths may stand from their place in an epoch, as a share of the mean length: with .5 a sixth
of what is read is padding, and nothing is learned better for it (docs/results.md)."""
KEYWORDS = 6
"""Words of a description that make a query of it."""
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Row:
    """One training sequence with K >= 1 targets that branch at J places in all."""

    ids: Ids
    """(T,) up to the last branch of the last target, or to the last token but one of its title."""
    items: Ints
    """(K,) the target items."""
    spans: Ints
    """(K, 3) start and end of the request's own words, and the position at which it has been read."""
    branch_at: Ints
    """(J,) positions whose hidden state chooses among the children of a node."""
    branch_node: Ints
    """(J,) that node."""
    branch_choice: Ints
    """(J,) the right child, counted within the node."""
    title_at: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """(W,) positions whose hidden state is to say a token of a target's title; none where titles are not said whole."""
    title_token: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """(W,) that token."""


def training_rows(dataset: Dataset, prompts: Prompts, seed: int, whole: bool = False) -> list[Row]:
    """Rows from the training pairs, the training histories, and the catalogue's own texts.

    Args:
        whole: titles are said to their end.
    """
    rows = [pair_row(prompts, example.request, example.item, whole) for example in dataset.examples["train"]]
    for sequence in dataset.sequences:
        for window in _windows(sequence.items, prompts.window):
            rows.append(_history(prompts, window, sequence.user, whole))
    return rows + [pair_row(prompts, example.request, example.item, whole) for example in own_examples(dataset, seed)]


def own_examples(dataset: Dataset, seed: int) -> list[Example]:
    """Examples from the catalogue's own texts, but for queries that are held out."""
    held_out = {query_key(e.request.query) for split in ("valid", "test") for e in dataset.examples[split]}
    texts = _own_texts(dataset, random.Random(seed))
    return [Example(request, item) for request, item in texts if query_key(request.query) not in held_out]


def _own_texts(dataset: Dataset, rng: random.Random) -> Iterator[tuple[Request, int]]:
    """What the catalogue says of each item, as queries for it: keywords, attributes, or else the title itself."""
    catalogue = dataset.catalogue
    for number in range(len(catalogue)):
        description, attributes = description_text(catalogue, number), attributes_text(catalogue, number)
        if description:
            words = re.findall(r"[^\W_]+", description)
            spaced = len(words) > KEYWORDS
            start = rng.randrange(max(1, len(words) - 2 * KEYWORDS))
            some = " ".join(words[start : start + 2 * KEYWORDS]) if spaced else description
            yield Request(some), number
        if attributes:
            yield Request(", ".join(part.partition(": ")[2] for part in attributes.split(". "))), number
        if not description and not attributes:
            yield Request(catalogue.titles[number].lower()), number


def _windows(items: tuple[int, ...], window: int) -> Iterator[tuple[int, ...]]:
    """Parts of at most `window` + 1 items that overlap by one: each item but the first is a target once."""
    for start in range(0, len(items) - 1, window):
        yield items[start : start + window + 1]


def pair_row(prompts: Prompts, request: Request, item: int, whole: bool = False) -> Row:
    """One request with one target."""
    prompt = prompts.request(request)
    read = len(prompt.ids) - 1
    return _row(prompts, prompt.ids + prompts.titles[item], [(item, prompt.start, prompt.end, read)], whole)


def _history(prompts: Prompts, items: tuple[int, ...], user: str, whole: bool) -> Row:
    ids, start, ends = prompts.history(items, user)
    targets = [(item, start, end, end - 1) for item, end in zip(items[1:], ends[:-1], strict=True)]
    return _row(prompts, ids, targets, whole)


def _row(prompts: Prompts, ids: Ids, targets: list[tuple[int, int, int, int]], whole: bool) -> Row:
    trie = prompts.trie
    paths = [trie.path(item) for item, *_ in targets]
    entries = np.concatenate(paths)
    nodes = trie.parent[trie.child[entries]]
    read = np.repeat([last for *_, last in targets], [len(path) for path in paths])
    at = read + trie.depth[nodes]
    table = np.array(targets, np.int64)
    row = Row(ids[: int(at.max()) + 1], table[:, 0], table[:, 1:], at, nodes, entries - trie.child_ptr[nodes])
    if not whole:
        return row
    said = np.concatenate([np.arange(last, last + len(prompts.titles[item])) for item, *_, last in targets])
    return replace(row, ids=ids[:-1], title_at=said, title_token=np.array(ids, np.int64)[said + 1])


def plan_batches(rows: list[Row], steps: int, tokens: int, seed: int) -> list[list[int]]:
    """Row numbers for each step: epochs of shuffled rows, batches of like lengths with about `tokens` tokens each."""
    return list(itertools.islice(itertools.chain.from_iterable(_epochs(rows, tokens, seed)), steps))


def steps_of_epochs(rows: list[Row], epochs: int, tokens: int, seed: int) -> int:
    """Steps of the plan that show every row `epochs` times."""
    return sum(len(epoch) for epoch in itertools.islice(_epochs(rows, tokens, seed), epochs))


def _epochs(rows: list[Row], tokens: int, seed: int) -> Iterator[list[list[int]]]:
    rng = np.random.default_rng(seed)
    lengths = np.array([len(row.ids) for row in rows])
    while True:
        order = np.argsort(lengths + rng.uniform(0, SHUFFLED * lengths.mean(), len(rows)), kind="stable")
        epoch = _cut(order, lengths, tokens)
        yield [epoch[at] for at in rng.permutation(len(epoch))]


def _cut(order: Ints, lengths: Ints, tokens: int) -> list[list[int]]:
    batches: list[list[int]] = [[]]
    longest = 0
    for row in order.tolist():
        longest = max(longest, int(lengths[row]))
        if batches[-1] and (len(batches[-1]) + 1) * longest > tokens:
            batches.append([])
            longest = int(lengths[row])
        batches[-1].append(row)
    return batches
