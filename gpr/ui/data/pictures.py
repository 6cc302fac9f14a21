"""Pictures of a data set for Plotly: popularity, lengths, categories, time, ratings, tokens. Binned, to be small."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gpr.data.dataset import SPLITS, Dataset
from gpr.data.times import instants, parse_numbers
from gpr.ui.language import say

POINTS, BINS, BARS = 400, 40, 20
FEW = 11
"""Up to so many each has its tick."""
_LOG = {"type": "log", "dtick": 1, "tickformat": ",~r"}
_INK, _ACCENT, _GRID = "#7d879b", "#5b74e6", "rgba(125,135,155,.25)"


def available(dataset: Dataset) -> dict[str, go.Figure]:
    """Name -> picture, those that this data has something to show for without a model."""
    made = {name: draw(dataset) for name, draw in _PICTURES.items()}
    return {name: figure for name, figure in made.items() if figure is not None}


def token_lengths(lengths: Sequence[int], cut_off: int) -> go.Figure:
    """Of the items' texts under a model that reads no more than `cut_off` tokens of each."""
    figure = _histogram(lengths, "tokens of an item's text", "items") or go.Figure()
    cut = sum(length >= cut_off for length in lengths)
    figure.add_vline(x=cut_off, line_dash="dash", line_color="#b3261e", annotation_text=say(f"cut here: {cut:,} items"))
    return figure


def _popularity(dataset: Dataset) -> go.Figure | None:
    chosen = Counter(example.item for split in SPLITS for example in dataset.examples[split])
    chosen.update(item for sequence in dataset.sequences for item in sequence.items)
    counts = np.array(sorted(chosen.values(), reverse=True))
    if not len(counts):
        return None
    ranks = np.unique(np.geomspace(1, len(counts), POINTS).astype(int))
    line = go.Scatter(x=ranks, y=counts[ranks - 1], mode="lines+markers", line_color=_ACCENT, marker_size=4)
    return _figure(line, "rank of the item", "times chosen", xaxis=_LOG, yaxis=_LOG)


def _histories(dataset: Dataset) -> go.Figure | None:
    return _histogram([len(sequence.items) for sequence in dataset.sequences], "items in a history", "users")


def _queries(dataset: Dataset) -> go.Figure | None:
    queries = {example.request.query for split in SPLITS for example in dataset.examples[split]} - {""}
    return _histogram([len(query) for query in queries], "characters of a query", "queries")


def _categories(dataset: Dataset) -> go.Figure | None:
    if "category" not in dataset.catalogue.table:
        return None
    parts = dataset.catalogue.table["category"].str.split(",").explode().str.strip()
    counts = parts[parts != ""].value_counts().head(BARS)[::-1]
    if not len(counts):
        return None
    names = [name if len(name) <= 30 else f"{name[:29]}…" for name in counts.index]
    bars = go.Bar(x=counts.to_numpy(), y=names, orientation="h", marker_color=_ACCENT)
    return _figure(bars, "items", "", height=120 + 22 * len(counts))


def _over_time(dataset: Dataset) -> go.Figure | None:
    values = _column(dataset, "timestamp")
    times = instants(values).dropna() if values is not None else None
    if times is None or times.nunique() < 2:
        return None
    days = max(1, (times.max() - times.min()).days)
    unit = "D" if days <= 90 else "W" if days <= 800 else "M"
    counts = times.dt.to_period(unit).value_counts().sort_index()
    bars = go.Bar(x=counts.index.to_timestamp(), y=counts.to_numpy(), marker_color=_ACCENT)
    words = {"D": "day", "W": "week", "M": "month"}[unit]
    return _figure(bars, words, "interactions")


def _ratings(dataset: Dataset) -> go.Figure | None:
    values = _column(dataset, "rating")
    numbers = parse_numbers(values).dropna() if values is not None else None
    if numbers is None or not len(numbers):
        return None
    if numbers.nunique() > BINS:
        return _histogram(numbers.to_numpy(), "rating", "interactions")
    counts = numbers.value_counts().sort_index()
    threshold = dataset.choices.good_from
    colours = ["#b3261e" if threshold is not None and value < threshold else _ACCENT for value in counts.index]
    bars = go.Bar(x=counts.index, y=counts.to_numpy(), marker_color=colours)
    words = "rating" if threshold is None else "rating (red: counts as bad)"
    ticks = {"tickvals": counts.index.tolist()} if len(counts) <= FEW else {}
    return _figure(bars, words, "interactions", xaxis=ticks)


def _column(dataset: Dataset, role: str) -> pd.Series | None:
    found = [
        dataset.tables[file].frame[column]
        for file, columns in dataset.mapping.items()
        for column, meaning in columns.items()
        if meaning == role
    ]
    return found[0] if found else None


def _histogram(values: Sequence[float] | np.ndarray, x: str, y: str) -> go.Figure | None:
    if not len(values):
        return None
    numbers = np.asarray(values)
    distinct = np.unique(numbers)
    if len(distinct) <= BINS:
        bars = go.Bar(x=distinct, y=[int((numbers == value).sum()) for value in distinct], marker_color=_ACCENT)
        ticks = {"tickvals": distinct.tolist()} if len(distinct) <= FEW else {}
        return _figure(bars, x, y, xaxis=ticks)
    counts, edges = np.histogram(numbers, BINS)
    middles, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    return _figure(go.Bar(x=middles, y=counts, width=width, marker_color=_ACCENT), x, y)


def _figure(trace: Any, x: str, y: str, **layout: Any) -> go.Figure:
    figure = go.Figure(trace)
    figure.update_layout(
        **({"height": 320} | layout),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": _INK, "size": 13},
        margin={"l": 56, "r": 16, "t": 36, "b": 48},
        xaxis_title=say(x),
        yaxis_title=say(y),
        bargap=0.08,
        showlegend=False,
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": _INK, "remove": ["select2d", "lasso2d"]},
    )
    if isinstance(trace, go.Bar):
        figure.update_traces(marker_line_width=0)
        across = trace.orientation == "h"
        few = max(trace.x if across else trace.y) <= FEW
        figure.update_layout({"xaxis" if across else "yaxis": {"tickformat": ",~r"} | ({"dtick": 1} if few else {})})
    figure.update_xaxes(gridcolor=_GRID, zeroline=False, automargin=True)
    figure.update_yaxes(gridcolor=_GRID, zeroline=False, automargin=True)
    return figure


_PICTURES: dict[str, Callable[[Dataset], go.Figure | None]] = {
    "Popularity": _popularity,
    "History lengths": _histories,
    "Query lengths": _queries,
    "Categories": _categories,
    "Over time": _over_time,
    "Ratings": _ratings,
}
