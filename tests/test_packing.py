"""Runs on their way to other machines: what is written, that peft loads it, and what is refused on the way back."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from gpr.data.dataset import Request
from gpr.errors import DataError, RunError, WorkspaceError
from gpr.learn.run_folder import RunFolder
from gpr.packing import export_run, import_run
from gpr.workspace import Workspace

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def elsewhere(tmp_path: Path, tiny_base_folder: Path) -> Workspace:
    return Workspace(tmp_path / "elsewhere", str(tiny_base_folder))


@pytest.fixture
def packed(trained: Workspace, tmp_path: Path) -> Path:
    return export_run(trained.run("films"), tmp_path / "films.zip")


def test_a_run_comes_back_as_it_was(trained: Workspace, elsewhere: Workspace, packed: Path) -> None:
    assert import_run(packed, elsewhere.new_run_folder) == "films"
    one, other = trained.run("films"), elsewhere.run("films")
    assert (other.status, other.metrics, other.settings) == (one.status, one.metrics, one.settings)
    assert other.log() == one.log()
    request = Request("marines")
    first, second = (workspace.recommender("films").recommend(request, 3) for workspace in (trained, elsewhere))
    assert [item.item_id for item in first] == [item.item_id for item in second]
    with pytest.raises(RunError, match="A run named 'films' exists"):
        import_run(packed, elsewhere.new_run_folder)
    assert import_run(packed, elsewhere.new_run_folder, "again") == "again"


def test_the_card_tells_data_settings_metrics_and_limits(trained: Workspace, packed: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        card = archive.read("README.md").decode()
        assert not [name for name in archive.namelist() if name.endswith((".pt", ".bin", ".pkl", "output.txt"))]
    digest = trained.run("films").config["data_hash"]
    for words in (digest, "| learning rate | 0.01 |", "| NDCG@10 |", "## Limits", "--learning-rate 0.01"):
        assert words in card
    assert (trained.run("films").folder / "README.md").read_text() == card


def test_plain_peft_loads_the_adapter(trained: Workspace, tiny_base_folder: Path, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from gpr.lm.body import quiet_peft

    adapter = export_run(trained.run("films"), tmp_path / "adapter", "adapter")
    merged = export_run(trained.run("films"), tmp_path / "merged", "merged")
    ids = torch.arange(12)[None]
    plain = AutoModelForCausalLM.from_pretrained(tiny_base_folder).eval()
    with torch.inference_mode(), quiet_peft():
        before = plain(input_ids=ids).logits
        tuned = PeftModel.from_pretrained(plain, adapter).eval()(input_ids=ids).logits
        whole = AutoModelForCausalLM.from_pretrained(merged).eval()(input_ids=ids).logits
    assert not torch.allclose(before, tuned, atol=1e-3)
    torch.testing.assert_close(tuned, whole, atol=1e-3, rtol=1e-3)
    assert (merged / "README.md").is_file()


def test_only_finished_runs_are_exported_and_nothing_is_overwritten(trained: Workspace, tmp_path: Path) -> None:
    copy = Workspace(Path(shutil.copytree(trained.root, tmp_path / "ws")), trained.base)
    (tmp_path / "there").mkdir()
    with pytest.raises(RunError, match="Something of that name is there already"):
        export_run(copy.run("films"), tmp_path / "there")
    with pytest.raises(RunError, match="cannot be exported as 'x'. Choose one of: run, adapter, merged."):
        export_run(copy.run("films"), tmp_path / "a", "x")  # type: ignore[arg-type]
    with pytest.raises(WorkspaceError, match="The folder does not exist"):
        export_run(copy.run("films"), tmp_path / "no" / "such" / "a.zip")
    (copy.run("films").folder / "done.json").unlink()
    with pytest.raises(RunError, match="Only a finished run can be exported"):
        export_run(copy.run("films"), tmp_path / "b.zip")
    assert not list(tmp_path.glob("*.partial*"))


def rewritten(packed: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The file with other contents."""
    with zipfile.ZipFile(packed) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    change(content)
    path = packed.with_name("changed.zip")
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def older(content: dict[str, bytes]) -> None:
    config = json.loads(content["config.json"])
    config["options"]["of_another_version"] = 1
    content["config.json"] = json.dumps(config).encode()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.update({"../../evil.json": b"{}"}), "it holds '../../evil.json'"),
        (lambda content: content.update({"/etc/x.json": b"{}"}), "it holds"),
        (lambda content: content.update({"adapter/model.pkl": b"x"}), "it holds 'adapter/model.pkl'"),
        (lambda content: content.update({"checkpoints/last.pt": b"x"}), "it holds 'checkpoints/last.pt'"),
        (lambda content: content.pop("done.json"), "done.json is missing"),
        (lambda content: content.update({"config.json": b"{"}), "its settings cannot be read"),
        (lambda content: content.update({"done.json": b'{"status": "odd"}'}), "its status or data is unknown"),
        (older, "of_another_version"),
    ],
)
def test_files_that_are_no_runs(
    packed: Path, elsewhere: Workspace, change: Callable[[dict[str, bytes]], None], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        import_run(rewritten(packed, change), elsewhere.new_run_folder)
    assert elsewhere.runs() == []
    assert not (elsewhere.root.parent / "evil.json").exists()


def test_a_damaged_file_and_no_file(elsewhere: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"not a zip")
    with pytest.raises(DataError, match="it is not a zip file, or is damaged"):
        import_run(tmp_path / "a.zip", elsewhere.new_run_folder)
    with pytest.raises(WorkspaceError):
        import_run(tmp_path / "none.zip", elsewhere.new_run_folder)


def test_an_adapter_of_another_base_is_told_in_words(packed: Path, elsewhere: Workspace, tmp_path: Path) -> None:
    from gpr.errors import ModelError

    import_run(packed, elsewhere.new_run_folder)
    config = RunFolder(elsewhere.run("films").folder)
    match = config.adapter / "match.safetensors"
    from safetensors.torch import load_file, save_file

    save_file({name: value[..., :-4].contiguous() for name, value in load_file(match).items()}, match)
    with pytest.raises(ModelError, match="The adapter cannot be used .* belongs to another base model"):
        elsewhere.recommender("films")
