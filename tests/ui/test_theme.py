from __future__ import annotations

import re

import pytest

from gpr.ui.theme import ASSETS, GPRTheme

CSS = (ASSETS / "gpr.css").read_text(encoding="utf-8")
LIGHT, DARK = ":root", ".dark"
READ = [
    *((ink, ground) for ink in ("text", "muted") for ground in ("ground", "surface", "sunken")),
    *((ink, ground) for ink in ("accent", "good", "bad", "warn") for ground in ("ground", "surface", f"{ink}-soft")),
    ("text", "accent-soft"), ("text", "bad-soft"), ("text", "warn-soft"),
    ("on-action", "action"), ("on-action", "action-hover"),
]  # fmt: skip
"""What is read on what."""


def tokens(block: str) -> dict[str, str]:
    """Token -> value, in one of the two blocks."""
    [body] = re.findall(rf"^{re.escape(block)} \{{(.*?)^\}}", CSS, re.S | re.M)
    return dict(re.findall(r"--gpr-([\w-]+):\s*([^;]+);", body))


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2 between two colours '#rrggbb'."""

    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_known_colours() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("block", [LIGHT, DARK])
def test_text_is_readable_and_borders_are_seen(block: str) -> None:
    values = tokens(LIGHT) | tokens(block)
    pale = {pair: round(contrast(*(values[name] for name in pair)), 2) for pair in READ}
    assert {pair: ratio for pair, ratio in pale.items() if ratio < 4.5} == {}
    assert contrast(values["edge"], values["surface"]) >= 3


def test_every_token_that_is_used_is_there() -> None:
    theme = GPRTheme()._get_theme_css()
    assert set(re.findall(r"var\(--gpr-([\w-]+)", theme)) <= set(tokens(LIGHT))
    assert set(tokens(DARK)) <= set(tokens(LIGHT))


def test_the_page_of_the_login_has_the_tokens_and_nothing_comes_from_elsewhere() -> None:
    css = GPRTheme()._get_theme_css()
    assert "--gpr-accent:" in css
    elsewhere = re.findall(r"url\((?!\s*['\"]?data:)[^)]*|@import[^;]*", css)
    assert elsewhere == []
