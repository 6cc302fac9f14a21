"""`gpr label ...`: labels out and in, counted and compared. Heavy imports come late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpr.errors import GPRError, RequestError
from gpr.terminal import WORKSPACE, Json, Root, err, out, print_json, user_errors

if TYPE_CHECKING:
    from gpr.data.dataset import Catalogue
    from gpr.workspace import Workspace

label_app = typer.Typer(help="Labels: export, import, count and compare them.", no_args_is_help=True)
Url = Annotated[
    str,
    typer.Option("--labels-url", envvar="GPR_LABELS_URL", help="Database of labels, such as postgresql://me@host/db."),
]
SHOWN = 5
"""Rows and items that are named of those that need a look."""


@contextmanager
def _opened(root: Path, url: str) -> Iterator[Workspace]:
    from gpr.workspace import Workspace

    workspace = Workspace(root, labels_url=url)
    try:
        yield workspace
    finally:
        workspace.labels.close()


@label_app.command("export")
@user_errors
def export(
    file: Annotated[Path, typer.Argument(help="A .csv, .jsonl, .parquet or .json file, or a folder for `datasets`.")],
    layout: Annotated[
        str,
        typer.Option(
            "--as", help="csv, jsonl, parquet, datasets, argilla, label-studio, pairs or preferences; else the suffix."
        ),
    ] = "",
    resolved: Annotated[
        bool, typer.Option("--resolved", help="One label an item: rulings, else the majority.")
    ] = False,
    root: Root = WORKSPACE,
    url: Url = "",
) -> None:
    """Writes all current labels to a file."""
    from gpr.labels import exchange
    from gpr.labels.formats import export_labels

    with _opened(root, url) as workspace:
        store = workspace.labels
        said = store.preferences() if layout == "preferences" else store.current()
        if not said:
            raise RequestError("There are no labels yet.", hint="Label some recommendations in the page first.")
        if resolved and layout != "preferences":
            said = exchange.resolved(store.current(), store.rulings())
    count = export_labels(said, file, layout)
    print(f"{count:,} {layout if layout in ('pairs', 'preferences') else 'labels'}: {file}")


@label_app.command("import")
@user_errors
def import_(
    file: Annotated[Path, typer.Argument(help="What an export wrote, or a table with item_id or title, and verdict.")],
    data: Annotated[
        list[str] | None, typer.Option(help="Where items are looked up; else the data of all runs.")
    ] = None,
    annotator: Annotated[str, typer.Option(help="Whose the rows are that name nobody.")] = "",
    as_json: Json = False,
    root: Root = WORKSPACE,
    url: Url = "",
) -> None:
    """Adds the labels of a file; what is there already is not added again."""
    from gpr.labels.exchange import import_rows
    from gpr.labels.formats import read_rows

    rows = read_rows(file)
    with _opened(root, url) as workspace:
        done = import_rows(rows, workspace.labels, _catalogues(workspace, data), annotator)
    report = {
        "rows": len(rows),
        "labels": len(done.labels),
        "preferences": len(done.preferences),
        "known": done.known,
        "unknown_items": done.unknown_items,
        "left_out": done.left_out,
    }
    if as_json:
        print_json(report)
        return
    added = f"{len(done.labels):,} labels" + (f", {len(done.preferences):,} preferences" if done.preferences else "")
    print(f"{added} added, {done.known:,} known already, {len(done.left_out):,} rows left out")
    for title, found in (("in no data set, kept", done.unknown_items), ("left out", done.left_out)):
        for line in found[:SHOWN]:
            print(f"  {title}: {line}")
        if len(found) > SHOWN:
            print(f"  {title}: {len(found) - SHOWN:,} more (--json names them all)")


def _catalogues(workspace: Workspace, data: list[str] | None) -> dict[str, Catalogue]:
    """Those that were named; else of every run whose data is still there."""
    found = {}
    for name in data or dict.fromkeys(run.data for run in workspace.runs() if run.data):
        try:
            dataset = workspace.dataset(name)
        except GPRError:
            if data:
                raise
            continue
        found[dataset.name] = dataset.catalogue
    return found


@label_app.command("stats")
@user_errors
def stats(as_json: Json = False, root: Root = WORKSPACE, url: Url = "") -> None:
    """Counts the labels by verdict, annotator and run, and the preferences between runs."""
    from gpr.labels.wins import wins
    from gpr.printing import print_stats, print_wins

    with _opened(root, url) as workspace:
        counts = workspace.labels.stats()
        liked = wins(workspace.labels.preferences())
    if as_json:
        print_json(counts | {"preferences": liked})
        return
    print_stats(out, counts)
    print_wins(out, liked)


@label_app.command("agreement")
@user_errors
def agreement(
    data: Annotated[str, typer.Option(help="Of this data set alone, by its name.")] = "",
    as_json: Json = False,
    root: Root = WORKSPACE,
    url: Url = "",
) -> None:
    """How much annotators agree: Cohen's and Fleiss' kappa, Krippendorff's alpha, speed, conflicts."""
    from gpr.labels import agreement as measures
    from gpr.printing import print_agreement

    with _opened(root, url) as workspace, err.status("Comparing…"):
        labels = workspace.labels.current(dataset=data or None)
        found = measures.agreement(labels, workspace.labels.rulings(dataset=data or None))
    if as_json:
        print_json(found)
    else:
        print_agreement(out, found)
