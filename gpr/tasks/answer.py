"""What a run of a task answers. It knows a loaded model over labels; not where it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gpr.data.dataset import MAX_QUERY_CHARS, Catalogue, Request
from gpr.errors import RequestError, RunError
from gpr.recommender import Recommender
from gpr.runs import RunInfo
from gpr.tasks.score import GOOD, score_text


@dataclass(frozen=True)
class Label:
    """One label of a text."""

    label: str
    probability: float


@dataclass(frozen=True)
class Score:
    """How good an item is for a request."""

    item_id: str
    title: str
    probability: float
    """That it is good."""


def check_task(run: RunInfo, task: str) -> RunInfo:
    """Raises: RunError: the run does something else."""
    if run.task != task:
        verb = {"recommend": "recommends", "score": "scores", "classify": "classifies"}
        raise RunError(
            f"The run '{run.name}' {verb[run.task]}; it does not {task}.",
            hint=f"Train one with `gpr train DATA --run NAME --task {task}`, or use `gpr {run.task}`.",
        )
    return run


def classify(recommender: Recommender, text: str, k: int = 5) -> list[Label]:
    """The k most probable labels of a text, best first.

    Raises:
        RequestError: there is no text, or k is not positive.
    """
    text = " ".join(text.split())[:MAX_QUERY_CHARS]
    if not text:
        raise RequestError("There is no text to classify.", hint="Type one.")
    return [Label(found.title, found.probability) for found in recommender.recommend(Request(text), k)]


def score(
    recommender: Recommender,
    catalogue: Catalogue,
    item_id: str,
    query: str = "",
    liked: Sequence[str] = (),
    disliked: Sequence[str] = (),
) -> Score:
    """How probably an item of the catalogue is good for a request.

    Raises:
        RequestError: there is no such item, or the request is empty.
    """
    query = " ".join(query.split())
    if not query and not liked and not disliked:
        raise RequestError("The request is empty.", hint="Give a query, or items that were liked before.")
    item = catalogue.number(item_id)
    before = [[catalogue.number(other) for other in side] for side in (liked, disliked)]
    labels = classify(recommender, score_text(catalogue, item, query, *before), 2)
    good = next(label.probability for label in labels if label.label == GOOD)
    return Score(catalogue.item_ids[item], catalogue.titles[item], good)
