"""Many requests at once: a file of them in, a file of recommendations out, answered behind the page.

The browser keeps the key of its batch, so whoever comes back finds it; all else is in the workspace.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from gpr.errors import RequestError
from gpr.kept_batch import BATCHES, BatchStore, KeptBatch
from gpr.ui.background import Task
from gpr.ui.context import Active, Context
from gpr.ui.events import QUICK, TOLD
from gpr.ui.language import say
from gpr.ui.messages import in_words, notice, worded
from gpr.ui.recommend.box import MAX_K, K
from gpr.ui.runs import span
from gpr.ui.tables import progress_bar

KINDS = {"CSV": ".csv", "JSONL": ".jsonl", "Parquet": ".parquet"}
READ = [".csv", ".tsv", ".jsonl", ".parquet", ".txt"]
POLL_SECONDS = 1.0
ABOUT = (
    "A file with a column 'query', a column 'history' (ids with '|' between them), or both. "
    "The model that is chosen above answers every row, also while this page is closed."
)
DOWNLOAD = "() => document.querySelector('#gpr-many-out')?.click()"


class ManyPanel:
    """A fold: a form, or how the batch of this browser stands. `wire` connects it.

    Args:
        mine: the key of the browser's batch, '' for none.
    """

    def __init__(self, context: Context, active: gr.BrowserState, mine: gr.BrowserState) -> None:
        self.context, self.active, self.mine = context, active, mine
        self.store = BatchStore(context.workspace.root / BATCHES)
        self.timer = gr.Timer(POLL_SECONDS, active=False)
        with gr.Accordion("Many at once", open=False, elem_id="gpr-many") as self.fold:
            with gr.Column() as self.form:
                gr.HTML(f'<p class="gpr-help">{ABOUT}</p>', apply_default_css=False, js_on_load=None)
                self.file = gr.File(file_types=READ, label="File of requests", height=130, elem_id="gpr-many-file")
                with gr.Row(elem_classes="gpr-ask"):
                    self.k = gr.Number(
                        K, label="Recommendations for each", precision=0, minimum=1, maximum=MAX_K, min_width=160
                    )
                    self.kind = gr.Dropdown(list(KINDS), value="CSV", label="Format", min_width=140)
                    self.go = gr.Button("Answer all", variant="primary", scale=0, min_width=150, elem_id="gpr-many-go")
            self.status = gr.HTML("", elem_id="gpr-many-status", apply_default_css=False, js_on_load=None)
            with gr.Row(visible=False) as self.buttons:
                self.stop = gr.Button("Stop", min_width=110, elem_id="gpr-many-stop")
                self.on = gr.Button("Go on", min_width=110, elem_id="gpr-many-on")
                self.get = gr.Button("Download", variant="primary", min_width=110, elem_id="gpr-many-get")
                self.remove = gr.Button("Remove", variant="stop", min_width=110, elem_id="gpr-many-remove")
            self.out = gr.DownloadButton("Download", visible="hidden", elem_id="gpr-many-out")

    def wire(self, loaded: Any) -> None:
        """Args: loaded: the event of a new page."""
        shown = [self.fold, self.form, self.status, self.buttons, self.stop, self.on, self.get, self.remove, self.timer]
        loaded(self.greet, self.mine, shown, **QUICK)
        self.timer.tick(self.view, self.mine, shown[1:], **QUICK)
        self.go.click(
            self.start, [self.active, self.file, self.k, self.kind], [self.mine, self.file, *shown[1:]], **TOLD
        )
        self.stop.click(self.end, self.mine, shown[1:], **TOLD)
        self.on.click(self.go_on, self.mine, shown[1:], **TOLD)
        self.remove.click(self.drop, self.mine, [self.mine, self.file, *shown[1:]], **TOLD)
        self.get.click(self.fetch, self.mine, self.out, **TOLD).success(None, None, None, js=DOWNLOAD)

    def greet(self, key: object) -> dict[Any, Any]:
        """A new page; what goes on, or waits, is shown at once."""
        return {self.fold: gr.Accordion(open=self.store.get(key) is not None)} | self.view(key)

    def view(self, key: object) -> dict[Any, Any]:
        """How the batch stands."""
        kept = self.store.get(key)
        task = self._task(kept)
        going, done = task is not None and task.state == "running", kept is not None and kept.out.is_file()
        asked = task is not None and task.asked
        return {
            self.form: gr.Column(visible=kept is None),
            self.status: _status(kept, task) if kept else "",
            self.buttons: gr.Row(visible=kept is not None),
            self.stop: gr.Button(say("Stopping…" if asked else "Stop"), visible=going, interactive=not asked),
            self.on: gr.Button(visible=not going and not done),
            self.get: gr.Button(visible=done),
            self.remove: gr.Button(visible=not going),
            self.timer: gr.Timer(active=going),
        }

    def start(self, stored: object, file: str | None, k: float | None, kind: str) -> dict[Any, Any]:
        """Keeps the file and begins; a file that cannot be used says why."""
        active = self.context.settle(stored)
        try:
            if not file:
                raise RequestError("No file is chosen.", hint="Choose one with a column 'query'.")
            dataset = self.context.dataset(active)
            kept = self.store.add(Path(file), dataset, active.data, active.run, max(1, int(k or K)), KINDS[kind])
        except Exception as error:
            words = in_words(error)
            told = words.replace(file, Path(file).name) if file else words
            return {self.file: None, self.status: notice(told, "bad")}
        self._begin(kept)
        return {self.mine: kept.key, self.file: None} | self.view(kept.key)

    @worded
    def end(self, key: object) -> dict[Any, Any]:
        """Asks the work to stop; what is answered is kept."""
        if task := self._task(self.store.get(key)):
            task.stop()
        return self.view(key)

    @worded
    def go_on(self, key: object) -> dict[Any, Any]:
        """Begins where it ended."""
        if kept := self.store.get(key):
            self._begin(kept)
        return self.view(key)

    @worded
    def drop(self, key: object) -> dict[Any, Any]:
        """Deletes the batch; the form is there again."""
        if kept := self.store.get(key):
            kept.delete()
        return {self.mine: "", self.file: None} | self.view("")

    @worded
    def fetch(self, key: object) -> str:
        """A copy of the file that was made, where the browser can fetch it."""
        kept = self.store.get(key)
        if kept is None:
            raise RequestError("This batch is no longer here.", hint="Load the page anew.")
        Path(self.out.GRADIO_CACHE).mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(dir=self.out.GRADIO_CACHE)
        return str(shutil.copy(kept.out, folder))

    def _task(self, kept: KeptBatch | None) -> Task | None:
        return self.context.background.get(("batch", kept.key)) if kept else None

    def _begin(self, kept: KeptBatch) -> None:
        self.context.background.start(("batch", kept.key), lambda task: self._answer(kept, task), again=True)

    def _answer(self, kept: KeptBatch, task: Task) -> None:
        """The work behind the page."""
        task.report(kept.answered() / kept.count, "Loading the model…")
        batch = kept.batch(self.context.recommender(Active(kept.data, kept.run)))
        numbers, began = batch.left(), time.monotonic()
        before = kept.count - len(numbers)
        for done, _ in enumerate(batch.run(numbers), 1):
            seconds = (time.monotonic() - began) / done * (len(numbers) - done)
            words = f"{before + done:,} of {kept.count:,} requests are answered, about {span(seconds)} left."
            task.report((before + done) / kept.count, words)
        batch.finish()


def _status(kept: KeptBatch, task: Task | None) -> str:
    about = say(f"{kept.k} for each request, from {Active(kept.data, kept.run).name}")
    model = escape(kept.run or say("Base model, not fine-tuned"))
    head = f'<h3>{escape(kept.name)}</h3><p class="gpr-muted">{escape(about)} · {model}</p>'
    if task is not None and task.state == "running":
        words = escape(say(task.words or "Starting…"))
        tail = f'{progress_bar(task.share, "requests")}<p class="gpr-muted" role="status">{words}</p>'
    elif task is not None and task.state == "failed":
        tail = notice(task.words, "bad")
    elif kept.out.is_file():
        tail = notice(f"All {kept.count:,} requests are answered.", "good")
    else:
        answered = f"{kept.answered():,} of {kept.count:,}"
        tail = notice(f"Stopped: {answered} requests are answered and kept. It can go on from there.")
    return f'<section class="gpr-run">{head}{tail}</section>'
