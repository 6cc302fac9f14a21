"""The tab Label: one key a judgement. A label is stored before the next card comes; the next cards wait already."""

from __future__ import annotations

import secrets
from dataclasses import replace
from html import escape
from typing import Any
from weakref import WeakValueDictionary

import gradio as gr

from gpr.labels.label import FLAG, Label, join_reasons
from gpr.labels.store import Said
from gpr.labels.team import Team
from gpr.ui.context import Context
from gpr.ui.dealer import BLIND, Choice, Dealer, liked
from gpr.ui.deck import Sitting, key_of
from gpr.ui.events import REFRESH, TOLD, each
from gpr.ui.judge import last_line, one_card, one_list, two_lists
from gpr.ui.label_files import LabelFiles
from gpr.ui.label_team import LabelTeam
from gpr.ui.labelling import Typed, annotator_of
from gpr.ui.language import say
from gpr.ui.messages import empty, failure, in_words, notice, plural
from gpr.ui.press import answering, around, pressed
from gpr.ui.queue_panel import QueuePanel
from gpr.ui.runs import span
from gpr.ui.tables import progress_bar
from gpr.ui.turns import CardTurn, ListTurn, PairTurn

POLL_SECONDS = 0.4
"""Between two looks while the model is loaded or the next card is thought of."""
NAME = "#gpr-annotator input, #gpr-annotator textarea"
ASK = f'<div data-focus="{NAME}"></div>'
UNHEARD = "The server did not answer: this may not be stored. Press again once it runs."


