"""A button 'Estimate': what a run would need, found out behind the page. It knows plans, not the forms that they are
from."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from gpr.run_plans import Plan
from gpr.ui.context import Context
from gpr.ui.events import QUICK, TOLD
from gpr.ui.messages import failure, notice

POLL_SECONDS = 2.0


class Estimating:
    """Args: plan: from the values of the inputs to what would be started; may raise what is wrong with them."""

    def __init__(self, context: Context, plan: Callable[..., Plan], elem_id: str) -> None:
        self.context, self._plan = context, plan
        self.timer = gr.Timer(POLL_SECONDS, active=False)
        self.button = gr.Button("Estimate", min_width=100, elem_id=elem_id)

    def wire(self, inputs: Sequence[Any], told: gr.HTML) -> None:
        """Args: told: where the answer goes."""
        self.button.click(self.ask, inputs, [told, self.timer], **TOLD)
        self.timer.tick(self.look, inputs, [told, self.timer], **QUICK)

    def ask(self, *given: Any) -> tuple[str, gr.Timer]:
        """Begins to find out."""
        try:
            plan = self._plan(*given)
        except Exception as error:
            return failure(error), gr.Timer(active=False)
        work = lambda task: self.context.jobs.estimate(self.context.workspace, plan)  # noqa: E731
        self.context.background.start(_key(plan), work, again=True)
        return notice("Measuring some real steps…"), gr.Timer(active=True)

    def look(self, *given: Any) -> tuple[Any, gr.Timer]:
        """What was found, as soon as it is."""
        try:
            task = self.context.background.get(_key(self._plan(*given)))
        except Exception as error:
            return failure(error), gr.Timer(active=False)
        if task is None:  # the settings were changed meanwhile
            return "", gr.Timer(active=False)
        if task.state == "running":
            return gr.skip(), gr.Timer(active=True)
        words = notice(f"This run needs {task.result}.", "good") if task.state == "done" else notice(task.words, "bad")
        return words, gr.Timer(active=False)


def _key(plan: Plan) -> tuple[str, str]:
    return "estimate", json.dumps(plan.config, sort_keys=True)
