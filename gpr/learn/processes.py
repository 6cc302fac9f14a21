"""One run on several processes (`accelerate launch -m gpr train ...`): who is the first, who takes which part, and what
is gathered. In a single process all of it is nothing. It knows no losses."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

T = TypeVar("T")
PATIENCE = timedelta(days=7)
"""That a process waits for another: the first one may wait for its turn on the device."""


def rank() -> int:
    """The number of this process; the first, 0, writes what is kept."""
    return int(os.environ.get("RANK", "0"))


def world() -> int:
    """How many processes work on this run."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def device() -> str | None:
    """The GPU of this process where each has one of its own; None leaves the choice."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if world() > 1 and torch.cuda.is_available() else None


def join(device: torch.device) -> None:
    """Meets the other processes."""
    if world() > 1 and not distributed.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(device)  # objects travel through the current one
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)


def from_first(value: T) -> T:
    """What the first process has, in all of them."""
    if world() == 1:
        return value
    box: list[Any] = [value]
    distributed.broadcast_object_list(box, src=0)
    found: T = box[0]
    return found


def gathered(value: T) -> list[T]:
    """What each process has, in the order of their numbers, in all of them."""
    if world() == 1:
        return [value]
    found: list[Any] = [None] * world()
    distributed.all_gather_object(found, value)
    return found


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Each gradient becomes the mean of those of all processes."""
    slopes = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if world() > 1 and slopes:
        together = nn.utils.parameters_to_vector(slopes)
        distributed.all_reduce(together)
        nn.utils.vector_to_parameters(together / world(), slopes)


def rows_of_all(own: Tensor, counts: list[int]) -> Tensor:
    """(K, F) of each process -> all of their rows, (sum of counts, F), with the gradient back to whose they are.

    Args:
        counts: rows that count of each process; `own` has at least as many.
    """
    if world() == 1:
        return own
    most = max(counts)
    padded = own if len(own) >= most else torch.cat([own, own.new_zeros(most - len(own), own.shape[1])])
    every = _Gather.apply(padded[:most].contiguous())  # (world, most, F)
    return torch.cat([part[:count] for part, count in zip(every, counts, strict=True)])


class _Gather(torch.autograd.Function):
    """All-gather whose backward sums what every process wants of a row and gives it to the one that has it."""

    @staticmethod
    def forward(context: Any, own: Tensor) -> Tensor:
        parts = [torch.empty_like(own) for _ in range(world())]
        distributed.all_gather(parts, own)
        return torch.stack(parts)

    @staticmethod
    def backward(context: Any, *slopes: Tensor) -> Tensor:
        slope = slopes[0].contiguous()
        distributed.all_reduce(slope)
        return slope[rank()]
