"""From what is asked to an answer, and from a press on it to a label. It knows the workspace and no widget."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from gpr.data.dataset import Dataset, Request
from gpr.data.filters import Facet, facets
from gpr.errors import RequestError
from gpr.labels.label import Label
from gpr.ranking import rank
from gpr.scorers.feedback import Feedback
from gpr.ui.cards import first_cards
from gpr.ui.context import Active, Context
from gpr.ui.labelling import annotator_of, give, given
from gpr.ui.recommend.answer import FORGOTTEN, Answer, cold_items
from gpr.ui.recommend.asking import Asking
from gpr.ui.recommend.link import Link, found_data, link_of, read_link

if TYPE_CHECKING:
    from gpr.stages import Stages


@dataclass(frozen=True, eq=False)
class Begun:
    """A request that the model has read, on its way to an answer."""

    stages: Stages
    run: str
    title: str
    """What answers."""
    feedback: Feedback | None
    """The labels that count."""
    link: str
    """The query of its address."""
    started: float
    """When, by `time.perf_counter`."""
    cold: frozenset[int]
    """Items that no training example mentions."""

    def html(self) -> str:
        """The best items before they have probabilities."""
        return first_cards(self.stages.first(), self.stages.unscored.dataset.catalogue, self.cold)


class Answering:
    """Answers for all visitors; what belongs to one is passed in and out."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._feedback: tuple[object, Feedback] | None = None

    def facets(self, active: Active) -> list[Facet]:
        """What the data can be filtered by. Raises: DataError."""
        return facets(self.context.dataset(active).catalogue)

    def request(self, active: Active, query: str, history: list[int], asking: Asking) -> Request:
        """The request that the model gets; not checked."""
        return Request(asking.text(query or "", self.facets(active)), tuple(history or ()))

    def begin(self, active: Active, query: str, history: list[int], k: int, asking: Asking, *, learn: bool) -> Begun:
        """The model reads what is asked.

        Raises:
            GPRError: of the data, the run, the model or the request.
        """
        recommender = self.context.recommender(active)
        dataset, store = recommender.dataset, self.context.workspace.labels
        request = self.request(active, query, history, asking).checked(len(dataset.catalogue))
        wish = asking.wish(k, dataset.catalogue, self.facets(active))
        started = time.perf_counter()
        labels = store.current(dataset=dataset.name) if learn else []
        feedback = self._counted(labels, dataset) if labels else None
        stages, link = recommender.begin(request, feedback, wish), self.link(active, query, history, k, asking)
        return Begun(stages, recommender.run, recommender.title, feedback, link, started, cold_items(dataset))

    def answer(self, begun: Begun, annotator: str) -> Answer:
        """What follows: every item has its score.

        Raises:
            GPRError: of the request, or nothing is left to recommend.
        """
        scored, wish = begun.stages.scored(), begun.stages.wish
        found = rank(scored, wish)
        seconds = time.perf_counter() - begun.started
        verdicts = given(self.context.workspace.labels, scored.dataset, scored.request, annotator)
        answer = Answer(scored, wish, begun.run, begun.title, seconds, found, verdicts, feedback=begun.feedback)
        answer.cold, answer.link = begun.cold, begun.link
        return answer

    def _counted(self, labels: list[Label], dataset: Dataset) -> Feedback:
        """The labels with fitted strengths; kept until they change, for fitting takes a while."""
        key = (dataset.hash, tuple((label.request_id, label.item_id, label.verdict) for label in labels))
        if self._feedback is None or self._feedback[0] != key:
            self._feedback = (key, Feedback(labels, dataset).fitted())
        return self._feedback[1]

    def again(self, answer: Answer, active: Active, query: str, history: list[int], k: int, asking: Asking) -> None:
        """The same scores as another list: no model is asked, except for other candidates of a large catalogue.

        Raises:
            RequestError: nothing is left.
        """
        answer.link = self.link(active, query, history, k, asking)
        wish = asking.wish(k, answer.dataset.catalogue, self.facets(active))
        if answer.scored.candidates is not None:
            recommender = self.context.recommender(Active(active.data, answer.run))
            answer.scored = recommender.score(answer.request, answer.feedback, wish)
        answer.rank_again(wish)

    def link(self, active: Active, query: str, history: list[int], k: int, asking: Asking) -> str:
        """The query of the address of an answer."""
        ids = self.context.dataset(active).catalogue.item_ids
        return link_of(active.name, active.run, query or "", [ids[number] for number in history or ()], k, asking)

    def opened(self, stored: object, who: gr.Request | None) -> tuple[Active, Link, str]:
        """What a new page is about: what its address says, else what the browser remembers; and what is wrong with
        the address, in words."""
        headers = getattr(who, "headers", None) or {}
        link, settled = read_link(headers.get("referer", "")), self.context.settle(stored)
        if not link.data:
            return settled, link, ""
        try:
            data = found_data(link.data, [(source.data, source.name) for source in self.context.sources()])
        except RequestError as error:
            return settled, Link(), str(error)
        known = {run.name for run in self.context.usable_runs()}
        if link.run and link.run not in known:
            return (
                Active(data),
                link,
                f"The link is about run '{link.run[:80]}', which is not here; this is the base model.",
            )
        return Active(data, link.run), link, ""

    def label(self, answer: Answer | None, number: int, verdict: str, name: str, who: gr.Request | None) -> str:
        """Stores a press at once; the same press again takes it back. The answer as HTML.

        Raises:
            RequestError: the answer is not known any more. WorkspaceError: it cannot be stored.
        """
        if answer is None:
            raise RequestError(FORGOTTEN, hint="Ask again to label it.")
        found = next(found for found in answer.recommendations if found.number == number)
        annotator = annotator_of(name, who)
        back = answer.verdicts.get(number) == verdict
        store = self.context.workspace.labels
        give(store, answer.dataset, answer.request, found, answer.run, verdict, annotator, back=back)
        answer.verdicts[number] = "" if back else verdict
        answer.said = f"Taken back: {found.title}" if back else f"Stored as {verdict} by {annotator}: {found.title}"
        return answer.html()
