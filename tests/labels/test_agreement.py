from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gpr.labels.agreement import agreement, conflicts
from gpr.labels.label import Label, Preference
from gpr.labels.wins import wins

MakeLabel = Callable[..., Label]


def said(label: MakeLabel, **by: str) -> list[Label]:
    """Labels by annotator: 'gbs.' is good, bad, skip and nothing of items 0 to 3, five seconds apart."""
    words = {"g": "good", "b": "bad", "s": "skip"}
    return [
        label(
            item_id=str(item), verdict=words[letter], annotator=name, time=f"2026-01-01T00:00:{5 * item:02}.000+00:00"
        )
        for name, letters in by.items()
        for item, letter in enumerate(letters)
        if letter in words
    ]


def test_measures_on_a_case_computed_by_hand(label: MakeLabel) -> None:
    found = agreement(said(label, ada="ggggbbbb", bob="gggbbbbg"))
    [pair] = found["pairs"]
    assert pair["annotators"] == ["ada", "bob"]
    assert pair["confusion"] == {"good": {"good": 3, "bad": 1}, "bad": {"good": 1, "bad": 3}}
    assert (pair["items"], pair["agreement"], pair["cohen"]) == (8, 0.75, 0.5)
    assert found["fleiss"] == 0.5
    # Krippendorff: 1 - (observed 2/8) / (expected 2 * 8 * 8 / (16 * 15))
    assert found["krippendorff"] == pytest.approx(1 - 0.25 / (128 / 240), abs=1e-4)
    assert found["annotators"]["ada"] == {"labels": 8, "skipped": 0, "an_hour": 720.0, "agreement": 0.75}
    assert found["conflicts"] == 2


def test_fleiss_on_three_annotators_of_whom_not_all_judge_all(label: MakeLabel) -> None:
    # Four items by two each: agreement on three of them; shares of good 5/8 and bad 3/8.
    found = agreement(said(label, ada="gg..s", bob="gb.b", cy="..gb", di="..g"))
    assert (found["shared_items"], found["fleiss_items"]) == (4, 4)
    expected = (5 / 8) ** 2 + (3 / 8) ** 2
    assert found["fleiss"] == pytest.approx((3 / 4 - expected) / (1 - expected), abs=1e-4)
    assert found["annotators"]["ada"]["skipped"] == 1


def test_what_is_not_defined_is_none(label: MakeLabel) -> None:
    alone = agreement(said(label, ada="g"))
    assert (alone["pairs"], alone["fleiss"], alone["krippendorff"], alone["fleiss_items"]) == ([], None, None, 0)
    assert alone["annotators"]["ada"]["an_hour"] is None
    same = agreement(said(label, ada="gg", bob="gg"))
    assert (same["fleiss"], same["krippendorff"], same["pairs"][0]["cohen"]) == (None, None, None)
    assert same["pairs"][0]["agreement"] == 1
    assert agreement([])["annotators"] == {}


def test_pauses_and_strange_times_are_no_work(label: MakeLabel) -> None:
    times = ["2026-01-01T00:00:00+00:00", "2026-01-01T00:00:10+00:00", "2026-01-01T05:00:00+00:00", "yesterday"]
    labels = [label(item_id=str(number), time=time) for number, time in enumerate(times)]
    assert agreement(labels)["annotators"]["ada"]["an_hour"] == 360


def test_a_ruling_ends_a_conflict(label: MakeLabel) -> None:
    labels = said(label, ada="gg", bob="bs")
    assert [[one.annotator for one in group] for group in conflicts(labels)] == [["ada", "bob"]]
    assert conflicts(labels, [replace(labels[0], kind="ruling")]) == []


def prefer(winner: str, loser: str, times: int, tie: bool = False) -> list[Preference]:
    return [Preference(str(number), "q", (), winner, loser, "ada", tie) for number in range(times)]


def test_a_win_rate_has_its_interval() -> None:
    found = wins([*prefer("new", "old", 8), *prefer("old", "new", 2), *prefer("old", "new", 3, tie=True)])
    [row] = found["pairs"]
    assert (row["runs"], row["wins"], row["losses"], row["ties"], row["win_rate"]) == (["new", "old"], 8, 2, 3, 0.8)
    assert (row["low"], row["high"]) == (0.4902, 0.9433), "Wilson's interval of 8 in 10"
    assert "bradley_terry" not in found
    assert wins([]) == {"pairs": []}
    assert "win_rate" not in wins(prefer("a", "b", 2, tie=True))["pairs"][0]


def test_more_than_two_runs_have_one_strength_each() -> None:
    liked = [*prefer("a", "b", 9), *prefer("b", "a", 3), *prefer("b", "c", 9), *prefer("c", "b", 3)]
    strength = wins(liked)["bradley_terry"]
    assert strength["a"] > strength["b"] > strength["c"]
    assert strength["b"] == pytest.approx(0.5, abs=1e-3)
    assert strength["a"] == pytest.approx(0.75, abs=0.02), "odds of three to one a step"
    tied = wins([*prefer("a", "b", 5, tie=True), *prefer("b", "c", 5, tie=True)])["bradley_terry"]
    assert set(tied.values()) == {0.5}
