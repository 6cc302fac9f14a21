"""Labels as lessons: what a run can be taught, and what is held out to see whether it helped. It knows no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gpr.data.dataset import Dataset, Example, Request
from gpr.data.split import query_key
from gpr.errors import RunError
from gpr.labels.label import Label

HELD_OUT = 5
"""One in so many of the requests that have both a good and a bad item is held out."""
JUDGING = 3
"""One in so many of the requests that a run knows nothing of judges a run without validation requests."""


@dataclass(frozen=True)
class Lesson:
    """What was said of one item for one request."""

    request: Request
    item: int
    good: bool
    name: str = ""
    """The request's id, as labels have it."""


@dataclass(frozen=True)
class Lessons:
    """Those that teach, those that the win rate is counted on, and those that judge in the place of validation."""

    taught: tuple[Lesson, ...]
    held_out: tuple[Lesson, ...]
    judging: tuple[Lesson, ...] = ()

    def judged_by(self, fresh: Sequence[Lesson]) -> Lessons:
        """With what was said of one in JUDGING of these requests set aside."""
        aside = set([*dict.fromkeys(one.request for one in fresh)][JUDGING - 1 :: JUDGING])
        teach, judge = (
            tuple(one for one in self.taught if (one.request in aside) is wanted) for wanted in (False, True)
        )
        return Lessons(teach, self.held_out, judge)

    @property
    def pairs(self) -> list[tuple[Request, int, int]]:
        """Request, good item, bad item: all that the held-out ones say."""
        good, bad = ([one for one in self.held_out if one.good is wanted] for wanted in (True, False))
        return [(one.request, one.item, other.item) for one in good for other in bad if one.request == other.request]


def examples_of(lessons: Lessons, before: Sequence[Example]) -> tuple[Example, ...]:
    """What a run knows beyond its data once it was taught: queries with good items, and what it knew before as far as
    nobody called it bad since."""
    said = {(one.request, one.item): one.good for one in lessons.taught if not one.request.history}
    stays = [one for one in before if said.get((one.request, one.item), True)]
    return tuple(dict.fromkeys((*stays, *(Example(*pair) for pair, good in said.items() if good))))


def kept(labels: Sequence[Label]) -> list[dict[str, Any]]:
    """Labels as a run's folder keeps them: as they were when it began, whatever is said meanwhile."""
    names = ("request_id", "query", "history", "item_id", "verdict")
    return [{name: getattr(label, name) for name in names} for label in labels if label.verdict != "skip"]


def lessons_of(dataset: Dataset, rows: Sequence[Mapping[str, Any]]) -> Lessons:
    """What kept labels teach. Items that the catalogue does not have are left out, and so are the requests of the test
    split: the figures of `gpr evaluate` stay honest.

    Raises:
        RunError: nothing is left.
    """
    numbers = dataset.catalogue.numbers
    test = {_key(example.request) for example in dataset.examples["test"]}
    found: dict[str, list[Lesson]] = {}
    for row in rows:
        ids = [row["item_id"], *row["history"]]
        if any(item not in numbers for item in ids):
            continue
        item, *history = (numbers[one] for one in ids)
        request = Request(row["query"], tuple(history))
        if _key(request) not in test:
            name = row["request_id"]
            found.setdefault(name, []).append(Lesson(request, item, row["verdict"] == "good", name))
    if not found:
        raise RunError(
            "There is no label to learn from: good or bad, of this data, and not of its test split.",
            where=dataset.name,
            hint="Label some recommendations first.",
        )
    both = sorted(name for name, said in found.items() if {one.good for one in said} == {True, False})
    aside = set(both[HELD_OUT - 1 :: HELD_OUT])
    sides = ([one for name, said in found.items() if (name in aside) is held for one in said] for held in (False, True))
    taught, held_out = (tuple(side) for side in sides)
    return Lessons(taught, held_out)


def without(dataset: Dataset, lessons: Lessons) -> tuple[Example, ...]:
    """The validation examples that no lesson is about: what a lesson says of one would make it look better."""
    said = {_key(one.request) for one in (*lessons.taught, *lessons.held_out)}
    return tuple(example for example in dataset.examples["valid"] if _key(example.request) not in said)


def _key(request: Request) -> tuple[str, tuple[int, ...]]:
    return query_key(request.query), request.history
