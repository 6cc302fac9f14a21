"""The tab Evaluate: its parts, its wiring, and the evaluation that goes on behind the page."""

from __future__ import annotations

import tempfile
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from gpr.errors import GPRError
from gpr.evaluate.charts import bars
from gpr.evaluate.report import summary, write_report
from gpr.ui.background import Task
from gpr.ui.context import Active, Context
from gpr.ui.evaluate.picture import reliability_figure
from gpr.ui.evaluate.requests import LOST, WAYS, request_list, rivals
from gpr.ui.evaluate.tables import METRICS, group_tables, list_table, main_table, titled
from gpr.ui.events import QUICK, TOLD
from gpr.ui.language import say
from gpr.ui.messages import empty, notice, worded
from gpr.ui.tables import progress_bar

POLL_SECONDS = 1.0
FIRST_RIVALS = ("bm25_queries", "ease", "popular", "base")
"""Whom to look at first, where they are there."""
DOWNLOAD = "() => document.querySelector('#gpr-report-file')?.click()"


def _html(name: str) -> gr.HTML:
    return gr.HTML("", elem_id=name, apply_default_css=False, js_on_load=None)


class EvaluateTab:
    """Builds the tab; `wire` connects it."""

    def __init__(self, context: Context, active: gr.BrowserState) -> None:
        self.context, self.active = context, active
        self.timer = gr.Timer(POLL_SECONDS, active=False)
        with gr.Row(equal_height=True, elem_classes="gpr-lead"):
            self.about = _html("gpr-evaluate-about")
            self.stop = gr.Button("Stop", visible=False, scale=0, min_width=100, elem_id="gpr-evaluate-stop")
            self.go = gr.Button("Evaluate", variant="primary", scale=0, min_width=160, elem_id="gpr-evaluate")
        self.status = _html("gpr-evaluate-status")
        with gr.Column(visible=False) as self.results:
            self._build_results()

    def _build_results(self) -> None:
        with gr.Row(equal_height=True, elem_classes="gpr-lead"):
            self.verdict = _html("gpr-verdict-words")
            self.as_html = gr.Button("Report as HTML", scale=0, min_width=150, elem_id="gpr-report-html")
            self.as_markdown = gr.Button("as Markdown", scale=0, min_width=130, elem_id="gpr-report-md")
            self.file = gr.DownloadButton("Download", visible="hidden", elem_id="gpr-report-file")
        self.metric = gr.Radio(list(METRICS), value="NDCG@10", label="Metric", elem_id="gpr-metric")
        self.chart, self.table = _html("gpr-chart"), _html("gpr-metrics")
        with gr.Accordion("By group, and for cold items", open=False, elem_id="gpr-groups-box"):
            self.groups = _html("gpr-groups")
        with gr.Accordion("What the lists are like", open=False, elem_id="gpr-beyond-box"):
            self.beyond = _html("gpr-beyond")
        with gr.Accordion(
            "Do probabilities mean what they say?", open=False, elem_id="gpr-calibration-box"
        ) as self.box:
            self.plot = gr.Plot(show_label=False, elem_id="gpr-reliability")
        with gr.Accordion("Request by request", open=False, elem_id="gpr-requests-box"):
            with gr.Row(elem_classes="gpr-lead"):
                self.way = gr.Radio(list(WAYS), value=LOST, label="Show", elem_id="gpr-way", scale=2)
                self.rival = gr.Dropdown([], label="Against", elem_id="gpr-rival", scale=1, min_width=180)
            self.requests = _html("gpr-requests")

    def wire(self) -> None:
        self.go.click(self.start, [self.active, self.metric], self._shown, **TOLD)
        self.stop.click(self.end, self.active, [self.stop, self.status], **TOLD)
        self.timer.tick(self.watch, [self.active, self.metric], self._shown, **QUICK)
        shown = [self.chart, self.table, self.groups]
        self.metric.input(self.draw, [self.active, self.metric], shown, **TOLD)
        asked = [self.active, self.way, self.rival]
        gr.on([self.way.input, self.rival.input], self.look, asked, self.requests, **TOLD)
        self.box.expand(self.picture, self.active, self.plot, **TOLD)
        for button, kind in ((self.as_html, ".html"), (self.as_markdown, ".md")):
            made = button.click(self._reporter(kind), self.active, self.file, **TOLD)
            made.success(None, None, None, js=DOWNLOAD)

    @property
    def _shown(self) -> list[Any]:
        figures = [self.verdict, self.chart, self.table, self.groups, self.beyond, self.rival, self.requests]
        return [self.status, self.results, self.go, self.stop, self.timer, *figures]

    @property
    def outputs(self) -> list[Any]:
        """What `show` fills when the data or the run has changed."""
        return [self.about, self.box, *self._shown]

    def show(self, stored: object, metric: str) -> tuple[Any, ...]:
        """The tab for what is active now; an evaluation that goes on, or is kept, shows itself."""
        return _about(self.context.settle(stored)), gr.Accordion(open=False), *self._watched(stored, metric)

    @worded
    def start(self, stored: object, metric: str) -> tuple[Any, ...]:
        """Evaluates behind the page; what an earlier one found is taken over."""
        active = self.context.settle(stored)
        workspace = self.context.workspace
        self.context.background.start(
            ("evaluate", active), lambda task: workspace.evaluate(active.data, active.run, task.report), again=True
        )
        return self._watched(stored, metric)

    @worded
    def end(self, stored: object) -> tuple[Any, ...]:
        """Asks the evaluation to stop; what it found is kept."""
        if task := self._task(stored):
            task.stop()
        return gr.Button(say("Stopping…"), interactive=False), gr.skip()

    @worded
    def watch(self, stored: object, metric: str) -> tuple[Any, ...]:
        """How the evaluation stands."""
        return self._watched(stored, metric)

    def _watched(self, stored: object, metric: str) -> tuple[Any, ...]:
        task = self._task(stored)
        going = task is not None and task.state == "running"
        result = None if going else self._result(stored)
        state = (
            "" if result else _status(task),
            gr.Column(visible=bool(result)),
            gr.Button(say("Evaluating…" if going else "Go on" if _stopped(task) else "Evaluate"), interactive=not going,
                      visible=not result),
            gr.Button(say("Stopping…" if task and task.asked else "Stop"), visible=going,
                      interactive=not (task and task.asked)),
            gr.Timer(active=going),
        )  # fmt: skip
        if not result:
            return *state, *(gr.skip() for _ in range(7))
        names = rivals(result)
        rival = next((name for name in FIRST_RIVALS if name in names), names[0])
        figures = (notice(summary(result, titled)), *_figures(result, metric), list_table(result))
        return (
            *state,
            *figures,
            gr.Dropdown([(titled(name), name) for name in names], value=rival),
            request_list(result, LOST, rival),
        )

    @worded
    def draw(self, stored: object, metric: str) -> tuple[Any, ...]:
        """The figures of one metric."""
        result = self._result(stored)
        return _figures(result, metric) if result else (gr.skip(),) * 3

    @worded
    def look(self, stored: object, way: str, rival: str) -> Any:
        """The requests of one kind."""
        result = self._result(stored)
        return request_list(result, way, rival) if result and rival in rivals(result) else gr.skip()

    @worded
    def picture(self, stored: object) -> Any:
        """The reliability diagram, drawn when it is looked at."""
        result = self._result(stored)
        return reliability_figure(result) if result else None

    def _reporter(self, kind: str) -> Any:
        @worded
        def report(stored: object) -> str:
            active, result = self.context.settle(stored), self._result(stored)
            assert result, "there is a button only beside a result"
            Path(self.file.GRADIO_CACHE).mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=self.file.GRADIO_CACHE))
            path = folder / f"evaluation-{active.name}-{active.run or 'base'}{kind}"
            write_report(result, path)
            return str(path)

        return report

    def _task(self, stored: object) -> Task | None:
        return self.context.background.get(("evaluate", self.context.settle(stored)))

    def _result(self, stored: object) -> dict[str, Any] | None:
        active = self.context.settle(stored)
        try:
            return self.context.workspace.evaluated(active.data, active.run)
        except GPRError:  # of the data or the run; other tabs tell it
            return None


def _stopped(task: Task | None) -> bool:
    return task is not None and task.state == "stopped"


def _about(active: Active) -> str:
    data, run = f"<b>{escape(active.name)}</b>", f"<b>{escape(active.run)}</b>"
    words = f"Measures run {run} on the test part of {data}, beside simple methods."
    if not active.run:
        words = f"Measures the base model, since no run is chosen, on the test part of {data}, beside simple methods."
    return f'<p class="gpr-about">{say(words)}</p>'


def _status(task: Task | None) -> str:
    if task is None or task.state == "done":
        return empty("Not evaluated yet", "Each test request is answered, and we count how high the right item stands.")
    if task.state == "failed":
        return notice(task.words, "bad")
    if task.state == "stopped":
        return notice(f"Stopped at {task.share:.0%}. What was found is kept; it can go on from there.", "info")
    bar = progress_bar(task.share, "evaluation")
    return f'<section class="gpr-run">{bar}<p class="gpr-muted">{escape(say(task.words or "Starting…"))}</p></section>'


def _figures(result: dict[str, Any], metric: str) -> tuple[str, str, str]:
    return bars(result, metric, titled), main_table(result, metric), group_tables(result, metric)
