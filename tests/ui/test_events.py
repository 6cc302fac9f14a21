"""How handlers are bound to events."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gpr.ui.context import Context


def test_no_event_has_two_handlers_that_are_kept_back(context: Context) -> None:
    """Else they keep each other going for ever (`gpr.ui.events.each`)."""
    from gpr.ui.page import build

    async def dependencies() -> list[dict[str, Any]]:
        return list(build(context).config["dependencies"])

    with ThreadPoolExecutor(1) as builder:  # outside of a running event loop gradio makes some, and never closes them
        built = builder.submit(lambda: asyncio.run(dependencies())).result()
    kept_back = Counter(
        (target, event)
        for dependency in built
        if dependency["trigger_mode"] == "always_last"
        for target, event in dependency["targets"]
        if event not in ("load", "then", "success")  # whose handlers are called one by one
    )
    assert kept_back
    assert [event for event, count in kept_back.items() if count > 1] == []
