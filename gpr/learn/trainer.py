"""The loop of a run: steps, their log, checks on validation, checkpoints, and the ways in which it ends. It knows
planned rows and a model with a loss; no data sets."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from transformers import get_linear_schedule_with_warmup

from gpr.errors import RunError
from gpr.learn import processes
from gpr.learn.checkpoint import Best, Checkpoints, put_random_state, put_weights, random_state, weights_of
from gpr.learn.estimate import peak_memory
from gpr.learn.joint import JointModel
from gpr.learn.options import Options
from gpr.learn.pace import Pace, looks_between
from gpr.learn.rows import Row, plan_batches
from gpr.learn.run_folder import Progress, RunFolder
from gpr.learn.schedule import Schedule
from gpr.learn.validation import Found

LOSS_WEIGHTS = {"generate": 0.3, "title": 0.0, "match": 1.0, "head": 0.0}
"""Of the trie loss (a sum over a title's branches), of the titles' likelihood (a sum over their tokens), of the
two-tower loss, and of the head's."""
LABEL_WEIGHTS = {"generate": 0.3, "title": 0.0, "match": 0.3, "head": 1.0}
"""The same where the items are labels."""
HEAD_RATE = 3.0
"""Learning rate of the head, relative to that of LoRA: it starts from nothing."""
MATCH_RATE = 0.1
"""Learning rate of the maps of `match`, relative to that of LoRA: they start from a whitening that is already good."""
WORSE = 0.02
"""A validation loss that is so much above the best is worse; less is noise."""
CLIP = 1.0
"""Bound on the norm of the gradient."""


@dataclass(frozen=True)
class Outcome:
    """How the loop ended."""

    stopped: bool
    """By the user."""
    note: str
    """What else the user should know, in words."""
    step: int
    """Whose weights were kept."""


class Loop:
    """Trains a model as its schedule says.

    Args:
        start: the maps of `match` before training; they go into the checkpoints. stop: asked after each step.
        validate: figures of the model as it is, on the sample of a check.
    """

    def __init__(
        self,
        joint: JointModel,
        rows: list[Row],
        schedule: Schedule,
        options: Options,
        folder: RunFolder,
        progress: Progress,
        stop: Callable[[], bool],
        validate: Callable[[], Found],
    ) -> None:
        self._joint, self._rows, self._schedule, self._options = joint, rows, schedule, options
        self._folder, self._progress, self._stop, self._validate = folder, progress, stop, validate
        self._plan = plan_batches(rows, schedule.steps * options.accumulation, options.batch_tokens, options.seed)
        self._half = joint.device.type == "cuda" and torch.cuda.is_bf16_supported()
        put_weights(joint, processes.from_first(weights_of(joint)))
        self._optimizer = make_optimizer(joint, options)
        warm_up = max(1, round(options.warm_up * schedule.steps))
        self._rates = get_linear_schedule_with_warmup(self._optimizer, warm_up, schedule.steps)
        self._checkpoints = Checkpoints(folder)
        self._best: Best | None = None
        self._worse = self._step = 0
        self._pace = Pace(schedule.step, schedule.ending)
        self._before = self._logged = 0.0
        """Seconds of training in processes before this one; and in all of them when a step was last logged."""
        self._began = time.monotonic()

    def run(self, start: dict[str, torch.Tensor], kept: dict[str, Any] | None, *, look_first: bool = False) -> Outcome:
        """All steps, or those behind a checkpoint; leaves the best weights in the model.

        Args:
            look_first: the weights before the first step are checked too, and may be the best.

        Raises:
            RunError: the loss is no number from the first step on. WorkspaceError: the disk refused.
        """
        self._start = start
        if kept:
            self._put(kept)
            self._progress.go_on(kept["worked"])
        else:
            self._save()
        self._progress.update(phase="training", step=self._step, steps=self._schedule.steps)
        if look_first and not kept and self._schedule.check_every:
            self._check()
        self._joint.train()
        self._began = time.monotonic()
        stopped, note = False, ""
        while self._step < self._schedule.steps and not note and not stopped:
            if not self._one_step():
                note = f"The loss was no longer a number at step {self._step + 1}: stopped before it."
                break
            if self._check_is_due():
                note = self._check()
            stopped = processes.from_first(self._stop())
            if not stopped and not note and self._checkpoints.due():
                self._save()
            if processes.from_first(self._out_of_time()):
                break
        self._save()
        back = self._go_back()
        return Outcome(stopped, back or note, self._best.step if back and self._best else self._step)

    @property
    def _spent(self) -> float:
        return self._before + time.monotonic() - self._began

    def _one_step(self) -> bool:
        """Whether the loss was a number; the model is left as it was where not."""
        joint, several = self._joint, self._options.accumulation
        before = time.monotonic()
        parts: dict[str, float] = {}
        batches = self._plan[self._step * several : (self._step + 1) * several]
        for batch in batches:
            own = batch[processes.rank() :: processes.world()]
            numbers = own or batch[:1]
            with torch.autocast(joint.device.type, torch.bfloat16, enabled=self._half):
                loss = joint(numbers, [self._rows[number] for number in numbers], bool(own))["loss"]
            (loss / len(batches)).backward()
            parts = {name: parts.get(name, 0.0) + value / len(batches) for name, value in joint.parts.items()}
        trained = [parameter for parameter in joint.parameters() if parameter.requires_grad]
        processes.average_gradients(trained)
        norm = torch.nn.utils.clip_grad_norm_(trained, CLIP)
        if not (all(math.isfinite(value) for value in parts.values()) and math.isfinite(float(norm))):
            if self._step == 0:
                raise RunError("The loss is no longer a number.", hint="Use a smaller learning rate.")
            return False
        rate = self._rates.get_last_lr()[0]
        self._optimizer.step()
        self._rates.step()
        self._optimizer.zero_grad()
        self._step += 1
        targets = sum(len(self._rows[number].items) for batch in batches for number in batch)
        seconds = time.monotonic() - before
        self._pace.stepped(seconds)
        self._log(parts, rate, targets / max(seconds, 1e-6))
        return True

    def _log(self, parts: dict[str, float], rate: float, speed: float) -> None:
        step, spent = self._step, self._spent
        self._logged = spent
        loss = sum(self._joint.weights[name] * value for name, value in parts.items())
        losses = {name: round(value, 4) for name, value in {"loss": loss, **parts}.items()}
        memory = round(peak_memory(self._joint.device) / 2**30, 3)
        figures = {"rate": float(f"{rate:.3g}"), "examples_per_second": round(speed, 1), "memory_gb": memory}
        self._folder.add_log({"step": step, **losses, **figures, "seconds": round(spent, 1)})
        now = {"step": step, "seconds_left": round(self._left(spent), 1), "loss": losses["loss"], **figures}
        disk = round(self._checkpoints.gigabytes, 5)
        self._progress.update(**now, slowed=round(self._pace.slowed, 2), peak_memory_gb=memory, peak_disk_gb=disk)

    def _left(self, spent: float) -> float:
        """Seconds, at the speed of now, within the limit if there is one."""
        steps, every = self._schedule.steps, self._schedule.check_every
        left = self._pace.left(steps - self._step, looks_between(self._step, steps, every))
        limit = self._schedule.seconds
        return left if limit is None else min(left, max(0.0, limit - spent) + self._schedule.ending)

    def _check_is_due(self) -> bool:
        every = self._schedule.check_every
        return every > 0 and (self._step % every == 0 or self._step == self._schedule.steps)

    def _check(self) -> str:
        """Looks at validation; says in words why the run should end, or nothing."""
        self._joint.eval()
        found = self._validate()
        self._joint.train()
        spent = self._spent
        self._pace.looked(spent - self._logged)
        figures: dict[str, float] = {
            name: round(found.metrics[name], 4) for name in ("R@10", "NDCG@10") if name in found.metrics
        }
        entry = {"step": self._step, "valid_loss": round(found.loss, 4), **figures, "seconds": round(spent, 1)}
        self._folder.add_check(entry)
        if self._best is None or found.loss < self._best.loss:
            self._best, self._worse = Best(self._step, found.loss, weights_of(self._joint)), 0
            self._checkpoints.save_best(self._best)
            self._save()
        elif found.loss > self._best.loss + WORSE:
            self._worse += 1
        ends = 0 < self._options.patience <= self._worse
        return f"Validation got worse at {self._worse} checks: stopped." if ends else ""

    def _go_back(self) -> str:
        """To the best check, where the last one was worse."""
        checks, patience = self._folder.checks(), self._options.patience
        if not patience or self._best is None or not checks or checks[-1]["valid_loss"] <= self._best.loss + WORSE:
            return ""
        put_weights(self._joint, self._best.weights)
        if self._best.step == 0:
            return "Validation got worse: the weights from before stay."
        if self._worse >= patience:
            return f"Validation got worse at {self._worse} checks: stopped, kept step {self._best.step}."
        return f"Validation was best at step {self._best.step}: kept that."

    def _out_of_time(self) -> bool:
        spent, limit = self._spent, self._schedule.seconds
        return limit is not None and spent + spent / max(1, self._step) > limit

    def _save(self) -> None:
        if processes.rank():
            return
        self._checkpoints.save(
            {
                "step": self._step,
                "seconds": self._spent,
                "worse": self._worse,
                "start": self._start,
                "weights": weights_of(self._joint),
                "optimizer": self._optimizer.state_dict(),
                "rates": self._rates.state_dict(),
                "memory": self._joint.memory.cpu(),
                "random": random_state(self._joint),
            }
        )

    def _put(self, kept: dict[str, Any]) -> None:
        """Everything as it was when the checkpoint was written; what was logged later is forgotten."""
        self._step, self._before, self._worse = kept["step"], kept["seconds"], kept["worse"]
        self._pace.go_on(self._step, float(self._progress.state.get("slowed", 1.0)))
        put_weights(self._joint, kept["weights"])
        self._optimizer.load_state_dict(kept["optimizer"])
        self._rates.load_state_dict(kept["rates"])
        best = kept["best"]
        self._best = best if best and best.step <= self._step else None
        self._folder.forget_after(self._step)
        put_random_state(self._joint, kept["random"])


def loss_weights(options: Options) -> dict[str, float]:
    """Those asked for, or the default ones."""
    usual = LOSS_WEIGHTS if options.task == "recommend" else LABEL_WEIGHTS
    asked = {name: getattr(options, f"{name}_weight") for name in ("generate", "title", "match")}
    return usual | {name: weight for name, weight in asked.items() if weight is not None}


def make_optimizer(joint: JointModel, options: Options) -> torch.optim.Optimizer:
    """AdamW, with a smaller rate for the maps of `match` than for LoRA, and a larger one for the head."""
    rate, maps = options.learning_rate, list(joint.match.parameters())
    head = list(joint.head.parameters()) if joint.head else []
    others = {id(parameter) for parameter in maps + head}
    lora = [p for p in joint.parameters() if p.requires_grad and id(p) not in others]
    groups: list[dict[str, Any]] = [{"params": lora, "lr": rate}, {"params": maps, "lr": MATCH_RATE * rate}]
    if head:
        groups.append({"params": head, "lr": HEAD_RATE * rate, "weight_decay": 0.1})
    fused = joint.device.type == "cpu" or None  # a fifth of the time there; elsewhere as PyTorch chooses
    return torch.optim.AdamW(groups, weight_decay=0.01, fused=fused)
