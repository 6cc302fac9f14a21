"""Products in bfloat16: nearly the same states and the same way to learn, with the body itself left as it was."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gpr.lm.body import body_of
from gpr.lm.halved import halved
from tests.small_models import tiny, with_lora

IDS = torch.arange(5, 35).reshape(2, 15)


def read(body: Any) -> Any:
    return body(input_ids=IDS, use_cache=False, output_hidden_states=True)


def gap(found: Tensor, expected: Tensor) -> float:
    """The length of the difference as a share of what is expected."""
    return float(((found - expected).norm() / expected.norm()).detach())


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3", "mistral"])
def test_states_are_nearly_the_same(family: str) -> None:
    body = body_of(tiny(family))
    twin = halved(body)
    with torch.inference_mode():
        nearly, whole = read(twin), read(body)
    assert len(nearly.hidden_states) == len(whole.hidden_states) == 5
    assert nearly.last_hidden_state.dtype == torch.float32
    assert 0 < gap(nearly.last_hidden_state, whole.last_hidden_state) < 0.05
    assert body.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_lora_learns_as_it_does_in_float32(dropout: float) -> None:
    model = with_lora(tiny("llama"))
    if dropout:  # such maps go the library's way; in evaluation mode nothing is dropped
        for module in model.modules():
            if hasattr(module, "lora_dropout"):
                module.lora_dropout["default"] = nn.Dropout(dropout)
    model.eval()
    learns = [parameter for parameter in model.parameters() if parameter.requires_grad]
    grads = []
    for body in (halved(body_of(model)), body_of(model)):
        read(body).last_hidden_state[..., :7].square().sum().backward()
        assert all(parameter.grad is not None and parameter.grad.any() for parameter in learns)
        grads.append(
            nn.utils.parameters_to_vector([parameter.grad for parameter in learns if parameter.grad is not None])
        )
        model.zero_grad()
    assert grads[0].dtype == torch.float32
    assert 0 < gap(*grads) < 0.15  # .14 with autocast
