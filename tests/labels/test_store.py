from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from gpr.labels.label import Label
from gpr.labels.store import LabelStore

MakeLabel = Callable[..., Label]


def test_a_label_comes_back_as_it_was(store: LabelStore, label: MakeLabel) -> None:
    given = label(query='=1+1, "盗梦"\n\'; DROP TABLE label_actions', note="ünïcode 🎬", reason="too long")
    assert store.current() == []
    assert store.add(given) == [1]
    assert store.current() == [given]


def test_text_that_databases_refuse_is_kept_without_it(store: LabelStore, label: MakeLabel) -> None:
    store.add(label(note="a\0b\ud800c", annotator="ada\ud800"))
    (kept,) = store.current()
    assert (kept.note, kept.annotator) == ("ab?c", "ada?")
    assert store.undo("ada\ud800") == [kept]


def test_a_label_without_a_probability_is_kept(store: LabelStore, label: MakeLabel) -> None:
    store.add(label(probability=math.nan, log_prob=-math.inf))
    (kept,) = store.current()
    assert math.isnan(kept.probability)
    assert kept.log_prob == -math.inf


def test_a_label_is_on_the_disk_when_add_returns(tmp_path: Path, label: MakeLabel) -> None:
    writer, reader = LabelStore(tmp_path / "labels.db"), LabelStore(tmp_path / "labels.db")
    for number in range(3):
        writer.add(label(item_id=str(number)))
        assert len(reader.current()) == number + 1
    writer.close()
    reader.close()


def test_the_latest_label_of_a_recommendation_counts(store: LabelStore, label: MakeLabel) -> None:
    first = label()
    for verdict in ("good", "bad", "skip"):
        store.add(replace(first, verdict=verdict))
    store.add(replace(first, annotator="bob"))
    store.add(replace(first, item_id="8"))
    assert [(kept.item_id, kept.annotator, kept.verdict) for kept in store.current()] == [
        ("7", "ada", "skip"),
        ("7", "bob", "good"),
        ("8", "ada", "good"),
    ]


def test_undo_takes_back_one_label_after_the_other(store: LabelStore, label: MakeLabel) -> None:
    one, two, three = label(), label(verdict="bad"), label(item_id="8")
    for given in (one, two, replace(one, annotator="bob"), three):
        store.add(given)
    assert store.undo("ada") == [three]
    assert store.undo("ada") == [two]
    assert store.current() == [one, replace(one, annotator="bob")]
    store.add(two)
    assert store.undo("ada") == [two]
    assert store.undo("ada") == [one]
    assert store.undo("ada") == []
    assert store.undo("nobody") == []
    assert store.current() == [replace(one, annotator="bob")]


def test_filters_choose_before_the_latest_is_taken(store: LabelStore, label: MakeLabel) -> None:
    on_one, on_two = label(run="run-1"), label(run="run-2", verdict="bad")
    store.add(on_one)
    store.add(on_two)
    store.add(label(dataset="books", request_id="other", run="run-3"))
    assert store.current(run="run-1") == [on_one]
    assert store.current(dataset="films") == [on_two]
    assert store.current(dataset="films", run="run-3") == []
    assert store.current(annotator="bob") == []


def test_stats_count_the_current_labels(store: LabelStore, label: MakeLabel) -> None:
    assert store.stats() == {"total": 0, "by_verdict": {}, "by_annotator": {}, "by_run": {}}
    for given in (
        label(),
        label(verdict="bad"),
        label(item_id="8"),
        label(annotator="bob"),
        label(annotator="bob", item_id="9", run="run-2"),
    ):
        store.add(given)
    store.undo("bob")
    assert store.stats() == {
        "total": 3,
        "by_verdict": {"bad": 1, "good": 2},
        "by_annotator": {"ada": 2, "bob": 1},
        "by_run": {"run-1": 3},
    }
    assert store.stats(annotator="bob")["total"] == 1


def test_threads_share_a_store(store: LabelStore, label: MakeLabel) -> None:
    labels = [label(item_id=str(number)) for number in range(60)]
    with ThreadPoolExecutor(6) as pool:
        assert sorted(number for [number] in pool.map(store.add, labels)) == list(range(1, 61))
    assert store.stats()["total"] == 60
    with ThreadPoolExecutor(6) as pool:
        undone = list(pool.map(store.undo, ["ada"] * 50))
    assert len({gone.item_id for [gone] in undone}) == 50
    assert store.stats()["total"] == 10


def write_labels(path: Path, labels: list[Label]) -> None:
    store = LabelStore(path)
    for given in labels:
        store.add(given)
    store.undo(labels[0].annotator)
    store.close()


def test_processes_lose_no_label(tmp_path: Path, label: MakeLabel) -> None:
    path = tmp_path / "labels.db"
    names = ["ada", "bob", "cy", "di"]
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        tasks = [
            pool.submit(write_labels, path, [label(annotator=name, item_id=str(item)) for item in range(25)])
            for name in names
        ]
        for task in tasks:
            task.result()
    store = LabelStore(path)
    assert store.stats()["by_annotator"] == dict.fromkeys(names, 24)
    store.close()
