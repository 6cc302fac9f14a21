"""What is trained is what is asked: the loss of a row against what the decoder says of its requests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from gpr.data.dataset import Catalogue, Dataset, Example, Request, Sequence
from gpr.learn.joint import JointModel
from gpr.learn.rows import training_rows
from gpr.lm.prompts import MAX_HISTORY, Prompts
from gpr.lm.tree import TreeDecoder
from gpr.scorers.gpt import Gpt
from gpr.scorers.match import Match
from tests.small_models import with_lora

PAIRS = (Example(Request("marines in space"), 3), Example(Request("梦", (), "age 24"), 7))
LONG = tuple([3, 0, 9, 7, 1] * 5)
HISTORIES = (Sequence((2, 3, 0, 9), "age 24, job student"), Sequence(LONG), Sequence((4, 6)))


WEIGHTS = {"generate": 1.0, "match": 1.0}


def joint_of(model: Any, prompts: Prompts, trained_layers: int = 1, **more: float) -> JointModel:
    return JointModel(model, prompts, Match(model.config.hidden_size), trained_layers, WEIGHTS | more).eval()


@pytest.fixture
def small_model(tiny_model: Any) -> Any:
    """The tiny model with random LoRA in its upper half."""
    return with_lora(tiny_model)


@pytest.fixture
def joint(small_model: Any, prompts: Prompts) -> JointModel:
    return joint_of(small_model, prompts)


def dataset(catalogue: Catalogue) -> Dataset:
    return Dataset("d", catalogue, {"train": PAIRS, "valid": (), "test": ()}, HISTORIES)


def requests_of_rows() -> list[list[tuple[Request, int]]]:
    """For each row of the pairs and histories, in their order, each target with its request."""
    found = [[(example.request, example.item)] for example in PAIRS]
    for sequence in HISTORIES:
        for start in range(0, len(sequence.items) - 1, MAX_HISTORY):
            window = sequence.items[start : start + MAX_HISTORY + 1]
            found.append([(Request("", window[:at], sequence.user), window[at]) for at in range(1, len(window))])
    return found


def test_the_trie_loss_is_minus_the_decoders_log_probability(
    joint: JointModel, small_model: Any, prompts: Prompts
) -> None:
    rows, expected = training_rows(dataset(prompts.catalogue), prompts, 0), requests_of_rows()
    decoder = TreeDecoder(small_model, prompts.trie)
    everything = 0.0
    for number, asked in enumerate(expected):
        assert rows[number].items.tolist() == [item for _, item in asked]
        scores = decoder.score_all([prompts.request(request).ids for request, _ in asked])
        log_prob = float(scores[torch.arange(len(asked)), torch.tensor([item for _, item in asked])].sum())
        with torch.no_grad():
            joint([number], [rows[number]])
        assert joint.parts["generate"] * len(asked) == pytest.approx(-log_prob, abs=1e-3)
        everything -= log_prob
    together = list(range(len(expected)))
    with torch.no_grad():
        joint(together, [rows[number] for number in together])
    count = sum(len(asked) for asked in expected)
    assert joint.parts["generate"] == pytest.approx(everything / count, abs=1e-3)


def test_the_title_loss_is_minus_the_decoders_likelihood(small_model: Any, prompts: Prompts) -> None:
    joint, decoder = joint_of(small_model, prompts, title=1.0), TreeDecoder(small_model, prompts.trie)
    rows, expected = training_rows(dataset(prompts.catalogue), prompts, 0, whole=True), requests_of_rows()
    for number in (0, 1, 2):
        reading = decoder.read([prompts.request(request).ids for request, _ in expected[number]])
        items = np.array([[item] for _, item in expected[number]])
        with torch.no_grad():
            joint([number], [rows[number]])
        likelihoods = decoder.likelihoods(reading, items, exact=True)[1]
        assert joint.parts["title"] == pytest.approx(-likelihoods.mean(), abs=1e-3)


def test_a_part_of_many_titles_tokens_stands_for_all(small_model: Any, prompts: Prompts) -> None:
    joint = joint_of(small_model, prompts, title=1.0)
    rows = training_rows(dataset(prompts.catalogue), prompts, 0, whole=True)
    several = list(range(len(requests_of_rows())))
    with torch.no_grad(), pytest.MonkeyPatch.context() as patch:
        joint(several, [rows[number] for number in several])
        whole, parts = joint.parts["title"], []
        patch.setattr("gpr.learn.joint.TITLE_TOKENS", 40)
        for _ in range(60):
            joint(several, [rows[number] for number in several])
            parts.append(joint.parts["title"])
    assert np.std(parts) > 0
    assert np.mean(parts) == pytest.approx(whole, rel=0.05)


def test_a_head_learns_with_the_model_where_the_items_are_labels(small_model: Any, prompts: Prompts) -> None:
    joint = joint_of(small_model, prompts, head=1.0)
    rows = training_rows(dataset(prompts.catalogue), prompts, 0)
    assert joint.head is not None
    joint.head.learn_spread(joint.request_features(rows, [0, 1, 2]))
    joint([0, 1], rows[:2])
    assert joint.parts["head"] == pytest.approx(np.log(len(prompts.catalogue)), abs=1e-4), "it starts from nothing"
    optimizer = torch.optim.AdamW([p for p in joint.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(10):
        joint([0, 1], rows[:2])["loss"].backward()
        optimizer.step()
        optimizer.zero_grad()
    with torch.no_grad():
        log_probs = joint.head.log_probs(joint.request_features(rows, [0, 1]))
    order = sorted((0, 1), key=lambda number: len(rows[number].ids))
    assert log_probs.argmax(1).tolist() == [int(rows[number].items[0]) for number in order]


def test_with_frozen_layers_kept_or_not_the_losses_are_the_same(
    joint: JointModel, small_model: Any, prompts: Prompts
) -> None:
    rows = training_rows(dataset(prompts.catalogue), prompts, 0)
    whole = joint_of(small_model, prompts, trained_layers=2)
    whole.match.load_state_dict(joint.match.state_dict())
    numbers = [0, 1, 2, 3]
    with torch.no_grad():
        for _ in range(2):
            losses = [float(one(numbers, [rows[number] for number in numbers])["loss"]) for one in (joint, whole)]
            assert losses[0] == pytest.approx(losses[1], abs=1e-4)


def test_the_items_features_are_those_that_requests_are_answered_with(
    joint: JointModel, small_model: Any, prompts: Prompts
) -> None:
    gpt = Gpt(small_model, prompts)
    torch.testing.assert_close(joint.item_features(), gpt.item_features, atol=1e-4, rtol=1e-3)


def test_the_requests_features_are_those_that_requests_are_answered_with(
    joint: JointModel, small_model: Any, prompts: Prompts
) -> None:
    rows, gpt = training_rows(dataset(prompts.catalogue), prompts, 0), Gpt(small_model, prompts)
    for number, asked in enumerate(requests_of_rows()):
        found = joint.request_features(rows, [number])
        expected = gpt.text_features([prompts.request(request) for request, _ in asked])
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)


def test_lora_and_both_maps_learn_and_nothing_else(joint: JointModel, prompts: Prompts) -> None:
    rows = training_rows(dataset(prompts.catalogue), prompts, 0)
    joint([0, 2], [rows[0], rows[2]])["loss"].backward()
    learning = {name for name, p in joint.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert learning == {name for name, p in joint.named_parameters() if p.requires_grad}
    assert all("lora_" in name or name.startswith("match.") for name in learning)
    assert {name.split(".")[1] for name in learning if name.startswith("match.")} == {"request", "item"}


def test_steps_lower_the_loss(joint: JointModel, prompts: Prompts) -> None:
    rows = training_rows(dataset(prompts.catalogue), prompts, 0)
    optimizer = torch.optim.AdamW([p for p in joint.parameters() if p.requires_grad], lr=5e-3)
    losses = []
    for _ in range(20):
        loss = joint([0, 1, 2], rows[:3])["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 2
    assert np.isfinite(losses).all()
    assert set(joint.parts) >= {"generate", "match"}
