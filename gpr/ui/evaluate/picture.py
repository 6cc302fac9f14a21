"""The reliability diagram for Plotly. It knows the calibration of an evaluation."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from gpr.ui.evaluate.tables import titled
from gpr.ui.language import say

_INK, _ACCENT, _GREY, _GRID = "#7d879b", "#5b74e6", "#98a1b3", "rgba(125,135,155,.25)"
FIRST, BESIDE = "gpr", "base"


def reliability_figure(result: dict[str, Any], beside: str = BESIDE) -> go.Figure | None:
    """What was said against what came true, over the ten best of each list, for `gpr` and another method."""
    known = {name: result["calibration"].get(name) for name in dict.fromkeys((FIRST, beside))}
    shown = {name: found for name, found in known.items() if found}
    if not shown:
        return None
    figure = go.Figure()
    most = max(bin_[side] for found in shown.values() for bin_ in found["bins"] for side in ("said", "true"))
    top = min(1.0, 1.08 * most)
    figure.add_scatter(
        x=[0, top],
        y=[0, top],
        mode="lines",
        name=say("as said"),
        line={"color": _GREY, "dash": "dash"},
        hoverinfo="skip",
    )
    hover = "%{x:.1%} → %{y:.1%} (n = %{customdata:,})<extra></extra>"
    for (name, found), colour in zip(shown.items(), (_ACCENT, "#c98a2b"), strict=False):
        bins = found["bins"]
        figure.add_scatter(
            x=[entry["said"] for entry in bins],
            y=[entry["true"] for entry in bins],
            customdata=[entry["n"] for entry in bins],
            name=f"{titled(name)}, ECE {found['ece']:.3f}",
            mode="lines+markers",
            line={"color": colour},
            marker={"size": 8},
            hovertemplate=hover,
        )
    _dress(figure, top)
    return figure


def _dress(figure: go.Figure, top: float) -> None:
    figure.update_layout(
        height=380,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": _INK, "size": 13},
        margin={"l": 56, "r": 16, "t": 16, "b": 48},
        legend={"orientation": "h", "y": 1.12, "x": 0},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": _INK},
    )
    axis = {"gridcolor": _GRID, "zeroline": False, "automargin": True, "tickformat": ".0%", "range": [0, top]}
    figure.update_xaxes(title=say("probability that was said"), **axis)
    figure.update_yaxes(title=say("share that came true"), **axis)
