"""The commands around runs that are there: stop, look, compare, rename, delete, pass on. It knows flags and how to
print; heavy imports come late."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gpr.errors import RunError
from gpr.terminal import WORKSPACE, Json, Root, err, open_workspace, out, print_json, user_errors

app = typer.Typer()
runs_app = typer.Typer(help="Runs: list, compare, rename, describe, delete.", invoke_without_command=True)
app.add_typer(runs_app, name="runs")
Name = Annotated[str, typer.Argument(help="Name of a run.")]


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