class LabelTab:
    """Builds the tab; `wire` connects it.

    Args:
        name: what the browser remembers of the annotator.
        typed: what was asked on this page.
    """

    def __init__(self, context: Context, active: gr.BrowserState, name: gr.BrowserState, typed: gr.State) -> None:
        self.context, self.active, self.stored_name, self.typed = context, active, name, typed
        self.team = Team(context.workspace.labels.database)
        self.sitting = gr.State(None)
        self.sittings: WeakValueDictionary[str, Sitting] = WeakValueDictionary()
        """By token; each as long as a page holds it."""
        self.timer = gr.Timer(POLL_SECONDS, active=False)
        with gr.Row(equal_height=True, elem_classes="gpr-lead"):
            self.annotator = gr.Textbox(
                "", label="Your name", placeholder="Asked once", max_length=80, scale=0, min_width=200,
                elem_id="gpr-annotator",
            )  # fmt: skip
            self.progress = gr.HTML(
                "", elem_id="gpr-label-progress", apply_default_css=False, js_on_load=None, scale=1, min_width=240
            )
        self.queue = QueuePanel(context)
        self.card = answering(self.press, elem_id="gpr-deck", min_height=160)
        self.queue.build()
        self.shared = LabelTeam(context, active, self.annotator)
        self.files = LabelFiles(context, active, self.annotator)

    def wire(self, tab: gr.Tab) -> None:
        wishes = self.queue.fields
        looked = [self.active, self.annotator, self.stored_name, self.typed, self.sitting, *wishes]
        shown = [self.card, self.progress, self.sitting, self.timer]
        changed = [field.change for field in wishes]
        gr.on([tab.select, self.annotator.blur, *changed], self.look, looked, shown, **REFRESH)
        self.timer.tick(self.watch, looked, shown, **REFRESH)
        tab.select(self.queue.offer, self.active, self.queue.offered, **TOLD)
        typed = [self.annotator.input, self.annotator.blur]
        each(*typed)(lambda name: name, self.annotator, self.stored_name, **REFRESH)
        self.card.heard(self.follow, self.sitting, [self.progress, self.timer], **REFRESH)
        self.queue.wire(self.active)
        self.shared.wire(tab)
        self.files.wire()

    def greet(self, name: str, who: gr.Request) -> Any:
        """The name that the browser remembers; that of the login where there is one. Without either nothing changes:
        a name may have been typed meanwhile.
        """
        login = getattr(who, "username", None)
        if not (login or name):
            return gr.skip()
        return gr.Textbox(login or name, interactive=not login)

    def look(
        self,
        stored: object,
        name: str,
        known: str,
        typed: list[Typed],
        sitting: Sitting | None,
        who: gr.Request,
        *wished: Any,
    ) -> tuple[Any, ...]:
        """The card to judge now. Sits down anew when anything that it depends on has changed; a model that could not be
        loaded is tried again.

        Args:
            name: as typed. known: what the browser remembers of it.
        """
        return self._look(stored, name or known, typed, sitting, who, wished, again=True)

    def watch(
        self,
        stored: object,
        name: str,
        known: str,
        typed: list[Typed],
        sitting: Sitting | None,
        who: gr.Request,
        *wished: Any,
    ) -> tuple[Any, ...]:
        """The same, asked by the timer while something is waited for."""
        return self._look(stored, name or known, typed, sitting, who, wished, again=False)

    def _look(
        self,
        stored: object,
        name: str,
        typed: list[Typed],
        sitting: Sitting | None,
        who: gr.Request,
        wished: tuple[Any, ...],
        *,
        again: bool,
    ) -> tuple[Any, ...]:
        try:
            if not (name or "").strip() and not getattr(who, "username", None):
                ask = empty("Who labels here?", "Type your name above, then press Enter. It is asked once.")
                return ask + ASK, "", None, gr.Timer(active=False)
            choice = self.queue.choice(stored, annotator_of(name, who), typed, wished)
            if sitting is None or sitting.key != choice:
                task = self.context.load(choice.active, again=again)
                if task.state == "failed":
                    return notice(task.words, "bad"), "", None, gr.Timer(active=False)
                if task.state == "running":
                    return _waiting("The model is being loaded…", task.words), "", sitting, gr.Timer(active=True)
                sitting = Dealer(self.context, self.context.recommender(choice.active), choice).sit(sitting)
                sitting.named = not getattr(who, "username", None)
                self.sittings[sitting.token] = sitting
            sitting.deck.think()
            with sitting.lock:
                waits = sitting.deck.waiting  # before it is written: what comes in between is shown by the next look
                return self._shown(sitting), _progress(sitting), sitting, gr.Timer(active=waits)
        except Exception as error:
            return failure(error), "", sitting, gr.Timer(active=False)

    def press(self, press: dict[str, str]) -> str:
        """Stores what was said of the turn that was seen, or takes the latest back; the next one comes at once."""
        sitting = self.sittings.get(press.get("sitting", ""))
        if sitting is None:  # of an earlier server, or before the name was changed
            return _waiting("One moment…", "The last press was not stored. Press again on the next card.")
        with sitting.lock:
            number, sitting.trouble = press.get("number", ""), ""
            if number and number == sitting.done_last:
                return self._shown(sitting)
            try:
                name = press.get("along", "") if sitting.named else ""  # it may have been typed just now
                self._do(sitting, press, annotator_of(name or sitting.annotator, None))
                sitting.done_last = number
            except Exception as error:
                sitting.trouble = in_words(error)
            return self._shown(sitting)

    def follow(self, sitting: Sitting | None, event: gr.EventData) -> tuple[Any, ...]:
        """What goes with the card of a press: the progress, and the next look where the page shows no card of it."""
        if sitting is None:
            return gr.skip(), gr.Timer(active=True)
        shown = pressed(event)
        stands = shown.get("sitting") == sitting.token and not shown.get("waits")
        with sitting.lock:
            return _progress(sitting), gr.skip() if stands else gr.Timer(active=True)

    def _do(self, sitting: Sitting, press: dict[str, str], annotator: str) -> None:
        turn, store = sitting.deck.turn, self.context.workspace.labels
        if press.get("press") == "undo":
            self._undo(sitting, annotator)
        elif press.get("press") == "redo":
            self._redo(sitting, annotator)
        elif press.get("press") == "reason":
            self._reason(sitting, press.get("reason", ""), annotator)
        elif turn and press.get("turn") == turn.token:
            said, batch = turn.says(press, annotator), secrets.token_hex(8)
            store.add(*said, batch=batch)
            sitting.annotator = annotator  # the name may have been typed just now, and the new sitting be on its way
            sitting.keep(said)
            sitting.said = _in_words(said)
            sitting.latest = (said[0], batch) if len(said) == 1 else None

    def _undo(self, sitting: Sitting, annotator: str) -> None:
        said = self.context.workspace.labels.undo(annotator)
        sitting.latest = None
        sitting.said = f"Taken back: {_in_words(said)}" if said else "There is nothing to take back."
        if said:
            sitting.forget(said)

    def _redo(self, sitting: Sitting, annotator: str) -> None:
        said = self.context.workspace.labels.redo(annotator)
        sitting.latest = None
        sitting.said = f"Said again: {_in_words(said)}" if said else "There is nothing to say again."
        sitting.keep(said)

    def _reason(self, sitting: Sitting, reason: str, annotator: str) -> None:
        """Adds a reason to what was said last, or takes it away again."""
        if sitting.latest is None or not isinstance(sitting.latest[0], Label):
            return
        label, batch = sitting.latest[0], sitting.latest[1]
        kept = [one for one in label.reasons if one != reason]
        label = replace(label, reason=join_reasons(kept if reason in label.reasons else [*kept, reason]))
        self.context.workspace.labels.add(label, batch=batch)
        sitting.latest = (label, batch)

    def _shown(self, sitting: Sitting) -> str:
        """The turn with the line below it."""
        waits = "yes" if sitting.deck.waiting else ""  # asked before it is written
        given = sitting.latest[0].reasons if sitting.latest and isinstance(sitting.latest[0], Label) else ()
        line = last_line(sitting.said, self._reasons(sitting), given)
        shown = notice(sitting.trouble, "bad") + _turn(sitting) + line
        return around(shown, NAME, notice(UNHEARD, "bad"), sitting=sitting.token, waits=waits)

    def _reasons(self, sitting: Sitting) -> tuple[str, ...]:
        """What may be added to 'bad', where that was said last; none where they cannot be read."""
        latest = sitting.latest[0] if sitting.latest else None
        try:
            return tuple(self.team.reasons) if isinstance(latest, Label) and latest.verdict == "bad" else ()
        except Exception as error:
            sitting.trouble = in_words(error)
            return ()


