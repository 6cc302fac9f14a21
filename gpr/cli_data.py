"""The commands on data: check, keep, list, rename, delete, export, forget. It knows flags and how to print."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from gpr.errors import DataError
from gpr.terminal import WORKSPACE, Json, Root, err, open_workspace, out, print_json, user_errors

data_app = typer.Typer(help="Data sets that are kept in the workspace.", no_args_is_help=True)

Data = Annotated[str, typer.Argument(help="A sample's or kept data set's name, a folder, an archive or a file.")]
Name = Annotated[str, typer.Argument(help="Name of a kept data set.")]
Roles = Annotated[
    list[str] | None,
    typer.Option("--role", help="What a column means, 'COLUMN=ROLE' or 'FILE:COLUMN=ROLE'; may be repeated."),
]
_CHOICES: dict[str, Any] = {
    "roles": Roles,
    "good_from": Annotated[float | None, typer.Option(help="Ratings below it are bad; -1: all count as chosen.")],
    "pairs": Annotated[str | None, typer.Option(help="Split of pairs: file or random.")],
    "histories": Annotated[str | None, typer.Option(help="Split of histories: file, last or date.")],
    "equal_titles": Annotated[str | None, typer.Option(help="Items with equal titles: merge or apart.")],
    "html": Annotated[str | None, typer.Option(help="HTML in descriptions: strip or keep.")],
    "personal": Annotated[str | None, typer.Option(help="Personal data in texts: mask or keep.")],
}
Given = dict[str, Any] | None
"""What the flags of `_CHOICES` say, those that were given."""


def with_choices(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the flags of `_CHOICES` in the place of its parameter `given`."""

    @functools.wraps(command)
    def wrapped(**flags: Any) -> None:
        given = {name: value for name in _CHOICES if (value := flags.pop(name)) is not None}
        command(**flags, given=given)

    own = inspect.signature(command, eval_str=True)
    kinds = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in _CHOICES.items()
    ]
    others = [item.replace(kind=item.KEYWORD_ONLY) for item in own.parameters.values() if item.name != "given"]
    first = [item.replace(kind=item.POSITIONAL_OR_KEYWORD) for item in others if item.default is item.empty]
    rest = [item for item in others if item.default is not item.empty]
    signature = inspect.Signature([*first, *rest, *kinds])
    wrapped.__dict__["__signature__"] = signature
    wrapped.__annotations__ = {name: item.annotation for name, item in signature.parameters.items()}
    return wrapped


def add_commands(app: typer.Typer) -> None:
    """Puts them on the command line."""
    app.command()(check)
    app.command()(forget)
    app.add_typer(data_app, name="data")


@user_errors
@with_choices
def check(
    data: Data,
    as_json: Json = False,
    seed: Annotated[int, typer.Option(help="Of a random split.")] = 0,
    given: Given = None,
    set_aside: Annotated[Path | None, typer.Option(help="Writes the set-aside rows with their reasons (CSV).")] = None,
    repaired: Annotated[Path | None, typer.Option(help="Writes the data as it is used into a new folder.")] = None,
    root: Root = WORKSPACE,
) -> None:
    """Shows what was read, how columns were mapped, and every finding."""
    from gpr.cache import cache_folder
    from gpr.data.account import write_repaired, write_set_aside
    from gpr.data.load import load, read_tables
    from gpr.data.report import report

    place = _kept_folder(data, root) or data
    choices = None
    if given:
        mapped = "roles" in given
        files = [table.file for table in read_tables(place, cache=cache_folder())[1].values()] if mapped else []
        choices = _choices(None, files, given)
    dataset = load(place, cache=cache_folder(), seed=seed, choices=choices)
    for path, write in ((set_aside, write_set_aside), (repaired, write_repaired)):
        if path and path.exists():
            raise DataError("This exists already.", where=str(path), hint="Name a new one.")
        if path:
            write(dataset, path)
            err.print(f"Written: {path}")
    if as_json:
        print_json(report(dataset))
    else:
        from gpr.printing import print_report

        print_report(out, report(dataset))


def _kept_folder(data: str, root: Path) -> str:
    """The folder of a kept data set of that name, '' if there is none; makes no workspace."""
    from gpr.data.samples import SAMPLES

    folder = root.expanduser().absolute() / "data" / data
    named = data not in SAMPLES and "/" not in data and data.strip() == data and data not in ("", ".", "..")
    return str(folder) if named and (folder / "dataset.json").is_file() else ""


