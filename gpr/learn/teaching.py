"""Training a finished run further from labels: good ones as positives, bad ones through a preference loss, and training
rows as before, so that nothing is forgotten. Where validation gets worse the adapter from before stays. What was called
good is also an example for the scorers that learn from the data at once.

A run without validation requests is judged by labels set aside; what it learned is kept where these are clearly better
off, and otherwise only the weights of the scorers follow the labels, which a few dozen of them can decide."""

from __future__ import annotations

import copy
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from transformers import set_seed

from gpr.data.dataset import Dataset, Example, Request
from gpr.files import written_whole
from gpr.learn.checkpoint import Checkpoints, Weights, between, put_weights, weights_of
from gpr.learn.lessons import Lesson, Lessons, examples_of, lessons_of, without
from gpr.learn.needs import Estimate
from gpr.learn.options import Options
from gpr.learn.pace import looks_between
from gpr.learn.preferences import PreferenceModel, Rejected
from gpr.learn.rows import Row, pair_row, steps_of_epochs, training_rows
from gpr.learn.run_folder import Progress, RunFolder
from gpr.learn.schedule import (
    CHECK_REQUESTS,
    VALIDATION_REQUESTS,
    Clock,
    Schedule,
    Speed,
    measure_speed,
    seconds_of_steps,
)
from gpr.learn.taught import Answers, answers, report
from gpr.learn.trainer import Loop, Outcome, loss_weights
from gpr.learn.training import KEPT_STEP, finish, foresee
from gpr.learn.validation import Found, Measure, Validation
from gpr.learn.verdicts import Verdicts, clearly_less, fresh, keep_fitted_on, verdicts
from gpr.lm.base import Base
from gpr.lm.body import linear_layers
from gpr.lm.prompts import Prompts
from gpr.scorers.adapter import load_adapter, load_examples, save_adapter, save_pool
from gpr.scorers.ensemble import Ensemble, scorers_of, text_vectors
from gpr.scorers.gpt import Gpt
from gpr.scorers.pool import PLAUSIBILITY, Pool, kind_of
from gpr.scorers.sequence import SequenceModel, load_sequence

EPOCHS, MINUTES, LEARNING_RATE = 4, 6.0, 2e-4
"""Usual ones: a few minutes on a CPU, and small steps from where the run stands."""
WEIGHTS_ALONE = "On labels set aside what was learned is not clearly better: only the weights of the scorers are new."
FEWEST_REPEATED = 64
"""Training rows that are shown again beside the labels, at least; else as many as there are labels."""
CHECKS = 2
TRAINING_SHARE = 0.6
"""Of the time that is left; reading the items again and looking at validation take the rest."""


def teaching_options(options: Options, epochs: int = EPOCHS, minutes: float = MINUTES) -> Options:
    """Those of a run as they are to be for teaching it."""
    patience = max(1, options.patience)
    return replace(options, epochs=epochs, max_minutes=minutes, learning_rate=LEARNING_RATE, patience=patience)


@dataclass(frozen=True)
class Taught:
    """What is taught, and by which labels."""

    dataset: Dataset
    """With what the run knew beyond its data before."""
    lessons: Lessons
    fresh: Sequence[Lesson]
    """Those on requests that the run knows nothing of."""
    examples: tuple[Example, ...]
    """What it will know beyond its data."""
    before: Path
    """The adapter's folder."""
    model: Any
    pool: Pool
    prompts: Prompts
    weights: Weights
    """All that is trained, as it was before."""

    @property
    def wiser(self) -> Dataset:
        return self.dataset.with_examples(self.examples)

    def gpt(self, joint: PreferenceModel) -> Gpt:
        return Gpt(self.model, self.prompts, joint.match, joint.memory, titles=self.pool.weighs(PLAUSIBILITY))

    def sequence(self, gpt: Gpt) -> SequenceModel | None:
        return load_sequence(self.before, self.dataset.catalogue, text_vectors(gpt))

    def answers(self, joint: PreferenceModel, pool: Pool, dataset: Dataset) -> Answers:
        gpt = self.gpt(joint)
        return answers(Ensemble(gpt, scorers_of(dataset, self.sequence(gpt))), pool, self.lessons)

    def verdicts(self, joint: PreferenceModel) -> Verdicts | None:
        """What is said of requests that the run knows nothing of, with what it thinks of them before it is taught."""
        gpt = self.gpt(joint)
        return verdicts(self.fresh, Ensemble(gpt, scorers_of(self.dataset, self.sequence(gpt))))

    @contextmanager
    def part_of_the_way(self, joint: PreferenceModel) -> Iterator[None]:
        """With KEPT_STEP of what was learned, as in fine-tuning, and the items read so: old features beside new ones
        look like a loss."""
        learned = weights_of(joint)
        put_weights(joint, between(self.weights, learned, KEPT_STEP))
        joint.item_features()
        yield
        put_weights(joint, learned)


