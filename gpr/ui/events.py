"""How handlers are bound to what happens on the page. It knows no handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

_SILENT: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
QUICK = _SILENT | {"queue": False}
"""For what is answered at once and tells its own faults: without a queue gradio (6.31) shows no error of a handler."""
TOLD = _SILENT | {"concurrency_limit": None}
"""For what may fail (`worded`): through the queue, which brings the words to the page, but never waiting in it."""
REFRESH = QUICK | {"trigger_mode": "always_last"}
"""By default gradio drops what comes while the same is under way; a change must not be dropped."""
HEAVY = _SILENT | {"concurrency_id": "model", "concurrency_limit": 1, "trigger_mode": "multiple"}
"""For what asks the model: one at a time on the whole server. After a cancel, `always_last` waits for ever."""


def each(*events: Any) -> Callable[..., Any]:
    """Binds handlers one by one to what happens: `each(page.load, state.change)(handler, inputs, outputs, **REFRESH)`.

    Where one event has two handlers that are `always_last`, gradio (6.31) calls all of its handlers anew for one that
    was kept back, beside those that still run; the two rows then keep each other going for ever. A handler that follows
    something is called alone.
    """
    happened = gr.on(list(events), None, None, None, js="() => []", **QUICK | {"trigger_mode": "multiple"})
    return happened.then  # type: ignore[no-any-return]
