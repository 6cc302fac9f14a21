"""Runs as HTML: the one that is looked at, and the table of all. It only reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpr.data.dataset import Dataset
from gpr.learn.needs import Estimate, apart, size
from gpr.ui.language import say
from gpr.ui.messages import empty, notice, title
from gpr.ui.press import button
from gpr.ui.tables import progress_bar, table
from gpr.ui.teach_panel import taught_words

if TYPE_CHECKING:
    from gpr.workspace import RunInfo

STATUS = {
    "queued": ("info", "waits for its turn"),
    "running": ("busy", "running"),
    "stopping": ("busy", "stopping"),
    "done": ("good", "done"),
    "stopped": ("good", "stopped, usable"),
    "interrupted": ("warn", "interrupted"),
    "failed": ("bad", "failed"),
}
FORGOTTEN_SHORT = ", trained on forgotten data"
FORGOTTEN_WORDS = (
    "It was trained on a person who has been forgotten since. Train again on what is left, and delete this run."
)
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
    alone = "" if len(parts) > 1 else say("It learns from the items' own descriptions.")
    name = f"<b>{escape(dataset.name)}</b>"
    words = say(f"Trains on {name}: {say(', ').join(map(say, parts))}.")
    return f'<p class="gpr-about">{words} {alone}</p>'


def run_card(run: RunInfo | None, used: str) -> str:
    """One run: how far it is, or how it ended.

    Args:
        used: name of the run that recommends now.
    """
    if run is None:
        return empty("No run yet", "Press Start. The curve, the progress and the time left appear here.")
    kind, words = STATUS.get(run.status, ("info", run.status))
    working = run.status in ("running", "stopping")
    share = run.step / max(1, run.steps) if run.phase == "training" else run.share
    bar = progress_bar(share or None, f"progress of {run.name}") if working else ""
    lines = [
        _progress(run, working, share),
        _adaptation(run),
        _validation(run),
        _machine(run) if working else "",
        _foreseen(run),
    ]
    figures = "".join(f'<p class="gpr-muted">{escape(line)}</p>' for line in lines if line)
    told = taught_words(run.taught) + _outcome(run, used) + (notice(FORGOTTEN_WORDS, "warn") if run.forgotten else "")
    return (
        f'<section class="gpr-run"><div class="gpr-run-head"><h3>{escape(run.name)}</h3>'
        f'<span class="gpr-badge gpr-{kind}">{say(words)}</span></div>{bar}{figures}{told}{_log(run)}'
        f'<p class="gpr-command"><span>{say("The same without a browser")}</span>'
        f"<code>{escape(run.command)}</code></p></section>"
    )


def _progress(run: RunInfo, working: bool, share: float) -> str:
    figures = [f"{say(run.phase)}, {share:.0%}" if 0 < share < 1 else run.phase] if working and run.phase else []
    figures += [f"step {run.step:,} of {run.steps:,}"] if run.steps else []
    figures += [f"{span(run.seconds)} so far" if working else span(run.seconds)] if run.seconds else []
    figures += [f"about {span(run.seconds_left)} left"] if working and run.seconds_left is not None else []
    return " · ".join(map(say, figures))


def _validation(run: RunInfo) -> str:
    """The last look at validation while training, or what was found at the end."""
    if run.metrics:
        figures = ", ".join(f"{name} {value:.3f}" for name, value in run.metrics.items())
        return say(f"Validation: {figures}")
    if not (checks := run.checks()):
        return ""
    last = checks[-1]
    found = [f"{name} {last[name]:.3f}" for name in ("R@10", "NDCG@10", "perplexity") if name in last]
    figures = ", ".join([f"loss {last['valid_loss']:.3f}", *found])
    return say(f"Validation at step {last['step']:,}: {figures}")


def _adaptation(run: RunInfo) -> str:
    """What reading the catalogue's text before has brought."""
    if not (found := run.adaptation):
        return ""
    before, after = f"{found['before']:.1f}", f"{found['after']:.1f}"
    said = say(f"Perplexity of the catalogue's text: {before} before it was read, {after} after")
    return said if found["kept"] else said + say("; so nothing of it was kept")


def _machine(run: RunInfo) -> str:
    state, words = run.state, []
    words += [f"learning rate {state['rate']:.2g}"] if "rate" in state else []
    words += [f"{state['examples_per_second']:.0f} examples/s"] if "examples_per_second" in state else []
    words += [f"{state['memory_gb']:.1f} GB memory"] if "memory_gb" in state else []
    return " · ".join(map(say, words))


def _foreseen(run: RunInfo) -> str:
    """What it was to need, and once it has ended beside it what it needed."""
    words = []
    if found := run.config.get("estimate"):
        foreseen = Estimate(**found)
        about = (span(foreseen.seconds), size(foreseen.memory_gb), size(foreseen.disk_gb))
        words.append(f"Foreseen: {about[0]}, {about[1]} memory, {about[2]} disk")
    needed = Estimate.of_state(run.state, run.seconds)
    if run.usable and needed.memory_gb:
        disk = f", {size(needed.disk_gb)} disk" if needed.disk_gb else ""
        words.append(f"Needed: {span(needed.seconds)}, {size(needed.memory_gb)} memory{disk}")
    if words and (run.usable or run.status == "running"):
        words += apart(run.state)
    return " · ".join(map(say, words))


