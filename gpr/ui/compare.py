"""Two lists for the request of an answer, side by side: any of a run, the base model, popularity and BM25.

Blind, the names are hidden until one list is preferred; the preference goes into the labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from gpr.labels.wins import wins
from gpr.ranking import Wish, rank
from gpr.recommendation import Recommendation
from gpr.scorers.pool import without_history
from gpr.scorers.popular import Popular
from gpr.scorers.words import Words
from gpr.ui.cards import facts, percent
from gpr.ui.context import Active, Context
from gpr.ui.events import QUICK, TOLD
from gpr.ui.labelling import DEFAULT_ANNOTATOR, annotator_of
from gpr.ui.language import say
from gpr.ui.messages import empty, failure, notice, worded
from gpr.ui.press import button, pressable, pressed
from gpr.ui.turns import Answer as Listed
from gpr.ui.turns import PairTurn

if TYPE_CHECKING:
    from gpr.data.dataset import Dataset

BASE, POPULAR, WORDS = "(base)", "(popular)", "(bm25)"
"""What is no run; no run can have these names."""
NAMES = {BASE: "Base model, not fine-tuned", POPULAR: "Popularity", WORDS: "BM25: the same words"}
MOST = 10


class ComparePanel:
    """A fold that is filled when it is open and there is an answer."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.open, self.turn = gr.State(False), gr.State(None)
        with gr.Accordion("Compare two models", open=False, elem_id="gpr-compare") as self.fold:
            with gr.Row():
                self.left = gr.Dropdown([], label="Left", elem_id="gpr-compare-left", min_width=160)
                self.right = gr.Dropdown([], label="Right", elem_id="gpr-compare-right", min_width=160)
                self.blind = gr.Checkbox(
                    False, label="Blind", info="Names are hidden until you choose", elem_id="gpr-compare-blind"
                )
            self.out = pressable(_nothing(), elem_id="gpr-compared")

    def wire(self, active: Any, answer: Any, name: Any, heavy: dict[str, Any]) -> None:
        shown = [active, answer, self.left, self.right, self.blind, self.open, name]
        told = [self.out, self.turn]
        opened = self.fold.expand(self.choices, active, [self.open, self.left, self.right], **QUICK)
        opened.then(self.show, shown, told, **heavy)
        self.fold.collapse(lambda: False, None, self.open, **QUICK)
        gr.on([answer.change, self.left.input, self.right.input, self.blind.input], self.show, shown, told, **heavy)
        self.out.press(self.prefer, [self.turn, name], self.out, trigger_mode="once", **TOLD)

    def choices(self, stored: object) -> tuple[Any, ...]:
        """Both lists of what can be compared: first what is active, beside it the base model or BM25."""
        active = self.context.settle(stored)
        runs = [(run.name, run.name) for run in self.context.usable_runs()]
        offered = [*runs, *((say(text), name) for name, text in NAMES.items())]
        right = BASE if active.run else WORDS
        return True, gr.Dropdown(offered, value=active.run or BASE), gr.Dropdown(offered, value=right)

    def show(
        self,
        stored: object,
        answer: Any,
        left: str,
        right: str,
        blind: bool,
        is_open: bool,
        name: str,
        who: gr.Request,
    ) -> Iterator[Any]:
        """Both lists. gradio reads the types here: those that only a checker imports hide the visitor's request.

        Args:
            answer: of the tab, or None.
        """
        if not is_open:
            yield gr.skip(), None
            return
        if answer is None or not left or not right:
            yield _nothing(), None
            return
        yield notice(say("Both models are being asked…")), None
        try:
            data, request, dataset = self.context.settle(stored).data, answer.request, answer.dataset
            lists = [Listed(_run(one), _name(one), self._asked(one, data, answer)) for one in (left, right)]
            annotator = annotator_of(name or DEFAULT_ANNOTATOR, who)
            turn = PairTurn.shuffled(dataset, request, (lists[0], lists[1]), annotator) if blind else None
        except Exception as error:
            yield failure(error), None
            return
        if turn is None:
            yield compared(lists, dataset), None
        elif left == right:
            yield notice("Choose two different models to compare them blind.", "warn"), None
        else:
            yield compared([turn.left, turn.right], dataset, blind=True), turn

    def _asked(self, one: str, data: str, answer: Any) -> tuple[Recommendation, ...]:
        """The best items that pass the filters of the answer."""
        dataset, request, wish = answer.dataset, answer.request, Wish(MOST, answer.wish.allowed)
        if one not in (POPULAR, WORDS):
            return tuple(rank(self.context.recommender(Active(data, _run(one))).score(request, wish=wish), wish))
        scorer = Popular(dataset) if one == POPULAR else Words(dataset, with_queries=True)
        scores = without_history(scorer.score_all([request]), [request])[0]
        scores = scores if wish.allowed is None else np.where(wish.allowed, scores, -np.inf)
        best = [number for number in np.argsort(-scores, kind="stable")[:MOST].tolist() if np.isfinite(scores[number])]
        ids, titles = dataset.catalogue.item_ids, dataset.catalogue.titles
        nan = float("nan")  # scores of these are no probabilities
        return tuple(Recommendation(rank, i, ids[i], titles[i], nan, nan) for rank, i in enumerate(best, 1))

    @worded
    def prefer(self, turn: PairTurn | None, name: str, event: gr.EventData, who: gr.Request) -> Any:
        """Stores a preference, and says whose list it was."""
        if turn is None or turn.finished:
            return gr.skip()
        store = self.context.workspace.labels
        said = turn.says(pressed(event), annotator_of(name or DEFAULT_ANNOTATOR, who))
        store.add(*said)
        turn.keep(said[0])
        liked = {"left": turn.left, "right": turn.right}.get(pressed(event)["press"])
        words = say(f"You preferred {liked.title}. It is stored." if liked else "No difference. It is stored.")
        pair = [one for one in wins(store.preferences(dataset=turn.dataset.name))["pairs"]
                if set(one["runs"]) == {turn.left.run, turn.right.run}]  # fmt: skip
        return compared([turn.left, turn.right], turn.dataset, said=f"{words} {_tally(pair, turn)}".strip())


