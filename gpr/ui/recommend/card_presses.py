"""What happens when a button of a card is pressed: a label, its reasons, the history."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from gpr.ui.context import Active, Context
from gpr.ui.events import HEAVY, TOLD
from gpr.ui.labelling import DEFAULT_ANNOTATOR
from gpr.ui.language import say
from gpr.ui.messages import empty, failure, worded
from gpr.ui.press import pressed
from gpr.ui.recommend.answer import FORGOTTEN, Answer
from gpr.ui.recommend.answering import Answering
from gpr.ui.recommend.box import Box
from gpr.ui.recommend.picking import titles_offered
from gpr.ui.why_panel import waiting, why_panel


class CardPresses:
    """Args: active, name, answer: of the page and the tab; out shows the cards."""

    def __init__(
        self, context: Context, active: gr.BrowserState, name: gr.BrowserState, answer: gr.State, out: gr.HTML
    ) -> None:
        self.context, self.active, self.name, self.answer, self.out = context, active, name, answer, out
        self.answering = Answering(context)

    def wire(self, box: Box) -> None:
        self.out.press(self.label, [self.answer, self.name], self.out, trigger_mode="multiple", **TOLD)
        self.out.press(self.join, [self.active, box.grow, box.history], box.history, **TOLD)
        self.out.why(self.explain, [self.active, self.answer], self.out, **HEAVY)

    def explain(self, stored: object, answer: Answer | None, event: gr.EventData) -> Iterator[Any]:
        """Opens the reasons of a card, or closes them."""
        if answer is None:
            raise gr.Error(say(f"{FORGOTTEN} Ask again to see its reasons."), print_exception=False)
        number = int(pressed(event)["item"])
        if answer.reasons.pop(number, ""):
            yield answer.html()
            return
        answer.reasons[number] = waiting()
        yield answer.html()
        try:
            recommender = self.context.recommender(Active(self.context.settle(stored).data, answer.run))
            explainer = recommender.explainer(answer.scored, answer.recommendations, answer.feedback, answer.wish)
            answer.reasons[number] = why_panel(explainer.why(number), answer.dataset.catalogue, answer.run)
        except Exception as error:
            answer.reasons[number] = f'<section class="gpr-why">{failure(error)}</section>'
        yield answer.html()

    @worded
    def label(self, answer: Answer | None, name: str, event: gr.EventData, who: gr.Request) -> str:
        """Stores a press at once; the same press again takes it back."""
        press = pressed(event)
        if press["press"] == "cancel":
            return empty("Cancelled", "Nothing was changed. Ask again when you like.")
        return self.answering.label(answer, int(press["item"]), press["press"], name or DEFAULT_ANNOTATOR, who)

    @worded
    def join(self, stored: object, grow: bool, history: list[int], event: gr.EventData) -> Any:
        """A good one joins the history, or leaves it again."""
        press = pressed(event)
        if not grow or press["press"] != "good":
            return gr.skip()
        item, history = int(press["item"]), history or []
        chosen = [number for number in history if number != item] if item in history else [*history, item]
        dataset = self.context.dataset(self.context.settle(stored))
        return gr.Dropdown(titles_offered(dataset, chosen), value=chosen)
