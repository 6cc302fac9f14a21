"""Fine-tuning from a data set to an adapter: LoRA, the two losses, the pool's weights. It knows a run's folder,
not who started it."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import set_seed

from gpr.data.dataset import Dataset, Example, Request
from gpr.errors import ModelError, RunError
from gpr.learn.histories import SECONDS_PER_TARGET, Plan, epochs_of, learn_histories, targets_of
from gpr.learn.joint import JointModel
from gpr.learn.options import Options
from gpr.learn.rows import Row, training_rows
from gpr.learn.run_folder import Progress, RunFolder
from gpr.learn.trainer import LOSS_WEIGHTS, Clock, plan_steps, run_trainer
from gpr.lm.base import Base
from gpr.lm.body import linear_layers, quiet_peft
from gpr.lm.prompts import Prompts
from gpr.lm.tree import TreeDecoder
from gpr.scorers.adapter import save_adapter
from gpr.scorers.ensemble import Ensemble, scorers_of
from gpr.scorers.gpt import Gpt
from gpr.scorers.match import Match
from gpr.scorers.pool import Pool, fit
from gpr.scorers.scorer import Scores

VALIDATION_REQUESTS = 200
"""At most so many decide the weights of the GPT's parts."""
MOST_SCORES = 2_000_000
"""Requests times items, at most, for the quicker scorers before that."""
VALIDATION_SHARE = 0.2
"""Of the time that is left, at most, for validation."""
HISTORIES_SHARE = 0.3
"""Of the time that is left, at most, for `sequence`."""
KEPT_STEP = 0.5
SAVING = 5.0
"""Seconds."""
TIMED_ITEMS = 128
WHITENING_TOKENS = 10_000
"""Of the training rows that whitening looks at."""
Measure = Callable[[Scores, "np.ndarray"], dict[str, float]]


class Stopped(RunError):
    """The user stopped the run before anything was learned."""


def fine_tune(
    dataset: Dataset,
    base: Base,
    options: Options,
    folder: RunFolder,
    progress: Progress,
    clock: Clock,
    stop: Callable[[], bool],
    measure: Measure,
) -> None:
    """Trains, chooses the pool's weights on the validation split, and writes `adapter/`, `metrics.json` and
    `done.json`.

    Args:
        stop: asked after each step; True ends the training and keeps what was learned.
        measure: (B, N) log-probabilities and the right items (B,) -> figures.

    Raises:
        Stopped, RunError, ModelError, WorkspaceError.
    """
    set_seed(options.seed)

    def check(share: float = 0.0) -> None:
        if stop():
            raise Stopped("The run was stopped before it had learned anything.", hint="Start it again when you like.")
        progress.update(share=round(share, 3))

    prompts = Prompts(base.tokenizer, dataset.catalogue)
    rows = training_rows(dataset, prompts, options.seed)
    if not rows:
        raise RunError(
            "There is nothing to learn from: all that is known of the items is held out.", where=dataset.name
        )
    model, layers = _with_lora(base, options)
    progress.update(phase="reading the items")
    joint = JointModel(model, prompts, Match(model.config.hidden_size).to(base.device), layers, LOSS_WEIGHTS, check)
    whiten(joint, rows, options.seed)
    start = copy.deepcopy(joint.match.state_dict())
    progress.update(phase="measuring speed")
    budget = _budget(joint, prompts, dataset, clock)
    steps = plan_steps(joint, rows, options, budget.training, check)
    stopped = run_trainer(joint, rows, steps, options, folder, progress, stop, budget.training)
    progress.update(phase="reading the items again", seconds_left=None)
    joint.eval()
    go_halfway(joint, start)
    gpt = Gpt(model, prompts, joint.match, joint.item_features())
    progress.update(phase="learning from histories")
    plan = Plan(epochs_of(dataset), budget.histories, seed=options.seed)
    sequence = learn_histories(gpt, dataset, plan, lambda share: progress.update(share=round(share, 3)), stop)
    progress.update(phase="choosing the weights of the scorers", share=0.0)
    pool, metrics = _validate(Ensemble(gpt, scorers_of(dataset, sequence)), dataset, budget.requests, measure)
    progress.update(phase="saving")
    save_adapter(folder.adapter, gpt, model, pool, sequence)
    folder.write("metrics.json", metrics)
    status = "stopped" if stopped else "done"
    folder.write("done.json", {"status": status, "pool": pool.json(), "seconds": progress.state["seconds"]})
    progress.update(status=status, phase="", seconds_left=0)


