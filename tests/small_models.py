"""Tiny random models of several families, and the plain way to score a title, to compare with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
)

from gpr.lm.body import linear_layers, quiet_peft

SIZES = {
    "vocab_size": 320,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "initializer_range": 0.2,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
}
CONFIGS: dict[str, Callable[[], Any]] = {
    "llama": lambda: LlamaConfig(**SIZES),
    "qwen2": lambda: Qwen2Config(**SIZES, tie_word_embeddings=True),
    "qwen3": lambda: Qwen3Config(**SIZES, head_dim=8),
    "mistral": lambda: MistralConfig(**SIZES, sliding_window=8),
    "gpt2": lambda: GPT2Config(**SIZES),
    "gemma3": lambda: Gemma3TextConfig(
        **SIZES,
        head_dim=8,
        sliding_window=8,
        layer_types=["sliding_attention", "full_attention"] * 2,
    ),
}


def tiny(family: str) -> Any:
    """A random causal LM of 4 layers and width 32, the same each time, in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return AutoModelForCausalLM.from_config(CONFIGS[family]()).eval()


def with_lora(model: Any, share: float = 0.5) -> Any:
    """Random LoRA, not zero as a new one is, in the upper share of the layers."""
    names, _ = linear_layers(model, share)
    with quiet_peft(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return get_peft_model(model, LoraConfig(r=2, target_modules=names, init_lora_weights=False)).eval()


@torch.inference_mode()
def plain_log_probs(model: Any, prompt: Sequence[int], titles: Sequence[Sequence[int]]) -> Tensor:
    """(N,) each title through the whole model, and at each place where titles part a softmax over what may follow."""
    found = []
    for title in titles:
        logits = model(input_ids=torch.tensor([[*prompt, *title]])).logits[0].double()  # (T, vocabulary)
        total = torch.zeros((), dtype=torch.float64)
        for at, token in enumerate(title):
            choices = sorted({other[at] for other in titles if tuple(other[:at]) == tuple(title[:at])})
            total += logits[len(prompt) - 1 + at, choices].log_softmax(0)[choices.index(token)]
        found.append(total)
    return torch.stack(found)
