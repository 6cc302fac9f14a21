"""The part of the tab Fine-tune where the run in use learns from labels; and what teaching changed, as HTML."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import Any

import gradio as gr

from gpr.errors import RunError
from gpr.learn.taught import words
from gpr.run_plans import Plan
from gpr.ui.context import Active, Context
from gpr.ui.estimating import Estimating
from gpr.ui.language import say
from gpr.ui.messages import failure


class TeachPanel:
    """A line on the labels, and the buttons."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.about = gr.HTML("", elem_id="gpr-teach-about", apply_default_css=False, js_on_load=None)
        with gr.Row():
            self.button = gr.Button("Teach from labels", interactive=False, min_width=100, elem_id="gpr-teach")
            self.estimating = Estimating(context, self.plan, "gpr-teach-estimate")

    @property
    def outputs(self) -> list[Any]:
        return [self.about, self.button, self.estimating.button]

    def show(self, active: Active) -> tuple[str, gr.Button, gr.Button]:
        """Whether the run in use can be taught, and by how many labels."""
        try:
            text, ready = self._about(active)
        except Exception as error:
            return failure(error), gr.Button(interactive=False), gr.Button(interactive=False)
        words = f'<p class="gpr-about">{escape(say(text))}</p>'
        return words, gr.Button(interactive=ready), gr.Button(interactive=ready)

    def plan(self, stored: object) -> Plan:
        """What would be taught; which labels it learns from is found out by the process that estimates it.

        Raises:
            RunError: no run is in use.
        """
        return Plan({"teaches": _in_use(self.context.settle(stored))})

    def _about(self, active: Active) -> tuple[str, bool]:
        workspace = self.context.workspace
        if not active.run:
            return "Labels teach a run that is in use: train one, or use one of those below.", False
        run = workspace.run(active.run)
        labels = workspace.labels.current(dataset=workspace.dataset(run.data).name)
        labels = [label for label in labels if label.verdict != "skip"]
        if not labels:
            return "Label some recommendations: they can teach the run in use.", False
        if run.taught and all(label.time < run.started for label in labels):
            return f"{run.name} has learned from all labels so far. Label more to teach it further.", False
        counts = Counter(label.verdict for label in labels)
        return (
            f"{run.name} can learn from {counts['good']:,} good and {counts['bad']:,} bad labels. "
            "It takes some minutes and gives a run of its own."
        ), True

    def start(self, active: Active) -> str:
        """Starts teaching as a run of its own, and names it.

        Raises:
            RunError: nothing can be taught.
        """
        name = _in_use(active)
        for run in self.context.workspace.runs():
            if run.going and run.config.get("teaches") == name:
                raise RunError(f"{name} is being taught already, as {run.name}.", hint="Wait for it, or stop it.")
        return str(self.context.jobs.teach(self.context.workspace, name).name)


def _in_use(active: Active) -> str:
    if not active.run:
        raise RunError("No run is in use.", hint="Press 'Use this run' in the table below.")
    return active.run


def taught_words(figures: dict[str, Any]) -> str:
    """What teaching changed; '' for a run that was not taught."""
    if not figures:
        return ""
    lists = "".join(
        f"<li>{escape(one['query'] or ', '.join(one['history']))}<br>"
        f'<span class="gpr-muted">{_moved("+", one["new"])} {_moved("−", one["gone"])}</span></li>'
        for one in figures["lists"]
        if one["new"]
    )
    summary = f"<summary>{escape(say('Requests with other items'))}</summary>"
    more = f'<details class="gpr-muted">{summary}<ul>{lists}</ul></details>'
    return f'<p class="gpr-muted">{escape(say(words(figures)))}</p>{more if lists else ""}'


def _moved(sign: str, titles: list[str]) -> str:
    return " ".join(f"{sign} {escape(title)}" for title in titles)
