"""Filters, sliders and the chips of what is asked, as HTML. Every text from outside is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from gpr.data.dataset import Catalogue
from gpr.data.filters import Choice, Facet, Filter, Range
from gpr.data.phrases import filter_of
from gpr.ui.language import say
from gpr.ui.press import button
from gpr.ui.recommend.asking import Asking
from gpr.ui.recommend.link import LIMITS
from gpr.ui.why_panel import NAMES

WISHES = {"popularity": "Popular items", "novelty": "Unlike the history", "diversity": "Unlike each other"}
"""A wish -> what it prefers, in words."""
REMOVE = "×"


def filter_panel(known: Sequence[Facet], asking: Asking) -> str:
    """A group for each column that can be filtered by; '' if there is none."""
    groups = "".join(_group(facet, asking.filter_on(facet.column)) for facet in known)
    return f'<div class="gpr-filters">{groups}</div>' if groups else ""


def _group(facet: Facet, chosen: Filter) -> str:
    name = escape(facet.column)
    if isinstance(facet, Range):
        inside = (
            _bound(facet, "low", chosen.low) + '<span aria-hidden="true">–</span>' + _bound(facet, "high", chosen.high)
        )
    else:
        inside = _boxes(facet, chosen)
    return f"<fieldset><legend>{name}</legend><div>{inside}</div></fieldset>"


def _boxes(facet: Choice, chosen: Filter) -> str:
    return "".join(
        f'<label class="gpr-chip"><input type="checkbox" data-press="value" data-column="{escape(facet.column)}"'
        f' data-name="{escape(value)}"{" checked" if value in chosen.values else ""}>'
        f"{escape(value)} <small>{count:,}</small></label>"
        for value, count in facet.values
    )


def _bound(facet: Range, side: str, number: float | None) -> str:
    end = facet.low if side == "low" else facet.high
    words = say(f"{facet.column} from") if side == "low" else say(f"{facet.column} up to")
    value = "" if number is None else f"{number:g}"
    return (
        f'<input type="number" class="gpr-number-box" data-press="{side}" data-column="{escape(facet.column)}"'
        f' aria-label="{escape(words)}" placeholder="{end:g}" value="{value}" step="{1 if facet.whole else "any"}">'
    )


def slider_panel(parts: Sequence[str], asking: Asking) -> str:
    """A slider for each wish, and one for the weight of each part of the answer."""
    wishes = "".join(_slider("wish", name, words, getattr(asking, name), "") for name, words in WISHES.items())
    weights = dict(asking.weights)
    of_parts = "".join(_slider("weight", name, NAMES.get(name, name), weights.get(name, 1.0), " ×") for name in parts)
    title = f"<h4>{escape(say('What counts how much'))}</h4>" if of_parts else ""
    return f'<div class="gpr-sliders">{wishes}</div>{title}<div class="gpr-sliders">{of_parts}</div>'


def _slider(press: str, name: str, words: str, value: float, unit: str) -> str:
    low, high = LIMITS[name if press == "wish" else "weight"]
    return (
        f'<label><span>{escape(say(words))}</span><input type="range" data-press="{press}" data-name="{escape(name)}"'
        f' min="{low:g}" max="{high:g}" step="0.1" value="{value:g}">'
        f'<output data-unit="{unit}">{value:g}{unit}</output></label>'
    )


def chips(asking: Asking, history: Sequence[int], catalogue: Catalogue, known: Sequence[Facet]) -> str:
    """What is asked beside the first query, each to be changed or removed; '' if there is nothing."""
    parts = [_chosen(catalogue.titles[number], number) for number in history if number < len(catalogue)]
    parts += [_turn(at, turn, filter_of(turn, list(known))) for at, turn in enumerate(asking.turns)]
    parts += [_filter(one) for one in asking.filters]
    if not parts:
        return ""
    again = button(escape(say("Start over")), "start-over", style="gpr-small gpr-quiet")
    return f'<div class="gpr-chosen gpr-turns-row">{"".join(parts)}{again}</div>'


def _remove(press: str, text: str, name: str, value: object) -> str:
    return button(REMOVE, press, style="gpr-remove", label=say(f"Remove: {text}"), on=None, **{name: value})


def _chosen(title: str, number: int) -> str:
    text = f"<small>{escape(say('like'))}</small> {escape(title)}"
    return f'<span class="gpr-chip gpr-held">{text}{_remove("forget", title, "item", number)}</span>'


def _turn(at: int, turn: str, meant: Filter | None) -> str:
    said = f"<small>{escape(in_words(meant))}</small>" if meant else ""
    label = escape(say(f"Follow-up: {turn}"))
    field = (
        f'<input data-press="turn" data-at="{at}" aria-label="{label}" value="{escape(turn)}" size="{_width(turn)}">'
    )
    style = "gpr-chip gpr-held gpr-narrows" if meant else "gpr-chip gpr-held"
    return f'<span class="{style}">{field}{said}{_remove("drop", turn, "at", at)}</span>'


def _width(text: str) -> int:
    """Characters of a field that shows a text; Chinese ones are twice as wide."""
    return min(40, max(4, sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)))


def _filter(one: Filter) -> str:
    text = in_words(one)
    return (
        f'<span class="gpr-chip gpr-held gpr-narrows">{escape(text)}{_remove("all", text, "column", one.column)}</span>'
    )


def in_words(one: Filter) -> str:
    """'year ≤ 1979', 'genre: Horror, Crime', 'genre ≠ Horror'."""
    if one.values:
        return f"{one.column}{' ≠' if one.inverse else ':'} {', '.join(one.values)}"
    if one.low is not None and one.high is not None:
        return f"{one.column} {one.low:g}–{one.high:g}"
    return f"{one.column} ≥ {one.low:g}" if one.low is not None else f"{one.column} ≤ {one.high:g}"
