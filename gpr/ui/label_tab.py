"""The tab Label: one recommendation at a time, one key each. A label is stored at once; the next cards wait already."""

from __future__ import annotations

import tempfile
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from gpr.labels.formats import export_labels
from gpr.labels.label import Label
from gpr.ui.cards import label_card
from gpr.ui.context import Active, Context
from gpr.ui.deck import EACH, Deck, Sitting, Typed, requests_of
from gpr.ui.labelling import DEFAULT_ANNOTATOR, annotator_of, give
from gpr.ui.messages import empty, failure, notice, plural, worded
from gpr.ui.press import button, pressable, pressed
from gpr.ui.tables import progress_bar

POLL_SECONDS = 0.4
"""Between two looks while the model is loaded or the next card is thought of."""
FORMATS = {"CSV": ".csv", "JSONL": ".jsonl", "Parquet": ".parquet"}
DOWNLOAD = "() => document.querySelector('#gpr-export-file')?.click()"


class LabelTab:
    """Builds the tab; `wire` connects it.

    Args:
        annotator: the name on the page, shared with the other tabs.
        name: what the browser remembers of it.
    """

    def __init__(self, context: Context, active: gr.BrowserState, name: gr.BrowserState, typed: gr.State) -> None:
        self.context, self.active, self.stored_name, self.typed = context, active, name, typed
        self.sitting = gr.State(None)
        self.timer = gr.Timer(POLL_SECONDS, active=False)
        with gr.Row(equal_height=True, elem_classes="gpr-lead"):
            self.annotator = gr.Textbox(
                DEFAULT_ANNOTATOR, label="Your name", max_length=80, scale=0, min_width=200, elem_id="gpr-annotator"
            )
            self.progress = gr.HTML(
                "", elem_id="gpr-label-progress", apply_default_css=False, js_on_load=None, scale=1, min_width=240
            )
        self.card = pressable(elem_id="gpr-deck", min_height=160)
        with gr.Row(equal_height=True, elem_classes="gpr-export"):
            self.format = gr.Dropdown(list(FORMATS), value="CSV", label="Format", scale=0, min_width=130)
            self.export_button = gr.Button("Download all labels", scale=0, min_width=190, elem_id="gpr-export")
            self.file = gr.DownloadButton("Download", visible="hidden", elem_id="gpr-export-file")
        self.exported = gr.HTML("", elem_id="gpr-export-notice", apply_default_css=False, js_on_load=None)

    def wire(self, tab: gr.Tab) -> None:
        quick: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        looked = [self.active, self.annotator, self.typed, self.sitting]
        shown = [self.card, self.progress, self.sitting, self.timer]
        gr.on(
            [tab.select, self.annotator.blur, self.annotator.submit, self.timer.tick], self.look, looked, shown, **quick
        )
        self.annotator.input(lambda name: name, self.annotator, self.stored_name, **quick)
        self.card.press(
            self.press,
            [self.sitting, self.annotator],
            [self.card, self.progress, self.timer],
            trigger_mode="multiple",
            **quick,
        )
        made = self.export_button.click(self.export, self.format, [self.file, self.exported], **quick)
        made.success(None, None, None, js=DOWNLOAD)

    def greet(self, name: str, who: gr.Request) -> gr.Textbox:
        """The name that the browser remembers; that of the login where there is one."""
        login = getattr(who, "username", None)
        return gr.Textbox(login or name, interactive=not login)

    def look(
        self, stored: object, name: str, typed: list[Typed], sitting: Sitting | None, who: gr.Request
    ) -> tuple[Any, ...]:
        """The card to judge now. Sits down anew when the data, the run, the annotator or what was typed has changed."""
        try:
            active, annotator = self.context.settle(stored), annotator_of(name, who)
            key = (active, annotator, *typed)
            if sitting is None or sitting.key != key:
                task = self.context.load(active, again=sitting is None)
                if task.state != "done":
                    return _waiting("The model is being loaded", task.words), "", None, gr.Timer(active=True)
                sitting = self._sit(active, annotator, typed, sitting)
            sitting.deck.think()
        except Exception as error:
            return failure(error), "", sitting, gr.Timer(active=False)
        return *_shown(sitting), sitting, gr.Timer(active=_thinks(sitting))

    def _sit(self, active: Active, annotator: str, typed: list[Typed], before: Sitting | None) -> Sitting:
        recommender = self.context.recommender(active)
        dataset = recommender.dataset
        done = self.context.workspace.labels.current(dataset=dataset.name, annotator=annotator)
        seen = {(label.request_id, label.item_id) for label in done}
        requests = requests_of(dataset, [request for data, request in typed if data == active.data])
        deck = Deck(dataset, requests, lambda request: recommender.recommend(request, EACH), seen)
        sitting = Sitting((active, annotator, *typed), deck, recommender.run, annotator, len(done))
        if before and before.annotator == annotator and before.deck.dataset is dataset:
            sitting.go_on(before)
        return sitting

    @worded
    def press(self, sitting: Sitting | None, name: str, event: gr.EventData, who: gr.Request) -> tuple[Any, ...]:
        """Stores a verdict on the card that was seen, or takes the latest one back; the next card comes at once."""
        if sitting is None:
            return _waiting("One moment", ""), gr.skip(), gr.Timer(active=True)
        press, deck, annotator = pressed(event), sitting.deck, annotator_of(name, who)
        if press.get("press") == "undo":
            sitting.said = self._undo(sitting, annotator)
        elif deck.card and press.get("place") == str(deck.place):
            card, verdict, store = deck.card, press["press"], self.context.workspace.labels
            give(store, deck.dataset, card.request, card.recommendation, sitting.run, verdict, annotator)
            sitting.annotator = (
                annotator  # the name may have been typed a moment ago, and the new sitting be on its way
            )
            sitting.said = f"{'Skipped' if verdict == 'skip' else verdict.capitalize()}: {card.recommendation.title}"
            sitting.mark()
            deck.step()
        return *_shown(sitting), gr.Timer(active=_thinks(sitting))

    def _undo(self, sitting: Sitting, annotator: str) -> str:
        taken = self.context.workspace.labels.undo(annotator)
        if not taken:
            return "There is nothing to take back."
        label = taken[-1]
        assert isinstance(label, Label)
        if sitting.deck.back((label.request_id, label.item_id)):
            sitting.unmark()
        return f"Taken back: {label.verdict} for {label.title}"

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


