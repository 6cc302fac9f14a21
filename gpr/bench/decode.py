"""How fast and how exact recommending over a trie is, beside transformers' constrained beam search, in one run.

    floor       one pass over the prompt: what any answer of the model costs
    top_k       the ten best items, proven
    score_all   the probability of every item
    shortlist   the 100 best items, proven, and the likelihood of their whole titles
    generate_n  `generate` with `prefix_allowed_tokens_fn` and n beams, deterministic

Times are medians over the requests, in seconds; ratios are taken request by request first. Recall is the share of the
true ten best, by `score_all`, that a method finds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gpr.bench.titles import catalogue_of, recombined
from gpr.data.dataset import Dataset, Request
from gpr.lm.base import Base
from gpr.lm.prompts import Ids, Prompts
from gpr.lm.tree import TreeDecoder

K, SHORTLIST = 10, 100
QUERIES = (
    "a funny film about a talking animal for the whole family",
    "a detective hunts a serial killer in a rainy city",
    "two people fall in love on a long train journey",
    "space adventure with robots and a princess",
    "a black and white classic about newspapers and power",
    "soldiers in the jungle, the horror of war",
    "a shy boy learns to fight and wins a tournament",
    "something like Alien but less scary and shorter",
    "musical with singing and dancing in the rain",
    "a heist goes wrong and nobody can be trusted",
)
CURVE = (10_000, 100_000)
"""Items of the made catalogues."""
Tell = Callable[[float, str], None]


def decode(dataset: Dataset, base: Base, tell: Tell) -> dict[str, Any]:
    """The figures of the module's docstring, ready for JSON, for a data set with histories."""
    prompts = Prompts(base.tokenizer, dataset.catalogue)
    decoder = TreeDecoder(base.model, prompts.trie, prompts.openings)
    requests = [Request(query) for query in QUERIES]
    requests += [Request("", sequence.items[:K]) for sequence in dataset.sequences[: len(QUERIES)]]
    asked = [prompts.request(request).ids for request in requests]
    prior = decoder.score_all([prompts.request(Request()).ids])[0].numpy()
    decoder.expect(prior)
    truth = [row.topk(K).indices.tolist() for row in decoder.score_all(asked)]
    found: dict[str, list[list[int]]] = {"top_k": [], "generate_10": [], "generate_50": []}
    times: dict[str, list[float]] = {}
    allowed, beams = _most_common_genre(dataset), _BeamSearch(base, prompts.titles)
    expanded: list[int] = []
    ways: dict[str, Callable[[Ids], list[int]]] = {
        "floor": lambda ids: decoder.read([ids]).lengths.tolist(),
        "top_k": partial(_best, decoder),
        "score_all": lambda ids: decoder.score(decoder.read([ids]))[0].topk(K).indices.tolist(),
        "top_k_bias": lambda ids: decoder.top_k([ids], K, -prior, allowed)[0].items.tolist(),
        "shortlist": partial(_shortlist, decoder),
        "generate_10": lambda ids: beams(ids, 10),
        "generate_50": lambda ids: beams(ids, 50),
    }
    for number, ids in enumerate(asked):
        tell(number / len(asked), f"request {number + 1} of {len(asked)}")
        for name, way in ways.items():
            seconds, items = _time(partial(way, ids), 1 if name.startswith("generate") else 3)
            times.setdefault(name, []).append(seconds)
            if name in found:
                found[name].append(items)
        expanded.append(decoder.top_k([ids], K)[0].expanded)
    tell(1.0, "batches and larger catalogues")
    table = {name: np.array(seconds) for name, seconds in times.items()}
    recalls = {name: _recall(lists, truth) for name, lists in found.items()}
    return {
        **{f"{name}_s": _median(seconds) for name, seconds in table.items()},
        "floor_ratio": _median(table["top_k"] / table["floor"]),
        "shortlist_share_of_bar": _median(table["shortlist"] / (2 * table["floor"] + 1)),
        "bias_ratio": _median(table["top_k_bias"] / table["score_all"]),
        "faster_than_generate_10": _median(table["generate_10"] / table["top_k"]),
        "faster_than_generate_50": _median(table["generate_50"] / table["top_k"]),
        "recall": recalls,
        "expanded": float(np.median(expanded)),
        "batch_speedup": _batch_speedup(decoder, prompts, dataset),
        "curve": [_curve_point(base, list(dataset.catalogue.titles), asked), *_curve(dataset, base, asked, tell)],
    }


def _best(decoder: TreeDecoder, ids: Ids) -> list[int]:
    return [int(item) for item in decoder.top_k([ids], K)[0].items]


def _shortlist(decoder: TreeDecoder, ids: Ids) -> list[int]:
    reading = decoder.read([ids], ahead=True)
    items = decoder.best_behind(reading, SHORTLIST).items
    return [int(item) for item in items[np.argsort(-decoder.likelihoods(reading, items)[1][0])]]


