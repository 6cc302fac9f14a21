"""The tab Data: choose or upload, see what was understood, change it, look at it. Only wiring and handlers."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import plotly.graph_objects as go

from gpr.data.choices import Choices
from gpr.data.load import kept_folder
from gpr.data.read import known_formats
from gpr.errors import DataError, ModelError
from gpr.keeping import keep
from gpr.ui.context import MAPPED, Active, Context
from gpr.ui.data.pictures import available, token_lengths
from gpr.ui.data.preview import preview
from gpr.ui.data.report import incomplete_html, report_html
from gpr.ui.data.sources import tiles_html
from gpr.ui.data.take import TakeAway
from gpr.ui.events import QUICK, TOLD
from gpr.ui.language import say
from gpr.ui.messages import failure, notice, title, worded
from gpr.ui.press import pressable, pressed
from gpr.ui.uploads import free_name, plain_name, suggest_name

KEEP_PERSONAL = "Keep personal data in texts"
ELSE_MASKED = (
    "Else e-mail addresses, numbers of phones, cards, accounts and the like are masked before they are stored."
)
NOT_YET = "It cannot be used yet: see below why. Until then {} stays active."
TOKEN_LENGTHS = "Token lengths"
"""The one picture that needs the model; it waits for it."""


class DataTab:
    """Builds the tab; `wire` connects it."""

    def __init__(self, context: Context, active: gr.BrowserState) -> None:
        self.context, self.active = context, active
        self.suggested = gr.State("")
        gr.HTML(title("Choose data"), apply_default_css=False, js_on_load=None)
        self.tiles = pressable(elem_id="gpr-sources")
        with gr.Accordion("Use your own table", open=False, elem_id="gpr-own") as self.own:
            gr.HTML(f'<p class="gpr-help">{_HELP}</p>', apply_default_css=False, js_on_load=None)
            self.files = gr.File(file_count="multiple", label="Files", height=150, elem_id="gpr-files")
            self.personal = gr.Checkbox(label=KEEP_PERSONAL, info=ELSE_MASKED, elem_id="gpr-keep-personal")
            with gr.Row(elem_classes="gpr-ask"):
                self.name = gr.Textbox(label="Name", placeholder="of this data", scale=3, min_width=160)
                self.add = gr.Button("Check and use", variant="primary", scale=0, min_width=150, elem_id="gpr-add")
        self.notice = gr.HTML("", elem_id="gpr-data-notice", apply_default_css=False, js_on_load=None)
        self.report = pressable(elem_id="gpr-report", min_height=80)
        self.take = TakeAway(context, active)
        gr.HTML(title("Look", 3), apply_default_css=False, js_on_load=None)
        self.search = gr.Textbox(label="Search", placeholder="words in a row", elem_id="gpr-data-search")
        self.preview = pressable(elem_id="gpr-preview")
        with gr.Accordion("Pictures", open=False, elem_id="gpr-pictures") as self.pictures:
            self.picture = gr.Radio([], label="Picture", show_label=False, elem_id="gpr-picture")
            self.plot = gr.Plot(show_label=False, elem_id="gpr-plot")

    def wire(self) -> None:
        slow: dict[str, Any] = {"concurrency_limit": 4, "show_progress": "minimal", "api_visibility": "private"}
        self.tiles.press(self.choose, self.active, [self.active, self.notice], show_progress_on=self.report, **slow)
        named = [self.name, self.suggested]
        self.files.upload(self.suggest, [self.files, *named], named, **QUICK)
        self.add.click(
            self.upload,
            [self.active, self.files, self.name, self.personal],
            [self.active, self.notice, self.files, self.name],
            show_progress_on=self.notice,
            **slow,
        )
        shown = [self.active, self.notice, *self.outputs]
        self.report.press(
            self.change, self.active, shown, show_progress_on=self.report, trigger_mode="multiple", **slow
        )
        self.take.wire(self.notice)
        self.preview.press(self.turn, [self.active, self.search], self.preview, **TOLD)
        self.search.change(self.find, [self.active, self.search], self.preview, trigger_mode="always_last", **TOLD)
        shown = [self.picture, self.plot]
        self.pictures.expand(self.draw, [self.active, self.picture], shown, **slow)
        self.picture.input(self.draw, [self.active, self.picture], shown, **slow)

    @property
    def outputs(self) -> list[Any]:
        """What `show` fills when the data has changed."""
        return [self.tiles, self.report, self.preview, self.search, self.pictures]

    def show(self, stored: object) -> tuple[Any, ...]:
        """The tab for what is active now."""
        active = self.context.looked_at(stored)
        tiles = tiles_html(self.context.sources(), active)
        closed = gr.Accordion(open=False)
        try:
            dataset = self.context.dataset(active)
            report = report_html(dataset, copied=kept_folder(active.data) is None)
            return tiles, report, preview(dataset), "", closed
        except Exception as error:
            return tiles, incomplete_html(active.data, error), "", "", closed

    def choose(self, stored: object, event: gr.EventData) -> tuple[Any, str]:
        """Makes data active, once it could be read."""
        wanted = pressed(event).get("source", "")
        if wanted not in {source.data for source in self.context.sources()}:
            return gr.skip(), notice("This data is no longer there.", "warn")
        try:
            state = self.context.turn_to(stored, wanted)
            if MAPPED not in state:
                self.context.dataset(Active(wanted))
        except Exception as error:
            return gr.skip(), failure(error)
        return state, ""

    def suggest(self, files: list[str] | None, name: str, suggested: str) -> tuple[Any, Any]:
        """A name for the files, unless somebody typed one: what was suggested for other files gives way."""
        if not files or name.strip() not in ("", suggested):
            return gr.skip(), gr.skip()
        own = suggest_name(files)
        return own, own

    def upload(self, stored: object, files: list[str] | None, name: str, personal: bool) -> tuple[Any, ...]:
        """Keeps the files and makes them active; what cannot be read is not kept."""
        store = self.context.workspace.data
        try:
            if not files:
                raise DataError("No file was chosen.", hint="Choose or drop one first.")
            free = free_name(plain_name(name) or suggest_name(files), store)
            choices = Choices(personal="keep" if personal else "mask")
            kept = keep(self.context.workspace, [Path(file) for file in files], free, choices, partial=True)
            state = self.context.turn_to(stored, str(store.folder(free)))
        except Exception as error:
            return gr.skip(), failure(error), gr.skip(), gr.skip()
        words = f"{free} is stored and active: {kept.items:,} items. See below what was understood."
        told = notice(words, "good") if kept.hash else notice(f"{free} is stored. {self._not_yet(stored)}", "warn")
        return state, told, None, ""

    def change(self, stored: object, event: gr.EventData) -> tuple[Any, ...]:
        """Another meaning of a column, or another choice; what cannot be used changes nothing."""
        active, press = self.context.looked_at(stored), pressed(event)
        store = self.context.workspace.data
        try:
            name, words = self._own(active, press)
            kept = store.choose(name, _changed(store.find(name).choices, press))
            state = self.context.turn_to(stored, str(store.folder(name)))
        except Exception as error:
            return gr.skip(), failure(error), *self.show(stored)
        if not kept.hash:
            words = self._not_yet(stored)
        turn = {
            "hash": kept.hash,
            "turn": secrets.token_hex(4),
        }  # so that every tab hears, and this one draws once
        return state | turn, notice(words, "good" if kept.hash else "warn"), *[gr.skip() for _ in self.outputs]

    def _not_yet(self, stored: object) -> str:
        return NOT_YET.format(self.context.settle(stored).name)

    def _own(self, active: Active, press: dict[str, str]) -> tuple[str, str]:
        """The name of a kept data set to change, and what to say: a copy of what is not the user's."""
        folder = kept_folder(active.data)
        if folder is not None:
            return folder.name, ""
        name = free_name(active.name, self.context.workspace.data)
        keep(self.context.workspace, active.data, name, _changed(Choices(), press))
        return name, f"Your copy is called {name}."

    @worded
    def turn(self, stored: object, search: str, event: gr.EventData) -> str:
        """Another page of the preview."""
        press = pressed(event)
        dataset = self.context.dataset(self.context.looked_at(stored))
        return preview(dataset, press["part"], int(press["page"]), search)

    @worded
    def find(self, stored: object, search: str) -> str:
        """Items, or where none has the words, whatever has them."""
        dataset = self.context.dataset(self.context.looked_at(stored))
        return preview(dataset, search=search)

    @worded
    def draw(self, stored: object, chosen: str | None) -> tuple[Any, Any]:
        """A picture, and which there are."""
        active = self.context.looked_at(stored)
        pictures = available(self.context.dataset(active))
        names = [*pictures, TOKEN_LENGTHS]
        name = chosen if chosen in names else names[0]
        choices = gr.Radio([(say(one), one) for one in names], value=name)
        return choices, pictures[name] if name in pictures else self._token_lengths(active)

    def _token_lengths(self, active: Active) -> go.Figure:
        """Of the items' texts under the model, once it is loaded.

        Raises:
            ModelError: it could not be.
        """
        from gpr.lm.prompts import MAX_ITEM_TOKENS

        task = self.context.load(active)
        task.thread.join()
        if task.state != "done":
            raise ModelError("The token lengths cannot be shown without the model.", hint=task.words)
        prompts = self.context.recommender(active).ensemble.gpt.prompts
        return token_lengths([prompt.end - prompt.start for prompt in prompts.texts], MAX_ITEM_TOKENS)


_HELP = "<br>".join(
    f"<span>{words}</span>"
    for words in (
        "One file with a column of titles is enough. Better: items.csv with item_id, title and any of description, "
        "category, and pairs.csv with query, item_id or interactions.csv with user_id, item_id.",
        f"Formats: {known_formats()}; MovieLens, Amazon reviews, RecBole, Argilla, Label Studio as they are.",
        "The data stays in your workspace on this machine, with user ids as keyed hashes.",
    )
)


def _changed(choices: Choices, press: dict[str, str]) -> Choices:
    """The choices with what was pressed."""
    value = press.get("value", "")
    if press.get("press") == "role":
        return choices.with_role(press["file"], press["column"], value)  # type: ignore[arg-type]  # checked there
    name = press.get("name", "")
    if name == "good_from":
        return replace(choices, good_from=float(value) if value else None)
    return Choices.from_json(choices.as_json() | {name: value})
