"""`match`: the GPT as a two-tower encoder. It knows hidden states; which prompt they came from is not its business.

A text's features are four blocks of hidden states, F = 4 H numbers: the means over its own words at an eighth and at
a quarter of the depth (wording), the mean at the top (meaning), and the last one at the top (what the model would say
next). Each tower maps them to a unit vector; the score is their cosine times a scale.
Hidden states of a causal LM share a few dominant directions, so both
maps start as a whitening (Su et al. 2021, arXiv:2103.15316) of the catalogue's own texts, which works before any
training.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

BLOCKS = 4
BLOCK_WEIGHTS = (1.0, 1.0, 0.5, 1.0)
"""At the start; measured on WANDS and on the sample 'movies' (docs/results.md)."""
SCALE = 20.0
"""Of the cosine, before the pool fits its weight."""
RIDGE = 0.1
"""Whitening divides by singular values plus this share of the largest."""


@dataclass(frozen=True)
class Spans:
    """Where K texts stand in a batch of B sequences."""

    row: Tensor
    """(K,) the sequence."""
    start: Tensor
    """(K,) first token of the text's own words."""
    end: Tensor
    """(K,) one past the last of them."""
    last: Tensor
    """(K,) the token at which the text has been read."""


def features(low: tuple[Tensor, ...], top: Tensor, spans: Spans) -> Tensor:
    """Hidden states at the two low depths and at the top, (B, T, H) each -> (K, F)."""
    means = [_means(hidden, spans) for hidden in (*low, top)]
    return torch.cat([*means, top[spans.row, spans.last]], -1).float()


def _means(hidden: Tensor, spans: Spans) -> Tensor:
    """(B, T, H) -> the mean of each span (K, H), by running sums."""
    sums = functional.pad(hidden.float().cumsum(1), (0, 0, 1, 0))
    length = (spans.end - spans.start).clamp(min=1)[:, None]
    return (sums[spans.row, spans.end] - sums[spans.row, spans.start]) / length


class Match(nn.Module):
    """The two maps from features to unit vectors of size D.

    Args:
        hidden_size: H of the base model. width: directions kept of each block; D = BLOCKS * width.
        size: D of maps that were narrowed.
    """

    def __init__(self, hidden_size: int, width: int = 256, size: int | None = None) -> None:
        super().__init__()
        self.hidden_size, self.width = hidden_size, min(width, hidden_size)
        self.request = nn.Linear(BLOCKS * hidden_size, size or BLOCKS * self.width)
        self.item = nn.Linear(BLOCKS * hidden_size, size or BLOCKS * self.width)

    @torch.no_grad()
    def narrowed(self, items: Tensor, size: int) -> Match:
        """The same maps in the `size` directions in which a catalogue (N, F) lies furthest, or N where that is less.

        The rest of a request's vector is the same for all items: with N directions their order stays as it was.
        """
        directions = torch.linalg.svd(self.item_vectors(items), full_matrices=False).Vh[:size]  # (D', D)
        narrow = Match(self.hidden_size, self.width, len(directions))
        for old, new in ((self.request, narrow.request), (self.item, narrow.item)):
            new.weight.copy_(directions @ old.weight)
            new.bias.copy_(directions @ old.bias)
        return narrow

    @torch.no_grad()
    def whiten(self, requests: Tensor, items: Tensor) -> None:
        """Starts both maps from the features of some requests (R, F) and of the catalogue (N, F)."""
        for tower in (self.request, self.item):
            tower.weight.zero_()
        for block in range(BLOCKS):
            columns = slice(block * self.hidden_size, (block + 1) * self.hidden_size)
            rows = slice(block * self.width, (block + 1) * self.width)
            parts = (requests[:, columns], items[:, columns])
            maps = _whitening(torch.cat([part - part.mean(0) for part in parts]), self.width)
            for tower, part in zip((self.request, self.item), parts, strict=True):
                size = ((part - part.mean(0)) @ maps.T).norm(dim=-1).mean().clamp(min=1e-6) / BLOCK_WEIGHTS[block]
                tower.weight[rows, columns] = maps / size
                tower.bias[rows] = -(maps @ part.mean(0)) / size

    def request_vectors(self, found: Tensor) -> Tensor:
        """(K, F) -> (K, D), unit length."""
        return functional.normalize(self.request(found), dim=-1)

    def item_vectors(self, found: Tensor) -> Tensor:
        """(N, F) -> (N, D), unit length."""
        return functional.normalize(self.item(found), dim=-1)

    def log_probs(self, requests: Tensor, items: Tensor) -> Tensor:
        """Unit vectors (B, D), (N, D) -> log-probabilities over the items (B, N)."""
        return torch.log_softmax(SCALE * requests @ items.T, -1)


def _whitening(centred: Tensor, width: int) -> Tensor:
    """(R, H) -> (width, H): principal directions over their (ridged) spread; rows of zeros where there are fewer."""
    _, spread, directions = torch.linalg.svd(centred, full_matrices=False)
    spread = spread / len(centred) ** 0.5
    kept = min(width, len(directions))
    maps = torch.zeros(width, centred.shape[1], device=centred.device)
    maps[:kept] = directions[:kept] / (spread + RIDGE * spread[0].clamp(min=1e-6))[:kept, None]
    return maps
