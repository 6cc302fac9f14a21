"""`head`: a linear map from the GPT's features of a text to the labels.

For catalogues of labels, each with many training texts. It knows features, not prompts. Ways to find such a map are
mixed, for each does worse alone (docs/results.md): cross-entropy behind dropout (a decoder's own classification head
has none; with a few hundred examples for thousands of features it is against learning by heart), linear discriminants
of a shrunken covariance (Friedman 1989, Regularized discriminant analysis), and where the GPT was fine-tuned the map
that it was fine-tuned with. How much of each, and how sure they are, is fitted on texts that they were not learned
from.
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
DROPOUT, TUNED_DROPOUT = 0.5, 0.3
"""Of features; the latter while the GPT is fine-tuned with the head."""
STEPS = 200
RATE = 2e-3
DECAY = 1.0
SHRINKAGE = 0.8
"""Share of the covariance within labels that is replaced by a multiple of the identity."""
HELD = 5
"""Every so many texts one is held out to mix the maps."""
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
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def learn_spread(self, found: Tensor) -> None:
        """Takes what features are like from some of them, (K, F)."""
        self.mean.copy_(found.mean(0))
        self.spread.copy_(found.std(0, correction=0).clamp(min=1e-4))

    def even(self, found: Tensor) -> Tensor:
        """(K, F) features, each of about unit variance."""
        return (found - self.mean) / self.spread

    def logits(self, found: Tensor) -> Tensor:
        """(K, F) -> (K, N); with dropout while it is trained."""
        logits: Tensor = self.linear(nn.functional.dropout(self.even(found), TUNED_DROPOUT, self.training))
        return logits

    def log_probs(self, found: Tensor) -> Tensor:
        """(K, F) -> (K, N)."""
        return torch.log_softmax(self.logits(found), -1)


class Texts(NamedTuple):
    """Features of texts (K, F), and their labels (K,)."""

    found: Tensor
    labels: Tensor


def learn_head(
    texts: Texts, count: int, seed: int = 0, tuned: LabelHead | None = None, held: Texts | None = None
) -> LabelHead:
    """A head for texts with `count` labels; seconds.

    Args:
        tuned: what the features were fine-tuned with; taken if there are `held`, texts that they were not fine-tuned
        on, to mix the maps.
    """
    found, labels = texts.found.detach().float().clone(), texts.labels
    head = LabelHead(found.shape[1], count).to(found.device)
    head.learn_spread(found)
    found = head.even(found)
    maps = _maps(found, labels, count, seed)
    if tuned and held:
        maps.append(seen_through(head, tuned))
        shares = _shares(maps, head.even(held.found), held.labels)
    else:
        aside = torch.arange(len(found), device=found.device) % HELD == 0
        kept = ~aside
        if len(found) < FEW:
            aside = kept = torch.ones_like(aside)
        shares = _shares(_maps(found[kept], labels[kept], count, seed), found[aside], labels[aside])
    with torch.no_grad():
        for share, one in zip(shares, maps, strict=True):
            head.linear.weight.add_(share * one.weight)
            head.linear.bias.add_(share * one.bias)
    return head.eval()


def _maps(found: Tensor, labels: Tensor, count: int, seed: int) -> list[Linear]:
    return [_discriminants(found, labels, count), _with_dropout(found, labels, count, seed)]


@torch.no_grad()
def seen_through(head: LabelHead, tuned: LabelHead) -> Linear:
    """The map of another head for features that have been evened by this one."""
    weight = tuned.linear.weight * (head.spread / tuned.spread)
    return Linear(weight, tuned.linear.bias + tuned.linear.weight @ ((head.mean - tuned.mean) / tuned.spread))


def _shares(maps: list[Linear], found: Tensor, labels: Tensor) -> list[float]:
    """What each map's logits are to be multiplied with, so that the labels of held-out features are most likely."""
    logits = [one(found).detach().float().cpu().numpy() for one in maps]
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
