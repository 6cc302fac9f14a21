"""How fast training is beside the plain way, in one run: same data, same LoRA, as many presentations of each target.

    plain   peft and the Trainer on padded batches of examples in any order; the loss is the full-vocabulary likelihood
            of the title; a history is as many sequences as it has targets
    ours    the two losses of `gpr.learn.joint`: batches of like lengths, frozen layers' output kept, only the rows of
            children through the head, all targets of a history in one sequence; products of matrices in bfloat16 where
            a CPU has instructions for it, as `gpr train` does

The plain way is measured as the Trainer does it by itself, in the base model's precision, and where ours uses bfloat16
once more with the Trainer's own `bf16`. What is read before the first step counts as time of training.

`held_out` compares on test requests what each has learned: the exact ranking by `generate` of the plain way's model,
and by the pool of `match` and `generate` of ours, whose weights are fitted on validation requests.
"""

from __future__ import annotations

import copy
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.utils.data import SequentialSampler
from transformers import DataCollatorForSeq2Seq, PrinterCallback, Trainer, TrainingArguments, set_seed

from gpr.data.dataset import Dataset, Example, Request
from gpr.evaluate.metrics import ranking_metrics
from gpr.learn.joint import JointModel
from gpr.learn.lora import add_lora
from gpr.learn.options import Options
from gpr.learn.rows import own_examples, plan_batches, steps_of_epochs, training_rows
from gpr.learn.trainer import loss_weights, make_optimizer
from gpr.learn.training import go_halfway, whiten
from gpr.lm.base import Base, halves_products, load_base
from gpr.lm.prompts import Prompts
from gpr.lm.tree import TreeDecoder
from gpr.scorers.gpt import Gpt
from gpr.scorers.match import Match
from gpr.scorers.pool import Pool, fit

PLAIN_BATCH = 8
HALF_LIMIT = 100
"""Targets that the plain way's speed in bfloat16 is measured on."""
WINDOW = 20
Tell = Callable[[float, str], None]


