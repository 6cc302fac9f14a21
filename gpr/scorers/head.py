"""`head`: dropout and a linear map from the GPT's features of a text to the labels, learned with cross-entropy.

For catalogues of labels, each with many training texts. It knows features, not prompts. A decoder's own classification
head has no dropout; with a few hundred examples for thousands of features it is what keeps it from learning by heart.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

HEAD = "head.safetensors"
DROPOUT = 0.5
STEPS = 200
RATE = 2e-3
DECAY = 1.0


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
        self.dropout = nn.Dropout(DROPOUT)
        self.linear = nn.Linear(size, labels)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, found: Tensor) -> Tensor:
        """(K, F) -> (K, N) logits."""
        logits: Tensor = self.linear(self.dropout((found - self.mean) / self.spread))
        return logits

    def log_probs(self, found: Tensor) -> Tensor:
        """(K, F) -> (K, N)."""
        return torch.log_softmax(self(found), -1)


def learn_head(found: Tensor, labels: Tensor, count: int, seed: int = 0) -> LabelHead:
    """A head for features (K, F) and their labels (K,), of which there are `count`; seconds."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        found = found.detach().float().clone()
        head = LabelHead(found.shape[1], count).to(found.device)
        head.mean.copy_(found.mean(0))
        head.spread.copy_(found.std(0, correction=0).clamp(min=1e-4))
        optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=DECAY)
        rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
        head.train()
        for _ in range(STEPS):
            optimizer.zero_grad()
            nn.functional.cross_entropy(head(found), labels).backward()
            optimizer.step()
            rates.step()
    return head.eval()


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
