"""A tiny GPT on the films, with and without LoRA."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from transformers import PreTrainedTokenizerFast

from gpr.data.dataset import Dataset
from gpr.lm.base import Base, load_base
from gpr.lm.prompts import Prompts
from gpr.scorers.gpt import Gpt


@pytest.fixture(scope="session")
def prompts(tiny_tokenizer: PreTrainedTokenizerFast, films: Dataset) -> Prompts:
    return Prompts(tiny_tokenizer, films.catalogue)


@pytest.fixture(scope="session")
def loaded_base(tiny_base_folder: Any) -> Base:
    """To be read only."""
    return load_base(str(tiny_base_folder), device="cpu")


@pytest.fixture
def fresh_model(loaded_base: Base) -> Callable[[], Any]:
    """Makes copies of the base model that the test may change."""
    return lambda: copy.deepcopy(loaded_base.model)


@pytest.fixture(scope="session")
def gpt(loaded_base: Base, prompts: Prompts) -> Gpt:
    """Zero-shot. To be read only."""
    return Gpt(loaded_base.model, prompts)
