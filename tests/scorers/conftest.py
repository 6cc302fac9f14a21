"""A tiny GPT on the films."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import PreTrainedTokenizerFast

from gpr.lm.base import Base
from gpr.lm.prompts import Prompts
from gpr.scorers.gpt import Gpt


@pytest.fixture
def fresh_model(tiny_base: Base) -> Callable[[], Any]:
    """Makes copies of the base model that the test may change."""
    return lambda: copy.deepcopy(tiny_base.model)


@pytest.fixture(scope="session")
def gpt(tiny_base: Base, prompts: Prompts) -> Gpt:
    """Zero-shot. To be read only."""
    return Gpt(tiny_base.model, prompts)


@pytest.fixture(scope="module")
def titled(gpt: Gpt, tiny_base: Base, prompts: Prompts) -> Gpt:
    """The same, with titles that are read to their ends."""
    return Gpt(tiny_base.model, prompts, gpt.match, gpt.item_features, titles=True)


@pytest.fixture(scope="session")
def tiny_encoder(tiny_tokenizer: PreTrainedTokenizerFast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random sentence encoder in the layout of sentence-transformers."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoder")
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(tiny_tokenizer), **sizes)).save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder
