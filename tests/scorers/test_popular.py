from __future__ import annotations

import numpy as np
import pytest

from gpr.data.dataset import Dataset, Example, Request, Sequence
from gpr.scorers.popular import Cold, Popular
from tests.small_data import catalogue_of

PAIRS = (Example(Request("q"), 2), Example(Request("p"), 2), Example(Request("r"), 0))


def test_training_pairs_and_histories_are_counted_and_nothing_else() -> None:
    tested = (Example(Request("t"), 1),) * 9
    data = Dataset(
        "d", catalogue_of("ABC"), {"train": PAIRS, "valid": tested, "test": tested}, (Sequence((2, 0)), Sequence((2,)))
    )
    scores = Popular(data).score_all([Request("x"), Request("", (1,))])
    np.testing.assert_allclose(np.exp(scores), [[3 / 9, 1 / 9, 5 / 9]] * 2, rtol=1e-5)


def test_what_neither_a_training_pair_nor_a_training_history_has_is_cold() -> None:
    tested = (Example(Request("t"), 1),)
    data = Dataset("d", catalogue_of("ABCD"), {"train": PAIRS, "valid": tested, "test": tested}, (Sequence((2, 3)),))
    np.testing.assert_array_equal(Cold(data).score_all([Request("x"), Request("", (1,))]), [[0, 1, 0, 0]] * 2)


def test_without_training_all_items_are_equal() -> None:
    data = Dataset("d", catalogue_of("ABC"), {"train": (), "valid": (), "test": ()})
    assert np.exp(Popular(data).score_all([Request()])) == pytest.approx(1 / 3)
    assert np.ptp(Cold(data).score_all([Request()])) == 0


def test_the_most_chosen_film_is_first(films: Dataset) -> None:
    assert films.catalogue.titles[int(Popular(films).score_all([Request()])[0].argmax())] == "Aliens"
