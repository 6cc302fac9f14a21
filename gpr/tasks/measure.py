"""How well a task is done: accuracy of classes, area under the ROC curve of good and bad. It knows numbers only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from gpr.data.dataset import Dataset, Split
from gpr.evaluate.metrics import ranking_metrics
from gpr.recommender import Recommender
from gpr.scorers.ensemble import Ensemble, scorers_of
from gpr.tasks.score import GOOD

BATCH = 64
Figures = dict[str, float]


def measure_of(task: str, titles: Sequence[str]) -> Callable[[NDArray[np.floating], NDArray[np.int64]], Figures]:
    """What a run measures on validation: log-probabilities (B, N) and the right items (B,) -> figures."""

    def measure(log_probs: NDArray[np.floating], items: NDArray[np.int64]) -> Figures:
        figures = {} if task == "recommend" else task_metrics(log_probs, items, titles, task)
        return figures | ranking_metrics(log_probs, items)

    return measure


def task_metrics(
    log_probs: NDArray[np.floating], items: NDArray[np.int64], titles: Sequence[str], task: str
) -> Figures:
    """Accuracy, log-loss, the share of the commonest label and, for `score`, AUC (NaN where there is but one label).

    Args:
        log_probs: (B, N). items: (B,) the right labels. titles: (N,) the labels' names.
    """
    if not len(items):
        return {}
    right = log_probs[np.arange(len(items)), items]
    found = {
        "accuracy": float((log_probs.argmax(1) == items).mean()),
        "log-loss": -float(right.mean()),
        "majority": float(np.bincount(items).max() / len(items)),
    }
    if task != "score":
        return found
    good = list(titles).index(GOOD)
    both = len(np.unique(items)) == 2
    return {"AUC": float(roc_auc_score(items == good, log_probs[:, good])) if both else float("nan")} | found


def task_figures(
    recommender: Recommender,
    dataset: Dataset,
    task: str,
    tell: Callable[[float, str], None] = lambda share, words: None,
) -> dict[str, dict[str, float]]:
    """The figures of the validation and the test split under a run, and under each of its parts alone.

    On validation all scorers are as they were when the weights were fitted there: they do not know it.
    """
    found: dict[str, dict[str, float]] = {}
    unaware = Ensemble(recommender.ensemble.gpt, scorers_of(dataset))
    ensembles: dict[Split, Ensemble] = {"valid": unaware, "test": recommender.ensemble}
    for split, ensemble in ensembles.items():
        examples = dataset.examples[split]
        parts: dict[str, list[np.ndarray]] = {}
        for at in range(0, len(examples), BATCH):
            tell(at / len(examples), f"Asking the model ({split})")
            asked = [example.request for example in examples[at : at + BATCH]]
            scores = ensemble.score(asked)
            for name, part in ({"gpr": recommender.pool.combine(scores, asked)} | scores).items():
                parts.setdefault(name, []).append(part)
        items = np.array([example.item for example in examples], np.int64)
        for name, arrays in parts.items():
            if name in ("gpr", "head", "wording"):
                key: str = split if name == "gpr" else f"{split}: {name} alone"
                found[key] = task_metrics(np.concatenate(arrays), items, dataset.catalogue.titles, task)
        if split in found:
            found[split]["n"] = len(items)
    return found
