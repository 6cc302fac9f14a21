"""Training `sequence` on histories. It knows item numbers and text vectors, and nothing of the rest of a run."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gpr.data.dataset import Dataset
from gpr.scorers.ensemble import text_vectors
from gpr.scorers.gpt import Gpt
from gpr.scorers.sequence import SequenceModel, Shape, padded

TARGETS = 4_000_000
"""Targets that are shown by default; decides the epochs."""
MOST_EPOCHS, FEWEST_EPOCHS = 60, 2
SECONDS_PER_TARGET = 1e-4
"""On a slow machine: what a run with bounded time keeps back."""
NEGATIVES = 4_096
"""Items that a target is told from, drawn for each step; all of them in a smaller catalogue."""
WARM_UP = 50
"""Steps in which the learning rate grows."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast."""

    epochs: int
    """Times that every item of every history is a target."""
    seconds: float = math.inf
    """Bound on the time; the learning rate falls with whichever ends first."""
    learning_rate: float = 1e-3
    batch: int = 64
    """Windows of a history in a step."""
    seed: int = 0


def epochs_of(dataset: Dataset) -> int:
    """Times that each target of the training histories is shown; 0 where there is none."""
    targets = targets_of(dataset)
    return max(FEWEST_EPOCHS, min(MOST_EPOCHS, TARGETS // targets)) if targets else 0


def targets_of(dataset: Dataset) -> int:
    """Items of training histories that follow another."""
    return sum(len(sequence.items) - 1 for sequence in dataset.sequences)


def learn_histories(
    gpt: Gpt,
    dataset: Dataset,
    plan: Plan,
    progress: Callable[[float], None] = lambda share: None,
    stop: Callable[[], bool] = lambda: False,
) -> SequenceModel | None:
    """`sequence` for a data set, with the GPT's vectors of the items' texts; None without a history to learn from."""
    if not plan.epochs or stop():
        return None
    texts = text_vectors(gpt)
    histories = [sequence.items for sequence in dataset.sequences]
    return train_sequence(histories, texts, Shape(texts.shape[1]), plan, progress, stop)


def train_sequence(
    histories: Sequence[Sequence[int]],
    texts: Tensor,
    shape: Shape,
    plan: Plan,
    progress: Callable[[float], None] = lambda share: None,
    stop: Callable[[], bool] = lambda: False,
) -> SequenceModel:
    """The model after training, in eval mode, on the device of the texts.

    Args:
        histories: item numbers, oldest first. texts: (N, F). progress: told the share done. stop: asked each step.
    """
    rng = np.random.default_rng(plan.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        model = SequenceModel(shape, texts).to(texts.device)
        optimizer = torch.optim.AdamW(model.parameters(), plan.learning_rate, weight_decay=0.05)
        started, steps = time.monotonic(), 0
        for epoch in range(plan.epochs):
            windows = cut(histories, shape.length, rng)
            for at in range(0, len(windows), plan.batch):
                share = max(
                    (epoch + at / max(1, len(windows))) / plan.epochs, (time.monotonic() - started) / plan.seconds
                )
                if share >= 1 or stop():
                    return model.eval()
                progress(share)
                for group in optimizer.param_groups:
                    group["lr"] = plan.learning_rate * min(1.0, (steps + 1) / WARM_UP) * max(0.05, 1 - share)
                model.train()
                optimizer.zero_grad()
                _loss(model, windows[at : at + plan.batch], rng).backward()
                optimizer.step()
                steps += 1
    return model.eval()


def cut(histories: Sequence[Sequence[int]], length: int, rng: np.random.Generator) -> list[Sequence[int]]:
    """Shuffled windows of at most length + 1 items that overlap by one, cut at other places each time: every item but
    a history's first is a target once."""
    windows = []
    for items in histories:
        first = int(rng.integers(1, length + 1))
        bounds = [0, *range(first, len(items) - 1, length), len(items) - 1]
        windows += [items[start : end + 1] for start, end in itertools.pairwise(bounds) if end > start]
    return [windows[number] for number in rng.permutation(len(windows))]


def _loss(model: SequenceModel, windows: Sequence[Sequence[int]], rng: np.random.Generator) -> Tensor:
    """Mean cross-entropy of each next item among the catalogue, or a sample of it."""
    vectors = model.item_vectors()
    before = padded([window[:-1] for window in windows]).to(vectors.device)
    after = padded([window[1:] for window in windows]).to(vectors.device)
    real = padded([[1] * (len(window) - 1) for window in windows]).to(vectors.device).bool()
    states, targets = model.read(before, vectors)[real], after[real]  # (T, D), (T,)
    if len(vectors) > NEGATIVES:
        drawn = torch.from_numpy(rng.choice(len(vectors), NEGATIVES, replace=False)).to(targets.device)
        kept, targets = torch.unique(torch.cat([targets, drawn]), return_inverse=True)
        return functional.cross_entropy(states @ vectors[kept].T + model.bias[kept], targets[: len(states)])
    return functional.cross_entropy(states @ vectors.T + model.bias, targets)
