"""The tab Fine-tune: start a run, watch it, use it. The run is a process of its own; this reads its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from gpr.data.dataset import Dataset
from gpr.errors import RunError
from gpr.lm.install import PACKAGED
from gpr.run_plans import Plan, training
from gpr.ui.context import Active, Context, same_data
from gpr.ui.curves import COLOURS, curves, perplexity
from gpr.ui.estimating import POLL_SECONDS, Estimating
from gpr.ui.events import QUICK, REFRESH, TOLD
from gpr.ui.header import IDLE_SECONDS
from gpr.ui.language import say
from gpr.ui.manage_runs import ManageRuns
from gpr.ui.messages import failure, notice, title, worded
from gpr.ui.press import KEEPS_FOCUS, KEEPS_OPEN, pressable, pressed
from gpr.ui.pretrain_panel import PretrainPanel
from gpr.ui.runs import NEWEST, queue_list, run_card, run_table, training_words
from gpr.ui.settings import Settings
from gpr.ui.teach_panel import TeachPanel
from gpr.ui.uploads import plain_name

if TYPE_CHECKING:
    from gpr.workspace import RunInfo


class FinetuneTab:
    """Builds the tab; `wire` connects it."""

    def __init__(self, context: Context, active: gr.BrowserState) -> None:
        self.context, self.active = context, active
        self.shown = gr.State("")
        """Name of the run that is looked at; '' for the one that goes on, or the newest."""
        self.timer = gr.Timer(IDLE_SECONDS)
        with gr.Row():
            with gr.Column(scale=2, min_width=280, elem_classes="gpr-panel"):
                self._form()
            with gr.Column(scale=3, min_width=280):
                self.card = gr.HTML("", elem_id="gpr-run-card", apply_default_css=False, js_on_load=KEEPS_OPEN)
                self.curve = gr.LinePlot(
                    x="step", y="loss", color="part", height=230, visible=False, elem_id="gpr-curve", x_title="step",
                    y_title="loss", color_title="loss of", tooltip="all", color_map=COLOURS,
                )  # fmt: skip
                self.perplexity = gr.LinePlot(
                    x="step", y="perplexity", height=170, visible=False, elem_id="gpr-perplexity", x_title="step",
                    y_title="perplexity", tooltip="all",
                )  # fmt: skip
        self.queue = pressable(elem_id="gpr-waiting")
        self.sort = gr.State(NEWEST)
        gr.HTML(title("Runs"), apply_default_css=False, js_on_load=None)
        self.runs = pressable(elem_id="gpr-runs", more=KEEPS_FOCUS)
        self.manage = ManageRuns(context)

    def _form(self) -> None:
        self.about = gr.HTML("", elem_id="gpr-train-about", apply_default_css=False, js_on_load=None)
        self.name = gr.Textbox(label="Name of the run", elem_id="gpr-run-name")
        self.settings = Settings(self.context.workspace.base)
        with gr.Row():
            self.start_button = gr.Button("Start", variant="primary", min_width=100, elem_id="gpr-start")
            self.estimating = Estimating(self.context, self.plan, "gpr-estimate")
        with gr.Row():
            self.stop_button = gr.Button("Stop and keep", min_width=100, visible=False, elem_id="gpr-stop")
            self.discard_button = gr.Button(
                "Stop and discard", variant="stop", min_width=100, visible=False, elem_id="gpr-discard"
            )
            self.resume_button = gr.Button("Resume", variant="primary", visible=False, elem_id="gpr-resume")
        self.teaching = TeachPanel(self.context)
        self.pretraining = PretrainPanel(self.context)
        self.notice = gr.HTML("", elem_id="gpr-train-notice", apply_default_css=False, js_on_load=None)

    def wire(self, tab: gr.Tab) -> None:
        offered = [*self.teaching.outputs, self.settings.base, *self.manage.outputs]
        tab.select(self.offer, self.active, offered, **REFRESH)
        watched = [self.active, self.shown, self.sort]
        settings = [self.active, self.name, *self.settings.inputs]
        started = [self.notice, self.shown, self.name, *self.watch_outputs]
        self.settings.wire(QUICK)
        begun = self.start_button.click(_starting, None, [self.notice, self.start_button], **QUICK)
        begun.then(self.start, settings, started, **TOLD)
        taught = self.teaching.button.click(_starting, None, [self.notice, self.start_button], **QUICK)
        taught.then(self.teach, self.active, [self.notice, self.shown, *self.watch_outputs], **QUICK)
        made = self.pretraining.button.click(_starting, None, [self.notice, self.start_button], **QUICK)
        made.then(self.pretrain, [self.active, self.name, *self.pretraining.inputs], started, **TOLD)
        self.estimating.wire(settings, self.notice)
        self.teaching.estimating.wire([self.active], self.notice)
        self.pretraining.estimating.wire([self.active, *self.pretraining.inputs], self.notice)
        for button, act in ((self.stop_button, self.stop), (self.discard_button, self.discard)):
            button.click(act, watched, [self.notice, *self.watch_outputs], **TOLD)
        self.resume_button.click(self.resume, watched, [self.notice, *self.watch_outputs], **TOLD)
        self.timer.tick(self.watch, watched, self.watch_outputs, **QUICK)
        pressed = [self.active, self.shown, self.sort, self.settings.base, *self.watch_outputs]
        self.runs.press(self.press, watched, pressed, **TOLD)
        self.queue.press(self.reorder, watched, [self.notice, *self.watch_outputs], **TOLD)
        self.manage.wire(TOLD, self.watch, watched, self.watch_outputs)

    @property
    def watch_outputs(self) -> list[Any]:
        buttons = [self.start_button, self.stop_button, self.discard_button, self.resume_button]
        return [self.card, self.curve, self.perplexity, self.queue, self.runs, *buttons, self.timer]

    @property
    def outputs(self) -> list[Any]:
        """What `show` fills when the data or the run has changed."""
        offered = [*self.teaching.outputs, self.settings.base, *self.manage.outputs]
        return [self.about, self.name, *offered, *self.watch_outputs]

    def show(self, stored: object, shown: str, sort: str) -> tuple[Any, ...]:
        """The tab for what is active now. A run that goes on, started here or elsewhere, shows itself."""
        active = self.context.settle(stored)
        try:
            about = training_words(self.context.dataset(active))
        except Exception as error:
            about = failure(error)
        return about, self._free_name(active), *self.offer(stored), *self.watch(stored, shown, sort)

    def _free_name(self, active: Active) -> str:
        taken = {run.name for run in self.context.workspace.runs()}
        stem = plain_name(active.name) or "run"
        return next(name for number in range(1, len(taken) + 2) if (name := f"{stem}-{number}") not in taken)

    def _looked_at(self, stored: object, shown: str) -> RunInfo | None:
        """The run that was chosen, else the one that goes on, else the newest on this data, else the newest."""
        active, runs = self.context.settle(stored), self.context.workspace.runs()
        chosen = next((run for run in runs if run.name == shown), None)
        own = next((run for run in runs if same_data(run.data, active.data)), None)
        return chosen or self.context.running() or own or next(iter(runs), None)

    @worded
    def watch(self, stored: object, shown: str, sort: str = NEWEST) -> tuple[Any, ...]:
        """How the run that is looked at stands, and all others."""
        active, runs = self.context.settle(stored), self.context.workspace.runs()
        run = self._looked_at(stored, shown)
        going = any(one.going for one in runs)
        stoppable = run is not None and run.going
        stop = "Stopping…" if run and run.status == "stopping" else "Stop and keep"
        return (
            run_card(run, active.run),
            curves(run),
            perplexity(run),
            queue_list(self.context.workspace.turns.waiting()),
            run_table(runs, active.run, run.name if run else "", sort),
            gr.Button(say("Add to queue" if going else "Start"), interactive=True),
            gr.Button(say(stop), visible=stoppable, interactive=bool(run and run.status == "running")),
            gr.Button(visible=stoppable),
            gr.Button(visible=run is not None and run.resumable),
            gr.Timer(POLL_SECONDS if going else IDLE_SECONDS),
        )

    def start(self, stored: object, name: str, *settings: Any) -> tuple[Any, ...]:
        """Starts a run on the active data; it waits for its turn by itself."""
        try:
            active = self.context.settle(stored)
            run = self.context.jobs.start(self.context.workspace, self.plan(stored, name, *settings), name.strip())
        except Exception as error:
            return failure(error), gr.skip(), gr.skip(), *self.watch(stored, "")
        words = "It runs by itself: you may close this page and come back."
        return (
            notice(words, "good", f"{run.name} has started."),
            run.name,
            self._free_name(active),
            *self.watch(stored, run.name),
        )

    def pretrain(self, stored: object, name: str, *given: Any) -> tuple[Any, ...]:
        """Starts a GPT from scratch."""
        try:
            active = self.context.settle(stored)
            run = self.pretraining.start(stored, name, *given)
        except Exception as error:
            return failure(error), gr.skip(), gr.skip(), *self.watch(stored, "")
        words = "When it is done, a fine-tuning can take it as its base model."
        return notice(words, "good", f"{run} has started."), run, self._free_name(active), *self.watch(stored, run)

    def offer(self, stored: object) -> tuple[Any, ...]:
        """What there is to choose from: the labels have grown since, and runs have ended."""
        teaching = self.teaching.show(self.context.settle(stored))
        return *teaching, gr.Dropdown(choices=[*PACKAGED, *self.context.base_runs()]), *self.manage.show()

    def teach(self, stored: object) -> tuple[Any, ...]:
        """Teaches the run in use what the labels say, as a run of its own."""
        try:
            name = self.teaching.start(self.context.settle(stored))
        except Exception as error:
            return failure(error), gr.skip(), *self.watch(stored, "")
        words = "It learns as a run of its own; the run in use stays as it is."
        return notice(words, "good", f"{name} has started."), name, *self.watch(stored, name)

    def plan(self, stored: object, name: str, *settings: Any) -> Plan:
        """What 'Start' would start.

        Raises:
            RunError: the settings are wrong, or a finding says that the data cannot be trained on.
        """
        active, options = self.context.settle(stored), self.settings.options(*settings)
        if options.task == "recommend":
            check_trainable(self.context.dataset(active))
        return training(active.data, options)

    def stop(self, stored: object, shown: str, sort: str) -> tuple[Any, ...]:
        """Stops the run that is looked at; what it learned is kept."""
        return self._act(stored, shown, sort, "The step is finished first, then what was learned is saved.", "stop")

    def discard(self, stored: object, shown: str, sort: str) -> tuple[Any, ...]:
        return self._act(stored, shown, sort, "It ends now, and leaves nothing.", "discard")

    def resume(self, stored: object, shown: str, sort: str) -> tuple[Any, ...]:
        return self._act(stored, shown, sort, "It goes on by itself: you may close this page and come back.", "resume")

    def _act(self, stored: object, shown: str, sort: str, words: str, act: str) -> tuple[Any, ...]:
        jobs, workspace, run = self.context.jobs, self.context.workspace, self._looked_at(stored, shown)
        try:
            if run and act == "resume":
                jobs.resume(workspace, run.name)
            elif run:
                jobs.stop(workspace, run.name, discard=act == "discard")
        except Exception as error:
            return failure(error), *self.watch(stored, shown, sort)
        return notice(words), *self.watch(stored, shown, sort)

    @worded
    def press(self, stored: object, shown: str, sort: str, event: gr.EventData) -> tuple[Any, ...]:
        """'Use' makes a run active, with its data unless the data is chosen already; a GPT from scratch becomes the
        base model of the form. 'Look' shows the curve. The head of a column sorts."""
        press = pressed(event)
        if by := press.get("by"):
            return gr.skip(), gr.skip(), by, gr.skip(), *self.watch(stored, shown, by)
        run = self.context.workspace.run(press.get("run", ""))
        if run.task in ("score", "classify"):
            gr.Info("Ask it on the tab Recommend, under 'Classify or score'.")
        if press.get("press") == "look" or run.task != "recommend":
            base = press.get("press") == "base"
            if base:
                gr.Info(say(f"{run.name} is the base model of the settings now."))
            chosen = gr.Dropdown(value=run.name) if base else gr.skip()
            return gr.skip(), run.name, sort, chosen, *self.watch(stored, run.name, sort)
        active = Active(run.data, run.name)
        if run.data not in {source.data for source in self.context.sources()}:
            active = Active(self.context.settle(stored).data, run.name)
        remembered = self.context.remember(active)
        return remembered, run.name, sort, gr.skip(), *self.watch(remembered, run.name, sort)

    def reorder(self, stored: object, shown: str, sort: str, event: gr.EventData) -> tuple[Any, ...]:
        """Moves a waiting run, or takes it out of the queue."""
        press = pressed(event)
        name, act = press.get("run", ""), press.get("press")
        try:
            if act == "unqueue":
                self.context.jobs.stop(self.context.workspace, name, discard=True)
            else:
                self.context.workspace.turns.move(name, -1 if act == "up" else 1)
        except Exception as error:
            return failure(error), *self.watch(stored, shown, sort)
        return "", *self.watch(stored, shown, sort)


def check_trainable(dataset: Dataset) -> None:
    """Raises: RunError: a finding says that the data cannot be trained on."""
    grave = next((finding for finding in dataset.findings if finding.grade == "stops"), None)
    if grave:
        raise RunError(f"This data cannot be trained on. {grave.message}", hint="See the findings on the tab Data.")


def _starting() -> tuple[str, gr.Button]:
    return notice("Starting: its process needs a few seconds."), gr.Button(interactive=False)
