"""Recommendations as HTML. Every text from outside is escaped here; it knows nothing of events and sessions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from gpr.data.dataset import Catalogue, Request
from gpr.recommendation import Recommendation
from gpr.ui.language import say
from gpr.ui.press import button

LONG = ("description", "summary")
"""Columns that are read as paragraphs; the rest are facts."""
SHOWN = 240
"""Characters of a paragraph before it folds."""
MAX_ALIASES = 5

GOOD = (
    '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M4 10.5l4 4 8-9" fill="none" stroke="currentColor"'
    ' stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/></svg>'
)
BAD = (
    '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M5 5l10 10M15 5L5 15" fill="none" stroke="currentColor"'
    ' stroke-width="2.2" stroke-linecap="round"/></svg>'
)


def percent(probability: float) -> str:
    """'12.3%', '0.04%', '<0.01%'."""
    value = 100 * probability
    if value >= 10:
        return f"{value:.0f}%" if value < 99.5 or probability == 1 else f"{value:.1f}%"
    if value >= 1:
        return f"{value:.1f}%"
    return f"{value:.2f}%" if value >= 0.01 else "<0.01%"


def facts(details: Mapping[str, str]) -> str:
    """The short columns of an item in one line: 'year 1999 · genre Drama'."""
    short = [(name, value) for name, value in details.items() if name not in LONG]
    parts = [f"<span><i>{escape(name)}</i> {escape(_cut(value, 120))}</span>" for name, value in short]
    return f'<p class="gpr-facts">{"".join(parts)}</p>' if parts else ""


def paragraphs(details: Mapping[str, str]) -> str:
    """The long columns of an item, what is very long folded."""
    return "".join(_paragraph(details[name]) for name in LONG if details.get(name))


def _paragraph(text: str) -> str:
    if len(text) <= SHOWN * 1.2:
        return f'<p class="gpr-text">{escape(text)}</p>'
    start = _cut(text, SHOWN)
    head = f"{escape(start)} <b>{say('more')}</b>"
    return f'<details class="gpr-text"><summary>{head}</summary><p>{escape(text)}</p></details>'


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0].rstrip(",.;:") + "…"


def details(catalogue: Catalogue, number: int) -> str:
    """All that is known of an item besides its title."""
    known = catalogue.details(number)
    aliases = catalogue.aliases.get(number, ())
    others = ", ".join(aliases[:MAX_ALIASES]) + (" …" if len(aliases) > MAX_ALIASES else "")
    line = f'<p class="gpr-aliases">{escape(say(f"same title: {others}"))}</p>' if aliases else ""
    return facts(known) + paragraphs(known) + line


def card(recommendation: Recommendation, catalogue: Catalogue, *, most: float, verdict: str = "", why: str = "") -> str:
    """One card of a list.

    Args:
        most: the probability that fills the bar.
        verdict: 'good' or 'bad' where it was labelled so.
        why: the reasons as HTML, where they are open.
    """
    title = escape(recommendation.title)
    share = 100 * recommendation.probability / most if most > 0 else 0
    odds = percent(recommendation.probability)
    verdicts = "".join(
        button(
            f"{icon}<span>{say(name.capitalize())}</span>",
            name,
            style=f"gpr-verdict gpr-{name}",
            label=f"{name.capitalize()}: {recommendation.title}",
            on=verdict == name,
            item=recommendation.number,
        )
        for name, icon in (("good", GOOD), ("bad", BAD))
    )
    return (
        f'<li class="gpr-card" data-verdict="{escape(verdict)}"><span class="gpr-rank">{recommendation.rank}</span>'
        f'<div class="gpr-body"><h3>{title}</h3>{details(catalogue, recommendation.number)}</div>'
        f'<div class="gpr-side"><div class="gpr-odds" title="{say("probability among all items")}">'
        f'<span class="gpr-bar"><span style="width:{share:.1f}%"></span></span><b>{escape(odds)}</b></div>'
        f'<div class="gpr-verdicts">{verdicts}{_why_button(recommendation, bool(why))}</div></div>{why}</li>'
    )


def _why_button(recommendation: Recommendation, is_open: bool) -> str:
    label = f"Why {recommendation.title}"
    return button("Why?", "why", style="gpr-small", label=label, on=is_open, item=recommendation.number)


def card_list(
    recommendations: Sequence[Recommendation],
    catalogue: Catalogue,
    verdicts: Mapping[int, str],
    line: str,
    said: str,
    reasons: Mapping[int, str] | None = None,
) -> str:
    """The answer to one request.

    Args:
        verdicts: item number -> 'good' or 'bad'.
        line: what answered, and how; plain text.
        said: what was done with it last; plain text.
        reasons: item number -> its reasons as HTML, where they are open.
    """
    reasons = reasons or {}
    most = max((found.probability for found in recommendations), default=0.0)
    cards = (
        card(
            found,
            catalogue,
            most=most,
            verdict=verdicts.get(found.number, ""),
            why=reasons.get(found.number, ""),
        )
        for found in recommendations
    )
    head = f'<p class="gpr-answered"><span>{escape(say(line))}</span><b role="status">{escape(say(said))}</b></p>'
    return f'{head}<ol class="gpr-cards">{"".join(cards)}</ol>'


def asked(request: Request, catalogue: Catalogue) -> str:
    """A request as it is read."""
    history = [catalogue.titles[number] for number in request.history]
    parts = [f'<q class="gpr-query">{escape(request.query)}</q>'] if request.query else []
    if history:
        more = " " + say(f"and {len(history) - 8} before") if len(history) > 8 else ""
        parts.append(f'<p class="gpr-chosen">{_chips(history[-8:])}{more}</p>')
    parts += [f'<p class="gpr-chosen">{escape(request.user)}</p>'] if request.user else []
    return "".join(parts)


def _chips(texts: Iterable[str]) -> str:
    return "".join(f'<span class="gpr-chip">{escape(text)}</span>' for text in texts)
