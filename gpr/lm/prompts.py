"""Requests and items as token ids. The one place where the wording of prompts is decided.

    history:  Chosen so far, in order:⏎ The Matrix⏎ Alien⏎
    query:    Query: a film about dreams⏎Title:
    both:     the history, then the query; the empty request is 'Title:' alone
    title:    ' Inception' and the terminator, a line break

The continuation of every prompt is a title, so a history with its next title is itself a longer history: one sequence
trains on all of its items.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpr.data.dataset import Catalogue, Request

MAX_ITEM_TOKENS = 96
"""Of an item's text; the rest is cut."""
MAX_HISTORY = 20
"""Items of a history that are put in the prompt, the most recent ones."""

Ids = list[int]


class Prompts:
    """Prompts for one tokenizer and one catalogue."""

    def __init__(self, tokenizer: Any, catalogue: Catalogue) -> None:
        self._tokenizer, self.catalogue = tokenizer, catalogue
        self._bos = [tokenizer.bos_token_id] if _adds_bos(tokenizer) else []
        self._newline: int = tokenizer.encode("\n", add_special_tokens=False)[-1]
        self.titles = self._title_ids()
        """(N,) token ids of each title, terminator included; distinct and prefix-free."""

    def _encode(self, texts: list[str]) -> list[Ids]:
        return self._tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []  # type: ignore[no-any-return]

    def _title_ids(self) -> list[Ids]:
        titles = [f" {title}" for title in self.catalogue.titles]
        encoded = self._encode(titles)
        seen: set[tuple[int, ...]] = set()
        for number, ids in enumerate(encoded):
            if tuple(ids) in seen:  # the tokenizer does not tell two titles apart: the id does
                encoded[number] = ids = self._encode([f"{titles[number]} [{self.catalogue.item_ids[number]}]"])[0]
            seen.add(tuple(ids))
        return [[token for token in ids if token != self._newline] + [self._newline] for ids in encoded]

    def history(self, items: tuple[int, ...], user: str = "") -> tuple[Ids, list[int]]:
        """The prompt of a history, and where each of its titles ends, as positions in it."""
        about = self._encode([f"User: {user}\n"])[0] if user else []
        ids = self._bos + about + self._encode(["Chosen so far, in order:\n"])[0]
        ends = []
        for item in items[-MAX_HISTORY:]:
            ids += self.titles[item]
            ends.append(len(ids) - 1)
        return ids, ends

    def request(self, request: Request) -> Ids:
        """The prompt whose continuation is the title of the item that was asked for."""
        if not request.history:
            about = f"User: {request.user}\n" if request.user else ""
            return self._bos + self._encode([f"{about}{_query(request.query)}"])[0]
        ids, _ = self.history(request.history, request.user)
        return ids + self._encode([_query(request.query)])[0] if request.query else ids

    def items(self, numbers: np.ndarray | range) -> list[Ids]:
        """The texts of some items, each ended by a line break: where `match` reads the item's vector."""
        texts = [f"Item: {item_text(self.catalogue, int(number))}" for number in numbers]
        return [self._bos + ids[:MAX_ITEM_TOKENS] + [self._newline] for ids in self._encode(texts)]


def _query(query: str) -> str:
    return f"Query: {query}\nTitle:" if query else "Title:"


def _adds_bos(tokenizer: Any) -> bool:
    """Whether this tokenizer starts every text with a BOS token of its own accord, as Gemma's does."""
    ids = tokenizer.encode("a")
    return tokenizer.bos_token_id is not None and bool(ids) and ids[0] == tokenizer.bos_token_id


def item_text(catalogue: Catalogue, number: int) -> str:
    """An item in words: its title, the short columns by name, then the description."""
    details = catalogue.details(number)
    description = details.pop("description", "") or details.pop("summary", "")
    short = [f"{name}: {value}" for name, value in details.items() if name != "summary" and len(value) <= 80]
    return ". ".join(part for part in (catalogue.titles[number], *short, description) if part)
