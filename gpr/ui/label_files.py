"""The part of the tab Label for files: all labels out, labels of others in."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr

from gpr.labels.exchange import Imported, import_rows
from gpr.labels.formats import export_labels, read_rows
from gpr.ui.context import Context
from gpr.ui.events import TOLD
from gpr.ui.labelling import DEFAULT_ANNOTATOR, annotator_of
from gpr.ui.messages import failure, notice, plural, worded

FORMATS = {
    "CSV": ("csv", ".csv"), "JSONL": ("jsonl", ".jsonl"), "Parquet": ("parquet", ".parquet"),
    "datasets folder": ("datasets", ""), "Argilla": ("argilla", ".json"), "Label Studio": ("label-studio", ".json"),
    "Preference pairs": ("pairs", ".jsonl"), "Preferences between runs": ("preferences", ".jsonl"),
}  # fmt: skip
READ = [".csv", ".tsv", ".jsonl", ".parquet", ".json", ".zip"]
SHOWN = 3
DOWNLOAD = "() => document.querySelector('#gpr-export-file')?.click()"


class LabelFiles:
    """Builds the part; `wire` connects it."""

    def __init__(self, context: Context, active: gr.BrowserState, name: gr.Textbox) -> None:
        self.context, self.active, self.name = context, active, name
        with gr.Row(equal_height=True, elem_classes="gpr-export"):
            self.format = gr.Dropdown(list(FORMATS), value="CSV", label="Format", scale=0, min_width=170)
            self.export_button = gr.Button("Download all labels", scale=0, min_width=190, elem_id="gpr-export")
            self.file = gr.DownloadButton("Download", visible="hidden", elem_id="gpr-export-file")
            self.upload = gr.UploadButton(
                "Add labels from a file", file_types=READ, scale=0, min_width=220, elem_id="gpr-import"
            )
        self.exported = gr.HTML("", elem_id="gpr-export-notice", apply_default_css=False, js_on_load=None)

    def wire(self) -> None:
        made = self.export_button.click(self.export, self.format, [self.file, self.exported], **TOLD)
        made.success(None, None, None, js=DOWNLOAD)
        self.upload.upload(self.take, [self.upload, self.active, self.name], self.exported, **TOLD)

    @worded
    def export(self, kind: str) -> tuple[Any, ...]:
        """All labels as a file, which the browser then fetches; a folder is packed."""
        layout, suffix = FORMATS[kind]
        store = self.context.workspace.labels
        said = store.preferences() if layout == "preferences" else store.current()
        if not said:
            return None, notice("There are no labels yet. Judge some recommendations first.", "warn")
        folder = Path(tempfile.mkdtemp(dir=_made(Path(self.file.GRADIO_CACHE))))
        path = folder / f"labels{suffix}"
        count = export_labels(said, path, layout)
        if path.is_dir():
            path = Path(shutil.make_archive(str(folder / "labels"), "zip", path))
        what = {"pairs": "pair", "preferences": "preference"}.get(layout, "label")
        return str(path), notice(f"{plural(count, what)} in {path.name}.", "good")

    def take(self, file: str, stored: object, name: str, who: gr.Request) -> str:
        """Adds the labels of a file; items are looked up in the data that is active."""
        try:
            dataset = self.context.dataset(self.context.settle(stored))
            annotator = annotator_of(name or DEFAULT_ANNOTATOR, who)
            store = self.context.workspace.labels
            done = import_rows(read_rows(Path(file)), store, {dataset.name: dataset.catalogue}, annotator)
        except Exception as error:
            return failure(error)
        return _report(done)


def _report(done: Imported) -> str:
    words = [f"{plural(len(done.labels), 'label')} added"] if done.labels or not done.preferences else []
    words += [f"{plural(len(done.preferences), 'preference')} added"] if done.preferences else []
    words += [f"{done.known:,} known already"] if done.known else []
    if done.unknown_items:
        words.append(f"{plural(len(done.unknown_items), 'item')} not in this data, kept: {_some(done.unknown_items)}")
    if done.left_out:
        words.append(f"{plural(len(done.left_out), 'row')} left out: {_some(done.left_out)}")
    return notice(". ".join(words) + ".", "warn" if done.unknown_items or done.left_out else "good")


def _some(found: list[str]) -> str:
    return ", ".join(found[:SHOWN]) + ("…" if len(found) > SHOWN else "")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
