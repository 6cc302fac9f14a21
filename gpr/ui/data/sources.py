"""The tiles of all data that can be chosen, as HTML."""

from __future__ import annotations

from html import escape

from gpr.ui.context import Active, Source
from gpr.ui.language import say
from gpr.ui.press import button

DOWNLOADS = "Fetched once from a package registry: its licence forbids passing it on."


def tiles_html(sources: list[Source], active: Active) -> str:
    """One button for each."""
    tiles = "".join(
        button(
            f"<b>{escape(source.name)}</b><span>{escape(say(source.about))}</span>"
            + (f"<small>{escape(say(DOWNLOADS))}</small>" if source.kind == "download" else ""),
            "choose",
            style="gpr-tile",
            on=source.data == active.data,
            source=source.data,
        )
        for source in sources
    )
    return f'<div class="gpr-tiles">{tiles}</div>'
