"""The commands around runs: train, resume, stop, look, compare, rename, delete, pass on. It knows flags and how to
print; heavy imports come late."""

from __future__ import annotations

import atexit
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from gpr.errors import RunError
from gpr.terminal import WORKSPACE, Json, Root, err, open_workspace, out, print_json, stop_on_signal, user_errors

if TYPE_CHECKING:
    from gpr.learn.run_folder import RunFolder
    from gpr.runs import RunInfo

app = typer.Typer()
runs_app = typer.Typer(help="Runs: list, compare, rename, describe, delete.", invoke_without_command=True)
app.add_typer(runs_app, name="runs")
Name = Annotated[str, typer.Argument(help="Name of a run.")]
InPlace = Annotated[bool, typer.Option("--in-place", hidden=True)]


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
    match_weight: Annotated[float | None, typer.Option(help="Of the two-tower loss.")] = None,
    adapt: Annotated[int | None, typer.Option(help="Times the catalogue's text is read before; usually 0.")] = None,
    window: Annotated[int | None, typer.Option(help="Items of a history that are read.")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, float32, bfloat16, or 4bit on CUDA.")] = None,
    task: Annotated[str, typer.Option(help="recommend, score or classify.")] = "recommend",
    text: Annotated[str, typer.Option(help="Of classify: the column of texts.")] = "",
    label: Annotated[str, typer.Option(help="Of classify: the column of labels.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run of that name.")] = False,
    only_estimate: Annotated[bool, typer.Option("--estimate", help="Only say what it would need.")] = False,
    as_json: Json = False,
    in_place: InPlace = False,
    root: Root = WORKSPACE,
) -> None:
    """Fine-tunes a base model on the data. Ctrl-C stops and keeps what was learned."""
    given: dict[str, Any] = dict(locals())  # every field of `Options` is an option of this command
    started = time.monotonic()
    from gpr.learn.options import Options
    from gpr.printing import TrainingBar

    options = Options(**{name: given[name] for name in Options.__dataclass_fields__ if given[name] is not None})
    if not run and not only_estimate:
        raise typer.BadParameter("Give the new run a name with --run.")
    workspace = open_workspace(root)
    if only_estimate:
        with TrainingBar(err) as bar:
            needed = workspace.estimate(data, options, bar.update)
        print_json(needed.json()) if as_json else print(f"This run needs {needed.words()}.")
        return
    folder = folder_of_another() or run_folder(workspace, run, overwrite=overwrite, in_place=in_place)
    asked = stop_on_signal()
    with TrainingBar(err) as bar:
        info = workspace.train(data, folder, options, asked, bar.update, started)
    print_end(info)


@app.command()
@user_errors
def resume(name: Name, in_place: InPlace = False, root: Root = WORKSPACE) -> None:
    """Goes on with a run that was interrupted, from its last checkpoint."""
    from gpr.learn.run_folder import RunFolder
    from gpr.printing import TrainingBar

    workspace = open_workspace(root)
    folder = folder_of_another() or (RunFolder(workspace.root / "runs" / name) if in_place else workspace.claim(name))
    asked = stop_on_signal()
    with TrainingBar(err) as bar:
        info = workspace.resume(folder, asked, bar.update)
    print_end(info)


def run_folder(workspace: Any, name: str, *, overwrite: bool, in_place: bool) -> RunFolder:
    """A new run's folder; in place, the one that whoever started this process has made for it."""
    from gpr.learn.run_folder import RunFolder

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
    from gpr.learn.needs import Estimate

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
        print(f"Foreseen: {Estimate(**foreseen).figures()}; needed: {needed.figures()}.")
    if run.message:
        print(run.message)


@app.command()
@user_errors
def stop(
    name: Name,
    discard: Annotated[bool, typer.Option("--discard", help="Keep nothing of it.")] = False,
    root: Root = WORKSPACE,
) -> None:
    """Stops a run that is going on; what it learned is kept unless --discard."""
    from gpr import jobs

    workspace = open_workspace(root)
    with err.status("Waiting for its answer…"):
        jobs.stop(workspace, name, discard=discard, wait=True)
    print(f"{name}: discarded" if discard else f"{name}: {workspace.run(name).status}")


