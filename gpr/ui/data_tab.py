"""The tab Data: choose or upload, and see what was understood."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from gpr.data.dataset import SPLITS, Dataset
from gpr.data.read import known_formats
from gpr.errors import DataError
from gpr.keeping import keep
from gpr.ui.context import Active, Context, Source
from gpr.ui.messages import failure, notice, worded
from gpr.ui.press import button, pressable, pressed
from gpr.ui.tables import SPLIT_WORDS, finding_list, table, understood
from gpr.ui.uploads import free_name, plain_name, suggest_name

PAGE = 8
"""Rows of a preview."""
MAP_FIRST = "Say below what its columns mean before it can be used."
DOWNLOADS = "Fetched once from a package registry: its licence forbids to pass it on."


class DataTab:
    """Builds the tab; `wire` connects it."""

    def __init__(self, context: Context, active: gr.BrowserState) -> None:
        self.context, self.active = context, active
        gr.HTML('<h2 class="gpr-title">Choose data</h2>', apply_default_css=False, js_on_load=None)
        self.tiles = pressable(elem_id="gpr-sources")
        with gr.Accordion("Use your own table", open=False, elem_id="gpr-own"):
            gr.HTML(_HELP, apply_default_css=False, js_on_load=None)
            self.files = gr.File(file_count="multiple", label="Files", height=150, elem_id="gpr-files")
            with gr.Row(elem_classes="gpr-ask"):
                self.name = gr.Textbox(label="Name", placeholder="of this data", scale=3, min_width=160)
                self.add = gr.Button("Check and use", variant="primary", scale=0, min_width=150, elem_id="gpr-add")
        self.notice = gr.HTML("", elem_id="gpr-data-notice", apply_default_css=False, js_on_load=None)
        self.report = gr.HTML("", elem_id="gpr-report", apply_default_css=False, js_on_load=None, min_height=80)
        self.preview = pressable(elem_id="gpr-preview")

    def wire(self) -> None:
        quick: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        slow: dict[str, Any] = {"concurrency_limit": 4, "show_progress": "minimal", "api_visibility": "private"}
        self.tiles.press(self.choose, self.active, [self.active, self.notice], show_progress_on=self.report, **slow)
        self.files.upload(self.suggest, [self.files, self.name], self.name, **quick)
        self.add.click(
            self.upload,
            [self.active, self.files, self.name],
            [self.active, self.notice, self.files, self.name],
            show_progress_on=self.notice,
            **slow,
        )
        self.preview.press(self.turn, self.active, self.preview, **quick)

    @property
    def outputs(self) -> list[Any]:
        """What `show` fills when the data has changed."""
        return [self.tiles, self.report, self.preview]

    def show(self, stored: object) -> tuple[str, str, str]:
        """The tab for what is active now."""
        active = self.context.settle(stored)
        tiles = _tiles(self.context.sources(), active)
        try:
            dataset = self.context.dataset(active)
        except Exception as error:
            return tiles, failure(error), ""
        return tiles, _report(dataset), _preview(dataset)

    def choose(self, stored: object, event: gr.EventData) -> tuple[Any, str]:
        """Makes data active, once it could be read."""
        wanted = pressed(event).get("source", "")
        if wanted not in {source.data for source in self.context.sources()}:
            return gr.skip(), notice("This data is no longer there.", "warn")
        active = self.context.choose(wanted)
        try:
            self.context.dataset(active)
        except Exception as error:
            return gr.skip(), failure(error)
        return self.context.remember(active), ""

    def suggest(self, files: list[str] | None, name: str) -> Any:
        return suggest_name(files) if files and not name.strip() else gr.skip()

    def upload(self, stored: object, files: list[str] | None, name: str) -> tuple[Any, ...]:
        """Keeps the files and makes them active; what cannot be read is not kept."""
        store = self.context.workspace.data
        try:
            if not files:
                raise DataError("No file was chosen.", hint="Choose or drop one first.")
            free = free_name(plain_name(name) or suggest_name(files), store)
            kept = keep(self.context.workspace, [Path(file) for file in files], free, partial=True)
        except Exception as error:
            return gr.skip(), failure(error), gr.skip(), gr.skip()
        active = self.context.choose(str(store.folder(free)))
        words = f"{free} is stored and active: {kept.items:,} items. See below what was understood."
        told = notice(words, "good") if kept.hash else notice(f"{free} is stored. {MAP_FIRST}", "warn")
        return self.context.remember(active), told, None, ""

    @worded
    def turn(self, stored: object, event: gr.EventData) -> str:
        """Another page of the preview."""
        press = pressed(event)
        return _preview(self.context.dataset(self.context.settle(stored)), press["part"], int(press["page"]))


_HELP = (
    '<p class="gpr-help">One file with a column of titles is enough. Better: <code>items.csv</code> with '
    "<code>item_id, title</code> and any of <code>description, category, …</code>, and <code>pairs.csv</code> with "
    "<code>query, item_id</code> or <code>interactions.csv</code> with <code>user_id, item_id</code>. "
    f"Formats: {known_formats()}. The files stay in your workspace on this machine.</p>"
)


def _tiles(sources: list[Source], active: Active) -> str:
    tiles = "".join(
        button(
            f"<b>{escape(source.name)}</b><span>{escape(source.about)}</span>"
            + (f"<small>{escape(DOWNLOADS)}</small>" if source.kind == "download" else ""),
            "choose",
            style="gpr-tile",
            on=source.data == active.data,
            source=source.data,
        )
        for source in sources
    )
    return f'<div class="gpr-tiles">{tiles}</div>'


def _report(dataset: Dataset) -> str:
    return (
        f'<h2 class="gpr-title">{escape(dataset.name)}</h2>{understood(dataset)}'
        f'<h3 class="gpr-title">Findings</h3>{finding_list(dataset.findings)}'
    )


def _preview(dataset: Dataset, part: str = "items", page: int = 0) -> str:
    """One page of the items or of the examples."""
    sizes = {"items": len(dataset.catalogue), "examples": sum(map(len, dataset.examples.values()))}
    total = sizes.get(part, 0)
    page = max(0, min(page, (total - 1) // PAGE))
    rows = slice(page * PAGE, (page + 1) * PAGE)
    shown = _items(dataset, rows) if part == "items" else _examples(dataset, rows)
    switch = "".join(
        button(
            f"{name.capitalize()} <small>{size:,}</small>",
            "page",
            style="gpr-switch",
            on=name == part,
            part=name,
            page=0,
        )
        for name, size in sizes.items()
        if size
    )
    first, last = min(page * PAGE + 1, total), min((page + 1) * PAGE, total)
    turns = (
        ""
        if total <= PAGE
        else "".join(
            button(arrow, "page", label=f"{words} page", part=part, page=target)
            for arrow, words, target in (("←", "Previous", page - 1), ("→", "Next", page + 1))
        )
    )
    return (
        f'<h3 class="gpr-title">Preview</h3><div class="gpr-pager"><div class="gpr-switches">{switch}</div>'
        f'<div class="gpr-turns"><span>{first:,} to {last:,} of {total:,}</span>{turns}</div></div>{shown}'
    )


def _items(dataset: Dataset, rows: slice) -> str:
    catalogue = dataset.catalogue
    shown = catalogue.table.iloc[rows]
    body = [
        (item_id, *row) for item_id, row in zip(catalogue.item_ids[rows], shown.itertuples(index=False), strict=True)
    ]
    return table(("item_id", *map(str, shown.columns)), body, label="items")


def _examples(dataset: Dataset, rows: slice) -> str:
    titles = dataset.catalogue.titles
    pairs = [(split, example) for split in SPLITS for example in dataset.examples[split]][rows]
    histories = any(example.request.history for _, example in pairs)
    body = []
    for split, example in pairs:
        chosen = [titles[number] for number in example.request.history]
        history = [f"{len(chosen)} items, last {chosen[-1]}" if chosen else ""] if histories else []
        body.append((example.request.query, *history, titles[example.item], SPLIT_WORDS[split]))
    return table(("query", *(["history"] if histories else []), "item", "split"), body, label="examples")
