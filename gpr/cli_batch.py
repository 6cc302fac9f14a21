"""`gpr recommend --batch`: progress, time left, Ctrl-C and several processes around `gpr.batch`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gpr.terminal import err, stop_on_signal

if TYPE_CHECKING:
    from gpr.batch import Recommends


def recommend_file(recommender: Recommends, source: Path, out: Path, k: int) -> None:
    """Answers all requests of a file.

    Raises:
        GPRError: of the file, of a request in it, or of the disk.
        typer.Exit: it was stopped; the same command goes on.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from gpr.batch import Batch, read_requests
    from gpr.learn.processes import gathered, join, rank, world

    requests = read_requests(source, recommender.dataset)
    batch = Batch(recommender, requests, out, k, rank=rank(), world=world())
    numbers, stop = batch.left(), stop_on_signal("what is answered is kept")
    if world() > 1:
        import torch

        join(torch.device("cpu"))
        gathered(True)  # nobody writes before all have looked at what is left
    columns = (TextColumn("Requests"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=rank() > 0) as progress:
        task = progress.add_task("", total=len(numbers))
        for _ in batch.run(numbers, stop):
            progress.advance(task)
    ended = not any(gathered(stop()))
    if rank() > 0:
        return
    if not ended or not batch.finish():
        done = len(batch.answered())
        err.print(f"Stopped: {done:,} of {len(requests):,} requests are kept. The same command goes on from there.")
        raise typer.Exit(1)
    err.print(f"{len(requests):,} requests answered: {out}")
