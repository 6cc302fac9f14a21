from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from gpr.labels import team as module
from gpr.labels.label import REASONS, Label
from gpr.labels.store import LabelStore
from gpr.labels.team import Team


def test_what_annotators_share_is_kept(store: LabelStore) -> None:
    team = Team(store.database)
    assert (team.guidelines, team.reasons, team.overlap) == ("", REASONS, 0)
    team.set_guidelines("# Judge by topic", "olga")
    team.set_guidelines("# Judge by topic\n\nNot by taste.", "olga")
    team.set_reasons([" too old ", "", "off; topic", "too old", *map(str, range(9))], "olga")
    team.set_overlap(2, "olga")
    assert Team(store.database).guidelines == "# Judge by topic\n\nNot by taste."
    assert team.reasons == ("too old", "off, topic", "0", "1", "2", "3", "4", "5", "6")
    assert team.overlap == 2
    team.set_reasons([" "], "olga")
    assert team.reasons == REASONS


def test_a_request_goes_to_as_many_as_are_wanted(
    store: LabelStore, label: Callable[..., Label], monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team(store.database)
    assert [team.claim("r", name, 2) for name in ("ada", "bob", "cy", "ada")] == [True, True, False, True]
    assert team.claim("r", "cy", 0), "everybody"
    assert team.claim("r", "cy", 3)
    store.add(label(request_id="r", annotator="ada"))
    monkeypatch.setattr(module, "HELD", datetime.now(UTC) - datetime.now(UTC))
    assert team.claim("r", "di", 2), "bob and cy gave no label in time"
    store.add(label(request_id="r", annotator="di"))
    assert not team.claim("r", "eva", 2)
