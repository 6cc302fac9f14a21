"""`gpr teach`: a finished run learns from labels. Heavy imports come late."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from gpr.cli_label import Url
from gpr.cli_train import InPlace, OnlyEstimate, print_end, print_estimate
from gpr.terminal import WORKSPACE, Json, Root, err, print_json, stop_on_signal, user_errors

app = typer.Typer()


@app.command()
@user_errors
def teach(
    run: Annotated[str, typer.Option("--run", help="A finished run; it stays as it is.")],
    to: Annotated[str, typer.Option("--as", help="Name of the taught run; else RUN-taught.")] = "",
    epochs: Annotated[int | None, typer.Option(help="Times every label is shown.")] = None,
    max_minutes: Annotated[float | None, typer.Option(help="Bound on the whole command.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run of the new name.")] = False,
    as_json: Json = False,
    only_estimate: OnlyEstimate = False,
    in_place: InPlace = False,
    root: Root = WORKSPACE,
    url: Url = "",
) -> None:
    """Trains a finished run further from the labels of its data, as a new run. Where validation gets worse, the new run
    keeps the weights of the old one."""
    started = time.monotonic()
    from gpr.learn.run_folder import RunFolder
    from gpr.learn.taught import words
    from gpr.printing import TrainingBar
    from gpr.run_plans import teaching
    from gpr.workspace import Workspace

    workspace = Workspace(root, labels_url=url)
    given = {name: value for name, value in (("epochs", epochs), ("minutes", max_minutes)) if value is not None}
    if only_estimate:
        print_estimate(workspace, teaching(workspace, workspace.labels, run, **given), as_json=as_json)
        return
    if in_place:
        folder = RunFolder(workspace.root / "runs" / to)
    else:
        with err.status("Reading the labels…"):
            folder = workspace.begin_teaching(run, to, overwrite=overwrite, **given)
    asked = stop_on_signal()
    with TrainingBar(err) as bar:
        info = workspace.teach(folder, asked, bar.update, started)
    if as_json:
        print_json(folder.read("taught.json") | {"run": info.name, "metrics": info.metrics, "note": info.message})
        return
    print_end(info)
    print(words(folder.read("taught.json")))


def add_teach_command(main: typer.Typer) -> None:
    """Adds the command to another set."""
    main.registered_commands += app.registered_commands
