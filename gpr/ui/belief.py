"""What the model believes: its probability over the whole catalogue as a map, and where another model differs.

Beside an answer: the panel knows the answer's request, and loads models through the context.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from gpr.data.filters import values_of
from gpr.explain.belief import Node, belief, changes
from gpr.ranking import Wish, probabilities
from gpr.ui.cards import percent
from gpr.ui.context import Active, Context
from gpr.ui.events import QUICK
from gpr.ui.language import say
from gpr.ui.messages import empty, failure, notice
from gpr.ui.press import button, pressable

if TYPE_CHECKING:
    from gpr.data.dataset import Catalogue
    from gpr.ui.recommend.answer import Answer

NONE, BASE = "(none)", "(base)"
"""Nothing to compare with, and the base model; no run can have these names."""
BARS = 10
"""Categories whose share is written out beside the map."""
_DRAW = """
const draw = window.gprBelief(element);
draw();
watch('value', () => draw());
"""


class BeliefPanel:
    """A fold that is filled when it is open and there is an answer.

    Args:
        heavy: how events are bound that run a model.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.open = gr.State(False)
        with gr.Accordion("What the model believes", open=False, elem_id="gpr-belief") as self.fold:
            self.against = gr.Dropdown(
                [("nothing", NONE)],
                value=NONE,
                label="Compare with",
                info="Colours then say who believes more",
                elem_id="gpr-against",
            )
            self.map = pressable(empty("Nothing asked yet", "Ask for something first."), more=_DRAW, elem_id="gpr-map")

    def wire(self, active: Any, answer: Any, heavy: dict[str, Any]) -> None:
        shown = [active, answer, self.against, self.open]
        opened = self.fold.expand(
            lambda stored: (True, self.others(stored)), active, [self.open, self.against], **QUICK
        )
        opened.then(self.show, shown, self.map, **heavy)
        self.fold.collapse(lambda: False, None, self.open, **QUICK)
        gr.on([answer.change, self.against.input], self.show, shown, self.map, **heavy)

    def others(self, stored: object) -> gr.Dropdown:
        """What can be compared with: all but the model that is active."""
        active = self.context.settle(stored)
        choices = [(say("nothing"), NONE), *([(say("Base model, not fine-tuned"), BASE)] if active.run else [])]
        choices += [(run.name, run.name) for run in self.context.usable_runs() if run.name != active.run]
        return gr.Dropdown(choices, value=NONE)

    def show(self, stored: object, answer: Answer | None, against: str, is_open: bool) -> Iterator[Any]:
        """The map of the answer's request."""
        if not is_open:
            yield gr.skip()
            return
        if answer is None:
            yield empty("Nothing asked yet", "Ask for something first.")
            return
        data, other = self.context.settle(stored).data, None
        try:
            if against != NONE:
                yield notice("The other model is being asked…")
                other = self._chances(Active(data, "" if against == BASE else against), answer)
            chances = self._chances(Active(data, answer.run), answer)
        except Exception as error:
            yield failure(error)
            return
        name = say("the base model") if against == BASE else against
        yield belief_html(answer.dataset.catalogue, chances, other, name)

    def _chances(self, active: Active, answer: Answer) -> np.ndarray:
        """(N,) what a model believes of each item that passes the filters: the answer's own scores, or another
        model's."""
        scored, wish = answer.scored, answer.wish
        if active.run != answer.run:
            wish = Wish(wish.k, wish.allowed)
            scored = self.context.recommender(active).score(answer.request, wish=wish)
        chances = np.exp(probabilities(scored, wish)[0].astype(np.float64))
        return np.asarray(chances / chances.sum())