@runs_app.callback()
@user_errors
def runs(context: typer.Context, as_json: Json = False, root: Root = WORKSPACE) -> None:
    """Lists all runs, newest first."""
    if context.invoked_subcommand:
        return
    from gpr.runs import summary

    found = open_workspace(root).runs()
    if as_json:
        print_json([summary(run) for run in found])
        return
    table = Table()
    for name, justify in (("run", "left"), ("status", "left"), ("data", "left"), ("base", "left"), ("steps", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for name in ("R@1", "R@10", "seconds"):
        table.add_column(name, justify="right")
    for run in found:
        values = [f"{run.metrics[name]:.3f}" if name in run.metrics else "" for name in ("R@1", "R@10")]
        status = f"{run.status}, forgotten data" if run.forgotten else run.status
        about = (run.name, status, Path(run.data).name, Path(run.base).name, f"{run.step:,}/{run.steps:,}")
        table.add_row(*about, *values, f"{run.seconds:.0f}")
    out.print(table if found else "There are no runs yet.")


@runs_app.command("compare")
@user_errors
def runs_compare(
    names: Annotated[list[str], typer.Argument(help="Two runs or more.")],
    as_json: Json = False,
    root: Root = WORKSPACE,
) -> None:
    """Shows metrics side by side, and the settings that differ."""
    from gpr.runs import compare

    workspace = open_workspace(root)
    found = [workspace.run(name) for name in names]
    table = compare(found)
    if as_json:
        print_json({"runs": names, **table})
        return
    shown = Table("", *names)
    for part in table.values():
        for name, row in part.items():
            words = [
                "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value) for value in row
            ]
            shown.add_row(name.replace("_", "-"), *words)
        shown.add_section()
    out.print(shown)


@runs_app.command("delete")
@user_errors
def runs_delete(name: Name, root: Root = WORKSPACE) -> None:
    """Deletes a run that is not going on."""
    open_workspace(root).delete_run(name)
    print(f"{name}: deleted")


@runs_app.command("queue")
@user_errors
def runs_queue(
    name: Annotated[str, typer.Argument(help="A waiting run to move; without one the queue is shown.")] = "",
    by: Annotated[int, typer.Option("--by", help="Places to move it; below 0 towards the front.")] = -1,
    as_json: Json = False,
    root: Root = WORKSPACE,
) -> None:
    """Shows the runs that wait for the device, the next one first, or moves one of them."""
    turns = open_workspace(root).turns
    if name:
        if name not in turns.waiting():
            raise RunError(f"The run '{name}' does not wait.", hint=f"Waiting: {', '.join(turns.waiting()) or 'none'}.")
        turns.move(name, by)
    waiting = turns.waiting()
    if as_json:
        print_json(waiting)
        return
    print("\n".join(f"{place}. {other}" for place, other in enumerate(waiting, 1)) or "No run waits.")


@runs_app.command("rename")
@user_errors
def runs_rename(name: Name, to: Annotated[str, typer.Argument(help="The new name.")], root: Root = WORKSPACE) -> None:
    """Gives a run another name."""
    print(open_workspace(root).rename_run(name, to).folder)


@runs_app.command("note")
@user_errors
def runs_note(
    name: Name,
    text: Annotated[str | None, typer.Argument(help="What to remember of it.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="May be repeated; replaces the tags.")] = None,
    root: Root = WORKSPACE,
) -> None:
    """Keeps a note and tags with a run, or shows them."""
    run = open_workspace(root).describe_run(name, note=text, tags=tag)
    print(f"{run.name}: {run.note or 'no note'} [{', '.join(run.tags)}]")


@app.command("export")
@user_errors
def export(
    name: Name,
    file: Annotated[Path, typer.Argument(help="A .zip file, or a new folder.")],
    kind: Annotated[
        str, typer.Option("--as", help="run (to be imported again), adapter (for peft) or merged.")
    ] = "run",
    root: Root = WORKSPACE,
) -> None:
    """Writes a finished run to a file: the whole run, the adapter alone, or the merged model."""
    from gpr.packing import export_run

    print(export_run(open_workspace(root).run(name), file, kind))  # type: ignore[arg-type]


@app.command("import")
@user_errors
def import_(
    file: Annotated[Path, typer.Argument(help="A .zip file that `gpr export` wrote.")],
    name: Annotated[str, typer.Option("--run", help="Its name here; that of the file where not given.")] = "",
    root: Root = WORKSPACE,
) -> None:
    """Takes over a run that was exported elsewhere."""
    from gpr.packing import import_run

    workspace = open_workspace(root)
    print(workspace.run(import_run(file, workspace.new_run_folder, name)).folder)


def add_run_commands(main: typer.Typer) -> None:
    """Adds these commands to another set."""
    main.registered_commands += app.registered_commands
    main.registered_groups += app.registered_groups
