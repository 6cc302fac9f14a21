"""`gpr pretrain`: a GPT from scratch on text. Heavy imports come late."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from gpr.cli_train import InPlace, OnlyEstimate, print_end, print_estimate, run_folder
from gpr.terminal import WORKSPACE, Json, Root, err, open_workspace, stop_on_signal, user_errors

app = typer.Typer()


@app.command()
@user_errors
def pretrain(
    texts: Annotated[list[Path] | None, typer.Argument(help="Plain text files, UTF-8.")] = None,
    run: Annotated[str, typer.Option("--run", help="Name of the new run; `--base` takes it afterwards.")] = "",
    data: Annotated[str, typer.Option(help="Data whose texts are read (too): items and training queries.")] = "",
    layers: Annotated[int, typer.Option(help="Of the GPT.")] = 6,
    width: Annotated[int, typer.Option(help="Of its hidden states; a multiple of 32.")] = 256,
    vocabulary: Annotated[int, typer.Option(help="Tokens at most.")] = 4_096,
    context: Annotated[int, typer.Option(help="Tokens read at once.")] = 256,
    batch: Annotated[int, typer.Option(help="Blocks of that length in a step.")] = 8,
    max_minutes: Annotated[float | None, typer.Option(help="Bound on the whole command.")] = None,
    seed: Annotated[int, typer.Option(help="Of the weights and the order.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run of that name.")] = False,
    only_estimate: OnlyEstimate = False,
    as_json: Json = False,
    in_place: InPlace = False,
    root: Root = WORKSPACE,
) -> None:
    """Trains a tokenizer and a GPT on text. Ctrl-C stops and keeps what was learned; `gpr resume` goes on."""
    started = time.monotonic()
    from gpr.learn.options import Shape
    from gpr.printing import TrainingBar
    from gpr.run_plans import pretraining

    if not (texts or data):
        raise typer.BadParameter("Give text files, or data with --data.")
    shape = Shape(layers, width, vocabulary, context, batch, seed)
    workspace = open_workspace(root)
    if only_estimate:
        print_estimate(workspace, pretraining(texts or [], shape, max_minutes, data), as_json=as_json)
        return
    folder = run_folder(workspace, run, overwrite=overwrite, in_place=in_place)
    asked = stop_on_signal()
    with TrainingBar(err) as bar:
        info = workspace.pretrain(texts or [], folder, shape, max_minutes, asked, bar.update, started, data)
    print_end(info)


def add_pretrain_command(main: typer.Typer) -> None:
    """Adds the command to another set."""
    main.registered_commands += app.registered_commands
