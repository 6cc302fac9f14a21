"""What a run will need, told before its first step: time, memory, disk; and the refusal of one that would not fit. It
knows a schedule and a model that has just been timed."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil
import torch

from gpr.errors import RunError
from gpr.learn.joint import JointModel
from gpr.learn.needs import Estimate
from gpr.learn.rows import Row
from gpr.lm.layers import KEPT_BYTES

COPIES = 3
"""Of what is trained, while an optimizer works on it: the gradient and two moments."""
STATES = 3
"""Hidden states that are kept of every token below the trained layers."""
GB = 2**30


def estimate(joint: JointModel, rows: list[Row], seconds: float, read: int) -> Estimate:
    """Args: seconds: of the whole run, spent and foreseen. read: tokens of training rows in all steps."""
    trained = sum(p.nbytes for p in joint.parameters() if p.requires_grad)
    maps = sum(p.nbytes for p in joint.match.parameters())
    checkpoint = 3 * trained + maps + joint.memory.nbytes
    return Estimate(
        seconds,
        (peak_memory(joint.device) + COPIES * trained + checkpoint + _to_be_kept(joint, rows, read)) / GB,
        (2 * checkpoint + trained) / GB,  # the last one, the next beside it, and the best
    )


def _to_be_kept(joint: JointModel, rows: list[Row], read: int) -> float:
    """Bytes that the frozen layers' output for the training rows will take, if it is kept."""
    config = joint.model.config
    tokens = min(read, sum(len(row.ids) for row in rows))
    wanted = STATES * tokens * config.hidden_size * next(joint.model.parameters()).element_size()
    return min(float(wanted), float(KEPT_BYTES)) if joint.keeps_lower_layers else 0.0


def peak_memory(device: torch.device) -> int:
    """Bytes: on the GPU where the model is on one, else of this process now."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return int(psutil.Process().memory_info().rss)


def refuse_what_does_not_fit(needed: Estimate, folder: Path, device: torch.device, advice: str) -> None:
    """Args: advice: what would take less memory.

    Raises:
        RunError: there is not enough memory or disk.
    """
    if device.type == "cuda":
        room = torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    else:
        room = psutil.virtual_memory().available + psutil.Process().memory_info().rss
    if needed.memory_gb * GB > room:
        raise RunError(
            f"This run needs about {needed.memory_gb:.1f} GB of memory, and {room / GB:.1f} GB are free.",
            hint=advice,
        )
    free = shutil.disk_usage(folder).free
    if needed.disk_gb * GB > free:
        raise RunError(
            f"This run needs about {needed.disk_gb:.2f} GB of disk, and {free / GB:.2f} GB are free.",
            where=str(folder),
            hint="Free some space, use a smaller --rank, or put the workspace on another disk.",
        )