def _with_lora(base: Base, options: Options) -> tuple[Any, int]:
    """The base model with new LoRA weights in its upper layers, and how many layers those are."""
    names, layers = linear_layers(base.model, options.trained_share)
    config = LoraConfig(
        r=options.rank, lora_alpha=2 * options.rank, lora_dropout=0.05, target_modules=names, task_type="CAUSAL_LM"
    )
    try:
        with quiet_peft():
            return get_peft_model(base.model, config).eval(), layers
    except ValueError as error:
        raise ModelError(f"LoRA does not know this model: {error}", where=base.name) from error


def whiten(joint: JointModel, rows: list[Row], seed: int) -> None:
    """Starts the maps of `match` from a sample of the training requests and the catalogue."""
    order = np.random.default_rng(seed).permutation(len(rows))
    kept = max(1, int((np.cumsum([len(rows[number].ids) for number in order]) <= WHITENING_TOKENS).sum()))
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


@dataclass(frozen=True)
class Budget:
    """What the time allows: seconds of training, seconds for histories, and validation requests afterwards."""

    training: float
    histories: float
    requests: int


def _budget(joint: JointModel, prompts: Prompts, dataset: Dataset, clock: Clock) -> Budget:
    """Keeps time back for reading the items again, for validation and for saving, measured on this machine."""
    valid = dataset.examples["valid"]
    requests = min(len(valid), VALIDATION_REQUESTS)
    if clock.minutes is None:
        return Budget(math.inf, math.inf, requests)
    start = time.monotonic()
    joint.item_features(limit=TIMED_ITEMS)
    reading = (time.monotonic() - start) * max(1.0, len(dataset.catalogue) / TIMED_ITEMS)
    per_request = 0.0
    if valid:
        decoder = TreeDecoder(joint.model, prompts.trie)
        sample = [prompts.request(example.request).ids for example in valid[:4]]
        start = time.monotonic()
        decoder.score_all(sample)
        per_request = (time.monotonic() - start) / len(sample)
    left = clock.left()
    requests = min(requests, int(VALIDATION_SHARE * left / max(per_request, 1e-6)))
    histories = min(HISTORIES_SHARE * left, SECONDS_PER_TARGET * epochs_of(dataset) * targets_of(dataset))
    reserve = histories + 1.3 * reading + 1.2 * per_request * (requests + 1) + max(SAVING, 0.03 * left)
    if reserve > left:
        raise RunError(
            f"{clock.minutes:g} minutes are not enough for this catalogue: reading it took most of them.",
            where=dataset.name,
            hint="Allow more minutes, or use a smaller catalogue.",
        )
    return Budget(left - reserve, max(histories, SAVING), requests)


def _validate(ensemble: Ensemble, dataset: Dataset, requests: int, measure: Measure) -> tuple[Pool, dict[str, float]]:
    """The pool fitted on a fixed sample of the validation split, and its figures there.

    Where the GPT cannot answer all of the split in time, the other scorers' weights start from a fit on more of it.
    """
    valid = dataset.examples["valid"]
    order = np.random.default_rng(0).permutation(len(valid))
    near = Pool()
    if requests < len(valid):
        asked, items = _asked([valid[number] for number in order[: MOST_SCORES // len(dataset.catalogue)]])
        others = {name: scorer.score_all(asked) for name, scorer in ensemble.others.items()}
        near = fit(others, asked, items)
    if not requests:
        return near, {}
    asked, items = _asked([valid[number] for number in order[:requests]])
    parts = ensemble.score(asked)
    pool = fit(parts, asked, items, near)
    return pool, measure(pool.combine(parts, asked), items)


def _asked(examples: list[Example]) -> tuple[list[Request], np.ndarray]:
    return [example.request for example in examples], np.array([example.item for example in examples])
