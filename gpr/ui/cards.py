"""Recommendations as HTML. Every text from outside is escaped here; it knows nothing of events and sessions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape

from gpr.data.dataset import Catalogue, Request
from gpr.recommendation import Recommendation
from gpr.scorers.feedback import NAME as FEEDBACK
from gpr.ui.language import say
from gpr.ui.press import button

LONG = ("summary", "description")
"""Columns that are read as paragraphs, in this order; a description behind a summary is folded."""
PICTURE = "image"
"""The column with an address of a picture."""
LIKELY = (
    (0.8, "very likely"),
    (0.5, "likely"),
    (0.2, "a good chance"),
    (0.05, "possible"),
    (0.01, "a long shot"),
    (0.0, "one of many"),
)
"""Probability from which on these words hold."""
FELT = 0.05
"""Log-odds from which on labels have moved an item."""
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
    short = [(name, value) for name, value in details.items() if name not in (*LONG, PICTURE)]
    parts = [f"<span><i>{escape(name)}</i> {escape(_cut(value, 120))}</span>" for name, value in short]
    return f'<p class="gpr-facts">{"".join(parts)}</p>' if parts else ""


def paragraphs(details: Mapping[str, str]) -> str:
    """The long columns of an item, what is very long folded."""
    texts = [details[name] for name in LONG if details.get(name)]
    return "".join(_paragraph(text, 0 if at else SHOWN) for at, text in enumerate(texts))


def _paragraph(text: str, shown: int) -> str:
    if len(text) <= shown * 1.2:
        return f'<p class="gpr-text">{escape(text)}</p>'
    head = f"{escape(_cut(text, shown) if shown else '')} <b>{say('more')}</b>"
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


def card(
    recommendation: Recommendation,
    catalogue: Catalogue,
    *,
    most: float,
    verdict: str = "",
    why: str = "",
    cold: bool = False,
) -> str:
    """One card of a list.

    Args:
        most: the probability that fills the bar.
        verdict: 'good' or 'bad' where it was labelled so.
        why: the reasons as HTML, where they are open.
        cold: no training example mentions the item.
    """
    title, number = escape(recommendation.title), recommendation.number
    return (
        f'<li class="gpr-card" data-verdict="{escape(verdict)}"><span class="gpr-rank">{recommendation.rank}</span>'
        f'<div class="gpr-body">{_picture(catalogue.details(number).get(PICTURE, ""))}'
        f"<h3>{title}{_badges(recommendation, cold)}</h3>{details(catalogue, number)}</div>"
        f'<div class="gpr-side">{_odds(recommendation.probability, most)}'
        f'<div class="gpr-verdicts">{_verdicts(recommendation, verdict)}</div>'
        f'<div class="gpr-further">{_like_button(recommendation)}{_why_button(recommendation, bool(why))}</div>'
        f"</div>{why}</li>"
    )


def _odds(probability: float, most: float) -> str:
    if probability != probability:  # not known yet
        return '<div class="gpr-odds" aria-hidden="true"><div class="gpr-skeleton"></div><small>&nbsp;</small></div>'
    share = 100 * probability / most if most > 0 else 0
    words = say(next(words for least, words in LIKELY if probability >= least))
    return (
        f'<div class="gpr-odds" title="{escape(say("probability among all that could be recommended"))}">'
        f'<span class="gpr-bar"><span style="width:{share:.1f}%"></span></span><b>{escape(percent(probability))}</b>'
        f"<small>{escape(words)}</small></div>"
    )


def _badges(recommendation: Recommendation, cold: bool) -> str:
    moved = recommendation.shares.get(FEEDBACK, 0.0)
    found = [("", "new here", "No training example mentions this item.")] if cold else []
    if abs(moved) >= FELT:
        up = moved > 0
        found.append(
            ("gpr-good" if up else "gpr-bad", "labels: up" if up else "labels: down", "Labels moved this item.")
        )
    return "".join(
        f' <span class="gpr-badge {style}" title="{escape(say(about))}">{escape(say(words))}</span>'
        for style, words, about in found
    )


def _picture(address: str) -> str:
    """A picture that the data names; from elsewhere, it is not told where it is shown."""
    if not address.startswith(("https://", "http://", "data:image/")):
        return ""
    return f'<img class="gpr-picture" src="{escape(address)}" alt="" loading="lazy" referrerpolicy="no-referrer">'


def _verdicts(recommendation: Recommendation, verdict: str) -> str:
    return "".join(
        button(
            f"{icon}<span>{escape(say(name.capitalize()))}</span>",
            name,
            style=f"gpr-verdict gpr-{name}",
            label=say(f"{name.capitalize()}: {recommendation.title}"),
            on=verdict == name,
            item=recommendation.number,
        )
        for name, icon in (("good", GOOD), ("bad", BAD))
    )


def _why_button(recommendation: Recommendation, is_open: bool) -> str:
    label = say(f"Why {recommendation.title}")
    return button(escape(say("Why?")), "why", style="gpr-quiet", label=label, on=is_open, item=recommendation.number)


def _like_button(recommendation: Recommendation) -> str:
    label = say(f"More like {recommendation.title}")
    return button(escape(say("More like this")), "like", style="gpr-quiet", label=label, item=recommendation.number)


def card_list(
    recommendations: Sequence[Recommendation],
    catalogue: Catalogue,
    verdicts: Mapping[int, str],
    line: str,
    said: str,
    reasons: Mapping[int, str] | None = None,
    *,
    cold: Collection[int] = (),
    link: str = "",
    files: Mapping[str, str] | None = None,
) -> str:
    """The answer to one request.

    Args:
        verdicts: item number -> 'good' or 'bad'.
        line: what answered, and how; plain text.
        said: what was done with it last; plain text.
        reasons: item number -> its reasons as HTML, where they are open.
        cold: items that no training example mentions.
        link: the query of the address of this answer.
        files: kind of a file, such as 'CSV' -> its address.
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
            cold=found.number in cold,
        )
        for found in recommendations
    )
    head = f'<p class="gpr-answered"><span>{escape(say(line))}</span><b role="status">{escape(say(said))}</b></p>'
    return f'{head}<ol class="gpr-cards">{"".join(cards)}</ol>{_take_away(link, files or {})}'


