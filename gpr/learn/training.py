"""Fine-tuning from a data set to an adapter: LoRA, the two losses, the pool's weights. It knows a run's folder,
not who started it."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

import numpy as np
import torch
from transformers import set_seed

from gpr.data.dataset import Dataset
from gpr.errors import RunError
from gpr.learn import processes, sharing
from gpr.learn.adaptation import adapt, forget_weights
from gpr.learn.checkpoint import Checkpoints
from gpr.learn.estimate import estimate, refuse_what_does_not_fit
from gpr.learn.histories import Plan, epochs_of, learn_histories
from gpr.learn.joint import JointModel
from gpr.learn.lora import add_lora
from gpr.learn.needs import Estimate
from gpr.learn.options import Options
from gpr.learn.rows import Row, training_rows
from gpr.learn.run_folder import Progress, RunFolder
from gpr.learn.schedule import Clock, Schedule, make_schedule, measure_speed
from gpr.learn.trainer import Loop, Outcome, loss_weights
from gpr.learn.validation import Found, Measure, Validation
from gpr.lm.base import Base, halves_products
from gpr.lm.prompts import Prompts
from gpr.scorers.adapter import save_adapter
from gpr.scorers.gpt import Gpt
from gpr.scorers.head import LabelHead, learn_head
from gpr.scorers.match import Match
from gpr.scorers.pool import OF_LABELS, Pool
from gpr.scorers.sequence import SequenceModel

KEPT_STEP = 0.5
WHITENING = (10_000, 500)
"""Tokens and requests of the training rows that whitening looks at, at most."""
LEAST = 5.0
"""Seconds that must be left before the first step."""
HEAD_FIRST, HEAD_SHARE = 64, 0.4
"""Rows that are timed, and the share of the time left that reading rows for the head may take."""
ENOUGH = 1.5
"""Times the time that reading the rest of the catalogue needs must be left, for there is more to do."""


class Stopped(RunError):
    """The user stopped the run before anything was learned."""


class OutOfMemory(RunError):
    """The memory of the device ran out; fewer tokens at once may do."""


@contextmanager
def told_in_words(options: Options) -> Iterator[None]:
    """What torch says when memory runs out, which differs with the device, as an error for the user.

    Raises:
        OutOfMemory: it ran out.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        said = str(error).lower()
        if not isinstance(error, MemoryError) and "out of memory" not in said and "t allocate memory" not in said:
            raise
        hint = f"Use --batch-tokens {options.smaller().batch_tokens}, a smaller --rank or a smaller base model."
        raise OutOfMemory(f"Memory ran out with {options.batch_tokens} tokens at once.", hint=hint) from error


