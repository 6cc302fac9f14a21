"""How fast a run is now, and so how much time is left: other work on the machine comes and goes. It knows seconds and
counts only."""

from __future__ import annotations

from collections import deque

RECENT = 20
"""Steps whose mean is the speed of now."""


class Pace:
    """What was measured while a run goes on.

    Args:
        step: seconds of a step as they were foreseen, 0 where they were not. ending: seconds behind the last step, as
            they were foreseen with such steps.
    """

    def __init__(self, step: float = 0.0, ending: float = 0.0) -> None:
        self._foreseen, self._ending = step, ending
        self._steps: deque[float] = deque(maxlen=RECENT)
        self._look = 0.0
        self._sum, self._count = 0.0, 0

    def stepped(self, seconds: float) -> None:
        """Takes note of a step."""
        self._steps.append(seconds)
        self._sum, self._count = self._sum + seconds, self._count + 1

    def go_on(self, steps: int, slowed: float) -> None:
        """Takes over the steps of an earlier process, and how much slower than foreseen they were."""
        self._sum, self._count = steps * slowed * self._foreseen, steps

    @property
    def slowed(self) -> float:
        """How many times as long as foreseen the steps took so far, on the mean; 1 where nothing was foreseen."""
        return self._sum / self._count / self._foreseen if self._count and self._foreseen else 1.0

    def looked(self, seconds: float) -> None:
        """Takes note of a look at what is held out."""
        self._look = seconds

    def left(self, steps: int, looks: int) -> float:
        """Seconds for so many steps and looks and the ending, at the speed of now; at least one step was noted."""
        now = sum(self._steps) / len(self._steps)
        return steps * now + looks * self._look + self._ending * (now / self._foreseen if self._foreseen else 1.0)


def looks_between(step: int, steps: int, every: int) -> int:
    """Looks that come after a step, where one comes with each multiple of `every` and with the last of the steps."""
    return 0 if not every else steps // every - step // every + (steps % every > 0 and step < steps)
