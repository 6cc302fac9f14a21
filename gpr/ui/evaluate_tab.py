"""The tab Evaluate: how good what recommends is, on the test split, beside simple methods."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from gpr.ui.background import Task
from gpr.ui.context import Active, Context
from gpr.ui.events import QUICK, TOLD
from gpr.ui.messages import empty, notice, plural, worded
from gpr.ui.tables import bars, progress_bar, table

METRICS = ("R@1", "R@5", "R@10", "NDCG@10", "MRR")
NAMES = {
    "gpr": "what a user gets",
    "generate": "the title as the model writes it",
    "match": "the model as an encoder",
    "base": "the base model, not fine-tuned",
    "popular": "what is chosen most",
    "bm25": "shared words",
    "bm25_queries": "shared words, training queries too",
}
POLL_SECONDS = 1.0


class EvaluateTab:
    """Builds the tab; `wire` connects it."""

    def __init__(self, context: Context, active: gr.BrowserState) -> None:
        self.context, self.active = context, active
        self.timer = gr.Timer(POLL_SECONDS, active=False)
        with gr.Row(equal_height=True, elem_classes="gpr-lead"):
            self.about = gr.HTML("", elem_id="gpr-evaluate-about", apply_default_css=False, js_on_load=None)
            self.go = gr.Button("Evaluate", variant="primary", scale=0, min_width=160, elem_id="gpr-evaluate")
        self.out = gr.HTML("", elem_id="gpr-metrics", apply_default_css=False, js_on_load=None)
        self.metric = gr.Radio(list(METRICS), value="R@5", label="Chart of", visible=False, elem_id="gpr-metric")
        self.chart = gr.HTML("", elem_id="gpr-chart", apply_default_css=False, js_on_load=None)

    def wire(self) -> None:
        shown = [self.out, self.metric, self.chart, self.go, self.timer]
        self.go.click(self.start, [self.active, self.metric], shown, **TOLD)
        self.timer.tick(self.watch, [self.active, self.metric], shown, **QUICK)
        self.metric.input(self.draw, [self.active, self.metric], self.chart, **TOLD)

    @property
    def outputs(self) -> list[Any]:
        """What `show` fills when the data or the run has changed."""
        return [self.about, self.out, self.metric, self.chart, self.go, self.timer]

    def show(self, stored: object, metric: str) -> tuple[Any, ...]:
        """The tab for what is active now; an evaluation that goes on shows itself."""
        return _about(self.context.settle(stored)), *self._watched(stored, metric)

    @worded
    def start(self, stored: object, metric: str) -> tuple[Any, ...]:
        """Evaluates behind the page; a result that is kept comes at once."""
        active = self.context.settle(stored)
        workspace = self.context.workspace
        self.context.background.start(
            ("evaluate", active), lambda task: workspace.evaluate(active.data, active.run, task.report), again=True
        )
        return self._watched(stored, metric)

    @worded
    def watch(self, stored: object, metric: str) -> tuple[Any, ...]:
        """How the evaluation stands."""
        return self._watched(stored, metric)

    def _watched(self, stored: object, metric: str) -> tuple[Any, ...]:
        task = self._task(stored)
        going = task is not None and task.state == "running"
        done = task is not None and task.state == "done"
        return (
            _outcome(task),
            gr.Radio(visible=done),
            _chart(task, metric),
            gr.Button("Evaluating…" if going else "Evaluate again" if done else "Evaluate", interactive=not going),
            gr.Timer(active=going),
        )

    @worded
    def draw(self, stored: object, metric: str) -> str:
        """The chart of one metric."""
        return _chart(self._task(stored), metric)

    def _task(self, stored: object) -> Task | None:
        return self.context.background.get(("evaluate", self.context.settle(stored)))


def _about(active: Active) -> str:
    what = f"run <b>{escape(active.run)}</b>" if active.run else "the <b>base model</b>, since no run is chosen,"
    where = f"on the test part of <b>{escape(active.name)}</b>"
    return f'<p class="gpr-about">Measures {what} {where}, beside simple methods.</p>'


def _outcome(task: Task | None) -> str:
    if task is None:
        return empty("Not evaluated yet", "Each test request is answered, and we count how high the right item stands.")
    if task.state == "failed":
        return notice(task.words, "bad")
    if task.state == "running":
        bar = progress_bar(task.share, "evaluation")
        return f'<section class="gpr-run">{bar}<p class="gpr-muted">{escape(task.words or "Starting…")}</p></section>'
    return _metrics(task.result)


def _chart(task: Task | None, metric: str) -> str:
    if task is None or task.state != "done":
        return ""
    values = {name: row.get(metric) or 0.0 for name, row in task.result["metrics"].items()}
    return bars(values, label=f"{metric} by method")


def _metrics(result: dict[str, Any]) -> str:
    """The table, and in words how it came about."""
    metrics: dict[str, dict[str, float | None]] = result["metrics"]
    rows = [
        (
            f"<b>{escape(name)}</b><small>{escape(NAMES.get(name, ''))}</small>",
            *(f"{value:.3f}" if (value := values.get(metric)) is not None else "" for metric in METRICS),
        )
        for name, values in metrics.items()
    ]
    numbers = range(1, 1 + len(METRICS))
    n, split, data = (result.get(key, "") for key in ("n", "split", "data"))
    protocol = f"{plural(int(n or 0), 'request')} of the {split} split of {data}. {result.get('protocol', '')}"
    return table(("method", *METRICS), rows, numbers=numbers, raw=0, label="metrics") + (
        f'<p class="gpr-muted">{escape(protocol)}</p>'
    )
