"""A twin of a body that computes the same in fewer steps: LoRA, norms and gated maps as one operation each, on the way
back too. Small steps between the products of matrices are up to two fifths of the time on a CPU.

Products may be in bfloat16, which takes half the time on a processor with instructions for it. The frozen weights are
then cast once and kept; what is added up from layer to layer, norms, positions and the softmax of attention stay in
float32, so much less is lost than with a model that is in bfloat16 throughout. LoRA's weights stay as they are and
learn through it. It knows layers, not what they read.
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

from gpr.lm.body import can_split

ATTENTION = "gpr_bfloat16"
"""The name of `_attention` in transformers' register."""
BEFORE_MAPS = ("input_layernorm", "post_attention_layernorm")
"""Norms whose result goes into several linear maps and nowhere else: cast once for all of them."""


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether this is a CPU that has instructions for products in bfloat16."""
    able = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def can_be_lean(body: Any) -> bool:
    """Whether a body's twin is known to give the same: a plain stack of layers, with all of their weights here and in
    float32."""
    plain = (type(weight) is nn.Parameter and weight.dtype == torch.float32 for weight in body.parameters())
    return can_split(body) and all(plain)


def lean(body: Any, dtype: torch.dtype = torch.float32) -> Any:
    """The twin of a body (`can_be_lean` says which). What is not replaced, and all that learns, is shared.

    Args:
        dtype: of the products: float32, or bfloat16 on a CPU.
    """
    maybe_install_capturing_hooks(body)  # as in `split`
    return _Twins(dtype).of(body)


class _Twins:
    def __init__(self, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._configs: dict[int, Any] = {}

    def of(self, module: Any, name: str = "") -> Any:
        """The twin of a module and of all below; `name` is the module's own in the one above."""
        if type(module) is nn.Linear:
            return _Linear(module, self._dtype)
        if isinstance(module, lora.Linear) and (adapter := _plain_lora(module)):
            return _Adapted(module, adapter, self._dtype)
        if type(module).__name__.endswith("RMSNorm"):
            return _Norm(module, self._dtype if name in BEFORE_MAPS else torch.float32)
        learns = isinstance(module, lora.LoraLayer)  # in another way: only what is below is frozen
        below = {"base_layer": module.base_layer} if learns else module._modules
        parts = module._modules | {name: self.of(part, name) for name, part in below.items()}
        if type(module).__name__.endswith("MLP") and isinstance(module.act_fn, nn.SiLU):
            return _Gated(parts)
        twin = copy.copy(module)
        twin._modules = parts
        if self._dtype == torch.bfloat16 and isinstance(config := module.__dict__.get("config"), PreTrainedConfig):
            twin.config = self._config(config)
        return twin

    def _config(self, config: Any) -> Any:
        """One copy for all modules that share it, with our attention."""
        if id(config) not in self._configs:
            self._configs[id(config)] = copy.deepcopy(config)
            self._configs[id(config)]._attn_implementation = ATTENTION
        return self._configs[id(config)]


def _plain_lora(module: Any) -> str:
    """The name of the only adapter of a map that is LoRA as it was published, without dropout; else ''."""
    names = module.active_adapters
    plain = len(names) == 1 and names[0] in module.lora_A and not module.merged and not module.lora_variant
    plain = plain and type(module.base_layer) is nn.Linear and module.lora_B[names[0]].bias is None
    return names[0] if plain and isinstance(module.lora_dropout[names[0]], nn.Identity) else ""


class _Linear(nn.Module):
    """A frozen linear map, (..., I) -> (..., O) in the number format of the products."""

    def __init__(self, linear: nn.Linear, dtype: torch.dtype) -> None:
        super().__init__()
        self.weight = linear.weight.detach().to(dtype)
        self.bias = None if linear.bias is None else linear.bias.detach().to(dtype)

    def forward(self, hidden: Tensor) -> Tensor:
        return nn.functional.linear(hidden.to(self.weight.dtype), self.weight, self.bias)


class _Adapted(_Linear):
    """A frozen linear map with LoRA (Hu et al. 2021, arXiv:2106.09685), whose weights learn."""

    def __init__(self, module: Any, name: str, dtype: torch.dtype) -> None:
        super().__init__(module.base_layer, dtype)
        self.down, self.up = module.lora_A[name].weight, module.lora_B[name].weight  # (R, I), (O, R)
        self.scale = float(module.scaling[name])

    def forward(self, hidden: Tensor) -> Tensor:
        found: Tensor = _LowRank.apply(hidden, self.weight, self.down, self.up, self.scale)
        return found if self.bias is None else found + self.bias


