"""Request by request, as HTML: where one method lost to another, both lists side by side. It knows the details that an
evaluation keeps."""

from __future__ import annotations

from html import escape
from typing import Any

from gpr.ui.evaluate.tables import titled
from gpr.ui.language import say
from gpr.ui.messages import plural

LOST, WON, WORST = "where GPR lost", "where GPR won", "GPR's worst"
WAYS = (LOST, WON, WORST)
OURS = "gpr"
SHOWN = 20
LISTED = 10


def rivals(result: dict[str, Any]) -> list[str]:
    """The methods that `gpr` can be held against."""
    return [name for name in result["metrics"] if name != OURS]


def chosen(result: dict[str, Any], way: str, rival: str) -> list[dict[str, Any]]:
    """The requests to look at, the most telling first: by how many times better one rank is than the other's."""

    def ratio(request: dict[str, Any]) -> float:
        return float(request["ranks"][OURS] / request["ranks"][rival])

    requests = result["details"]["requests"]
    if way == WORST:
        return sorted(requests, key=lambda request: -request["ranks"][OURS])
    if way == LOST:
        return sorted((r for r in requests if ratio(r) > 1), key=lambda r: -ratio(r))
    return sorted((r for r in requests if ratio(r) < 1), key=ratio)


def request_list(result: dict[str, Any], way: str, rival: str) -> str:
    """The first of those requests; each opens to both lists."""
    found = chosen(result, way, rival)
    if not found:
        return f'<p class="gpr-muted">{say("There is no such request.")}</p>'
    total = len(result["details"]["requests"])
    count = f"{len(found):,} of {plural(total, 'request')}." if way != WORST else f"{plural(total, 'request')}."
    more = say(f"The first {SHOWN} are shown.") if len(found) > SHOWN else ""
    words = f"{say(count)} {more} {say('Open one to see both lists.')}"
    rows = "".join(_request(result, request, rival) for request in found[:SHOWN])
    return f'<p class="gpr-muted">{words}</p><div class="gpr-asked">{rows}</div>'


def _request(result: dict[str, Any], request: dict[str, Any], rival: str) -> str:
    titles, ranks = result["details"]["titles"], request["ranks"]
    right = titles[str(request["right"])]
    lists = "".join(_list(name, request, titles) for name in (OURS, rival))
    return (
        f'<details><summary><span class="gpr-asked-for">{escape(request["asked"])}</span>'
        f'<span class="gpr-right">✓ {escape(right)}</span>'
        f"<span>{titled(OURS)} <b>{_rank(ranks[OURS])}</b></span>"
        f"<span>{escape(titled(rival))} <b>{_rank(ranks[rival])}</b></span>"
        f'</summary><div class="gpr-pair">{lists}</div></details>'
    )


def _list(name: str, request: dict[str, Any], titles: dict[str, str]) -> str:
    items = "".join(
        f"<li{' class=gpr-hit' if item == request['right'] else ''}>{escape(titles[str(item)])}"
        f"{' ✓' if item == request['right'] else ''}</li>"
        for item in request["top"][name][:LISTED]
    )
    return f"<section><h4>{escape(titled(name))}</h4><ol>{items}</ol></section>"


def _rank(rank: float) -> str:
    """Shared places have a rank in between."""
    return f"#{rank:,.0f}" if rank == int(rank) else f"#{rank:,.1f}"
