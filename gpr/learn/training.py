"""Fine-tuning from a data set to an adapter: LoRA, the losses, the pool's weights. It knows a run's folder,
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
from gpr.learn.label_head import end_head, valid_texts
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
from gpr.scorers.head import LabelHead
from gpr.scorers.match import Match
from gpr.scorers.pool import OF_LABELS, Pool
from gpr.scorers.sequence import SequenceModel

KEPT_STEP = 0.5
WHITENING = (10_000, 500)
"""Tokens and requests of the training rows that whitening looks at, at most."""
LEAST = 5.0
"""Seconds that must be left before the first step."""
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
    run = _Run(dataset, base, options, folder, progress, clock, stop, only_estimate is not None)
    schedule, needed = run.schedule()
    if only_estimate and needed:
        only_estimate(needed)
        return
    joint, start = run.joint, run.start()
    validation = Validation(dataset, measure, None if options.task == "recommend" else Pool.same(**OF_LABELS))
    look = lambda: validation.of(run.gpt(joint.memory, joint.head), schedule.sample)  # noqa: E731
    outcome = Loop(joint, run.rows, schedule, options, folder, progress, stop, look).run(start, run.kept)
    gpt = run.learned(start, schedule)
    sequence = run.histories(gpt, schedule)
    progress.update(phase="choosing the weights of the scorers")
    found = validation.at_the_end(gpt, sequence, schedule.requests)
    progress.update(phase="saving")
    save_adapter(folder.adapter, gpt, joint.model, found.pool, sequence, run.adapted.below)
    finish(found, outcome, folder, progress)
    forget_weights(folder)


class _Run:
    """What a fine-tuning has at hand: its rows, its model with LoRA, and its last checkpoint. Arguments as above.

    Args:
        planning: only to say what it would need.
    """

    def __init__(
        self,
        dataset: Dataset,
        base: Base,
        options: Options,
        folder: RunFolder,
        progress: Progress,
        clock: Clock,
        stop: Callable[[], bool],
        planning: bool,
    ) -> None:
        self._dataset, self._options, self._folder, self._progress = dataset, options, folder, progress
        self._clock, self._stop = clock, stop
        self._prompts = prompts = Prompts(base.tokenizer, dataset.catalogue, options.window)
        weights = loss_weights(options)
        self.rows = training_rows(dataset, prompts, options.seed, whole=weights["title"] > 0)
        if not self.rows:
            raise RunError(
                "There is nothing to learn from: all that is known of the items is held out.", where=dataset.name
            )
        self.adapted = adapt(dataset, base, options, folder, progress, clock, stop, planning)
        self._check = _Check(lambda: stop() and not options.adapt, progress, clock, dataset.name)  # it has learned then
        model, layers = add_lora(self.adapted.base, options)
        self._source = RunFolder(processes.from_first(folder.path))
        self.kept = Checkpoints(self._source).last()
        progress.update(phase="going on from the checkpoint" if self.kept else "reading the items")
        match = Match(model.config.hidden_size).to(base.device)
        memory = self.kept["memory"] if self.kept else None
        mixed = halves_products(base, options.precision)
        self.joint = JointModel(model, prompts, match, layers, weights, self._check.reading, memory, mixed)

    def schedule(self) -> tuple[Schedule, Estimate | None]:
        """What the run is going to do: decided now, with what it will need, or known from before."""
        if self.kept:
            return Schedule(**self._source.read("config.json")["schedule"]), None
        progress, options, dataset = self._progress, self._options, self._dataset
        progress.update(phase="preparing match")
        self._check()
        whiten(self.joint, self.rows, options.seed)
        progress.update(phase="measuring speed")
        left = self._clock.left()
        speed = measure_speed(self.joint, self.rows, self._prompts, dataset, options, left, self._check)
        schedule = processes.from_first(make_schedule(self.rows, dataset, options, speed, self._clock))
        more = self.adapted.seconds
        return schedule, foresee(self.joint, self.rows, schedule, options, self._folder, progress, more)

    def start(self) -> dict[str, torch.Tensor]:
        """What training starts from and does not learn, or goes back to in part."""
        head = self.joint.head
        if not self.kept:
            return copy.deepcopy(self.joint.match.state_dict() | dict(head.named_buffers() if head else ()))
        for name, spread in head.named_buffers() if head else ():
            spread.copy_(self.kept["start"][name])
        return dict(self.kept["start"])

    def learned(self, start: dict[str, torch.Tensor], schedule: Schedule) -> Gpt:
        """The model half of the way from the start to what was learned, with the items as it reads them then; all of
        the way where a head has learned with it."""
        joint, progress = self.joint, self._progress
        progress.update(phase="reading the items again", heard=True)  # all is kept anyway
        joint.eval()
        if not joint.head:
            go_halfway(joint, start)
        gpt = self.gpt(joint.item_features(), titles="title" in joint.weights)
        if joint.head:
            progress.update(phase="reading the texts again")
            valid = valid_texts(gpt, self._dataset, schedule.requests)
            gpt.head = end_head(joint, self.rows, valid, self._options.seed, self._clock.left())
        return gpt

    def gpt(self, features: torch.Tensor, head: LabelHead | None = None, titles: bool = False) -> Gpt:
        """How often it reads the empty request depends on the time that this takes, which differs between processes."""
        with sharing.apart(self.joint.model):
            return Gpt(self.joint.model, self._prompts, self.joint.match, features, head=head, titles=titles)

    def histories(self, gpt: Gpt, schedule: Schedule) -> SequenceModel | None:
        """What is learned of histories, where there are enough."""
        progress = self._progress
        progress.update(phase="learning from histories")
        seconds = math.inf if schedule.histories is None else schedule.histories
        plan = Plan(epochs_of(self._dataset), seconds, seed=self._options.seed)
        return learn_histories(
            gpt, self._dataset, plan, lambda share: progress.update(share=round(share, 3)), self._stop
        )


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
    """Starts the maps of `match`, and the head, from a sample of the training requests and the catalogue."""
    order = np.random.default_rng(seed).permutation(len(rows))
    tokens = np.cumsum([len(rows[number].ids) for number in order])
    requests = np.cumsum([len(rows[number].items) for number in order])
    kept = max(1, int(((tokens <= WHITENING[0]) & (requests <= WHITENING[1])).sum()))
    found = joint.request_features(rows, order[:kept].tolist())
    joint.match.whiten(found, joint.memory)
    if joint.head:
        joint.head.learn_spread(processes.from_first(found))


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
    joint.match.load_state_dict(
        {name: start[name].to(weight).lerp(weight, KEPT_STEP) for name, weight in trained.items()}
    )
