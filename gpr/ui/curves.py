"""The curves of one run for a plot: the parts of its loss, validation, and the catalogue's text where that was read
before. It only reads runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr
import pandas as pd

if TYPE_CHECKING:
    from gpr.workspace import RunInfo

POINTS = 240
"""Of a curve; more are thinned out."""
PARTS = {
    "loss": "sum", "generate": "generate", "title": "title", "match": "match", "head": "head",
    "preference": "preference",
}  # fmt: skip
"""Field of the log -> name of its curve."""
TEXT = "text"
COLOURS = {
    "sum": "#5b76e8", "generate": "#1f9d78", "title": "#0f8b9d", "match": "#d9822b", "head": "#9a7b1e",
    "preference": "#8a63d2", TEXT: "#7a8699", "validation": "#c2417c",
}  # fmt: skip
"""Of the curves, readable in light and dark."""


def curves(run: RunInfo | None) -> gr.LinePlot:
    """The plot of a run, hidden as long as there is no line to draw."""
    if run is None:
        return gr.LinePlot(visible=False)
    text, log = run.text_log(), run.log()
    if len(log) < 2 and len(text) < 2:  # a line needs two
        return gr.LinePlot(visible=False)
    parts = {"loss": TEXT} if run.task == "pretrain" else PARTS
    points = _points(text, {"loss": TEXT}, before=len(text)) + _points(log, parts)
    points += [{"step": check["step"], "loss": check["valid_loss"], "part": "validation"} for check in run.checks()]
    own = {part: [point for point in points if point["part"] == part] for part in COLOURS}
    # gradio (6.31) draws the parts of the first curves alone: so each is there from the start, if only as one point
    rows = [row for part, found in own.items() for row in found or [points[0] | {"part": part}]]
    shown = [part for part, found in own.items() if found]
    return gr.LinePlot(pd.DataFrame(rows), colors_in_legend=shown, visible=True)


def perplexity(run: RunInfo | None) -> gr.LinePlot:
    """Of held-out text, for a GPT from scratch; hidden for all else."""
    checks = run.checks() if run and run.task == "pretrain" else []
    points = [{"step": check["step"], "perplexity": check["perplexity"]} for check in checks]
    return gr.LinePlot(pd.DataFrame(points), visible=True) if len(points) > 1 else gr.LinePlot(visible=False)


def _points(log: list[dict[str, Any]], parts: dict[str, str], before: int = 0) -> list[dict[str, Any]]:
    """Args: before: steps of this log that lie before the first of the run."""
    log = log[:: max(1, len(log) // POINTS)]
    return [
        {"step": entry["step"] - before, "loss": entry[name], "part": part}
        for name, part in parts.items()
        for entry in log
        if entry.get(name) is not None
    ]