def _time(way: Callable[[], list[int]], repeats: int) -> tuple[float, list[int]]:
    """The best of some repeats in seconds, and the answer."""
    best, answer = float("inf"), []
    for _ in range(repeats):
        start = time.perf_counter()
        answer = way()
        best = min(best, time.perf_counter() - start)
    return best, answer


def _median(values: np.ndarray) -> float:
    return round(float(np.median(values)), 4)


def _recall(lists: Sequence[Sequence[int]], truth: Sequence[Sequence[int]]) -> float:
    hits = [len(set(one) & set(true)) / len(true) for one, true in zip(lists, truth, strict=True)]
    return round(float(np.mean(hits)), 4)


def _most_common_genre(dataset: Dataset) -> np.ndarray:
    """(N,) whether an item is of the genre that most items have."""
    column = next(name for name in ("genre", "genres", "category") if name in dataset.catalogue.table)
    genres = dataset.catalogue.table[column].astype(str).str.split(r"[,|]\s*", regex=True)
    most = genres.explode().value_counts().index[0]
    return np.array([most in own for own in genres])


class _BeamSearch:
    """transformers' `generate`, which may only follow the trie, one step a token."""

    def __init__(self, base: Base, titles: Sequence[Ids]) -> None:
        self._model, self._end = base.model, titles[0][-1]
        self._number = {tuple(title): item for item, title in enumerate(titles)}
        self._longest = max(map(len, titles))
        follow: dict[tuple[int, ...], set[int]] = {}
        for title in titles:
            for at, token in enumerate(title):
                follow.setdefault(tuple(title[:at]), set()).add(token)
        self._follow = {prefix: sorted(tokens) for prefix, tokens in follow.items()}

    @torch.inference_mode()
    def __call__(self, ids: Ids, beams: int) -> list[int]:
        """The ten best titles that the beams hold in the end."""
        out = self._model.generate(
            torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            num_beams=beams,
            num_return_sequences=K,
            do_sample=False,
            length_penalty=0.0,
            renormalize_logits=True,
            max_new_tokens=self._longest,
            eos_token_id=self._end,
            pad_token_id=self._end,
            prefix_allowed_tokens_fn=lambda _, so_far: self._follow.get(
                tuple(so_far[len(ids) :].tolist()), [self._end]
            ),
        )
        rows = [row[: row.index(self._end) + 1] if self._end in row else row for row in out[:, len(ids) :].tolist()]
        return [self._number[tuple(row)] for row in rows if tuple(row) in self._number]


def _batch_speedup(decoder: TreeDecoder, prompts: Prompts, dataset: Dataset, size: int = 64) -> float:
    """How much faster `size` requests are in batches than one by one; half of them are histories."""
    queries = [Request(QUERIES[at % len(QUERIES)] + f" {at}") for at in range(size // 2)]
    histories = [Request("", sequence.items[:K]) for sequence in dataset.sequences[: size // 2]]
    asked = [prompts.request(request).ids for request in queries + histories]

    def together() -> list[int]:
        decoder.top_k(asked, K)
        return []

    def alone() -> list[int]:
        for ids in asked:
            decoder.top_k([ids], K)
        return []

    return round(_time(alone, 2)[0] / _time(together, 2)[0], 3)


def _curve(dataset: Dataset, base: Base, asked: Sequence[Ids], tell: Tell) -> list[dict[str, float]]:
    points = []
    for size in CURVE:
        tell(1.0, f"a catalogue of {size:,} titles")
        points.append(_curve_point(base, recombined(dataset.catalogue.titles, size, seed=0), asked))
    return points


def _curve_point(base: Base, titles: Sequence[str], asked: Sequence[Ids]) -> dict[str, float]:
    """Items, seconds to build the trie with tokenisation, median seconds of `top_k`, and the trie's bytes."""
    start = time.perf_counter()
    trie = Prompts(base.tokenizer, catalogue_of(titles)).trie
    build = time.perf_counter() - start
    decoder = TreeDecoder(base.model, trie)
    seconds = [_time(partial(_best, decoder, ids), 2)[0] for ids in asked]
    return {
        "items": len(titles),
        "build_s": round(build, 3),
        "top_k_s": _median(np.array(seconds)),
        "trie_bytes": trie.nbytes,
        "token_bytes": trie.tokens.nbytes,
    }


def draw(figures: dict[str, Any], path: Path) -> None:
    """The curve as a picture: seconds of `top_k` against the size of the catalogue."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    points = figures["curve"]
    figure, axes = pyplot.subplots(figsize=(6, 4), dpi=120)
    axes.plot([point["items"] for point in points], [point["top_k_s"] for point in points], marker="o")
    axes.set(xscale="log", xlabel="items", ylabel="seconds, median", title="top 10, exact", ylim=(0, None))
    axes.axhline(figures["floor_s"], linestyle="--", label="one pass over the prompt")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
