"""The form of a run's settings: presets, defaults, and what it makes of empty and wrong fields."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gradio as gr
import pytest

from gpr.errors import RunError
from gpr.learn.options import PRESETS, Options
from gpr.ui.settings import Settings, _preset


@pytest.fixture(scope="module")
def form() -> Settings:
    async def build() -> Settings:  # outside of a running event loop gradio makes some, and never closes them
        with gr.Blocks(analytics_enabled=False):
            return Settings("tiny")

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(build())).result()


def values(form: Settings, **changes: Any) -> list[Any]:
    """What the fields hold, in the order of the inputs."""
    return [changes.get(name, field.value) for name, field in form._more.items()]


def test_an_untouched_form_gives_the_defaults(form: Settings) -> None:
    assert form.options("Recommended", 5, *values(form)) == Options(base="tiny")


def test_every_field_counts(form: Settings) -> None:
    given = {"rank": 4, "alpha": "12", "trained_share": 0.5, "targets": "mlp", "generate_weight": "0", "seed": 3.0}
    given |= {"adapt": 2.0, "window": 9.0}
    options = form.options("Epochs", 7.0, *values(form, **given))
    expected = {"rank": 4, "alpha": 12, "trained_share": 0.5, "targets": "mlp", "generate_weight": 0, "seed": 3}
    expected |= {"adapt": 2, "window": 9}
    assert options == Options(base="tiny", epochs=7, **expected)
    assert form.options("Minutes", 2.5, *values(form)).max_minutes == 2.5


@pytest.mark.parametrize(
    ("length", "amount", "changes", "message"),
    [
        ("Epochs", None, {}, "The number of epochs is missing"),
        ("Recommended", 5, {"alpha": "much"}, "The alpha is 'much', not a number"),
        ("Recommended", 5, {"rank": 0}, "The rank is 0"),
        ("Recommended", 5, {"generate_weight": "0", "match_weight": "0"}, "All losses weigh nothing"),
    ],
)
def test_what_cannot_be_is_told_in_words(
    form: Settings, length: str, amount: float | None, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(RunError, match=message):
        form.options(length, amount, *values(form, **changes))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_fills_the_form(form: Settings, name: str) -> None:
    length, amount, rank, share = _preset(name)
    changed = values(form, rank=rank, trained_share=share)
    number = amount.value if isinstance(amount, gr.Number) else 5
    assert form.options(length, number, *changed) == Options(base="tiny", **PRESETS[name])
