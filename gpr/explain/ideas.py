"""Text that the model writes freely: ideas that need not be in the catalogue, queries, what an item may be about.

All of it is generated and may be untrue; an idea is told apart from the catalogue and matched to what is nearest there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gpr.data.dataset import Request
from gpr.data.text import attributes_text, description_text
from gpr.lm.free import continuations
from gpr.lm.sampling import Sampling
from gpr.scorers.gpt import Gpt

NEAREST = 2
"""Items of the catalogue that stand beside an idea."""
SHOTS = 4
"""Queries and descriptions of the data that show the model what is wanted."""
SHOT_CHARS = 240


@dataclass(frozen=True)
class Idea:
    """One text."""

    text: str
    ended: bool
    item: int | None = None
    """The item with this very title, if there is one."""
    nearest: tuple[tuple[int, float], ...] = ()
    """Items and how alike they are, the cosine of `match`; empty while it is being written."""


def ideas(gpt: Gpt, request: Request, sampling: Sampling) -> Iterator[list[Idea]]:
    """Titles for a request, after each token; at the end with what the catalogue has."""
    found: list[Idea] = []
    for found in _written(gpt, gpt.prompts.request(request).ids, sampling):
        yield found
    distinct: dict[str, Idea] = {}
    for idea in found:
        if idea.text:
            distinct.setdefault(idea.text.casefold(), idea)
    yield _matched(gpt, list(distinct.values()))


def queries(gpt: Gpt, examples: list[str], begun: str, sampling: Sampling) -> Iterator[list[Idea]]:
    """Queries like those of the data, going on with what was begun."""
    shots = "".join(f"Query: {query[:SHOT_CHARS]}\n" for query in examples[:SHOTS])
    begun = " ".join(begun.split())
    for found in _written(gpt, gpt.prompts.plain(f"{shots}Query:{f' {begun}' if begun else ''}"), sampling):
        yield [Idea(f"{begun} {idea.text}".strip(), idea.ended) for idea in found]


def blurb(gpt: Gpt, item: int, sampling: Sampling) -> Iterator[list[Idea]]:
    """What an item may be about, by its title and attributes alone, in the manner of the catalogue's descriptions."""
    catalogue = gpt.catalogue
    described = [number for number in range(len(catalogue)) if number != item and description_text(catalogue, number)]
    shots = [f"{_facts(gpt, one)} Text: {description_text(catalogue, one)[:SHOT_CHARS]}\n" for one in described[:2]]
    return _written(gpt, gpt.prompts.plain(f"{''.join(shots)}{_facts(gpt, item)} Text:"), sampling)


def _facts(gpt: Gpt, item: int) -> str:
    known = attributes_text(gpt.catalogue, item)
    return f"Item: {gpt.catalogue.titles[item]}. {known}." if known else f"Item: {gpt.catalogue.titles[item]}."


def _written(gpt: Gpt, prompt: list[int], sampling: Sampling) -> Iterator[list[Idea]]:
    for written, ended in continuations(gpt.decoder.reader.body, gpt.decoder.head, prompt, gpt.prompts.ends, sampling):
        texts = [gpt.prompts.text_of(ids).rstrip("\ufffd").strip() for ids in written]
        yield [Idea(text, done) for text, done in zip(texts, ended, strict=True)]


def _matched(gpt: Gpt, found: list[Idea]) -> list[Idea]:
    if not found:
        return []
    titles = {title.casefold(): number for number, title in enumerate(gpt.catalogue.titles)}
    vectors = gpt.request_vectors([Request(idea.text) for idea in found])  # (ideas, D)
    alike = vectors @ gpt.item_vectors(range(len(gpt.catalogue))).T  # (ideas, N)
    near = [tuple((int(at), float(row[at])) for at in np.argsort(-row, kind="stable")[:NEAREST]) for row in alike]
    return [
        Idea(idea.text, True, titles.get(idea.text.casefold()), those) for idea, those in zip(found, near, strict=True)
    ]
