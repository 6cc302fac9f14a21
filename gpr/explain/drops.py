"""A request with one thing less each time: a word or phrase of its query, an item of its history. It knows no scores.

Words without meaning of their own go with the one that follows ('about dreams'); a long query is cut into phrases.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bm25s.stopwords import STOPWORDS_EN

from gpr.data.dataset import Request

MOST_PHRASES = 10
"""A query is cut into no more pieces than this; the shortest neighbours are joined."""
MOST_ITEMS = 10
"""Items of a history that are dropped one at a time, the most recent ones."""
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_RUN = re.compile(rf"[{_CJK}]+|[^\s{_CJK}]+")
_SMALL = "关于|怎么|什么|一些|一点|一部|一个|的|了|和|与|及|在|是|让|给|把|想|要|有|讲"
"""Chinese words that go with the one that follows."""
_SMALL_ENGLISH = {*STOPWORDS_EN, "about", "from", "some", "who", "where", "which"}
_CHINESE = re.compile(rf"(?:{_SMALL})+|(?:(?!{_SMALL}).)+")
_LONG = 3
"""Characters: a longer Chinese word is cut into pairs, since nothing tells words apart."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Drop:
    """What is left of a request without one of its parts."""

    text: str
    """What was dropped of the query; '' for an item of the history."""
    item: int | None
    """The item that was dropped of the history."""
    left: Request


def drops(request: Request) -> list[Drop]:
    """One for each phrase of the query in its order, then one for each item of the history, newest first."""
    found = []
    for start, end in phrases(request.query):
        query = " ".join((request.query[:start] + request.query[end:]).split())
        found.append(Drop(request.query[start:end], None, replace(request, query=query)))
    history = request.history
    for place in list(range(len(history)))[::-1][:MOST_ITEMS]:
        left = replace(request, history=history[:place] + history[place + 1 :])
        found.append(Drop("", history[place], left))
    return found


def phrases(query: str) -> list[Span]:
    """Where the pieces of a query begin and end, at most MOST_PHRASES; together they hold all of its words."""
    words = [word for run in _RUN.finditer(query) for word in _words(run.group(), run.start())]
    meant = [word for word in words if not _is_small(query[slice(*word)])]
    found: list[Span] = []
    start = None
    for word in words:
        start = word[0] if start is None else start
        if word in meant or not meant:
            found.append((start, word[1]))
            start = None
    if start is not None:  # small words at the end go with the one before
        found[-1] = (found[-1][0], words[-1][1])
    while len(found) > MOST_PHRASES:
        place = min(range(len(found) - 1), key=lambda at: found[at + 1][1] - found[at][0])
        found[place : place + 2] = [(found[place][0], found[place + 1][1])]
    return found


def _words(run: str, start: int) -> list[Span]:
    """A run of characters without a space, cut where it is written without spaces."""
    if not re.match(f"[{_CJK}]", run):
        return [(start, start + len(run))]
    found = []
    for match in _CHINESE.finditer(run):
        begin, end = match.span()
        cuts = list(range(begin, end, 2)) if end - begin > _LONG and not _is_small(match.group()) else [begin]
        cuts = cuts[:-1] if len(cuts) > 1 and end - cuts[-1] == 1 else cuts
        found += [(start + one, start + other) for one, other in zip(cuts, [*cuts[1:], end], strict=True)]
    return found


def _is_small(word: str) -> bool:
    plain = re.sub(r"\W", "", word).casefold()
    return not plain or plain in _SMALL_ENGLISH or re.fullmatch(f"(?:{_SMALL})+", plain) is not None