def _outcome(run: RunInfo, used: str) -> str:
    resume = " Press Resume to go on from its last checkpoint." if run.resumable else " Start it again."
    if run.resumable and not run.step and not run.text_log():
        resume = " Press Resume to begin it again with the same settings."
    if run.status == "failed":
        return notice((run.message or "It ended without a word.") + (resume if run.resumable else ""), "bad")
    if run.status == "interrupted":
        return notice("Its process ended before it was done." + resume, "warn")
    if run.status == "queued":
        return notice("It starts by itself when the device is free.")
    if not run.usable:
        return ""
    note = notice(run.message) if run.message else ""
    if run.task == "pretrain":
        return note + notice("It is ready: press 'As base model' in the table below, then Start.", "good")
    if run.name == used:
        return note + notice("This run recommends now.", "good")
    return note + notice("It is ready: press 'Use this run' in the table below.", "good")


def queue_list(waiting: Sequence[str]) -> str:
    """Who waits, with buttons that change the order; '' where nobody does."""
    if not waiting:
        return ""
    lines = "".join(
        f"<li><span>{place}. {escape(name)}</span>"
        + button("↑", "up", style="gpr-small", label=f"Earlier: {name}", run=name)
        + button("↓", "down", style="gpr-small", label=f"Later: {name}", run=name)
        + button(say("Remove"), "unqueue", style="gpr-small", label=f"Remove from the queue: {name}", run=name)
        + "</li>"
        for place, name in enumerate(waiting, 1)
    )
    return f'{title("Waiting", 3)}<ol class="gpr-queue">{lines}</ol>'


def _log(run: RunInfo) -> str:
    lines = run.log() or run.text_log()
    told = [" ".join(f"{name} {_short(value)}" for name, value in entry.items()) for entry in lines[-LOG_LINES:]]
    text = escape("\n".join(told))
    return f'<details class="gpr-log"><summary>{say("Log")}</summary><pre>{text}</pre></details>' if text else ""


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _metric(name: str) -> Callable[[RunInfo], float]:
    return lambda run: run.metrics.get(name, -1.0)


SORTS: dict[str, Callable[[RunInfo], Any]] = {
    "run": lambda run: run.name.casefold(),
    "status": lambda run: run.status,
    "data": lambda run: Path(run.data).name.casefold(),
    "base": lambda run: Path(run.base).name.casefold(),
    "time": lambda run: run.seconds,
    "started": lambda run: run.started,
} | {name: _metric(name) for name in SHOWN_METRICS}
"""What the table can be sorted by; a '-' in front puts the largest first."""
NEWEST = "-started"


def run_table(runs: Sequence[RunInfo], used: str, shown: str, sort: str = NEWEST) -> str:
    """All runs in some order.

    Args:
        sort: a key of SORTS, or '-' and one.
        used: the run that recommends now.
        shown: the run whose curve is shown.
    """
    if not runs:
        return empty("No runs yet", "Until there is one, the base model recommends as it is.")
    metrics = [name for name in SHOWN_METRICS if any(name in run.metrics for run in runs)]
    runs = sorted(runs, key=SORTS.get(sort.removeprefix("-"), SORTS["started"]), reverse=sort.startswith("-"))
    rows = [_row(run, metrics, used, shown) for run in runs]
    head = ("run", "", "status", "data", "base", *(f"{name} valid." for name in metrics), "time", "started", "notes")
    keys = ("run", "", "status", "data", "base", *(f"-{name}" for name in metrics), "-time", NEWEST)
    return table(head, rows, label="runs", raw=[1], numbers=range(5, 5 + len(metrics)), keys=keys, sort=sort)


def _row(run: RunInfo, metrics: Sequence[str], used: str, shown: str) -> tuple[object, ...]:
    look = button(
        say("Look"), "look", style="gpr-small", label=f"Look at {run.name}", run=run.name, on=run.name == shown
    )
    use = ""
    if run.usable and run.task == "pretrain":
        use = button(say("As base model"), "base", style="gpr-small", label=f"As base model: {run.name}", run=run.name)
    elif run.usable:
        words = "In use" if run.name == used else "Use this run"
        use = button(
            say(words),
            "use",
            style="gpr-small gpr-use",
            label=f"{words}: {run.name}",
            run=run.name,
            on=run.name == used,
        )
    values = [f"{run.metrics[name]:.3f}" if name in run.metrics else "" for name in metrics]
    return (
        run.name,
        f'<span class="gpr-actions">{look}{use}</span>',
        say(STATUS.get(run.status, ("", run.status))[1]) + (say(FORGOTTEN_SHORT) if run.forgotten else ""),
        Path(run.data).name,
        Path(run.base).name,
        *values,
        say(span(run.seconds)),
        _moment(run.started),
        " ".join([run.note, *(f"#{tag}" for tag in run.tags)]).strip(),
    )


def _moment(started: str) -> str:
    try:
        return datetime.fromisoformat(started).astimezone().strftime("%d %b %H:%M")
    except ValueError:
        return started
