"""`gpr bench`: what is measured, as commands. It knows flags and how to print; heavy imports come late."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gpr.terminal import user_errors

bench_app = typer.Typer(help="Measurements: speed and quality, as ratios of one run.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="JSON alone on stdout.")]
_err = Console(stderr=True, highlight=False, markup=False, emoji=False)


def _tell(share: float, words: str) -> None:
    _err.print(f"{share:4.0%}  {words}", soft_wrap=True)


def _show(figures: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures, indent=1))
        return
    for name, value in figures.items():
        print(f"{name:24} {value}")


@bench_app.command()
def decode(
    data: Annotated[str, typer.Argument(help="A data set with histories.")] = "movielens-100k",
    picture: Annotated[Path | None, typer.Option(help="Where to draw the curve (PNG; needs matplotlib).")] = None,
    precision: Annotated[str, typer.Option(help="Of the base model: auto, float32 or bfloat16.")] = "auto",
    as_json: Json = False,
) -> None:
    """Exact recommending over a trie beside transformers' constrained beam search: times, recall, larger catalogues."""
    from gpr.bench.decode import decode as measure
    from gpr.bench.decode import draw
    from gpr.cache import cache_folder
    from gpr.data.load import load
    from gpr.lm.base import load_base
    from gpr.lm.install import DEFAULT_BASE

    base = load_base(DEFAULT_BASE).in_precision(precision)
    figures = measure(load(data, cache=cache_folder()), base, _tell)
    if picture:
        draw(figures, picture)
    _show(figures, as_json)


@bench_app.command("label")
@user_errors
def label(
    labels: Annotated[int, typer.Option(min=2, help="How many to give.")] = 200,
    pause: Annotated[float, typer.Option(min=0, help="Seconds between a card and the next key.")] = 0.7,
    as_json: Json = False,
) -> None:
    """From a key press to the next card, in a real browser; then undo, redo, kill and restart. Exit code 1: missed."""
    from gpr.bench.label import measure

    figures = measure(labels, pause, min(50, labels), say=lambda words: _err.print(words))
    _show(figures, as_json)
    raise typer.Exit(0 if figures["holds"] else 1)


@bench_app.command()
@user_errors
def catalogue(
    data: Annotated[list[str] | None, typer.Argument(help="Data sets; by default three samples.")] = None,
    recommendations: Annotated[int, typer.Option(min=1, help="How many, over all data sets.")] = 10_000,
    as_json: Json = False,
) -> None:
    """Whether a recommendation is ever invented, or twice in a list. Exit code 1: it is."""
    import tempfile

    from gpr.bench.catalogue import DATA, measure
    from gpr.workspace import Workspace

    with tempfile.TemporaryDirectory(prefix="gpr-bench-") as place:
        figures = measure(Workspace(Path(place)), data or DATA, recommendations, _tell)
    _show(figures, as_json)
    raise typer.Exit(0 if figures["holds"] else 1)


@bench_app.command()
@user_errors
def train(
    data: Annotated[str, typer.Argument(help="A data set with queries, or with histories.")] = "movies",
    limit: Annotated[
        int,
        typer.Option(help="Training pairs, or users with a history, that take part; 0: all that `gpr train` shows."),
    ] = 100,
    epochs: Annotated[int, typer.Option(help="Times that every target is shown.")] = 3,
    tests: Annotated[int, typer.Option(help="Held-out requests to compare on; 0 measures speed alone.")] = 0,
    plain_limit: Annotated[
        int, typer.Option(help="Targets that the plain way's speed is measured on; 0 for all that take part.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Training beside the plain way of peft and the Trainer: targets a second, and what was learned."""
    from gpr.bench.train import train as measure
    from gpr.cache import cache_folder
    from gpr.data.load import load
    from gpr.lm.install import DEFAULT_BASE

    if plain_limit and tests:
        raise typer.BadParameter("What a part of the targets teaches is no fair comparison: leave out --tests.")
    dataset = load(data, cache=cache_folder())
    _show(measure(dataset, DEFAULT_BASE, _tell, limit, epochs, tests, plain_limit), as_json)


@bench_app.command()
@user_errors
def teach(
    data: Annotated[str, typer.Argument(help="A data set with queries.")] = "movies",
    root: Annotated[
        Path, typer.Option("--workspace", help="Where the runs are kept; a new folder for each data set.")
    ] = (Path("workspace-of-teaching")),
    known: Annotated[
        int,
        typer.Option(min=0, help="Training queries that the run knows; labels are of the others. 0: no query at all."),
    ] = 100,
    labels: Annotated[list[int] | None, typer.Option(help="How many to give; may be repeated.")] = None,
    order: Annotated[list[str] | None, typer.Option(help="uncertain or random; may be repeated.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Splits, for data that is split by the seed.")] = 1,
    weights_alone: Annotated[bool, typer.Option("--weights-alone", help="Train nothing, fit the weights.")] = False,
    picture: Annotated[Path | None, typer.Option(help="Where to draw the curves (PNG; needs matplotlib).")] = None,
    as_json: Json = False,
) -> None:
    """What labels are worth: an annotator who knows what is relevant labels, and held-out requests are measured."""
    from gpr.bench.teach import COUNTS, ORDERS, draw, measure
    from gpr.cache import cache_folder
    from gpr.data.load import load

    splits = [load(data, cache=cache_folder(), seed=seed) for seed in range(seeds)]
    orders: Any = order or ORDERS
    given = measure(splits, root, _tell, known, labels or COUNTS, orders, weights_alone=weights_alone)
    if picture:
        draw(given, picture)
    _show(given, as_json)


@bench_app.command()
@user_errors
def tasks(
    only: Annotated[str, typer.Option(help="classify or score alone.")] = "",
    tests: Annotated[int, typer.Option(help="Test examples of each at most.")] = 2_000,
    as_json: Json = False,
) -> None:
    """A head on the frozen model's features: accuracy on clothing reviews, AUC on films after few examples."""
    from gpr.bench.tasks import classify, score
    from gpr.cache import cache_folder
    from gpr.lm.install import DEFAULT_BASE

    measures = {"classify": classify, "score": score}
    chosen = {name: measure for name, measure in measures.items() if only in ("", name)}
    _show({name: measure(DEFAULT_BASE, cache_folder(), _tell, tests) for name, measure in chosen.items()}, as_json)
