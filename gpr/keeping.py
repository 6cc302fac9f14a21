"""What to do with kept data beyond the data: runs need it, labels follow its name, a person is forgotten everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gpr.cache import cache_folder
from gpr.data.choices import Choices
from gpr.data.dataset import SPLITS, Dataset
from gpr.data.kept import Kept
from gpr.data.load import read_files, read_tables
from gpr.errors import DataError
from gpr.kept_batch import BATCHES, BatchStore
from gpr.labels.label import request_id
from gpr.labels.rewrite import forget_requests, rename_dataset
from gpr.learn.run_folder import RunFolder
from gpr.runs import FORGOTTEN, RunInfo
from gpr.workspace import Workspace


def keep(
    workspace: Workspace,
    data: str | Sequence[Path],
    name: str,
    choices: Choices | None = None,
    *,
    partial: bool = False,
) -> Kept:
    """Keeps a sample, file, folder, archive, or several files, under a name.

    Args:
        partial: also where columns have to be mapped by hand first.

    Raises:
        DataError: it cannot be read or used, or the name is taken. WorkspaceError.
    """
    if isinstance(data, str):
        source, tables = data, read_tables(data, cache=cache_folder())[1]
    else:
        source, tables = ", ".join(path.name for path in data), read_files(data)
    return workspace.data.add(name, tables, source=source, choices=choices, partial=partial)


def runs_on(workspace: Workspace, name: str) -> list[RunInfo]:
    """The runs that were trained on a kept data set."""
    folder = workspace.data.folder(name)
    return [run for run in workspace.runs() if run.data == name or Path(run.data).expanduser().absolute() == folder]


def rename(workspace: Workspace, old: str, new: str) -> Kept:
    """Runs and labels follow.

    Raises:
        DataError: no such data set, or the name is taken. WorkspaceError.
    """
    runs = runs_on(workspace, old)
    kept = workspace.data.rename(old, new)
    for run in runs:
        folder = RunFolder(run.folder)
        folder.write("config.json", folder.read("config.json") | {"data": str(workspace.data.folder(new))})
    rename_dataset(workspace.labels, old, new)
    return kept


def delete(workspace: Workspace, name: str, *, force: bool = False) -> None:
    """Raises: DataError: no such data set, or a run needs it and `force` is not given. WorkspaceError."""
    workspace.data.find(name)
    needing = [run.name for run in runs_on(workspace, name)]
    if needing and not force:
        hint = "Delete the run first, or force it: the run then only works with another catalogue."
        raise DataError(f"The data set '{name}' is needed by runs: {', '.join(needing[:5])}.", hint=hint)
    workspace.data.delete(name)


@dataclass(frozen=True)
class Gone:
    """What one data set lost with a person."""

    name: str
    rows: int
    before: str
    """Hash."""
    after: str
    """Hash, '' where nothing was left."""
    labels: int
    """Entries of the label log that were removed."""
    runs: tuple[str, ...]
    """Trained with the person's rows; they are marked."""
    batches: int
    """Of requests that held one of the person's, removed as a whole."""


def forget(workspace: Workspace, user: str) -> list[Gone]:
    """Removes a person's rows from all kept data, what was labelled of the person's histories, and the batches that ask
    with one; marks the runs.

    Raises:
        DataError: nobody of that id is in any kept data set. WorkspaceError.
    """
    gone = []
    for lost in workspace.data.forget(user):
        requests = _requests(lost.before) - (_requests(lost.after) if lost.after else set())
        labels = forget_requests(workspace.labels, requests)
        batches = BatchStore(workspace.root / BATCHES)
        asked = batches.forget(str(workspace.data.folder(lost.name)), lost.before, requests)
        runs = runs_on(workspace, lost.name)
        after = lost.after.hash if lost.after else ""
        for run in runs:
            mark = {"data": lost.name, "before": lost.before.hash, "after": after, "rows": lost.rows}
            RunFolder(run.folder).write(FORGOTTEN, mark)
        names = tuple(run.name for run in runs)
        gone.append(Gone(lost.name, lost.rows, lost.before.hash, after, labels, names, asked))
    if not gone:
        hint = "Ids are compared as they are written in your files. Files outside of the workspace are yours to change."
        raise DataError("Nobody of that id is in the kept data.", hint=hint)
    return gone


def _requests(dataset: Dataset) -> set[str]:
    """Every request that the data holds, by its id in the label log."""
    ids = dataset.catalogue.item_ids
    histories = {sequence.items for sequence in dataset.sequences}
    queries = set()
    for split in SPLITS:
        histories |= {example.request.history for example in dataset.examples[split]}
        queries |= {example.request.query for example in dataset.examples[split]}
    found = {request_id(dataset.name, "", [ids[number] for number in items]) for items in histories - {()}}
    return found | {request_id(dataset.name, query) for query in queries - {""}}
