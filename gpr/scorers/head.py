"""`head`: a linear map from the GPT's features of a text to the labels.

For catalogues of labels, each with many training texts. It knows features, not prompts. Two ways to find such a map
are mixed, for each does worse alone (docs/results.md): cross-entropy behind dropout (a decoder's own classification
head has none; with a few hundred examples for thousands of features it is against learning by heart), and linear
discriminants of a shrunken covariance (Friedman 1989, Regularized discriminant analysis). How much of each, and how
sure the two are, is fitted on texts that they were not learned from.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from gpr.data.dataset import Request
from gpr.scorers.pool import Pool, fit
from gpr.scorers.scorer import Scores

HEAD = "head.safetensors"
DROPOUT = 0.5
STEPS = 200
RATE = 2e-3
DECAY = 1.0
SHRINKAGE = 0.8
"""Share of the covariance within labels that is replaced by a multiple of the identity."""
HELD = 5
"""Every so many texts one is held out to mix the two maps."""
FEW = 10
"""Texts below which none is held out."""


class Linear(NamedTuple):
    """Features (K, F) -> logits (K, N)."""

    weight: Tensor
    """(N, F)"""
    bias: Tensor
    """(N,)"""

    def __call__(self, found: Tensor) -> Tensor:
        return found @ self.weight.T + self.bias


class LabelHead(nn.Module):
    """Features (K, F) -> log-probabilities of the labels (K, N).

    Args:
        size: F. labels: N.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, size: int, labels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))
        self.linear = nn.Linear(size, labels)

    def even(self, found: Tensor) -> Tensor:
        """(K, F) features, each of about unit variance."""
        return (found - self.mean) / self.spread

    def log_probs(self, found: Tensor) -> Tensor:
        """(K, F) -> (K, N)."""
        logits: Tensor = self.linear(self.even(found))
        return torch.log_softmax(logits, -1)


def learn_head(found: Tensor, labels: Tensor, count: int, seed: int = 0) -> LabelHead:
    """A head for features (K, F) and their labels (K,), of which there are `count`; seconds."""
    found = found.detach().float().clone()
    head = LabelHead(found.shape[1], count).to(found.device)
    head.mean.copy_(found.mean(0))
    head.spread.copy_(found.std(0, correction=0).clamp(min=1e-4))
    found = head.even(found)
    held = torch.arange(len(found), device=found.device) % HELD == 0
    kept = ~held
    if len(found) < FEW:
        held = kept = torch.ones_like(held)
    shares = _shares(_both(found[kept], labels[kept], count, seed), found[held], labels[held])
    first, second = _both(found, labels, count, seed)
    with torch.no_grad():
        head.linear.weight.copy_(shares[0] * first.weight + shares[1] * second.weight)
        head.linear.bias.copy_(shares[0] * first.bias + shares[1] * second.bias)
    return head.eval()


def _both(found: Tensor, labels: Tensor, count: int, seed: int) -> tuple[Linear, Linear]:
    return _discriminants(found, labels, count), _with_dropout(found, labels, count, seed)


def _shares(maps: tuple[Linear, Linear], found: Tensor, labels: Tensor) -> list[float]:
    """What each map's logits are to be multiplied with, so that the labels of held-out features are most likely."""
    logits = [one(found).float().cpu().numpy() for one in maps]
    sizes = [max(float(part.std(1).mean()), 1e-6) for part in logits]
    parts: dict[str, Scores] = {
        str(number): np.asarray(logits[number] / size, np.float32) for number, size in enumerate(sizes)
    }
    requests = [Request("a") for _ in labels]  # a pool asks only what kind they are
    weights = fit(parts, requests, labels.cpu().numpy().astype(np.int64), Pool.same(**dict.fromkeys(parts, 1.0)))
    return [weights.weights["query"][name] / size for name, size in zip(parts, sizes, strict=True)]


def _discriminants(found: Tensor, labels: Tensor, count: int) -> Linear:
    """Where labels are normal distributions of one covariance, the log-odds are linear. A label without a text lies in
    the middle of all."""
    own = nn.functional.one_hot(labels, count).to(found.dtype)  # (K, N)
    texts = own.sum(0)
    means = own.T @ found / texts.clamp(min=1)[:, None]  # (N, F)
    rest = found - means[labels]
    within = rest.T @ rest / len(found)  # (F, F)
    level = SHRINKAGE * within.diagonal().mean().clamp(min=1e-6)
    within = (1 - SHRINKAGE) * within + level * torch.eye(len(within), device=found.device)
    weight = torch.linalg.solve(within, means.T).T
    return Linear(weight, ((texts + 0.5) / (len(found) + 0.5 * count)).log() - (weight * means).sum(1) / 2)


def _with_dropout(found: Tensor, labels: Tensor, count: int, seed: int) -> Linear:
    """By cross-entropy."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        linear = nn.Linear(found.shape[1], count).to(found.device)
        nn.init.zeros_(linear.weight)
        nn.init.zeros_(linear.bias)
        optimizer = torch.optim.AdamW(linear.parameters(), lr=RATE, weight_decay=DECAY)
        rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
        for _ in range(STEPS):
            optimizer.zero_grad()
            nn.functional.cross_entropy(linear(nn.functional.dropout(found, DROPOUT)), labels).backward()
            optimizer.step()
            rates.step()
    return Linear(linear.weight.detach(), linear.bias.detach())


def save_head(folder: Path, head: LabelHead) -> None:
    """Writes the head beside the adapter."""
    from safetensors.torch import save_file

    save_file({name: value.contiguous().cpu() for name, value in head.state_dict().items()}, folder / HEAD)


def load_head(folder: Path, labels: int) -> LabelHead | None:
    """The head of a run, or None where it has none, or has one for another number of labels."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        kept = load_file(folder / HEAD)
        weight = kept["linear.weight"]
        if len(weight) != labels:
            return None
        head = LabelHead(weight.shape[1], labels)
        head.load_state_dict(kept)
    except (OSError, KeyError, RuntimeError, SafetensorError):
        return None
    return head.eval()
