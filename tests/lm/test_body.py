"""The parts of a model: the body in two halves, the layers that LoRA takes, the rows of the head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import Gemma3ForCausalLM, PhiConfig, PhiForCausalLM, Qwen2Config, Qwen2ForCausalLM

from gpr.lm import body as bodies
from gpr.lm.body import Head, body_of, can_split, linear_layers, low_depths, split, turn_weights
from tests.small_models import CONFIGS, SIZES, tiny, with_lora

IDS = torch.arange(5, 35).reshape(2, 15)


def read(body: Any, **given: torch.Tensor) -> torch.Tensor:
    """(B, T, H) after all layers."""
    return body(**given, use_cache=False).last_hidden_state  # type: ignore[no-any-return]


def test_the_body_is_the_model_without_its_head(family_model: Any) -> None:
    with torch.inference_mode():
        hidden = read(body_of(family_model), input_ids=IDS)
        logits = family_model(input_ids=IDS).logits
        torch.testing.assert_close(plain_logits(Head(family_model), hidden[0], torch.arange(320)), logits[0])
    assert hidden.shape == (2, 15, 32)


def test_through_peft_it_is_the_adapted_one() -> None:
    model = with_lora(tiny("llama"))
    with torch.inference_mode():
        adapted = read(body_of(model), input_ids=IDS)
        torch.testing.assert_close(
            plain_logits(Head(model), adapted[0], torch.arange(320)), model(input_ids=IDS).logits[0]
        )
        with model.disable_adapter():
            assert not torch.allclose(read(body_of(model), input_ids=IDS), adapted)


def plain_logits(head: Head, hidden: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """All tokens' logits for all states; and the sum over the whole vocabulary on the way."""
    everything = head.all_to_all(hidden, head.rows(torch.arange(320)))
    torch.testing.assert_close(head.log_totals(hidden), everything.logsumexp(-1))
    torch.testing.assert_close(head.log_totals(hidden, half=True), everything.logsumexp(-1), atol=0.02, rtol=0.0)
    return head.all_to_all(hidden, head.rows(tokens))


@pytest.mark.parametrize("half", [False, True])
def test_the_vocabulary_is_summed_block_by_block(monkeypatch: pytest.MonkeyPatch, half: bool) -> None:
    head, hidden = Head(tiny("llama")), torch.randn(7, 32, generator=torch.Generator().manual_seed(0))
    whole = head.log_totals(hidden, half)
    monkeypatch.setattr(bodies, "VOCABULARY_AT_ONCE", 96)  # the last block of 320 is smaller
    torch.testing.assert_close(head.log_totals(hidden, half), whole)


def test_in_bfloat16_the_largest_logits_are_right() -> None:
    model = tiny("llama")
    model.lm_head.weight.data[[7, 300]] *= 50
    hidden = torch.randn(7, 32, generator=torch.Generator().manual_seed(0))
    everything = Head(model).everything(hidden)
    assert everything.abs().max() > 30  # bfloat16 gives it to .1 only
    torch.testing.assert_close(Head(model).log_totals(hidden, half=True), everything.logsumexp(-1), atol=0.02, rtol=0)


def test_turned_weights_say_the_same_and_are_saved_as_ever(tmp_path: Path) -> None:
    model, turned = tiny("llama"), tiny("llama")
    turn_weights(body_of(turned))
    assert turned.model.layers[0].mlp.up_proj.weight.T.is_contiguous()
    assert not model.model.layers[0].mlp.up_proj.weight.T.is_contiguous()
    with torch.inference_mode():
        torch.testing.assert_close(read(body_of(turned), input_ids=IDS), read(body_of(model), input_ids=IDS))
    turned.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("layers", [1, 2, 4, 8, 30])
def test_low_depths_lie_between_the_first_layer_and_the_middle(layers: int) -> None:
    body: Any = nn.Module()
    body.config = CONFIGS["llama"]()
    body.config.num_hidden_layers = layers
    assert all(1 <= depth <= max(1, layers / 2) for depth in low_depths(body))


