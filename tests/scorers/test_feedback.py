from __future__ import annotations

import numpy as np
import pytest

from gpr.data.dataset import Dataset, Request
from gpr.labels.label import Label
from gpr.recommender import _moved
from gpr.scorers.feedback import MOST, STRENGTH, Feedback


def said(dataset: Dataset, query: str, item: int, verdict: str, history: tuple[int, ...] = ()) -> Label:
    ids = dataset.catalogue.item_ids
    past = tuple(ids[number] for number in history)
    return Label("r", query, past, ids[item], "t", "", 0.5, -0.7, 1, verdict, "ada")  # type: ignore[arg-type]


def test_a_label_moves_its_item_for_that_request_and_less_for_similar_ones(films: Dataset) -> None:
    labels = [said(films, "a film about dreams", 0, "good"), said(films, "a film about dreams", 1, "bad")]
    labels += [said(films, "something with sharks", 2, "good"), said(films, "a film about dreams", 3, "skip")]
    feedback = Feedback(labels, films)
    assert len(feedback) == 3
    same = feedback.scores(Request("A film  about DREAMS"))
    assert same[:4] == pytest.approx([STRENGTH["good"], STRENGTH["bad"], 0, 0])
    near = feedback.scores(Request("film of dreams"))
    assert 0 < near[0] < same[0]
    assert same[1] < near[1] < 0
    assert not feedback.scores(Request("unrelated words")).any()
    assert not feedback.scores(Request("", (4,))).any()


def test_histories_are_similar_by_what_they_share(films: Dataset) -> None:
    feedback = Feedback([said(films, "", 0, "good", (1, 2))], films)
    assert feedback.scores(Request("", (1, 2)))[0] == pytest.approx(STRENGTH["good"])
    assert feedback.scores(Request("", (2, 3)))[0] == pytest.approx(STRENGTH["good"] / 3)
    assert not feedback.scores(Request("", (3,))).any()


def test_many_labels_move_an_item_so_far_and_no_further(films: Dataset) -> None:
    feedback = Feedback([said(films, "dreams", 0, "bad") for _ in range(9)], films)
    assert feedback.scores(Request("dreams"))[0] == -MOST
    assert not Feedback([], films).scores(Request("dreams")).any()
    assert Feedback([said(films, "?!", 0, "good")], films).scores(Request("?!"))[0] == STRENGTH["good"]


def test_what_is_moved_still_sums_to_one_and_its_share_is_told() -> None:
    before = np.log(np.array([[0.5, 0.3, 0.2]]))
    after, share = _moved(before, np.array([[0.0, 2.0, 0.0]]))
    assert np.exp(after).sum() == pytest.approx(1)
    assert after[0].argmax() == 1
    assert (np.exp(after) * share).sum() == pytest.approx(0)
    assert share[0, 1] > 0 > share[0, 0]
