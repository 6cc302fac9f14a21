"""The loss of what was called bad: a preference against it, on the exact log-probabilities of the pool.

For a good and a bad item of one request it is that of direct preference optimisation (Rafailov et al. 2023,
arXiv:2305.18290), with the model before as reference. The pool's normaliser is the same for both items, and so are the
parts that do not learn: what remains is the weighted `generate` and `match` (`plausibility`, which learns with them, is
not counted). A bad item without a good one is compared
with all that is not it, whose probability is known exactly too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gpr.learn.joint import TEXT_BATCH, JointModel
from gpr.learn.rows import Row
from gpr.lm.prompts import Prompts
from gpr.scorers.match import Match

BETA = 1.0
"""How fast a preference counts as learned, for each nat between the two items."""
WEIGHT = 1.0
"""Of the preference loss beside the other two."""


def preference_loss(chosen: Tensor, rejected: Tensor, beta: float = BETA) -> Tensor:
    """Minus log-sigmoid of beta times how much more the chosen has gained than the rejected; both are log-probabilities
    minus those of the reference.
    """
    return -functional.logsigmoid(beta * (chosen - rejected))


def log_of_rest(log_prob: Tensor) -> Tensor:
    """log(1 - p) from log p."""
    return torch.log1p(-torch.exp(log_prob.clamp(max=-1e-6)))


@dataclass(frozen=True)
class Rejected:
    """A row whose target is bad."""

    instead: int | None
    """Number of a row with a good target for the same request; None without one."""
    strengths: tuple[float, float]
    """What `generate` and `match` weigh in the pool for such a request."""


class PreferenceModel(JointModel):
    """A joint model that also learns from rows whose target is bad.

    Args:
        rows: all of a run. rejected: by number, those whose target is bad.
    """

    def __init__(
        self,
        model: Any,
        prompts: Prompts,
        match: Match,
        trained_layers: int,
        weights: Mapping[str, float],
        rows: Sequence[Row],
        rejected: Mapping[int, Rejected],
        progress: Callable[[float], None] = lambda share: None,
        memory: Tensor | None = None,
    ) -> None:
        super().__init__(model, prompts, match, trained_layers, weights, progress, memory)
        self.weights["preference"] = WEIGHT
        self._rows, self._rejected = rows, rejected
        self._before: dict[int, Tensor] = {}

    @torch.no_grad()
    def remember(self) -> None:
        """Takes the model as it is now for the reference."""
        self.eval()
        wanted = sorted({*self._rejected, *(r.instead for r in self._rejected.values() if r.instead is not None)})
        for at in range(0, len(wanted), TEXT_BATCH):
            numbers = wanted[at : at + TEXT_BATCH]
            self._before |= dict(zip(numbers, self._both(numbers)[0], strict=True))

    def forward(self, numbers: list[int], rows: list[Row], counts: bool = True) -> dict[str, Tensor]:
        """The mean over the targets of some rows: cross-entropy of good ones, preference loss of bad ones."""
        bad = [number for number in numbers if number in self._rejected]
        partners = {self._rejected[number].instead for number in bad} - {None, *numbers}
        together = [*numbers, *(one for one in partners if one is not None)]
        log_probs, positive = self._both(together)
        place = {number: at for at, number in enumerate(together)}
        good = [at for at, number in enumerate(numbers) if number not in self._rejected]
        count = sum(len(row.items) for row in rows)
        generate, match = positive[good].sum(0) / count
        gained = [self._gained(log_probs, place, number) for number in bad]
        preference = sum(gained, generate.new_zeros(())) / count
        parts = {"generate": generate, "match": match, "preference": preference}
        self.parts = {name: float(value.detach()) for name, value in parts.items()}
        return {"loss": sum((self.weights[name] * value for name, value in parts.items()), generate.new_zeros(()))}

    def _gained(self, log_probs: Tensor, place: dict[int, int], number: int) -> Tensor:
        now, before, bad = log_probs[place[number]], self._before[number], self._rejected[number]
        if bad.instead is None:
            chosen = log_of_rest(now) - log_of_rest(before)  # (2,)
        else:
            chosen = log_probs[place[bad.instead]] - self._before[bad.instead]
        strengths = now.new_tensor(bad.strengths)
        return preference_loss(strengths @ chosen, strengths @ (now - before))

    def _both(self, numbers: list[int]) -> tuple[Tensor, Tensor]:
        """Of some rows, `generate` and `match`: log-probability of the last target (R, 2), losses of all (R, 2)."""
        rows = [self._rows[number] for number in numbers]
        top, found = self._read_rows(numbers, rows)
        own = np.concatenate([row.items for row in rows])
        of = self._tensor(np.repeat(np.arange(len(rows)), [len(row.items) for row in rows]))
        last = self._tensor(np.cumsum([len(row.items) for row in rows]) - 1)
        branches, row_of = self._right_branches(top, rows)
        generate = branches.new_zeros(len(rows)).index_add(0, row_of, branches)
        scores, right = self._match_scores(found, own, own)
        match = torch.log_softmax(scores, 1).gather(1, right[:, None])[:, 0][last]
        losses = branches.new_zeros(len(rows)).index_add(0, of, self._cross_entropy(scores, right))
        return torch.stack([generate, match], 1), torch.stack([-generate, losses], 1)
