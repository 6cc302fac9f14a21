"""The part of the tab Label for files: all labels out, labels of others in."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import gradio as gr

from gpr.labels.formats import export_labels
from gpr.ui.context import Context
from gpr.ui.messages import notice, plural, worded

FORMATS = {"CSV": ".csv", "JSONL": ".jsonl", "Parquet": ".parquet"}
DOWNLOAD = "() => document.querySelector('#gpr-export-file')?.click()"


class LabelFiles:
    """Builds the part; `wire` connects it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        with gr.Row(equal_height=True, elem_classes="gpr-export"):
            self.format = gr.Dropdown(list(FORMATS), value="CSV", label="Format", scale=0, min_width=130)
            self.export_button = gr.Button("Download all labels", scale=0, min_width=190, elem_id="gpr-export")
            self.file = gr.DownloadButton("Download", visible="hidden", elem_id="gpr-export-file")
        self.exported = gr.HTML("", elem_id="gpr-export-notice", apply_default_css=False, js_on_load=None)

    def wire(self) -> None:
        quick: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        made = self.export_button.click(self.export, self.format, [self.file, self.exported], **quick)
        made.success(None, None, None, js=DOWNLOAD)

    @worded
    def export(self, kind: str) -> tuple[Any, ...]:
        """All labels as a file, which the browser then fetches."""
        labels = self.context.workspace.labels.current()
        if not labels:
            return None, notice("There are no labels yet. Judge some recommendations first.", "warn")
        folder = Path(tempfile.mkdtemp(dir=_made(Path(self.file.GRADIO_CACHE))))
        path = folder / f"labels{FORMATS.get(kind, '.csv')}"
        export_labels(labels, path)
        return str(path), notice(f"{plural(len(labels), 'label')} in {path.name}.", "good")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
