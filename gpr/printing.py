"""Reports, tables and progress for a terminal. It knows what the use cases return, and no flags."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

_GRADES = {"stops": "red", "hurts": "yellow", "info": "cyan"}


def print_report(console: Console, report: dict[str, Any]) -> None:
    """What `gpr check` shows."""
    splits = ", ".join(f"{name} {count:,}" for name, count in report["examples"].items())
    console.print(
        f"{report['name']}: {report['items']:,} items; examples: {splits}; histories: {report['sequences']:,}"
    )
    for file, part in report["files"].items():
        table = Table(title=f"{file} ({_account(part)})", title_justify="left")
        for name in ("column", "read as", "because"):
            table.add_column(name)
        for column, meaning in part["columns"].items():
            table.add_row(column, meaning["role"], meaning["reason"])
        console.print(table)
    for finding in report["findings"]:
        place = ", ".join(
            f"{name} {finding[name]}" for name in ("file", "row", "column") if finding[name] not in ("", None)
        )
        times = f", {finding['count']:,} times" if finding["count"] > 1 else ""
        console.print(
            f"{finding['grade']:>5}  {finding['message']} ({place or 'all'}{times})", style=_GRADES[finding["grade"]]
        )
        for example in finding["examples"]:
            console.print(f"         row {example['row']:,}: {example['value'][:100]}", style="dim")
    if not report["findings"]:
        console.print("No findings.")


def _account(part: dict[str, Any]) -> str:
    return f"{part['rows']:,} rows = {part['used']:,} used + {part['set_aside']:,} set aside"


def print_why(console: Console, title: str, why: dict[str, Any]) -> None:
    """What `gpr recommend --why` shows of one item."""
    shares = sorted(why["shares"].items(), key=lambda one: -abs(one[1]))
    table = Table(title=f"Why {title}", title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0), show_header=False)
    table.add_row("scorers", ", ".join(f"{name} {share:+.2f}" for name, share in shares if abs(share) >= 0.005))
    for one in why["counterfactuals"]:
        table.add_row(f"without '{one['without']}'", f"log-probability {one['change']:+.2f}")
    for one in why["examples"]:
        asked = f"'{one['query']}'" if one["query"] else f"someone who chose {', '.join(one['shared'][:3])}"
        table.add_row("near example", f"{asked} -> {one['title']}")
    way = [f"{step['taken'].strip()} {step['probability']:.1%} of {step['ways']} ways" for step in why["path"]]
    table.add_row("path", ", then ".join(way))
    console.print(table)


def print_table(console: Console, table: dict[str, Any]) -> None:
    """What `gpr evaluate` shows: figures with intervals, comparisons, groups and what lists are like."""
    names = list(next(iter(table["metrics"].values())))
    shown = _of_scorers(f"{table['data']}, {table['split']} split, {table['n']:,} requests", names)
    for scorer, row in table["metrics"].items():
        cells = [_with_interval(row[name], table["intervals"][scorer][name]) for name in names]
        marks = ["*" if table["best"][name] == scorer else "" for name in names]
        shown.add_row(scorer, *(cell + mark for cell, mark in zip(cells, marks, strict=True)))
    console.print(shown)
    console.print("* significantly above every other row (p < .05)", style="dim")
    against = _of_scorers("gpr minus the other: NDCG@10, and how likely chance alone does that", ["difference", "p"])
    for scorer, row in table["against"].items():
        at = row["NDCG@10"]
        against.add_row(scorer, _with_interval(at["difference"], at["interval"]), _figure(at["p"]))
    console.print(against)
    for group, of in table["groups"].items():
        shown = _of_scorers(f"{group}, {of['n']:,} requests", names)
        for scorer, row in of["metrics"].items():
            shown.add_row(scorer, *(_figure(row[name]) for name in names))
        console.print(shown)
    beyond = ["log-loss", "coverage", "novelty", "popularity", "diversity"]
    shown = _of_scorers("besides right (lists of ten)", [*beyond, "ECE"])
    for scorer, row in table["beyond"].items():
        error = table["calibration"][scorer]
        shown.add_row(scorer, *(_figure(row[name]) for name in beyond), _figure(error and error["ece"]))
    console.print(shown)
    console.print(table["protocol"], style="dim")


def _of_scorers(title: str, names: list[str]) -> Table:
    shown = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
    shown.add_column("scorer")
    for name in names:
        shown.add_column(name, justify="right")
    return shown


def _figure(value: float | None) -> str:
    """'.253': without the zero, to fit a narrow terminal."""
    return "" if value is None else f"{value:.3f}".replace("0.", ".", 1)


def _with_interval(value: float | None, interval: list[float | None]) -> str:
    """'.253±.041': half the width of the interval."""
    low, high = interval
    return _figure(value) + ("" if low is None or high is None else f"±{_figure((high - low) / 2)}")


def print_stats(console: Console, stats: dict[str, Any]) -> None:
    """What `gpr label stats` shows."""
    console.print(f"{stats['total']:,} labels")
    for title, key in (("verdict", "by_verdict"), ("annotator", "by_annotator"), ("run", "by_run")):
        table = Table("", "labels", title=title, title_justify="left")
        for name, count in stats[key].items():
            row = count if isinstance(count, int) else sum(count.values())
            table.add_row(name or "base model", f"{row:,}")
        if stats[key]:
            console.print(table)


def print_wins(console: Console, wins: dict[str, Any]) -> None:
    """The preferences between runs that `gpr label stats` shows, where there are some."""
    if wins["pairs"]:
        table = Table("run", "against", "wins", "losses", "ties", "win rate", title="preferences", title_justify="left")
        for row in wins["pairs"]:
            rate = f"{row['win_rate']:.0%} ({row['low']:.0%} to {row['high']:.0%})" if "win_rate" in row else ""
            runs = [run or "base model" for run in row["runs"]]
            table.add_row(*runs, *(str(row[name]) for name in ("wins", "losses", "ties")), rate)
        console.print(table)
    for run, strength in wins.get("bradley_terry", {}).items():
        console.print(f"{run or 'base model'}: liked more than the average run with probability {strength:.0%}")


def print_agreement(console: Console, found: dict[str, Any]) -> None:
    """What `gpr label agreement` shows."""

    def shown(value: float | None, form: str = ".3f") -> str:
        return "" if value is None else format(value, form)

    people = Table("annotator", "labels", "skipped", "an hour", "agreement", title="annotators", title_justify="left")
    for name, row in found["annotators"].items():
        figures = (
            str(row["labels"]),
            str(row["skipped"]),
            shown(row["an_hour"], ",.0f"),
            shown(row["agreement"], ".0%"),
        )
        people.add_row(name, *figures)
    console.print(people)
    pairs = Table("annotators", "items", "agreement", "Cohen's kappa", "good/good", "good/bad", "bad/good", "bad/bad")
    for row in found["pairs"]:
        cells = [str(row["confusion"][one][other]) for one in ("good", "bad") for other in ("good", "bad")]
        pairs.add_row(
            " and ".join(row["annotators"]), str(row["items"]), f"{row['agreement']:.0%}", shown(row["cohen"]), *cells
        )
    if found["pairs"]:
        console.print(pairs)
    console.print(f"{found['shared_items']:,} recommendations judged by several, {found['conflicts']:,} conflicts open")
    console.print(f"Fleiss' kappa {shown(found['fleiss']) or 'none'}, on {found['fleiss_items']:,} of them")
    console.print(f"Krippendorff's alpha {shown(found['krippendorff']) or 'none'}")


class TrainingBar:
    """The progress bar of `gpr train`, fed with the run's state."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._bar.add_task("starting", total=None, words="")

    def __enter__(self) -> TrainingBar:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def update(self, state: dict[str, Any]) -> None:
        """Shows a state of `Progress`."""
        training = state["phase"] == "training"
        share = state.get("share", 0.0)
        done = state["step"] / max(1, state["steps"]) if training else share
        left = state["seconds_left"]
        words = ""
        if training and left is not None:
            loss = f", loss {state['loss']:.3f}" if "loss" in state else ""
            words = f"step {state['step']:,} of {state['steps']:,}{loss}, {int(left // 60)}:{int(left % 60):02d} left"
        total = 1.0 if training or 0 < share < 1 else None
        self._bar.update(
            self._task, description=state["phase"] or state["status"], completed=done, total=total, words=words
        )
