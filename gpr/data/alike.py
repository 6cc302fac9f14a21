"""Titles that are nearly the same: equal but for case, accents, punctuation and the order of words, or but for one word
that is a plural or one slip of the keyboard away.

It knows texts only. A number is never taken for a slip: 'Alien 2' is not 'Alien 3'. Nor is a character of a script in
which each is a word or a syllable.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from rapidfuzz.distance import OSA

MIN_PLURAL, MIN_SLIP = 3, 5
"""Letters: shorter words differ by one and mean something else: 'cat', 'car'."""
_WORD = re.compile(rf"[^\W\d_\u0e00-\u0eff\u1100-\u11ff\u3040-\u9fff\uac00-\ud7af]{{{MIN_PLURAL},}}")
_PLURALS = (("ies", "y"), ("es", ""), ("s", ""))


def title_key(title: str) -> str:
    """What titles share that are equal but for case, accents, punctuation and order: 'Matrix, The' is 'matrix the'."""
    plain = unicodedata.normalize("NFKD", title).casefold()
    letters = "".join(char if char.isalnum() else " " for char in plain if not unicodedata.combining(char))
    return " ".join(sorted(letters.split()))


def near_duplicates(titles: Sequence[str]) -> np.ndarray:
    """(titles,) the place of an earlier title that each is nearly the same as, -1 for none. Seconds for 100,000."""
    first: dict[str, int] = {}
    found = np.full(len(titles), -1)
    for place, title in enumerate(titles):
        key = title_key(title)
        if key and first.setdefault(key, place) != place:
            found[place] = first[key]
    twins = _twins({word for key in first for word in key.split() if _WORD.fullmatch(word)})
    for key, place in first.items():
        words = key.split()
        for position, word in enumerate(words):
            for twin in twins.get(word, ()):
                other = " ".join(sorted([*words[:position], twin, *words[position + 1 :]]))
                if first.get(other, place) < place:
                    found[place] = first[other]
    return found


def _twins(words: Iterable[str]) -> dict[str, list[str]]:
    """Word -> those that are its plural, its singular, or one edit away behind the first letter."""
    known = sorted(words)
    twins: dict[str, list[str]] = {}
    for one, other in {*_plurals(known), *_slips([word for word in known if len(word) >= MIN_SLIP])}:
        twins.setdefault(one, []).append(other)
        twins.setdefault(other, []).append(one)
    return twins


def _plurals(words: Sequence[str]) -> list[tuple[str, str]]:
    known = set(words)
    cut = ((word, word.removesuffix(end) + new) for word in words for end, new in _PLURALS if word.endswith(end))
    return [(min(pair), max(pair)) for pair in cut if pair[1] in known]


def _slips(words: Sequence[str]) -> set[tuple[str, str]]:
    """Pairs one edit apart: both are found under the word that is left when the letter that differs is taken out."""
    short, owners = [], []
    for place, word in enumerate(words):
        left = {word, *(word[:cut] + word[cut + 1 :] for cut in range(1, len(word)))}
        short += [hash(text) for text in left]
        owners += [place] * len(left)
    if not short:
        return set()
    hashes = np.array(short, dtype=np.int64)
    order = np.argsort(hashes, kind="stable")
    bounds = np.flatnonzero(np.diff(hashes[order], prepend=hashes[order][:1] - 1, append=hashes[order][-1:] + 1))
    pairs = set()
    for start, end in pairwise(bounds.tolist()):
        if end - start > 1:
            group = sorted({owners[place] for place in order[start:end].tolist()})
            pairs |= {(one, other) for at, one in enumerate(group) for other in group[at + 1 :]}
    alike = ((words[one], words[other]) for one, other in pairs)
    return {(one, other) for one, other in alike if OSA.distance(one, other, score_cutoff=1) <= 1}
