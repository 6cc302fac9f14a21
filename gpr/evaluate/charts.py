"""Figures of an evaluation as HTML and SVG that need nothing else. It knows the table; no page, no script.

Colours are the page's own where there is one, and fixed ones in a report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

SIZE, EDGE = 300, 46
"""Of the diagram's square, and of the room for its labels, in pixels."""
TICKS = 4
ACCENT, LINE = "var(--gpr-accent, #3451c7)", "var(--gpr-line, #dfe3ea)"
GREY, SURFACE = "var(--gpr-muted, #566074)", "var(--gpr-surface, #ffffff)"


def bars(table: Mapping[str, Any], metric: str, titled: Callable[[str], str] = str) -> str:
    """One line a scorer with its 95 % interval as a whisker; the longest interval fills the line.

    Args:
        titled: what a scorer is called.
    """
    rows = {name: row.get(metric) or 0.0 for name, row in table["metrics"].items()}
    spans = {name: _interval(table, name, metric, value) for name, value in rows.items()}
    most = max((high for _, high in spans.values()), default=0.0) or 1.0
    lines = "".join(
        f"<li><span>{escape(titled(name))}</span>"
        f'<span class="gpr-whiskered">{_bar(value / most, *spans[name], most)}</span>'
        f"<b>{value:.3f}</b></li>"
        for name, value in rows.items()
    )
    return f'<ul class="gpr-bars" aria-label="{escape(metric)} by method, with 95 % intervals">{lines}</ul>'


def _interval(table: Mapping[str, Any], name: str, metric: str, value: float) -> tuple[float, float]:
    low, high = table.get("intervals", {}).get(name, {}).get(metric) or (None, None)
    return (value if low is None else low, value if high is None else high)


def _bar(share: float, low: float, high: float, most: float) -> str:
    left, right = 100 * low / most, 100 * high / most
    return (
        '<svg viewBox="0 0 100 14" preserveAspectRatio="none" width="100%" height="14" aria-hidden="true">'
        f'<rect width="100" height="14" rx="1" style="fill:var(--gpr-sunken,#eef0f4)"/>'
        f'<rect width="{100 * share:.2f}" height="14" rx="1" style="fill:{ACCENT};opacity:.85"/>'
        f'<path d="M{left:.2f} 7H{right:.2f}M{left:.2f} 3V11M{right:.2f} 3V11" vector-effect="non-scaling-stroke" '
        'style="stroke:var(--gpr-text,#1a1f2b);stroke-width:1.5;fill:none"/></svg>'
    )


def reliability(calibrations: Mapping[str, Any], names: tuple[str, ...] = ("gpr", "base")) -> str:
    """The reliability diagram of some scorers; '' where none gives probabilities. Axes grow by the square root, since
    most probabilities are small."""
    known = {name: calibrations[name] for name in names if calibrations.get(name)}
    if not known:
        return ""
    values = [entry[side] for found in known.values() for entry in found["bins"] for side in ("said", "true")]
    most = min(1.0, max([*values, 0.01]) * 1.1)
    series = "".join(
        _series(found["bins"], most, ACCENT if at == 0 else GREY) for at, found in enumerate(known.values())
    )
    words = "; ".join(f"{escape(name)}: ECE {found['ece']:.3f}" for name, found in known.items())
    whole = SIZE + 2 * EDGE
    return (
        f'<figure class="gpr-reliability" style="margin:0;max-width:{whole}px">'
        f'<svg viewBox="0 0 {whole} {SIZE + EDGE + 12}" role="img" aria-label="Reliability diagram. {words}" '
        f'style="width:100%;font:12px sans-serif">'
        f'<rect x="{EDGE}" y="8" width="{SIZE}" height="{SIZE}" style="fill:{SURFACE};stroke:{LINE}"/>'
        f'<path d="M{EDGE} {SIZE + 8}L{EDGE + SIZE} 8" style="stroke:{GREY};stroke-dasharray:4 4"/>'
        f"{_ticks(most)}{series}"
        f'<text x="{EDGE + SIZE / 2}" y="{SIZE + EDGE + 4}" text-anchor="middle" style="fill:{GREY}">said</text>'
        f'<text x="{EDGE + 6}" y="22" style="fill:{GREY}">came true</text></svg>'
        f'<figcaption class="gpr-muted">{words}. {_legend(list(known))}</figcaption></figure>'
    )


def _legend(names: list[str]) -> str:
    marks = zip(names, (ACCENT, GREY), strict=False)
    dots = " ".join(f'<span style="color:{colour}">●</span> {escape(name)}' for name, colour in marks)
    return f"{dots}. On the dashed line a probability means what it says; above it GPR is too modest, below too sure."


def _place(value: float, most: float) -> float:
    return float(SIZE * (max(value, 0.0) / most) ** 0.5)


def _series(bins: list[dict[str, float]], most: float, colour: str) -> str:
    points = [(EDGE + _place(b["said"], most), 8 + SIZE - _place(b["true"], most), b) for b in bins]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" style="fill:{colour}">'
        f"<title>said {b['said']:.1%}, came true {b['true']:.1%} of {b['n']:,}</title></circle>"
        for x, y, b in points
    )
    return f'<polyline points="{path}" style="fill:none;stroke:{colour};stroke-width:1.5"/>{dots}'


def _ticks(most: float) -> str:
    found = []
    for step in range(TICKS + 1):
        value = most * (step / TICKS) ** 2
        at = SIZE * step / TICKS
        said = f"{value:.0%}" if value >= 0.1 or not value else f"{value:.1%}"
        found.append(
            f'<text x="{EDGE + at:.0f}" y="{SIZE + 26}" text-anchor="middle" style="fill:{GREY}">{said}</text>'
            f'<text x="{EDGE - 6}" y="{SIZE + 12 - at:.0f}" text-anchor="end" style="fill:{GREY}">{said}</text>'
        )
    return "".join(found)
