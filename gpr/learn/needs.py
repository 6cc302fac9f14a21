"""What a run will need: time, memory, disk. Plain figures; how they are found is the business of `estimate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

NEAR = 1.25
"""Times that a step may take longer or shorter than foreseen without a word of it."""


@dataclass(frozen=True)
class Estimate:
    """What a run needs in all."""

    seconds: float
    memory_gb: float
    """At its peak: of the process, or of the GPU where the model is on one."""
    disk_gb: float
    """While it goes on."""

    @classmethod
    def of_state(cls, state: Mapping[str, Any], seconds: float) -> Estimate:
        """What a run needed, as its `state.json` says; 0 for what was not measured.

        Args:
            seconds: of all its processes; what the run lost when one of them died is taken off, and told by `apart`.
        """
        seconds -= float(state.get("again", 0.0))
        return cls(seconds, float(state.get("peak_memory_gb", 0.0)), float(state.get("peak_disk_gb", 0.0)))

    def words(self) -> str:
        return f"about {self.figures()}"

    def figures(self) -> str:
        """Time, and of memory and disk what is known."""
        minutes, seconds = divmod(round(self.seconds), 60)
        found = [f"{minutes} min {seconds} s" if minutes else f"{seconds} s"]
        found += [f"{size(self.memory_gb)} of memory"] if self.memory_gb else []
        found += [f"{size(self.disk_gb)} of disk"] if self.disk_gb else []
        return ", ".join(found)

    def json(self) -> dict[str, float]:
        return {name: round(value, 5) for name, value in asdict(self).items()}


def size(gb: float) -> str:
    """'1.9 GB', '240 MB'."""
    return f"{gb:.1f} GB" if gb >= 1 else f"{gb * 1024:.0f} MB"


def apart(state: Mapping[str, Any]) -> list[str]:
    """Why a run took another time than was foreseen, as far as its `state.json` knows."""
    again, slowed = float(state.get("again", 0.0)), float(state.get("slowed", 1.0))
    found = [f"{round(again)} s more because it was interrupted"] if again >= 1 else []
    told = not 1 / NEAR <= slowed <= NEAR
    return [*found, f"a step took {slowed:.1f} times as long as foreseen"] if told else found
