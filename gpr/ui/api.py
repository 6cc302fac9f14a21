"""What programs may call over HTTP, beside the page: `recommend` and `label`. It knows no component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from gradio.events import api

from gpr.data.dataset import Request
from gpr.errors import RequestError
from gpr.ranking import stands
from gpr.ui.context import Active, Context
from gpr.ui.labelling import annotator_of, give
from gpr.ui.messages import worded

if TYPE_CHECKING:
    from gpr.recommender import Recommender

KEYS = ("rank", "item_id", "title", "probability", "log_prob")


class Api:
    """The calls. Without `data` and `run` they mean what a new visitor sees."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def add(self) -> None:
        """Adds them to the page that is being built."""
        for call in (self.recommend, self.label):
            api(worded(call, html=False), api_name=call.__name__, concurrency_id="model", concurrency_limit=1)

    def recommend(
        self, query: str = "", k: int = 10, history: list[str] | None = None, run: str = "", data: str = ""
    ) -> list[dict[str, Any]]:
        """The k most probable items for a query, for the ids of items chosen before, or for both.

        Args:
            query: what is wanted, in plain words.
            k: how many items.
            history: ids of items chosen before, oldest first.
            run: name of the run that recommends; empty for the newest one of the data.
            data: a sample's name or a kept data set; empty for what a new visitor sees.
        """
        recommender, request = self._asked(query, history or [], run, data)
        return [{key: getattr(found, key) for key in KEYS} for found in recommender.recommend(request, k)]

    def label(
        self,
        item_id: str,
        verdict: str,
        annotator: str = "",
        query: str = "",
        history: list[str] | None = None,
        run: str = "",
        data: str = "",
        who: gr.Request | None = None,
    ) -> str:
        """Stores 'good', 'bad' or 'skip' for an item as the answer to a request.

        Args:
            item_id: id of the item that is judged.
            verdict: 'good', 'bad' or 'skip'.
            annotator: who judges; with a login, the user who is logged in.
            query: what was asked.
            history: ids of items chosen before, oldest first.
            run: name of the run that recommended; empty for the newest one of the data.
            data: a sample's name or a kept data set; empty for what a new visitor sees.
        """
        recommender, request = self._asked(query, history or [], run, data)
        number = recommender.dataset.catalogue.number(item_id)
        found = stands(recommender.score(request, also=np.array([number])), number)
        name = annotator_of(annotator, who)
        give(self.context.workspace.labels, recommender.dataset, request, found, recommender.run, verdict, name)
        return f"{verdict}: {found.title}"

    def _asked(self, query: str, history: list[str], run: str, data: str) -> tuple[Recommender, Request]:
        active = self.context.choose(data) if data else self.context.first()
        if active.data not in {source.data for source in self.context.sources()}:
            raise RequestError(f"There is no data '{data[:80]}' here.", hint="Name a sample, or upload it first.")
        recommender = self.context.recommender(Active(active.data, run or active.run))
        catalogue = recommender.dataset.catalogue
        request = Request(query, tuple(catalogue.number(item_id) for item_id in history))
        return recommender, request.checked(len(catalogue))