def teach(
    dataset: Dataset,
    base: Base,
    options: Options,
    folder: RunFolder,
    before: Path,
    progress: Progress,
    clock: Clock,
    stop: Callable[[], bool],
    measure: Measure,
    only_estimate: Callable[[Estimate], None] | None = None,
) -> None:
    """Trains the adapter `before` further from `lessons.json` of the folder; writes what a run does, and `taught.json`.

    Args:
        only_estimate: told what the run would need, which then ends.

    Raises:
        RunError: no label is of use. ModelError, WorkspaceError.
    """
    set_seed(options.seed)
    kept = Checkpoints(folder).last()
    progress.update(phase="going on from the checkpoint" if kept else "reading the items")
    taught, joint, rows = _prepare(dataset, base, options, folder, before)
    progress.update(phase="asking the model before")
    began = time.monotonic()
    first = taught.answers(joint, taught.pool, taught.dataset)
    asking = time.monotonic() - began
    told = taught.verdicts(joint)
    validation, count = _validation(taught, measure, told)
    if kept:
        joint.memory.copy_(kept["memory"])
        schedule = Schedule(**folder.read("config.json")["schedule"])
    else:
        progress.update(phase="measuring speed")
        speed = measure_speed(joint, rows, taught.prompts, taught.dataset, options, clock.left())
        schedule = _schedule(rows, count, options, clock, speed, asking)
        needed = foresee(joint, rows, schedule, options, folder, progress)
        if only_estimate:
            only_estimate(needed)
            return

    def look() -> Found:
        with taught.part_of_the_way(joint):
            return validation.of(taught.gpt(joint), schedule.sample)

    start = kept["start"] if kept else copy.deepcopy(joint.match.state_dict())
    outcome = Loop(joint, rows, schedule, options, folder, progress, stop, look).run(start, kept, look_first=True)
    progress.update(phase="reading the items again", heard=True)
    joint.eval()
    found, last, note = _end(taught, joint, validation, schedule.requests, told, first, outcome, folder, progress)
    folder.write("taught.json", report(dataset, taught.lessons, first, last))
    finish(found, replace(outcome, note=note), folder, progress)
    (folder.path / "lessons.json").unlink(missing_ok=True)


def _end(
    taught: Taught,
    joint: PreferenceModel,
    validation: Validation,
    requests: int,
    told: Verdicts | None,
    first: Answers,
    outcome: Outcome,
    folder: RunFolder,
    progress: Progress,
) -> tuple[Found, Answers, str]:
    """Writes what was learned, or else the adapter from before, with what it says to the requests of the lessons, and a
    note."""
    stays, by_labels = _untrained(taught, told), bool(taught.lessons.judging)
    if outcome.step:
        with taught.part_of_the_way(joint):
            progress.update(phase="choosing the weights of the scorers")
            gpt = taught.gpt(joint)
            sequence = taught.sequence(gpt)
            found = validation.at_the_end(gpt, sequence, requests)
            if found.losses is None or stays.losses is None or clearly_less(found.losses, stays.losses):
                progress.update(phase="saving")
                save_adapter(folder.adapter, gpt, taught.model, found.pool, sequence, examples=taught.examples)
                keep_fitted_on(folder.adapter, taught.before, taught.fresh)
                return found, taught.answers(joint, found.pool, taught.wiser), outcome.note
    with written_whole(folder.adapter) as partial:
        shutil.copytree(taught.before, partial)
        save_pool(partial, stays.pool)
        keep_fitted_on(partial, taught.before, taught.fresh if by_labels else ())
    return stays, replace(first, pool=stays.pool), WEIGHTS_ALONE if by_labels else outcome.note


