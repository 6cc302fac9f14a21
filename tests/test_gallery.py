"""Runs that come with GPR: what they are, how one is made, and that nobody changes them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from gpr import gallery
from gpr.bases import run_as_base
from gpr.data.dataset import Request
from gpr.data.load import load
from gpr.errors import RunError
from gpr.packing import ship_run
from gpr.workspace import Workspace

pytestmark = pytest.mark.usefixtures("cache")
REQUESTS = [Request(query) for query in ("marines", "a dream", "the same day")]


def features(workspace: Workspace, run: str) -> torch.Tensor:
    gpt = workspace.recommender(run).ensemble.gpt
    return gpt.text_features([gpt.prompts.request(request) for request in REQUESTS])


@pytest.mark.parametrize("run", gallery.shipped_runs(), ids=lambda run: run.name)
def test_what_is_shipped_is_small_and_fits_its_sample(run: gallery.RunInfo, tmp_path: Path) -> None:
    files = [file for file in run.folder.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= gallery.MAX_BYTES
    assert {file.suffix for file in files} <= {".json", ".jsonl", ".md", ".safetensors"}
    assert run.config["data_hash"] == load(run.data, cache=tmp_path, seed=run.settings["seed"]).hash
    texts = "".join(file.read_text(encoding="utf-8") for file in files if file.suffix != ".safetensors")
    assert "/root" not in texts
    assert '"pid"' not in texts


def test_a_shipped_run_answers_as_before_and_stays_as_it_is(
    trained: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Workspace(Path(shutil.copytree(trained.root, tmp_path / "plain")), trained.base)
    (plain.run("films").folder / "adapter" / "sequence.safetensors").unlink()
    folder = tmp_path / "gallery" / "ready"
    folder.parent.mkdir()
    size = ship_run(plain.run("films"), folder, gallery.MAX_BYTES, features(plain, "films"))
    maps = load_file(folder / "adapter" / "match.safetensors")
    assert len(maps["item.bias"]) == len(plain.recommender("films").dataset.catalogue)
    assert size == sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    assert trained.base in (folder / "adapter" / "adapter_config.json").read_text()
    monkeypatch.setattr(gallery, "FOLDER", folder.parent)
    other = Workspace(tmp_path / "ws", trained.base)
    assert [run.name for run in other.shipped()] == ["ready"]
    for request in REQUESTS:
        before, after = (
            one.recommender(run).recommend(request, 8) for one, run in ((plain, "films"), (other, "ready"))
        )
        assert before[0].item_id == after[0].item_id
        np.testing.assert_allclose([one.probability for one in after[:1]], [before[0].probability], atol=0.05)
    for change in (
        lambda: other.delete_run("ready"),
        lambda: other.rename_run("ready", "mine"),
        lambda: other.describe_run("ready", note="x"),
    ):
        with pytest.raises(RunError, match="The run 'ready' comes with GPR and stays as it is."):
            change()
    base = run_as_base("ready", other.runs_folder)
    assert base is not None
    assert base.folder == folder
    other.new_run_folder("ready")
    assert other.shipped() == []
    assert other.run("ready").folder.parent == other.runs_folder


def test_what_is_too_large_is_not_shipped(trained: Workspace, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"takes 0\.\d MiB. Train it with a lower --rank"):
        ship_run(trained.run("films"), tmp_path / "films", 1000, features(trained, "films"))
    assert list(tmp_path.iterdir()) == []