def _in_words(said: list[Said]) -> str:
    """'Good: Alien', '3 bad'."""
    one = said[-1]
    if not isinstance(one, Label):
        return liked(one)
    count = len({key_of(each) for each in said})
    if count > 1:
        return f"{count} {one.verdict}"
    verdict = "Skipped" if one.verdict == "skip" else one.verdict.capitalize()
    return f"{verdict}{', flagged' if FLAG in one.reasons else ''}: {one.title}"


def _turn(sitting: Sitting) -> str:
    deck, turn = sitting.deck, sitting.deck.turn
    if isinstance(turn, CardTurn):
        return one_card(turn, blind=isinstance(sitting.key, Choice) and sitting.key.mode == BLIND)
    if isinstance(turn, ListTurn):
        return one_list(turn)
    if isinstance(turn, PairTurn):
        return two_lists(turn)
    if deck.trouble:
        return notice(deck.trouble, "bad")
    if deck.waiting:
        return _waiting("Thinking of the next one…", "")
    if not deck.total:
        return empty("Nothing to judge yet", "This data brings no queries. Ask something on the tab Recommend first.")
    if sitting.done:
        return empty("All done", f"{say('Everything in this queue has a label of yours.')} {_summary(sitting)}")
    return empty("Nothing here", "No recommendation passes the filters, or others judge them already.")


def _waiting(title: str, text: str) -> str:
    return empty(title, text)


def _progress(sitting: Sitting) -> str:
    """How much is done, how fast, how long it still takes, and the summary of the sitting."""
    done = sitting.done
    total = max(sitting.deck.total, done)
    figures = [f"{_bold(done)} of {total:,} done", f"{_bold(sitting.labelled)} labelled in this sitting"]
    figures += [f"{_bold(sitting.rate)} an hour"] if sitting.rate else []
    figures += [f"{span(sitting.seconds_left)} left"] if sitting.seconds_left else []
    return (
        f'{progress_bar(done / total if total else 0, "done")}<details class="gpr-muted gpr-summary"><summary>'
        f"{' · '.join(map(say, figures))}</summary><p>{escape(_summary(sitting))}</p></details>"
    )


def _bold(number: float) -> str:
    return f"<b>{number:,.0f}</b>"


def _summary(sitting: Sitting) -> str:
    """One sentence on the sitting."""
    counts = [say(f"{count:,} {verdict}") for verdict, count in sitting.counts.most_common() if count]
    parts = [say(plural(sitting.labelled, "label")), *counts, say(span(sitting.seconds))]
    parts += [say(f"{sitting.rate:,.0f} an hour lately")] if sitting.rate else []
    parts += [say(f"{plural(sitting.taken_back, 'label')} taken back")] if sitting.taken_back else []
    return f"{say('This sitting:')} {say(', ').join(parts)}{say('.')}"
