"""Runs that come with GPR, one for each sample, ready to use. They are only read; `gpr gallery` makes them anew."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gpr.runs import RunInfo, read_runs

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "gallery"
MAX_BYTES = 5 << 20
"""Of one of them, all its files together."""


def shipped_name(sample: str) -> str:
    """What the run of a sample is called."""
    return f"sample-{sample}"


def shipped_runs() -> list[RunInfo]:
    """All of them."""
    return list(_read(FOLDER))


def shipped_run(name: str) -> RunInfo | None:
    """The one of that name, if there is one."""
    return next((run for run in _read(FOLDER) if run.name == name), None)


@cache
def _read(folder: Path) -> tuple[RunInfo, ...]:
    return tuple(run for run in read_runs(folder) if run.usable) if folder.is_dir() else ()
