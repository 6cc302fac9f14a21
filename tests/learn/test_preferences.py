"""The preference loss: its formula, what it starts from, and that it moves the right way."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from gpr.data.dataset import Request
from gpr.learn.lessons import Lesson
from gpr.learn.preferences import PreferenceModel, log_of_rest, preference_loss
from gpr.learn.teaching import lesson_rows
from gpr.lm.prompts import Prompts
from gpr.scorers.gpt import Gpt
from gpr.scorers.match import Match
from gpr.scorers.pool import Pool
from tests.small_models import with_lora

ASKED, ALONE = Request("marines in space"), Request("a quiet day")
LESSONS = (Lesson(ASKED, 3, True), Lesson(ASKED, 1, False), Lesson(ALONE, 2, False))
POOL = Pool.same(generate=0.7, match=0.4)


@pytest.fixture
def joint(tiny_model: Any, prompts: Prompts) -> PreferenceModel:
    rows, rejected = lesson_rows(LESSONS, prompts, POOL)
    model = with_lora(tiny_model)
    match = Match(model.config.hidden_size)
    joint = PreferenceModel(model, prompts, match, 1, {"generate": 0.3, "match": 1.0}, rows, rejected)
    joint.remember()
    return joint


def test_the_loss_is_the_formula() -> None:
    chosen, rejected = (-1.5, -2.0), (-3.0, -2.2)  # log-probabilities: now, before
    margin = 0.5 * ((chosen[0] - chosen[1]) - (rejected[0] - rejected[1]))
    expected = -math.log(1 / (1 + math.exp(-margin)))
    found = preference_loss(torch.tensor(chosen[0] - chosen[1]), torch.tensor(rejected[0] - rejected[1]), 0.5)
    assert float(found) == pytest.approx(expected)


def test_the_rest_of_the_catalogue_is_all_that_an_item_is_not() -> None:
    found = log_of_rest(torch.tensor([0.25, 1e-4]).log()).tolist()
    assert found == pytest.approx([math.log(0.75), math.log1p(-1e-4)], rel=1e-4)
    assert torch.isfinite(log_of_rest(torch.tensor([0.0])))


def test_log_probabilities_are_those_that_a_user_gets(joint: PreferenceModel, prompts: Prompts) -> None:
    found = joint._both([0, 1, 2])[0]
    parts = Gpt(joint.model, prompts, joint.match, joint.memory).score_parts([one.request for one in LESSONS])
    for row, lesson in enumerate(LESSONS):
        expected = [float(parts[name][row, lesson.item]) for name in ("generate", "match")]
        assert found[row].tolist() == pytest.approx(expected, abs=1e-4)


def test_before_the_first_step_no_preference_has_gained(joint: PreferenceModel) -> None:
    loss = joint([0, 1, 2], [joint._rows[number] for number in range(3)])
    assert joint.parts["preference"] == pytest.approx(2 * math.log(2) / 3, abs=1e-5)
    weighted = sum(joint.weights[name] * value for name, value in joint.parts.items())
    assert float(loss["loss"].detach()) == pytest.approx(weighted, abs=1e-5)


def test_after_a_few_steps_the_loss_is_that_of_the_moved_probabilities(joint: PreferenceModel) -> None:
    before = joint._both([0, 1, 2])[0].detach()
    optimizer = torch.optim.SGD([p for p in joint.parameters() if p.requires_grad], 0.05)
    rows = [joint._rows[number] for number in range(3)]
    for _ in range(3):
        joint([1, 2], rows[1:])["loss"].backward()
        optimizer.step()
        optimizer.zero_grad()
    joint([1, 2], rows[1:])
    now = joint._both([0, 1, 2])[0].detach()
    strengths, moved = torch.tensor([0.7, 0.4]), now - before
    rest = log_of_rest(now[2]) - log_of_rest(before[2])
    margins = strengths @ (moved[0] - moved[1]), strengths @ (rest - moved[2])
    expected = sum(math.log1p(math.exp(-float(margin))) for margin in margins) / 2
    assert all(margin > 0 for margin in margins)
    assert joint.parts["preference"] == pytest.approx(expected, abs=1e-4)


def test_a_good_item_of_the_same_request_stands_against_a_bad_one(prompts: Prompts) -> None:
    rejected = lesson_rows(LESSONS, prompts, POOL)[1]
    assert {number: one.instead for number, one in rejected.items()} == {1: 0, 2: None}
    assert rejected[1].strengths == (0.7, 0.4)
