"""Checkpoints: what a run needs to go on after its process has died, as if nothing had happened. It knows tensors and
files, not losses.

    checkpoints/last.pt    weights, optimizer, schedule, random numbers, step, seconds: rewritten as the run goes
    checkpoints/best.pt    the weights that did best on validation so far
"""

from __future__ import annotations

import json
import pickle
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from gpr.errors import RunError
from gpr.files import disk_error, written_whole
from gpr.learn.run_folder import RunFolder

if TYPE_CHECKING:
    from gpr.learn.joint import JointModel

EVERY = 60.0
"""Seconds between checkpoints at most."""
COST = 50
"""Checkpoints come so far apart that saving takes at most one part in so many of the time."""
FORMAT = 3
"""Of what a checkpoint holds: to be raised whenever that changes."""
Weights = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Best:
    """The best check so far."""

    step: int
    loss: float
    weights: Weights


class Checkpoints:
    """Writes and reads the checkpoints of one run."""

    def __init__(self, folder: RunFolder) -> None:
        self._run, self._folder = folder, folder.checkpoints
        self.gigabytes = 0.0
        """That the run's folder took at its largest, while a checkpoint was written beside the one before."""
        self._saved, self._cost = time.monotonic(), 0.0

    def due(self) -> bool:
        return time.monotonic() - self._saved >= min(EVERY, COST * self._cost)

    def save(self, content: dict[str, Any]) -> None:
        """Raises: WorkspaceError: the disk refused; the checkpoint before stays."""
        start = time.monotonic()
        self._write("last.pt", content | {"format": FORMAT, "worked": self._run.worked})
        self._saved = time.monotonic()
        self._cost = self._saved - start

    def save_best(self, best: Best) -> None:
        self._write("best.pt", {"step": best.step, "loss": best.loss, "weights": best.weights})

    def last(self) -> dict[str, Any] | None:
        """What `save` wrote, with the best check beside it.

        Raises:
            RunError: the checkpoint is damaged.
        """
        content, best = self._read("last.pt"), self._read("best.pt")
        if content and content.get("format") != FORMAT:
            raise RunError("The checkpoint is of another version of GPR.", hint="Start the run again with --overwrite.")
        return content and content | {"best": Best(**best) if best else None}

    def remove(self) -> None:
        """A run that is done needs none."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write(self, name: str, content: dict[str, Any]) -> None:
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise disk_error(error, self._folder) from error
        with written_whole(self._folder / name) as partial:
            try:
                torch.save(content, partial)
            except RuntimeError as error:  # torch's writer hides the refusal of the disk
                raise OSError(28 if "write failed" in str(error) else 5, str(error).splitlines()[0]) from error
            self.gigabytes = max(self.gigabytes, self._run.gigabytes)

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self._folder / name
        if not path.is_file():
            return None
        try:
            return dict(torch.load(path, map_location="cpu", weights_only=True))
        except (RuntimeError, ValueError, EOFError, OSError, pickle.UnpicklingError) as error:
            raise RunError(
                "The checkpoint is damaged.", where=str(path), hint="Start the run again with --overwrite."
            ) from error


def weights_of(model: nn.Module) -> Weights:
    """A copy of all that is trained."""
    return {name: p.detach().cpu().clone() for name, p in model.named_parameters() if p.requires_grad}


@torch.no_grad()
def put_weights(model: nn.Module, weights: Weights) -> None:
    """Raises: RunError: they are of another model."""
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if {name: p.shape for name, p in trained.items()} != {name: p.shape for name, p in weights.items()}:
        raise RunError("The checkpoint belongs to another base model or other settings.", hint="Start a new run.")
    for name, parameter in trained.items():
        parameter.copy_(weights[name])


def between(start: Weights, end: Weights, share: float) -> Weights:
    """A share of the way from some weights to others."""
    return {name: start[name].lerp(weight, share) for name, weight in end.items()}


def random_state(joint: JointModel) -> dict[str, Any]:
    """All random numbers that training draws from."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"torch": torch.get_rng_state(), "cuda": cuda, "numpy": json.dumps(joint.rng.bit_generator.state)}


def put_random_state(joint: JointModel, state: dict[str, Any]) -> None:
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
    joint.rng.bit_generator.state = json.loads(state["numpy"])
