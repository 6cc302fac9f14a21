"""The commands of runs that score or classify. It knows flags and how to print; heavy imports come late."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from gpr.terminal import WORKSPACE, Json, Root, err, open_workspace, out, print_json, user_errors

if TYPE_CHECKING:
    from gpr.recommender import Recommender
    from gpr.runs import RunInfo

Run = Annotated[str, typer.Option("--run", help="Name of a run of this task.")]


def add_task_commands(app: typer.Typer) -> None:
    """Puts them on the command line."""
    app.command()(score)
    app.command()(classify)


@user_errors
def score(
    run: Run,
    item: Annotated[str, typer.Option("--item", help="Id or title of the item.")],
    query: Annotated[str, typer.Option(help="What is wanted, in plain words.")] = "",
    history: Annotated[list[str] | None, typer.Option(help="Id of an item liked before; may be repeated.")] = None,
    disliked: Annotated[list[str] | None, typer.Option(help="Id of one disliked before; may be repeated.")] = None,
    as_json: Json = False,
    root: Root = WORKSPACE,
) -> None:
    """Says how probably an item is good for a request."""
    from gpr.tasks.answer import score as answer

    workspace, info, recommender = _loaded(root, run, "score")
    catalogue = workspace.dataset(info.data, info.settings.get("seed", 0)).catalogue
    found = answer(recommender, catalogue, item, query, history or [], disliked or [])
    print_json(asdict(found)) if as_json else print(f"{found.probability:.1%} good: {found.title}")


@user_errors
def classify(
    text: Annotated[str, typer.Argument(help="The text.")],
    run: Run,
    k: Annotated[int, typer.Option("-k", min=1, help="How many labels.")] = 5,
    as_json: Json = False,
    root: Root = WORKSPACE,
) -> None:
    """Gives a text its most probable labels."""
    from gpr.tasks.answer import classify as answer

    found = answer(_loaded(root, run, "classify")[2], text, k)
    if as_json:
        print_json([asdict(label) for label in found])
        return
    table = Table("label")
    table.add_column("probability", justify="right")
    for label in found:
        table.add_row(label.label, f"{label.probability:.1%}")
    out.print(table)


def evaluate_task(workspace: Any, run: RunInfo, as_json: bool) -> None:
    """Prints the figures of a run that scores or classifies."""
    from gpr.tasks.measure import task_figures

    with err.status("Loading…") as status:
        recommender = workspace.recommender(run.name, "", lambda share, words: status.update(words))
        figures = task_figures(
            recommender, recommender.dataset, run.task, lambda share, words: status.update(f"{words} ({share:.0%})")
        )
    if as_json:
        print_json({"run": run.name, "task": run.task, "metrics": figures})
        return
    names = list(dict.fromkeys(name for row in figures.values() for name in row))
    table = Table("", title=f"{run.name} · {run.task}", title_justify="left")
    for name in names:
        table.add_column(name, justify="right")
    for split, row in figures.items():
        table.add_row(split, *("" if name not in row else f"{row[name]:.3f}".removesuffix(".000") for name in names))
    out.print(table)


def _loaded(root: Any, run: str, task: str) -> tuple[Any, RunInfo, Recommender]:
    from gpr.tasks.answer import check_task

    workspace = open_workspace(root)
    info = check_task(workspace.run(run), task)
    with err.status("Loading…") as status:
        return workspace, info, workspace.recommender(run, "", lambda share, words: status.update(words))
