"""`gpr gallery`: makes the runs that come with GPR. Heavy imports come late."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from gpr.terminal import WORKSPACE, Root, err, open_workspace, stop_on_signal, user_errors

app = typer.Typer()


@app.command()
@user_errors
def gallery(
    samples: Annotated[list[str] | None, typer.Argument(help="Samples; all that can be passed on where none.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where to put them; the gallery of this GPR if not given.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Times every training row is shown.")] = None,
    max_minutes: Annotated[float | None, typer.Option(help="Bound on each training.")] = None,
    rank: Annotated[int, typer.Option(help="Of the LoRA matrices.")] = 8,
    root: Root = WORKSPACE,
) -> None:
    """Trains a small run on each sample and packs it to come with GPR. What is trained already is only packed."""
    from gpr.data.samples import DOWNLOADED, SAMPLES
    from gpr.gallery import FOLDER, MAX_BYTES, shipped_name
    from gpr.learn.options import Options
    from gpr.packing import ship_run
    from gpr.printing import TrainingBar

    workspace, stop = open_workspace(root), stop_on_signal()
    unknown = [name for name in samples or () if name not in SAMPLES or name == DOWNLOADED]
    if unknown:
        raise typer.BadParameter(f"'{unknown[0]}' is no sample that can be passed on.")
    into = folder or FOLDER
    into.mkdir(parents=True, exist_ok=True)
    for sample in samples or [name for name in SAMPLES if name != DOWNLOADED]:
        name = shipped_name(sample)
        if not any(run.name == name and run.usable for run in workspace.runs()):
            with TrainingBar(err) as bar:
                options = Options(epochs, max_minutes, rank=rank)
                workspace.train(sample, workspace.new_run_folder(name), options, stop, bar.update, time.monotonic())
        recommender = workspace.recommender(name)
        gpt, examples = recommender.ensemble.gpt, recommender.dataset.examples["valid"]
        requests = gpt.text_features([gpt.prompts.request(example.request) for example in examples])
        size = ship_run(workspace.run(name), into / name, MAX_BYTES, requests.cpu())
        print(f"{into / name}: {size / (1 << 20):.1f} MiB")
        if stop():
            raise typer.Exit(1)


def add_gallery_command(main: typer.Typer) -> None:
    """Adds the command to another set."""
    main.registered_commands += app.registered_commands
