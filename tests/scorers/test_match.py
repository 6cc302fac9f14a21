"""The two towers: features of spans, and a whitening that finds pairs where the plain cosine cannot."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from gpr.scorers.match import BLOCKS, Match, Spans, features

H = 32


def pairs(count: int = 40) -> tuple[Tensor, Tensor]:
    """Requests and their items, (count, F) each: a little in common, below a large offset and a loud direction."""
    random = torch.Generator().manual_seed(0)

    def normal(*size: int) -> Tensor:
        return torch.randn(*size, generator=random)

    meaning = normal(count, 8)
    blocks = []
    for _ in range(BLOCKS):
        spread, loud = normal(8, H), normal(1, H)
        blocks.append([meaning @ spread + 3 * normal(count, 1) @ loud + 50 * normal(1, H) for _ in range(2)])
    requests, items = (torch.cat([block[side] for block in blocks], 1) for side in range(2))
    return requests, items


def first_of(scores: Tensor) -> float:
    """The share of requests whose own item is first."""
    return float((scores.argmax(1) == torch.arange(len(scores))).float().mean())


def test_whitening_finds_the_pairs_that_the_plain_cosine_cannot() -> None:
    requests, items = pairs()
    match = Match(H)
    match.whiten(requests, items)
    with torch.no_grad():
        found = match.log_probs(match.request_vectors(requests), match.item_vectors(items))
    assert first_of(normalize(requests, dim=1) @ normalize(items, dim=1).T) < 0.2
    assert first_of(found) > 0.7


def test_vectors_have_unit_length_and_log_probabilities_sum_to_one() -> None:
    requests, items = pairs()
    match = Match(H)
    match.whiten(requests, items)
    with torch.no_grad():
        vectors = match.request_vectors(requests), match.item_vectors(items)
        found = match.log_probs(vectors[0][:5], vectors[1])
    for part in vectors:
        torch.testing.assert_close(part.norm(dim=1), torch.ones(len(part)))
    assert found.shape == (5, 40)
    torch.testing.assert_close(found.exp().sum(1), torch.ones(5))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_texts_are_enough(count: int) -> None:
    requests, items = (part[:count] for part in pairs())
    match = Match(H)
    match.whiten(requests, items)
    with torch.no_grad():
        found = match.log_probs(match.request_vectors(requests), match.item_vectors(items))
    assert torch.isfinite(found).all()


def test_equal_texts_are_no_trouble() -> None:
    same = torch.ones(4, BLOCKS * H)
    match = Match(H)
    match.whiten(same, same)
    with torch.no_grad():
        assert torch.isfinite(match.log_probs(match.request_vectors(same), match.item_vectors(same))).all()


def test_features_are_means_over_the_span_and_the_last_state() -> None:
    random = torch.Generator().manual_seed(0)
    states = [torch.randn(2, 6, H, generator=random) for _ in range(BLOCKS - 1)]
    spans = Spans(*(torch.tensor(column) for column in ([1, 0, 1], [2, 0, 3], [5, 1, 3], [5, 4, 3])))
    found = features(tuple(states[:-1]), states[-1], spans)
    assert (found.shape, found.dtype) == ((3, BLOCKS * H), torch.float32)
    torch.testing.assert_close(found[0], torch.cat([*(state[1, 2:5].mean(0) for state in states), states[-1][1, 5]]))
    torch.testing.assert_close(found[1], torch.cat([*(state[0, 0] for state in states), states[-1][0, 4]]))
    empty = torch.zeros((BLOCKS - 1) * H)
    torch.testing.assert_close(found[2], torch.cat([empty, states[-1][1, 3]]))


def test_features_of_half_precision_are_single() -> None:
    half = torch.ones(1, 3, H, dtype=torch.bfloat16)
    spans = Spans(*(torch.tensor([number]) for number in (0, 0, 3, 2)))
    assert features((half,) * (BLOCKS - 2), half, spans).dtype == torch.float32
