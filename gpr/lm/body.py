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


def turn_weights(body: Any) -> None:
    """Lays the weights (O, I) of the base model's linear maps out in memory column by column, if they are in float32 on
    a CPU. Those of LoRA stay: an optimizer goes through them in the order of memory.

    A product with few rows, which is what a search mostly has, then takes half the time: PyTorch's MKL rearranges
    weights that lie row by row in each product, which takes longer than the product of up to 50 rows.
    """
    for name, module in body.named_modules():
        weight = module.weight if type(module) is nn.Linear and ".lora_" not in name else None
        if type(weight) is nn.Parameter and weight.dtype == torch.float32 and weight.device.type == "cpu":
            weight.data = weight.data.T.contiguous().T


@contextmanager
def quiet_peft() -> Iterator[None]:
    """Without what peft says of itself: a name of transformers' that will go, and GPT-2's transposed maps,
    which it handles."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        warnings.filterwarnings("ignore", "fan_in_fan_out is set to False")
        yield


VOCABULARY_AT_ONCE = 2_048
"""Rows of the head that meet all hidden states together: as many as their logits stay in the processor's cache."""
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
        weight = self._half if half else self.weight
        asked, total, largest = hidden.to(weight.dtype), hidden.new_full((len(hidden),), -torch.inf).float(), []
        for at in range(0, len(weight), VOCABULARY_AT_ONCE):
            some = slice(at, at + VOCABULARY_AT_ONCE)
            logits = self.all_to_all(asked, Rows(weight[some], None if self.bias is None else self.bias[some]))
            total = torch.logaddexp(total, logits.logsumexp(-1))
            if half:
                values, tokens = logits.topk(min(LARGEST, logits.shape[1]), sorted=False)
                largest.append((values, tokens + at))
        if not half:
            return total
        values, tokens = (torch.cat(parts, 1) for parts in zip(*largest, strict=True))  # (K, blocks x LARGEST)
        values, places = values.topk(min(LARGEST, values.shape[1]), sorted=False)
        again = hidden.repeat_interleave(places.shape[1], 0)
        right = self.one_to_one(again, tokens.gather(1, places).flatten()).view_as(values)
        return total + torch.log1p((torch.exp(right - total[:, None]) - torch.exp(values - total[:, None])).sum(1))

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
