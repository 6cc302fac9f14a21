"""The tab Recommend: a request in, cards out, one press for a label."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from gpr.data.dataset import Dataset, Request
from gpr.errors import RequestError
from gpr.labels.label import Label
from gpr.recommendation import Recommendation
from gpr.scorers.feedback import Feedback
from gpr.ui.belief import BeliefPanel
from gpr.ui.cards import card_list
from gpr.ui.compare import ComparePanel
from gpr.ui.context import Active, Context
from gpr.ui.events import QUICK, TOLD
from gpr.ui.ideas import IdeasPanel
from gpr.ui.labelling import DEFAULT_ANNOTATOR, Typed, annotator_of, give, given
from gpr.ui.language import say
from gpr.ui.messages import empty, failure, notice, plural, worded
from gpr.ui.press import button, pressable, pressed
from gpr.ui.why_panel import waiting, why_panel

if TYPE_CHECKING:
    from gpr.recommender import Recommender

K, MAX_K = 10, 50
MANY_ITEMS = 2_000
"""In a larger catalogue the history picker asks the server as one types."""
FOUND = 50
"""Titles that it then offers."""
EXAMPLES = 5
MAX_TYPED = 50
"""Requests of a session that are kept for the tab Label."""
BASE = "(base)"
"""The base model in the list of runs; no run can have this name."""
NOTHING_YET = empty("Nothing asked yet", "Type what you are looking for, or take one of the examples.")


@dataclass(eq=False)
class Answer:
    """What is shown, so that a press can be stored: kept for the session, changed in place."""

    request: Request
    recommendations: list[Recommendation]
    dataset: Dataset
    run: str
    line: str
    verdicts: dict[int, str] = field(default_factory=dict)
    """Item number -> verdict of the one who looks."""

    said: str = ""
    """What was labelled last, in words."""
    feedback: Feedback | None = None
    """The labels that counted."""
    reasons: dict[int, str] = field(default_factory=dict)
    """Item number -> its reasons as HTML, those that are open."""

    def html(self) -> str:
        return card_list(
            self.recommendations, self.dataset.catalogue, self.verdicts, self.line, self.said, self.reasons
        )


class RecommendTab:
    """Builds the tab; `wire` connects it.

    Args:
        active, name, typed: of the whole page; name is the annotator's.
    """

    def __init__(self, context: Context, active: gr.BrowserState, name: gr.BrowserState, typed: gr.State) -> None:
        self.context, self.active, self.name, self.typed = context, active, name, typed
        self._feedback: tuple[object, Feedback] | None = None
        self.answer = gr.State(None)
        self.shown = gr.State(None)
        with gr.Row(elem_classes="gpr-ask", equal_height=True):
            self.query = gr.Textbox(
                label="What are you looking for?",
                placeholder="In your own words",
                lines=1,
                max_lines=4,
                scale=5,
                min_width=200,
                elem_id="gpr-query",
            )
            self.go = gr.Button("Recommend", variant="primary", scale=0, min_width=140, elem_id="gpr-go")
        self.examples = pressable(elem_id="gpr-examples")
        with gr.Accordion("History, number and model", open=False), gr.Row():
            self.history = gr.Dropdown(
                [],
                multiselect=True,
                label="History",
                info="Chosen before, oldest first",
                elem_id="gpr-history",
            )
            self.k = gr.Slider(1, MAX_K, K, step=1, label="How many", info="Recommendations", elem_id="gpr-k")
            self.run = gr.Dropdown([], label="Model", info="What recommends", elem_id="gpr-run")
            self.learn = gr.Checkbox(True, label="Labels count at once", info="Part 'feedback'", elem_id="gpr-feedback")
        self.out = pressable(NOTHING_YET, elem_id="gpr-answer", min_height=120)
        self.belief, self.compare, self.ideas = BeliefPanel(context), ComparePanel(context), IdeasPanel(context)

    def wire(self) -> None:
        heavy: dict[str, Any] = {
            "concurrency_id": "model",
            "concurrency_limit": 1,
            "trigger_mode": "always_last",
            "show_progress": "hidden",
            "api_visibility": "private",
        }
        asked = [self.active, self.query, self.history, self.k, self.learn, self.name, self.typed]
        answered = [self.out, self.answer, self.typed]
        gr.on([self.query.submit, self.go.click], self.recommend, asked, answered, **heavy)
        taken = self.examples.press(self.take_example, None, self.query, **QUICK)
        taken.then(self.recommend, asked, answered, **heavy)
        self.out.why(self.explain, [self.active, self.answer], self.out, **heavy)
        self.out.press(self.label, [self.answer, self.name], self.out, trigger_mode="multiple", **TOLD)
        self.belief.wire(self.active, self.answer, heavy)
        self.compare.wire(self.active, self.answer, self.name, heavy)
        self.ideas.wire(self.active, self.answer, self.query, heavy)
        self.run.input(self.choose_run, [self.active, self.run], self.active, **TOLD)
        # Each key its own request: the one that gradio keeps back for 'always_last' has the text of the first key.
        self.history.key_up(
            self.search_history, [self.active, self.history], self.history, trigger_mode="multiple", **QUICK
        )

    @property
    def outputs(self) -> list[Any]:
        """What `show` fills when the data or the run has changed."""
        return [self.shown, self.run, self.examples, self.history, self.out, self.answer]

    def show(self, stored: object, shown: Active | None) -> tuple[Any, ...]:
        """The tab for what is active now. An answer is cleared only if something else was active before.

        Args:
            shown: what the tab shows already; None on a new page.
        """
        active = self.context.settle(stored)
        out, answer = (NOTHING_YET, None) if shown and shown != active else (gr.skip(), gr.skip())
        if shown and shown.data == active.data:
            return active, self._runs(active), gr.skip(), gr.skip(), out, answer
        try:
            dataset = self.context.dataset(active)
        except Exception as error:
            return active, self._runs(active), "", gr.Dropdown([], value=[]), failure(error), None
        n_items = len(dataset.catalogue)
        offered = dataset.catalogue.titles[: FOUND if n_items > MANY_ITEMS else None]
        titles = [(title, number) for number, title in enumerate(offered)]
        return active, self._runs(active), _examples(dataset), gr.Dropdown(titles, value=[]), out, answer

    def _runs(self, active: Active) -> gr.Dropdown:
        choices = [("Base model, not fine-tuned", BASE)]
        choices += [
            (f"{run.name} (trained on {Active(run.data).name})", run.name) for run in self.context.usable_runs()
        ]
        return gr.Dropdown(choices, value=active.run or BASE)

    def take_example(self, event: gr.EventData) -> str:
        return pressed(event).get("query", "")

    @worded
    def choose_run(self, stored: object, run: str) -> dict[str, str]:
        active = self.context.settle(stored)
        return self.context.remember(Active(active.data, "" if run == BASE else run))

    @worded
    def search_history(self, stored: object, chosen: list[int], event: gr.KeyUpData) -> Any:
        """For a large catalogue: the titles that hold what was typed."""
        catalogue = self.context.dataset(self.context.settle(stored)).catalogue
        if len(catalogue) <= MANY_ITEMS:
            return gr.skip()
        return gr.Dropdown(choices=_matching(catalogue.titles, str(event.input_value), chosen))

    def recommend(
        self,
        stored: object,
        query: str,
        history: list[int],
        k: int,
        learn: bool,
        name: str,
        typed: list[Typed],
        who: gr.Request,
    ) -> Iterator[tuple[Any, ...]]:
        """The answer as cards; first a word if the model is not there yet."""
        active = self.context.settle(stored)
        if self.context.load(active, again=True).state == "running":
            words = "The model is still being loaded. Your answer comes right after."
            yield notice(words), None, typed
        try:
            answer = self._answer(active, Request(query or "", tuple(history or ())), int(k), learn)
            answer.verdicts = given(
                self.context.workspace.labels,
                answer.dataset,
                answer.request,
                annotator_of(name or DEFAULT_ANNOTATOR, who),
            )
        except Exception as error:
            yield failure(error), None, typed
            return
        yield answer.html(), answer, [*typed, (active.data, answer.request)][-MAX_TYPED:]

    def _answer(self, active: Active, request: Request, k: int, learn: bool) -> Answer:
        recommender = self.context.recommender(active)
        dataset = recommender.dataset
        request = request.checked(len(dataset.catalogue))
        started = time.perf_counter()
        labels = self.context.workspace.labels.current(dataset=dataset.name) if learn else []
        feedback = self._counted(labels, dataset) if labels else None
        found = recommender.recommend(request, k, feedback)
        line = _line(recommender, len(found), k, time.perf_counter() - started)
        line += f" · {plural(len(feedback), 'label')} counted" if feedback else ""
        return Answer(request, found, dataset, recommender.run, line, feedback=feedback)

    def _counted(self, labels: list[Label], dataset: Dataset) -> Feedback:
        """The labels with fitted strengths; kept until they change, for fitting takes a while."""
        key = (dataset.hash, tuple((label.request_id, label.item_id, label.verdict) for label in labels))
        if self._feedback is None or self._feedback[0] != key:
            self._feedback = (key, Feedback(labels, dataset).fitted())
        return self._feedback[1]

    def explain(self, stored: object, answer: Answer | None, event: gr.EventData) -> Iterator[Any]:
        """Opens the reasons of a card, or closes them."""
        if answer is None:
            raise gr.Error("This answer is no longer known here. Ask again to see its reasons.", print_exception=False)
        number = int(pressed(event)["item"])
        if answer.reasons.pop(number, ""):
            yield answer.html()
            return
        answer.reasons[number] = waiting()
        yield answer.html()
        try:
            recommender = self.context.recommender(Active(self.context.settle(stored).data, answer.run))
            explainer = recommender.explainer(answer.request, answer.recommendations, answer.feedback)
            answer.reasons[number] = why_panel(explainer.why(number), answer.dataset.catalogue, answer.run)
        except Exception as error:
            answer.reasons[number] = f'<section class="gpr-why">{failure(error)}</section>'
        yield answer.html()

    @worded
    def label(self, answer: Answer | None, name: str, event: gr.EventData, who: gr.Request) -> str:
        """Stores a press at once; the same press again takes it back."""
        if answer is None:
            raise RequestError("This answer is no longer known here.", hint="Ask again to label it.")
        press = pressed(event)
        number, verdict = int(press["item"]), press["press"]
        found = next(found for found in answer.recommendations if found.number == number)
        annotator = annotator_of(name or DEFAULT_ANNOTATOR, who)
        back = answer.verdicts.get(number) == verdict
        give(
            self.context.workspace.labels,
            answer.dataset,
            answer.request,
            found,
            answer.run,
            verdict,
            annotator,
            back=back,
        )
        answer.verdicts[number] = "" if back else verdict
        answer.said = f"Taken back: {found.title}" if back else f"Stored as {verdict} by {annotator}: {found.title}"
        return answer.html()


def _line(recommender: Recommender, found: int, k: int, seconds: float) -> str:
    n_items = len(recommender.dataset.catalogue)
    amount = f"top {found} of {n_items:,} items" if k <= n_items else f"all {n_items:,} items, which is less than {k}"
    spent = f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
    return f"{recommender.title} · {amount} · {spent} · percentages are of the whole catalogue"


def _matching(titles: tuple[str, ...], text: str, chosen: list[int]) -> list[tuple[str, int]]:
    folded = text.casefold()
    hits = [number for number, title in enumerate(titles) if folded in title.casefold()][:FOUND]
    return [(titles[number], number) for number in dict.fromkeys([*hits, *(chosen or [])])]


def _examples(dataset: Dataset) -> str:
    """Queries of the data's own validation and test part, which no run was trained on."""
    queries = [example.request.query for split in ("valid", "test") for example in dataset.examples[split]]
    queries = [query for query in dict.fromkeys(queries) if 0 < len(query) <= 60]
    if not queries:
        categories = dict.fromkeys(dataset.catalogue.table.get("category", ()))
        queries = [f"something about {category}" for category in categories if category and len(category) <= 40]
        queries = queries or [f"something like {title}" for title in dataset.catalogue.titles if len(title) <= 40]
    step = max(1, len(queries) // EXAMPLES)
    chips = "".join(
        button(escape(query), "example", style="gpr-chip", query=query) for query in queries[::step][:EXAMPLES]
    )
    return f'<div class="gpr-examples"><span>{say("Try")}</span>{chips}</div>' if chips else ""