class _LowRank(torch.autograd.Function):
    """x W' + scale * x D' U'. The second part is added inside the product, and so are its gradients: done one by one,
    the many small steps of 70 maps take as long as a third of the products."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, down: Tensor, up: Tensor, scale: float) -> Tensor:
        flat = hidden.reshape(-1, hidden.shape[-1]).to(weight.dtype)  # (K, I)
        own_down, own_up = down.to(weight.dtype), (scale * up).to(weight.dtype)
        inner = flat @ own_down.T  # (K, R)
        ctx.save_for_backward(flat, inner, weight, own_down, own_up)
        ctx.shape, ctx.dtype, ctx.scale = hidden.shape, hidden.dtype, scale
        return (flat @ weight.T).addmm_(inner, own_up.T).view(*hidden.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, None, Tensor, Tensor, None]:
        flat, inner, weight, down, up = ctx.saved_tensors
        grad = grads[0].reshape(-1, grads[0].shape[-1])  # (K, O)
        within = grad @ up  # (K, R)
        below = None
        if ctx.needs_input_grad[0]:
            below = (grad @ weight).addmm_(within, down).view(ctx.shape).to(ctx.dtype)
        return below, None, (within.T @ flat).float(), ctx.scale * (grad.T @ inner).float(), None


class _Norm(nn.Module):
    """A frozen RMSNorm (Zhang and Sennrich 2019, arXiv:1910.07467), float32 (..., H) -> `dtype` (..., H)."""

    def __init__(self, norm: Any, dtype: torch.dtype) -> None:
        super().__init__()
        self.weight, self.epsilon, self.dtype = norm.weight.detach(), float(norm.variance_epsilon), dtype

    def forward(self, hidden: Tensor) -> Tensor:
        found: Tensor = _RootMeanSquare.apply(hidden, self.weight, self.epsilon)
        return found.to(self.dtype)


class _RootMeanSquare(torch.autograd.Function):
    """w x / sqrt(mean(x^2) + e)."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        scale = hidden.square().mean(-1, keepdim=True).add_(epsilon).rsqrt_()
        unit = hidden * scale
        ctx.save_for_backward(unit, scale, weight)
        return unit * weight

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        unit, scale, weight = ctx.saved_tensors
        grad = grads[0] * weight
        along = (grad * unit).mean(-1, keepdim=True)
        return grad.addcmul_(unit, along, value=-1).mul_(scale), None, None


class _Gated(nn.Module):
    """down(silu(gate(x)) * up(x)), a layer's feed-forward part (Shazeer 2020, arXiv:2002.05202)."""

    def __init__(self, parts: dict[str, nn.Module | None]) -> None:
        super().__init__()
        self._modules = parts

    def forward(self, hidden: Tensor) -> Tensor:
        gate, up, down = (self.get_submodule(f"{name}_proj") for name in ("gate", "up", "down"))
        found: Tensor = down(_Gate.apply(gate(hidden), up(hidden)))
        return found


class _Gate(torch.autograd.Function):
    """silu(g) * u"""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        open_ = nn.functional.silu(gate)
        ctx.save_for_backward(gate, up, open_)
        return open_ * up

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        gate, up, open_ = ctx.saved_tensors
        return torch.ops.aten.silu_backward(grads[0] * up, gate), grads[0] * open_


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
    E, W) -> (B, E, H, D) in bfloat16. Heads that share their keys are one product; PyTorch's own takes five times as
    long on the way back in bfloat16."""
    batch, heads, size, width = query.shape
    groups, seen = key.shape[1:3]
    asked = (query * (width**-0.5 if scaling is None else scaling)).bfloat16().reshape(batch, groups, -1, width)
    scores = (asked @ key.bfloat16().transpose(-1, -2)).view(batch, groups, -1, size, seen).float()
    shares = torch.softmax(scores + attention_mask[:, :, None], -1)
    found = shares.bfloat16().view(batch, groups, -1, seen) @ value.bfloat16()
    return found.view(batch, heads, size, width).transpose(1, 2), None


AttentionInterface.register(ATTENTION, _attention)
AttentionMaskInterface.register(ATTENTION, eager_mask)