def _take_away(link: str, files: Mapping[str, str]) -> str:
    """Below the cards: the link to them, and files of them."""
    words = escape(say("Copy link"))
    copy = f'<button type="button" class="gpr-button gpr-quiet" data-link="{escape(link)}">{words}</button>'
    copy = copy if link else ""
    saved = "".join(
        f'<a class="gpr-button gpr-quiet" download="recommendations.{kind.lower()}" href="{escape(address)}">{kind}</a>'
        for kind, address in files.items()
    )
    return f'<div class="gpr-take">{copy}{saved}</div>' if copy or saved else ""


def skeletons(number: int) -> str:
    """What stands where cards will be, with a way to give up waiting."""
    bars = '<div class="gpr-skeleton"></div>' * 3
    one = f'<li class="gpr-hollow" aria-hidden="true"><span></span><div class="gpr-body">{bars}</div></li>'
    return _busy("Looking through the catalogue…", f'<ol class="gpr-cards">{one * number}</ol>')


def first_cards(found: Sequence[Recommendation], catalogue: Catalogue, cold: Collection[int]) -> str:
    """The best items while their probabilities are computed: to be read, not yet to be pressed."""
    cards = "".join(card(one, catalogue, most=1.0, cold=one.number in cold) for one in found)
    return _busy("These are the best; their probabilities follow.", f'<ol class="gpr-cards" inert>{cards}</ol>')


def _busy(words: str, cards: str) -> str:
    stop = button(escape(say("Cancel")), "cancel", style="gpr-small")
    head = f'<p class="gpr-answered"><span role="status">{escape(say(words))}</span>{stop}</p>'
    return f'<div aria-busy="true">{head}{cards}</div>'


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
