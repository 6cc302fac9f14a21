"""The part of the tab Recommend for runs that classify texts or score items: a text in, labels with bars out."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from gpr.errors import RunError
from gpr.ui.context import Context
from gpr.ui.events import TOLD
from gpr.ui.language import say
from gpr.ui.messages import worded

if TYPE_CHECKING:
    from gpr.data.dataset import Catalogue
    from gpr.workspace import RunInfo

SHOWN = 5
OFFERED = 2_000
"""Items of the catalogue that can be chosen from a list; others by typing their id."""


class TasksPanel:
    """Builds the panel; it is there while there are such runs. `wire` connects it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        with gr.Accordion("Classify or score", open=False, visible=False, elem_id="gpr-tasks") as self.panel:
            with gr.Row():
                self.run = gr.Dropdown([], label="Run", elem_id="gpr-task-run", min_width=160)
                self.item = gr.Dropdown(
                    [], label="Item", info="To be scored", allow_custom_value=True, visible=False,
                    elem_id="gpr-task-item", min_width=160,
                )  # fmt: skip
                self.liked = gr.Dropdown(
                    [], label="Liked before", multiselect=True, visible=False, elem_id="gpr-task-liked", min_width=160
                )
            self.text = gr.Textbox(label="Text", lines=2, elem_id="gpr-task-text")
            self.go = gr.Button("Ask", variant="primary", elem_id="gpr-task-go")
            self.out = gr.HTML("", elem_id="gpr-task-out", apply_default_css=False, js_on_load=None)

    def wire(self) -> None:
        model: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1, "show_progress": "hidden"}
        self.run.change(self.choose, self.run, [self.item, self.liked, self.text], **TOLD)
        self.run.input(lambda: "", None, self.out, api_visibility="private", queue=False)
        asked = [self.run, self.text, self.item, self.liked]
        self.go.click(self.ask, asked, self.out, api_visibility="private", **model)

    @property
    def outputs(self) -> list[Any]:
        """What `show` fills."""
        return [self.panel, self.run]

    def show(self) -> tuple[gr.Accordion, gr.Dropdown]:
        """The panel as the runs are now."""
        runs = [(f"{run.name} ({run.task})", run.name) for run in self.context.task_runs()]
        first = runs[0][1] if runs else None
        return gr.Accordion(visible=bool(runs)), gr.Dropdown(runs, value=first)

    @worded
    def choose(self, name: str) -> tuple[Any, ...]:
        """The fields that a run asks for."""
        run = self._run(name)
        if run is None or run.task == "classify":
            return gr.Dropdown(visible=False), gr.Dropdown(visible=False), gr.Textbox(label="Text")
        catalogue = self._catalogue(run)
        items = list(zip(catalogue.titles[:OFFERED], catalogue.item_ids[:OFFERED], strict=True))
        return (
            gr.Dropdown(items, value=items[0][1], visible=True),
            gr.Dropdown(items, value=[], visible=True),
            gr.Textbox(label="What is wanted"),
        )

    @worded
    def ask(self, name: str, text: str, item: str, liked: list[str] | None) -> str:
        """The answer as HTML."""
        from gpr.tasks.answer import classify, score

        run = self._run(name)
        if run is None:
            raise RunError(f"There is no run named '{name}'.", hint="Choose another name.")
        recommender = self.context.workspace.recommender(run.name, run.data)
        if run.task == "classify":
            return bars([(label.label, label.probability) for label in classify(recommender, text, SHOWN)])
        found = score(recommender, self._catalogue(run), item or "", text, liked or [])
        return bars([(f"{say('good')}: {found.title}", found.probability)])

    def _run(self, name: str) -> RunInfo | None:
        return next((run for run in self.context.task_runs() if run.name == name), None)

    def _catalogue(self, run: RunInfo) -> Catalogue:
        return self.context.workspace.dataset(run.data, int(run.settings.get("seed", 0))).catalogue


def bars(rows: list[tuple[str, float]]) -> str:
    """Names with their probabilities as a list with bars, as HTML."""
    lines = [
        f"<li><span>{escape(name)}</span><b>{chance:.1%}</b>"
        f'<span class="gpr-bar"><span style="width:{chance:.1%}"></span></span></li>'
        for name, chance in rows
    ]
    return f'<ol class="gpr-labels">{"".join(lines)}</ol>'
