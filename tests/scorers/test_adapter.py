"""What a run leaves behind: it comes back as it was, also in plain peft, and damage is told in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import LlamaConfig, LlamaForCausalLM

from gpr.data.dataset import Request
from gpr.errors import ModelError, WorkspaceError
from gpr.lm.body import quiet_peft
from gpr.lm.prompts import Prompts
from gpr.scorers import adapter
from gpr.scorers.adapter import load_adapter, load_item_features, save_adapter
from gpr.scorers.gpt import Gpt, fingerprint
from gpr.scorers.pool import Pool
from tests.small_models import with_lora

REQUESTS = [Request("a film about dreams"), Request("", (2, 3))]
POOL = Pool.same(generate=0.5, prior=0.25, match=0.75, words=0.1)


@pytest.fixture
def model(fresh_model: Callable[[], Any]) -> Any:
    """With random LoRA."""
    return with_lora(fresh_model())


@pytest.fixture
def gpt(model: Any, prompts: Prompts) -> Gpt:
    return Gpt(model, prompts)


@pytest.fixture
def folder(gpt: Gpt, model: Any, tmp_path: Path) -> Path:
    """The adapter of `gpt`."""
    save_adapter(tmp_path / "adapter", gpt, model, POOL)
    return tmp_path / "adapter"


def test_it_comes_back_as_it_was(folder: Path, gpt: Gpt, fresh_model: Callable[[], Any], prompts: Prompts) -> None:
    loaded, match, pool = load_adapter(folder, fresh_model())
    assert pool == POOL
    assert not loaded.training
    assert not match.training
    again = Gpt(loaded, prompts, match).score_parts(REQUESTS)
    quick = Gpt(loaded, prompts, match, load_item_features(folder, fingerprint(prompts))).score_parts(REQUESTS)
    for name, part in gpt.score_parts(REQUESTS).items():
        np.testing.assert_allclose(again[name], part, atol=1e-4)
        np.testing.assert_allclose(np.exp(quick[name]), np.exp(part), atol=0.02)  # features are kept at half precision


def test_it_differs_from_the_base(gpt: Gpt, fresh_model: Callable[[], Any], prompts: Prompts) -> None:
    base = Gpt(fresh_model(), prompts).score_parts(REQUESTS)["generate"]
    assert np.abs(base - gpt.score_parts(REQUESTS)["generate"]).max() > 0.01


def test_plain_peft_loads_it(folder: Path, model: Any, fresh_model: Callable[[], Any]) -> None:
    with quiet_peft():
        loaded = PeftModel.from_pretrained(fresh_model(), str(folder)).eval()
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.inference_mode():
        torch.testing.assert_close(loaded(input_ids=ids).logits, model(input_ids=ids).logits)
    assert not list(folder.glob("*.bin"))


def test_features_of_another_catalogue_are_not_taken(folder: Path, tmp_path: Path) -> None:
    assert load_item_features(folder, "another") is None
    assert load_item_features(tmp_path / "nothing", "another") is None
    (folder / adapter.FEATURES).write_bytes(b"damaged")
    assert load_item_features(folder, "another") is None


def test_large_features_stay_finite(gpt: Gpt, model: Any, prompts: Prompts, tmp_path: Path) -> None:
    large = gpt.item_features * (
        1e6 / gpt.item_features.abs().max()
    )  # more than half precision holds, as Gemma's can be
    save_adapter(tmp_path / "a", Gpt(model, prompts, gpt.match, large), model, POOL)
    found = load_item_features(tmp_path / "a", fingerprint(prompts))
    torch.testing.assert_close(found, large, rtol=0.01, atol=10)


@pytest.mark.parametrize("name", ["adapter_config.json", "adapter_model.safetensors", "match.safetensors", "pool.json"])
@pytest.mark.parametrize("damage", ["gone", "cut", "empty"])
def test_damage_is_told_in_words(folder: Path, fresh_model: Callable[[], Any], name: str, damage: str) -> None:
    file = folder / name
    content = file.read_bytes()
    file.unlink() if damage == "gone" else file.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    with pytest.raises(ModelError, match="The adapter cannot be used .*train the run again") as caught:
        load_adapter(folder, fresh_model())
    assert caught.value.where == str(folder)


def test_a_pool_that_makes_no_sense_is_refused(folder: Path, fresh_model: Callable[[], Any]) -> None:
    (folder / "pool.json").write_text('{"generate": 1, "match": -2}')
    with pytest.raises(ModelError, match="match -2"):
        load_adapter(folder, fresh_model())


def test_another_base_model_is_refused(folder: Path) -> None:
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    other = LlamaForCausalLM(LlamaConfig(vocab_size=320, hidden_size=16, intermediate_size=32, **sizes)).eval()
    with pytest.raises(ModelError, match="belongs to another base model"):
        load_adapter(folder, other)


def test_a_full_disk_leaves_nothing_half_written(
    gpt: Gpt, model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(WorkspaceError, match="The disk is full"):
        save_adapter(tmp_path / "adapter", gpt, model, POOL)
    assert list(tmp_path.iterdir()) == []
