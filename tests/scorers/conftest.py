"""A tiny GPT on the films."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

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
