"""The twin of a body: the same states and the same way to learn, in bfloat16 nearly, with the body left as it was."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gpr.lm.body import body_of
from gpr.lm.lean import can_be_lean, lean
from tests.small_models import tiny, with_lora

IDS = torch.arange(5, 35).reshape(2, 15)


def read(body: Any) -> Any:
    return body(input_ids=IDS, use_cache=False, output_hidden_states=True)


def gap(found: Tensor, expected: Tensor) -> float:
    """The length of the difference as a share of what is expected."""
    return float(((found - expected).norm() / expected.norm()).detach())


FAMILIES = pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3", "mistral"])


@FAMILIES
def test_states_are_the_same(family: str) -> None:
    body = body_of(tiny(family))
    assert can_be_lean(body)
    with torch.inference_mode():
        found, expected = read(lean(body)), read(body)
    for state, right in zip(found.hidden_states, expected.hidden_states, strict=True):
        torch.testing.assert_close(state, right, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.last_hidden_state, expected.last_hidden_state, atol=1e-5, rtol=1e-5)


@FAMILIES
def test_in_bfloat16_states_are_nearly_the_same(family: str) -> None:
    body = body_of(tiny(family))
    twin = lean(body, torch.bfloat16)
    with torch.inference_mode():
        nearly, whole = read(twin), read(body)
    assert len(nearly.hidden_states) == len(whole.hidden_states) == 5
    assert nearly.last_hidden_state.dtype == torch.float32
    assert 0 < gap(nearly.last_hidden_state, whole.last_hidden_state) < 0.05
    assert body.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("family", ["gpt2", "gemma3"])
def test_other_families_have_no_twin(family: str) -> None:
    assert not can_be_lean(body_of(tiny(family)))


def test_nor_has_a_body_in_bfloat16() -> None:
    assert not can_be_lean(body_of(tiny("llama").bfloat16()))


def learned(model: Any, body: Any) -> Tensor:
    """The gradients of all that learns, in one row."""
    learns = [parameter for parameter in model.parameters() if parameter.requires_grad]
    read(body).last_hidden_state[..., :7].square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in learns)
    found = nn.utils.parameters_to_vector([parameter.grad for parameter in learns if parameter.grad is not None])
    model.zero_grad()
    return found


@FAMILIES
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_lora_learns_as_it_does_in_the_body(family: str, dropout: float) -> None:
    model = with_lora(tiny(family))
    if dropout:  # such maps go the library's way; in evaluation mode nothing is dropped
        for module in model.modules():
            if hasattr(module, "lora_dropout"):
                module.lora_dropout["default"] = nn.Dropout(dropout)
    model.eval()
    body = body_of(model)
    assert gap(learned(model, lean(body)), learned(model, body)) < 1e-5


def test_in_bfloat16_lora_learns_nearly_the_same() -> None:
    model = with_lora(tiny("llama")).eval()
    nearly = learned(model, lean(body_of(model), torch.bfloat16))
    assert nearly.dtype == torch.float32
    assert 0 < gap(nearly, learned(model, body_of(model))) < 0.15  # .14 with autocast