def _untrained(taught: Taught, told: Verdicts | None) -> Found:
    """The run as it was; where labels judge, with the weights that all of them fit, and with the losses that these have
    on the ones set aside when they are fitted on the others."""
    figures = RunFolder(taught.before.parent).read("metrics.json")
    judging = {one.request for one in taught.lessons.judging}
    aside = told.among(judging) if told else None
    if not told or not aside:
        return Found(taught.pool, math.nan, figures)
    others = told.among({*told.requests} - judging)
    losses = aside.losses(others.weights(taught.pool) if others else taught.pool)
    return Found(told.weights(taught.pool), float(losses.mean()), figures, losses)


def _prepare(
    dataset: Dataset, base: Base, options: Options, folder: RunFolder, before: Path
) -> tuple[Taught, PreferenceModel, list[Row]]:
    """The model before with its LoRA free to move, remembered as the reference; and the rows to learn from."""
    lessons = lessons_of(dataset, folder.read("lessons.json").get("labels", []))
    known = load_examples(before, dataset.catalogue)
    dataset = dataset.with_examples(known)
    new = fresh(lessons.taught, dataset, before)
    if not without(dataset, lessons):
        lessons = lessons.judged_by(new)
    prompts = Prompts(base.tokenizer, dataset.catalogue, options.window)
    layers = linear_layers(base.model, options.trained_share)[1]
    model, match, pool = load_adapter(before, base.model)
    for name, weight in model.named_parameters():
        weight.requires_grad_("lora_" in name)
    rows, rejected = lesson_rows(lessons.taught, prompts, pool)
    usual = training_rows(dataset, prompts, options.seed)
    some = np.random.default_rng(options.seed).permutation(len(usual))[: max(FEWEST_REPEATED, len(rows))]
    rows += [usual[number] for number in some]
    joint = PreferenceModel(model, prompts, match, layers, loss_weights(options), rows, rejected)
    joint.remember()
    examples = examples_of(lessons, known)
    return Taught(dataset, lessons, new, examples, before, model, pool, prompts, weights_of(joint)), joint, rows


def lesson_rows(lessons: Sequence[Lesson], prompts: Prompts, pool: Pool) -> tuple[list[Row], dict[int, Rejected]]:
    """One row a lesson, and those whose target is bad, each with a good one of its request where there is one."""
    rows = [pair_row(prompts, one.request, one.item) for one in lessons]
    good: dict[Request, list[int]] = {}
    for number, one in enumerate(lessons):
        if one.good:
            good.setdefault(one.request, []).append(number)
    rejected = {}
    for number, one in enumerate(lessons):
        if not one.good:
            instead = good.get(one.request)
            weights = pool.weights[kind_of(one.request)]
            strengths = (weights.get("generate", 0.0), weights.get("match", 0.0))
            rejected[number] = Rejected(instead[number % len(instead)] if instead else None, strengths)
    return rows, rejected


def _validation(taught: Taught, measure: Measure, told: Verdicts | None) -> tuple[Validation, int]:
    """On the examples that no lesson is about, or else on labels, and how many those are."""
    dataset = taught.wiser
    valid, judging = without(dataset, taught.lessons), taught.lessons.judging
    dataset = replace(dataset, examples={**dataset.examples, "valid": valid})
    others = told.among({*told.requests} - {one.request for one in judging}) if told else None
    near = None if valid else taught.pool
    return Validation(dataset, measure, near, others, judging), len(valid) or len(judging)


def _schedule(rows: list[Row], valid: int, options: Options, clock: Clock, speed: Speed, asking: float) -> Schedule:
    """Args: asking: seconds that the requests of the labels take."""
    batches, once = (
        steps_of_epochs(rows, times, options.batch_tokens, options.seed) for times in (options.epochs or EPOCHS, 1)
    )
    steps, sample = max(1, batches // options.accumulation), min(valid, CHECK_REQUESTS[1])
    every = math.ceil(steps / CHECKS) if sample else 0
    stepping, seconds = seconds_of_steps(batches, once, speed), None
    if not math.isinf(clock.left()):
        seconds = max(1.0, TRAINING_SHARE * clock.left())
        stepping = min(stepping, seconds)
    requests = min(valid, VALIDATION_REQUESTS)
    looks = (looks_between(0, steps, every) + bool(every)) * (speed.reading + sample * speed.request)
    ending = speed.reading + requests * speed.request + asking
    foreseen = (round(part, 3) for part in (stepping + looks + ending, stepping / steps, ending))
    return Schedule(steps, requests, every, sample, seconds, None, *foreseen)
