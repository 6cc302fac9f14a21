from __future__ import annotations

import pytest

from gpr.bench.label import _figures

KEPT = {"after_undo": 1, "after_redo": 3, "after_kill": 3}


@pytest.mark.parametrize(
    ("times", "late", "counts", "holds"),
    [
        ([20.0, 30.0, 40.0], 0, KEPT, True),
        ([20.0, 30.0, 400.0], 0, KEPT, False),
        ([20.0, 30.0, 40.0], 1, KEPT, False),
        ([20.0, 30.0, 40.0], 0, KEPT | {"after_kill": 2}, False),
    ],
)
def test_it_holds_when_it_is_quick_and_nothing_is_late_or_lost(
    times: list[float], late: int, counts: dict[str, int], holds: bool
) -> None:
    figures = _figures(times, late, counts, labels=3, back=2)
    assert (figures["median_ms"], figures["max_ms"], figures["holds"]) == (30.0, max(times), holds)
