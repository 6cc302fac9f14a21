"""`gpr train` and `gpr resume`, and what all commands that make a run share. It knows flags and how to print; heavy
imports come late."""

from __future__ import annotations

import atexit
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gpr.terminal import WORKSPACE, Json, Root, err, open_workspace, print_json, stop_on_signal, user_errors

if TYPE_CHECKING:
    from gpr.learn.run_folder import RunFolder
    from gpr.run_plans import Plan
    from gpr.runs import RunInfo

app = typer.Typer()
InPlace = Annotated[bool, typer.Option("--in-place", hidden=True)]
OnlyEstimate = Annotated[bool, typer.Option("--estimate", help="Only say what it would need.")]


@app.command()
@user_errors
def train(
    data: Annotated[str, typer.Argument(help="A sample's name, a folder or a file.")],
    run: Annotated[str, typer.Option("--run", help="Name of the new run.")] = "",
    base: Annotated[str, typer.Option(help="Base model: a name, a folder or a hub id.")] = "smollm2-135m-instruct",
    epochs: Annotated[int | None, typer.Option(help="Times every training row is shown.")] = None,
    max_minutes: Annotated[float | None, typer.Option(help="Bound on the whole command.")] = None,
    seed: Annotated[int, typer.Option(help="Of the split, the order and the new weights.")] = 0,
    learning_rate: Annotated[float | None, typer.Option(help="Peak, of the LoRA weights.")] = None,
    rank: Annotated[int | None, typer.Option(help="Of the LoRA matrices.")] = None,
    trained_share: Annotated[float | None, typer.Option(help="Share of the layers, from the top, that learn.")] = None,
    batch_tokens: Annotated[int | None, typer.Option(help="Tokens in a step.")] = None,
    warm_up: Annotated[float | None, typer.Option(help="Share of the steps in which the rate rises.")] = None,
    patience: Annotated[int | None, typer.Option(help="Worse checks that end the run; 0: never.")] = None,
    alpha: Annotated[int | None, typer.Option(help="Scale of the LoRA matrices.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Of the LoRA matrices' input.")] = None,
    targets: Annotated[str | None, typer.Option(help="Linear maps with LoRA: all, attention or mlp.")] = None,
    accumulation: Annotated[int | None, typer.Option(help="Batches that make one step.")] = None,
    generate_weight: Annotated[float | None, typer.Option(help="Of the trie loss.")] = None,
    title_weight: Annotated[float | None, typer.Option(help="Of the likelihood of whole titles.")] = None,
    match_weight: Annotated[float | None, typer.Option(help="Of the two-tower loss.")] = None,
    adapt: Annotated[int | None, typer.Option(help="Times the catalogue's text is read before; usually 0.")] = None,
    window: Annotated[int | None, typer.Option(help="Items of a history that are read.")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, float32, bfloat16, or 4bit on CUDA.")] = None,
    task: Annotated[str, typer.Option(help="recommend, score or classify.")] = "recommend",
    text: Annotated[str, typer.Option(help="Of classify: the column of texts, or several with commas.")] = "",
    label: Annotated[str, typer.Option(help="Of classify: the column of labels.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run of that name.")] = False,
    only_estimate: OnlyEstimate = False,
    as_json: Json = False,
    in_place: InPlace = False,
    root: Root = WORKSPACE,
) -> None:
    """Fine-tunes a base model on the data. Ctrl-C stops and keeps what was learned."""
    given: dict[str, Any] = dict(locals())  # every field of `Options` is an option of this command
    started = time.monotonic()
    from gpr.learn.options import Options
    from gpr.printing import TrainingBar
    from gpr.run_plans import training

    options = Options(**{name: given[name] for name in Options.__dataclass_fields__ if given[name] is not None})
    workspace = open_workspace(root)
    if only_estimate:
        print_estimate(workspace, training(data, options), as_json=as_json)
        return
    folder = folder_of_another() or run_folder(workspace, run, overwrite=overwrite, in_place=in_place)
    asked = stop_on_signal()
    with TrainingBar(err) as bar:
        info = workspace.train(data, folder, options, asked, bar.update, started)
    print_end(info)


@app.command()
@user_errors
def resume(
    name: Annotated[str, typer.Argument(help="Name of a run.")], in_place: InPlace = False, root: Root = WORKSPACE
) -> None:
    """Goes on with a run that was interrupted, from its last checkpoint."""
    from gpr.learn.run_folder import RunFolder
    from gpr.printing import TrainingBar

    workspace = open_workspace(root)
    folder = folder_of_another() or (RunFolder(workspace.root / "runs" / name) if in_place else workspace.claim(name))
    asked = stop_on_signal()
    with TrainingBar(err) as bar:
        info = workspace.resume(folder, asked, bar.update)
    print_end(info)


def print_estimate(workspace: Any, plan: Plan, *, as_json: bool) -> None:
    """What such a run would need."""
    from gpr.printing import TrainingBar

    with TrainingBar(err) as bar:
        needed = workspace.estimate(plan, bar.update)
    print_json(needed.json()) if as_json else print(f"This run needs {needed.words()}.")


def run_folder(workspace: Any, name: str, *, overwrite: bool, in_place: bool) -> RunFolder:
    """A new run's folder; in place, the one that whoever started this process has made for it."""
    from gpr.learn.run_folder import RunFolder

    if not name:
        raise typer.BadParameter("Give the new run a name with --run.")
    if in_place:
        return RunFolder(workspace.runs_folder / name)
    folder: RunFolder = workspace.new_run_folder(name, overwrite=overwrite)
    return folder


def folder_of_another() -> RunFolder | None:
    """A folder to throw away, for all but the first of several processes (`accelerate launch`); None for the first.

    Raises:
        RunError: the launch wants of the processes what they cannot do.
    """
    import tempfile

    from gpr.learn.run_folder import RunFolder
    from gpr.learn.sharing import refuse_others

    refuse_others()
    if os.environ.get("RANK", "0") == "0":
        return None
    folder = tempfile.mkdtemp(prefix="gpr-process-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return RunFolder(Path(folder)).begin()


def print_end(run: RunInfo) -> None:
    from gpr.learn.needs import Estimate, apart

    if os.environ.get("RANK", "0") != "0":
        return
    figures = ", ".join(f"{name} {value:.3f}" for name, value in run.metrics.items())
    print(f"{run.status}: {run.folder} ({run.step} steps, {run.seconds:.0f} s; validation: {figures or 'none'})")
    if text := run.adaptation:
        print(
            f"Perplexity of the catalogue's text: {text['before']:.1f} before, {text['after']:.1f} after it was read."
        )
    if foreseen := run.config.get("estimate"):
        needed = Estimate.of_state(run.state, run.seconds)
        words = [f"Foreseen: {Estimate(**foreseen).figures()}", f"needed: {needed.figures()}", *apart(run.state)]
        print("; ".join(words) + ".")
    if run.message:
        print(run.message)


def add_train_commands(main: typer.Typer) -> None:
    """Adds these commands to another set."""
    main.registered_commands += app.registered_commands
