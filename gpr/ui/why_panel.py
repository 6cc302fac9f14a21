"""The reasons for one recommendation as HTML, below its card. Every text from outside is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import exp
from typing import TYPE_CHECKING

from gpr.data.dataset import Catalogue
from gpr.ui.cards import percent
from gpr.ui.language import say

if TYPE_CHECKING:
    from gpr.explain.counterfactuals import Counterfactuals
    from gpr.explain.examples import Near
    from gpr.explain.path import Branch
    from gpr.explain.why import Why

NAMES = {
    "generate": "The title, as the model would write it",
    "prior": "Taken off: the title without a request",
    "plausibility": "How much likelier the request makes the title",
    "match": "Meaning of the request and of the item",
    "head": "What was learned of each label",
    "words": "The same words",
    "wording": "Words that go with the label",
    "encoder": "Meaning, as a sentence encoder sees it",
    "popular": "Often chosen",
    "cold": "Never chosen before",
    "taste_next": "Chosen soon after the like",
    "taste_recent": "Chosen with the recent items",
    "taste_all": "Chosen with the whole history",
    "sequence": "Order of the history",
    "feedback": "Labels",
    "wished": "Your sliders",
}
"""Scorer -> what it looks at, in words."""
TINY = 0.005
"""A share that is smaller is not shown."""

_SKELETON = '<div class="gpr-skeleton"></div>'


def waiting() -> str:
    """What stands there until the reasons are known."""
    words = f'<p class="gpr-muted" role="status">{escape(say("Computing the reasons…"))}</p>'
    return f'<section class="gpr-why" aria-busy="true">{words}{3 * _SKELETON}</section>'


def why_panel(why: Why, catalogue: Catalogue, run: str) -> str:
    """All four reasons.

    Args:
        run: the run that recommends, '' for the base model.
    """
    parts = (
        _shares(why.shares, why.stands_out),
        _changes(why.counterfactuals, why.found.number, catalogue),
        _near(why.near, why.found.number, catalogue, run),
        _path(why.path),
    )
    label = say(f"Why {why.found.title}")
    return f'<section class="gpr-why" aria-label="{escape(label)}">{"".join(parts)}</section>'


def _block(title: str, about: str, inside: str) -> str:
    head = f'<h4>{escape(say(title))}</h4><p class="gpr-muted">{escape(say(about))}</p>'
    return f'<div class="gpr-reason">{head}{inside}</div>'


def _shares(shares: dict[str, float], total: float) -> str:
    told = sorted(((name, share) for name, share in shares.items() if abs(share) >= TINY), key=lambda one: -abs(one[1]))
    most = max((abs(share) for _, share in told), default=1.0)
    rows = "".join(_swing(say(NAMES.get(name, name)), share, most, f"{share:+.2f}", name) for name, share in told)
    about = "How much each scorer lifts this item above the average of what is likely. The sum is its lead."
    total_row = f'<li class="gpr-total"><span>{say("Sum")}</span><span></span><b>{total:+.2f}</b></li>'
    return _block("Who speaks for it", about, f'<ul class="gpr-swings">{rows}{total_row}</ul>')


def _changes(found: Counterfactuals, item: int, catalogue: Catalogue) -> str:
    changes = [(drop.text or catalogue.titles[drop.item or 0], before, after) for drop, before, after in found.of(item)]
    most = max([abs(after - before) for _, before, after in changes] + [0.1])
    rows = "".join(
        _swing(say(f"without “{text}”"), after - before, most, f"{percent(exp(before))} → {percent(exp(after))}", "")
        for text, before, after in changes
    )
    about = "Its probability if you had not said this, computed again each time."
    if not found.exact:
        about += " In a catalogue of this size the numbers are close estimates."
    return _block("What if you leave something out", about, f'<ul class="gpr-swings gpr-wide">{rows}</ul>')


def _swing(text: str, value: float, most: float, figure: str, hint: str) -> str:
    """A row with a bar to the right where the value is positive, to the left where it is negative."""
    width = 50 * abs(value) / most
    left = 50.0 if value >= 0 else 50 - width
    side = "up" if value >= 0 else "down"
    title = f' title="{escape(hint)}"' if hint else ""
    return (
        f'<li><span class="gpr-of"{title}>{escape(text)}</span><span class="gpr-swing gpr-{side}">'
        f'<span style="left:{left:.1f}%;width:{width:.1f}%"></span></span><b>{escape(figure)}</b></li>'
    )


def _near(near: Sequence[Near], item: int, catalogue: Catalogue, run: str) -> str:
    rows = "".join(_example(one, item, catalogue) for one in near)
    about = "What was chosen for requests like yours, and what this item was chosen for."
    if not run:
        about += " The base model was not trained on them; the scorers beside it read them."
    inside = (
        f'<ul class="gpr-near">{rows}</ul>'
        if rows
        else f'<p class="gpr-muted">{say("No training example is near.")}</p>'
    )
    return _block("Nearest training examples", about, inside)


def _example(near: Near, item: int, catalogue: Catalogue) -> str:
    mark = " class=gpr-same" if near.item == item else ""
    title = escape(catalogue.titles[near.item])
    alike = say(f"{100 * max(0.0, near.alike):.0f}% alike")
    if near.query:
        return f"<li><q>{escape(near.query)}</q><span{mark}>→ {title}</span><small>{alike}</small></li>"
    shared = ", ".join(catalogue.titles[number] for number in near.shared[:3])
    more = len(near.shared) - 3
    said = escape(say(f"Someone chose {shared} and {more} more" if more > 0 else f"Someone chose {shared}"))
    return f"<li>{said}<span{mark}>→ {title}</span><small>{alike}</small></li>"


def _path(branches: Sequence[Branch]) -> str:
    rows = "".join(_branch(branch) for branch in branches)
    product = 1.0
    for branch in branches:
        product *= branch.probability
    about = (
        "Where titles of the catalogue part, the model chooses how to go on."
        f" All choices together: {percent(product)} for this title, before the other scorers are heard."
    )
    return _block("The way to this title", about, f'<ol class="gpr-path">{rows}</ol>')


def _branch(branch: Branch) -> str:
    named = " · ".join(f"{text.strip() or '…'} {percent(chance)}" for text, chance in branch.others)
    others = say(f"of {branch.ways:,} ways, others: {named}" if named else f"of {branch.ways:,} ways")
    before = f"<i>{escape(branch.before)}</i>" if branch.before else ""
    return (
        f'<li><span class="gpr-step">{before}<b>{escape(branch.taken)}</b></span>'
        f'<b class="gpr-chance">{percent(branch.probability)}</b>'
        f"<small>{escape(others)}</small></li>"
    )