def _choices(before: Any, files: list[str], given: Given) -> Any:
    """`before` with what the flags say."""
    from gpr.data.choices import Choices

    choices, given = before or Choices(), dict(given or {})
    roles = given.pop("roles", ())
    if given.get("good_from", 0) == -1:
        given["good_from"] = None
    choices = replace(choices, **given)
    for word in roles:
        column, equals, role = word.rpartition("=")
        file, colon, rest = column.partition(":")
        named = [name for name in files if colon and name == file]
        if not equals or not column or not role:
            raise typer.BadParameter(f"'{word}' is not COLUMN=ROLE.")
        for name in named or files:
            choices = choices.with_role(name, rest if named else column, role)
    return choices


@data_app.command("add")
@user_errors
@with_choices
def data_add(
    data: Data,
    name: Annotated[str, typer.Option(help="Its name; else that of the file or folder.")] = "",
    given: Given = None,
    root: Root = WORKSPACE,
) -> None:
    """Keeps data in the workspace: user ids become keyed hashes, the mapping is remembered."""
    from gpr.cache import cache_folder
    from gpr.data.load import read_tables

    workspace = open_workspace(root)
    found, tables = read_tables(data, cache=cache_folder())
    choices = _choices(None, [table.file for table in tables.values()], given)
    kept = workspace.data.add(name or found, tables, source=data, choices=choices)
    print(f"{kept.name}: {kept.items:,} items, {kept.hash}")


@data_app.command("set")
@user_errors
@with_choices
def data_set(
    name: Name,
    given: Given = None,
    root: Root = WORKSPACE,
) -> None:
    """Changes what columns mean, the rating that counts as good, or how it is split."""
    from gpr.data.kept import read_tables

    store = open_workspace(root).data
    before = store.find(name).choices
    files = [table.file for table in read_tables(store.folder(name)).values()]
    kept = store.choose(name, _choices(before, files, given))
    print(f"{kept.name}: {kept.items:,} items, {kept.hash}")


@data_app.command("list")
@user_errors
def data_list(as_json: Json = False, root: Root = WORKSPACE) -> None:
    """Lists the kept data sets with their hashes and the runs on them."""
    from gpr.keeping import runs_on

    workspace = open_workspace(root)
    rows = [(kept, [run.name for run in runs_on(workspace, kept.name)]) for kept in workspace.data.all()]
    if as_json:
        print_json([asdict(kept) | {"choices": kept.choices.as_json(), "runs": runs} for kept, runs in rows])
        return
    table = Table("name", "items", "hash", "stored", "from", "runs")
    for kept, runs in rows:
        table.add_row(kept.name, f"{kept.items:,}", kept.hash, kept.stored[:10], kept.source, ", ".join(runs))
    out.print(table)


@data_app.command("rename")
@user_errors
def data_rename(old: Name, new: Annotated[str, typer.Argument(help="Its new name.")], root: Root = WORKSPACE) -> None:
    """Gives a data set another name; runs and labels follow."""
    from gpr.keeping import rename

    print(rename(open_workspace(root), old, new).name)


@data_app.command("delete")
@user_errors
def data_delete(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Even if a run needs it.")] = False,
    root: Root = WORKSPACE,
) -> None:
    """Deletes a data set, unless a run needs it."""
    from gpr.keeping import delete

    delete(open_workspace(root), name, force=force)
    print(f"deleted: {name}")


@data_app.command("export")
@user_errors
def data_export(
    name: Name, folder: Annotated[Path, typer.Argument(help="A new folder.")], root: Root = WORKSPACE
) -> None:
    """Writes the data as it is used, the set-aside rows and the report into a folder."""
    for path in open_workspace(root).data.export(name, folder):
        print(path)


@user_errors
def forget(
    user: Annotated[str, typer.Option("--user", help="The id, as it was in your files.")],
    as_json: Json = False,
    root: Root = WORKSPACE,
) -> None:
    """Removes a person from all kept data and labels, and marks the runs that were trained with the person's rows."""
    from gpr.keeping import forget as forget_user

    gone = forget_user(open_workspace(root), user)
    if as_json:
        print_json([asdict(one) for one in gone])
        return
    for one in gone:
        runs = f"; runs trained on it: {', '.join(one.runs)}" if one.runs else ""
        runs += f"; batches of requests removed: {one.batches}" if one.batches else ""
        after = one.after or "deleted, nothing was left"
        print(f"{one.name}: {one.rows:,} rows and {one.labels:,} label entries removed, {one.before} -> {after}{runs}")
