"""Under the table of runs: compare some, and rename, describe, delete, export or import one. It knows no training."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import pandas as pd

from gpr.errors import RunError
from gpr.packing import KINDS, export_run, import_run
from gpr.runs import compare
from gpr.ui.context import Context
from gpr.ui.messages import failure, notice, worded
from gpr.ui.tables import table

if TYPE_CHECKING:
    from gpr.workspace import RunInfo

POINTS = 120
"""Of each curve; more are thinned out."""


class ManageRuns:
    """Builds the fold; `wire` connects it. `names` are the choices of its two lists."""

    def __init__(self, context: Context) -> None:
        self.context = context
        with gr.Accordion("Compare, rename, export, import…", open=False, elem_id="gpr-manage"):
            self.chosen = gr.Dropdown(
                [], multiselect=True, label="Runs to compare", info="Two or more.", elem_id="gpr-compare"
            )
            self.curves = gr.LinePlot(
                x="step", y="loss", color="run", height=220, visible=False, x_title="step", y_title="loss",
                color_title="run", tooltip="all",
            )  # fmt: skip
            self.compared = gr.HTML("", elem_id="gpr-compared", apply_default_css=False, js_on_load=None)
            self.run = gr.Dropdown([], label="One run", elem_id="gpr-one-run")
            with gr.Row():
                self.name = gr.Textbox(label="Name", min_width=160)
                self.tags = gr.Textbox(label="Tags", info="Separated by commas.", min_width=160)
            self.note = gr.Textbox(label="Note", lines=2)
            with gr.Row():
                self.save = gr.Button("Save", min_width=90, elem_id="gpr-save-run")
                self.delete = gr.Button("Delete", variant="stop", min_width=90, elem_id="gpr-delete-run")
            self.sure = gr.Checkbox(label="Yes, delete it for good", visible=False, elem_id="gpr-delete-sure")
            with gr.Row():
                self.kind = gr.Dropdown(list(KINDS), value="run", label="Export as", min_width=120)
                self.export = gr.Button("Export", min_width=90, elem_id="gpr-export-run")
            self.file = gr.File(label="Exported", visible=False, elem_id="gpr-exported")
            self.upload = gr.File(label="Import a run (.zip)", file_types=[".zip"], elem_id="gpr-import", height=110)
            self.notice = gr.HTML("", elem_id="gpr-manage-notice", apply_default_css=False, js_on_load=None)

    @property
    def outputs(self) -> list[Any]:
        """What `show` fills when the runs have changed."""
        return [self.chosen, self.run]

    @worded
    def show(self) -> tuple[Any, ...]:
        names = [run.name for run in self.context.workspace.runs()]
        return gr.Dropdown(choices=names), gr.Dropdown(choices=names)

    def wire(self, bound: dict[str, Any], again: Any, inputs: list[Any], outputs: list[Any]) -> None:
        """Args: again: fills the rest of the tab from `inputs` into `outputs` after a change."""
        self.chosen.change(self.compare, self.chosen, [self.curves, self.compared], **bound)
        self.run.change(self.look, self.run, [self.name, self.tags, self.note, self.sure, self.file], **bound)
        change = [self.notice, self.run]
        for event in (
            self.save.click(self.keep, [self.run, self.name, self.tags, self.note], change, **bound),
            self.delete.click(self.remove, [self.run, self.sure], [*change, self.sure], **bound),
            self.upload.upload(self.take, self.upload, [*change, self.upload], **bound),
        ):
            event.then(again, inputs, outputs, **bound).then(self.show, None, self.outputs, **bound)
        self.export.click(self.pack, [self.run, self.kind], [self.notice, self.file], **bound)

    @worded
    def compare(self, names: list[str]) -> tuple[Any, str]:
        runs = [run for run in self.context.workspace.runs() if run.name in (names or [])]
        if len(runs) < 2:
            return gr.LinePlot(visible=False), ""
        found = compare(runs)
        rows = [(name.replace("_", " "), *map(_short, row)) for part in found.values() for name, row in part.items()]
        heads = ("", *(run.name for run in runs))
        curves = [point for run in runs for point in _curve(run)]
        plot = gr.LinePlot(pd.DataFrame(curves), visible=True) if curves else gr.LinePlot(visible=False)
        return plot, table(heads, rows, label="comparison", numbers=range(1, len(runs) + 1))

    def look(self, name: str | None) -> tuple[Any, ...]:
        hidden = gr.Checkbox(value=False, visible=False), gr.File(visible=False)
        if not name:
            return "", "", "", *hidden
        try:
            run = self.context.workspace.run(name)
        except RunError:
            return "", "", "", *hidden
        return run.name, ", ".join(run.tags), run.note, *hidden

    def keep(self, name: str | None, to: str, tags: str, note: str) -> tuple[str, Any]:
        try:
            workspace = self.context.workspace
            workspace.describe_run(_needed(name), note=note.strip(), tags=tags.split(","))
            if to.strip() and to.strip() != name:
                name = workspace.rename_run(_needed(name), to.strip()).name
        except Exception as error:
            return failure(error), gr.skip()
        return notice(f"{name}: saved.", "good"), gr.Dropdown(value=name)

    def remove(self, name: str | None, sure: bool) -> tuple[Any, ...]:
        try:
            if _needed(name) and not sure:
                return notice("Tick the box, then press Delete again."), gr.skip(), gr.Checkbox(visible=True)
            self.context.workspace.delete_run(_needed(name))
        except Exception as error:
            return failure(error), gr.skip(), gr.skip()
        return notice(f"{name}: deleted.", "good"), gr.Dropdown(value=None), gr.Checkbox(value=False, visible=False)

    def pack(self, name: str | None, kind: str) -> tuple[str, Any]:
        try:
            folder = Path(tempfile.mkdtemp(prefix="gpr-export-"))
            path = export_run(self.context.workspace.run(_needed(name)), folder / f"{name}.zip", kind)  # type: ignore[arg-type]
        except Exception as error:
            return failure(error), gr.File(visible=False)
        return notice("It is ready to be downloaded.", "good"), gr.File(str(path), visible=True)

    def take(self, file: str) -> tuple[Any, ...]:
        try:
            name = import_run(Path(file), self.context.workspace.new_run_folder)
        except Exception as error:
            return failure(error), gr.skip(), None
        return notice(f"{name} was imported.", "good"), gr.Dropdown(value=name), None


def _needed(name: str | None) -> str:
    if not name:
        raise RunError("No run is chosen.", hint="Choose one in the list above.")
    return name


def _short(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _curve(run: RunInfo) -> list[dict[str, Any]]:
    log = run.log()
    return [
        {"step": entry["step"], "loss": entry["loss"], "run": run.name} for entry in log[:: max(1, len(log) // POINTS)]
    ]
