from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from gpr.errors import RequestError
from gpr.labels.label import Label, request_id


def test_equal_requests_have_equal_ids() -> None:
    assert request_id("films", "a  film\nabout dreams ", ["1", "2"]) == request_id(
        "films", "a film about dreams", ("1", "2")
    )
    assert request_id("films", "a film about dreams", ("1", "2")) == "6db32e05ebf3e518"


def test_different_requests_have_different_ids() -> None:
    requests = [
        ("films", "a", ("1", "2")),
        ("books", "a", ("1", "2")),
        ("films", "b", ("1", "2")),
        ("films", "a", ("2", "1")),
        ("films", "a", ("12",)),
        ("films", "a", ()),
        ("films", "", ()),
        ("films", "\ud800", ()),
    ]
    assert len({request_id(*request) for request in requests}) == len(requests)


def test_a_label_knows_when_it_was_made(label: Callable[..., Label]) -> None:
    made = datetime.fromisoformat(label().time)
    assert made.tzinfo == UTC
    assert abs(datetime.now(UTC) - made) < timedelta(minutes=1)


def test_only_the_three_verdicts_are_taken(label: Callable[..., Label]) -> None:
    with pytest.raises(RequestError, match="'perfect' is no verdict. Use one of good, bad, skip."):
        label(verdict="perfect")


def test_a_label_needs_an_annotator(label: Callable[..., Label]) -> None:
    with pytest.raises(RequestError, match="The label has no annotator. Type your name first."):
        label(annotator=" ")
