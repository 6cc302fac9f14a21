"""What a run is going to do, decided once from measured speed: steps, checks, validation. Kept in `config.json`, so
that a resumed run does the same. It knows a clock and a model to time, not how training goes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gpr.data.dataset import Dataset
from gpr.errors import RunError
from gpr.learn import processes
from gpr.learn.histories import SECONDS_PER_TARGET, epochs_of, targets_of
from gpr.learn.joint import JointModel
from gpr.learn.options import Options
from gpr.learn.rows import Row, plan_batches, steps_of_epochs
from gpr.lm.prompts import Prompts
from gpr.lm.tree import TreeDecoder
from gpr.scorers.gpt import reads_whole

TARGETS, LABELLED = 2_500, 7_500
"""Targets that a run shows by default, and texts with labels; decides the epochs."""
MOST_EPOCHS = 6
VALIDATION_REQUESTS = 200
"""At most so many decide the weights at the end."""
VALIDATION_SHARE = 0.2
"""Of the time that is left, at most, for that."""
CHECK_REQUESTS = (8, 48)
"""Validation requests of a check while training: no check with fewer, no more than this."""
CHECK_SHARE = 0.1
"""Of the time of training, at most, for all checks."""
MOST_CHECKS = 10
HISTORIES_SHARE = 0.3
"""Of the time that is left, at most, for `sequence`."""
HEAD_TIME = 0.2
"""Of the time that is left, at most, for a head over labels."""
SAVING = 5.0
"""Seconds."""
TIMED_ITEMS = 128
TIMED_STEPS, TIMED_SECONDS, TIMED_SHARE = (3, 12), 6.0, 0.02
"""Batches that are timed: the fewest, and the most, if they take no longer, nor more of the time that is left."""


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

    def refuse(self, name: str) -> RunError:
        return RunError(
            f"{self.minutes:g} minutes are not enough for this catalogue: reading it takes most of them.",
            where=name,
            hint="Allow more minutes, or use a smaller catalogue.",
        )


@dataclass(frozen=True)
class Speed:
    """Seconds, measured with this model on this device."""

    first_step: float
    """A step whose rows the frozen layers have not read yet."""
    step: float
    """Any later one."""
    reading: float
    """The catalogue, once the frozen layers have read it."""
    request: float
    """One validation request."""


@dataclass(frozen=True)
class Schedule:
    """What a run is going to do."""

    steps: int
    requests: int
    """Validation requests at the end."""
    check_every: int
    """Steps between two checks, of which the last comes with the last step; 0 for none."""
    sample: int
    """Validation requests of a check."""
    seconds: float | None
    """Of training, at most."""
    histories: float | None
    """Seconds for `sequence`, at most."""
    estimated: float
    """Seconds from the first step to saved, as foreseen at the start."""
    step: float = 0.0
    """Seconds of a step on the mean, as foreseen."""
    ending: float = 0.0
    """Seconds from the last step to saved, as foreseen."""


def measure_speed(
    joint: JointModel,
    rows: list[Row],
    prompts: Prompts,
    dataset: Dataset,
    options: Options,
    left: float,
    check: Callable[[], None] = lambda: None,
) -> Speed:
    """Some real steps, twice each; a part of the catalogue; a few validation requests.

    Args:
        left: seconds that the run has. check: asked again and again, and may end it.
    """
    joint.train()
    first: list[float] = []
    later: list[float] = []
    for batch in plan_batches(rows, TIMED_STEPS[1], options.batch_tokens, options.seed):
        enough = len(first) >= TIMED_STEPS[0] and sum(first) + sum(later) > min(TIMED_SECONDS, TIMED_SHARE * left)
        if processes.from_first(enough):
            break
        for times in (first, later):
            check()
            start = time.monotonic()
            joint(batch, [rows[number] for number in batch])["loss"].backward()
            joint.zero_grad()
            times.append(time.monotonic() - start)
    joint.eval()
    start = time.monotonic()
    joint.item_features(limit=TIMED_ITEMS)
    reading = (time.monotonic() - start) * max(1.0, len(dataset.catalogue) / TIMED_ITEMS)
    check()
    request = 0.0
    if valid := dataset.examples["valid"][:4]:
        decoder = TreeDecoder(joint.model, prompts.trie)
        start = time.monotonic()
        decoder.score_all([prompts.request(example.request).ids for example in valid])
        if "title" in joint.weights and reads_whole(prompts):
            asked = decoder.read([prompts.request(example.request).ids for example in valid])
            decoder.likelihoods(asked, np.arange(len(dataset.catalogue)), exact=True)
        request = (time.monotonic() - start) / len(valid)
    return Speed(_mean(first), _mean(later), reading, request)


def _mean(times: list[float]) -> float:
    """Without the first, which warms up."""
    return sum(times[1:]) / (len(times) - 1) if len(times) > 1 else times[0]


def make_schedule(rows: list[Row], dataset: Dataset, options: Options, speed: Speed, clock: Clock) -> Schedule:
    """The epochs asked for (or the default), bounded by what the clock allows.

    Raises:
        RunError: the time does not even allow a step.
    """
    valid = len(dataset.examples["valid"])
    left = clock.left()
    requests = min(valid, VALIDATION_REQUESTS)
    if not math.isinf(left):
        requests = min(requests, int(VALIDATION_SHARE * left / max(speed.request, 1e-6)))
    histories = SECONDS_PER_TARGET * epochs_of(dataset) * targets_of(dataset)
    if not math.isinf(left):
        histories = min(HISTORIES_SHARE * left, histories)
    ending = histories + 1.3 * speed.reading + 1.2 * speed.request * (requests + 1)
    if options.task != "recommend":  # the head reads rows at the end, too, and as many validation texts as the pool
        ending += speed.request * requests
        ending += min(HEAD_TIME * left, 0.5 * speed.first_step * steps_of_epochs(rows, 1, options.batch_tokens, 0))
    training = left - ending - max(SAVING, 0.03 * left) if not math.isinf(left) else math.inf
    if training <= speed.first_step:
        raise clock.refuse(dataset.name)
    targets = sum(len(row.items) for row in rows)
    wanted = TARGETS if options.task == "recommend" else LABELLED
    epochs = options.epochs or max(1, min(MOST_EPOCHS, round(wanted / targets)))
    once, steps = (
        max(1, steps_of_epochs(rows, times, options.batch_tokens, options.seed) // options.accumulation)
        for times in (1, epochs)
    )
    speed = replace(speed, first_step=speed.first_step * options.accumulation, step=speed.step * options.accumulation)
    room = training / (1 + CHECK_SHARE) / 1.05
    if seconds_of_steps(steps, once, speed) > room:
        fit = room / speed.first_step
        steps = min(steps, int(fit if fit < once else once + (room - once * speed.first_step) / speed.step))
    steps = max(1, steps)
    stepping = seconds_of_steps(steps, once, speed)
    checks, sample = _checks(stepping, min(valid, CHECK_REQUESTS[1]), speed.request)
    every = math.ceil(steps / checks) if checks else 0
    estimated = stepping + checks * (sample + 1) * speed.request + ending
    bounds = (None, None) if math.isinf(training) else (training, max(histories, SAVING))
    foreseen = (round(seconds, 3) for seconds in (estimated, stepping / steps, ending))
    return Schedule(steps, requests, every, sample, *bounds, *foreseen)


def seconds_of_steps(steps: int, once: int, speed: Speed) -> float:
    """Of so many steps, of which `once` show every row for the first time."""
    return min(steps, once) * speed.first_step + max(0, steps - once) * speed.step


def _checks(stepping: float, sample: int, request: float) -> tuple[int, int]:
    """How many checks, and of how many requests, within CHECK_SHARE of the time."""
    room = CHECK_SHARE * stepping / max(request, 1e-6)
    if sample == 0 or room < CHECK_REQUESTS[0] + 1:
        return 0, 0
    sample = min(sample, int(room) - 1)
    return min(MOST_CHECKS, max(1, int(room / (sample + 1)))), sample
