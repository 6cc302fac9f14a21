"""LoRA on a base model: which maps get it, its weights, and two of it as one. It knows neither data nor losses."""

from __future__ import annotations

from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor

from gpr.errors import ModelError
from gpr.learn.options import Options
from gpr.lm.base import Base
from gpr.lm.body import linear_layers, quiet_peft


def add_lora(base: Base, options: Options) -> tuple[Any, int]:
    """The base model with new LoRA weights in its upper layers, and how many layers those are."""
    names, layers = linear_layers(base.model, options.trained_share)
    names = [name for name in names if options.targets == "all" or _is_attention(name) == (options.targets != "mlp")]
    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha or 2 * options.rank,
        lora_dropout=options.dropout,
        target_modules=names,
        task_type="CAUSAL_LM",
    )
    try:
        with quiet_peft():
            return get_peft_model(base.model, config).eval(), layers
    except ValueError as error:
        raise ModelError(f"LoRA does not know this model: {error}", where=base.name) from error


def _is_attention(name: str) -> bool:
    """Whether a linear map belongs to the attention of its layer, by its name in all families."""
    return "attn" in name or "attention" in name


@torch.no_grad()
def take_off(model: Any) -> None:
    """Sets LoRA to nothing: the model is as it was without."""
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.zero_()


def merged(model: Any, weights: dict[str, Tensor]) -> Any:
    """The plain model with these LoRA weights, of the kind that it has, taken in."""
    own = dict(model.named_parameters())
    with torch.no_grad():
        for name, weight in weights.items():
            own[name].copy_(weight)
    return model.merge_and_unload().eval()
