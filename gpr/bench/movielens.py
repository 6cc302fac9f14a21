"""MovieLens-100K, leave-last-two-out: the pool without the GPT's own answers, its parts, its peers and SASRec.

    python -m gpr.bench.movielens

The GPT, not fine-tuned, gives the text vectors of `sequence`; SASRec is `sequence` without text. Both are trained here
(minutes on two cores) and kept below the workspace. The pool's weights are fitted on the validation split.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from torch import Tensor

from gpr.data.dataset import Dataset
from gpr.evaluate.figures import facts_of, figures, judged
from gpr.evaluate.peers import Scales, peers_of
from gpr.evaluate.table import PROTOCOL, Stages
from gpr.files import written_whole
from gpr.learn.histories import Plan, epochs_of, train_sequence
from gpr.printing import print_table
from gpr.scorers.ensemble import scorers_of, text_vectors
from gpr.scorers.pool import Pool, fit
from gpr.scorers.sequence import SequenceModel, SequenceScorer, Shape, load_sequence, save_sequence
from gpr.workspace import Workspace

DATA = "movielens-100k"
_err = Console(stderr=True)


def main(
    root: Annotated[Path, typer.Option("--workspace", help="Folder that holds all state.")] = Path("workspace"),
    data: Annotated[str, typer.Option(help="Other data with histories.")] = DATA,
    epochs: Annotated[int, typer.Option(help="Of both transformers; 0 for as many as a run takes.")] = 0,
    only: Annotated[str, typer.Option(help="Train this one, sequence or sasrec, and stop.")] = "",
) -> None:
    """Trains what is missing, then prints the figures of the test split."""
    workspace = Workspace(root)
    dataset = workspace.dataset(data)
    texts = text_vectors(workspace.recommender("", data).ensemble.gpt)
    epochs = epochs or epochs_of(dataset)
    folder = workspace.root / "bench" / f"{dataset.name}-{epochs}"
    models = {
        name: _trained(folder / name, dataset, vectors, epochs)
        for name, vectors in (("sequence", texts), ("sasrec", texts[:, :0]))
        if only in ("", name)
    }
    if not only:
        table = compare(dataset, models["sequence"], models["sasrec"])
        print_table(Console(highlight=False, markup=False), table)


def compare(dataset: Dataset, sequence: SequenceModel, sasrec: SequenceModel) -> dict[str, object]:
    """The table of an evaluation whose `gpr` is the pool of everything but the GPT's own answers."""
    parts = scorers_of(dataset, sequence)
    peers = peers_of(dataset) | {"sasrec": SequenceScorer(sasrec)}
    asked = [example.request for example in dataset.examples["valid"]]
    items = np.array([example.item for example in dataset.examples["valid"]])
    pool = fit({name: part.score_all(asked) for name, part in parts.items()}, asked, items, Pool.same())
    _err.print("Weights:", {name: round(weight, 3) for name, weight in pool.weights["history"].items()})
    stages = Stages(dataset.examples["test"], Scales(dataset, parts | peers), lambda share, words: None, None)

    def rows(batch: list) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
        requests = [example.request for example in batch]
        found = {name: part.score_all(requests) for name, part in parts.items()}
        alone = {name: peer.score_all(requests) for name, peer in peers.items()}
        return {"gpr": pool.combine(found, requests)} | found | alone

    outcomes = stages.run("all", "everybody", rows, 0.0, 1.0)
    facts = facts_of(dataset, dataset.examples["test"])
    about = {"data": dataset.name, "split": "test", "n": len(facts.items), "protocol": PROTOCOL}
    return about | figures(facts, outcomes, judged(dataset, outcomes))


def _trained(folder: Path, dataset: Dataset, texts: Tensor, epochs: int) -> SequenceModel:
    kept = load_sequence(folder, dataset.catalogue, texts) if folder.exists() else None
    if kept:
        return kept
    started = time.monotonic()
    with _err.status(f"Training {folder.name}…") as status:
        model = train_sequence(
            [sequence.items for sequence in dataset.sequences],
            texts,
            Shape(texts.shape[1]),
            Plan(epochs),
            lambda share: status.update(f"Training {folder.name}… {share:.0%}"),
        )
    _err.print(f"{folder.name}: {epochs} epochs, {time.monotonic() - started:.0f} s")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(folder) as partial:
        partial.mkdir()
        save_sequence(partial, model, dataset.catalogue)
    return model


if __name__ == "__main__":
    typer.run(main)
