"""The figures of an evaluation as HTML: intervals, who is significantly best, groups, what the lists are like. It knows
the table of `gpr evaluate`."""

from __future__ import annotations

from html import escape
from typing import Any

from gpr.ui.language import say
from gpr.ui.messages import plural
from gpr.ui.tables import table

METRICS = ("R@1", "R@5", "R@10", "NDCG@10", "MRR")
LEVEL = 0.05
TITLES = {
    "gpr": "GPR",
    "generate": "Model: titles",
    "plausibility": "Model: whole titles",
    "match": "Model: meaning",
    "head": "Model: labels",
    "base": "Base model",
    "popular": "Popularity",
    "bm25": "BM25",
    "bm25_queries": "BM25 with queries",
    "words": "Words",
    "wording": "Words of labels",
    "encoder": "Sentence encoder",
    "sequence": "Order of histories",
    "taste_next": "Taste: what follows",
    "taste_recent": "Taste: recent items",
    "taste_all": "Taste: all items",
    "item_knn": "Item-kNN",
    "ease": "EASE",
}
"""Method of `gpr evaluate` -> what it is called on the page."""
NAMES = {
    "gpr": "what a user gets: all scorers together",
    "generate": "the title as the model writes it",
    "plausibility": "how much likelier the request makes the whole title",
    "match": "the model as an encoder",
    "base": "the base model, not fine-tuned",
    "popular": "what is chosen most",
    "bm25": "shared words",
    "bm25_queries": "shared words, training queries too",
    "words": "shared words, training queries too",
    "encoder": "a sentence encoder, training queries too",
    "head": "what was learned of each label",
    "wording": "words that go with the label",
    "sequence": "a small transformer over histories",
    "taste_next": "what follows in others' histories",
    "taste_recent": "what goes with the recent items",
    "taste_all": "what goes with all of the history",
    "item_knn": "items chosen together",
    "ease": "items chosen together, linear",
}
BEYOND = {
    "log-loss": "log-loss",
    "coverage": "coverage",
    "novelty": "novelty, bits",
    "popularity": "popularity bias",
    "diversity": "diversity",
}
BEYOND_WORDS = (
    "Log-loss: minus the log-probability of the right item; smaller is better. Coverage: share of the catalogue that "
    "is in any list. Novelty: mean surprise at an item. Popularity bias: mean share of the catalogue chosen less "
    "often than a listed item. Diversity: how unlike the texts of a list are, 0 to 1."
)


def titled(method: str) -> str:
    """What a method is called, in the visitor's language."""
    return say(TITLES.get(method, method))


def main_table(result: dict[str, Any], metric: str) -> str:
    """Every method with its intervals, and how GPR differs from it in one metric; then how it came about."""
    head = ("method", *METRICS, f"GPR differs in {metric}")
    rows = [
        (_named(name), *(_cell(result, name, of) for of in METRICS), _difference(result, name, metric))
        for name in result["metrics"]
    ]
    numbers = range(1, len(head))
    shown = table(head, rows, numbers=numbers, raw=range(len(head)), label="metrics")
    split, data = result["split"], result["data"]
    words = say(f"{plural(int(result['n']), 'request')} of the {split} split of {data}.")
    words = f"{words} {say(result['protocol'])}"
    if result["metrics"].get("base") == result["metrics"]["gpr"]:
        words = f"{words} {say('No run is chosen: GPR is the base model here, so both rows are the same.')}"
    best = "★ significantly above every other method (p < .05). Small figures: 95 % intervals."
    return f'{shown}<p class="gpr-muted">{say(best)}</p><p class="gpr-muted">{escape(words)}</p>'


def group_tables(result: dict[str, Any], metric: str) -> str:
    """One metric for every group of requests, cold items among them."""
    groups = result["groups"]
    if not groups:
        return f'<p class="gpr-muted">{say("There are too few requests of different kinds for groups.")}</p>'
    sizes = [f"{escape(say(name))}<small>{say(plural(of['n'], 'request'))}</small>" for name, of in groups.items()]
    rows = [
        (_named(method), *(_figure(of["metrics"][method].get(metric)) for of in groups.values()))
        for method in result["metrics"]
    ]
    head = ("method", *sizes)
    raw = range(len(head))
    return table(head, rows, numbers=raw[1:], raw=raw, raw_head=True, label=f"{metric} by group")


def list_table(result: dict[str, Any]) -> str:
    """What the lists of ten are like besides right."""
    rows = []
    for name, row in result["beyond"].items():
        cells = [_figure(row.get(key)) + _span(row.get(f"{key} interval")) for key in BEYOND]
        rows.append((_named(name), *cells))
    columns = range(len(BEYOND) + 1)
    shown = table(("method", *BEYOND.values()), rows, numbers=columns[1:], raw=columns, label="lists")
    return f'{shown}<p class="gpr-muted">{say(BEYOND_WORDS)}</p>'


def _named(name: str) -> str:
    return f"<b>{escape(titled(name))}</b><small>{escape(say(NAMES.get(name, '')))}</small>"


def _cell(result: dict[str, Any], name: str, metric: str) -> str:
    star = '<span class="gpr-best">★</span> ' if result["best"][metric] == name else ""
    return f"{star}{_figure(result['metrics'][name].get(metric))}{_span(result['intervals'][name].get(metric))}"


def _difference(result: dict[str, Any], name: str, metric: str) -> str:
    at = result["against"].get(name, {}).get(metric)
    if not at or at["difference"] is None:
        return ""
    p = at["p"]
    sure = p is not None and p < LEVEL
    kind = "gpr-plain" if not sure else "gpr-better" if at["difference"] > 0 else "gpr-worse"
    said = "" if p is None else "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".")
    return f'<span class="{kind}">{at["difference"]:+.3f}</span><small>{said}</small>'


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _span(interval: list[float | None] | None) -> str:
    if not interval or None in interval:
        return ""
    low, high = interval
    return f"<small>{low:.3f} – {high:.3f}</small>"
