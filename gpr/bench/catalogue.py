"""Whether a recommendation ever leaves its catalogue: thousands of lists, for queries of the data, words of titles,
nonsense and histories. It knows the use cases, not how an answer is found."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gpr.data.dataset import SPLITS, Dataset, Request

if TYPE_CHECKING:
    from gpr.workspace import Workspace

K = 10
DATA = ("movies", "courses-zh", "funds")
NONSENSE = ("qwx zzkr", "!!! ???", "0 1 2 3", "🎬🎬", "select * from items", "the the the", "Ünïcödé ☃", "不存在的东西")
Tell = Callable[[float, str], None]


def measure(workspace: Workspace, data: Sequence[str], recommendations: int, tell: Tell) -> dict[str, Any]:
    """Asks each data set for its part of at least so many recommendations, and counts what must not be.

    Returns:
        `recommendations`, `outside` the catalogue, `twice` in a list, `chosen_before` (in the history), `seconds`, and
        `holds`: whether none of these happened.
    """
    counts: Counter[str] = Counter(dict.fromkeys(("recommendations", "outside", "twice", "chosen_before"), 0))
    began, lists = time.monotonic(), -(-recommendations // (K * len(data)))
    for place, name in enumerate(data):
        recommender = workspace.recommender("", name)
        asked = requests_of(recommender.dataset, lists)
        for number, request in enumerate(asked):
            if number % 25 == 0:
                tell((place + number / lists) / len(data), f"{name}: {number:,} of {lists:,} lists")
            found = recommender.recommend(request, K)
            counts.update(faults(recommender.dataset, request, [(f.item_id, f.title, f.number) for f in found]))
    bad = sum(counts[name] for name in ("outside", "twice", "chosen_before"))
    return {"data": list(data), **counts, "seconds": round(time.monotonic() - began), "holds": not bad}


def faults(dataset: Dataset, request: Request, found: Sequence[tuple[str, str, int]]) -> Counter[str]:
    """Counts for one list of (id, title, item number)."""
    catalogue = dataset.catalogue
    known = dict(zip(catalogue.item_ids, catalogue.titles, strict=True))
    return Counter(
        recommendations=len(found),
        outside=sum(known.get(item_id) != title for item_id, title, _ in found),
        twice=len(found) - len({item_id for item_id, _, _ in found}),
        chosen_before=sum(number in request.history for *_, number in found),
    )


def requests_of(dataset: Dataset, count: int) -> list[Request]:
    """As many different kinds in turn: the data's queries, parts of titles, nonsense, histories, both; always the
    same."""
    rng, n = random.Random(0), len(dataset.catalogue)
    queries = [e.request.query for split in SPLITS for e in dataset.examples[split] if e.request.query] or ["anything"]

    def history() -> tuple[int, ...]:
        return tuple(rng.sample(range(n), rng.randint(1, min(20, n // 2))))

    def part_of_a_title() -> str:
        words = rng.choice(dataset.catalogue.titles).split()
        return " ".join(rng.sample(words, rng.randint(1, len(words))))

    kinds: tuple[Callable[[], Request], ...] = (
        lambda: Request(rng.choice(queries)),
        lambda: Request(part_of_a_title()),
        lambda: Request(f"{rng.choice(NONSENSE)} {rng.randint(0, 999)}"),
        lambda: Request("", history()),
        lambda: Request(rng.choice(queries), history()),
    )
    return [kinds[number % len(kinds)]() for number in range(count)]
