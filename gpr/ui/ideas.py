"""What the model writes freely, as it writes it: ideas beyond the catalogue, queries, what an item may be about.

All of it is marked as generated, and ideas are told apart from the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from gpr.data.dataset import Request
from gpr.lm.sampling import MOST_NUMBER, Sampling
from gpr.ui.context import Active, Context
from gpr.ui.events import QUICK
from gpr.ui.language import say
from gpr.ui.messages import empty, failure
from gpr.ui.press import button, pressable, pressed

if TYPE_CHECKING:
    from gpr.data.dataset import Catalogue, Dataset
    from gpr.explain.ideas import Idea
    from gpr.scorers.gpt import Gpt
    from gpr.ui.recommend.answer import Answer

IDEAS, QUERIES, BLURB = "ideas", "queries", "blurb"
KINDS = [("Ideas", IDEAS), ("Queries", QUERIES), ("First item: a blurb", BLURB)]
BLURB_LENGTH = 64


class IdeasPanel:
    """A fold with the settings of sampling and one button."""

    def __init__(self, context: Context) -> None:
        self.context = context
        with gr.Accordion("Let the model write freely", open=False, elem_id="gpr-ideas"):
            with gr.Row():
                self.kind = gr.Dropdown(KINDS, value=IDEAS, label="What", elem_id="gpr-ideas-kind", min_width=160)
                self.number = gr.Slider(1, MOST_NUMBER, 4, step=1, label="How many texts", min_width=140)
                self.temperature = gr.Slider(
                    0, 1.5, 0, step=0.1, label="Temperature", info="0: the same each time", min_width=140
                )
                self.seed = gr.Number(0, label="Seed", info="For a temperature above 0", precision=0, min_width=120)
            self.go = gr.Button("Write", elem_id="gpr-ideas-go")
            self.out = pressable("", elem_id="gpr-ideas-out")

    def wire(self, active: Any, answer: Any, query: Any, heavy: dict[str, Any]) -> None:
        settings = [self.kind, self.number, self.temperature, self.seed]
        self.go.click(self.write, [active, answer, query, *settings], self.out, **heavy)
        self.out.press(self.take, None, query, **QUICK)

    def take(self, event: gr.EventData) -> str:
        """A query that was written goes into the box."""
        return pressed(event).get("query", "")

    def write(
        self,
        stored: object,
        answer: Answer | None,
        query: str,
        kind: str,
        number: float,
        temperature: float,
        seed: float | None,
    ) -> Iterator[str]:
        """The texts after each token."""
        active = self.context.settle(stored)
        request = answer.request if answer else Request(query or "")
        if (not (request.query or request.history) and kind == IDEAS) or (kind == BLURB and answer is None):
            yield empty("Nothing asked yet", "Ask for something first.")
            return
        try:
            length = BLURB_LENGTH if kind == BLURB else Sampling.length
            sampling = Sampling(1 if kind == BLURB else int(number), float(temperature), int(seed or 0), length)
            recommender = self.context.recommender(Active(active.data, answer.run if answer else active.run))
            item = answer.recommendations[0].number if answer and answer.recommendations else 0
            head = recommender.dataset.catalogue.titles[item] if kind == BLURB else ""
            for found in self._written(recommender.ensemble.gpt, recommender.dataset, kind, request, item, sampling):
                yield ideas_html(found, recommender.dataset.catalogue, kind, head)
        except Exception as error:
            yield failure(error)

    def _written(
        self, gpt: Gpt, dataset: Dataset, kind: str, request: Request, item: int, sampling: Sampling
    ) -> Iterator[list[Idea]]:
        from gpr.explain.ideas import blurb, ideas, queries

        if kind == IDEAS:
            return ideas(gpt, request, sampling)
        if kind == BLURB:
            return blurb(gpt, item, sampling)
        examples = [example.request.query for example in dataset.examples["train"] if example.request.query]
        return queries(gpt, examples, request.query, sampling)


def ideas_html(found: Sequence[Idea], catalogue: Catalogue, kind: str, head: str = "") -> str:
    """The texts with their mark. An idea that is matched says whether the catalogue has it, and what is near there."""
    mark = f'<span class="gpr-badge gpr-warn">{escape(say("generated text"))}</span>'
    rows = "".join(_row(idea, catalogue, kind, mark) for idea in found if idea.text)
    title = f"<strong>{escape(head)}</strong>" if head else ""
    note = escape(say("The model wrote this; it may be untrue. Recommendations are always from your catalogue."))
    return f'{title}<ol class="gpr-ideas" aria-live="polite">{rows}</ol><p class="gpr-muted">{note}</p>'


def _row(idea: Idea, catalogue: Catalogue, kind: str, mark: str) -> str:
    text = f"<strong>{escape(idea.text)}{'' if idea.ended else ' …'}</strong>{mark}"
    if kind == QUERIES:
        ask = escape(say("Take this query"))
        return f"<li>{text}{button(ask, 'query', style='gpr-small', query=idea.text) if idea.ended else ''}</li>"
    if not idea.nearest:
        return f"<li>{text}</li>"
    there = idea.item is not None
    words = say("in your catalogue") if there else say("not in your catalogue")
    badge = f'<span class="gpr-badge {"gpr-good" if there else "gpr-bad"}">{escape(words)}</span>'
    near = " · ".join(f"{catalogue.titles[item]} ({100 * max(0.0, alike):.0f}%)" for item, alike in idea.nearest)
    return f"<li>{text}{badge}<small>{escape(say(f'Nearest in your catalogue: {near}'))}</small></li>"
