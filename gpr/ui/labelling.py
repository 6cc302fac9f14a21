"""How a press becomes a label in the store. Shared by the tabs Recommend and Label."""

from __future__ import annotations

import gradio as gr

from gpr.data.dataset import Dataset, Request
from gpr.errors import RequestError
from gpr.labels.label import Label, request_id
from gpr.labels.store import LabelStore
from gpr.recommendation import Recommendation
from gpr.ui.deck import history_ids

DEFAULT_ANNOTATOR = "me"
MAX_NAME = 80


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
    """Stores a verdict, or takes it back.

    Raises:
        RequestError: no such verdict, no annotator.
        WorkspaceError: it cannot be stored.
    """
    label = Label(
        request_id=request_id(dataset.name, request.query, history_ids(dataset, request)),
        query=request.query,
        history=history_ids(dataset, request),
        item_id=found.item_id,
        title=found.title,
        run=run,
        probability=found.probability,
        log_prob=found.log_prob,
        rank=found.rank,
        verdict=verdict,  # type: ignore[arg-type]  # Label checks it
        annotator=annotator,
        scores=found.scores,
        dataset=dataset.name,
    )
    if back:
        store.take_back(label.request_id, label.item_id, annotator)
    else:
        store.add(label)


def given(store: LabelStore, dataset: Dataset, request: Request, annotator: str) -> dict[int, str]:
    """Item number -> verdict that the annotator gave for this request before."""
    wanted = request_id(dataset.name, request.query, history_ids(dataset, request))
    labels = store.current(dataset=dataset.name, annotator=annotator)
    numbers = dataset.catalogue.numbers
    return {
        numbers[label.item_id]: label.verdict
        for label in labels
        if label.request_id == wanted and label.verdict != "skip" and label.item_id in numbers
    }
