"""A loaded model on a catalogue, ready to answer. It knows neither the workspace nor who asks."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gpr.cache import cache_folder
from gpr.data.dataset import Dataset, Example, Request
from gpr.errors import GPRError, RequestError
from gpr.explain.examples import Examples
from gpr.explain.scoring import Scoring
from gpr.explain.why import Explainer
from gpr.files import written_whole
from gpr.latest import Latest
from gpr.lm.base import Base
from gpr.lm.prompts import MAX_HISTORY, Prompts
from gpr.lm.trie import Ints
from gpr.ranking import Scored, Wish, rank
from gpr.recommendation import Recommendation
from gpr.scorers.adapter import adapter_digest, load_adapter, load_examples, load_item_features
from gpr.scorers.ensemble import Ensemble, scorers_of, text_vectors
from gpr.scorers.feedback import Feedback
from gpr.scorers.gpt import Gpt, fingerprint
from gpr.scorers.head import load_head
from gpr.scorers.pool import PLAUSIBILITY, Pool
from gpr.scorers.sequence import load_sequence
from gpr.stages import NONE, Stages

KEPT_EXPLAINERS = 16
"""Answers whose reasons are kept, for the next card of the same answer."""
Tell = Callable[[float, str], None]


class Recommender:
    """Answers requests over one catalogue with one model.

    Args:
        run: the run's name, '' for the base model zero-shot. taught: what it knows beyond the examples of the data.
    """

    def __init__(
        self, dataset: Dataset, ensemble: Ensemble, pool: Pool, run: str, model_key: str, taught: Sequence[Example] = ()
    ) -> None:
        self.dataset, self.ensemble, self.pool, self.run = dataset, ensemble, pool, run
        self._taught = taught
        self._model_key = model_key
        self._lock = threading.Lock()
        self._explainers: Latest[Explainer] = Latest(KEPT_EXPLAINERS)

    @property
    def title(self) -> str:
        return f"{self.dataset.name} · {f'run {self.run}' if self.run else 'base model, not fine-tuned'}"

    def identity(self) -> str:
        """Names the model, the catalogue and the examples: equal for equal answers."""
        digest = hashlib.sha256(f"{self._model_key} {fingerprint(self.ensemble.gpt.prompts)}".encode())
        for split, examples in self.dataset.examples.items():
            digest.update(f"{split} {examples}".encode())
        return digest.hexdigest()[:16]

    def recommend(self, request: Request, k: int = 10, feedback: Feedback | None = None) -> list[Recommendation]:
        """The k most probable items, best first; fewer where the catalogue has fewer. Items of the history are left
        out.

        Args:
            feedback: labels that move items at once; its part is added to the shares under its name.

        Raises:
            RequestError: the request is empty or too long, k is not positive, or nothing is left to recommend.
        """
        wish = Wish(k)
        return rank(self.score(request, feedback, wish), wish)

    def score(
        self, request: Request, feedback: Feedback | None = None, wish: Wish | None = None, also: Ints = NONE
    ) -> Scored:
        """What all parts say of every item, for `rank`; in a large catalogue of its candidates, which hold all that
        the wish could list, and the items (A,) in `also`.

        Raises:
            RequestError: the request is empty or too long, or nothing is left to recommend.
        """
        return self.begin(request, feedback, wish).scored(also)

    def begin(self, request: Request, feedback: Feedback | None = None, wish: Wish | None = None) -> Stages:
        """The same in stages: what is shown first, and what follows. The model reads the request here.

        Raises:
            RequestError: the request is empty or too long, or its history holds the whole catalogue.
        """
        request = request.checked(len(self.dataset.catalogue))
        if len(set(request.history)) == len(self.dataset.catalogue):
            raise RequestError("The history holds the whole catalogue.", hint="Leave out what may be recommended.")
        with self._lock:
            reading, parts = self.ensemble.read(request)
        moved = feedback.scores(request) if feedback else None
        unscored = Scored(self.dataset, request, self.pool, parts, moved, self._vectors)
        return Stages(self.ensemble, unscored, wish or Wish(), reading, self._lock)

    def explainer(
        self, scored: Scored, answer: list[Recommendation], feedback: Feedback | None = None, wish: Wish | None = None
    ) -> Explainer:
        """What explains an answer that was ranked from these scores, with the same feedback and for the same wish."""
        key = (scored.request, tuple((found.number, found.log_prob) for found in answer))
        with self._lock:
            scoring = Scoring(scored, self.ensemble, wish or Wish(), feedback)
            return self._explainers.get(key) or self._explainers.put(key, Explainer(scoring, self._examples, answer))

    @cached_property
    def _examples(self) -> Examples:
        return Examples(self.dataset.with_examples(self._taught))

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        """(N, D) of unit length, alike for like items."""
        return self.ensemble.gpt.item_vectors(range(len(self.dataset.catalogue)))


def load_recommender(
    dataset: Dataset, base: Base, adapter: Path | None, run: str, tell: Tell, window: int = MAX_HISTORY
) -> Recommender:
    """Puts a model, its adapter and a catalogue together. The catalogue's features are kept in the cache folder.

    Args:
        window: items of a history that are read, as in training.

    Raises:
        ModelError: the adapter is damaged or does not fit the base model.
    """
    model, match, pool = load_adapter(adapter, base.model) if adapter else (base.model, None, Pool())
    prompts = Prompts(base.tokenizer, dataset.catalogue, window)
    model_key = f"{base.name}-{adapter_digest(adapter) if adapter else 'base'}"
    kept = cache_folder() / "features" / f"{hashlib.sha256(model_key.encode()).hexdigest()[:12]}-{fingerprint(prompts)}"
    features = load_item_features(adapter or kept, fingerprint(prompts))
    if features is None:
        features = load_item_features(kept, fingerprint(prompts))
    known = features is not None
    head = load_head(adapter, len(dataset.catalogue)) if adapter else None
    gpt = Gpt(
        model,
        prompts,
        match,
        features.to(base.device) if known else None,
        lambda share: tell(share, f"Reading the catalogue… {share:.0%}"),
        kept.with_name(f"{kept.name}-prior.npy"),
        head=head.to(base.device) if head else None,
        titles=pool.weighs(PLAUSIBILITY),
    )
    if not known:
        _keep(kept, gpt)
    sequence = load_sequence(adapter, dataset.catalogue, text_vectors(gpt)) if adapter else None
    taught = load_examples(adapter, dataset.catalogue) if adapter else []
    others = scorers_of(dataset.with_validation().with_examples(taught), sequence)
    return Recommender(dataset, Ensemble(gpt, others), pool, run, model_key, taught)


def _keep(folder: Path, gpt: Gpt) -> None:
    from safetensors.torch import save_file

    from gpr.scorers.adapter import FEATURES, compact

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(folder) as partial:
            partial.mkdir()
            save_file({fingerprint(gpt.prompts): compact(gpt.item_features)}, partial / FEATURES)
    except (OSError, GPRError):
        return  # the cache saves time, nothing else
