"""Who labels, and how a press on the tab Recommend becomes a label in the store."""

from __future__ import annotations

import gradio as gr

from gpr.data.dataset import Dataset, Request
from gpr.errors import RequestError
from gpr.labels.queue import Card, id_of
from gpr.labels.store import LabelStore
from gpr.recommendation import Recommendation
from gpr.ui.turns import label_of

DEFAULT_ANNOTATOR = "me"
"""Who has not said a name yet."""
MAX_NAME = 80
Typed = tuple[str, Request]
"""Data and what was asked of it."""


def annotator_of(name: str, who: gr.Request | None) -> str:
    """Who labels: the user who is logged in, else the name on the page.

    Raises:
        RequestError: there is none.
    """
    login = getattr(who, "username", None)
    name = " ".join(str(login or name or "").split())[:MAX_NAME]
    if not name:
        raise RequestError("A label needs a name.", hint="Type yours on the tab Label.")
    return name


def give(
    store: LabelStore,
    dataset: Dataset,
    request: Request,
    found: Recommendation,
    run: str,
    verdict: str,
    annotator: str,
    *,
    back: bool = False,
) -> None:
    """Stores a verdict, or takes all back that was said of this recommendation.

    Raises:
        RequestError: no such verdict, no annotator.
        WorkspaceError: it cannot be stored.
    """
    card = Card(request, found, (id_of(dataset, request), found.item_id))
    if back:
        store.take_back(*card.key, annotator)
    else:
        store.add(label_of(dataset, card, run, verdict, annotator))


def given(store: LabelStore, dataset: Dataset, request: Request, annotator: str) -> dict[int, str]:
    """Item number -> verdict that the annotator gave for this request before."""
    wanted = id_of(dataset, request)
    labels = store.current(dataset=dataset.name, annotator=annotator)
    numbers = dataset.catalogue.numbers
    return {
        numbers[label.item_id]: label.verdict
        for label in labels
        if label.request_id == wanted and label.verdict != "skip" and label.item_id in numbers
    }
