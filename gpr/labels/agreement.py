"""How much annotators agree, how quick they are, and where they differ. Skipped recommendations count as not judged.

Cohen's kappa is scikit-learn's; Fleiss' kappa (as multi-pi) and Krippendorff's alpha are NLTK's.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gpr.labels.label import Label

PAUSE_SECONDS = 60.0
"""A longer time between two labels is a pause, and no time of work."""
Key = tuple[str, str]
"""Request id and item id."""


def agreement(labels: Sequence[Label], rulings: Sequence[Label] = ()) -> dict[str, Any]:
    """Plain values: `annotators` (name -> labels, skipped, an_hour, agreement with others), `pairs` (of annotators:
    items, agreement, cohen, confusion), `fleiss`, `krippendorff` and their numbers of items, and `conflicts`.

    What is not defined (nobody shares an item, only one verdict occurs) is None.
    """
    said: dict[Key, dict[str, str]] = {}
    for label in labels:
        if label.verdict != "skip":
            said.setdefault((label.request_id, label.item_id), {})[label.annotator] = label.verdict
    shared = {key: votes for key, votes in said.items() if len(votes) > 1}
    names = sorted({label.annotator for label in labels})
    fleiss, fleiss_items = _fleiss(shared)
    return {
        "annotators": {name: _one(name, labels, shared) for name in names},
        "pairs": [found for pair in itertools.combinations(names, 2) if (found := _pair(*pair, shared))],
        "shared_items": len(shared),
        "fleiss": fleiss,
        "fleiss_items": fleiss_items,
        "krippendorff": _alpha(shared),
        "conflicts": len(conflicts(labels, rulings)),
    }


def conflicts(labels: Sequence[Label], rulings: Sequence[Label] = ()) -> list[list[Label]]:
    """The labels of each recommendation that one calls good and another bad, and that nobody ruled on."""
    ruled = {(label.request_id, label.item_id) for label in rulings}
    groups: dict[Key, list[Label]] = {}
    for label in labels:
        groups.setdefault((label.request_id, label.item_id), []).append(label)
    return [
        group
        for key, group in groups.items()
        if key not in ruled and {"good", "bad"} <= {label.verdict for label in group}
    ]


def an_hour(labels: Sequence[Label]) -> float | None:
    """Labels an hour of work, from the times between them; None for fewer than two in a row."""
    times = sorted(datetime.fromisoformat(label.time) for label in labels if _is_time(label.time))
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(times)]
    gaps = [gap for gap in gaps if 0 < gap <= PAUSE_SECONDS]
    return round(3600 * len(gaps) / sum(gaps), 1) if gaps else None


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _one(name: str, labels: Sequence[Label], shared: Mapping[Key, Mapping[str, str]]) -> dict[str, Any]:
    own = [label for label in labels if label.annotator == name]
    same = [
        verdict == votes[name]
        for votes in shared.values()
        if name in votes
        for other, verdict in votes.items()
        if other != name
    ]
    return {
        "labels": len(own),
        "skipped": sum(label.verdict == "skip" for label in own),
        "an_hour": an_hour(own),
        "agreement": round(sum(same) / len(same), 4) if same else None,
    }


def _pair(one: str, other: str, shared: Mapping[Key, Mapping[str, str]]) -> dict[str, Any] | None:
    votes = [(found[one], found[other]) for found in shared.values() if one in found and other in found]
    if not votes:
        return None
    from sklearn.metrics import cohen_kappa_score

    varied = len({verdict for pair in votes for verdict in pair}) > 1
    kappa = cohen_kappa_score(*zip(*votes, strict=True), labels=["good", "bad"]) if varied else None
    table = Counter(votes)
    confusion = {first: {second: table[first, second] for second in ("good", "bad")} for first in ("good", "bad")}
    agree = sum(first == second for first, second in votes) / len(votes)
    return {
        "annotators": [one, other],
        "items": len(votes),
        "agreement": round(agree, 4),
        "cohen": _rounded(kappa),
        "confusion": confusion,
    }


def _fleiss(shared: Mapping[Key, Mapping[str, str]]) -> tuple[float | None, int]:
    """Over the items with the most usual number of judgements, as the kappa wants the same number for each."""
    if not shared:
        return None, 0
    counts = Counter(len(votes) for votes in shared.values())
    size = max(counts, key=lambda number: (counts[number], number))
    chosen = {key: votes for key, votes in shared.items() if len(votes) == size}
    # It does not matter who said it, so each judgement of an item has a place instead of a name.
    triples = [
        (str(place), str(key), verdict)
        for key, votes in chosen.items()
        for place, verdict in enumerate(sorted(votes.values()))
    ]
    return _measured(triples, "pi"), len(chosen)


def _alpha(shared: Mapping[Key, Mapping[str, str]]) -> float | None:
    return _measured(
        [(name, str(key), verdict) for key, votes in shared.items() for name, verdict in votes.items()], "alpha"
    )


def _measured(triples: list[tuple[str, str, str]], measure: str) -> float | None:
    if len({verdict for *_, verdict in triples}) < 2:
        return None
    from nltk.metrics.agreement import AnnotationTask

    return _rounded(getattr(AnnotationTask(data=triples), measure)())


def _rounded(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(float(value), 4)