def fine_tune(
    dataset: Dataset,
    base: Base,
    options: Options,
    folder: RunFolder,
    progress: Progress,
    clock: Clock,
    stop: Callable[[], bool],
    measure: Measure,
    only_estimate: Callable[[Estimate], None] | None = None,
) -> None:
    """Trains, chooses the pool's weights on the validation split, and writes `adapter/`, `metrics.json` and
    `done.json`.

    Args:
        stop: asked after each step; True ends the training and keeps what was learned.
        measure: (B, N) log-probabilities and the right items (B,) -> figures. only_estimate: told what the run would
        need, which then ends.

    Raises:
        Stopped, RunError, ModelError, WorkspaceError.
    """
    processes.join(base.device)
    set_seed(options.seed)
    prompts = Prompts(base.tokenizer, dataset.catalogue, options.window)
    rows = training_rows(dataset, prompts, options.seed)
    if not rows:
        raise RunError(
            "There is nothing to learn from: all that is known of the items is held out.", where=dataset.name
        )
    adapted = adapt(dataset, base, options, folder, progress, clock, stop, only_estimate is not None)
    check = _Check(lambda: stop() and not options.adapt, progress, clock, dataset.name)  # adapted, it has learned
    model, layers = add_lora(adapted.base, options)
    source = RunFolder(processes.from_first(folder.path))
    kept = Checkpoints(source).last()
    progress.update(phase="going on from the checkpoint" if kept else "reading the items")
    match = Match(model.config.hidden_size).to(base.device)
    memory = kept["memory"] if kept else None
    mixed = halves_products(base, options.precision)
    joint = JointModel(model, prompts, match, layers, loss_weights(options), check.reading, memory, mixed)
    if kept:
        schedule = Schedule(**source.read("config.json")["schedule"])
    else:
        progress.update(phase="preparing match")
        check()
        whiten(joint, rows, options.seed)
        progress.update(phase="measuring speed")
        speed = measure_speed(joint, rows, prompts, dataset, options, clock.left(), check)
        schedule = processes.from_first(make_schedule(rows, dataset, options, speed, clock))
        needed = foresee(joint, rows, schedule, options, folder, progress, adapted.seconds)
        if only_estimate:
            only_estimate(needed)
            return
    start = kept["start"] if kept else copy.deepcopy(joint.match.state_dict())
    near = None if options.task == "recommend" else Pool.same(**OF_LABELS)
    validation = Validation(dataset, measure, near)
    look = lambda: validation.of(_gpt(joint, prompts, joint.memory), schedule.sample)  # noqa: E731
    outcome = Loop(joint, rows, schedule, options, folder, progress, stop, look).run(start, kept)
    gpt = _learned(joint, prompts, start, rows, options, clock, progress)
    sequence = _histories(gpt, dataset, schedule, options, progress, stop)
    progress.update(phase="choosing the weights of the scorers")
    found = validation.at_the_end(gpt, sequence, schedule.requests)
    progress.update(phase="saving")
    save_adapter(folder.adapter, gpt, model, found.pool, sequence, adapted.below)
    finish(found, outcome, folder, progress)
    forget_weights(folder)


def _learned(
    joint: JointModel,
    prompts: Prompts,
    start: dict[str, torch.Tensor],
    rows: list[Row],
    options: Options,
    clock: Clock,
    progress: Progress,
) -> Gpt:
    """The model half of the way from the start to what was learned, with the items as it reads them then."""
    progress.update(phase="reading the items again", heard=True)  # all is kept anyway
    joint.eval()
    go_halfway(joint, start)
    features = joint.item_features()
    return _gpt(joint, prompts, features, _head(joint, rows, options, clock.left()))


def _gpt(joint: JointModel, prompts: Prompts, features: torch.Tensor, head: LabelHead | None = None) -> Gpt:
    """How often it reads the empty request depends on the time that this takes, which differs between processes."""
    with sharing.apart(joint.model):
        return Gpt(joint.model, prompts, joint.match, features, head=head)


def _histories(
    gpt: Gpt, dataset: Dataset, schedule: Schedule, options: Options, progress: Progress, stop: Callable[[], bool]
) -> SequenceModel | None:
    progress.update(phase="learning from histories")
    seconds = math.inf if schedule.histories is None else schedule.histories
    plan = Plan(epochs_of(dataset), seconds, seed=options.seed)
    return learn_histories(gpt, dataset, plan, lambda share: progress.update(share=round(share, 3)), stop)


def _head(joint: JointModel, rows: list[Row], options: Options, left: float) -> LabelHead | None:
    """Where the items are labels, what tells them apart in the features of the training texts, or of as many as can be
    read in a part of the seconds that are left."""
    if options.task == "recommend":
        return None
    order = np.random.default_rng(options.seed).permutation(len(rows)).tolist()
    began = time.monotonic()
    found, labels = _read(joint, rows, order[:HEAD_FIRST])
    kept = processes.from_first(rows_in_time(len(rows), (time.monotonic() - began) / len(found), left))
    if more := order[HEAD_FIRST:kept]:
        rest = _read(joint, rows, more)
        found, labels = torch.cat([found, rest[0]]), torch.cat([labels, rest[1]])
    return learn_head(found, labels, len(joint.memory), options.seed)


