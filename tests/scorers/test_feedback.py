from __future__ import annotations

import numpy as np
import pytest

from gpr.data.dataset import Dataset, Request
from gpr.labels.label import Label
from gpr.ranking import Scored, Wish, probabilities
from gpr.scorers.feedback import MOST, NAME, NEARBY, STRENGTH, Feedback
from gpr.scorers.pool import Pool


def said(dataset: Dataset, query: str, item: int, verdict: str, history: tuple[int, ...] = ()) -> Label:
    ids = dataset.catalogue.item_ids
    past = tuple(ids[number] for number in history)
    return Label("r", query, past, ids[item], "t", "", 0.5, -0.7, 1, verdict, "ada")  # type: ignore[arg-type]


JUDGED = ((0, "good"), (1, "bad"))


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
    feedback = Feedback([said(films, "", 0, "good", (1, 2, 3))], films)
    assert feedback.scores(Request("", (1, 2, 3)))[0] == pytest.approx(STRENGTH["good"])
    assert feedback.scores(Request("", (2, 3)))[0] == pytest.approx(NEARBY["good"] * 2 / 3)
    assert not feedback.scores(Request("", (3,))).any()


def test_many_labels_move_an_item_so_far_and_no_further(films: Dataset) -> None:
    feedback = Feedback([said(films, "dreams", 0, "bad") for _ in range(9)], films)
    assert feedback.scores(Request("dreams"))[0] == -MOST
    assert not Feedback([], films).scores(Request("dreams")).any()
    assert Feedback([said(films, "?!", 0, "good")], films).scores(Request("?!"))[0] == STRENGTH["good"]


def test_what_is_moved_still_sums_to_one_and_its_share_is_told(films: Dataset) -> None:
    before = np.log(np.linspace(0.15, 0.05, 10))[None]
    moved = np.where(np.arange(10) == 1, 2.0, 0.0)
    scored = Scored(films, Request("dreams"), Pool.same(match=1.0), {"match": before}, moved)
    log_probs, shares = probabilities(scored, Wish())
    assert np.exp(log_probs).sum() == pytest.approx(1)
    assert log_probs.argmax() == 1
    assert (np.exp(log_probs) * shares[NAME]).sum() == pytest.approx(0, abs=1e-6)
    assert shares[NAME][1] > 0 > shares[NAME][0]


def test_strengths_are_fitted_on_what_labels_foretell(films: Dataset) -> None:
    honest = [
        said(films, f"flying in dreams at night over the sea {word}", item, verdict)
        for word in "abcdefgh"
        for item, verdict in JUDGED
    ]
    fickle = [
        said(films, f"flying in dreams at night over the sea {word}", item, "bad")
        for word in "abcdefgh"
        for item, _ in JUDGED
    ]
    contrary = [
        said(films, f"flying in dreams at night over the sea {w}", 0, v)
        for w, v in zip("abcdefgh", ["good", "bad"] * 4, strict=True)
    ]
    sure = Feedback(honest, films).fitted().strength
    assert sure["good"] > NEARBY["good"] + 0.1
    assert 0 <= Feedback(contrary, films).fitted().strength["good"] < sure["good"]
    assert Feedback(fickle, films).fitted().strength["bad"] < 0
    request = Request("flying in dreams at night over the sea a")
    assert Feedback(contrary, films).fitted().scores(request)[0] < Feedback(honest, films).fitted().scores(request)[0]


def test_labels_of_one_request_alone_fit_nothing(films: Dataset) -> None:
    alone = [said(films, "dreams", 0, "good"), said(films, "Dreams ", 0, "bad"), said(films, "sharks", 1, "bad")]
    assert Feedback(alone, films).fitted().strength == NEARBY
    assert Feedback([], films).fitted().strength == NEARBY
