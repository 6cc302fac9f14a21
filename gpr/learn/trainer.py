"""The Trainer's side of a run: how many steps, the loop with its log, and the ways it ends. It knows no data sets."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments, get_linear_schedule_with_warmup

from gpr.errors import RunError
from gpr.learn.joint import JointModel
from gpr.learn.options import Options
from gpr.learn.rows import Row, plan_batches, steps_of_epochs
from gpr.learn.run_folder import Progress, RunFolder

LOSS_WEIGHTS = (0.3, 1.0)
"""Of the trie loss (a sum over a title's branches) and of the two-tower loss."""
MATCH_RATE = 0.1
"""Learning rate of the maps of `match`, relative to that of LoRA: they start from a whitening that is already good."""
TARGETS = 3_000
"""Targets that a run shows by default; decides the epochs."""
MOST_EPOCHS = 6


@dataclass(frozen=True)
class Clock:
    """How much time a run has.

    Args:
        started: `time.monotonic()` when the command began. minutes: for all of it, None without a limit.
    """

    started: float
    minutes: float | None

    def left(self) -> float:
        """Seconds; infinite without a limit."""
        return math.inf if self.minutes is None else self.started + 60 * self.minutes - time.monotonic()


def plan_steps(joint: JointModel, rows: list[Row], options: Options, seconds: float, check: Callable[[], None]) -> int:
    """How many steps: the epochs asked for (or the default), bounded by what `seconds` allow at measured speed."""
    targets = sum(len(row.items) for row in rows)
    epochs = options.epochs or max(1, min(MOST_EPOCHS, round(TARGETS / targets)))
    steps = steps_of_epochs(rows, epochs, options.batch_tokens, options.seed)
    if math.isinf(seconds):
        return steps
    joint.train()
    start, times = time.monotonic(), []
    for batch in plan_batches(rows, 4, options.batch_tokens, options.seed):
        check()
        before = time.monotonic()
        joint(batch, [rows[number] for number in batch])["loss"].backward()
        joint.zero_grad()
        times.append(time.monotonic() - before)
    room = seconds - (time.monotonic() - start)
    return max(1, min(steps, int(room / (1.05 * float(np.mean(times[1:]))))))


class _Watch(TrainerCallback):
    """Logs each step, keeps the time left, and ends the training when it is told to or time is up."""

    def __init__(
        self, joint: JointModel, folder: RunFolder, progress: Progress, seconds: float, stop: Callable[[], bool]
    ) -> None:
        self._joint, self._folder, self._progress, self._stop = joint, folder, progress, stop
        self._started = time.monotonic()
        self._seconds = seconds
        self.stopped = False

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        step, spent = state.global_step, time.monotonic() - self._started
        parts = self._joint.parts
        if not all(math.isfinite(value) for value in parts.values()):
            raise RunError("The loss is no longer a number.", hint="Use a smaller learning rate.")
        loss = sum(weight * value for weight, value in zip(LOSS_WEIGHTS, parts.values(), strict=True))
        figures = {"loss": loss, **parts}
        entry = {name: round(value, 4) for name, value in figures.items()}
        self._folder.add_log({"step": step, **entry, "seconds": round(spent, 1)})
        left = spent / step * (state.max_steps - step)
        self._progress.update(step=step, steps=state.max_steps, seconds_left=round(left, 1), loss=entry["loss"])
        self.stopped = self._stop()
        if self.stopped or spent + spent / step > self._seconds:
            control.should_training_stop = True


def run_trainer(
    joint: JointModel,
    rows: list[Row],
    steps: int,
    options: Options,
    folder: RunFolder,
    progress: Progress,
    stop: Callable[[], bool],
    seconds: float = math.inf,
) -> bool:
    """Runs the Trainer; returns whether the user stopped it."""
    plan = plan_batches(rows, steps, options.batch_tokens, options.seed)
    maps = {id(parameter) for parameter in joint.match.parameters()}
    lora = [p for p in joint.parameters() if p.requires_grad and id(p) not in maps]
    rate = options.learning_rate
    groups = [{"params": lora, "lr": rate}, {"params": list(joint.match.parameters()), "lr": MATCH_RATE * rate}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    watch = _Watch(joint, folder, progress, seconds, stop)
    arguments = TrainingArguments(
        output_dir=str(folder.path / "checkpoints"),
        max_steps=steps,
        per_device_train_batch_size=1,
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        seed=options.seed,
        data_seed=options.seed,
        use_cpu=joint.device.type == "cpu",
        bf16=joint.device.type == "cuda" and torch.cuda.is_bf16_supported(),
        dataloader_pin_memory=False,
    )
    trainer = _InOrder(
        model=joint,
        args=arguments,
        train_dataset=plan,
        data_collator=lambda batch: {"numbers": batch[0], "rows": [rows[number] for number in batch[0]]},
        callbacks=[watch],
        optimizers=(optimizer, get_linear_schedule_with_warmup(optimizer, max(1, steps // 10), steps)),
    )
    trainer.remove_callback(PrinterCallback)
    progress.update(phase="training", steps=steps)
    trainer.train()
    return watch.stopped


class _InOrder(Trainer):
    """The batches are planned: the Trainer takes them as they come."""

    def _get_train_sampler(self, *args: Any, **kwargs: Any) -> torch.utils.data.Sampler[int]:
        return torch.utils.data.SequentialSampler(self.train_dataset)
