from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gpr.labels.label import Label, Preference, request_id
from gpr.labels.store import LabelStore

MakeLabel = Callable[..., Label]


def test_undo_and_redo_have_no_limit_and_survive_a_restart(tmp_path: Path, label: MakeLabel) -> None:
    path = tmp_path / "labels.db"
    store, labels = LabelStore(path), [label(item_id=str(number)) for number in range(60)]
    for one in labels:
        store.add(one)
    for one in reversed(labels[10:]):
        assert store.undo("ada") == [one]
    store.close()
    store = LabelStore(path)
    assert store.current() == labels[:10]
    for one in labels[10:]:
        assert store.redo("ada") == [one]
    store.close()
    store = LabelStore(path)
    assert store.redo("ada") == []
    assert store.current() == labels
    for _ in labels:
        store.undo("ada")
    assert store.current() == store.undo("ada") == []
    for _ in labels:
        store.redo("ada")
    assert store.current() == labels
    store.close()


def test_a_new_label_ends_what_can_be_said_again_of_its_annotator_alone(store: LabelStore, label: MakeLabel) -> None:
    one, other = label(), label(annotator="bob")
    store.add(one)
    store.add(other)
    store.undo("ada")
    store.undo("bob")
    store.add(label(item_id="8"))
    assert store.redo("ada") == []
    assert store.redo("bob") == [other]
    assert store.redo("bob") == store.redo("nobody") == []


def test_one_undo_takes_back_all_of_one_press(store: LabelStore, label: MakeLabel) -> None:
    first, *page = [label(item_id=str(number)) for number in range(4)]
    store.add(first)
    assert store.add(*page) == [2, 3, 4]
    assert store.undo("ada") == page
    assert store.current() == [first]
    assert store.redo("ada") == page
    assert store.undo("ada") == page
    assert store.undo("ada") == [first]
    assert [store.redo("ada"), store.redo("ada")] == [[first], page]
    assert store.add() == []


def test_a_reason_belongs_to_the_press_before(store: LabelStore, label: MakeLabel) -> None:
    bad = label(verdict="bad")
    why = replace(bad, reason="off topic; flagged")
    store.add(bad, batch="one")
    store.add(why, batch="one")
    assert store.current() == [why]
    assert (why.reasons, why.flagged, bad.flagged) == (("off topic", "flagged"), True, False)
    assert store.undo("ada") == [bad, why]
    assert store.current() == []


def test_taking_back_one_recommendation_leaves_the_others(store: LabelStore, label: MakeLabel) -> None:
    one, other = label(), label(item_id="8")
    for said in (one, replace(one, verdict="bad"), other, replace(one, annotator="bob")):
        store.add(said)
    store.take_back(one.request_id, "7", "ada")
    store.take_back(one.request_id, "nothing", "ada")
    assert store.current() == [other, replace(one, annotator="bob")]
    assert store.undo("ada") == [other]


def test_preferences_and_rulings_are_no_labels_but_are_undone_like_them(store: LabelStore, label: MakeLabel) -> None:
    one = label()
    ruling = replace(one, kind="ruling", verdict="bad", annotator="olga")
    liked = Preference(request_id("films", "a"), "a", ("1",), "new", "", "ada", dataset="films")
    for said in (one, ruling, liked):
        store.add(said)
    turned = replace(liked, winner="", loser="new", tie=True)
    store.add(turned)
    assert store.current() == [one]
    assert store.rulings() == [ruling]
    assert store.preferences() == [turned], "the same pair of runs, whoever won"
    assert store.undo("ada") == [turned]
    assert store.preferences(dataset="films", annotator="ada") == [liked]
    assert store.undo("ada") == [liked]
    assert store.redo("ada") == [liked]
    assert store.undo("olga") == [ruling]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["add", "add", "undo", "redo"]), max_size=30))
def test_it_is_like_a_list_with_a_cursor(presses: list[str]) -> None:
    store, said, cursor = LabelStore("sqlite://"), [], 0
    for number, press in enumerate(presses):
        if press == "add":
            one = Label("r", "q", (), str(number), "t", "", 0.5, -1.0, 1, "good", "ada")
            store.add(one)
            said, cursor = [*said[:cursor], one], cursor + 1
        elif press == "undo":
            assert store.undo("ada") == (said[cursor - 1 : cursor] if cursor else [])
            cursor = max(0, cursor - 1)
        else:
            assert store.redo("ada") == said[cursor : cursor + 1]
            cursor = min(len(said), cursor + 1)
        assert store.current() == said[:cursor]
    store.close()
