"""Prompts and edges of a trie, read by the body of a model. It sees token ids only.

Behind a prompt any edges of the trie can be read in one pass as one long sequence. A mask lets a token see the prompt
and its own ancestors, and positions follow the depth in the trie, so each edge is read as if it stood alone behind
the prompt. Three edges of the trie drawn in `trie.py`, behind a prompt of five tokens (x: the row sees the column):

                 position   prompt   "The"  "M"  "at"  "u"
                             0..4      5     6     7    7
        "The"       5         x        x
        "M"         6         x        x     x                state here: softmax at (1) of {at, u}
        "at"        7         x        x     x     x          state here: softmax at (2) of {ador, rix}
        "u"         7         x        x     x          x     state here: softmax at (3) of {le, mmy}

"u" does not see "at", its neighbour in the sequence: they are of different titles, and at the same position.

Whose ancestor a token is can be told from numbers alone: a node stands for a stretch of ranks, and it lies below
another if its stretch lies within the other's. What has been read stays in the cache, so edges further down can
follow in a later pass.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from gpr.errors import RequestError
from gpr.lm.body import body_of, low_depths, turn_weights
from gpr.lm.lean import can_be_lean, lean, multiplies_bfloat16
from gpr.lm.trie import Ints, Trie

Ids = Sequence[int]
NONE = np.zeros(0, np.int64)


@dataclass
class Reading:
    """B prompts that have been read, padded on the right, and what of the trie has been read behind each."""

    cache: DynamicCache
    lengths: Tensor
    """(B,) tokens in each prompt."""
    opening: int
    """Tokens of the common beginning, read before; the states below are those of the tokens after it."""
    top: Tensor
    """(B, P - opening, H) hidden states after all layers."""
    low: tuple[Tensor, Tensor]
    """(B, P - opening, H) hidden states after the layers of `low_depths`."""
    slots: Tensor
    """(3, B, S) first rank, last rank and depth of each trie token in the cache; zeros for padding."""
    along: Tensor
    """(B, E, H) top hidden states of the edges that were read in the same pass as the prompts."""
    nodes: Ints
    """The nodes of those edges."""

    @property
    def last(self) -> Tensor:
        """(B, H) the top hidden state at the end of each prompt."""
        return self.top[torch.arange(len(self.lengths), device=self.top.device), self.lengths - self.opening - 1]

    @property
    def width(self) -> int:
        """P, the longest prompt's tokens."""
        return self.opening + self.top.shape[1]

    def rewind(self) -> None:
        """Forgets the edges that were read, not the prompts."""
        if self.slots.shape[2]:
            self.cache.crop(-self.slots.shape[2])
        self.slots, self.along, self.nodes = self.slots[:, :, :0], self.along[:, :0], self.nodes[:0]

    def copied(self) -> Reading:
        """With a cache of its own."""
        return replace(self, cache=copy.deepcopy(self.cache))

    def take(self, rows: Ints) -> Reading:
        """Some of the prompts, (rows,), repeats allowed. The cache of this reading is used up."""
        index = torch.from_numpy(rows).to(self.top.device)
        self.cache.batch_select_indices(index)
        low = (self.low[0][index], self.low[1][index])
        lengths, slots, along = self.lengths[index], self.slots[:, index], self.along[index]
        return replace(self, lengths=lengths, top=self.top[index], low=low, slots=slots, along=along)


