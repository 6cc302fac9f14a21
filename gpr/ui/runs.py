"""Runs as HTML: the one that is looked at, and the table of all. It only reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from gpr.data.dataset import Dataset
from gpr.ui.messages import empty, notice
from gpr.ui.press import button
from gpr.ui.tables import progress_bar, table

if TYPE_CHECKING:
    from gpr.workspace import RunInfo

STATUS = {
    "running": ("busy", "running"),
    "stopping": ("busy", "stopping"),
    "done": ("good", "done"),
    "stopped": ("good", "stopped, usable"),
    "interrupted": ("warn", "interrupted"),
    "failed": ("bad", "failed"),
}
LOG_LINES = 12
SHOWN_METRICS = ("R@1", "R@5", "R@10")


def span(seconds: float) -> str:
    """'45 s', '3 min 20 s', '1 h 5 min'."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def training_words(dataset: Dataset) -> str:
    """What a run would learn from, as HTML."""
    parts = [f"{len(dataset.catalogue):,} items"]
    if queries := len(dataset.examples["train"]):
        parts.append(f"{queries:,} training queries")
    if dataset.sequences:
        parts.append(f"{len(dataset.sequences):,} histories")
    alone = "" if len(parts) > 1 else " It learns from the items' own descriptions."
    return f'<p class="gpr-about">Trains on <b>{escape(dataset.name)}</b>: {", ".join(parts)}.{alone}</p>'


def run_card(run: RunInfo | None, used: str) -> str:
    """One run: how far it is, or how it ended.

    Args:
        used: name of the run that recommends now.
    """
    if run is None:
        return empty("No run yet", "Press Start. The curve, the progress and the time left appear here.")
    kind, words = STATUS.get(run.status, ("info", run.status))
    going = kind == "busy"
    training = run.phase == "training"
    share = run.step / max(1, run.steps) if training else run.share
    figures = [f"{run.phase}, {share:.0%}" if 0 < share < 1 else run.phase] if going and run.phase else []
    figures += [f"step {run.step:,} of {run.steps:,}"] if run.steps else []
    figures += [f"{span(run.seconds)} so far" if going else span(run.seconds)] if run.seconds else []
    figures += [f"about {span(run.seconds_left)} left"] if going and run.seconds_left is not None else []
    bar = progress_bar(share or None, f"progress of {run.name}") if going else ""
    return (
        f'<section class="gpr-run"><div class="gpr-run-head"><h3>{escape(run.name)}</h3>'
        f'<span class="gpr-badge gpr-{kind}">{words}</span></div>{bar}'
        f'<p class="gpr-muted">{escape(" · ".join(figures))}</p>{_outcome(run, used)}{_log(run)}'
        '<p class="gpr-command"><span>The same without a browser</span>'
        f"<code>{escape(run.command)}</code></p></section>"
    )


def _outcome(run: RunInfo, used: str) -> str:
    if run.status == "failed":
        return notice(run.message or "It ended without a word.", "bad")
    if run.status == "interrupted":
        return notice("Its process ended before it was done. Start a new one.", "warn")
    if not run.usable:
        return ""
    if run.name == used:
        return notice("This run recommends now.", "good")
    return notice("It is ready: press 'Use this run' in the table below.", "good")


def _log(run: RunInfo) -> str:
    lines = [" ".join(f"{name} {_short(value)}" for name, value in entry.items()) for entry in run.log()[-LOG_LINES:]]
    text = escape("\n".join(lines))
    return f'<details class="gpr-log"><summary>Log</summary><pre>{text}</pre></details>' if text else ""


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def run_table(runs: Sequence[RunInfo], used: str, shown: str) -> str:
    """All runs, newest first.

    Args:
        used: the run that recommends now.
        shown: the run whose curve is shown.
    """
    if not runs:
        return empty("No runs yet", "Until there is one, the base model recommends as it is.")
    metrics = [name for name in SHOWN_METRICS if any(name in run.metrics for run in runs)]
    rows = [_row(run, metrics, used, shown) for run in runs]
    head = ("run", "", "status", "data", *(f"{name} valid." for name in metrics), "time", "started")
    return table(head, rows, label="runs", raw=1, numbers=range(4, 4 + len(metrics)))


def _row(run: RunInfo, metrics: Sequence[str], used: str, shown: str) -> tuple[object, ...]:
    look = button("Look", "look", style="gpr-small", label=f"Look at {run.name}", run=run.name, on=run.name == shown)
    use = ""
    if run.usable:
        words = "In use" if run.name == used else "Use this run"
        use = button(
            words, "use", style="gpr-small gpr-use", label=f"{words}: {run.name}", run=run.name, on=run.name == used
        )
    values = [f"{run.metrics[name]:.3f}" if name in run.metrics else "" for name in metrics]
    return (
        run.name,
        f'<span class="gpr-actions">{look}{use}</span>',
        STATUS.get(run.status, ("", run.status))[1],
        Path(run.data).name,
        *values,
        span(run.seconds),
        _moment(run.started),
    )


def _moment(started: str) -> str:
    try:
        return datetime.fromisoformat(started).astimezone().strftime("%d %b %H:%M")
    except ValueError:
        return started
