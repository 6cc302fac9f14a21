"""A body whose products of matrices are in bfloat16, which takes half the time on a processor with instructions for it.

The frozen weights are cast once and kept. What is added up from layer to layer, norms, positions and the softmax of
attention stay in float32, so much less is lost than with a model that is in bfloat16 throughout. LoRA's weights stay as
they are and learn through it. It knows layers, not what they read.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from peft.tuners import lora
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedConfig
from transformers.masking_utils import AttentionMaskInterface, eager_mask
from transformers.utils.output_capturing import maybe_install_capturing_hooks

ATTENTION = "gpr_halved"
"""The name of `_attention` in transformers' register."""
BEFORE_MAPS = ("input_layernorm", "post_attention_layernorm")
"""Norms whose result goes into several linear maps and nowhere else: cast once for all of them."""


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether this is a CPU that has instructions for products in bfloat16."""
    able = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def halved(body: Any) -> Any:
    """The body (`can_split` says which) with all linear maps and the attention replaced; all else is shared with it."""
    maybe_install_capturing_hooks(body)  # as in `split`
    return _twin(body, {})


def _twin(module: Any, configs: dict[int, Any]) -> Any:
    if isinstance(module, nn.Linear):
        return _Halved(module)
    if isinstance(module, lora.Linear) and (name := _plain_lora(module)):
        return _Adapted(module, name)
    twin = copy.copy(module)
    learns = isinstance(module, lora.LoraLayer)  # in another way: only what is below is frozen
    parts = {"base_layer": module.base_layer} if learns else module._modules
    twin._modules = module._modules | {
        name: _Cast(part) if name in BEFORE_MAPS else _twin(part, configs) for name, part in parts.items()
    }
    if isinstance(config := module.__dict__.get("config"), PreTrainedConfig):
        if id(config) not in configs:
            configs[id(config)] = copy.deepcopy(config)
            configs[id(config)]._attn_implementation = ATTENTION
        twin.config = configs[id(config)]
    return twin


def _plain_lora(module: Any) -> str:
    """The name of the only adapter of a map that is LoRA as it was published, without dropout; else ''."""
    names = module.active_adapters
    plain = len(names) == 1 and names[0] in module.lora_A and not module.merged and not module.lora_variant
    plain = plain and type(module.base_layer) is nn.Linear and module.lora_B[names[0]].bias is None
    return names[0] if plain and isinstance(module.lora_dropout[names[0]], nn.Identity) else ""


class _Cast(nn.Module):
    """A norm (..., H) whose result is in bfloat16."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, hidden: Tensor) -> Tensor:
        found: Tensor = self.norm(hidden)
        return found.bfloat16()


class _Halved(nn.Module):
    """A frozen linear map, float32 or bfloat16 (..., I) -> bfloat16 (..., O)."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = linear.weight.detach().bfloat16()
        self.bias = None if linear.bias is None else linear.bias.detach().bfloat16()

    def forward(self, hidden: Tensor) -> Tensor:
        return nn.functional.linear(hidden.bfloat16(), self.weight, self.bias)


class _Adapted(_Halved):
    """A frozen linear map with LoRA (Hu et al. 2021, arXiv:2106.09685), whose weights learn."""

    def __init__(self, module: Any, name: str) -> None:
        super().__init__(module.base_layer)
        self.down, self.up = module.lora_A[name].weight, module.lora_B[name].weight  # (R, I), (O, R)
        self.scale = float(module.scaling[name])

    def forward(self, hidden: Tensor) -> Tensor:
        found: Tensor = _LowRank.apply(hidden, self.weight, self.down, self.up, self.scale)
        return found if self.bias is None else found + self.bias


class _LowRank(torch.autograd.Function):
    """x W' + scale * x D' U' in bfloat16. The second part is added inside the product, and so are its gradients: done
    one by one, the many small steps of 70 maps take as long as a third of the products."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, down: Tensor, up: Tensor, scale: float) -> Tensor:
        flat = hidden.reshape(-1, hidden.shape[-1]).bfloat16()  # (K, I)
        half_down, half_up = down.bfloat16(), (scale * up).bfloat16()
        inner = flat @ half_down.T  # (K, R)
        ctx.save_for_backward(flat, inner, weight, half_down, half_up)
        ctx.shape, ctx.dtype, ctx.scale = hidden.shape, hidden.dtype, scale
        return (flat @ weight.T).addmm_(inner, half_up.T).view(*hidden.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, None, Tensor, Tensor, None]:
        flat, inner, weight, down, up = ctx.saved_tensors
        grad = grads[0].reshape(-1, grads[0].shape[-1])  # (K, O)
        within = grad @ up  # (K, R)
        below = None
        if ctx.needs_input_grad[0]:
            below = (grad @ weight).addmm_(within, down).view(ctx.shape).to(ctx.dtype)
        return below, None, (within.T @ flat).float(), ctx.scale * (grad.T @ inner).float(), None


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """As transformers calls it: queries (B, H, E, D), keys and values (B, G, W, D), an additive mask (B, 1,
    E, W) -> (B, E, H, D). Heads that share their keys are one product; PyTorch's own takes five times as long
    on the way back in bfloat16."""
    batch, heads, size, width = query.shape
    groups, seen = key.shape[1:3]
    asked = (query * (width**-0.5 if scaling is None else scaling)).bfloat16().reshape(batch, groups, -1, width)
    scores = (asked @ key.bfloat16().transpose(-1, -2)).view(batch, groups, -1, size, seen).float()
    shares = torch.softmax(scores + attention_mask[:, :, None], -1)
    found = shares.bfloat16().view(batch, groups, -1, seen) @ value.bfloat16()
    return found.view(batch, heads, size, width).transpose(1, 2), None


AttentionInterface.register(ATTENTION, _attention)
AttentionMaskInterface.register(ATTENTION, eager_mask)
