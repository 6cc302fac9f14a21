"""The tiny models as fixtures."""

from __future__ import annotations

from typing import Any

import pytest

from tests.small_models import CONFIGS, tiny


@pytest.fixture(scope="session")
def tiny_llama() -> Any:
    """To be read only."""
    return tiny("llama")


@pytest.fixture(scope="session", params=CONFIGS)
def family_model(request: pytest.FixtureRequest) -> Any:
    """One tiny model a family. To be read only."""
    return tiny(request.param)