def _thinks(sitting: Sitting) -> bool:
    deck = sitting.deck
    return deck.card is None and not deck.exhausted and not deck.trouble


def _shown(sitting: Sitting) -> tuple[str, str]:
    """The card and the progress."""
    deck = sitting.deck
    if deck.card:
        card = label_card(deck.card.request, deck.card.recommendation, deck.dataset.catalogue, deck.place)
    elif deck.trouble:
        card = notice(deck.trouble, "bad")
    elif deck.exhausted and not deck.total:
        card = empty("Nothing to judge yet", "This data brings no queries. Ask something on the tab Recommend first.")
    elif deck.exhausted:
        card = empty("All done", "Everything in this queue has a label of yours. Thank you.")
    else:
        card = _waiting("Thinking of the next one", "")
    undo = button("Undo<kbd>U</kbd>", "undo", style="gpr-small")
    said = f'<span role="status">{escape(sitting.said)}</span>'
    return f'{card}<div class="gpr-last">{said}{undo}</div>', _progress(sitting)


def _waiting(title: str, text: str) -> str:
    return empty(f"{title}…", text)


def _progress(sitting: Sitting) -> str:
    """How much is done, and how fast."""
    done = sitting.before + sitting.labelled
    total = max(sitting.deck.total, done)
    figures = [f"<b>{done:,}</b> of {total:,} labelled", f"<b>{sitting.labelled:,}</b> in this sitting"]
    figures += [f"<b>{sitting.rate:,.0f}</b> an hour"] if sitting.rate else []
    return f'{progress_bar(done / total if total else 0, "labelled")}<p class="gpr-muted">{" · ".join(figures)}</p>'
