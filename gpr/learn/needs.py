"""What a run will need: time, memory, disk. Plain figures; how they are found is the business of `estimate`."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Estimate:
    """What a run needs in all."""

    seconds: float
    memory_gb: float
    """At its peak: of the process, or of the GPU where the model is on one."""
    disk_gb: float
    """While it goes on."""

    def words(self) -> str:
        minutes, seconds = divmod(round(self.seconds), 60)
        time = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
        return f"about {time}, {size(self.memory_gb)} of memory, {size(self.disk_gb)} of disk"

    def json(self) -> dict[str, float]:
        return {name: round(value, 3) for name, value in asdict(self).items()}


def size(gb: float) -> str:
    """'1.9 GB', '240 MB'."""
    return f"{gb:.1f} GB" if gb >= 1 else f"{gb * 1024:.0f} MB"