def _read(joint: JointModel, rows: list[Row], numbers: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Features (K, F) and items (K,) of some rows' targets."""
    order = sorted(numbers, key=lambda number: len(rows[number].ids))  # as `request_features` gives them
    items = torch.from_numpy(np.concatenate([rows[number].items for number in order]))
    return joint.request_features(rows, numbers), items.to(joint.device)


def rows_in_time(count: int, seconds: float, left: float) -> int:
    """How many of `count` rows, each of which takes some seconds, are read in HEAD_SHARE of the seconds left."""
    return count if math.isinf(left) else max(1, min(count, int(HEAD_SHARE * left / max(seconds, 1e-9))))


def foresee(
    joint: JointModel,
    rows: list[Row],
    schedule: Schedule,
    options: Options,
    folder: RunFolder,
    progress: Progress,
    more: float = 0.0,
) -> Estimate:
    """What the run will need, kept in its folder with the schedule; a run that would not fit ends here.

    Args:
        more: seconds that the schedule does not know.
    """
    progress.update(share=1.0)
    read = schedule.steps * options.accumulation * options.batch_tokens
    needed = estimate(joint, rows, progress.state["seconds"] + more + schedule.estimated, read)
    folder.write("config.json", folder.read("config.json") | {"schedule": asdict(schedule), "estimate": needed.json()})
    fewer = max(16, options.batch_tokens // 2)
    advice = f"Use --batch-tokens {fewer}, a smaller --rank or --trained-share, or a smaller base model."
    refuse_what_does_not_fit(needed, folder.path, joint.device, advice)
    return needed


def finish(found: Found, outcome: Outcome, folder: RunFolder, progress: Progress) -> None:
    """The figures, and `done.json` last."""
    folder.write("metrics.json", found.metrics)
    status = "stopped" if outcome.stopped else "done"
    figures = {"seconds": progress.state["seconds"], "note": outcome.note}
    folder.write("done.json", {"status": status, "pool": found.pool.json(), **figures})
    disk = round(folder.gigabytes, 5)
    Checkpoints(folder).remove()
    progress.update(peak_disk_gb=disk, status=status, phase="", seconds_left=0)


class _Check:
    """Asked again and again before training: whether to stop, and whether the time will do."""

    def __init__(self, stop: Callable[[], bool], progress: Progress, clock: Clock, name: str) -> None:
        self._stop, self._progress, self._clock, self._name = stop, progress, clock, name
        self._began = time.monotonic()

    def __call__(self) -> None:
        if self._stop():
            raise Stopped("The run was stopped before it had learned anything.", hint="Start it again when you like.")
        if self._clock.left() < LEAST:
            raise self._clock.refuse(self._name)

    def reading(self, share: float) -> None:
        """The catalogue is read twice, the second time without the frozen layers: refuses early what cannot do."""
        self()
        self._progress.update(share=round(share, 3))
        foreseen = (time.monotonic() - self._began) * (1 / share - 1)
        if share > 0.1 and foreseen * ENOUGH > self._clock.left():
            raise self._clock.refuse(self._name)


def whiten(joint: JointModel, rows: list[Row], seed: int) -> None:
    """Starts the maps of `match` from a sample of the training requests and the catalogue."""
    order = np.random.default_rng(seed).permutation(len(rows))
    tokens = np.cumsum([len(rows[number].ids) for number in order])
    requests = np.cumsum([len(rows[number].items) for number in order])
    kept = max(1, int(((tokens <= WHITENING[0]) & (requests <= WHITENING[1])).sum()))
    joint.match.whiten(joint.request_features(rows, order[:kept].tolist()), joint.memory)


@torch.no_grad()
def go_halfway(joint: JointModel, start: dict[str, torch.Tensor]) -> None:
    """Keeps KEPT_STEP of the way from the start to the trained weights, LoRA's and the maps'.

    Wortsman et al. 2022, Robust fine-tuning of zero-shot models (arXiv:2109.01903). On WANDS the full step
    forgets classes without a training query (docs/results.md).
    """
    for name, weight in joint.model.named_parameters():
        if "lora_B" in name:
            weight.mul_(KEPT_STEP)
    trained = joint.match.state_dict()
    joint.match.load_state_dict({name: start[name].lerp(trained[name], KEPT_STEP) for name in start})