@pytest.mark.parametrize(("share", "kept"), [(1, [0, 1, 2, 3]), (0.5, [2, 3]), (0.01, [3])])
def test_the_linear_maps_of_the_upper_layers(family_model: Any, share: float, kept: list[int]) -> None:
    names, count = linear_layers(family_model, share)
    modules = dict(family_model.named_modules())
    assert count == len(kept)
    assert {int(part) for name in names for part in name.split(".") if part.isdigit()} == set(kept)
    assert len(names) == len(set(names)) >= 4 * len(kept)
    assert all(modules[name].weight.ndim == 2 for name in names)
    assert not any("head" in name for name in names)


def test_peft_trains_these_and_no_others(family_model: Any) -> None:
    model = with_lora(tiny(family_model.config.model_type.removesuffix("_text")))
    trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert trained
    assert all("lora_" in name and any(f".{layer}." in name for layer in (2, 3)) for name in trained)


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3", "mistral"])
@pytest.mark.parametrize("depth", [1, 3])
def test_the_two_parts_give_what_the_whole_gives(family: str, depth: int) -> None:
    body: Any = body_of(tiny(family))
    assert can_split(body)
    with torch.inference_mode():
        lower, upper = split(body, depth)
        below = lower(input_ids=IDS, output_hidden_states=True, use_cache=False)
        middle = below.last_hidden_state
        whole = body(input_ids=IDS, output_hidden_states=True, use_cache=False)
        for state, expected in zip([*below.hidden_states[:-1], middle], whole.hidden_states, strict=False):
            torch.testing.assert_close(state, expected)
        assert (len(below.hidden_states), len(whole.hidden_states)) == (depth + 1, 5)
        torch.testing.assert_close(read(upper, inputs_embeds=middle), whole.last_hidden_state)
        torch.testing.assert_close(read(body, input_ids=IDS), whole.last_hidden_state)  # left as it was
    assert body.config.num_hidden_layers == len(body.layers) == 4


def test_layers_of_several_kinds_keep_their_kind() -> None:
    kinds = ["full_attention", "full_attention", "full_attention", "sliding_attention"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = Qwen2Config(**SIZES, use_sliding_window=True, sliding_window=4, layer_types=kinds)
        body = body_of(Qwen2ForCausalLM(config).eval())
    with torch.inference_mode():
        lower, upper = split(body, 2)
        middle = read(lower, input_ids=IDS)
        whole = read(body, input_ids=IDS)
        torch.testing.assert_close(read(upper, inputs_embeds=middle), whole)


def test_the_parts_share_the_weights() -> None:
    model = with_lora(tiny("llama"))
    _, upper = split(body_of(model), 2)
    read(upper, inputs_embeds=torch.ones(1, 3, 32)).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters() if parameter.requires_grad)


@pytest.mark.parametrize("family", ["gpt2", "gemma3"])
def test_other_families_are_not_split(family: str) -> None:
    assert not can_split(body_of(tiny(family)))


@pytest.mark.parametrize("kind", ["bias", "softcap"])
def test_heads_with_a_bias_or_a_cap(kind: str) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if kind == "bias":
            model: Any = PhiForCausalLM(PhiConfig(**SIZES)).eval()
            nn.init.normal_(model.lm_head.bias)
        else:
            config = CONFIGS["gemma3"]()
            config.final_logit_softcapping = 2.0
            model = Gemma3ForCausalLM(config).eval()
    tokens = torch.tensor([7, 300, 7])
    with torch.inference_mode():
        hidden = read(body_of(model), input_ids=IDS)[0, :3]  # (3, H)
        logits = model(input_ids=IDS).logits[0, :3]  # (3, vocabulary)
        torch.testing.assert_close(plain_logits(Head(model), hidden, tokens), logits[:, tokens])
        torch.testing.assert_close(Head(model).one_to_one(hidden, tokens), logits[torch.arange(3), tokens])


def test_the_weights_of_lora_are_not_turned() -> None:
    model = with_lora(tiny("llama"))
    turn_weights(body_of(model))
    maps = {name: module.weight for name, module in body_of(model).named_modules() if type(module) is nn.Linear}
    turned = {name for name, weight in maps.items() if not weight.is_contiguous()}
    assert turned == {name for name in maps if ".lora_" not in name}
    assert set(maps) - turned
