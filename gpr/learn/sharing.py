"""The weights of a base model shared out among the processes of a run, for a model that does not fit one device
(`accelerate launch --use_fsdp -m gpr train ...`).

Each process keeps its part of every layer, and has a layer whole only while it reads with it (FSDP2; Zhao et al. 2023,
arXiv:2304.11277). What is read by single rows, the embeddings and the head, and what learns, LoRA and the maps of
`match`, stay whole in each. So all processes must read the same number of times, or wait for the others (`apart`). It
knows no losses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from gpr.errors import RunError
from gpr.learn import processes
from gpr.learn.options import FOUR_BIT, Options
from gpr.learn.run_folder import Progress
from gpr.lm.base import Base, choose_device
from gpr.lm.body import body_of, layers_of

OTHERS = ("DEEPSPEED", "MEGATRON_LM", "PARALLELISM_CONFIG")
"""What `accelerate launch` calls the other ways in which no process has all of the model's weights."""


def wanted() -> bool:
    """Whether the launch asked for it."""
    return processes.world() > 1 and _asked("FSDP")


def read_now(missing: bool) -> bool:
    """Whether frozen layers are to read now: if this process has something to read with them, or where the weights are
    shared out, if any has."""
    return any(processes.gathered(missing)) if wanted() else missing


@contextmanager
def apart(model: Any) -> Iterator[None]:
    """What each process reads by itself inside, as much or as little as it likes. Where the weights are shared out, all
    take part in every pass: one that has read all of its own reads a blank with those that have not."""
    if not wanted():
        yield
        return
    body = body_of(model)
    before = body.register_forward_pre_hook(lambda *_: _any_reads(True))
    try:
        yield
    finally:
        before.remove()
    blank = torch.zeros(1, 1, dtype=torch.long, device=model.get_input_embeddings().weight.device)
    with torch.inference_mode():
        while _any_reads(False):
            body(input_ids=blank, use_cache=False)


def _any_reads(own: bool) -> bool | None:
    """Whether any process has something of its own to read in the next pass; None where this one has, as a hook gives
    that changes nothing."""
    found = any(processes.gathered(own))
    return None if own else found


def refuse_others() -> None:
    """Raises: RunError: the weights were to be shared out in another way."""
    if asked := [way for way in OTHERS if _asked(way)]:
        raise RunError(
            f"The weights of the base model cannot be shared out among processes with {asked[0]}.",
            hint="Launch with --use_fsdp, or as --multi_gpu where the model fits each device.",
        )


def _asked(way: str) -> bool:
    return os.environ.get(f"ACCELERATE_USE_{way}", "").lower() in ("1", "true")


def shared_base(options: Options, load: Callable[[str], Base], progress: Progress) -> Base:
    """The base model, of which this process keeps its part; it is whole in memory first, and never on a GPU.

    Args:
        load: gives the base model on a device.

    Raises:
        RunError: the options need all of the weights at once. ModelError.
    """
    if options.adapt or options.precision == FOUR_BIT:
        raise RunError(
            "Neither 4-bit weights nor a model that reads the catalogue's text before can be shared among processes.",
            hint="Leave --adapt and 4bit away.",
        )
    base, (device, usual) = load("cpu"), choose_device(processes.device())
    processes.join(device)
    dtype = usual if options.precision == "auto" else base.dtype
    model = base.model.to(dtype).requires_grad_(False)
    mesh = init_device_mesh(device.type, (processes.world(),))
    for layer in layers_of(model):
        fully_shard(layer, mesh=mesh, reshard_after_forward=True)
    progress.update(weights_among=processes.world())
    return replace(base, model=model.to(device), device=device, dtype=dtype)
