"""The head of a run whose items are labels, once its model is fine-tuned: what the features of the training texts say,
mixed with the map that the model was fine-tuned with where validation texts can tell how. It knows rows and features;
how maps are mixed is the head's business."""

from __future__ import annotations

import math
import time

import numpy as np
import torch

from gpr.data.dataset import Dataset
from gpr.learn import processes, sharing
from gpr.learn.joint import JointModel
from gpr.learn.rows import Row
from gpr.scorers.gpt import Gpt
from gpr.scorers.head import FEW, LabelHead, Texts, learn_head

MIXING = 300
"""Validation texts, at most, by which maps from features to labels are mixed: those from the end of their order, for
the ones from its beginning fit the pool's weights. A small split has to do for both."""
HEAD_FIRST, HEAD_SHARE = 64, 0.4
"""Rows that are timed, and the share of the time left that reading rows for the head may take."""


def valid_texts(gpt: Gpt, dataset: Dataset, most: int) -> Texts | None:
    """Some validation texts, read, with their labels; None where they are too few to tell anything."""
    valid = dataset.examples["valid"]
    count = min(most, MIXING, len(valid))
    if count < FEW:
        return None
    some = [valid[number] for number in np.random.default_rng(0).permutation(len(valid))[-count:]]
    with sharing.apart(gpt.model):
        found = gpt.text_features([gpt.prompts.request(one.request) for one in some])
    return Texts(found, torch.tensor([one.item for one in some], device=found.device))


def end_head(joint: JointModel, rows: list[Row], valid: Texts | None, seed: int, left: float) -> LabelHead:
    """What tells labels apart in the features of the training texts, or of as many as can be read in a part of the
    seconds that are left; mixed with what was learned together with the model."""
    order = np.random.default_rng(seed).permutation(len(rows)).tolist()
    began = time.monotonic()
    found, labels = _texts(joint, rows, order[:HEAD_FIRST])
    kept = processes.from_first(rows_in_time(len(rows), (time.monotonic() - began) / len(found), left))
    if more := order[HEAD_FIRST:kept]:
        rest = _texts(joint, rows, more)
        found, labels = torch.cat([found, rest.found]), torch.cat([labels, rest.labels])
    return learn_head(Texts(found, labels), len(joint.memory), seed, joint.head, valid)


def _texts(joint: JointModel, rows: list[Row], numbers: list[int]) -> Texts:
    """Of some rows' targets."""
    order = sorted(numbers, key=lambda number: len(rows[number].ids))  # as `request_features` gives them
    items = torch.from_numpy(np.concatenate([rows[number].items for number in order]))
    return Texts(joint.request_features(rows, numbers), items.to(joint.device))


def rows_in_time(count: int, seconds: float, left: float) -> int:
    """How many of `count` rows, each of which takes some seconds, are read in HEAD_SHARE of the seconds left."""
    return count if math.isinf(left) else max(1, min(count, int(HEAD_SHARE * left / max(seconds, 1e-9))))
