"""The tab Fine-tune: start a run, watch it, use it. The run is a process of its own; this reads its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr
import pandas as pd

from gpr.data.dataset import Dataset
from gpr.errors import RunError
from gpr.learn.options import Options
from gpr.lm.install import DEFAULT_BASE, PACKAGED
from gpr.ui.context import Active, Context, same_data
from gpr.ui.messages import failure, notice, worded
from gpr.ui.press import pressable, pressed
from gpr.ui.runs import run_card, run_table, training_words
from gpr.ui.uploads import plain_name

if TYPE_CHECKING:
    from gpr.workspace import RunInfo

POLL_SECONDS = 2.0
POINTS = 240
"""Of the curve; more are thinned out."""
PARTS = {"loss": "both", "generate": "generate", "match": "match"}
"""Field of the log -> name of its curve."""
COLOURS = {"both": "#5b76e8", "generate": "#1f9d78", "match": "#d9822b"}
"""Of the curves, readable in light and dark."""
LENGTHS = {"Recommended": "", "Epochs": "epochs", "Minutes": "minutes"}


class FinetuneTab:
    """Builds the tab; `wire` connects it."""

    def __init__(self, context: Context, active: gr.BrowserState) -> None:
        self.context, self.active = context, active
        self.shown = gr.State("")
        """Name of the run that is looked at; '' for the one that goes on, or the newest."""
        self.timer = gr.Timer(POLL_SECONDS, active=False)
        with gr.Row():
            with gr.Column(scale=2, min_width=280, elem_classes="gpr-panel"):
                self._form()
            with gr.Column(scale=3, min_width=280):
                self.card = gr.HTML("", elem_id="gpr-run-card", apply_default_css=False, js_on_load=None)
                self.curve = gr.LinePlot(
                    x="step", y="loss", color="part", height=230, visible=False, elem_id="gpr-curve", x_title="step",
                    y_title="loss", color_title="loss of", tooltip="all", color_map=COLOURS,
                )  # fmt: skip
        gr.HTML('<h2 class="gpr-title">Runs</h2>', apply_default_css=False, js_on_load=None)
        self.runs = pressable(elem_id="gpr-runs")

    def _form(self) -> None:
        self.about = gr.HTML("", elem_id="gpr-train-about", apply_default_css=False, js_on_load=None)
        self.name = gr.Textbox(label="Name of the run", elem_id="gpr-run-name")
        self.length = gr.Radio(list(LENGTHS), value="Recommended", label="How long", elem_id="gpr-length")
        self.amount = gr.Number(5, label="Epochs", precision=1, minimum=0, visible=False)
        with gr.Accordion("Advanced", open=False):
            self.base = gr.Dropdown(
                list(PACKAGED), value=self.context.workspace.base or DEFAULT_BASE, allow_custom_value=True,
                label="Base model", info="One of these, a local folder, or a hub id.",
            )  # fmt: skip
            self.seed = gr.Number(0, label="Seed", precision=0, minimum=0, info="The same seed gives the same run.")
        with gr.Row():
            self.start_button = gr.Button("Start", variant="primary", min_width=100, elem_id="gpr-start")
            self.stop_button = gr.Button(
                "Stop and keep", variant="stop", min_width=100, interactive=False, elem_id="gpr-stop"
            )
        self.notice = gr.HTML("", elem_id="gpr-train-notice", apply_default_css=False, js_on_load=None)

    def wire(self) -> None:
        quick: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        watched = [self.active, self.shown]
        self.length.change(_amount, self.length, self.amount, **quick)
        settings = [self.active, self.name, self.length, self.amount, self.base, self.seed]
        started = [self.notice, self.shown, self.name, *self.watch_outputs]
        begun = self.start_button.click(_starting, None, [self.notice, self.start_button], **quick)
        begun.then(self.start, settings, started, **quick)
        self.stop_button.click(self.stop, watched, [self.notice, *self.watch_outputs], **quick)
        self.timer.tick(self.watch, watched, self.watch_outputs, **quick)
        self.runs.press(self.press, watched, [self.active, self.shown, *self.watch_outputs], **quick)

    @property
    def watch_outputs(self) -> list[Any]:
        return [self.card, self.curve, self.runs, self.start_button, self.stop_button, self.timer]

    @property
    def outputs(self) -> list[Any]:
        """What `show` fills when the data or the run has changed."""
        return [self.about, self.name, *self.watch_outputs]

    def show(self, stored: object, shown: str) -> tuple[Any, ...]:
        """The tab for what is active now. A run that goes on, started here or elsewhere, shows itself."""
        active = self.context.settle(stored)
        try:
            about = training_words(self.context.dataset(active))
        except Exception as error:
            about = failure(error)
        return about, self._free_name(active), *self.watch(stored, shown)

    def _free_name(self, active: Active) -> str:
        taken = {run.name for run in self.context.workspace.runs()}
        stem = plain_name(active.name) or "run"
        return next(name for number in range(1, len(taken) + 2) if (name := f"{stem}-{number}") not in taken)

    @worded
    def watch(self, stored: object, shown: str) -> tuple[Any, ...]:
        """How the run that goes on, or the one that is looked at, stands."""
        active = self.context.settle(stored)
        runs = self.context.workspace.runs()
        going = next((run for run in runs if run.going), None)
        chosen = next((run for run in runs if run.name == shown), None)
        own = next((run for run in runs if same_data(run.data, active.data)), None)
        run = going or chosen or own
        stop = "Stopping…" if going and going.status == "stopping" else "Stop and keep"
        return (
            run_card(run, active.run) if run else run_card(None, ""),
            _curve(run),
            run_table(runs, active.run, run.name if run else ""),
            gr.Button(interactive=going is None),
            gr.Button(stop, interactive=going is not None and going.status == "running"),
            gr.Timer(active=going is not None),
        )

    def start(
        self, stored: object, name: str, length: str, amount: float | None, base: str, seed: float | None
    ) -> tuple[Any, ...]:
        """Starts a run on the active data."""
        try:
            active = self.context.settle(stored)
            check_trainable(self.context.dataset(active))
            options = _options(LENGTHS.get(length, ""), amount, base, seed)
            run = self.context.jobs.start(self.context.workspace, active.data, name.strip(), options)
        except Exception as error:
            return failure(error), gr.skip(), gr.skip(), *self.watch(stored, "")
        words = "It runs by itself: you may close this page and come back."
        return (
            notice(words, "good", f"{run.name} has started."),
            run.name,
            self._free_name(active),
            *self.watch(stored, run.name),
        )

    def stop(self, stored: object, shown: str) -> tuple[Any, ...]:
        """Stops the run that goes on; what it learned is kept."""
        try:
            if (going := self.context.running()) is not None:
                self.context.jobs.stop(self.context.workspace, going.name)
        except Exception as error:
            return failure(error), *self.watch(stored, shown)
        return notice("The step is finished first, then what was learned is saved."), *self.watch(stored, shown)

    @worded
    def press(self, stored: object, shown: str, event: gr.EventData) -> tuple[Any, ...]:
        """'Use' makes a run active, with its data unless the data is chosen already; 'look' shows its curve."""
        press = pressed(event)
        run = self.context.workspace.run(press.get("run", ""))
        if press.get("press") == "look":
            return gr.skip(), run.name, *self.watch(stored, run.name)
        active = Active(run.data, run.name)
        if run.data not in {source.data for source in self.context.sources()}:
            active = Active(self.context.settle(stored).data, run.name)
        remembered = self.context.remember(active)
        return remembered, run.name, *self.watch(remembered, run.name)


def check_trainable(dataset: Dataset) -> None:
    """Raises: RunError: a finding says that the data cannot be trained on."""
    grave = next((finding for finding in dataset.findings if finding.grade == "stops"), None)
    if grave:
        raise RunError(f"This data cannot be trained on. {grave.message}", hint="See the findings on the tab Data.")


def _starting() -> tuple[str, gr.Button]:
    return notice("Starting: its process needs a few seconds."), gr.Button(interactive=False)


def _options(length: str, amount: float | None, base: str, seed: float | None) -> Options:
    if length and not amount:
        raise RunError(f"The number of {length} is missing.", hint="Type one, or choose 'Recommended'.")
    return Options(
        epochs=round(amount) if length == "epochs" and amount else None,
        max_minutes=amount if length == "minutes" else None,
        seed=int(seed or 0),
        base=(base or DEFAULT_BASE).strip(),
    )


def _amount(length: str) -> gr.Number:
    kind = LENGTHS.get(length, "")
    if not kind:
        return gr.Number(visible=False)
    return gr.Number(5, label="Minutes at most" if kind == "minutes" else "Epochs", visible=True)


def _curve(run: RunInfo | None) -> gr.LinePlot:
    log = run.log() if run else []
    log = log[:: max(1, len(log) // POINTS)]
    points = [
        {"step": entry["step"], "loss": entry[name], "part": part}
        for name, part in PARTS.items()
        for entry in log
        if entry.get(name) is not None
    ]
    if len(log) < 2:  # a line needs two
        return gr.LinePlot(visible=False)
    return gr.LinePlot(pd.DataFrame(points), visible=True)
