"""The films as rows for a tiny model."""

from __future__ import annotations

from typing import Any

import pytest
from transformers import PreTrainedTokenizerFast

from gpr.data.dataset import Dataset
from gpr.lm.prompts import Prompts


@pytest.fixture(scope="session")
def prompts(tiny_tokenizer: PreTrainedTokenizerFast, films: Dataset) -> Prompts:
    return Prompts(tiny_tokenizer, films.catalogue)


@pytest.fixture
def small_model(tiny_model: Any) -> Any:
    """The tiny model with random LoRA in its upper half."""
    from tests.lm.conftest import with_lora

    return with_lora(tiny_model)
