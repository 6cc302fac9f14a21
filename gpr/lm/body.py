"""The parts of a causal LM that GPR uses: its body (ids -> hidden states) and the rows of its head. It knows no
prompts."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D
from transformers.utils.output_capturing import maybe_install_capturing_hooks


def body_of(model: Any) -> Any:
    """The transformer without its head, whatever the family calls it; through peft too."""
    if hasattr(model, "get_base_model"):
        model = model.get_base_model()
    return model.base_model


def low_depths(body: Any) -> tuple[int, int]:
    """After how many layers a text's wording is read: an eighth and a quarter of them, at least one."""
    total = body.config.num_hidden_layers
    return max(1, round(total / 8)), max(1, round(total / 4))


def layers_of(model: Any) -> nn.ModuleList:
    """The stack of transformer layers, lowest first."""
    total = model.config.num_hidden_layers
    return next(m for m in body_of(model).modules() if isinstance(m, nn.ModuleList) and len(m) == total)


def linear_layers(model: Any, share: float) -> tuple[list[str], int]:
    """The names of all linear maps in the upper `share` of the layers, as peft wants them, and how many layers
    those are."""
    total = model.config.num_hidden_layers
    kept = max(1, round(total * share))
    inside = {id(module) for layer in layers_of(model)[total - kept :] for module in layer.modules()}
    linear = (nn.Linear, Conv1D)
    return [name for name, module in model.named_modules() if id(module) in inside and isinstance(module, linear)], kept


@contextmanager
def quiet_peft() -> Iterator[None]:
    """Without what peft says of itself: a name of transformers' that will go, and GPT-2's transposed maps,
    which it handles."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        warnings.filterwarnings("ignore", "fan_in_fan_out is set to False")
        yield


STATES_AT_ONCE = 256
"""Hidden states that meet the whole vocabulary together."""
SUMS_AT_ONCE = 16
"""Of those, whose logits are summed together: as many as stay in the processor's cache."""
LARGEST = 4
"""Logits of a state that are computed again in float32, where products are in bfloat16: they make up most of the
sum, and bfloat16 gives a logit of 20 to .06 only."""


class Rows(NamedTuple):
    """Some rows of the output head."""

    weight: Tensor
    """(C, H)"""
    bias: Tensor | None
    """(C,)"""


class Head:
    """The output head, applied to some hidden states and some vocabulary rows only."""

    def __init__(self, model: Any) -> None:
        if hasattr(model, "get_base_model"):
            model = model.get_base_model()
        head = model.get_output_embeddings()
        self.weight: Tensor = head.weight  # (V, H)
        self.bias: Tensor | None = getattr(head, "bias", None)
        self._softcap: float | None = getattr(model.config, "final_logit_softcapping", None)

    def rows(self, tokens: Tensor) -> Rows:
        """The rows of some tokens, (C,), copied out for repeated use."""
        return Rows(self.weight[tokens], None if self.bias is None else self.bias[tokens])

    def all_to_all(self, hidden: Tensor, rows: Rows) -> Tensor:
        """Logits of all rows' tokens for every hidden state: (K, H), C rows -> (K, C), float32."""
        return self._finish(hidden @ rows.weight.T, rows.bias)

    def everything(self, hidden: Tensor) -> Tensor:
        """Logits of the whole vocabulary: (K, H) -> (K, V), float32."""
        return self.all_to_all(hidden, Rows(self.weight, self.bias))

    @torch.no_grad()
    def log_totals(self, hidden: Tensor, half: bool = False) -> Tensor:
        """The logarithm of the sum of exp(logit) over the whole vocabulary: (K, H) -> (K,), float32.

        Args:
            half: products are in bfloat16, but for the LARGEST logits of each state.
        """
        parts = self._halved_logits(hidden) if half else self._all_logits(hidden)
        return torch.cat([part.logsumexp(-1) for part in parts])

    def _all_logits(self, hidden: Tensor) -> Iterator[Tensor]:
        for some in hidden.split(STATES_AT_ONCE):
            yield from self.everything(some).split(SUMS_AT_ONCE)

    def _halved_logits(self, hidden: Tensor) -> Iterator[Tensor]:
        for some in hidden.split(STATES_AT_ONCE):
            logits = some.bfloat16() @ self._half.T  # (K, V)
            largest = logits.topk(min(LARGEST, len(self._half)), sorted=False).indices  # (K, L)
            right = self.one_to_one(some.repeat_interleave(largest.shape[1], 0), largest.flatten()).view_as(largest)
            for part, tokens, values in zip(*(t.split(SUMS_AT_ONCE) for t in (logits, largest, right)), strict=True):
                yield self._finish(part, self.bias).scatter_(1, tokens, values)

    @cached_property
    def _half(self) -> Tensor:
        """(V, H) in bfloat16."""
        return self.weight.detach().bfloat16()

    def one_to_one(self, hidden: Tensor, tokens: Tensor) -> Tensor:
        """The logit of token i for hidden state i: (C, H), (C,) -> (C,), float32."""
        return self._finish((hidden * self.weight[tokens]).sum(-1), None if self.bias is None else self.bias[tokens])

    def _finish(self, logits: Tensor, bias: Tensor | None) -> Tensor:
        logits = logits.float()
        if bias is not None:
            logits = logits + bias.float()
        return logits if self._softcap is None else self._softcap * torch.tanh(logits / self._softcap)


def can_split(body: Any) -> bool:
    """Whether `split` gives the same result as the whole: a plain stack of layers with rotary positions."""
    return body.config.model_type in {"llama", "qwen2", "qwen3", "mistral"} and isinstance(
        getattr(body, "layers", None), nn.ModuleList
    )


def split(body: Any, depth: int) -> tuple[nn.Module, nn.Module]:
    """The lowest `depth` layers (ids -> hidden) and the others (inputs_embeds -> hidden), sharing the body's modules.

    `upper(inputs_embeds=lower(ids))` is `body(ids)`. Lets frozen lower layers be run once and their output kept.
    """
    maybe_install_capturing_hooks(body)  # once: each part would add its own, and a layer's states be listed twice
    lower, upper = copy.copy(body), copy.copy(body)
    lower._modules, upper._modules = dict(body._modules), dict(body._modules)
    lower.config, upper.config = copy.deepcopy(body.config), copy.deepcopy(body.config)
    lower.layers, lower.norm, lower.config.num_hidden_layers = body.layers[:depth], nn.Identity(), depth
    upper.layers = body.layers[depth:]
    upper.config.num_hidden_layers = len(body.layers) - depth
    if kinds := getattr(body.config, "layer_types", None):
        lower.config.layer_types, upper.config.layer_types = kinds[:depth], kinds[depth:]
    return lower, upper
