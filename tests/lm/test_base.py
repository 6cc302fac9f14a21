from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, T5Config, T5ForConditionalGeneration

from gpr.errors import ModelError
from gpr.lm import base
from gpr.lm.base import Base, choose_device, load_base


@pytest.fixture
def folder(tiny_base_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny base model that the test may damage."""
    return Path(shutil.copytree(tiny_base_folder, tmp_path / "model"))


def edit(file: Path, **changes: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_a_folder_loads_ready_for_use(tiny_base_folder: Path) -> None:
    loaded = load_base(str(tiny_base_folder), device="cpu")
    assert (loaded.device, loaded.dtype, loaded.name) == (torch.device("cpu"), torch.float32, str(tiny_base_folder))
    assert not loaded.model.training
    ids = loaded.tokenizer("Title: 盗梦 🎬", return_tensors="pt")
    assert loaded.tokenizer.decode(ids["input_ids"][0]) == "Title: 盗梦 🎬"
    assert loaded.model(**ids).logits.shape == (1, ids["input_ids"].shape[1], len(loaded.tokenizer))


def test_generation_is_greedy_whatever_the_model_says(folder: Path) -> None:
    edit(folder / "generation_config.json", do_sample=True, temperature=5.0, top_k=50, repetition_penalty=2.0)
    config = load_base(str(folder), device="cpu").model.generation_config
    assert not config.do_sample
    assert config.repetition_penalty in (None, 1.0)


def test_a_missing_padding_token_is_filled_in(folder: Path) -> None:
    edit(folder / "tokenizer_config.json", pad_token=None)
    loaded = load_base(str(folder), device="cpu")
    assert loaded.tokenizer.pad_token == "<|im_end|>"
    assert loaded.model.config.pad_token_id == loaded.tokenizer.pad_token_id


def fails(name: str | Path, device: str | None = "cpu") -> str:
    with pytest.raises(ModelError) as caught:
        load_base(str(name), device)
    return str(caught.value)


def test_four_bits_go_onto_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    device = torch.device("cuda", 1)
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="need the package bitsandbytes. Install it"):
        base.four_bit_settings(device, torch.bfloat16)
    monkeypatch.setattr(base, "find_spec", lambda name: name)
    how = base.four_bit_settings(device, torch.bfloat16)
    assert how["device_map"] == {"": device}
    assert how["quantization_config"].quantization_method() == "nf4"
    assert how["quantization_config"].bnb_4bit_compute_dtype == torch.bfloat16


def test_a_missing_folder_is_named_with_what_there_is_instead(tmp_path: Path) -> None:
    message = fails(tmp_path / "nothing")
    assert message.startswith(f"{tmp_path / 'nothing'}: There is no such folder.")
    assert "smollm2-135m-instruct" in message
    assert "gemma-3-270m" in message


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    assert "no config.json" in fails(tmp_path)


def test_a_hub_that_cannot_be_reached_leads_to_the_packaged_models() -> None:
    message = fails("some-one/some-model")
    assert "There is no base model 'some-one/some-model' here, and it cannot be had from a hub" in message
    assert "smollm2-135m-instruct" in message
    assert "gemma-3-270m" in message


def test_a_name_that_no_hub_could_have_is_refused() -> None:
    assert "There is no base model 'no such name!'" in fails("no such name!")


def test_an_encoder_is_refused(tiny_base_folder: Path, folder: Path) -> None:
    sizes = {"vocab_size": 320, "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4}
    shutil.rmtree(folder)
    BertForMaskedLM(BertConfig(**sizes, num_hidden_layers=2, initializer_range=0.2)).save_pretrained(folder)
    shutil.copy(tiny_base_folder / "tokenizer.json", folder)
    shutil.copy(tiny_base_folder / "tokenizer_config.json", folder)
    assert "not a causal (left-to-right) language model" in fails(folder)


def test_an_encoder_decoder_is_refused(tmp_path: Path) -> None:
    T5ForConditionalGeneration(T5Config(vocab_size=320, d_model=16, d_ff=16, num_layers=1)).save_pretrained(tmp_path)
    assert "not a causal (left-to-right) language model" in fails(tmp_path)


def test_damaged_weights_are_named(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert f"{folder}: The model in this folder cannot be read" in fails(folder)


def test_weights_that_are_not_numbers_are_named(folder: Path, tiny_base_folder: Path) -> None:
    model = load_base(str(tiny_base_folder), device="cpu").model
    with torch.no_grad():
        model.get_input_embeddings().weight.fill_(float("nan"))
    model.save_pretrained(folder)
    assert "gives no finite numbers" in fails(folder)


def test_missing_weights_are_named(folder: Path) -> None:
    edit(folder / "config.json", num_hidden_layers=3)
    assert "lacks weights, among them model.layers.2." in fails(folder)


@pytest.mark.parametrize("missing", ["model.safetensors", "tokenizer.json"])
def test_missing_files_are_named(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    assert str(folder) in fails(folder)


def test_pickled_weights_are_not_read(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    assert "cannot be read" in fails(folder)


def test_a_damaged_config_is_named(folder: Path) -> None:
    (folder / "config.json").write_text("{")
    assert "cannot be read" in fails(folder)


def test_a_tokenizer_of_another_model_is_refused(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"] |= {f"word{number}": 320 + number for number in range(9)}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert "The tokenizer has 329 tokens and the model 320." in fails(folder)


@pytest.mark.parametrize("device", ["cuda:99", "typewriter", "meta"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises(ModelError, match=f"There is no device '{device}' here. Choose one of: .*cpu"):
        choose_device(device)


def test_the_best_device_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    assert choose_device() == (torch.device("cuda"), torch.float32)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert choose_device() == (torch.device("cuda"), torch.bfloat16)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device() == (torch.device("mps"), torch.float32)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device() == (torch.device("cpu"), torch.float32)


def test_importing_does_not_load_torch() -> None:
    code = f"import sys, {base.__name__}; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.model
def test_the_default_model_speaks(base_model: Base) -> None:
    prompt = base_model.tokenizer("The capital of France is", return_tensors="pt")
    assert prompt["input_ids"].shape[1] == 5  # no BOS
    ids = base_model.model.generate(**prompt, max_new_tokens=5)
    assert base_model.tokenizer.decode(ids[0]).startswith("The capital of France is Paris.")
