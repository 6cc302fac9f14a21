"""All that takes part in a recommendation: the parts of the GPT, and the scorers that learn from the data at once.

It knows scorers by name; what each part weighs is the business of the pool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from gpr.data.dataset import Dataset, Request
from gpr.scorers.encoder import EncoderScorer, encoder_folder
from gpr.scorers.popular import Cold, Popular
from gpr.scorers.scorer import Scorer, Scores
from gpr.scorers.taste import taste_scorers
from gpr.scorers.wording import Wording, knows_enough
from gpr.scorers.words import Words

if TYPE_CHECKING:
    from torch import Tensor

    from gpr.lm.reading import Reading
    from gpr.lm.trie import Ints
    from gpr.scorers.gpt import Gpt
    from gpr.scorers.sequence import SequenceModel


def scorers_of(dataset: Dataset, sequence: SequenceModel | None = None) -> dict[str, Scorer]:
    """By name, what a data set's training part teaches within seconds, and what a run has learned of histories."""
    words = Words(dataset, with_queries=True)
    scorers: dict[str, Scorer] = {"words": words, "popular": Popular(dataset), "cold": Cold(dataset)}
    if folder := encoder_folder():
        scorers["encoder"] = EncoderScorer(dataset, folder)
    scorers |= taste_scorers(dataset)
    if knows_enough(dataset):
        scorers["wording"] = Wording(dataset)
    if sequence:
        from gpr.scorers.sequence import SequenceScorer

        scorers["sequence"] = SequenceScorer(sequence)
    return scorers


def text_vectors(gpt: Gpt) -> Tensor:
    """(N, D) the GPT's vectors of the items' texts, of about unit variance, as `sequence` takes them."""
    import torch

    with torch.no_grad():
        vectors = gpt.match.item_vectors(gpt.item_features)
        return vectors * float(vectors.shape[1] ** 0.5)


class Ensemble:
    """Scores of every part for the same requests.

    Args:
        gpt: `generate`, `match`, `prior` and whatever else it answers. others: by name, over the same catalogue.
    """

    def __init__(self, gpt: Gpt, others: Mapping[str, Scorer]) -> None:
        self.gpt, self.others = gpt, dict(others)

    def score(
        self, requests: Sequence[Request], progress: Callable[[float], None] = lambda share: None
    ) -> dict[str, Scores]:
        """Part -> (B, N)."""
        return self.gpt.score_parts(requests, progress) | self._of_others(requests)

    def shortlist(self, requests: Sequence[Request], items: Ints) -> dict[str, Scores]:
        """The same with the parts that read titles of S items alone, (B, S)."""
        return self.gpt.score_parts(requests, items=items) | self._of_others(requests)

    def read(self, request: Request) -> tuple[Reading, dict[str, Scores]]:
        """A request that has been read, for titles to be read behind it, and what all other parts say: (1, N)."""
        reading, parts = self.gpt.read(request)
        return reading, parts | self._of_others([request])

    def _of_others(self, requests: Sequence[Request]) -> dict[str, Scores]:
        return {name: scorer.score_all(requests) for name, scorer in self.others.items()}
