"""The command line: the use cases of the workspace without a browser. It knows flags and how to print; heavy
imports come late."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gpr.cli_batch import recommend_file
from gpr.cli_bench import bench_app
from gpr.cli_data import add_commands
from gpr.cli_gallery import add_gallery_command
from gpr.cli_label import label_app
from gpr.cli_pretrain import add_pretrain_command
from gpr.cli_runs import add_run_commands
from gpr.cli_tasks import add_task_commands, evaluate_task
from gpr.cli_teach import add_teach_command
from gpr.cli_train import add_train_commands
from gpr.terminal import WORKSPACE, Json, Root, workspace_of_commands
from gpr.terminal import err as _err
from gpr.terminal import out as _out
from gpr.terminal import print_json as _print_json
from gpr.terminal import user_errors as _user_errors

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def main(
    context: typer.Context,
    root: Annotated[
        Path | None, typer.Option("--workspace", help="Folder that holds all state; also after it.")
    ] = None,
) -> None:
    """GPR turns any catalogue into a recommender: check data, fine-tune, recommend, evaluate, label."""
    if root is not None:
        context.with_resource(workspace_of_commands(root))


app.add_typer(label_app, name="label")
app.add_typer(bench_app, name="bench")

Run = Annotated[str, typer.Option("--run", help="Name of a run.")]

add_commands(app)
add_train_commands(app)
add_run_commands(app)
add_teach_command(app)
add_task_commands(app)
add_pretrain_command(app)
add_gallery_command(app)


@app.command()
@_user_errors
def sample(
    name: Annotated[str, typer.Argument(help="movies, courses-zh, news, funds or movielens-100k.")],
    folder: Annotated[Path, typer.Argument(help="Folder to write it to.")],
) -> None:
    """Writes a sample data set into a folder."""
    from gpr.cache import cache_folder
    from gpr.data.samples import write_sample

    for path in write_sample(name, folder, cache=cache_folder()):
        print(path)


@app.command()
@_user_errors
def recommend(
    query: Annotated[str, typer.Argument(help="What you want, in plain words.")] = "",
    run: Run = "",
    data: Annotated[
        str, typer.Option(help="A sample, folder or file: another catalogue, or the base model alone.")
    ] = "",
    k: Annotated[int, typer.Option("-k", min=1, help="How many.")] = 10,
    history: Annotated[list[str] | None, typer.Option(help="Id of an item chosen before; may be repeated.")] = None,
    base: Annotated[str, typer.Option(help="Base model, without a run.")] = "smollm2-135m-instruct",
    batch: Annotated[
        Path | None, typer.Option(help="A file of requests with columns query, history or both; needs --out.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File for the answers: .csv, .jsonl or .parquet.")] = None,
    why: Annotated[bool, typer.Option("--why", help="Also the reasons of each, computed from the scores.")] = False,
    as_json: Json = False,
    root: Root = WORKSPACE,
) -> None:
    """Recommends the k most probable items of a catalogue."""
    from gpr.data.dataset import Request
    from gpr.printing import print_why
    from gpr.ranking import Wish, rank
    from gpr.workspace import Workspace

    if not run and not data:
        raise typer.BadParameter("Give --run, --data, or both.")
    if (batch is None) != (out is None):
        raise typer.BadParameter("--batch and --out belong together.")
    workspace = Workspace(root, base)
    dataset = workspace.dataset(data) if data else None
    if dataset is None:
        dataset = workspace.dataset(workspace.run(run).data)
    if batch and out:
        with _err.status("Loading…") as status:
            recommender = workspace.recommender(run, data, lambda share, words: status.update(words))
        recommend_file(recommender, batch, out, k)
        return
    numbers = tuple(dataset.catalogue.number(item) for item in history or [])
    request = Request(query, numbers).checked(len(dataset.catalogue))
    with _err.status("Loading…") as status:
        recommender = workspace.recommender(run, data, lambda share, words: status.update(words))
        status.update("Asking the model…")
        wish = Wish(k)
        scored = recommender.score(request, wish=wish)
        found = rank(scored, wish)
        explainer = recommender.explainer(scored, found) if why else None
        reasons = [explainer.why(item.number).json(dataset.catalogue.titles) for item in found] if explainer else []
    if k > len(found):
        _err.print(f"The catalogue has {len(found):,} items to recommend; {k:,} were asked for.")
    if as_json:
        keys = ("rank", "item_id", "title", "probability", "log_prob")
        rows = [{key: getattr(item, key) for key in keys} for item in found]
        _print_json([row | {"why": reason} for row, reason in zip(rows, reasons, strict=True)] if why else rows)
        return
    table = Table(title=recommender.title, title_justify="left")
    for name, justify in (("rank", "right"), ("probability", "right"), ("title", "left"), ("item_id", "left")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for item in found:
        table.add_row(str(item.rank), f"{item.probability:.1%}", item.title, item.item_id)
    _out.print(table)
    for item, reason in zip(found, reasons, strict=False):
        print_why(_out, item.title, reason)


@app.command()
@_user_errors
def evaluate(
    data: Annotated[str, typer.Argument(help="A sample's name, a folder or a file.")],
    run: Run = "",
    base: Annotated[str, typer.Option(help="Base model, without a run.")] = "smollm2-135m-instruct",
    report: Annotated[Path | None, typer.Option(help="Also write a report: a .html or .md file.")] = None,
    folds: Annotated[
        int | None, typer.Option(help="Cross-validation: trains so many times, and pools what each had not seen.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the folds and their trainings.")] = 0,
    title_weight: Annotated[float | None, typer.Option(help="With --folds: as in `gpr train`.")] = None,
    as_json: Json = False,
    root: Root = WORKSPACE,
) -> None:
    """Measures a run, or the base model, and its peers on the test split. Broken off, it goes on where it ended."""
    from gpr.printing import print_table
    from gpr.workspace import Options, Workspace

    if run and folds is not None:
        raise typer.BadParameter("--folds trains its own runs; leave --run out.")
    workspace = Workspace(root, base)
    if run and (info := workspace.run(run)).task != "recommend":
        evaluate_task(workspace, info, as_json)
        return
    with _err.status("Loading…") as status:
        tell = lambda share, words: status.update(f"{words} ({share:.0%})")  # noqa: E731
        if folds is None:
            table = workspace.evaluate(data, run, tell)
        else:
            options = Options(seed=seed, base=base, title_weight=title_weight)
            table = workspace.cross_validate(data, folds, options, tell)
    if report:
        from gpr.evaluate.report import write_report

        write_report(table, report)
    if as_json:
        _print_json({key: value for key, value in table.items() if key != "details"})
    else:
        print_table(_out, table)