def train(
    dataset: Dataset, base: str, tell: Tell, limit: int, epochs: int, tests: int, plain_limit: int = 0
) -> dict[str, Any]:
    """Targets a second of both ways and the ratio; NDCG@10 of both where `tests` > 0. Ready for JSON.

    Args:
        limit: of training pairs, or of users with a history where there are no pairs; 0: all pairs and the catalogue's
            own texts, which is what `gpr train` learns from. epochs: times that every target is shown.
        tests: held-out requests that both are measured on. plain_limit: of the plain way's targets, where its speed is
            all that is asked for; they are drawn at random. 0: all.
    """
    some = _part(dataset, limit)
    held_out = list(dataset.examples["test"])[:: max(1, len(dataset.examples["test"]) // max(1, tests))][:tests]
    tell(0.0, "the plain way")
    plain_rate, plain_found = _plain(some, load_base(base), epochs, held_out, plain_limit)
    plain_half = plain_rate
    if halves_products(loaded := load_base(base)):
        tell(0.4, "the plain way in bfloat16")
        plain_half, _ = _plain(some, loaded, epochs, [], plain_limit or HALF_LIMIT, half=True)
    tell(0.5, "ours")
    own_rate, step_rate, own_found = _ours(some, load_base(base), epochs, held_out)
    return {
        "data": dataset.name,
        "plain_targets_per_s": round(plain_rate, 3),
        "plain_bf16_targets_per_s": round(plain_half, 3),
        "targets_per_s": round(own_rate, 3),
        "targets_per_s_of_steps": round(step_rate, 3),
        "speedup": round(own_rate / plain_rate, 3),
        "speedup_over_bf16": round(own_rate / plain_half, 3),
        "epochs": epochs,
        "held_out": {"n": len(held_out), "plain": plain_found, "ours": own_found},
    }


def _part(dataset: Dataset, limit: int) -> Dataset:
    """The first `limit` training pairs, or histories of so many users, in windows; or all there is to learn from."""
    pairs = dataset.examples["train"][: limit or None]
    if pairs and not limit:
        pairs += tuple(own_examples(dataset, 0))
    windows = [replace(s, items=s.items[: WINDOW + 1]) for s in dataset.sequences if len(s.items) > WINDOW][
        : limit or None
    ]
    sequences = () if pairs else tuple(windows)
    return replace(dataset, examples=dataset.examples | {"train": pairs}, sequences=sequences)


def _plain(
    dataset: Dataset, base: Base, epochs: int, held_out: Sequence[Example], limit: int, half: bool = False
) -> tuple[float, float | None]:
    """Targets a second, and NDCG@10 on the held-out examples.

    Args:
        half: the Trainer's `bf16`, products of matrices in bfloat16.
    """
    set_seed(0)
    prompts = Prompts(base.tokenizer, dataset.catalogue)
    examples = [(example.request, example.item) for example in dataset.examples["train"]]
    for sequence in dataset.sequences:
        for at in range(1, len(sequence.items)):
            examples.append((Request("", sequence.items[:at], sequence.user), sequence.items[at]))
    if 0 < limit < len(examples):
        examples = random.Random(0).sample(examples, limit)
    asked = [(prompts.request(request).ids, prompts.titles[item]) for request, item in examples]
    table = [{"input_ids": ids + title, "labels": [-100] * len(ids) + title} for ids, title in asked]
    model, _ = add_lora(base, Options())
    trainer = Trainer(
        model=model,
        args=_arguments(base, -(-len(table) * epochs // PLAIN_BATCH), PLAIN_BATCH, half),
        train_dataset=table,
        data_collator=DataCollatorForSeq2Seq(base.tokenizer, label_pad_token_id=-100),
    )
    trainer.remove_callback(PrinterCallback)
    start = time.perf_counter()
    trainer.train()
    rate = len(table) * epochs / (time.perf_counter() - start)
    model.eval()
    if not held_out:
        return rate, None
    decoder = TreeDecoder(model, prompts.trie, prompts.openings)
    scores = decoder.score_all([prompts.request(example.request).ids for example in held_out])
    return rate, _ndcg(scores.numpy(), held_out)


def _ours(dataset: Dataset, base: Base, epochs: int, held_out: Sequence[Example]) -> tuple[float, float, float | None]:
    """Targets a second, those of the steps alone, and NDCG@10 on the held-out examples."""
    set_seed(0)
    options = Options()
    prompts = Prompts(base.tokenizer, dataset.catalogue)
    pairs, histories = len(dataset.examples["train"]), len(dataset.sequences)
    rows = training_rows(dataset, prompts, 0)[: pairs + histories]  # without the catalogue's own texts
    model, layers = add_lora(base, options)
    start = time.perf_counter()
    match = Match(model.config.hidden_size).to(base.device)
    joint = JointModel(model, prompts, match, layers, loss_weights(options), mixed=halves_products(base))
    whiten(joint, rows, 0)
    untrained = copy.deepcopy(joint.match.state_dict())
    read = time.perf_counter() - start
    steps = steps_of_epochs(rows, epochs, options.batch_tokens, 0)
    trainer = _InOrder(
        model=joint,
        args=_arguments(base, steps, 1),
        train_dataset=plan_batches(rows, steps, options.batch_tokens, 0),
        data_collator=lambda batch: {"numbers": batch[0], "rows": [rows[number] for number in batch[0]]},
        optimizers=(make_optimizer(joint, options), None),
    )
    trainer.remove_callback(PrinterCallback)
    start = time.perf_counter()
    trainer.train()
    targets = sum(len(row.items) for row in rows) * epochs
    stepping = time.perf_counter() - start
    rate, of_steps = targets / (stepping + read), targets / stepping
    joint.eval()
    if not held_out:
        return rate, of_steps, None
    go_halfway(joint, untrained)
    gpt = Gpt(model, prompts, joint.match, joint.item_features())
    known = dataset.examples["valid"][: len(held_out)]
    pool = Pool()
    if known:
        asked = [example.request for example in known]
        pool = fit(gpt.score_parts(asked), asked, np.array([example.item for example in known]))
    asked = [example.request for example in held_out]
    return rate, of_steps, _ndcg(pool.combine(gpt.score_parts(asked), asked), held_out)


class _InOrder(Trainer):
    """The batches are planned: the Trainer takes them as they come."""

    def _get_train_sampler(self, *args: Any, **kwargs: Any) -> torch.utils.data.Sampler[int]:
        return SequentialSampler(self.train_dataset)


def _arguments(base: Base, steps: int, batch: int, half: bool = False) -> TrainingArguments:
    return TrainingArguments(
        output_dir=tempfile.mkdtemp(),
        max_steps=steps,
        per_device_train_batch_size=batch,
        learning_rate=Options().learning_rate,
        warmup_steps=max(1, steps // 10),
        bf16=half,
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=base.device.type == "cpu",
        dataloader_pin_memory=False,
    )


def _ndcg(scores: np.ndarray, held_out: Sequence[Example]) -> float:
    return round(ranking_metrics(scores, np.array([example.item for example in held_out]))["NDCG@10"], 4)