def _run(one: str) -> str:
    return "" if one == BASE else one


def _name(one: str) -> str:
    return say(NAMES.get(one, one))


def _nothing() -> str:
    return empty("Nothing asked yet", "Ask for something first.")


def _tally(pairs: Sequence[dict[str, Any]], turn: PairTurn) -> str:
    """How often each was preferred so far, by everybody."""
    if not pairs:
        return ""
    names = {turn.left.run: turn.left.title, turn.right.run: turn.right.title}
    (one, other), pair = pairs[0]["runs"], pairs[0]
    return say(f"So far: {names[one]} {pair['wins']}, {names[other]} {pair['losses']}, no difference {pair['ties']}.")


def compared(lists: Sequence[Listed], dataset: Dataset, *, blind: bool = False, said: str = "") -> str:
    """Two lists as HTML; what stands elsewhere in the other list has an arrow.

    Args:
        blind: without names, numbers and arrows, but with buttons to prefer one. said: what was done last.
    """
    ranks = [{found.number: found.rank for found in one.recommendations} for one in lists]
    columns = []
    for place, one in enumerate(lists):
        name = say(("Left", "Right")[place]) if blind else one.title
        rows = "".join(_row(found, dataset, None if blind else ranks[1 - place]) for found in one.recommendations)
        columns.append(f'<section aria-label="{escape(name)}"><h4>{escape(name)}</h4><ol>{rows}</ol></section>')
    choices = (("left", "Left is better"), ("tie", "No difference"), ("right", "Right is better"))
    buttons = "".join(button(escape(say(text)), press, style="gpr-verdict") for press, text in choices) if blind else ""
    keys = f'<div class="gpr-choose">{buttons}</div>' if buttons else ""
    both = len(ranks[0].keys() & ranks[1].keys())
    count = (
        ""
        if blind
        else f'<p class="gpr-muted">{escape(say(f"{both} of {len(ranks[0])} items are in both lists."))}</p>'
    )
    return f'{notice(said, "good")}{count}<div class="gpr-compared">{"".join(columns)}</div>{keys}'


def _row(found: Recommendation, dataset: Dataset, others: dict[int, int] | None) -> str:
    move = "" if others is None else _move(found.rank, others.get(found.number))
    odds = "" if others is None or found.probability != found.probability else f"<b>{percent(found.probability)}</b>"
    return (
        f'<li><span class="gpr-rank">{found.rank}</span><div><strong>{escape(found.title)}</strong>'
        f"{facts(dataset.catalogue.details(found.number))}</div><span>{odds}{move}</span></li>"
    )


def _move(rank: int, other: int | None) -> str:
    """How much higher or lower it stands here than in the other list."""
    if other is None:
        return f'<small class="gpr-move gpr-new">{escape(say("only here"))}</small>'
    if other == rank:
        return f'<small class="gpr-move" title="{escape(say("the same place"))}">=</small>'
    side, arrow = ("up", "▲") if rank < other else ("down", "▼")
    told = escape(say(f"place {other} in the other list"))
    return f'<small class="gpr-move gpr-{side}" title="{told}" aria-label="{told}">{arrow} {abs(other - rank)}</small>'
