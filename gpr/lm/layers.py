"""Reading texts with frozen lower layers: their output is computed once for each text and kept, the upper layers run
every time. On a processor that multiplies bfloat16 by itself the products may be in it, sums stay in float32.

It knows token ids and layers, neither losses nor requests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from gpr.lm.body import body_of, can_split, low_depths, split, turn_weights
from gpr.lm.lean import can_be_lean, lean
from gpr.lm.reading import padded

KEPT_BYTES = 2 << 30
"""Bound on what is kept of the lower layers' output."""


Kept = tuple[Tensor, ...]


class Layers:
    """The body in two parts: frozen lower layers, whose output for a text is kept, and the upper ones that learn.

    Args:
        read_now: from whether there is something to read with the lower layers to whether they are used now: where
            several processes have parts of their weights, none can use them alone.
        mixed: products of matrices are in bfloat16, and all else in the model's own number format.
    """

    def __init__(
        self,
        model: Any,
        trained_layers: int,
        read_now: Callable[[bool], bool] = bool,
        mixed: bool = False,
    ) -> None:
        body = body_of(model)
        turn_weights(body)
        slim = can_be_lean(body)
        body = lean(body, torch.bfloat16 if mixed else torch.float32) if slim else body
        self._read_now, self._casts_each_time = read_now, mixed and not slim
        depth = body.config.num_hidden_layers - trained_layers
        self._low = low_depths(body)
        self._lower: Any
        self._upper: Any
        self._lower, self._upper = split(body, depth) if depth >= max(self._low) and can_split(body) else (None, body)
        self._kept: dict[tuple[str, int], Kept] = {}
        self._bytes = 0

    @property
    def splits(self) -> bool:
        """Whether there are frozen layers whose output is kept."""
        return self._lower is not None

    def read(
        self, kind: str, numbers: list[int], texts: list[list[int]], device: torch.device
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """Hidden states at the two low depths and at the top for B texts, (B, T, H) each.

        `kind` and `numbers` name the texts: the same name always means the same text.
        """
        with torch.autocast(device.type, torch.bfloat16, self._casts_each_time):
            return self._read(kind, numbers, texts, device)

    def _read(
        self, kind: str, numbers: list[int], texts: list[list[int]], device: torch.device
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        if self._lower is None:
            ids, _ = padded(texts, device)
            out = self._upper(input_ids=ids, use_cache=False, output_hidden_states=True)
            return tuple(out.hidden_states[depth] for depth in self._low), out.last_hidden_state
        kept = self._read_lower(kind, numbers, texts, device)
        *low, middle = (pad_sequence(list(states), batch_first=True) for states in zip(*kept, strict=True))
        return tuple(low), self._upper(inputs_embeds=middle, use_cache=False).last_hidden_state

    @torch.no_grad()
    def _read_lower(self, kind: str, numbers: list[int], texts: list[list[int]], device: torch.device) -> list[Kept]:
        """For each text the states at the low depths and where the upper layers begin, (T, H) each."""
        found = {n: self._kept[kind, n] for n in numbers if (kind, n) in self._kept}
        missing = [(n, text) for n, text in zip(numbers, texts, strict=True) if n not in found]
        if self._read_now(bool(missing)):
            missing = missing or [(numbers[0], texts[0])]  # for company
            assert self._lower is not None
            ids, _ = padded([text for _, text in missing], device)
            out = self._lower(input_ids=ids, use_cache=False, output_hidden_states=True)
            states = [*(out.hidden_states[depth] for depth in self._low), out.last_hidden_state]
            for row, (n, text) in enumerate(missing):
                found[n] = tuple(state[row, : len(text)].clone() for state in states)
                self._keep((kind, n), found[n])
        return [found[n] for n in numbers]

    def _keep(self, name: tuple[str, int], states: Kept) -> None:
        size = sum(state.nbytes for state in states)
        if self._bytes + size <= KEPT_BYTES:
            self._kept[name] = states
            self._bytes += size