class Reader:
    """Reads with one model over one trie. The model must be in eval mode; its device and dtype are kept.

    Args:
        openings: beginnings that prompts have in common; each is read once, here, and its cache is used again.
    """

    def __init__(self, model: Any, trie: Trie, openings: Sequence[Ids] = ()) -> None:
        self.trie, self._whole = trie, body_of(model)
        turn_weights(self._whole)
        slim = can_be_lean(self._whole)
        self.body = lean(self._whole) if slim else self._whole
        weight = model.get_input_embeddings().weight
        self.device: torch.device = weight.device
        self.dtype: torch.dtype = weight.dtype
        self.halves = slim and multiplies_bfloat16(self.device)
        """Whether products can be in bfloat16, and that is quicker."""
        self._deepest = int(trie.depth[: trie.n_nodes].max())
        self._openings = {tuple(ids): self._cache_of(ids) for ids in openings if len(ids)}

    @cached_property
    def _halved(self) -> Any:
        return lean(self._whole, torch.bfloat16)

    @torch.inference_mode()
    def _cache_of(self, ids: Ids) -> DynamicCache:
        cache = DynamicCache()  # without the config it keeps the whole prompt for sliding layers too
        self.body(input_ids=torch.tensor([list(ids)], device=self.device), past_key_values=cache, use_cache=True)
        return cache

    def opening_of(self, prompt: Ids) -> tuple[int, ...]:
        """The longest known beginning of a prompt that leaves at least one token to read; () where there is none."""
        fits = [o for o in self._openings if len(o) < len(prompt) and tuple(prompt[: len(o)]) == o]
        return max(fits, key=len, default=())

    @torch.inference_mode()
    def prompts(self, prompts: Sequence[Ids], along: Ints = NONE) -> Reading:
        """One pass over B prompts of any lengths. Padding is on the right, where causal attention never looks.

        Args:
            along: nodes whose edges are read behind each prompt in the same pass, with those above them.

        Raises:
            RequestError: a prompt and the deepest choice do not fit the positions that the model knows.
        """
        openings = {self.opening_of(prompt) for prompt in prompts}
        opening = openings.pop() if len(openings) == 1 else ()
        ids, lengths = padded([prompt[len(opening) :] for prompt in prompts], self.device)
        self._check_room(len(opening) + ids.shape[1], self._deepest)
        cache = copy.deepcopy(self._openings[opening]) if opening else DynamicCache()
        if opening and len(prompts) > 1:
            cache.batch_repeat_interleave(len(prompts))
        lengths = lengths + len(opening)
        slots = torch.zeros(3, len(prompts), 0, dtype=torch.long, device=self.device)
        size, sight = ids.shape[1], {}
        if len(along):
            tokens, *columns, _ = self._layout(along, False)
            slots = torch.from_numpy(np.stack(columns)).to(self.device)[:, None].expand(3, len(prompts), -1)
            ids = torch.cat([ids, torch.from_numpy(tokens).to(self.device).expand(len(prompts), -1)], 1)
            sight = self._sight_with_prompts(lengths, len(opening), size, slots)
        out = self.body(input_ids=ids, past_key_values=cache, use_cache=True, output_hidden_states=True, **sight)
        low = tuple(out.hidden_states[depth][:, :size] for depth in low_depths(self.body))
        top = out.last_hidden_state
        return Reading(cache, lengths, len(opening), top[:, :size], low, slots, top[:, size:], along)

    @torch.inference_mode()
    def edges(
        self, reading: Reading, nodes: Sequence[Ints], cut: bool = False, half: bool = False
    ) -> tuple[Tensor, list[Ints]]:
        """One pass over the edges into some nodes of each prompt. Nodes above must have been read, or be among them.

        Args:
            nodes: one array a prompt, or a single one for all. cut: leaves out the last token of each leaf, which
                nothing follows. half: products are in bfloat16 (`lean.py`), where `halves` allows it.

        Returns:
            hidden states (B, E, H), padded at the end; for each prompt which of its nodes every token belongs to (E,).
        """
        parts = [self._layout(array, cut) for array in nodes]
        width = max(len(tokens) for tokens, *_ in parts)
        table = np.zeros((4, len(parts), width), np.int64)
        for row, (*columns, _) in enumerate(parts):
            table[:, row, : len(columns[0])] = columns
        size = len(reading.lengths)
        numbers = torch.from_numpy(table).to(self.device).expand(4, size, width)
        if width == 0:
            return reading.top[:, :0], [owner for *_, owner in parts]
        self._check_room(reading.width, int(table[3].max()))
        body = self._halved if half and self.halves else self.body
        return self._pass(body, reading, numbers[0], numbers[1:]), [owner for *_, owner in parts]

    def _layout(self, nodes: Ints, cut: bool) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """Token, first rank, last rank, depth and place in `nodes` of each token on the edges, (E,) each."""
        tokens, depths, owner = self.trie.edges(nodes)
        node = nodes[owner]
        if cut and len(nodes) and nodes.max() >= self.trie.n_nodes:
            kept = (node < self.trie.n_nodes) | (depths < self.trie.depth[node])
            tokens, depths, owner, node = tokens[kept], depths[kept], owner[kept], node[kept]
        return tokens, self.trie.first[node], self.trie.last[node], depths, owner

    def _pass(self, body: Any, reading: Reading, tokens: Tensor, slots: Tensor) -> Tensor:
        """Tokens (B, E) with their ranks and depths (3, B, E) -> hidden states (B, E, H); the cache takes them over."""
        old, reading.slots = reading.slots, torch.cat([reading.slots, slots], 2)
        return body(  # type: ignore[no-any-return]
            input_ids=tokens,
            past_key_values=reading.cache,
            use_cache=True,
            **self._arguments(*self._sight(reading.lengths, reading.width, old, slots)),
        ).last_hidden_state

    def _sight(self, lengths: Tensor, width: int, old: Tensor, slots: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What trie tokens `slots` (3, B, E) see of prompts (P = width), of `old` (3, B, S) and of one another.

        Returns:
            positions (B, E); positions of what is seen (B, P + S + E); who sees what (B, E, P + S + E).
        """
        first, depth = slots[0, :, :, None], slots[2, :, :, None]  # (B, E, 1) each
        of_first, of_last, of_depth = torch.cat([old, slots], 2)[:, :, None]  # (B, 1, S + E) each
        in_trie = (of_first <= first) & (first < of_last) & (of_depth <= depth)
        read = torch.arange(width, device=self.device).expand(len(lengths), -1)  # (B, P)
        in_prompt = (read < lengths[:, None])[:, None].expand(-1, slots.shape[2], -1)
        before = lengths[:, None] - 1
        positions = before + slots[2]
        return positions, torch.cat([read, before + old[2], positions], 1), torch.cat([in_prompt, in_trie], 2)

    def _sight_with_prompts(self, lengths: Tensor, opening: int, size: int, slots: Tensor) -> dict[str, Any]:
        """The body's arguments for `size` tokens of each prompt behind the opening, followed by trie tokens."""
        positions, seen_at, sees = self._sight(lengths, opening + size, slots[:, :, :0], slots)
        read = torch.arange(opening, opening + size, device=self.device).expand(len(lengths), -1)
        everything = torch.arange(seen_at.shape[1], device=self.device)
        causal = (everything <= read[:, :, None]) & (everything < opening + size)
        return self._arguments(torch.cat([read, positions], 1), seen_at, torch.cat([causal, sees], 1))

    def _arguments(self, positions: Tensor, seen_at: Tensor, sees: Tensor) -> dict[str, Any]:
        masks = _masks(self.body.config, sees, positions, seen_at, self.dtype)
        return {"position_ids": positions, "attention_mask": masks}

    def _check_room(self, width: int, depth: int) -> None:
        limit = getattr(self.body.config, "max_position_embeddings", None)
        if limit and width + depth > limit:
            raise RequestError(
                f"The request needs {width + depth} tokens; this base model reads {limit}.",
                hint="Shorten the query or the history.",
            )


def padded(sequences: Sequence[Ids], device: torch.device) -> tuple[Tensor, Tensor]:
    """Token ids as one tensor, zeros on the right (B, T), and the length of each (B,)."""
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    ids = torch.zeros(len(sequences), int(lengths.max()), dtype=torch.long)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.as_tensor(sequence)
    return ids.to(device), lengths.to(device)


def _masks(config: Any, sees: Tensor, at: Tensor, seen_at: Tensor, dtype: torch.dtype) -> Any:
    """Additive masks (B, 1, E, W): one for all layers, or one for each kind; sliding layers see a window of
    positions.

    `at` (B, E) and `seen_at` (B, W) are the positions of those who see and of those who are seen.
    """

    def mask(window: int | None) -> Tensor:
        near = sees & (at[:, :, None] - seen_at[:, None] < window) if window else sees
        blank = torch.zeros(sees.shape, dtype=dtype, device=at.device)
        return blank.masked_fill(~near, torch.finfo(dtype).min)[:, None]

    kinds, window = getattr(config, "layer_types", None), getattr(config, "sliding_window", None)
    if not kinds:
        return mask(window)
    return {kind: mask(window if kind == "sliding_attention" else None) for kind in set(kinds)}
