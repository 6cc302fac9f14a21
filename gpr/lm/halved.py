"""A body whose linear maps multiply in bfloat16, which takes half the time on a processor with instructions for it.

Their weights are cast once. What is added up from layer to layer, norms, positions and attention stay in float32, so
much less is lost than with a model that is in bfloat16 throughout. It knows layers, not what they read.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether this is a CPU that has instructions for products in bfloat16."""
    able = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def halved(module: Any) -> Any:
    """The module with all linear maps in it replaced; everything else is shared with it."""
    if isinstance(module, nn.Linear):
        return _Halved(module)
    twin = copy.copy(module)
    twin._modules = {name: halved(part) for name, part in module._modules.items()}
    return twin


class _Halved(nn.Module):
    """A frozen linear map, float32 or bfloat16 (..., H) -> bfloat16 (..., G)."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = linear.weight.detach().bfloat16()
        self.bias = None if linear.bias is None else linear.bias.detach().bfloat16()

    def forward(self, hidden: Tensor) -> Tensor:
        return nn.functional.linear(hidden.bfloat16(), self.weight, self.bias)
