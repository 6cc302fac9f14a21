"""Free continuation of a prompt, token by token: several at once, greedy or sampled. It sees token ids only.

Without temperature it is deterministic: the continuations begin with the likeliest different tokens, and each goes on
with the likeliest one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from gpr.lm.body import Head
from gpr.lm.sampling import Sampling


@torch.inference_mode()
def continuations(
    body: Any, head: Head, prompt: Sequence[int], ends: Sequence[int], sampling: Sampling
) -> Iterator[tuple[list[list[int]], list[bool]]]:
    """After each step, what has been written, without the token that ends it, and which of them have ended.

    Args:
        body, head: of a causal LM in eval mode. ends: tokens after which nothing more is written; none begins a text.
    """
    device = head.weight.device
    chance = torch.Generator(device="cpu").manual_seed(sampling.seed)
    cache = DynamicCache()
    ids = torch.tensor([list(prompt)], device=device)
    last = body(input_ids=ids, past_key_values=cache, use_cache=True).last_hidden_state[:, -1]  # (1, H)
    logits = head.everything(last)  # (1, V)
    logits[:, list(ends)] = -torch.inf
    chosen = _first(logits[0], sampling, chance)  # (number,)
    cache.batch_repeat_interleave(len(chosen))
    written: list[list[int]] = [[] for _ in chosen]
    ended = [False] * len(chosen)
    for step in range(sampling.length):
        for row, token in enumerate(chosen.tolist()):
            ended[row] = ended[row] or token in ends
            if not ended[row]:
                written[row].append(token)
        yield [list(tokens) for tokens in written], list(ended)
        if all(ended) or step == sampling.length - 1:
            return
        out = body(input_ids=chosen[:, None].to(device), past_key_values=cache, use_cache=True)
        chosen = _next(head.everything(out.last_hidden_state[:, -1]), sampling, chance)


def _first(logits: Tensor, sampling: Sampling, chance: torch.Generator) -> Tensor:
    """The tokens to begin with: (V,) -> (number,), all different unless sampled."""
    number = min(sampling.number, len(logits))
    if sampling.temperature == 0:
        return logits.topk(number).indices.cpu()
    return _next(logits.expand(number, -1), sampling, chance)


def _next(logits: Tensor, sampling: Sampling, chance: torch.Generator) -> Tensor:
    """(B, V) -> (B,)."""
    if sampling.temperature == 0:
        return logits.argmax(-1).cpu()
    chances = torch.softmax(logits.float().cpu() / sampling.temperature, -1)
    return torch.multinomial(chances, 1, generator=chance)[:, 0]
