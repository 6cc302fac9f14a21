"""Frozen lower layers: run once for each text, with the same result as running everything every time."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from gpr.lm import layers
from gpr.lm.body import body_of, low_depths
from gpr.lm.layers import Layers
from tests.small_models import tiny, with_lora

CPU = torch.device("cpu")
TEXTS = [[5, 6, 7, 8, 9, 10], [11, 12], [13, 14, 15, 16]]


def whole(model: Any, text: list[int]) -> list[Tensor]:
    """(T, H) the states at the low depths and at the top."""
    with torch.inference_mode():
        out = body_of(model)(input_ids=torch.tensor([text]), output_hidden_states=True)
    return [*(out.hidden_states[depth][0] for depth in low_depths(body_of(model))), out.last_hidden_state[0]]


def layer(model: Any, number: int) -> torch.nn.Module:
    body: Any = body_of(model)
    return body.layers[number]  # type: ignore[no-any-return]


def runs_of(module: torch.nn.Module) -> list[int]:
    """Grows by the number of texts each time the module runs."""
    found: list[int] = []
    module.register_forward_hook(lambda module, args, output: found.append(len(args[0])))
    return found


@pytest.mark.parametrize(("family", "trained"), [("llama", 1), ("llama", 4), ("qwen3", 2), ("gpt2", 1), ("gemma3", 2)])
def test_they_read_what_the_whole_model_reads(family: str, trained: int) -> None:
    model = tiny(family)
    reader = Layers(model, trained)
    for numbers in ([0, 1, 2], [2], [1, 0]):  # kept ones among them, in other batches
        with torch.inference_mode():
            low, top = reader.read("row", numbers, [TEXTS[number] for number in numbers], CPU)
        for row, number in enumerate(numbers):
            for state, expected in zip([*low, top], whole(model, TEXTS[number]), strict=True):
                torch.testing.assert_close(state[row, : len(expected)], expected, atol=1e-4, rtol=1e-4)


def test_mixed_products_are_close_and_kept_in_full() -> None:
    model = tiny("llama")
    low, top = Layers(model, 2, mixed=True).read("row", [0], TEXTS[:1], CPU)
    for state, expected in zip([*low, top], whole(model, TEXTS[0]), strict=True):
        assert state.dtype == torch.float32
        gap = (state[0] - expected).norm() / expected.norm()
        assert 0 < float(gap.detach()) < 0.05


def test_lower_layers_run_once_for_each_text() -> None:
    model = tiny("llama")
    lower, upper = runs_of(layer(model, 0)), runs_of(layer(model, 3))
    reader = Layers(model, trained_layers=2)
    reader.read("row", [0, 1], TEXTS[:2], CPU)
    reader.read("row", [1, 2], TEXTS[1:], CPU)
    reader.read("row", [0, 1, 2], TEXTS, CPU)
    assert (lower, upper) == ([2, 1], [2, 2, 3])
    reader.read("item", [0], TEXTS[:1], CPU)  # another kind is another text
    assert lower == [2, 1, 1]


def test_beyond_the_bound_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "KEPT_BYTES", 0)
    model = tiny("llama")
    lower = runs_of(layer(model, 0))
    reader = Layers(model, trained_layers=2)
    first, again = reader.read("row", [0, 1], TEXTS[:2], CPU), reader.read("row", [0, 1], TEXTS[:2], CPU)
    assert lower == [2, 2]
    torch.testing.assert_close(first, again)


def test_the_upper_layers_learn() -> None:
    model = with_lora(tiny("llama"), share=0.5)
    reader = Layers(model, trained_layers=2)
    for _ in range(2):  # the second time from what was kept
        _, top = reader.read("row", [0], TEXTS[:1], CPU)
        top.sum().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters() if p.requires_grad)
        model.zero_grad()