def belief_html(catalogue: Catalogue, chances: np.ndarray, other: np.ndarray | None, name: str) -> str:
    """The map with what stands beside it. `assets/belief.js` draws it.

    Args:
        other, name: what another model believes, and what that model is called.
    """
    nodes = belief(catalogue, chances, other)
    fault = say("The map cannot be drawn in this browser.")
    label = say("Map of the probability over the whole catalogue")
    data = escape(json.dumps(_figure(nodes, name), ensure_ascii=False))
    beside = _bars(nodes) if other is None else _changes(catalogue, chances, other, name)
    help_ = say("All items together are 100%. Press a category to look closer, and the bar above it to come back.")
    only = button(escape(say("Show only these")), "value", style="gpr-small", column="category")
    return (
        f'<div class="gpr-belief"><div><div data-map="{data}" data-fault="{escape(fault)}"></div>'
        f'<div class="gpr-map" role="img" aria-label="{escape(label)}"></div>'
        f'<p class="gpr-muted">{escape(help_)}</p><p class="gpr-only" hidden>{only} <b></b></p></div>'
        f"<aside>{beside}</aside></div>"
    )


def _figure(nodes: Sequence[Node], name: str) -> dict[str, list[Any]]:
    """Columns for plotly, the root first. Only the smallest rectangles have a value: the others are their sums."""
    compared = not math.isnan(nodes[0].other)
    has_children = {node.above for node in nodes}
    root = Node("all", "", say("The whole catalogue"), (), 1.0, 1.0 if compared else math.nan)
    texts = [root.text, *(escape(_text(node)) for node in nodes)]
    every = [root, *nodes]
    return {
        "keys": [node.key for node in every],
        "labels": texts,
        "above": ["", *(node.above or "all" for node in nodes)],
        "values": [0.0 if node.key in {*has_children, "all"} else node.probability for node in every],
        "percents": [percent(node.probability) for node in every],
        "hints": [_hint(node, text, name) for node, text in zip(every, texts, strict=True)],
        "names": [_filterable(node) for node in every],
        "differences": [node.difference for node in every] if compared else [],
    }


def _filterable(node: Node) -> str:
    """The value of a category that a list can be filtered to, '' for what is none."""
    named = not node.above and node.key not in ("all", "rest")
    return next(iter(values_of(node.text)), "") if named else ""


def _text(node: Node) -> str:
    if not node.above:
        return node.text or say("other categories" if node.key == "rest" else "without a category")
    return node.text or say(f"others ({len(node.items):,})")


def _hint(node: Node, text: str, name: str) -> str:
    share = f"<b>{text}</b><br>{percent(node.probability)}"
    if math.isnan(node.other):
        return share
    return f"{share}, {escape(name)} {percent(node.other)}<br>{_points(node.difference)}"


def _points(difference: float) -> str:
    return say(f"{100 * difference:+.1f} points")


def _bars(nodes: Sequence[Node]) -> str:
    tops = [node for node in nodes if not node.above]
    most = max(node.probability for node in tops)
    rows = "".join(
        f'<li><span>{escape(_text(node))}</span><span class="gpr-bar"><span style="width:'
        f'{100 * node.probability / most:.1f}%"></span></span><b>{percent(node.probability)}</b></li>'
        for node in tops[:BARS]
    )
    more = len(tops) - BARS
    left = say(f"and {more} more with {percent(sum(node.probability for node in tops[BARS:]))}") if more > 0 else ""
    return f'<h4>{say("By category")}</h4><ul class="gpr-shares">{rows}</ul><p class="gpr-muted">{escape(left)}</p>'


def _changes(catalogue: Catalogue, chances: np.ndarray, other: np.ndarray, name: str) -> str:
    more, less = changes(chances, other)
    titles = ((say(f"Believes more in than {name}"), more, "up"), (say(f"Believes less in than {name}"), less, "down"))
    lists = []
    for title, items, side in titles:
        rows = "".join(
            f"<li><span>{escape(catalogue.titles[number])}</span>"
            f"<small>{percent(other[number])} → {percent(chances[number])}</small>"
            f'<b class="gpr-{side}">{escape(_points(chances[number] - other[number]))}</b></li>'
            for number in items
        )
        lists.append(f'<h4>{escape(title)}</h4><ul class="gpr-moved">{rows}</ul>')
    return "".join(lists)
