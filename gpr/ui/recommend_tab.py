"""The tab Recommend: a request in, cards out, one press for a label. Only wiring and handlers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from gpr.errors import GPRError
from gpr.ui.belief import BeliefPanel
from gpr.ui.cards import skeletons
from gpr.ui.compare import ComparePanel
from gpr.ui.context import Active, Context
from gpr.ui.events import HEAVY, QUICK, REFRESH, TOLD, each
from gpr.ui.ideas import IdeasPanel
from gpr.ui.labelling import DEFAULT_ANNOTATOR, Typed, annotator_of
from gpr.ui.language import say
from gpr.ui.messages import empty, failure, notice, worded
from gpr.ui.press import pressable, pressed
from gpr.ui.recommend.answer import Answer
from gpr.ui.recommend.answering import Answering
from gpr.ui.recommend.asking import Asking, moved
from gpr.ui.recommend.box import MAX_K, Box
from gpr.ui.recommend.card_presses import CardPresses
from gpr.ui.recommend.changes import Changes
from gpr.ui.recommend.link import Link
from gpr.ui.recommend.panels import chips, filter_panel, slider_panel
from gpr.ui.recommend.picking import (
    MANY_ITEMS,
    asked_before,
    examples,
    remembered,
    titles_matching,
    titles_offered,
    users_offered,
)

SKELETONS = 4
MAX_TYPED = 50
"""Requests of a session that are kept for the tab Label."""
BASE = "(base)"
"""The base model in the list of runs; no run can have this name."""
TO_THE_ANSWER = "() => document.querySelector('#gpr-answer').scrollIntoView({block: 'start'})"
NOTHING_YET = empty("Nothing asked yet", "Type what you are looking for, or take one of the examples.")


class RecommendTab:
    """Builds the tab; `wire` connects it.

    Args:
        active, name, typed, recent: of the whole page; name is the annotator's, recent what was asked before.
    """

    def __init__(
        self,
        context: Context,
        active: gr.BrowserState,
        name: gr.BrowserState,
        typed: gr.State,
        recent: gr.BrowserState,
    ) -> None:
        self.context, self.answering = context, Answering(context)
        self.active, self.name, self.typed, self.recent = active, name, typed, recent
        self.answer, self.shown, self.asking = gr.State(None), gr.State(None), gr.State(Asking())
        self.box = Box()
        self.out = pressable(NOTHING_YET, elem_id="gpr-answer", min_height=120)
        self.belief, self.compare, self.ideas = BeliefPanel(context), ComparePanel(context), IdeasPanel(context)

    def wire(self, loaded: Any) -> None:
        """Args: loaded: the event of a new page."""
        box = [self.active, self.box.query, self.box.history, self.box.k, self.asking]
        asked = [*box, self.box.learn, self.name, self.typed, self.recent, self.answer]
        answered = [self.out, self.answer, self.typed, self.recent]
        answered += [self.box.chips, self.box.examples, self.box.sliders, self.box.refine]
        said = [self.asking, self.box.query, self.box.history, self.box.filters]
        changes = Changes(self.context, self.box, self.asking)
        runs = [gr.on([self.box.query.submit, self.box.go.click], self.recommend, asked, answered, **HEAVY)]
        for event, change, inputs, then in (
            (self.box.examples.press, changes.take_example, [self.asking], self.recommend),
            (self.out.like, changes.more_like, [self.active, self.asking], self.recommend),
            (self.box.user.input, changes.take_user, [self.active, self.box.user], self.recommend),
            (self.box.chips.press, changes.change, [self.active, self.asking, self.box.history], self.follow),
            (self.box.refine.submit, changes.follow_up, [self.asking, self.box.refine], self.follow),
        ):
            outputs = [*said, self.box.refine] if change == changes.follow_up else said
            runs.append(event(change, inputs, outputs, **TOLD).then(then, asked, answered, **HEAVY))
        self._wire_panels(box)
        self.box.run.input(self.choose_run, [self.active, self.box.run], self.active, **TOLD)
        # Each key its own request: the one that gradio keeps back for 'always_last' has the text of the first key.
        self.box.history.key_up(
            self.search_history, [self.active, self.box.history], self.box.history, trigger_mode="multiple", **QUICK
        )
        shown = [
            self.shown,
            self.box.run,
            self.box.examples,
            self.box.user,
            self.box.chips,
            self.box.sliders,
            self.box.refine,
        ]
        shown += [*said, self.out, self.answer, self.box.k]
        each(self.active.change)(self.show, [self.active, self.shown, self.recent], shown, **REFRESH)
        opened = loaded(self.open, [self.active, self.recent], shown, **REFRESH)
        runs.append(opened.then(self.ask_linked, asked, answered, **HEAVY))
        # What is under way ends before a press is answered: asked again at once, the next one must not end with it.
        self.out.press(None, cancels=runs, **QUICK)
        CardPresses(self.context, self.active, self.name, self.answer, self.out).wire(self.box)

    def _wire_panels(self, box: list[Any]) -> None:
        """What changes the list of an answer, and what is shown beside it. Args: box: what is asked."""
        again = [self.asking, self.out, self.box.chips]
        for panel in (self.box.filters, self.box.sliders):
            panel.press(self.move, [*box, self.answer], again, trigger_mode="multiple", **TOLD)
        self.box.k.release(self.count, [*box, self.answer], self.out, trigger_mode="always_last", **TOLD)
        self.belief.wire(self.active, self.answer, HEAVY)
        only = self.belief.map.press(
            self.only, [*box, self.answer], [*again, self.box.filters], trigger_mode="multiple", **TOLD
        )
        only.success(None, None, None, js=TO_THE_ANSWER)
        self.compare.wire(self.active, self.answer, self.name, HEAVY)
        self.ideas.wire(self.active, self.answer, self.box.query, HEAVY)

    def remember(self, stored: object, who: gr.Request) -> dict[str, str]:
        """What a new page is about, for the browser to remember."""
        return self.context.remember(self.answering.opened(stored, who)[0])

    def open(self, stored: object, recent: object, who: gr.Request) -> dict[Any, Any]:
        """The tab on a new page, as its address says. Who was quick to ask is not disturbed."""
        active, link, fault = self.answering.opened(stored, who)
        said = self._shown(active, recent, link)
        if not link.asks:
            said[self.box.history] = gr.Dropdown(said.pop(self.box.history).choices)
            said.pop(self.asking, None)
        return said | ({self.out: notice(say(fault), "warn")} if fault else {})

    def show(self, stored: object, shown: Active | None, recent: object) -> dict[Any, Any]:
        """The tab for what is active now. An answer is cleared only if something else was active before.

        Args:
            shown: what the tab shows already; None on a page that is still opened.
        """
        active = self.context.settle(stored)
        if shown is None or shown == active:
            return {self.box.run: self._runs(shown or active)}
        if shown.data != active.data:
            return self._nothing_asked() | self._shown(active, recent, Link())
        return {self.shown: active, self.box.run: self._runs(active)} | self._nothing_asked()

    def _nothing_asked(self) -> dict[Any, Any]:
        waiting = gr.Textbox(interactive=False)
        return {self.out: NOTHING_YET, self.answer: None, self.box.refine: waiting, self.box.chips: ""}

    def _shown(self, active: Active, recent: object, link: Link) -> dict[Any, Any]:
        fresh: dict[Any, Any] = {self.shown: active, self.box.run: self._runs(active), self.asking: link.asking}
        try:
            dataset, known = self.context.dataset(active), self.answering.facets(active)
        except Exception as error:
            nothing = {self.box.examples: "", self.box.filters: "", self.box.history: gr.Dropdown([], value=[])}
            return fresh | nothing | {self.out: failure(error)}
        history, users = link.history(dataset.catalogue), users_offered(dataset)
        said: dict[Any, Any] = {self.box.query: link.query} if link.asks else {}
        said |= {self.box.k: min(link.k, MAX_K)} if link.k else {}
        return fresh | said | {
            self.box.examples: examples(dataset, asked_before(recent, active.name)),
            self.box.filters: filter_panel(known, link.asking),
            self.box.sliders: slider_panel([], link.asking),
            self.box.history: gr.Dropdown(titles_offered(dataset, history), value=history),
            self.box.user: gr.Dropdown(users, value=None, visible=bool(users)),
        }  # fmt: skip

    def _runs(self, active: Active) -> gr.Dropdown:
        choices = [(say("Base model, not fine-tuned"), BASE)]
        choices += [
            (say(f"{run.name} (trained on {Active(run.data).name})"), run.name) for run in self.context.usable_runs()
        ]
        return gr.Dropdown(choices, value=active.run or BASE)

    @worded
    def choose_run(self, stored: object, run: str) -> dict[str, str]:
        active = self.context.settle(stored)
        return self.context.remember(Active(active.data, "" if run == BASE else run))

    @worded
    def search_history(self, stored: object, chosen: list[int], event: gr.KeyUpData) -> Any:
        """For a large catalogue: the titles that hold what was typed."""
        dataset = self.context.dataset(self.context.settle(stored))
        if len(dataset.catalogue) <= MANY_ITEMS:
            return gr.skip()
        return gr.Dropdown(choices=titles_matching(dataset, str(event.input_value), chosen or []))

    def ask_linked(self, who: gr.Request, stored: object, *asked: Any) -> Iterator[Any]:
        """Asks what the address of a new page says."""
        active, link, _ = self.answering.opened(stored, who)
        if not link.asks:
            yield {self.out: gr.skip()}
            return
        yield from self._ask(active, *asked, who=who)

    def recommend(self, who: gr.Request, stored: object, *asked: Any) -> Iterator[Any]:
        """The answer as cards. gradio passes the visitor where it stands, so it goes before all that is asked."""
        yield from self._ask(self.context.settle(stored), *asked, who=who)

    def follow(self, who: gr.Request, stored: object, *asked: Any) -> Iterator[Any]:
        """The answer to what has changed; where the request is the same, without the model."""
        active = self.context.settle(stored)
        query, history, k, asking, *_, answer = asked
        if not (query or "").strip() and not history and not asking.turns:
            yield {self.out: NOTHING_YET, self.answer: None, self.box.chips: self._chips(active, asking, history)}
        elif answer and answer.is_of(active.run, self.answering.request(active, query, history, asking)):
            yield self._ranked_again(active, query, history, k, asking, answer)
        else:
            yield from self._ask(active, *asked, who=who)

    def _ask(
        self, active: Active, query: str, history: list[int], k: int, asking: Asking, learn: bool, name: str,
        typed: list[Typed], recent: object, answer: Answer | None, *, who: gr.Request,
    ) -> Iterator[dict[Any, Any]]:  # fmt: skip
        """First what stands there until the answer is known, then the answer."""
        loading = self.context.load(active, again=True).state == "running"
        words = notice("The model is still being loaded. Your answer comes right after.") if loading else ""
        try:
            waiting = {self.out: words + skeletons(min(k, SKELETONS))}
            yield waiting | {self.box.chips: self._chips(active, asking, history)} | self._asked(active, recent, query)
            annotator = annotator_of(name or DEFAULT_ANNOTATOR, who)
            begun = self.answering.begin(active, query, history, k, asking, learn=learn)
            if begun.stages.slow:
                yield {self.out: begun.html()}
            found = self.answering.answer(begun, annotator)
        except Exception as error:
            yield {self.out: failure(error), self.answer: None}
            return
        yield {
            self.out: found.html(),
            self.answer: found,
            self.typed: [*typed, (active.data, found.request)][-MAX_TYPED:],
            self.box.sliders: slider_panel(found.parts, asking),
            self.box.refine: gr.Textbox(interactive=True),
        }

    def _asked(self, active: Active, recent: object, query: str) -> dict[Any, Any]:
        """A new query among those that were asked before."""
        known, kept = asked_before(recent, active.name), remembered(recent, active.name, query)
        if known[:1] == (now := asked_before(kept, active.name))[:1]:
            return {}
        return {self.recent: kept, self.box.examples: examples(self.context.dataset(active), now)}

    def _ranked_again(self, active: Active, *asked: Any) -> dict[Any, Any]:
        *box, answer = asked
        history, asking = box[1], box[3]
        said = {self.box.chips: self._chips(active, asking, history)}
        try:
            self.answering.again(answer, active, *box)
        except GPRError as error:
            return said | {self.out: failure(error)}
        return said | {self.out: answer.html()}

    def _chips(self, active: Active, asking: Asking, history: list[int]) -> str:
        return chips(asking, history or [], self.context.dataset(active).catalogue, self.answering.facets(active))

    @worded
    def move(
        self, stored: object, query: str, history: list[int], k: int, asking: Asking, answer: Answer | None,
        event: gr.EventData,
    ) -> dict[Any, Any]:  # fmt: skip
        """A filter or a slider has moved: the list is ranked again."""
        asking, active = moved(asking, pressed(event)), self.context.settle(stored)
        said = {self.asking: asking, self.box.chips: self._chips(active, asking, history)}
        return said | (self._ranked_again(active, query, history, k, asking, answer) if answer else {})

    @worded
    def only(self, event: gr.EventData, stored: object, *asked: Any) -> dict[Any, Any]:
        """A category of the map is all that the list is to show."""
        query, history, k, asking, answer = asked
        asking = asking.without_filter(pressed(event)["column"])
        said: dict[Any, Any] = self.move(stored, query, history, k, asking, answer, event)
        known = self.answering.facets(self.context.settle(stored))
        return said | {self.box.filters: filter_panel(known, said[self.asking])}

    @worded
    def count(
        self, stored: object, query: str, history: list[int], k: int, asking: Asking, answer: Answer | None
    ) -> Any:
        """More or fewer cards."""
        if not answer:
            return gr.skip()
        return self._ranked_again(self.context.settle(stored), query, history, k, asking, answer)[self.out]
