"""The losses in one model, from one pass over each row: the trie loss of `generate`, the likelihood of whole titles,
the two-tower loss of `match`, and where the items are labels the cross-entropy of a head.

It knows batches of rows; not schedules, files or time. With frozen lower layers their output is computed once for
each row and kept, so a step runs the upper layers alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gpr.learn import processes, sharing
from gpr.learn.rows import Row
from gpr.lm.body import Head
from gpr.lm.branches import Branches
from gpr.lm.layers import Layers
from gpr.lm.prompts import Prompts
from gpr.scorers.head import LabelHead
from gpr.scorers.match import BLOCKS, SCALE, Match, Spans, features

TEXT_BATCH = 32
SMOOTHING = 0.1
"""Of the two-tower loss and the head's: a few hundred examples are learned by heart otherwise."""
FRESH_TOKENS = 128
"""Of target items' texts that are read again in a step; other targets and all negatives use what was kept from
earlier steps."""
ALWAYS = ("generate", "match")
"""Losses that are computed whatever they weigh."""
TITLE_TOKENS = 128
"""Tokens of titles, of a step, that are told from the whole vocabulary; drawn where there are more."""
NEGATIVES = 4_096
"""Items that a target is told from, drawn for each step; all of them in a smaller catalogue."""


class JointModel(nn.Module):
    """What the Trainer optimises: LoRA weights in the upper layers, the two maps of `match`, and the
    head where the items are labels.

    Args:
        model: the base model with its LoRA, in eval mode. trained_layers: how many layers, from the top, have LoRA.
        weights: of each loss in their sum: generate, title, match and head, which is that of labels alone.
        progress: called with the share done while the catalogue is read for the first time.
        memory: what an earlier process had read of it; None reads it.
        mixed: the body's products of matrices are in bfloat16 (`gpr.lm.layers`).
    """

    def __init__(
        self,
        model: Any,
        prompts: Prompts,
        match: Match,
        trained_layers: int,
        weights: Mapping[str, float],
        progress: Callable[[float], None] = lambda share: None,
        memory: Tensor | None = None,
        mixed: bool = False,
    ) -> None:
        super().__init__()
        self.model, self.match = model, match
        head = Head(model)
        self.device = head.weight.device
        self._vocabulary, self._branches = head, Branches(prompts.trie, head, self.device)
        self._layers = Layers(model, trained_layers, sharing.read_now, mixed)
        self._texts = prompts.texts
        self.weights = {name: weight for name, weight in weights.items() if weight or name in ALWAYS}
        """Of each loss in their sum."""
        self.memory = torch.zeros(len(self._texts), BLOCKS * model.config.hidden_size, device=self.device)
        """(N, F) the features of every item as it was last read."""
        labels = len(self._texts) if "head" in self.weights else 0
        self.head = LabelHead(self.memory.shape[1], labels).to(self.device) if labels else None
        self.rng = np.random.default_rng(0)
        self.parts: dict[str, float] = {}
        """The losses of the last step, by part."""
        if memory is None:
            self.item_features(progress)
        else:
            self.memory.copy_(memory)

    @property
    def keeps_lower_layers(self) -> bool:
        """Whether there are frozen layers whose output is kept."""
        return self._layers.splits

    @torch.no_grad()
    def item_features(self, progress: Callable[[float], None] = lambda share: None, limit: int | None = None) -> Tensor:
        """Reads the catalogue (or `limit` items of it) with the weights as they are: (N, F)."""
        order = np.argsort([len(prompt.ids) for prompt in self._texts], kind="stable")
        order = order if limit is None else order[:: -(-len(order) // limit)]
        for at in range(0, len(order), TEXT_BATCH):
            self._read_items(order[at : at + TEXT_BATCH])
            progress(min(1.0, (at + TEXT_BATCH) / len(order)))
        return self.memory

    @torch.no_grad()
    def request_features(self, rows: list[Row], numbers: list[int]) -> Tensor:
        """Features of all targets' requests in some rows, (K, F)."""
        order = sorted(numbers, key=lambda number: len(rows[number].ids))
        batches = [order[at : at + TEXT_BATCH] for at in range(0, len(order), TEXT_BATCH)]
        return torch.cat([self._read_rows(batch, [rows[number] for number in batch])[1] for batch in batches])

    def forward(self, numbers: list[int], rows: list[Row], counts: bool = True) -> dict[str, Tensor]:
        """The mean loss over the targets of some rows; `numbers` name the rows in the training set.

        With several processes each has rows of its own: the mean of their losses is that over the targets of all.
        `counts` is False for a process that has none, and reads some for company.
        """
        top, found = self._read_rows(numbers, rows)
        own = np.concatenate([row.items for row in rows])
        targets = np.concatenate(processes.gathered(own if counts else own[:0]))
        share = processes.world() * counts / len(targets)
        generate = -self._right_branches(top, rows)[0].sum() * share
        scores, right = self._match_scores(found, own, targets)
        match = self._cross_entropy(scores, right).sum() * share
        losses = {"generate": generate, "match": match}
        if "title" in self.weights:
            losses["title"] = self._title_losses(top, rows) * share
        if self.head:
            losses["head"] = self._cross_entropy(self.head.logits(found), self._tensor(own)).sum() * share
        told = processes.gathered([float(losses[name].detach()) for name in self.weights])
        self.parts = dict(zip(self.weights, np.mean(told, 0).tolist(), strict=True))
        return {"loss": torch.stack([weight * losses[name] for name, weight in self.weights.items()]).sum()}

    def _read_rows(self, numbers: list[int], rows: list[Row]) -> tuple[Tensor, Tensor]:
        """Hidden states of some rows (B, T, H), and the features of their targets' requests (K, F)."""
        low, top = self._layers.read("row", numbers, [row.ids for row in rows], self.device)
        owner = np.repeat(np.arange(len(rows)), [len(row.items) for row in rows])
        spans = self._tensor(np.concatenate([row.spans for row in rows]))
        return top, features(low, top, Spans(self._tensor(owner), *spans.unbind(1)))

    def _right_branches(self, top: Tensor, rows: list[Row]) -> tuple[Tensor, Tensor]:
        """The log-probability of the right child at each branch of all targets (J,), and the row that it is of (J,)."""
        owner = np.repeat(np.arange(len(rows)), [len(row.branch_at) for row in rows])
        at = np.concatenate([row.branch_at for row in rows])
        nodes = np.concatenate([row.branch_node for row in rows])
        choice = np.concatenate([row.branch_choice for row in rows])
        of = self._tensor(owner)
        log_probs, starts = self._branches.log_probs(top[of, self._tensor(at)], self._tensor(nodes))  # (J, H)
        return log_probs[starts[:-1] + self._tensor(choice)], of

    def _title_losses(self, top: Tensor, rows: list[Row]) -> Tensor:
        """Minus the log-likelihood of all targets' titles over the whole vocabulary, summed; from a part of their
        tokens where there are many."""
        owner = np.repeat(np.arange(len(rows)), [len(row.title_at) for row in rows])
        every = -(-len(owner) // TITLE_TOKENS)
        some = slice(int(self.rng.random() * every), None, every)
        at, tokens = (
            np.concatenate([getattr(row, name) for row in rows])[some] for name in ("title_at", "title_token")
        )
        logits = self._vocabulary.everything(top[self._tensor(owner[some]), self._tensor(at)])  # (W, V)
        return nn.functional.cross_entropy(logits, self._tensor(tokens), reduction="sum") * every

    def _match_scores(self, found: Tensor, own: np.ndarray, targets: np.ndarray) -> tuple[Tensor, Tensor]:
        """Scores of the catalogue (or a sample) for each own target's request (K, S), and where the target is (K,).

        Some vectors of all processes' targets are fresh; each process reads its part of them.
        """
        distinct = np.unique(targets)
        others = np.arange(len(self._texts))
        if len(others) > NEGATIVES:
            others = np.union1d(self.rng.choice(others, NEGATIVES, replace=False), distinct)
        fresh = self.rng.permutation(distinct)
        fresh = fresh[np.cumsum([len(self._texts[number].ids) for number in fresh]) <= FRESH_TOKENS]
        parts = np.array_split(fresh, processes.world())
        mine = parts[processes.rank()]
        read = self._read_items(mine if len(mine) else fresh[:1])
        read = processes.rows_of_all(read, [len(part) for part in parts])
        self.memory[self._tensor(fresh)] = read.detach()
        vectors = self.match.item_vectors(self.memory[self._tensor(others)])
        places = (self._tensor(np.searchsorted(others, fresh)),)
        vectors = vectors.index_put(places, self.match.item_vectors(read))  # only these lead back into the model
        scores = SCALE * self.match.request_vectors(found) @ vectors.T
        return scores, self._tensor(np.searchsorted(others, own))

    def _cross_entropy(self, scores: Tensor, right: Tensor) -> Tensor:
        smoothing = SMOOTHING if self.training else 0.0
        return nn.functional.cross_entropy(scores, right, reduction="none", label_smoothing=smoothing)

    def _read_items(self, numbers: np.ndarray) -> Tensor:
        """(K, F) features of some items' texts; the memory takes them over."""
        prompts = [self._texts[number] for number in numbers]
        low, top = self._layers.read("item", numbers.tolist(), [prompt.ids for prompt in prompts], self.device)
        table = [(row, p.start, p.end, len(p.ids) - 1) for row, p in enumerate(prompts)]
        found = features(low, top, Spans(*self._tensor(np.array(table)).unbind(1)))
        self.memory[self._tensor(numbers)] = found.detach()
        return found

    def _tensor(self, numbers: np.ndarray) -> Tensor:
        return torch.from_numpy(numbers).to(self.device)
