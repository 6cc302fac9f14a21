"""What labels are worth: an annotator who knows what is relevant labels what a run recommends, and the run learns.

The run knows a part of the training queries; the annotator is asked about the others, in the order of the queue, and
calls an item good where the data says that it is relevant. NDCG@10 is that of the test split, which nobody labels.
What was trained stays in a workspace: a measurement that is broken off goes on where it ended.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpr.data.dataset import Dataset, Request
from gpr.evaluate.metrics import per_request, ranks
from gpr.evaluate.significance import Resampling
from gpr.labels.label import Label
from gpr.labels.queue import EACH, Card, Order, Wish, answered, history_ids, in_order, urgency
from gpr.learn.lessons import kept as kept_labels
from gpr.learn.lessons import lessons_of
from gpr.learn.options import Options
from gpr.learn.run_folder import RunFolder
from gpr.learn.verdicts import fresh, verdicts
from gpr.recommendation import Recommendation
from gpr.recommender import Recommender
from gpr.scorers.feedback import Feedback
from gpr.scorers.pool import Pool
from gpr.scorers.scorer import Scores
from gpr.workspace import Workspace

COUNTS = (50, 100, 200)
ORDERS: tuple[Order, ...] = ("uncertain", "random")
BASE = "known"
"""The run that is taught."""
METRIC = "NDCG@10"
WAYS = ("feedback", "taught", "both")
Say = Callable[[float, str], None]


@dataclass(frozen=True)
class Oracle:
    """The annotator.

    Args:
        relevant: each request that can be asked about, with its right items.
    """

    dataset: Dataset
    relevant: Mapping[Request, frozenset[int]]

    def labels(self, log_probs: Scores, order: Order, count: int) -> list[Label]:
        """The first `count` that the queue asks for, log_probs: (requests, N) of the run."""
        rows = {request: row for row, request in enumerate(self.relevant)}
        recommend = lambda request: _list(self.dataset, log_probs[rows[request]])  # noqa: E731
        answers = answered(self.dataset, self.relevant, recommend, set(), Wish(order=order))
        if order == "uncertain":  # as after a long sitting: the choice is among all
            answers = iter([list(itertools.chain.from_iterable(answers))])
        cards = in_order(answers, urgency(self.dataset, order))
        return [self._label(card) for card in itertools.islice(cards, count)]

    def _label(self, card: Card) -> Label:
        found, good = card.recommendation, card.recommendation.number in self.relevant[card.request]
        said = (card.key[0], card.request.query, history_ids(self.dataset, card.request), found.item_id, found.title)
        numbers = (BASE, found.probability, found.log_prob, found.rank)
        return Label(*said, *numbers, "good" if good else "bad", "oracle", dataset=self.dataset.name)


def _list(dataset: Dataset, log_probs: NDArray[np.floating]) -> list[Recommendation]:
    best = np.argsort(-log_probs, kind="stable")[:EACH]
    ids, titles = dataset.catalogue.item_ids, dataset.catalogue.titles
    return [
        Recommendation(
            rank, number, ids[number], titles[number], float(np.exp(log_probs[number])), float(log_probs[number])
        )
        for rank, number in enumerate(best.tolist(), 1)
    ]


def measure(
    splits: Sequence[Dataset],
    root: Path,
    say: Say,
    known: int,
    counts: Sequence[int] = COUNTS,
    orders: Sequence[Order] = ORDERS,
    options: Options | None = None,
    weights_alone: bool = False,
) -> dict[str, Any]:
    """One row for each order and number of labels: the metric with `feedback` alone, taught, and both, each with its
    difference to no label and p, over the test requests of all splits.

    Args:
        splits: of one data set; each has an annotator and runs of its own. known: training queries that the run knows.
            options: of the run that knows them. weights_alone: nothing is trained, the weights of the pool follow the
            labels, as `gpr teach` lets them where it does not keep what it trained.
    """
    points = [(order, count) for order in orders for count in counts]
    found = []
    for at, data in enumerate(splits):
        tell = lambda share, words, at=at: say((at + share) / len(splits), words)  # noqa: E731
        found.append(_simulate(data, root / f"split-{at}", tell, known, points, options or Options(), weights_alone))
    start = np.concatenate([one.start for one in found])
    groups = [(at, request) for at, one in enumerate(found) for request in one.requests]
    sample = Resampling(np.unique([repr(group) for group in groups], return_inverse=True)[1])
    rows = []
    for at, (order, count) in enumerate(points):
        row: dict[str, Any] = {"order": order, "labels": count, "good": sum(one.good[at] for one in found)}
        for way in WAYS:
            values = np.concatenate([one.after[at][way] for one in found])
            low, high = sample.interval(values - start)
            row[way] = {
                METRIC: round(float(values.mean()), 4),
                "difference": round(float((values - start).mean()), 4),
                "interval": [round(low, 4), round(high, 4)],
                "p": round(sample.p_value(values - start), 4),
            }
        rows.append(row)
    return {
        "data": splits[0].name,
        "splits": len(splits),
        "known": known,
        "hidden": sum(one.hidden for one in found),
        "tests": len(start),
        METRIC: round(float(start.mean()), 4),
        "rows": rows,
    }


@dataclass(frozen=True)
class _Simulated:
    """One split: the metric of each of its B test requests."""

    requests: list[str]
    hidden: int
    start: NDArray[np.float64]
    """(B,) without a label."""
    after: list[dict[str, NDArray[np.float64]]]
    """For each point, way -> (B,)."""
    good: list[int]
    """Of the labels of each point."""


def _simulate(
    data: Dataset,
    root: Path,
    say: Say,
    known: int,
    points: Sequence[tuple[Order, int]],
    options: Options,
    weights_alone: bool,
) -> _Simulated:
    workspace = Workspace(root)
    source = _part(data, root / "part", known)
    if not _usable(workspace, BASE):
        say(0.0, "training on the part that is known")
        workspace.train(str(source), workspace.new_run_folder(BASE, overwrite=True), options, lambda: False)
    before = workspace.recommender(BASE)
    dataset = before.dataset
    oracle = Oracle(dataset, _hidden(data, dataset))
    asked = _log_probs(before, list(oracle.relevant), root / "asked.npy", say)
    requests = [one.request for one in dataset.examples["test"]]
    items = np.array([one.item for one in dataset.examples["test"]])
    value = lambda log_probs: per_request(ranks(log_probs, items))[METRIC]  # noqa: E731
    start = _log_probs(before, requests, root / "none.npy", say)
    parts = before.ensemble.score(requests) if weights_alone else {}
    after, good = [], []
    for at, (order, count) in enumerate(points):
        labels = oracle.labels(asked, order, count)
        name = f"{order}-{count}"
        say((at + 1) / (len(points) + 1), f"teaching {name}")
        if weights_alone:
            taught = _fitted(before, workspace.run(BASE).folder, labels).combine(parts, requests)
        else:
            taught = _log_probs(_taught(workspace, name, labels), requests, root / f"{name}.npy", say)
        feedback = Feedback(labels, dataset).fitted()
        moved = np.stack([feedback.scores(request) for request in requests])
        after.append({"feedback": value(start + moved), "taught": value(taught), "both": value(taught + moved)})
        good.append(sum(label.verdict == "good" for label in labels))
    return _Simulated([str(request) for request in requests], len(oracle.relevant), value(start), after, good)


def _part(data: Dataset, folder: Path, known: int) -> Path:
    """The data with the first `known` training queries alone, as files; without any, no validation query either."""
    folder.mkdir(parents=True, exist_ok=True)
    table = data.catalogue.table.copy()
    table.insert(0, "item_id", data.catalogue.item_ids)
    table.to_csv(folder / "items.csv", index=False)
    examples = {split: [one for one in data.examples[split] if one.request.query] for split in data.examples}
    examples["train"] = [one for one in examples["train"] if one.request in _first(data, known)]
    if not known:
        examples["valid"] = []
    ids = data.catalogue.item_ids
    lines = [
        {"query": one.request.query, "item_id": ids[one.item], "split": split}
        for split, found in examples.items()
        for one in found
    ]
    import pandas as pd

    pd.DataFrame(lines).to_csv(folder / "pairs.csv", index=False)
    return folder


def _first(data: Dataset, known: int) -> set[Request]:
    requests = list(dict.fromkeys(one.request for one in data.examples["train"] if one.request.query))
    order = np.random.default_rng(0).permutation(len(requests))[:known]
    return {requests[number] for number in order}


def _hidden(data: Dataset, part: Dataset) -> dict[Request, frozenset[int]]:
    """The training requests that the part does not have, shuffled, with their right items as numbers of the part."""
    seen = {one.request.query for one in part.examples["train"]}
    found: dict[Request, set[int]] = {}
    for one in data.examples["train"]:
        if one.request.query and one.request.query not in seen:
            number = part.catalogue.numbers[data.catalogue.item_ids[one.item]]
            found.setdefault(Request(one.request.query), set()).add(number)
    requests = list(found)
    order = np.random.default_rng(1).permutation(len(requests))
    return {requests[number]: frozenset(found[requests[number]]) for number in order}


def _taught(workspace: Workspace, name: str, labels: Sequence[Label]) -> Recommender:
    """The run that learned from these labels alone."""
    if not _usable(workspace, name):
        own = Workspace(workspace.root, labels_url="sqlite://")
        own.labels.add(*labels)
        own.teach(own.begin_teaching(BASE, name, overwrite=True), lambda: False)
    return workspace.recommender(name)


def _fitted(before: Recommender, folder: Path, labels: Sequence[Label]) -> Pool:
    """What verdicts alone make of the weights."""
    lessons = lessons_of(before.dataset, kept_labels(labels)).taught
    told = verdicts(fresh(lessons, before.dataset, RunFolder(folder).adapter), before.ensemble)
    return told.weights(before.pool) if told else before.pool


def _usable(workspace: Workspace, name: str) -> bool:
    return any(run.name == name and run.usable for run in workspace.runs())


def _log_probs(recommender: Recommender, requests: Sequence[Request], kept: Path, say: Say) -> Scores:
    """(B, N), kept in a file."""
    if not kept.exists():
        parts = recommender.ensemble.score(requests, lambda share: say(share, f"asking for {kept.stem}"))
        np.save(kept, recommender.pool.combine(parts, requests), allow_pickle=False)
    found: Scores = np.load(kept, allow_pickle=False)
    return found


def draw(figures: dict[str, Any], path: Path) -> None:
    """The curves as a picture: the metric against the number of labels."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4), dpi=100)
    for order, style in zip(ORDERS, ("-", "--"), strict=True):
        own = [row for row in figures["rows"] if row["order"] == order]
        for way in WAYS:
            values = [figures[METRIC], *(row[way][METRIC] for row in own)]
            axes.plot([0, *(row["labels"] for row in own)], values, style, marker="o", label=f"{way}, {order}")
    axes.set(xlabel="labels", ylabel=f"{METRIC}, test split", title=figures["data"])
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
