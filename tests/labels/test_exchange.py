from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gpr.data.dataset import Dataset
from gpr.errors import DataError
from gpr.labels.exchange import import_rows, resolved
from gpr.labels.formats import COLUMNS, export_labels, read_rows, row_of
from gpr.labels.label import Label, Preference, request_id
from gpr.labels.store import LabelStore


def test_labels_go_to_another_store_and_lose_nothing(
    store: LabelStore, label: Callable[..., Label], tmp_path: Path
) -> None:
    said = [label(note="=1+1\n'x"), label(item_id="8", verdict="bad", reason="off topic; flagged", annotator="bob")]
    store.add(*said)
    export_labels(store.current(), tmp_path / "labels.csv")
    other = LabelStore("sqlite://")
    done = import_rows(read_rows(tmp_path / "labels.csv"), other, {})
    assert len(done.labels) == 2
    assert sorted(done.unknown_items) == ["7", "8"]
    assert [row_of(one) for one in other.current()] == [row_of(one) for one in said]
    again = import_rows(read_rows(tmp_path / "labels.csv"), other, {})
    assert (again.labels, again.known) == ([], 2)
    assert other.undo("bob")
    export_labels(store.current(), tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "labels.csv").read_bytes()


def test_what_a_row_lacks_is_found_in_the_data(films: Dataset, store: LabelStore) -> None:
    catalogue = films.catalogue
    rows = [
        {"title": catalogue.titles[1], "verdict": "Accept", "query": "dreams"},
        {"item_id": catalogue.item_ids[0], "verdict": "0", "annotator": "bob", "history": [catalogue.item_ids[1]]},
        {"title": "Not in any catalogue", "verdict": "skip"},
    ]
    done = import_rows(rows, store, {"films": catalogue}, annotator="eve")
    one, two, three = store.current()
    assert (one.item_id, one.verdict, one.annotator) == (catalogue.item_ids[1], "good", "eve")
    assert (one.dataset, one.request_id) == ("films", request_id("films", "dreams"))
    assert (two.title, two.verdict, two.annotator) == (catalogue.titles[0], "bad", "bob")
    assert two.history == (catalogue.item_ids[1],)
    assert (three.title, three.dataset, done.unknown_items) == ("Not in any catalogue", "", ["Not in any catalogue"])


def test_the_data_set_is_known_by_the_request(films: Dataset, store: LabelStore) -> None:
    row = {"request_id": request_id("b", "q"), "query": "q", "item_id": films.catalogue.item_ids[0], "verdict": "good"}
    import_rows([row], store, {"a": films.catalogue, "b": films.catalogue})
    assert [label.dataset for label in store.current()] == ["b"]


def test_what_was_said_later_stands_and_what_is_learned_of_it_is_added(films: Dataset, store: LabelStore) -> None:
    row = {"query": "q", "item_id": films.catalogue.item_ids[0], "verdict": "good"}
    row["request_id"] = request_id("films", "q")
    old, new = row | {"time": "2026-01-01"}, row | {"verdict": "bad", "time": "2026-02-01"}
    import_rows([new], store, {})
    assert import_rows([old], store, {}).known == 1
    assert import_rows([row | {"verdict": "bad"}], store, {}).known == 1, "the same without a time"
    assert [(label.verdict, label.dataset) for label in store.current()] == [("bad", "")]
    assert len(import_rows([new], store, {"films": films.catalogue}).labels) == 1
    assert [(label.verdict, label.dataset) for label in store.current()] == [("bad", "films")]
    assert len(import_rows([row], store, {}).labels) == 1, "said now"


def test_preferences_go_to_another_store_and_lose_nothing(store: LabelStore, tmp_path: Path) -> None:
    said = [
        Preference("r1", '=1 "梦"', ("3", "1"), "run-1", "", "ada", dataset="films", note="two\nlines"),
        Preference("r2", "", ("3",), "run-1", "run-2", "bob", tie=True, dataset="films"),
    ]
    store.add(*said)
    assert export_labels(store.preferences(), tmp_path / "liked.jsonl", "preferences") == 2
    other = LabelStore("sqlite://")
    rows = read_rows(tmp_path / "liked.jsonl")
    assert import_rows(rows, other, {}).preferences == said
    assert other.preferences() == said
    again = import_rows([*rows, rows[0] | {"history": None}], other, {})
    assert (again.preferences, again.known, len(again.left_out)) == ([], 2, 1)


def test_rows_that_are_no_labels_are_told_with_their_number(store: LabelStore) -> None:
    rows = [
        {"title": "x", "verdict": "good"},
        {"title": "x", "verdict": "great"},
        {"verdict": "good"},
        {"title": "x"},
        {"title": "x", "verdict": "bad", "history": "oops"},
    ]
    done = import_rows(rows, store, {})
    assert done.left_out == [
        "row 2: 'great' is no verdict",
        "row 3: it has neither item_id nor title",
        "row 4: it has no verdict",
        "row 5: its history is no list of ids",
    ]
    assert len(store.current()) == 1
    with pytest.raises(DataError, match="No row is a label"):
        import_rows(rows[1:], store, {})
    assert import_rows([], store, {}).labels == []


def test_one_label_an_item_by_ruling_or_majority(label: Callable[..., Label]) -> None:
    def say(item: str, *verdicts: str) -> list[Label]:
        return [label(item_id=item, verdict=verdict, annotator=f"a{place}") for place, verdict in enumerate(verdicts)]

    said = [
        *say("most", "good", "bad", "good"),
        *say("tie", "good", "bad"),
        *say("ruled", "good", "good"),
        *say("s", "skip"),
    ]
    ruling = replace(label(item_id="ruled", verdict="bad", annotator="olga"), kind="ruling")
    assert {(one.item_id, one.verdict, one.kind) for one in resolved(said, [ruling])} == {
        ("most", "good", "label"), ("ruled", "bad", "label")
    }  # fmt: skip
    assert set(COLUMNS) <= set(vars(ruling))
