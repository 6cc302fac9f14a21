"""The part of the tab Data for taking away what is used and what is set aside, and for names, deletion and people."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from gpr.data.account import write_repaired, write_set_aside
from gpr.data.load import kept_folder
from gpr.errors import DataError
from gpr.keeping import delete, forget, rename
from gpr.ui.context import Context
from gpr.ui.language import say
from gpr.ui.messages import failure, notice, plural, worded

DOWNLOAD = "() => document.querySelector('#gpr-data-file')?.click()"


class TakeAway:
    """Builds the part; `wire` connects it."""

    def __init__(self, context: Context, active: gr.BrowserState) -> None:
        self.context, self.active = context, active
        with gr.Row(elem_classes="gpr-export", elem_id="gpr-take"):
            self.repaired = gr.Button("Download the data as it is used", scale=0, min_width=290, elem_id="gpr-repaired")
            self.aside = gr.Button("Download rows set aside", scale=0, min_width=230, elem_id="gpr-aside")
            self.file = gr.DownloadButton("Download", visible="hidden", elem_id="gpr-data-file")
        with gr.Accordion("Rename, delete, forget a person", open=False, elem_id="gpr-keep"):
            with gr.Row(elem_classes="gpr-ask"):
                self.name = gr.Textbox(label="New name of this data", scale=3, min_width=160)
                self.rename = gr.Button("Rename", scale=0, min_width=120, elem_id="gpr-rename")
            with gr.Row(elem_classes="gpr-ask"):
                self.user = gr.Textbox(label="Id of a person, as in your files", scale=3, min_width=160)
                self.forget = gr.Button("Forget this person", scale=0, min_width=160, elem_id="gpr-forget")
            with gr.Row(elem_classes="gpr-ask"):
                self.force = gr.Checkbox(label="Even if a run needs it", scale=3, min_width=160)
                self.delete = gr.Button(
                    "Delete this data", variant="stop", scale=0, min_width=150, elem_id="gpr-delete"
                )

    def wire(self, told: gr.HTML) -> None:
        """Args: told: where it is said what was done."""
        quick: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 4}
        for button, make in ((self.repaired, self._repaired), (self.aside, self._aside)):
            made = button.click(self._file(make), self.active, [self.file, told], **quick)
            made.success(None, None, None, js=DOWNLOAD)
        shown = [self.active, told]
        self.rename.click(self.renamed, [self.active, self.name], shown, **quick)
        self.forget.click(self.forgotten, [self.active, self.user], shown, **quick)
        self.delete.click(self.deleted, [self.active, self.force], shown, **quick)

    def _file(self, make: Callable[[Any, Path], tuple[Path, str]]) -> Callable[[object], tuple[Any, ...]]:
        """A file in a place that the browser may fetch from."""

        def made(stored: object) -> tuple[Any, ...]:
            dataset = self.context.dataset(self.context.looked_at(stored))
            cache = Path(self.file.GRADIO_CACHE)
            cache.mkdir(parents=True, exist_ok=True)
            path, words = make(dataset, Path(tempfile.mkdtemp(dir=cache)))
            return str(path), notice(words, "good")

        return worded(made)

    def _repaired(self, dataset: Any, folder: Path) -> tuple[Path, str]:
        files = write_repaired(dataset, folder / dataset.name)
        path = shutil.make_archive(str(folder / f"{dataset.name}-as-used"), "zip", folder / dataset.name)
        return Path(path), f"{plural(len(files), 'file')} in {Path(path).name}."

    def _aside(self, dataset: Any, folder: Path) -> tuple[Path, str]:
        path = folder / f"{dataset.name}-set-aside.csv"
        return path, f"{plural(write_set_aside(dataset, path), 'row')} in {path.name}."

    def _kept_name(self, stored: object) -> str:
        folder = kept_folder(self.context.looked_at(stored).data)
        if folder is None:
            raise DataError("This data is not kept in the workspace.", hint="Only your own data can be changed here.")
        return folder.name

    def renamed(self, stored: object, name: str) -> tuple[Any, str]:
        try:
            new = rename(self.context.workspace, self._kept_name(stored), name.strip()).name
        except Exception as error:
            return gr.skip(), failure(error)
        state = self.context.turn_to(stored, str(self.context.workspace.data.folder(new)))
        return state, notice(f"It is called {new} now.", "good")

    def deleted(self, stored: object, force: bool) -> tuple[Any, str]:
        try:
            name = self._kept_name(stored)
            delete(self.context.workspace, name, force=force)
        except Exception as error:
            return gr.skip(), failure(error)
        return self.context.remember(self.context.settle(stored)), notice(f"{name} is deleted.", "good")

    def forgotten(self, stored: object, user: str) -> tuple[Any, str]:
        """From all kept data."""
        try:
            gone = forget(self.context.workspace, user)
        except Exception as error:
            return gr.skip(), failure(error)
        words = " ".join(
            say(f"{one.name}: {plural(one.rows, 'row')} and {plural(one.labels, 'label')} removed.")
            + (" " + say(f"Batches of requests removed: {one.batches}.") if one.batches else "")
            + (f" Runs trained on it: {', '.join(one.runs)}." if one.runs else "")
            for one in gone
        )
        mark = {"hash": gone[0].after}
        return self.context.remember(self.context.settle(stored)) | mark, notice(words, "good")
