"""The part of the tab Label where one chooses what to judge: mode, source, order, filters, runs to compare with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from gpr.data.dataset import Request
from gpr.labels.formats import read_rows
from gpr.labels.queue import ORDERS, SOURCES, Wish, requests_from
from gpr.ui.context import Context
from gpr.ui.dealer import BASE, MODES, ONE, Choice
from gpr.ui.events import TOLD
from gpr.ui.label_files import READ
from gpr.ui.labelling import Typed
from gpr.ui.messages import worded

ANY = "any"


class QueuePanel:
    """Its fields; `build` shows all but the mode."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.mode = gr.Radio(list(MODES), value=ONE, label="Mode", elem_id="gpr-mode")

    def build(self) -> None:
        """The fields, in an accordion."""
        self.uploaded = gr.State(())
        with gr.Accordion("What to label, in which order", open=False, elem_id="gpr-queue"):
            with gr.Row():
                self.source = gr.Dropdown(list(SOURCES), value=SOURCES[0], label="From", min_width=150)
                self.order = gr.Dropdown(list(ORDERS), value=ORDERS[0], label="Order", min_width=150)
                self.upload = gr.UploadButton(
                    "Queries from a file", file_types=[*READ, ".txt"], min_width=150, elem_id="gpr-queries"
                )
                self.compare: Any = gr.Dropdown(
                    [], multiselect=True, label="Compare with", min_width=200, elem_id="gpr-compare"
                )
            with gr.Row():
                self.category = gr.Dropdown([ANY], value=ANY, label="Category", min_width=130)
                self.lowest = gr.Number(0, label="Probability from, %", minimum=0, maximum=100, min_width=110)
                self.highest = gr.Number(100, label="to, %", minimum=0, maximum=100, min_width=110)
                self.judged_by = gr.Dropdown([ANY], value=ANY, label="Judged by", min_width=130)
                self.judged_on: Any = gr.Dropdown([ANY], value=ANY, label="Judged on", min_width=130)

    @property
    def fields(self) -> list[Any]:
        """What `choice` reads, in its order."""
        return [
            self.mode, self.source, self.order, self.category, self.compare, self.lowest, self.highest,
            self.judged_by, self.judged_on, self.uploaded,
        ]  # fmt: skip

    @property
    def offered(self) -> list[Any]:
        """What `offer` fills."""
        return [self.category, self.compare, self.judged_by, self.judged_on]

    def wire(self, active: gr.BrowserState) -> None:
        self.upload.upload(
            self.take,
            [self.upload, active],
            [self.uploaded, self.source],
            **TOLD,
        )

    @worded
    def take(self, file: str, stored: object) -> tuple[tuple[Request, ...], str]:
        """The requests of a file, which are then judged."""
        rows = read_rows(Path(file))
        return tuple(requests_from(rows, self.context.dataset(self.context.settle(stored)))), "uploaded"

    @worded
    def offer(self, stored: object) -> tuple[Any, ...]:
        """What the queue can be made of: categories, runs, annotators."""
        active = self.context.settle(stored)
        dataset = self.context.dataset(active)
        categories = sorted({str(value) for value in dataset.catalogue.table.get("category", ()) if str(value)})
        runs: Any = [("Base model", BASE)] if active.run else []
        runs += [(run.name, run.name) for run in self.context.usable_runs() if run.name != active.run]
        stats = self.context.workspace.labels.stats(dataset=dataset.name)
        ran: Any = [(ANY, ANY), *((run or "Base model", run) for run in stats["by_run"])]
        return (
            gr.Dropdown([ANY, *categories]),
            gr.Dropdown(runs),
            gr.Dropdown([ANY, *stats["by_annotator"]]),
            gr.Dropdown(ran),
        )

    def choice(self, stored: object, annotator: str, typed: list[Typed], values: tuple[Any, ...]) -> Choice:
        """What the fields say. Raises: RequestError."""
        mode, source, order, category, compare, lowest, highest, by, on, uploaded = values
        active = self.context.settle(stored)
        wish = Wish(
            source,
            order,
            category="" if category in (ANY, None) else category,
            lowest=(lowest or 0) / 100,
            highest=1.0 if highest is None else highest / 100,
            run=None if on in (ANY, None) else on,
            annotator="" if by in (ANY, None) else by,
        )
        asked = tuple(request for data, request in typed if data == active.data)
        return Choice(active, annotator, mode, wish, tuple(compare or ()), asked, tuple(uploaded))
