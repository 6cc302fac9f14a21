"""How much time is left: it follows the speed of the last steps."""

from __future__ import annotations

import pytest

from gpr.learn.pace import RECENT, Pace, looks_between


def test_what_is_left_follows_the_last_steps() -> None:
    pace = Pace(step=1.0, ending=10.0)
    assert pace.slowed == 1
    pace.stepped(1.0)
    assert pace.left(30, 2) == 40
    pace.looked(3.0)
    assert pace.left(30, 2) == 46
    for _ in range(RECENT):  # other work came: all takes four times as long
        pace.stepped(4.0)
    assert pace.left(30, 0) == 30 * 4 + 40
    assert pace.slowed == pytest.approx((1 + 4 * RECENT) / (1 + RECENT))
    pace.go_on(3, slowed=2.0)  # in another process
    pace.stepped(6.0)
    assert pace.slowed == 3
    unforeseen = Pace(ending=5.0)
    unforeseen.stepped(2.0)
    assert unforeseen.left(1, 0) == 7


@pytest.mark.parametrize(
    ("step", "steps", "every", "looks"),
    [(0, 10, 3, 4), (9, 10, 3, 1), (10, 10, 3, 0), (0, 9, 3, 3), (3, 9, 3, 2), (0, 9, 0, 0)],
)
def test_looks_that_come(step: int, steps: int, every: int, looks: int) -> None:
    assert looks_between(step, steps, every) == looks
    due = [at for at in range(step + 1, steps + 1) if every and (at % every == 0 or at == steps)]
    assert len(due) == looks
