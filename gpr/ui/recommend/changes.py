"""What is asked changes by a press: an example, a user, a card, a chip or a follow-up. No model is asked here."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gpr.data.dataset import Dataset
from gpr.data.filters import facets
from gpr.ui.context import Context
from gpr.ui.messages import worded
from gpr.ui.press import pressed
from gpr.ui.recommend.asking import Asking
from gpr.ui.recommend.box import Box
from gpr.ui.recommend.panels import filter_panel
from gpr.ui.recommend.picking import history_of, titles_offered


class Changes:
    """Args: box: what is filled; asking: the state of what is asked beside it."""

    def __init__(self, context: Context, box: Box, asking: gr.State) -> None:
        self.context, self.box, self.asking = context, box, asking

    def take_example(self, asking: Asking, event: gr.EventData) -> dict[Any, Any]:
        return {self.box.query: pressed(event).get("query", ""), self.asking: asking.without_turns()}

    def more_like(self, stored: object, asking: Asking, event: gr.EventData) -> dict[Any, Any]:
        """The item of a card as the history, and nothing else asked."""
        dataset = self.context.dataset(self.context.settle(stored))
        history = _picked(dataset, [int(pressed(event)["item"])])
        return {self.box.query: "", self.box.history: history, self.asking: asking.without_turns()}

    @worded
    def take_user(self, stored: object, user: int) -> dict[Any, Any]:
        dataset = self.context.dataset(self.context.settle(stored))
        return {self.box.history: _picked(dataset, history_of(dataset, user))}

    def follow_up(self, asking: Asking, turn: str) -> dict[Any, Any]:
        return {self.asking: asking.and_then(turn), self.box.refine: ""}

    @worded
    def change(self, stored: object, asking: Asking, history: list[int], event: gr.EventData) -> dict[Any, Any]:
        """A press on a chip: a follow-up has another text, or something is not asked any more."""
        press = pressed(event)
        known = facets(self.context.dataset(self.context.settle(stored)).catalogue)
        match press["press"]:
            case "turn":
                return {self.asking: asking.with_turn(int(press["at"]), press["value"])}
            case "drop":
                return {self.asking: asking.with_turn(int(press["at"]), "")}
            case "forget":
                return {self.box.history: [number for number in history if number != int(press["item"])]}
            case "all":
                asking = asking.without_filter(press["column"])
                return {
                    self.asking: asking,
                    self.box.filters: filter_panel(known, asking),
                }
        panel = filter_panel(known, Asking())
        return {self.asking: asking.without_asked(), self.box.history: [], self.box.query: "", self.box.filters: panel}


def _picked(dataset: Dataset, history: list[int]) -> gr.Dropdown:
    return gr.Dropdown(titles_offered(dataset, history), value=history)
