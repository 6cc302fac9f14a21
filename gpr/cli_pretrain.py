"""`gpr pretrain`: a GPT from scratch on text. Heavy imports come late."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from gpr.cli_runs import print_end
from gpr.terminal import WORKSPACE, Root, err, open_workspace, stop_on_signal, user_errors

app = typer.Typer()


@app.command()
@user_errors
def pretrain(
    texts: Annotated[list[Path], typer.Argument(help="Plain text files, UTF-8.")],
    run: Annotated[str, typer.Option("--run", help="Name of the new run; `--base` takes it afterwards.")],
    layers: Annotated[int, typer.Option(help="Of the GPT.")] = 6,
    width: Annotated[int, typer.Option(help="Of its hidden states; a multiple of 32.")] = 256,
    vocabulary: Annotated[int, typer.Option(help="Tokens at most.")] = 4_096,
    context: Annotated[int, typer.Option(help="Tokens read at once.")] = 256,
    batch: Annotated[int, typer.Option(help="Blocks of that length in a step.")] = 8,
    max_minutes: Annotated[float | None, typer.Option(help="Bound on the whole command.")] = None,
    seed: Annotated[int, typer.Option(help="Of the weights and the order.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run of that name.")] = False,
    root: Root = WORKSPACE,
) -> None:
    """Trains a tokenizer and a GPT on text. Ctrl-C stops and keeps what was learned; `gpr resume` goes on."""
    started = time.monotonic()
    from gpr.learn.pretraining import Shape
    from gpr.printing import TrainingBar

    shape = Shape(layers, width, vocabulary, context, batch, seed)
    workspace = open_workspace(root)
    folder = workspace.new_run_folder(run, overwrite=overwrite)
    asked = stop_on_signal()
    with TrainingBar(err) as bar:
        info = workspace.pretrain(texts, folder, shape, max_minutes, asked, bar.update, started)
    print_end(info)


def add_pretrain_command(main: typer.Typer) -> None:
    """Adds the command to another set."""
    main.registered_commands += app.registered_commands
