"""What a user can set for a run, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from gpr.errors import RunError
from gpr.learn.options import Options
from gpr.learn.trainer import loss_weights


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "The epochs is 0; it must lie between 1 and 1,000."),
        ({"max_minutes": 0.0}, "max-minutes is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"learning_rate": 1.0}, "learning rate is 1"),
        ({"trained_share": 0.0}, "trained share is 0"),
        ({"batch_tokens": 1}, "batch tokens is 1"),
        ({"rank": 0}, "rank is 0"),
        ({"window": 0}, "window is 0"),
        ({"precision": "4bit", "adapt": 2}, "4-bit weights cannot take in"),
        ({"title_weight": 101.0}, "title weight is 101"),
        ({"generate_weight": 0.0, "match_weight": 0.0}, "All losses weigh nothing"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message):
        Options(**options)


@pytest.mark.parametrize("more", [{"title_weight": 0.5}, {"task": "classify"}])
def test_something_is_learned_without_the_two_usual_losses(more: dict[str, Any]) -> None:
    weights = loss_weights(Options(generate_weight=0.0, match_weight=0.0, **more))
    assert (weights["generate"], weights["match"]) == (0, 0)
    assert max(weights.values()) > 0
