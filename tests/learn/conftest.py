"""Real runs of the tiny model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gpr.workspace import Options, RunInfo, Workspace

Start = Callable[..., RunInfo]


@pytest.fixture
def workspace(tmp_path: Path, tiny_base_folder: Path) -> Workspace:
    return Workspace(tmp_path / "ws", str(tiny_base_folder))


@pytest.fixture
def start(workspace: Workspace, films_folder: Path, tiny_base_folder: Path) -> Start:
    """Trains a run `r` of one epoch; options and the arguments of `Workspace.train` can be given."""

    def run(
        stop: Callable[[], bool] = lambda: False,
        listener: Callable[[dict[str, Any]], None] = lambda state: None,
        started: float | None = None,
        **options: Any,
    ) -> RunInfo:
        chosen = Options(**{"epochs": 1, "base": str(tiny_base_folder), **options})
        return workspace.train(str(films_folder), workspace.new_run_folder("r"), chosen, stop, listener, started)

    return run
