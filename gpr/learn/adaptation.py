"""A base model gets used to the words of a catalogue before it is fine-tuned: it reads the items' texts and learns to
say what comes next, with LoRA weights of its own that then become part of the base. In the end both are one adapter.

    adaptation/    log, checks and checkpoints as those of a run; adapter.safetensors until the run is done; done.json
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import set_seed

from gpr.data.dataset import Dataset
from gpr.data.text import item_text
from gpr.files import written_whole
from gpr.learn import processes
from gpr.learn.checkpoint import Checkpoints, weights_of
from gpr.learn.lora import add_lora, merged, take_off
from gpr.learn.options import Options
from gpr.learn.run_folder import ADAPTATION, Progress, RunFolder
from gpr.learn.schedule import Clock
from gpr.learn.text_loop import Course, TextLoop, blocks_of, tokens_of
from gpr.lm.base import Base

WEIGHTS = "adapter.safetensors"
CONTEXT, SHORTEST = 256, 16
"""Tokens of a block, and the fewest, for a small catalogue."""
BLOCKS = 32
"""At least so many of them, if they need not be too short for it."""
SHARE = 0.3
"""Of the time that is left, at most."""
PHASE = "reading the catalogue's text"


@dataclass(frozen=True)
class Adapted:
    """A base model after that stage."""

    base: Base
    below: dict[str, Tensor] | None
    """The LoRA weights that are in it now."""
    seconds: float
    """Of the stage, if it was only planned."""


def adapt(
    dataset: Dataset,
    base: Base,
    options: Options,
    folder: RunFolder,
    progress: Progress,
    clock: Clock,
    stop: Callable[[], bool],
    only_plan: bool,
) -> Adapted:
    """The base as it is where nobody asked for the stage; else the stage, or the rest of it, or what it has left.

    The first of several processes does it for all.

    Raises:
        DataError: there is too little text. RunError, ModelError, WorkspaceError.
    """
    if not options.adapt:
        return Adapted(base, None, 0.0)
    model, stage = add_lora(base, options)[0], RunFolder(folder.path / ADAPTATION)
    seconds = 0.0
    if processes.rank() == 0 and not stage.done:
        stage.path.mkdir(exist_ok=True)
        seconds = _read(dataset, base, model, options, stage, progress, clock, stop, only_plan)
    weights = processes.from_first(
        weights_of(model) if only_plan or processes.rank() else load_file(stage.path / WEIGHTS)
    )
    found = replace(base, model=merged(model, weights))
    set_seed(options.seed)
    return Adapted(found, weights, seconds)


def _read(
    dataset: Dataset,
    base: Base,
    model: Any,
    options: Options,
    stage: RunFolder,
    progress: Progress,
    clock: Clock,
    stop: Callable[[], bool],
    only_plan: bool,
) -> float:
    """Writes the weights, and `done.json` last; the seconds that were foreseen."""
    texts = texts_of(dataset, options)
    tokens = len(tokens_of(base.tokenizer, texts))
    context = max(SHORTEST, min(CONTEXT, options.batch_tokens, tokens // BLOCKS - 1))
    train, held_out = blocks_of(base.tokenizer, texts, context, "Leave --adapt away: there is too little to read.")
    batch, rate = max(1, options.batch_tokens // context), options.learning_rate
    course = Course(batch, rate, options.adapt, options.adapt, options.seed, "Allow more minutes, or no --adapt.")
    loop = TextLoop(model, train, held_out, course, stage, lambda figures: _tell(progress, loop, figures))
    foreseen, kept = 0.0, Checkpoints(stage).last()
    if kept:
        loop.put(kept)
    else:
        progress.update(phase="measuring speed")
        foreseen = loop.plan(SHARE * clock.left())
        if only_plan:
            return foreseen
        stage.write("config.json", stage.read("config.json") | {"before": loop.held_out_loss()})
        loop.save()
    progress.update(phase=PHASE)
    loop.run(stop)
    _keep(model, loop, stage)
    return foreseen


def _tell(progress: Progress, loop: TextLoop, figures: dict[str, Any]) -> None:
    now = {name: value for name, value in figures.items() if name not in ("step", "slowed")}  # the run has its own
    progress.update(**now, share=round(loop.step / loop.steps, 3), peak_memory_gb=figures["memory_gb"])


def _keep(model: Any, loop: TextLoop, stage: RunFolder) -> None:
    """What was learned, unless it is worse on the held-out text than nothing."""
    before, after = stage.read("config.json")["before"], loop.held_out_loss()
    if after >= before:
        take_off(model)
    with written_whole(stage.path / WEIGHTS) as partial:
        save_file({name: weight.contiguous() for name, weight in weights_of(model).items()}, partial)
    figures = {"before": round(math.exp(before), 2), "after": round(math.exp(after), 2), "steps": loop.step}
    stage.write("done.json", figures | {"kept": after < before})
    Checkpoints(stage).remove()


def texts_of(dataset: Dataset, options: Options) -> list[str]:
    """What is read: the items' texts, or for a task, whose items are labels, the training texts."""
    if options.task == "recommend":
        return [item_text(dataset.catalogue, number) for number in range(len(dataset.catalogue))]
    return list(dict.fromkeys(example.request.query for example in dataset.examples["train"]))


def forget_weights(folder: RunFolder) -> None:
    """They are in the run's adapter now."""
    (folder.path / ADAPTATION / WEIGHTS).unlink(missing_ok=True)
