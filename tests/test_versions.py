"""What other versions of GPR left behind: taken as it is, or refused with what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from gpr.errors import RunError, WorkspaceError
from gpr.learn.checkpoint import Checkpoints
from gpr.learn.options import Options
from gpr.learn.run_folder import RunFolder
from gpr.workspace import Workspace


def test_an_older_workspace_is_upgraded(tmp_path: Path) -> None:
    root = tmp_path / "ws"
    first = Workspace(root)
    folder = first.new_run_folder("a")
    folder.write("config.json", {"data": "funds", "options": {"epochs": 2}})  # fewer settings than there are today
    folder.write("state.json", {})
    (root / "workspace.json").unlink()
    again = Workspace(root)
    assert json.loads((root / "workspace.json").read_text())["version"] >= 1
    assert again.run("a").command == "python -m gpr train funds --run a --epochs 2"
    assert Options.read({"epochs": 2}) == Options(epochs=2)


def test_a_newer_workspace_is_refused_and_left_alone(tmp_path: Path) -> None:
    root = tmp_path / "ws"
    root.mkdir()
    (root / "workspace.json").write_text('{"version": 99}')
    with pytest.raises(WorkspaceError, match=r"written by a newer GPR \(version 99; .* Update GPR"):
        Workspace(root)
    assert (root / "workspace.json").read_text() == '{"version": 99}'


def test_settings_of_another_version_are_told_in_words() -> None:
    with pytest.raises(RunError, match="another version of GPR: this one does not know its wings. Start a new run"):
        Options.read({"epochs": 2, "wings": 2})
    with pytest.raises(RunError, match="another version of GPR"):
        Options.read(None)


def test_a_checkpoint_of_another_version_is_told_in_words(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.checkpoints.mkdir()
    torch.save({"step": 3}, folder.checkpoints / "last.pt")
    with pytest.raises(RunError, match="The checkpoint is of another version of GPR. Start the run again"):
        Checkpoints(folder).last()
