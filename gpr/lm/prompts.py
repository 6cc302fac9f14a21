"""Requests and items as token ids. The one place where the wording of prompts is decided.

    query:    Query: a film about dreams⏎Title:
    history:  Chosen so far, in order:⏎ The Matrix⏎ Alien⏎
    both:     the history, then the query; the empty request is 'Title:' alone
    title:    ' Inception' and the terminator, a line break

The continuation of every prompt is a title, so a history with its next title is itself a longer history: one sequence
trains on all of its items.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gpr.data.dataset import Catalogue, Request
from gpr.data.text import item_text
from gpr.lm.trie import Trie, build_trie

MAX_ITEM_TOKENS = 96
"""Of an item's text; the rest is cut."""
MAX_HISTORY = 20
"""Items of a history that are put in the prompt, the most recent ones, where nobody chose another number."""

Ids = list[int]


@dataclass(frozen=True)
class Prompt:
    """Token ids, and the span that holds what was said: `ids[start:end]` without the fixed wording around it."""

    ids: Ids
    start: int
    end: int


class Prompts:
    """Prompts for one tokenizer and one catalogue.

    Args:
        window: items of a history that are read, the most recent ones.
    """

    def __init__(self, tokenizer: Any, catalogue: Catalogue, window: int = MAX_HISTORY) -> None:
        self._tokenizer, self.catalogue, self.window = tokenizer, catalogue, window
        self._bos = [tokenizer.bos_token_id] if _adds_bos(tokenizer) else []
        self._newline = self._encode("\n")[-1]
        self._query, self._title, self._item = self._encode("Query:"), self._encode("\nTitle:"), self._encode("Item:")
        self._nothing, self._chosen = self._encode("Title:"), self._encode("Chosen so far, in order:\n")
        self.titles = self._title_ids()
        """(N,) token ids of each title, terminator included; distinct and prefix-free."""

    @property
    def openings(self) -> list[Ids]:
        """The fixed beginnings of requests."""
        user = self._encode("User:")
        return [self._bos + self._query, self._bos + self._chosen, self._bos + user]

    def _encode(self, text: str) -> Ids:
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    def text_of(self, ids: Ids) -> str:
        """Token ids as the text that they stand for, without the space that begins a title."""
        return str(self._tokenizer.decode(ids, clean_up_tokenization_spaces=False)).removeprefix(" ")

    def plain(self, text: str) -> Ids:
        """Any text as token ids."""
        return self._bos + self._encode(text)

    @property
    def ends(self) -> Ids:
        """Tokens that end a line or a text."""
        marks = (self._newline, self._tokenizer.eos_token_id, self._tokenizer.bos_token_id)
        return [token for token in dict.fromkeys(marks) if token is not None]

    def _encode_all(self, texts: list[str]) -> list[Ids]:
        return list(self._tokenizer(texts, add_special_tokens=False)["input_ids"]) if texts else []

    def _title_ids(self) -> list[Ids]:
        titles = [f" {title}" for title in self.catalogue.titles]
        encoded = self._encode_all(titles)
        seen: set[tuple[int, ...]] = set()
        for number, ids in enumerate(encoded):
            if tuple(ids) in seen:  # the tokenizer does not tell two titles apart: the id does
                encoded[number] = ids = self._encode(f"{titles[number]} [{self.catalogue.item_ids[number]}]")
            seen.add(tuple(ids))
        return [[token for token in ids if token != self._newline] + [self._newline] for ids in encoded]

    @cached_property
    def trie(self) -> Trie:
        """The catalogue as a trie of its titles' token ids."""
        return build_trie(self.titles)

    @cached_property
    def texts(self) -> list[Prompt]:
        """(N,) the items' texts."""
        return self.items(range(len(self.catalogue)))

    def history(self, items: Iterable[int], user: str = "") -> tuple[Ids, int, list[int]]:
        """A history as text: its ids, where its first title begins, and where each title ends (one past)."""
        ids = self._bos + self._user(user) + self._chosen
        start, ends = len(ids), []
        for item in items:
            ids = ids + self.titles[item]
            ends.append(len(ids))
        return ids, start, ends

    def request(self, request: Request) -> Prompt:
        """The prompt whose continuation is the title of the item that was asked for."""
        if request.history:
            ids, start, _ = self.history(request.history[-self.window :], request.user)
        else:
            ids = self._bos + self._user(request.user)
            start = len(ids)
        if request.query:
            ids = ids + self._query
            start = start if request.history else len(ids)
            ids = ids + self._encode(f" {request.query}")
            return Prompt(ids + self._title, start, len(ids))
        if not request.history:
            ids = ids + self._nothing
        return Prompt(ids, start, len(ids))

    def items(self, numbers: Iterable[int]) -> list[Prompt]:
        """The texts of some items, each ended by a line break."""
        texts = [f" {item_text(self.catalogue, number)}" for number in numbers]
        opening = self._bos + self._item
        cut = [ids[:MAX_ITEM_TOKENS] for ids in self._encode_all(texts)]
        return [Prompt(opening + ids + [self._newline], len(opening), len(opening) + len(ids)) for ids in cut]

    def _user(self, user: str) -> Ids:
        return self._encode(f"User: {user}\n") if user else []


def _adds_bos(tokenizer: Any) -> bool:
    """Whether this tokenizer starts every text with a BOS token of its own accord, as Gemma's does."""
    ids = tokenizer.encode("a")
    return tokenizer.bos_token_id is not None and bool(ids) and ids[0] == tokenizer.bos_token_id
